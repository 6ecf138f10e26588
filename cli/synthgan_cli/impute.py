"""``synthgan impute``: fill the missing cells of a table."""

from __future__ import annotations

from typing import Annotated

import typer

from synthgan_cli.console import Notes
from synthgan_cli.options import Device, EscapeFormulas, Model, OutTable, Quiet, Seed

__all__ = ["impute"]


def impute(
    model: Model,
    table: Annotated[str, typer.Argument(help="A table with the model's columns; - for CSV on stdin.")],
    out: OutTable = "-",
    escape_formulas: EscapeFormulas = False,
    device: Device = "auto",
    seed: Seed = 0,
    quiet: Quiet = False,
) -> None:
    """Fill the missing cells of a table with draws given each row's other cells.

    Cells that are there stay as they are.
    """
    from synthgan import SynthGAN
    from synthgan.io import check_writable, read_table, write_table

    if out != "-":
        check_writable(out)
    frame = read_table(table)
    filled = SynthGAN.load(model, device=device).impute(frame, random_state=seed)
    write_table(filled, out, escape_formulas=escape_formulas)
    before, after = int(frame.isna().sum().sum()), int(filled.isna().sum().sum())
    left = f"; {after:,} are left in columns that the model does not learn" if after else ""
    Notes(quiet).say(f"filled {before - after:,} cells of {len(frame):,} rows{left}")
