"""``synthgan sample``: from a model file to rows."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any

import typer

from synthgan_cli.console import Notes
from synthgan_cli.options import Device, EscapeFormulas, Model, OutTable, Quiet, Seed

if TYPE_CHECKING:
    from synthgan.synthesizers.base import TableSynthesizer

__all__ = ["sample"]

MANY_ROWS, MOST_JOBS = 50_000, 4
"""Rows that a critic chooses from which it surely pays to start other processes, and how many where nothing is said."""


def sample(
    model: Model,
    n_rows: Annotated[
        int | None,
        typer.Option("--rows", "-n", min=1, help="How many rows; by default as many as the model was fitted on."),
    ] = None,
    where: Annotated[
        list[str] | None,
        typer.Option(
            "--where",
            "-w",
            help="A condition that every row satisfies: column=value, column=a|b, column=low..high (an end may be "
            "left out), column= for missing; repeatable.",
        ),
    ] = None,
    class_counts: Annotated[
        str | None,
        typer.Option("--class-counts", help='Exact numbers of rows by the target: ">50K=500,<=50K=500".'),
    ] = None,
    passes: Annotated[
        int | None, typer.Option("--passes", min=1, help="Columns are drawn in this many passes: fewer are faster.")
    ] = None,
    select: Annotated[
        int | None,
        typer.Option(
            "--select",
            min=1,
            max=64,
            help="Candidates drawn for each row, of which the critic keeps one; 1 is fastest. By default what the "
            "model was made for.",
        ),
    ] = None,
    jobs: Annotated[
        int | None,
        typer.Option(
            "--jobs",
            min=1,
            help="Processes that draw side by side, some 400 MB each; by default 1, and from 50,000 rows that a critic "
            "chooses one for each core, 4 at most.",
        ),
    ] = None,
    out: OutTable = "-",
    escape_formulas: EscapeFormulas = False,
    device: Device = "auto",
    seed: Seed = 0,
    quiet: Quiet = False,
) -> None:
    """Sample rows from a model.

    There are exactly as many as asked for, and every one satisfies the conditions given.
    """
    import joblib

    from synthgan import SynthGAN, load
    from synthgan.io import check_writable, write_table
    from synthgan_cli.progress import CountBar
    from synthgan_cli.where import parse_where

    if out != "-":
        check_writable(out)
    if class_counts is not None and n_rows is not None:
        raise typer.BadParameter("--class-counts already says how many rows", param_hint="--rows")
    notes = Notes(quiet)
    loaded = load(model, device=device)
    asked = {"n_passes": passes, "select": select, "n_jobs": jobs}
    settings = {name: value for name, value in asked.items() if value is not None}
    if settings and not isinstance(loaded, SynthGAN):
        raise typer.BadParameter(
            f"a {type(loaded).__name__} draws rows in one pass and one process, and has no critic",
            param_hint="--passes, --select, --jobs",
        )
    conditions = parse_where(where or [], loaded.schema_)
    counts = None if class_counts is None else _read_counts(class_counts, loaded)
    total = (n_rows if counts is None else sum(counts.values())) or loaded.info_["rows_fitted"]
    if isinstance(loaded, SynthGAN) and jobs is None and total >= MANY_ROWS and not (passes or select == 1):
        settings["n_jobs"] = min(joblib.cpu_count(), MOST_JOBS)
    batches = loaded.sample_batches(
        total, conditions=conditions or None, class_counts=counts, random_state=seed, **settings
    )
    with CountBar(notes, "sampling", total, "rows") as bar:
        write_table(bar.over(batches), out, escape_formulas=escape_formulas)
    if out != "-":
        notes.say(f"wrote {total:,} rows to {out}")


def _read_counts(text: str, model: TableSynthesizer) -> dict[Any, int]:
    from synthgan.errors import ConditionError
    from synthgan_cli.where import parse_class_counts

    if model.target_ is None:
        raise ConditionError("--class-counts counts the target's classes; fit the model with --target")
    return parse_class_counts(text, model.schema_[model.target_])
