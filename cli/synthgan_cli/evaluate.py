"""``synthgan evaluate``: how good a synthetic table is, whoever made it; or which of several is the best."""

from __future__ import annotations

import json
import math
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from synthgan_cli.console import Notes, show_error, waiting
from synthgan_cli.exits import ExitCode
from synthgan_cli.options import AsJson, Quiet, Report, SchemaFile, Seed
from synthgan_cli.scores import print_comparison, print_report

if TYPE_CHECKING:
    import pandas as pd

    from synthgan.evaluation import Comparison, EvaluationReport

__all__ = ["evaluate", "parse_candidates", "parse_limits", "shortfalls"]


def evaluate(
    real: Annotated[str, typer.Option("--real", help="The rows that the generator was fitted on.")],
    synthetic: Annotated[
        list[str],
        typer.Option(
            "--synthetic",
            metavar="[name=]file",
            help="The rows to judge; repeat it to compare several tables side by side.",
        ),
    ],
    holdout: Annotated[
        str | None, typer.Option("--holdout", help="Real rows it never saw; privacy cannot be judged without.")
    ] = None,
    target: Annotated[
        str | None, typer.Option("--target", "-t", help="The column that models should predict; for utility.")
    ] = None,
    report: Report = None,
    markdown: Annotated[
        str | None, typer.Option("--markdown", help="Write a Markdown summary here; - prints it in place of tables.")
    ] = None,
    as_json: AsJson = False,
    model: Annotated[
        Path | None,
        typer.Option("--model", help="The .synthgan file it came from: its training curves go on the page."),
    ] = None,
    sdmetrics: Annotated[
        bool,
        typer.Option("--sdmetrics", help="Show the scores of sdmetrics beside ours, on the page, in tables and JSON."),
    ] = False,
    fail_under: Annotated[
        list[str] | None,
        typer.Option(
            "--fail-under",
            metavar="theme=score",
            help="As in fidelity=0.8: exit with code 6 when the score is lower or could not be measured; repeatable.",
        ),
    ] = None,
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
    from synthgan.schema import read_schema

    notes = Notes(quiet)
    candidates = parse_candidates(synthetic)
    limits = parse_limits(fail_under or [])
    if as_json and markdown == "-":
        raise typer.BadParameter("--json and --markdown - both want standard output", param_hint="--markdown")
    if model is not None and (report is None or len(candidates) > 1):
        raise typer.BadParameter("training curves go on the --report of one synthetic table", param_hint="--model")
    for path in (report, markdown):
        if path is not None and path != "-":
            check_writable(path)
    history = None if model is None else _history(model)
    declared = None if schema is None else read_schema(schema)
    real_rows = read_table(real)
    tables = {name: read_table(path) for name, path in candidates.items()}
    held_rows = None if holdout is None else read_table(holdout)
    scores = None
    with waiting(notes, "judging"):
        result: EvaluationReport | Comparison = evaluation.evaluate(
            real_rows,
            _alone(tables),
            holdout=held_rows,
            target=target,
            schema=declared,
            profile="quick" if quick else "full",
            random_state=seed,
        )
        if sdmetrics:
            scores = _alone(
                {name: evaluation.sdmetrics_scores(real_rows, table, schema=declared) for name, table in tables.items()}
            )
    _write(result, report, markdown, history, scores, notes)
    _print(result, scores, as_json=as_json, as_markdown=markdown == "-")
    if missed := shortfalls(result, limits):
        for message in missed:
            show_error(message)
        raise typer.Exit(ExitCode.UNDER_LIMIT)


def _alone(candidates: dict[str, Any]) -> Any:
    """Return the only candidate's value, or all of them by name when there are several."""
    return candidates if len(candidates) > 1 else next(iter(candidates.values()))


def _history(model: Path) -> pd.DataFrame:
    from synthgan import load

    return load(model, device="cpu").history_


def _write(
    result: EvaluationReport | Comparison,
    report: Path | None,
    markdown: str | None,
    history: pd.DataFrame | None,
    scores: dict[str, Any] | None,
    notes: Notes,
) -> None:
    from synthgan.io import atomic_write
    from synthgan.report import write_html

    if report is not None:
        write_html(result, report, history=history, reference=scores)
        notes.say(f"wrote {report}")
    if markdown is not None and markdown != "-":
        with atomic_write(markdown) as file:
            file.write(result.to_markdown().encode())
        notes.say(f"wrote {markdown}")


def _print(
    result: EvaluationReport | Comparison, scores: dict[str, Any] | None, *, as_json: bool, as_markdown: bool
) -> None:
    from synthgan.evaluation import Comparison

    if as_json:
        data = result.to_dict() | ({} if scores is None else {"sdmetrics": scores})
        typer.echo(json.dumps(data, allow_nan=False, ensure_ascii=False, indent=2))
    elif as_markdown:
        typer.echo(result.to_markdown(), nl=False)
    elif isinstance(result, Comparison):
        print_comparison(result, scores)
    else:
        print_report(result, scores)


def parse_candidates(texts: list[str]) -> dict[str, str]:
    """Return name -> path of the tables to judge; a path without a name is called by itself.

    A file whose path holds ``=`` is a path all the same, and so is what has a slash before its first ``=``.

    Raises
    ------
    typer.BadParameter
        When two have the same name.
    """
    found: dict[str, str] = {}
    for text in texts:
        name, equals, path = text.partition("=")
        if not equals or not name or "/" in name or "\\" in name or Path(text).exists():
            name, path = text, text
        if name in found:
            raise typer.BadParameter(f"two tables are called {name!r}: name them apart", param_hint="--synthetic")
        found[name] = path
    return found


def parse_limits(texts: list[str]) -> list[tuple[str, float]]:
    """Return the (theme, least score) pairs of ``theme=score``.

    Raises
    ------
    typer.BadParameter
        For a theme that is none, or a score that is no number in [0, 1].
    """
    from synthgan.evaluation.result import THEMES

    limits = []
    for text in texts:
        theme, _, number = text.partition("=")
        try:
            least = float(number)
        except ValueError:
            least = math.nan
        if theme not in THEMES or not 0 <= least <= 1:
            raise typer.BadParameter(
                f"{text!r} is not theme=score with a theme of {', '.join(THEMES)} and a score from 0 to 1",
                param_hint="--fail-under",
            )
        limits.append((theme, least))
    return limits


def shortfalls(result: EvaluationReport | Comparison, limits: list[tuple[str, float]]) -> list[str]:
    """Return one sentence for each score that is lower than it should be, or that nobody could measure."""
    from synthgan.evaluation import EvaluationReport

    reports = {"": result} if isinstance(result, EvaluationReport) else result.reports
    missed = []
    for name, report in reports.items():
        for theme, least in limits:
            score, of = report.themes[theme].score, f" of {name}" if name else ""
            if score is None:
                missed.append(
                    f"{theme}{of} could not be measured, and --fail-under asks for {least:g}: "
                    f"{report.themes[theme].verdict}"
                )
            elif score < least:
                missed.append(f"{theme}{of} is {score:.4f}, under the {least:g} of --fail-under")
    return missed
