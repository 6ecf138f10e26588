"""The page, or the section of a page, about what generated rows do for classifiers."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from markupsafe import Markup

from synthgan.evaluation.gain import CANDIDATE, METRICS, GainReport
from synthgan.evaluation.gaintexts import sentence, show_difference
from synthgan.report import charts

__all__ = ["gain_page", "gain_section", "run_rows"]

DRAWN = ("average_precision", "log_loss", "brier", "f1")
CURVES = ("average_precision", "log_loss")
DEFINITIONS_OF_GAIN = {
    "difference": "Mean over folds of generated rows minus the other arm, on the same folds and seeds; above 0 is "
    "better whatever the metric.",
    "95 % interval": "Corrected for the test rows that folds share (Nadeau and Bengio 2003). From the best cheap arm: "
    "valid whichever that is, because it is drawn from the comparisons with all of them.",
    "gain": "Better than every cheap arm, at 2.5 % after Holm's correction over the learners.",
    "harm": "Worse than no augmentation, likewise.",
    "control": "Rows whose columns are drawn independently, labelled as the generated ones are: what is left is the "
    "generator's own merit.",
    "probabilities": "Corrected for the class shares of the rows learned from, in every arm; f1 and balanced accuracy "
    "at a threshold tuned on validation rows inside the training fold; *_at_half at 0.5 without any correction.",
}


def gain_section(report: GainReport) -> dict[str, Any]:
    """Return what the section shows: forest plots by metric, learning curves, and tables of every number."""
    size = report.sizes[-1]
    forests = []
    for metric in DRAWN:
        found = [f for f in report.findings if f.metric == metric and f.n_rows == size and f.difference is not None]
        rows = [{"label": f.learner, "value": f.difference, "low": f.low, "high": f.high} for f in found]
        if rows:
            forests.append({"metric": metric, "svg": _forest(rows, f"Gain in {metric}", f"gain-{metric}")})
    findings = [
        (f, show_difference(f), show_difference(f, "none_"), show_difference(f, "control_")) for f in report.findings
    ]
    return {"sentence": sentence(report), "size": size, "forests": forests, "findings": findings} | {
        "curves": _curves(report),
        "arms": _arms(report, size),
        "metrics": list(METRICS),
        "notes": report.run.get("notes", []),
    }


def _curves(report: GainReport) -> list[dict[str, Any]]:
    """Return one chart for each learner and metric, over the sizes, where there are several."""
    if len(report.sizes) < 2:
        return []
    means = {(r["learner"], r["metric"], r["arm"], r["n_rows"]): r["mean"] for r in report.scores}
    out: list[dict[str, Any]] = []
    for learner in dict.fromkeys(r["learner"] for r in report.scores):
        for metric in CURVES:
            best = report.finding(learner, metric).baseline
            arms = [
                a for a in dict.fromkeys((CANDIDATE, "none", best)) if (learner, metric, a, report.sizes[-1]) in means
            ]
            series = {arm: (report.sizes, [means[learner, metric, arm, n] for n in report.sizes]) for arm in arms}
            title = f"{learner}: {metric}"
            svg = charts.curves(series, title, f"curve{len(out)}", x_label="rows learned from", y_label=metric)
            rows = [(n, *(means[learner, metric, arm, n] for arm in arms)) for n in report.sizes]
            out.append({"title": title, "svg": svg, "names": arms, "rows": rows})
    return out


def _arms(report: GainReport, size: int) -> list[tuple[str, str, list[float | None]]]:
    """Return learner, arm and its mean of every metric."""
    means = {(r["learner"], r["arm"], r["metric"]): r["mean"] for r in report.scores if r["n_rows"] == size}
    pairs = dict.fromkeys((learner, arm) for learner, arm, _ in means)
    return [(learner, arm, [means.get((learner, arm, metric)) for metric in METRICS]) for learner, arm in pairs]


def gain_page(report: GainReport) -> dict[str, Any]:
    """Return what a page about nothing else shows."""
    run = report.run
    return {
        "sections": [("gain", "Verdict"), ("arms", "Every arm"), ("run", "Run card"), ("definitions", "Definitions")],
        "subtitle": f"{run['rows']:,} real rows, {run['folds_done']} of {run['folds_planned']} folds.",
        "gain": gain_section(report),
        "gain_definitions": DEFINITIONS_OF_GAIN,
        "run_rows": run_rows(run),
    }


def _forest(rows: Sequence[Mapping[str, Any]], title: str, ident: str) -> Markup:
    """Draw differences as dots with their intervals, on one scale, with a line where there is none."""
    row, left, width = 30, 150, 480
    ends = [0.0, *(item[key] for item in rows for key in ("value", "low", "high"))]
    low, high = float(min(ends)), float(max(ends))

    def at(value: float) -> float:
        return left + 12 + (value - low) / float((high - low) or 1) * (width - left - 24)

    height = len(rows) * row
    parts = [f'<path class="axis dash" d="M{at(0):.1f} 0V{height}"/>']
    for i, item in enumerate(rows):
        y = i * row + 15
        parts.append(charts.text(left - 6, y + 4, item["label"], "end"))
        parts.append(f'<path class="line solid-b" d="M{at(item["low"]):.1f} {y}H{at(item["high"]):.1f}"/>')
        parts.append(f'<circle class="fill-b" cx="{at(item["value"]):.1f}" cy="{y}" r="5"/>')
    for value, anchor in ((low, "start"), (high, "end")):
        parts.append(charts.text(at(value), height + 14, f"{value:+.3g}", anchor))
    description = "Dot and line: difference and its 95 % interval; dashed line: no difference; right of it is better."
    return charts.svg(ident, width, height + 20, title, description, "".join(parts))


def run_rows(run: Mapping[str, Any]) -> list[tuple[str, str]]:
    """Return a run card as pairs of label and text."""

    def text(value: Any) -> str:
        if isinstance(value, Mapping):
            return "; ".join(f"{key}: {text(item)}" for key, item in value.items())
        if isinstance(value, list):
            return ", ".join(str(item) for item in value) or "none"
        return f"{value:,}" if isinstance(value, int) and not isinstance(value, bool) else str(value)

    return [(key.replace("_", " "), str(value) if key == "random_state" else text(value)) for key, value in run.items()]
