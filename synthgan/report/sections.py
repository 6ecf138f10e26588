"""What goes on the page: the sections, their rows and their charts, as the templates take them."""

from __future__ import annotations

import itertools
from collections.abc import Mapping
from typing import Any

import pandas as pd

from synthgan.evaluation.comparison import Comparison
from synthgan.evaluation.definitions import DEFINITIONS
from synthgan.evaluation.gain import GainReport
from synthgan.evaluation.result import EvaluationReport, Metric, Theme
from synthgan.evaluation.themes import TRACES, UNSAFE
from synthgan.report import charts
from synthgan.report.gain import gain_section, run_rows
from synthgan.report.training import training

__all__ = ["comparison", "single"]

THEME_TEXTS = {
    "utility": (
        "Utility",
        "Models fitted on synthetic rows, scored on real rows; the ceiling is the same model fitted on real rows.",
    ),
    "privacy": (
        "Privacy",
        "Each figure beside its control: the same figure for real rows that the generator never saw. The floor is a "
        "copy of the real rows. No number here proves that the table is private; they can only show that it is not.",
    ),
    "coverage": (
        "Coverage and collapse",
        "Does the table reach everything the real one holds, and does it repeat itself?",
    ),
}


def single(
    report: EvaluationReport,
    history: pd.DataFrame | None,
    reference: Mapping[str, Any] | None,
    gain: GainReport | None = None,
) -> dict[str, Any]:
    """Return what the page about one table shows."""
    details = report.details
    themed = [part for theme in THEME_TEXTS if (part := _themed(report, theme)) is not None]
    trained = {"training": [], "alarms": []} if history is None else training(history)
    sections = [("verdict", "Verdict"), ("run", "Run card"), ("columns", "Columns")]
    sections += [("pairs", "Pairs")] * ("associations" in details) + [("joint", "All columns at once")] * (
        "roc" in details
    )
    sections += [(part["id"], part["title"]) for part in themed]
    sections += [("gain", "Augmentation gain")] * (gain is not None)
    sections += [("reference", "sdmetrics")] * (reference is not None)
    sections += [("training", "Training")] * bool(trained["training"])
    rows = report.run["rows"]
    held = f" {rows['holdout']:,} holdout rows." if "holdout" in rows else " No holdout rows were given."
    return {
        "sections": [*sections, ("definitions", "Definitions")],
        "subtitle": f"{rows['synthetic']:,} synthetic rows judged against {rows['real']:,} real rows.{held}",
        "themes": report.themes,
        "marks": {name: _marks(theme) for name, theme in report.themes.items()},
        "headline": report.headline,
        "run_rows": run_rows(report.run),
        "columns": [_column(chart, f"col{i}") for i, chart in enumerate(details.get("columns", []))],
        "themed": themed,
        "references": [] if reference is None else [_reference("", report, reference)],
        **trained,
        "gain": None if gain is None else gain_section(gain),
        **_pairs(details),
        **_joint(details),
    }


def _column(chart: Mapping[str, Any], ident: str) -> dict[str, Any]:
    draw = charts.level_bars if chart["kind"] == "category" else charts.histogram
    return {
        "chart": chart,
        "svg": draw(chart, ident),
        "rows": list(zip(chart["labels"], chart["real"], chart["synthetic"], strict=True)),
    }


def _pairs(details: Mapping[str, Any]) -> dict[str, Any]:
    found = details.get("associations")
    if not found:
        return {"associations": None, "heat_maps": [], "association_rows": [], "pairs": []}
    names = found["columns"]
    maps = [
        (
            "Real: fuller colour, stronger",
            charts.heat_map(found["real"], names, "Associations in the real rows", "assoc-r"),
        ),
        (
            "Synthetic: fuller colour, stronger",
            charts.heat_map(found["synthetic"], names, "Associations in the synthetic rows", "assoc-s", colour="b"),
        ),
        (
            "Similarity: fuller colour, worse",
            charts.heat_map(found["score"], names, "Similarity of the pairs", "assoc-d", colour="c", low=1.0, high=0.8),
        ),
    ]
    rows = [
        (f"{names[i]} and {names[j]}", found["real"][i][j], found["synthetic"][i][j], found["score"][i][j])
        for i, j in itertools.combinations(range(len(names)), 2)
    ]
    drawn = []
    for k, chart in enumerate(details.get("pairs", [])):
        cells = [
            (x, y, chart["real"][i][j], chart["synthetic"][i][j])
            for i, y in enumerate(chart["y"])
            for j, x in enumerate(chart["x"])
        ]
        drawn.append({"chart": chart, "svg": charts.pair_maps(chart, f"pair{k}"), "rows": cells})
    return {"associations": found, "heat_maps": maps, "association_rows": rows, "pairs": drawn}


def _joint(details: Mapping[str, Any]) -> dict[str, Any]:
    found = details.get("roc")
    if not found:
        return {"roc": None, "giveaways": None}
    labels = {"train": "synthetic against real", "holdout": "synthetic against holdout", "real": "real against holdout"}
    names = [f"{labels[key]}, AUC {curve['auc']:.3f}" for key, curve in found.items()]
    series = {name: (curve["false"], curve["true"]) for name, curve in zip(names, found.values(), strict=True)}
    svg = charts.curves(
        series, "ROC of the detector", "roc", x_label="false positive rate", y_label="true positive rate", diagonal=True
    )
    grid = next(iter(found.values()))["false"]
    rows = list(zip(grid, *(curve["true"] for curve in found.values()), strict=True))
    items = details.get("giveaways", [])
    giveaways = {"svg": charts.drops(items[:15], "giveaways"), "rows": items} if items else None
    return {"roc": {"svg": svg, "names": names, "rows": rows}, "giveaways": giveaways}


def _themed(report: EvaluationReport, theme: str) -> dict[str, Any] | None:
    metrics = [m for m in report.metrics if DEFINITIONS.get(m.name, ("",))[0] == theme]
    if not metrics:
        return None
    title, text = THEME_TEXTS[theme]
    drawn = [_dot(m) for m in metrics if not m.columns and not m.failed]
    part: dict[str, Any] = {"id": theme, "title": title, "text": text, "metrics": metrics, "curves": None}
    part["svg"] = charts.intervals(drawn, title, f"{theme}-dots") if drawn else None
    distances = report.details.get("distances")
    if theme == "privacy" and distances:
        names = [name for name in distances if name != "share"]
        series = {name: (distances[name], distances["share"]) for name in names}
        svg = charts.curves(
            series, "Distances to the nearest row", "distances", x_label="distance", y_label="share of rows"
        )
        part["curves"] = {
            "svg": svg,
            "names": names,
            "rows": list(zip(distances["share"], *(distances[n] for n in names), strict=True)),
        }
    return part


def _dot(metric: Metric) -> dict[str, Any]:
    return {"label": metric.name} | {key: getattr(metric, key) for key in ("value", "ceiling", "floor", "low", "high")}


def _reference(name: str, report: EvaluationReport, reference: Mapping[str, Any]) -> dict[str, Any]:
    """Lay out the reference implementation's scores beside ours; `name` is the candidate's, if it has one."""
    pairs, default = reference["all pairs"], reference["default thresholds"]
    ours = {metric.name: metric for metric in report.headline}
    rows = [
        (label, ours.get(name_of_ours), pairs.get(label), default.get(label))
        for label, name_of_ours in (("Column Shapes", "ColumnShapes"), ("Column Pair Trends", "PairTrends"))
    ]
    return {
        "caption": (f"{name}: " if name else "") + f"sdmetrics {reference['version']} beside our scores",
        "thresholds": (default["correlation threshold"], default["association threshold"]),
        "rows": rows,
        "diagnostic": reference["diagnostic"],
    }


def comparison(candidates: Comparison, reference: Mapping[str, Any] | None) -> dict[str, Any]:
    """Return what the page about several tables shows."""
    names = list(candidates.reports)
    drawn = []
    labels = dict.fromkeys(m.name for report in candidates.reports.values() for m in report.headline)
    for k, label in enumerate(labels):
        dots = [
            _dot(metric) | {"label": name}
            for name, report in candidates.reports.items()
            for metric in report.headline
            if metric.name == label and not metric.failed
        ]
        if dots:
            drawn.append((label, charts.intervals(dots, label, f"metric{k}")))
    rows = next(iter(candidates.reports.values())).run["rows"]
    sections = [("verdict", "Side by side"), ("verdicts", "Verdicts"), ("metrics", "Metrics")]
    sections += [("reference", "sdmetrics")] * (reference is not None)
    return {
        "sections": [*sections, ("definitions", "Definitions")],
        "subtitle": f"{len(names)} synthetic tables judged against the same {rows['real']:,} real rows.",
        "names": names,
        "rows": candidates.rows(),
        "reports": candidates.reports,
        "references": [
            _reference(name, candidates.reports[name], scores) for name, scores in (reference or {}).items()
        ],
        "charts": drawn,
    }


def _marks(theme: Theme) -> dict[str, float]:
    """Return below what a theme's bar is red and yellow. A leak is one, however far the score is from a full copy's."""
    if theme.verdict.startswith(UNSAFE):
        return {"low": 0.999, "high": 0.999}
    return {"low": 0.0, "high": 0.999} if theme.verdict.startswith(TRACES) else {"low": 0.5, "high": 0.8}
