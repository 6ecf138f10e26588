"""``synthgan gain``: whether generated rows help a classifier."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from synthgan_cli.console import Notes, new_table, print_table
from synthgan_cli.options import AsJson, Device, Quiet, Report, Seed, Table
from synthgan_cli.progress import CountBar, duration

if TYPE_CHECKING:
    from synthgan.augmentation import GainProgress
    from synthgan.evaluation.gain import GainReport

__all__ = ["gain"]


def gain(
    table: Table,
    target: Annotated[str, typer.Option("--target", "-t", help="The column of the classes.")],
    rows: Annotated[
        list[int] | None,
        typer.Option("--rows", help="Learn from so many rows; repeat it for a learning curve. By default half of all."),
    ] = None,
    learner: Annotated[
        list[str] | None, typer.Option("--learner", help="One of the four classifiers; repeatable. By default all.")
    ] = None,
    repeats: Annotated[int, typer.Option("--repeats", min=1, help="Repeats of the cross-validation.")] = 5,
    folds: Annotated[int, typer.Option("--folds", min=2, help="Folds of the cross-validation.")] = 2,
    folder: Annotated[
        Path | None, typer.Option("--folder", help="Keep finished folds here; the same command goes on from them.")
    ] = None,
    report: Report = None,
    as_json: AsJson = False,
    max_seconds: Annotated[
        float | None,
        typer.Option("--max-seconds", min=0, help="Begin no fold after so many seconds.", show_default=False),
    ] = None,
    jobs: Annotated[int, typer.Option("--jobs", "-j", min=1, help="Folds side by side.")] = 1,
    device: Device = "auto",
    seed: Seed = 0,
    quiet: Quiet = False,
) -> None:
    """Measure whether generated rows help classifiers, against every cheap way of getting the same.

    Everything is fitted inside the training rows of each fold and scored on real rows that nothing saw. The answer is
    "gain", "no evidence of gain" or "harm".
    """
    from synthgan import SynthGAN
    from synthgan.augmentation import augmentation_gain
    from synthgan.augmentation.learners import LEARNERS
    from synthgan.io import check_writable, read_table
    from synthgan.report import write_gain_html

    notes = Notes(quiet)
    if report is not None:
        check_writable(report)
    frame = read_table(table)
    sizes: list[int | None] = [*rows] if rows else [None]
    with CountBar(notes, "measuring", repeats * folds * len(sizes), "folds") as bar:

        def follow(at: GainProgress) -> None:
            bar.reach(at.done)
            if not notes.live:
                notes.say(f"fold {at.done} of {at.total}, about {duration(at.seconds_left)} left")

        result = augmentation_gain(
            frame,
            target,
            learners=learner or LEARNERS,
            n_grid=sizes,
            repeats=repeats,
            n_folds=folds,
            generator=SynthGAN(device=device),
            folder=folder,
            n_jobs=jobs,
            max_seconds=max_seconds,
            callback=follow,
            random_state=seed,
        )
    if report is not None:
        write_gain_html(result, report)
        notes.say(f"wrote {report}")
    if as_json:
        typer.echo(result.to_json(indent=2))
    else:
        _print(result)


def _print(result: GainReport) -> None:
    from synthgan.evaluation.gaintexts import SHOWN, sentence, show_difference

    typer.echo(sentence(result))
    for size in result.sizes:
        table = new_table(
            "learner", "metric", "from the best cheap arm", "which is", "from no augmentation", "verdict",
            title=f"learning from {size:,} rows: differences with 95 % intervals, above 0 is better",
        )  # fmt: skip
        for found in result.findings:
            if found.n_rows == size and found.metric in SHOWN:
                table.add_row(
                    found.learner,
                    found.metric,
                    show_difference(found),
                    found.baseline,
                    show_difference(found, "none_"),
                    found.verdict,
                )
        print_table(table)
    for note in result.run["notes"]:
        typer.echo(f"note: {note}")
