"""Several synthetic tables side by side."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from html import escape
from typing import Any, ClassVar, Self

from synthgan.evaluation.document import JsonDocument
from synthgan.evaluation.result import THEMES, EvaluationReport
from synthgan.evaluation.texts import markdown_cell, show_number, show_score

__all__ = ["Comparison"]


@dataclasses.dataclass(frozen=True)
class Comparison(JsonDocument):
    """Several synthetic tables, judged against the same real rows.

    Parameters
    ----------
    reports : dict of str to EvaluationReport
        One report for each candidate, in the order given.
    """

    kind: ClassVar[str] = "comparison"

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

    def _parts(self) -> dict[str, Any]:
        return {"candidates": {name: report.to_dict() for name, report in self.reports.items()}}

    @classmethod
    def _from_parts(cls, data: Mapping[str, Any]) -> Self:
        return cls({name: EvaluationReport.from_dict(report) for name, report in data["candidates"].items()})

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
