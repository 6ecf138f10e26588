"""A report as text: for a terminal, for a pull request, for a notebook."""

from __future__ import annotations

from html import escape
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from synthgan.evaluation.result import EvaluationReport, Metric

__all__ = ["html", "markdown", "markdown_cell", "show_interval", "show_number", "show_score", "summary"]


def summary(report: EvaluationReport) -> str:
    """Return the report as plain text: verdicts, then the table-wide metrics."""
    lines = [f"{name:<9} {show_score(theme.score):>5}  {theme.verdict}" for name, theme in report.themes.items()]
    lines += ["", f"{'metric':<24}{'value':>8}{'ceiling':>9}{'floor':>8}   95 % interval"]
    for m in report.headline:
        if not m.failed:
            numbers = f"{show_number(m.value):>8}{show_number(m.ceiling):>9}{show_number(m.floor):>8}"
            lines.append(f"{m.name:<24}{numbers}   {show_interval(m)}".rstrip())
    lines += [f"failed: {', '.join(names)}: {reason}" for reason, names in _failures(report).items()]
    if worst := _worst_columns(report):
        lines += ["", "worst columns: " + ", ".join(f"{m.columns[0]} {show_number(m.value)}" for m in worst)]
    return "\n".join(lines)


def markdown(report: EvaluationReport) -> str:
    """Return the report as Markdown."""
    lines = ["| theme | score | verdict |", "|---|---|---|"]
    lines += [
        f"| {name} | {show_score(theme.score)} | {markdown_cell(theme.verdict)} |"
        for name, theme in report.themes.items()
    ]
    lines += ["", "| metric | value | ceiling | floor | 95 % interval |", "|---|---|---|---|---|"]
    for m in report.headline:
        if not m.failed:
            numbers = " | ".join(show_number(x) for x in (m.value, m.ceiling, m.floor))
            lines.append(f"| {m.name} | {numbers} | {show_interval(m)} |")
    for reason, names in _failures(report).items():
        lines += ["", f"Failed: {', '.join(names)}: {markdown_cell(reason)}."]
    if worst := _worst_columns(report):
        named = (f"`{markdown_cell(str(m.columns[0]))}` {show_number(m.value)}" for m in worst)
        lines += ["", "Worst columns: " + ", ".join(named)]
    return "\n".join(lines) + "\n"


def html(report: EvaluationReport) -> str:
    """Return the verdicts and table-wide metrics as two small HTML tables."""
    themes = "".join(
        f"<tr><th scope=row>{name}</th><td>{show_score(theme.score)}</td><td>{escape(theme.verdict)}</td></tr>"
        for name, theme in report.themes.items()
    )
    metrics = "".join(
        f"<tr><th scope=row>{escape(m.name)}</th><td>{escape(m.note) if m.failed else show_number(m.value)}</td>"
        f"<td>{show_number(m.ceiling)}</td><td>{show_number(m.floor)}</td></tr>"
        for m in report.headline
    )
    head = "<tr><th>metric</th><th>value</th><th>ceiling</th><th>floor</th></tr>"
    return f"<table>{themes}</table><table><thead>{head}</thead><tbody>{metrics}</tbody></table>"


def show_number(value: float | None) -> str:
    """Return a metric's value as text; nothing for None."""
    return "" if value is None else f"{value:.4f}"


def show_score(value: float | None) -> str:
    """Return a theme's score as text."""
    return "none" if value is None else f"{value:.2f}"


def show_interval(metric: Metric) -> str:
    """Return a metric's interval as text; nothing when it has none."""
    return "" if metric.low is None else f"{show_number(metric.low)} to {show_number(metric.high)}"


def markdown_cell(text: str) -> str:
    """Return `text` fit for a cell of a Markdown table."""
    return text.replace("|", "\\|").replace("\n", " ")


def _failures(report: EvaluationReport) -> dict[str, list[str]]:
    """Return reason -> the table-wide metrics that failed for it."""
    found: dict[str, list[str]] = {}
    for metric in report.headline:
        if metric.failed:
            found.setdefault(metric.note, []).append(metric.name)
    return found


def _worst_columns(report: EvaluationReport, n_columns: int = 5) -> list[Metric]:
    shapes = [m for m in report.metrics if m.name in ("KSComplement", "TVComplement") and m.value is not None]
    return sorted(shapes, key=lambda m: (m.value - (m.ceiling or 1.0), str(m.columns)))[:n_columns]  # type: ignore[operator]
