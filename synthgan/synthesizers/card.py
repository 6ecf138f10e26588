"""The model card: what a model is, what it was made from and what its file holds, for people."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pandas as pd

from synthgan.persistence import MEMBERS
from synthgan.schema import ColumnKind, Schema

__all__ = ["model_card"]

_KINDS = {
    ColumnKind.NUMERIC: "the ends and shares of its intervals and frequent values, its smallest and largest value",
    ColumnKind.CATEGORICAL: "its categories and their shares",
    ColumnKind.BOOLEAN: "the shares of true and false",
    ColumnKind.DATETIME: "the ends and shares of its intervals of days and times of day, its first and last",
    ColumnKind.ID: "the pattern of the ids; none of them",
    ColumnKind.CONSTANT: "its one value",
    ColumnKind.TEXT: "nothing but the share of missing cells",
}


def model_card(manifest: Mapping[str, Any], schema: Schema, history: pd.DataFrame, n_weights: int) -> str:
    """Write a model card.

    Parameters
    ----------
    manifest : mapping
        As `to_members` makes it.
    schema : Schema
        What the columns are.
    history : DataFrame
        Training curves.
    n_weights : int
        Numbers in the network.

    Returns
    -------
    str
        Markdown, with the names of columns made harmless.
    """
    data, parameters = manifest["data"], manifest["parameters"]
    steps = int(history["step"].max()) if "step" in history else 0
    changed = ", ".join(f"{key}={value}" for key, value in parameters.items() if value is not None)
    lines = [
        f"# {manifest['model']} model",
        "",
        f"Makes synthetic rows of {len(schema)} columns. Written by synthgan {manifest['synthgan']} "
        f"(torch {manifest['torch']}, Python {manifest['python']}).",
        "",
        "## Made from",
        "",
        f"- {data['rows']:,} rows, of which none is in the file. SHA-256 of the table: `{data['sha256']}`",
        f"- seed {manifest['seed']}, {steps:,} training steps, {n_weights:,} weights",
        f"- parameters: {_harmless(changed)}",
        *([] if manifest["target"] is None else [f"- target: {_harmless(str(manifest['target']))}"]),
        "",
        "## What the file knows of each column",
        "",
        "| column | kind | dtype | stored |",
        "|---|---|---|---|",
        *(f"| {_harmless(str(spec.name))} | {spec.kind} | {spec.dtype} | {_KINDS[spec.kind]} |" for spec in schema),
        "",
        "## What it does not promise",
        "",
        "Synthetic is not anonymous. The weights were fitted to the rows and may have learned some of them; rows are "
        "made without any formal guarantee such as differential privacy. Judge them with `synthgan evaluate`, and do "
        "not publish a model of data that you may not publish.",
        "",
        "## Members of this file",
        "",
        *(
            f"- `{name}`: {what}"
            for name, what in {"manifest.json": "versions, settings, checksums", **MEMBERS}.items()
        ),
        "",
    ]
    return "\n".join(lines)


def _harmless(text: str, limit: int = 200) -> str:
    """Return text of the user's as one line that Markdown shows as it is."""
    line = " ".join(text.split())[:limit]
    return "".join(f"\\{mark}" if mark in "\\`*_{}[]<>()#+|!~&" else mark for mark in line if mark.isprintable())
