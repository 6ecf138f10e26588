"""Reading the table that a command learns from, checking its target, telling what its columns are."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import typer

if TYPE_CHECKING:
    import pandas as pd

    from synthgan.schema import Schema

__all__ = ["read_described", "read_with_target"]


def read_with_target(table: str, target: str | None) -> pd.DataFrame:
    """Return a table.

    Raises
    ------
    InputError
        When there is a target, and the table does not have it.
    """
    from synthgan.errors import InputError
    from synthgan.io import read_table

    frame = read_table(table)
    if target is not None and target not in frame:
        raise InputError(f"no column {target!r} in {table} to be the target; it has {', '.join(map(str, frame))}")
    return frame


def read_described(
    table: str, target: str | None, schema: Path | None, discrete: list[str] | None
) -> tuple[pd.DataFrame, Schema]:
    """Return a table and what its columns are, by a schema file or else by guess.

    Raises
    ------
    typer.BadParameter
        For a schema file beside a list of `discrete` columns.
    InputError
        As for `read_with_target`.
    """
    from synthgan.schema import complete_schema, infer_schema, read_schema

    if schema is None:
        frame = read_with_target(table, target)
        return frame, infer_schema(frame, discrete_columns=discrete)
    if discrete:
        raise typer.BadParameter(
            "--discrete and --schema both say what columns are; edit the schema", param_hint="--discrete"
        )
    declared = read_schema(schema)
    frame = read_with_target(table, target)
    return frame, complete_schema(frame, declared)
