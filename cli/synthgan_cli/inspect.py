"""``synthgan inspect``: what a table's columns are taken for, or what is in a model file."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from synthgan_cli.console import new_table, print_table

if TYPE_CHECKING:
    import pandas as pd

    from synthgan.schema import ColumnSpec, Schema

__all__ = ["inspect"]


def inspect(
    file: Annotated[str, typer.Argument(help="A table (CSV, Parquet, ..., - for CSV on stdin) or a .synthgan model.")],
    write_to: Annotated[
        Path | None,
        typer.Option(
            "--write-schema", help="Write the schema to a .toml or .json file, to be edited and passed to fit."
        ),
    ] = None,
    discrete: Annotated[
        list[str] | None, typer.Option("--discrete", help="A column of codes that are names, not amounts; repeatable.")
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON in place of a table.")] = False,
) -> None:
    """Show the columns of a table with the reason for each guess, or what a model file holds."""
    import json
    import zipfile

    from synthgan.io import read_table
    from synthgan.schema import infer_schema, write_schema

    info: dict[str, object] = {}
    frame = None
    if file.lower().endswith(".synthgan") or (Path(file).is_file() and zipfile.is_zipfile(file)):
        from synthgan import load

        model = load(file, device="cpu")
        schema, info = model.schema_, dict(model.info_)
    else:
        frame = read_table(file)
        schema = infer_schema(frame, discrete_columns=discrete)
        info = {"rows": len(frame), "columns": len(schema)}
    if as_json:
        typer.echo(json.dumps({"info": info, "schema": schema.to_dict()}, indent=2, ensure_ascii=False))
    else:
        _show(info, schema, frame)
    if write_to is not None:
        write_schema(schema, write_to)


def _show(info: dict[str, object], schema: Schema, frame: pd.DataFrame | None) -> None:
    facts = new_table("", "")
    facts.show_header = False
    for name, value in info.items():
        if value is None:
            continue
        facts.add_row(name.replace("_", " "), _fact(value))
    print_table(facts)
    columns = new_table("column", "kind", "dtype", "missing", "values", "why", numbers=("missing",))
    for spec in schema:
        if frame is None:
            missing = "some" if spec.missing else ""
        else:
            share = float(frame[spec.name].isna().mean())
            missing = f"{share:.1%}" if share else ""
        columns.add_row(str(spec.name), str(spec.kind), spec.dtype, missing, _values(spec), spec.reason)
    print_table(columns)


def _fact(value: object) -> str:
    if isinstance(value, dict):
        return ", ".join(f"{key}={item}" for key, item in value.items() if item is not None)
    return f"{value:,}" if isinstance(value, int) else str(value)


def _values(spec: ColumnSpec, limit: int = 4) -> str:
    """Return the range or the first levels of a column."""
    if spec.low is not None:
        return f"{spec.low} .. {spec.high}"
    levels = [str(level) if len(str(level)) <= 20 else str(level)[:19] + "…" for level in (spec.levels or ())[:limit]]
    more = len(spec.levels or ()) - len(levels)
    return (" < " if spec.ordered else ", ").join(levels) + (f", +{more:,}" if more > 0 else "")
