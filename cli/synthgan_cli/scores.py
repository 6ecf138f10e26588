"""What the judge found, as tables on a terminal."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from synthgan_cli.console import new_table, print_table

if TYPE_CHECKING:
    from synthgan.evaluation import Comparison, EvaluationReport

__all__ = ["print_comparison", "print_report"]


# Ours -> the same score's name in sdmetrics.
REFERENCE = {"ColumnShapes": "Column Shapes", "PairTrends": "Column Pair Trends"}


def print_report(report: EvaluationReport, reference: Mapping[str, Any] | None = None) -> None:
    """Print the verdicts and the numbers about the whole table, with those of sdmetrics if they are given."""
    from synthgan.evaluation.texts import show_interval, show_number, show_score

    themes = new_table("theme", "score", "verdict", numbers=("score",))
    for name, theme in report.themes.items():
        themes.add_row(name, show_score(theme.score), theme.verdict)
    print_table(themes)

    numbers = ("value", "ceiling", "floor")
    metrics = new_table("metric", *numbers, "95 % interval", numbers=numbers)
    if reference is not None:
        metrics.add_column("sdmetrics", justify="right")
    failed = new_table("failed", "why")
    for metric in report.headline:
        if metric.failed:
            failed.add_row(metric.name, metric.note)
            continue
        cells = [metric.name, *map(show_number, (metric.value, metric.ceiling, metric.floor)), show_interval(metric)]
        if reference is not None and metric.name in REFERENCE:
            cells.append(show_number(reference["all pairs"].get(REFERENCE[metric.name])))
        metrics.add_row(*cells)
    metrics.caption = (
        "ceiling: what other real rows get; floor: real columns, each shuffled on its own (for privacy, a copy of the "
        "real rows)"
    )
    if reference is not None:
        metrics.caption += f"; {_about(reference)}"
    print_table(metrics)
    if failed.row_count:
        print_table(failed)


def print_comparison(comparison: Comparison, reference: Mapping[str, Any] | None = None) -> None:
    """Print every candidate's scores side by side, then their verdicts."""
    from synthgan.evaluation.texts import show_number

    names = tuple(comparison.reports)
    scores = new_table("score", *names, numbers=names)
    for label, texts in comparison.rows():
        scores.add_row(label, *texts)
    if reference is not None:
        for name in REFERENCE.values():
            found = (reference[candidate]["all pairs"].get(name) for candidate in names)
            scores.add_row(f"sdmetrics {name}", *map(show_number, found))
        scores.caption = _about(next(iter(reference.values())))
    print_table(scores)
    verdicts = new_table("theme", "table", "verdict")
    for theme in next(iter(comparison.reports.values())).themes:
        for name, report in comparison.reports.items():
            verdicts.add_row(theme, name, report.themes[theme].verdict)
    print_table(verdicts)


def _about(reference: Mapping[str, Any]) -> str:
    default = reference["default thresholds"]
    return (
        "sdmetrics: the same score by the reference implementation, over all pairs (by default it leaves out those "
        f"whose correlation is at most {default['correlation threshold']} or association at most "
        f"{default['association threshold']})"
    )
