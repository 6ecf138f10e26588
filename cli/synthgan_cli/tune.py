"""``synthgan tune``: the settings that suit a table."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from synthgan_cli.console import Notes, new_table, print_table
from synthgan_cli.models import ModelName, new_model
from synthgan_cli.options import Device, Discrete, Quiet, Report, SchemaFile, Seed, Table, Target
from synthgan_cli.tables import read_described

if TYPE_CHECKING:
    from synthgan.tuning import TrialResult, TuningResult

__all__ = ["tune"]

N_SHOWN = 10


def tune(
    table: Table,
    target: Target = None,
    trials: Annotated[int, typer.Option("--trials", min=1, help="Settings to try, those in --storage included.")] = 20,
    max_seconds: Annotated[
        float | None, typer.Option("--max-seconds", min=0, help="Seconds at most.", show_default=False)
    ] = None,
    out: Annotated[Path, typer.Option("--out", "-o", help="Where to write the best settings.")] = Path("synthgan.toml"),
    storage: Annotated[
        Path | None,
        typer.Option("--storage", help="An SQLite file of all trials: the same command goes on from it after any end."),
    ] = None,
    report: Report = None,
    model: Annotated[ModelName, typer.Option("--model", help="Whose settings: synthgan or a reference model.")] = (
        ModelName.SYNTHGAN
    ),
    config: Annotated[
        Path | None, typer.Option("--config", help="A .toml of settings to start from and to keep where not searched.")
    ] = None,
    schema: SchemaFile = None,
    discrete: Discrete = None,
    seeds: Annotated[int, typer.Option("--seeds", min=1, help="Seeds to try the best few settings with.")] = 3,
    device: Device = "auto",
    seed: Seed = 0,
    quiet: Quiet = False,
) -> None:
    """Try settings on two thirds of the rows, score them on the rest, and write the best for ``fit --config``."""
    from synthgan import tuning
    from synthgan.io import atomic_write, check_writable
    from synthgan.report import render_tuning

    notes = Notes(quiet)
    for path in (out, report):
        if path is not None:
            check_writable(path)
    frame, declared = read_described(table, target, schema, discrete)

    def tell(trial: TrialResult) -> None:
        score = trial.state if trial.score is None else f"score {trial.score:.4f}"
        notes.say(f"trial {trial.number} of {trials}: {score}, {trial.seconds:.0f} s")

    found = tuning.tune(
        new_model(model, config, device=device),
        frame,
        target=target,
        schema=declared,
        n_trials=trials,
        max_seconds=max_seconds,
        n_seeds=seeds,
        storage=storage,
        random_state=seed,
        callback=tell,
    )
    found.write_config(out)
    if report is not None:
        with atomic_write(report) as file:
            file.write(render_tuning(found.to_dict()).encode())
        notes.say(f"wrote {report}")
    _print(found)
    notes.say(found.summary())
    notes.say(f"wrote {out}; next: synthgan fit {table} --config {out}")


def _print(found: TuningResult) -> None:
    """Print the settings, those chosen first."""
    complete = sorted(
        (trial for trial in found.trials if trial.mean is not None), key=lambda it: (it != found.best, -(it.mean or 0))
    )
    shown = new_table("trial", "score", "seeds", *found.space, numbers=("trial", "score", "seeds", *found.space))
    for trial in complete[:N_SHOWN]:
        cells = [f"{value:.4g}" if isinstance(value, float) else str(value) for value in trial.settings.values()]
        shown.add_row(str(trial.number), f"{trial.mean:.4f}", str(len(trial.scores)), *cells)
    shown.caption = (
        "score: min(1, 2 (1 - AUC)) of boosted trees that tell synthetic from held-out rows; trial 0: the start"
    )
    print_table(shown)
