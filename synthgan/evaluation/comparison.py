"""Several synthetic tables side by side."""

from __future__ import annotations

import dataclasses
import json
from html import escape
from typing import Any

from synthgan.errors import InputError
from synthgan.evaluation.result import FORMAT, THEMES, EvaluationReport, load_object
from synthgan.evaluation.texts import markdown_cell, show_number, show_score

__all__ = ["Comparison"]


@dataclasses.dataclass(frozen=True)
class Comparison:
    """Several synthetic tables, judged against the same real rows.

    Parameters
    ----------
    reports : dict of str to EvaluationReport
        One report for each candidate, in the order given.
    """

    reports: dict[str, EvaluationReport]

    def rows(self) -> list[tuple[str, list[str]]]:
        """Return ``(label, one text per candidate)`` for the themes and then for each table-wide metric."""
        reports = list(self.reports.values())
        out = [(name, [show_score(report.themes[name].score) for report in reports]) for name in THEMES]
        names = list(dict.fromkeys(metric.name for report in reports for metric in report.headline))
        for name in names:
            found = [next((m.value for m in report.headline if m.name == name), None) for report in reports]
            out.append((name, [show_number(value) or "failed" for value in found]))
        return out

    def to_dict(self) -> dict[str, Any]:
        """Return a JSON-ready dict: ``{"format": 1, "candidates": {name: report}}``."""
        return {"format": FORMAT, "candidates": {name: report.to_dict() for name, report in self.reports.items()}}

    def to_json(self, *, indent: int | None = None) -> str:
        """Return the comparison as JSON text."""
        return json.dumps(self.to_dict(), allow_nan=False, ensure_ascii=False, indent=indent)

    @classmethod
    def from_json(cls, text: str) -> Comparison:
        """Rebuild a comparison from `to_json`'s output.

        Raises
        ------
        InputError
            When `text` is not the JSON of a comparison.
        """
        candidates = load_object(text).get("candidates")
        if not isinstance(candidates, dict):
            raise InputError("this is no comparison: it has no 'candidates'. Write it with Comparison.to_json")
        return cls({name: EvaluationReport.from_dict(report) for name, report in candidates.items()})

    def summary(self) -> str:
        """Return the candidates side by side as plain text."""
        widths = [max(8, len(name)) + 2 for name in self.reports]
        lines = [" " * 24 + "".join(f"{name:>{width}}" for name, width in zip(self.reports, widths, strict=True))]
        for label, texts in self.rows():
            lines.append(f"{label:<24}" + "".join(f"{t:>{width}}" for t, width in zip(texts, widths, strict=True)))
        return "\n".join(lines)

    def to_markdown(self) -> str:
        """Return the candidates side by side as a Markdown table."""
        lines = [
            "| | " + " | ".join(markdown_cell(name) for name in self.reports) + " |",
            "|---" * (len(self.reports) + 1) + "|",
        ]
        lines += [f"| {label} | " + " | ".join(texts) + " |" for label, texts in self.rows()]
        return "\n".join(lines) + "\n"

    def _repr_html_(self) -> str:
        """Return the candidates side by side as an HTML table, for notebooks."""
        head = "".join(f"<th>{escape(name)}</th>" for name in self.reports)
        body = "".join(
            f"<tr><th scope=row>{escape(label)}</th>" + "".join(f"<td>{text}</td>" for text in texts) + "</tr>"
            for label, texts in self.rows()
        )
        return f"<table><thead><tr><th></th>{head}</tr></thead><tbody>{body}</tbody></table>"
