"""The options that several commands share."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

__all__ = [
    "AsJson",
    "Device",
    "Discrete",
    "EscapeFormulas",
    "Model",
    "OutTable",
    "Quiet",
    "Report",
    "SchemaFile",
    "Seed",
    "Table",
    "Target",
]

Table = Annotated[str, typer.Argument(help="CSV, CSV.gz, TSV, Parquet or Feather; - for CSV on stdin.")]
Target = Annotated[
    str | None, typer.Option("--target", "-t", help="The column that models should predict, if there is one.")
]

Model = Annotated[Path, typer.Argument(help="A .synthgan file, as `synthgan fit` writes it.", show_default=False)]
Seed = Annotated[int, typer.Option("--seed", min=0, help="The same seed gives the same result.")]
Device = Annotated[str, typer.Option("--device", help="auto, cpu or cuda.")]
Quiet = Annotated[bool, typer.Option("--quiet", "-q", help="Say nothing but errors.")]
OutTable = Annotated[str, typer.Option("--out", "-o", help="Where to write the rows: a file, or - for CSV on stdout.")]
EscapeFormulas = Annotated[
    bool,
    typer.Option(
        "--escape-formulas", help="Put an apostrophe before texts in CSV that spreadsheets would run as formulas."
    ),
]
SchemaFile = Annotated[
    Path | None,
    typer.Option("--schema", help="A .toml or .json schema (`synthgan inspect --write-schema` makes one to edit)."),
]
Discrete = Annotated[
    list[str] | None, typer.Option("--discrete", help="A column of codes that are names, not amounts; repeatable.")
]
Report = Annotated[Path | None, typer.Option("--report", "-r", help="Write an HTML page here.")]
AsJson = Annotated[bool, typer.Option("--json", help="Print JSON in place of tables.")]
