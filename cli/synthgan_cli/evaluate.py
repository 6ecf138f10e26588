"""``synthgan evaluate``: how good a synthetic table is, whoever made it."""

from __future__ import annotations

from contextlib import AbstractContextManager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, cast

import typer

from synthgan_cli.console import Notes, new_table, print_table, waiting
from synthgan_cli.options import Quiet, SchemaFile, Seed

if TYPE_CHECKING:
    from synthgan.evaluation import EvaluationReport

__all__ = ["evaluate", "one_thread", "print_report", "print_themes"]


def evaluate(
    real: Annotated[str, typer.Option("--real", help="The rows that the generator was fitted on.")],
    synthetic: Annotated[str, typer.Option("--synthetic", help="The rows to judge.")],
    holdout: Annotated[
        str | None, typer.Option("--holdout", help="Real rows it never saw; privacy cannot be judged without.")
    ] = None,
    target: Annotated[
        str | None, typer.Option("--target", "-t", help="The column that models should predict; for utility.")
    ] = None,
    report: Annotated[Path | None, typer.Option("--report", "-r", help="Write an HTML page here.")] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON in place of tables.")] = False,
    quick: Annotated[
        bool, typer.Option("--quick", help="Look at fewer rows: seconds in place of half a minute.")
    ] = False,
    schema: SchemaFile = None,
    seed: Seed = 0,
    quiet: Quiet = False,
) -> None:
    """Judge a synthetic table by fidelity, utility, privacy and coverage, each number beside its ceiling and floor."""
    from synthgan import evaluation
    from synthgan.io import check_writable, read_table
    from synthgan.report import write_html
    from synthgan.schema import read_schema

    notes = Notes(quiet)
    if report is not None:
        check_writable(report)
    declared = None if schema is None else read_schema(schema)
    tables = [None if path is None else read_table(path) for path in (real, synthetic, holdout)]
    with waiting(notes, "judging"), one_thread():
        result = evaluation.evaluate(
            tables[0],
            tables[1],
            holdout=tables[2],
            target=target,
            schema=declared,
            profile="quick" if quick else "full",
            random_state=seed,
        )
    if as_json:
        typer.echo(result.to_json(indent=2))
    else:
        print_report(result)
    if report is not None:
        write_html(result, report)
        notes.say(f"wrote {report}")


def one_thread() -> AbstractContextManager[object]:
    """Keep boosted trees to one thread.

    On tables of this size a second one saves little, and on a busy machine their waiting for each other takes minutes.
    """
    from threadpoolctl import threadpool_limits

    return cast("AbstractContextManager[object]", threadpool_limits(1, user_api="openmp"))


def print_report(report: EvaluationReport) -> None:
    """Print the verdicts and the numbers about the whole table."""
    print_themes(report)
    numbers = ("value", "ceiling", "floor")
    metrics = new_table("metric", *numbers, "95 % interval", numbers=numbers)
    for metric in report.headline:
        low_high = "" if metric.low is None or metric.high is None else f"{metric.low:.4f} to {metric.high:.4f}"
        cells = ["" if x is None else f"{x:.4f}" for x in (metric.value, metric.ceiling, metric.floor)]
        metrics.add_row(metric.name, *cells, metric.note if metric.failed else low_high)
    print_table(metrics)


def print_themes(report: EvaluationReport) -> None:
    """Print the verdicts."""
    themes = new_table("theme", "score", "verdict", numbers=("score",))
    for name, theme in report.themes.items():
        themes.add_row(name, "" if theme.score is None else f"{theme.score:.2f}", theme.verdict)
    print_table(themes)
