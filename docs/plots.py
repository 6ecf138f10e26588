"""Plots of the results in benchmarks/results, made anew at each build of these pages, so that they are never stale."""

from __future__ import annotations

import json
import statistics
from collections.abc import Callable
from pathlib import Path
from typing import Any

import drawing as d

__all__ = ["PLOTS", "write_plots"]

RESULTS = Path(__file__).parent.parent / "benchmarks" / "results"
SHADES = (d.MADE, d.OTHER, d.THIRD, "#6a994e", "#7b5ea7", "#444444", "#c77d2e")
QUALITY = {"shape": "column shapes", "trend": "pair trends", "c2st_holdout": "two-sample test", "mle": "utility"}
ROW, TOP = 26, 58


def quality() -> d.Drawing:
    """Each model between the floor and the ceiling, by table and measure."""
    rows = json.loads((RESULTS / "quality.json").read_text())["rows"]
    tables = list(dict.fromkeys(row["table"] for row in rows))
    models = [m for m in dict.fromkeys(row["model"] for row in rows) if m not in ("floor", "ceiling")]
    colors = dict(zip(sorted(models, key=lambda m: (m != "synthgan", m)), SHADES, strict=False))
    parts, width, gap = [], 140, 22
    bottom = TOP + ROW * len(tables)
    for place, (measure, words) in enumerate(QUALITY.items()):
        left = 130 + place * (width + gap)
        found = [value for row in rows if (value := row.get(measure)) is not None]
        low, high = min(0.0, *found) if measure == "mle" else min(found), 1.0
        axes = d.Axes(left, TOP, width, ROW * len(tables), (low, high), (len(tables), 0))
        parts += [d.heading(left, TOP - 14, words), _ends(axes, f"{low:.2f}", "1")]
        for line, table in enumerate(tables):
            parts.append(_between(axes, line + 0.5, measure, [row for row in rows if row["table"] == table], colors))
    parts += [d.text(120, TOP + ROW * (line + 0.5) + 4, name, anchor="end") for line, name in enumerate(tables)]
    parts.append(d.legend(colors | {"floor to ceiling": "#d5d9de"}, 14, bottom + 44, 124))
    return 150 + len(QUALITY) * (width + gap), bottom + 62, "".join(parts)


def _between(axes: d.Axes, y: float, measure: str, rows: list[dict[str, Any]], colors: dict[str, str]) -> str:
    """Draw one table's bar from floor to ceiling, and a dot for the median of each model."""

    def median(model: str) -> float | None:
        values = [row[measure] for row in rows if row["model"] == model and row.get(measure) is not None]
        return statistics.median(values) if values else None

    floor, ceiling = median("floor"), median("ceiling")
    parts = []
    if floor is not None and ceiling is not None:
        parts.append(d.line(axes.at([floor, ceiling], y), "#d5d9de", 8, 'stroke-linecap="round"'))
    for model, color in reversed(colors.items()):
        if (value := median(model)) is not None:
            x, height = axes.at(value, y)
            parts.append(f'<circle cx="{x:.1f}" cy="{height:.1f}" r="5" fill="{color}" fill-opacity="0.85"/>')
    return "".join(parts)


def gain() -> d.Drawing:
    """Differences from the best cheap alternative, with their intervals."""
    settings = json.loads((RESULTS / "gain.json").read_text())["settings"]
    measures = {"log_loss": "log-loss: chances to believe in", "average_precision": "average precision: ranking"}
    names = [
        (setting, learner)
        for setting, result in settings.items()
        for learner in dict.fromkeys(finding["learner"] for finding in result["findings"])
    ]
    parts, width = [], 230
    for place, (measure, words) in enumerate(measures.items()):
        found = {
            (setting, finding["learner"]): finding
            for setting, result in settings.items()
            for finding in result["findings"]
            if finding["metric"] == measure
        }
        ends = [finding[end] for finding in found.values() for end in ("low", "high")]
        axes = d.Axes(250 + place * (width + 24), TOP, width, ROW * len(names), (min(ends), max(ends)), (len(names), 0))
        parts += [
            d.heading(axes.left, TOP - 28, words),
            d.text(axes.left, TOP - 10, "right of the line is better", d.QUIET),
        ]
        parts.append(d.line(axes.at(0, [0, len(names)]), d.LINE, 1))
        parts.append(axes.ticks({0: "0", max(ends): f"+{max(ends):.2f}"}, across=True))
        for line, name in enumerate(names):
            parts.append(_interval(axes, line + 0.5, found[name]))
    for line, (setting, learner) in enumerate(names):
        parts.append(d.text(240, TOP + ROW * (line + 0.5) + 4, f"{setting}, {learner}", anchor="end"))
    bottom = TOP + ROW * len(names)
    parts.append(d.legend({"gain": d.OTHER, "harm": d.MADE, "no evidence of either": d.REAL}, 14, bottom + 44))
    return 270 + 2 * (width + 24), bottom + 62, "".join(parts)


def _ends(axes: d.Axes, low: str, high: str) -> str:
    below = axes.top + axes.height + 18
    return d.text(axes.left, below, low, d.QUIET) + d.text(axes.left + axes.width, below, high, d.QUIET, "end")


def _interval(axes: d.Axes, y: float, finding: dict[str, Any]) -> str:
    color = {"gain": d.OTHER, "harm": d.MADE}.get(finding["verdict"], d.REAL)
    x, height = axes.at(finding["difference"], y)
    span = d.line(axes.at([finding["low"], finding["high"]], y), color, 2)
    return f'{span}<circle cx="{x:.1f}" cy="{height:.1f}" r="5" fill="{color}"/>'


def tuning() -> d.Drawing:
    """Every setting's score over time, and the best so far."""
    found = json.loads((RESULTS / "tuning.json").read_text())
    trials = [trial for trial in found["trials"] if trial["score"] is not None and trial["state"] == "complete"]
    last = max(trial["seconds_after_the_first"] for trial in trials)
    scores = [trial["score"] for trial in trials]
    axes = d.Axes(58, 34, 420, 200, (0, last), (0, 1))
    best = [max(scores[: place + 1]) for place in range(len(scores))]
    times = [trial["seconds_after_the_first"] for trial in trials]
    stairs = [
        point
        for x, before, after in zip(times, best[:1] + best, best, strict=False)
        for point in ((x, before), (x, after))
    ]
    parts = [
        d.heading(14, 21, "held-out score of the settings tried"),
        axes.lines(),
        axes.ticks({0: "0", 0.5: "0.5", 1: "1"}),
    ]
    parts.append(d.line(axes.at(*zip(*stairs, strict=True)), d.OTHER))
    parts += [f'<circle cx="{x:.1f}" cy="{y:.1f}" r="5" fill="{d.MADE}"/>' for x, y in axes.at(times, scores)]
    parts.append(d.text(478, 252, f"{last:.0f} seconds after the start was scored", d.QUIET, "end"))
    parts.append(d.legend({"a setting": d.MADE, "best so far": d.OTHER}, 14, 274))
    medians = {name: statistics.median(found[f"score_{name}"]) for name in ("start", "found", "default")}
    told = ", ".join(f"{name} {value:.2f}" for name, value in medians.items())
    parts.append(d.text(14, 304, f"on rows that the tuning never saw: {told}", d.QUIET))
    return 500, 322, "".join(parts)


def textbook() -> d.Drawing:
    """Our CTGAN beside the published one: scores of each seed, and seconds of a step."""
    found = json.loads((RESULTS / "textbook.json").read_text())
    names = {"our-ctgan": ("ours", d.MADE), "ctgan": ("published", d.OTHER)}
    scored = [row for row in found["scores"] if row["model"] in names]
    epochs = statistics.mode(row["epochs"] for row in scored)  # those with the most seeds
    rows = [row for row in scored if row["epochs"] == epochs]
    steps = next(row for row in found["steps"] if row["model"] == "ctgan")
    axes = d.Axes(130, TOP, 420, ROW * len(QUALITY), (0, 1), (len(QUALITY), 0))
    parts = [d.heading(14, 21, f"CTGAN on {found['table']}, {epochs} epochs"), _ends(axes, "0", "1")]
    for line, (measure, words) in enumerate(QUALITY.items()):
        y = line + 0.5
        parts.append(d.text(120, TOP + ROW * y + 4, words, anchor="end"))
        parts.append(d.line(axes.at([0, 1], y), "#d5d9de", 1))
        for row in rows:
            x, height = axes.at(row[measure], y)
            color = names[row["model"]][1]
            parts.append(f'<circle cx="{x:.1f}" cy="{height:.1f}" r="5" fill="{color}" fill-opacity="0.85"/>')
    bottom = TOP + ROW * len(QUALITY)
    told = f"{steps['ours'] * 1000:.0f} ms a step, published {steps['published'] * 1000:.0f} ms"
    parts.append(d.legend(dict(names.values()), 14, bottom + 44))
    parts.append(d.text(14, bottom + 74, f"ours takes {told}", d.QUIET))
    return 580, bottom + 90, "".join(parts)


PLOTS: dict[str, tuple[str, Callable[[], d.Drawing]]] = {
    "quality.svg": ("Models between floor and ceiling, by table and measure", quality),
    "gain.svg": ("Differences from the best cheap alternative to generated rows, with intervals", gain),
    "textbook.svg": ("Scores of our CTGAN and of the published one, and the time of a step", textbook),
    "tuning.svg": ("Scores of the settings tried by a tuning over time, and the best so far", tuning),
}


def write_plots(folder: Path) -> None:
    """Write every plot into `folder`."""
    folder.mkdir(parents=True, exist_ok=True)
    for name, (title, make) in PLOTS.items():
        (folder / name).write_text(d.svg(title, make()), encoding="utf-8")
