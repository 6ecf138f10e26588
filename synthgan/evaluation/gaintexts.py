"""A gain report as text."""

from __future__ import annotations

from html import escape
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from synthgan.evaluation.gain import Finding, GainReport

__all__ = ["html", "sentence", "show_difference", "summary"]

SHOWN = ("average_precision", "log_loss", "roc_auc", "brier", "f1")


def sentence(report: GainReport) -> str:
    """Return the verdict as one sentence."""
    size, run = report.sizes[-1], report.run
    found = [f for f in report.findings if (f.metric, f.n_rows) == ("average_precision", size)]
    who = [f.learner for f in found if f.verdict == report.verdict] if report.verdict in ("gain", "harm") else []
    of = f" for {', '.join(who)}" if who else ""
    return (
        f"{report.verdict}{of}: generated rows against the best cheap alternative, by average precision, learning from "
        f"{size:,} rows of {run['rows']:,}, {run['folds_done']} folds"
    )


def summary(report: GainReport) -> str:
    """Return the verdict, and each learner's differences from the best cheap arm, as plain text."""
    lines = [sentence(report), ""]
    for size in report.sizes:
        lines.append(f"{size:,} rows; difference from the best cheap arm, 95 % interval (above 0 is better)")
        lines += [
            f"  {found.learner:<20}{found.metric:<19}{show_difference(found):<30}{found.verdict:<20} "
            f"best cheap arm: {found.baseline}"
            for found in report.findings
            if found.n_rows == size and found.metric in SHOWN
        ]
        lines.append("")
    lines += [f"not measured: {note}" for note in report.run.get("notes", [])]
    return "\n".join(lines).rstrip()


def show_difference(found: Finding, of: str = "") -> str:
    """Return a difference with its interval as text.

    Parameters
    ----------
    found : Finding
    of : {"", "none_", "control_"}
        From the best cheap arm, from no augmentation, or from the control.
    """
    value, low, high = (getattr(found, f"{of}{name}") for name in ("difference", "low", "high"))
    return "not measured" if value is None else f"{value:+.4f} ({low:+.4f} to {high:+.4f})"


def html(report: GainReport) -> str:
    """Return the verdict and the findings as HTML."""
    rows = "".join(
        f"<tr><td>{f.n_rows}</td><td>{escape(f.learner)}</td><td>{f.metric}</td><td>{show_difference(f)}</td>"
        f"<td>{escape(f.baseline)}</td><td>{f.verdict}</td></tr>"
        for f in report.findings
        if f.metric in SHOWN
    )
    head = "".join(
        f"<th>{name}</th>" for name in ("rows", "learner", "metric", "difference", "best cheap arm", "verdict")
    )
    return f"<p>{escape(sentence(report))}</p><table><thead><tr>{head}</tr></thead><tbody>{rows}</tbody></table>"
