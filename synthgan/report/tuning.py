"""The page of a tuning: what was tried, what it scored, and which parameters mattered. Draws, computes nothing."""

from __future__ import annotations

import itertools
import math
from collections.abc import Mapping, Sequence
from typing import Any

from markupsafe import Markup

from synthgan.report import charts
from synthgan.report.html import render_page

__all__ = ["render_tuning"]

LEFT, BASE, HEIGHT = 40, 180, 216


def render_tuning(data: Mapping[str, Any], title: str | None = None) -> str:
    """Return what `synthgan.tune` found as one HTML page that loads nothing and runs no script.

    Parameters
    ----------
    data : mapping
        ``TuningResult.to_dict()``.
    title : str, optional

    Returns
    -------
    str
    """
    trials, space = data["trials"], data["space"]
    complete = [trial for trial in trials if trial["score"] is not None]
    run = data["run"]
    values = {
        "sections": [("verdict", "The best"), ("history", "Trials"), ("parameters", "Parameters"), ("run", "Run card")],
        "subtitle": f"{len(trials)} settings of {data['model']}, fitted on {run['rows fitted']:,} rows and scored on "
        f"{run['rows held out']:,} others.",
        "best": data["best"],
        "start": data["start"],
        "names": list(space),
        "trials": sorted(trials, key=lambda trial: -(trial["score"] if trial["score"] is not None else -1)),
        "history": _history(complete),
        "looks": _looks(trials),
        "slices": [(name, _slice(name, it, complete, i)) for i, (name, it) in enumerate(space.items())],
        "parallel": _parallel(space, complete, data["best"]["number"]),
        "importance": _importance(data["importance"]),
        "importance_rows": list(data["importance"].items()),
        "run_rows": [(name, str(value)) for name, value in run.items()]
        + [(f"kept: {name}", str(value)) for name, value in data["fixed"].items()],
    }
    return render_page("tuning.html.j2", title or "Which settings suit this table?", data, values)


def _history(complete: Sequence[Mapping[str, Any]]) -> Markup:
    points = [(trial["number"], trial["score"]) for trial in complete]
    best = list(itertools.accumulate((score for _, score in points), max))
    axes = _Axes([x for x, _ in points], [y for _, y in points])
    steps = [(x, y) for (x, _), y in zip(points, best, strict=True)]
    body = axes.frame("trial", "held-out score") + axes.steps(steps) + axes.dots(points)
    return _svg("history", "Score of each trial", "A dot a trial; the line is the best so far.", body)


def _looks(trials: Sequence[Mapping[str, Any]]) -> Markup:
    curves = [(trial["state"], trial["curve"]) for trial in trials if len(trial["curve"]) > 1]
    if not curves:
        return Markup("")
    axes = _Axes([x for _, curve in curves for x, _ in curve], [y for _, curve in curves for _, y in curve])
    lines = [axes.line(curve, "d" if state == "pruned" else "a") for state, curve in curves]
    body = axes.frame("share of training", "score in training") + "".join(lines)
    return _svg("looks", "Held-out score while training", "A line a trial; dotted: given up.", body)


def _slice(name: str, it: Mapping[str, Any], complete: Sequence[Mapping[str, Any]], index: int) -> Markup:
    placed = [(x, trial["score"]) for trial in complete if (x := _place(it, trial["settings"][name])) is not None]
    axes = _Axes([0.0, 1.0], [y for _, y in placed], _ends(it))
    description = f"A dot a trial: its score over its {name}."
    return _svg(f"slice{index}", f"Score over {name}", description, axes.frame(name, "score") + axes.dots(placed))


def _parallel(space: Mapping[str, Any], complete: Sequence[Mapping[str, Any]], best: int) -> Markup:
    """Draw one line a trial through an upright axis for each parameter, the better the fuller."""
    names, width, height = list(space), 480, 200
    step = (width - 80) / max(len(names), 1)
    scores = [trial["score"] for trial in complete]
    low, high = min(scores, default=0.0), max(scores, default=1.0)
    parts = []
    for trial in sorted(complete, key=lambda it: it["score"]):
        places = [_place(space[name], trial["settings"][name]) for name in names]
        heights = [*places, (trial["score"] - low) / ((high - low) or 1)]
        path, pen = "", "M"
        for i, place in enumerate(heights):
            if place is not None:
                path, pen = f"{path}{pen}{40 + i * step:.1f} {160 - 140 * place:.1f}", "L"
        shade = 0.15 + 0.85 * heights[-1] if heights[-1] is not None else 0.15
        series = "b" if trial["number"] == best else "a"
        parts.append(f'<path class="line line-{series}" stroke-opacity="{shade:.2f}" d="{path}"/>')
    for i, name in enumerate([*names, "score"]):
        first, last = _ends(space[name]) if i < len(names) else (f"{low:.3f}", f"{high:.3f}")
        x = 40 + i * step
        parts.append(f'<path class="axis" d="M{x:.1f} 20V160"/>')
        parts += [charts.text(x, y, label, "middle") for y, label in ((14, last), (174, first), (192, name))]
    description = "A line a trial: its parameters from left to right, its score at the right; the best in another hue."
    return charts.svg("parallel", width, height, "All parameters at once", description, "".join(parts))


def _importance(importance: Mapping[str, float]) -> Markup:
    top, row, left = max([*importance.values(), 1e-9]), 24, 130
    parts = []
    for i, (name, share) in enumerate(importance.items()):
        length = share / top * (charts.WIDTH - left - 44)
        parts.append(charts.text(left - 6, i * row + 15, name, "end"))
        parts.append(charts.rect(left, i * row + 4, length, 14, "fill-a"))
        parts.append(charts.text(left + length + 4, i * row + 15, f"{share:.2f}", "start"))
    description = "Share of the spread of the scores that each parameter explains."
    return charts.svg(
        "importance", charts.WIDTH, max(len(importance), 1) * row, "What mattered", description, "".join(parts)
    )


class _Axes:
    """Two axes: where a point lies, and how dots and lines are drawn."""

    def __init__(self, xs: Sequence[float], ys: Sequence[float], ends: tuple[str, str] | None = None) -> None:
        self._x = (min(xs, default=0.0), max(xs, default=1.0))
        self._y = (min(ys, default=0.0), max(ys, default=1.0))
        self._ends = ends or tuple(f"{x:.3g}" for x in self._x)

    def at(self, x: float, y: float) -> tuple[float, float]:
        (x_low, x_high), (y_low, y_high) = self._x, self._y
        across = LEFT + 6 + (x - x_low) / ((x_high - x_low) or 1) * (charts.WIDTH - LEFT - 14)
        return across, BASE - 6 - (y - y_low) / ((y_high - y_low) or 1) * (BASE - 18)

    def frame(self, x_label: str, y_label: str) -> str:
        low, high = (f"{y:.3g}" for y in self._y)
        parts = [f'<path class="axis" d="M{LEFT} 6V{BASE}H{charts.WIDTH}"/>']
        parts += [charts.text(LEFT - 4, y, label, "end") for y, label in ((BASE, low), (14, high))]
        parts += [
            charts.text(x, BASE + 14, label, anchor)
            for x, label, anchor in ((LEFT, self._ends[0], "start"), (charts.WIDTH, self._ends[1], "end"))
        ]
        parts.append(charts.text((charts.WIDTH + LEFT) / 2, BASE + 30, x_label, "middle"))
        parts.append(charts.text(LEFT + 6, 14, y_label, "start"))
        return "".join(parts)

    def dots(self, points: Sequence[tuple[float, float]]) -> str:
        places = (self.at(x, y) for x, y in points)
        return "".join(f'<circle class="fill-a" cx="{x:.1f}" cy="{y:.1f}" r="4"/>' for x, y in places)

    def line(self, points: Sequence[Sequence[float]], series: str) -> str:
        places = (self.at(x, y) for x, y in points)
        return f'<path class="line line-{series}" d="M' + "L".join(f"{x:.1f} {y:.1f}" for x, y in places) + '"/>'

    def steps(self, points: Sequence[tuple[float, float]]) -> str:
        corners = [points[0]] if points else []
        for (_, before), (x, y) in itertools.pairwise(points):
            corners += [(x, before), (x, y)]
        return self.line(corners, "b") if corners else ""


def _place(it: Mapping[str, Any], value: Any) -> float | None:
    """Return where a value lies in its range, from 0 to 1; None for what lies outside."""
    if it["kind"] == "choice":
        options = list(it["options"])
        return options.index(value) / max(len(options) - 1, 1) if value in options else None
    if not isinstance(value, (int, float)) or not it["low"] <= value <= it["high"]:
        return None
    low, high, value = ((math.log(v) if it["log"] else float(v)) for v in (it["low"], it["high"], value))
    return float((value - low) / ((high - low) or 1))


def _ends(it: Mapping[str, Any]) -> tuple[str, str]:
    ends = (it["options"][0], it["options"][-1]) if it["kind"] == "choice" else (it["low"], it["high"])
    return f"{ends[0]}", f"{ends[1]}"


def _svg(ident: str, title: str, description: str, body: str) -> Markup:
    return charts.svg(ident, charts.WIDTH, HEIGHT, title, description, body)
