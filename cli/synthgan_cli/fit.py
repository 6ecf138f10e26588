"""``synthgan fit``: from a table to a model file."""

from __future__ import annotations

import re
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from synthgan_cli.console import Notes, show_warning
from synthgan_cli.exits import ExitCode
from synthgan_cli.models import ModelName, new_model
from synthgan_cli.options import Device, Discrete, Quiet, SchemaFile, Seed, Table, Target
from synthgan_cli.signals import catching_signals
from synthgan_cli.tables import read_described

if TYPE_CHECKING:
    import pandas as pd

    from synthgan.schema import Schema
    from synthgan.synthesizers.base import TableSynthesizer

__all__ = ["fit", "fit_with_progress"]

SHOWN_RULES = 3
"""Columns of which some values never occur together, that are told after a fit."""


def fit(
    table: Table,
    target: Target = None,
    out: Annotated[Path, typer.Option("--out", "-o", help="Where to write the model.")] = Path("model.synthgan"),
    max_seconds: Annotated[
        float | None, typer.Option("--max-seconds", min=0, help="Seconds of training at most.", show_default=False)
    ] = None,
    epochs: Annotated[
        int | None,
        typer.Option("--epochs", min=1, help="Passes over the rows at most; by default the table's size decides."),
    ] = None,
    model: Annotated[
        ModelName,
        typer.Option(
            "--model", help="synthgan, or for comparison a reference model: ctgan, tvae, vanilla (the textbook's GAN)."
        ),
    ] = ModelName.SYNTHGAN,
    live: Annotated[
        bool, typer.Option("--live", help="Draw the curves of losses, fidelity and balance while training runs.")
    ] = False,
    checkpoint: Annotated[
        Path | None,
        typer.Option("--checkpoint", metavar="DIR", help="A folder to put the training down in, again and again."),
    ] = None,
    checkpoint_every: Annotated[
        int, typer.Option("--checkpoint-every", min=1, metavar="STEPS", help="Steps from one checkpoint to the next.")
    ] = 100,
    resume: Annotated[
        bool, typer.Option("--resume", help="Go on from the newest checkpoint, if there is one.")
    ] = False,
    max_memory: Annotated[
        str | None,
        typer.Option(
            "--max-memory", metavar="SIZE", help="As in 500MB or 2GB: use smaller batches where training takes more."
        ),
    ] = None,
    protect_rare: Annotated[
        int,
        typer.Option(
            "--protect-rare", min=0, metavar="ROWS", help="What fewer rows hold is not learned; 0: learn all."
        ),
    ] = 5,
    config: Annotated[
        Path | None, typer.Option("--config", help="A .toml of settings, as `synthgan tune` writes it.")
    ] = None,
    schema: SchemaFile = None,
    discrete: Discrete = None,
    device: Device = "auto",
    seed: Seed = 0,
    quiet: Quiet = False,
) -> None:
    """Learn a table and write a model file.

    Training stops by itself when the rows kept aside stop getting likelier. Ctrl-C (or SIGTERM) ends it after the step
    that is being taken, and still writes the best model so far, and a checkpoint where these are asked for (exit code
    130 or 143). With --checkpoint and --resume the same command goes on from there.
    """
    from synthgan.io import check_writable
    from synthgan.schema import validate

    if resume and checkpoint is None:
        raise typer.BadParameter("say where the checkpoints are: --checkpoint DIR", param_hint="--resume")
    check_writable(out)
    frame, declared = read_described(table, target, schema, discrete)
    frame = validate(frame, declared)
    learner = new_model(
        model, config, epochs=epochs, max_seconds=max_seconds, device=device, random_state=seed, verbose=0
    )
    learner.protect_rare = protect_rare
    if max_memory is not None:
        if "max_megabytes" not in learner.get_params():
            raise typer.BadParameter(f"--model {model} does not know its memory beforehand", param_hint="--max-memory")
        learner.set_params(max_megabytes=parse_megabytes(max_memory))
    course = {"checkpoint": checkpoint, "checkpoint_every": checkpoint_every, "resume": resume}
    _fit_and_save(learner, frame, declared, target, out, Notes(quiet), live=live, **course)


def _fit_and_save(
    learner: TableSynthesizer,
    frame: pd.DataFrame,
    schema: Schema,
    target: str | None,
    out: Path,
    notes: Notes,
    **course: Any,
) -> None:
    """Train until the end or a signal, and write the model; also the best from before a training that diverged."""
    from synthgan.errors import DivergedError

    with catching_signals() as signals:
        try:
            fit_with_progress(learner, frame, schema, target, notes, stop=signals, **course)
        except DivergedError as error:
            if error.kept:
                learner.save(out)
                show_warning(f"saved the best model from before that to {out}")
            raise
        learner.save(out)
    notes.say(
        f"saved {out} ({out.stat().st_size / 1e6:.1f} MB); next: synthgan sample {out} -n 1000 --out synthetic.csv"
    )
    if learner.interrupted_:
        show_warning("interrupted: the model is the best so far")
        raise typer.Exit(ExitCode.INTERRUPTED if signals.number is None else 128 + signals.number)


def parse_megabytes(text: str) -> float:
    """Return the megabytes of a size.

    Raises
    ------
    typer.BadParameter
        For what is no size.

    Examples
    --------
    >>> parse_megabytes("2GB"), parse_megabytes("1.5 g"), parse_megabytes("300mb")
    (2000.0, 1500.0, 300.0)
    """
    match = re.fullmatch(r"(\d+(?:\.\d+)?)\s*([mgt])(?:i?b)?", text.strip().lower())
    if match is None or not float(match[1]):
        raise typer.BadParameter(f"{text!r} is no size such as 500MB or 2GB", param_hint="--max-memory")
    return float(match[1]) * {"m": 1, "g": 1e3, "t": 1e6}[match[2]]


def fit_with_progress(
    model: TableSynthesizer,
    frame: pd.DataFrame,
    schema: Schema,
    target: str | None,
    notes: Notes,
    *,
    live: bool = False,
    **course: Any,
) -> None:
    """Show the plan, then train behind a progress bar, or under curves; tell what alarms there were.

    `course` goes to the model's `fit`: checkpoints, and who may end it.
    """
    from synthgan import SynthGAN
    from synthgan_cli.live import LiveCurves
    from synthgan_cli.progress import TrainingBar, plan_text

    for spec in schema:
        if (warning := spec.warning()) and not notes.quiet:
            show_warning(warning)
    max_seconds = model.get_params()["max_seconds"]
    if isinstance(model, SynthGAN) and not notes.quiet:
        notes.say(plan_text(model.plan(frame, schema=schema), max_seconds))
    with (LiveCurves if live else TrainingBar)(notes, max_seconds) as bar:
        model.fit(frame, schema=schema, target=target, callback=bar.update, **course)
    notes.say(bar.outcome())
    if isinstance(model, SynthGAN) and model.formulas_:
        notes.say(f"all rows keep to, and sampled ones will: {'; '.join(model.formulas_)}")
    if isinstance(model, SynthGAN) and (rules := model.exclusions_):
        more = len(rules) - SHOWN_RULES
        rest = f"; and {more} more, which synthgan inspect lists" if more > 0 else ""
        notes.say(f"never together in any row: {'; '.join(rules[:SHOWN_RULES])}{rest}")
    if not notes.quiet:
        for alarm in bar.alarms:
            show_warning(str(alarm))
