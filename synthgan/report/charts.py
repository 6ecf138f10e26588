"""Inline SVG charts: pure functions from plain lists to markup.

Every chart carries a title and a description for screen readers, takes its colours from the page's CSS classes (so dark
mode and print need no second drawing), and never relies on colour alone: real is filled, synthetic is outlined.
Text goes through `markupsafe`, because column names and levels are hostile input.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from markupsafe import Markup, escape

__all__ = ["curves", "drops", "heat_map", "histogram", "intervals", "level_bars", "pair_maps", "rect", "svg", "text"]

WIDTH = 320
N_SHADES = 9
N_LABELS = 20
MAX_TEXT = 20
SERIES = ("a", "b", "c", "d")


def histogram(chart: Mapping[str, Any], ident: str) -> Markup:
    """Draw a number's or date's real bins as filled bars and its synthetic ones as an outline.

    Parameters
    ----------
    chart : dict
        ``column, labels, real, synthetic``; None where too few rows fell in.
    ident : str
        Unique on the page.
    """
    height, base = 120, 100
    real, synthetic = ([value or 0.0 for value in chart[role]] for role in ("real", "synthetic"))
    top = max([*real, *synthetic, 1e-9])
    step = WIDTH / max(len(real), 1)
    bars = "".join(
        rect(i * step + 0.5, base * (1 - v / top), step - 1, base * v / top) for i, v in enumerate(real) if v
    )
    line = "".join(
        f"{'L' if i else 'M'}{_f(i * step)} {_f(base * (1 - v / top))}h{_f(step)}" for i, v in enumerate(synthetic)
    )
    labels = chart["labels"]
    axis = text(0, 114, labels[0], "start") + text(WIDTH, 114, labels[-1], "end") if labels else ""
    body = f'<g class="fill-a">{bars}</g><path class="line line-b" d="{line}"/>'
    body += f'<path class="axis" d="M0 {base}H{WIDTH}"/>{axis}'
    return svg(
        ident,
        WIDTH,
        height,
        f"Column {chart['column']}",
        "Share of rows by bin: real as bars, synthetic as a line.",
        body,
    )


def level_bars(chart: Mapping[str, Any], ident: str) -> Markup:
    """Draw a category's levels: a filled bar for real, an outlined one for synthetic under it."""
    labels, row, left = chart["labels"], 22, 120
    real, synthetic = ([value or 0.0 for value in chart[role]] for role in ("real", "synthetic"))
    top = max([*real, *synthetic, 1e-9])
    room = WIDTH - left
    parts = []
    for i, (label, a, b) in enumerate(zip(labels, real, synthetic, strict=True)):
        y = i * row
        parts.append(text(left - 6, y + 14, label, "end"))
        parts.append(
            rect(left, y + 3, room * a / top, 8, "fill-a") + rect(left, y + 11, max(room * b / top - 1, 0), 7, "open-b")
        )
    body = "".join(parts) + f'<path class="axis" d="M{left} 0V{len(labels) * row}"/>'
    description = "Share of rows by level: real as a filled bar, synthetic as an outlined one."
    return svg(ident, WIDTH, max(len(labels) * row, row), f"Column {chart['column']}", description, body)


def heat_map(
    grid: Sequence[Sequence[float]],
    names: Sequence[Any],
    title: str,
    ident: str,
    *,
    colour: str = "a",
    low: float = 0.0,
    high: float = 1.0,
) -> Markup:
    """Draw a square matrix, in fuller colour for higher values.

    Parameters
    ----------
    grid : list of list of float
        One row and one column for each of `names`.
    names : list
    title, ident : str
    colour : str
        Which series' colour.
    low, high : float
        Values of the palest and the fullest shade.
    """
    left = 96 if len(names) <= N_LABELS else 0  # with more, the labels would be smaller than can be read
    size = (WIDTH - left) / max(len(names), 1)
    cells = ((i, j, value) for i, row in enumerate(grid) for j, value in enumerate(row))
    labels = [text(left - 4, (i + 0.5) * size + 4, str(name), "end") for i, name in enumerate(names)] if left else []
    body = f'<g class="fill-{colour}" transform="translate({left} 0)">{_shaded(cells, size, size, low, high)}</g>'
    body += "".join(labels)
    note = f"{len(names)} columns by {len(names)}; the values are in the table below."
    return svg(ident, WIDTH, WIDTH - left, title, note, body)


def pair_maps(chart: Mapping[str, Any], ident: str) -> Markup:
    """Draw two columns' two-way tables, real beside synthetic, on one scale."""
    x, y = chart["columns"]
    room, height = 150, 130
    width, tall = room / len(chart["x"]), height / len(chart["y"])
    top = max([v or 0.0 for role in ("real", "synthetic") for row in chart[role] for v in row] + [1e-9])
    parts = []
    for offset, role, colour in ((0, "real", "a"), (WIDTH - room, "synthetic", "b")):
        # The first row of the table is the lowest: draw it at the bottom.
        cells = ((i, j, v or 0.0) for i, row in enumerate(reversed(chart[role])) for j, v in enumerate(row))
        shaded = _shaded(cells, width, tall, 0.0, top)
        parts.append(f'<g class="fill-{colour}" transform="translate({offset} 14)">{shaded}</g>')
        parts.append(
            f'<path class="axis" d="M{offset} 14v{height}h{room}"/>' + text(offset + room / 2, 10, role, "middle")
        )
    parts.append(text(0, 158, f"across: {x}", "start") + text(WIDTH, 158, f"up: {y}", "end"))
    return svg(
        ident,
        WIDTH,
        164,
        f"{x} and {y}",
        "Share of rows by cell, real on the left, synthetic on the right; fuller colour is more.",
        "".join(parts),
    )


def curves(
    series: Mapping[str, tuple[Sequence[float], Sequence[float]]],
    title: str,
    ident: str,
    *,
    x_label: str,
    y_label: str,
    diagonal: bool = False,
) -> Markup:
    """Draw lines over common axes, each dashed in its own way.

    Parameters
    ----------
    series : dict of str to (x, y)
        At most four.
    title, ident, x_label, y_label : str
    diagonal : bool
        Whether to draw the line of equal x and y.
    """
    left, base, height = 40, 180, 216
    xs = [v for x, _ in series.values() for v in x]
    ys = [v for _, y in series.values() for v in y]
    if not xs:
        return Markup("")
    x_low, x_high, y_low, y_high = min(xs), max(xs), min(ys), max(ys)
    y_low = 0.0 if 0 < y_low < 0.5 * y_high else y_low

    def place(x: float, y: float) -> str:
        across = left + (x - x_low) / ((x_high - x_low) or 1) * (WIDTH - left - 6)
        return f"{_f(across)} {_f(base - (y - y_low) / ((y_high - y_low) or 1) * (base - 10))}"

    parts = [f'<path class="axis" d="M{left} 6V{base}H{WIDTH}"/>']
    if diagonal:
        parts.append(f'<path class="axis dash" d="M{place(x_low, y_low)}L{place(x_high, y_high)}"/>')
    for (name, (x, y)), series_class in zip(series.items(), SERIES, strict=False):
        path = "M" + "L".join(place(a, b) for a, b in zip(x, y, strict=True))
        parts.append(f'<path class="line line-{series_class}" d="{path}"><title>{escape(name)}</title></path>')
    parts += [text(left - 4, base, _short(y_low), "end"), text(left - 4, 14, _short(y_high), "end")]
    parts += [text(left, base + 14, _short(x_low), "start"), text(WIDTH, base + 14, _short(x_high), "end")]
    parts += [text((WIDTH + left) / 2, base + 30, x_label, "middle"), text(left + 6, 14, y_label, "start")]
    return svg(ident, WIDTH, height, title, f"{y_label} over {x_label}: {', '.join(series)}.", "".join(parts))


def drops(items: Sequence[Mapping[str, Any]], ident: str) -> Markup:
    """Draw how much each column gives the synthetic rows away, the most telling first."""
    row, left = 20, 130
    top = max([item["drop"] for item in items] + [1e-9])
    parts = []
    for i, item in enumerate(items):
        length = max(item["drop"], 0.0) / top * (WIDTH - left - 44)
        parts.append(
            text(left - 6, i * row + 14, str(item["column"]), "end") + rect(left, i * row + 4, length, 12, "fill-b")
        )
        parts.append(text(left + length + 4, i * row + 14, f"{item['drop']:.3f}", "start"))
    description = "Fall of the detector's AUC when the column is shuffled."
    return svg(ident, WIDTH, max(len(items), 1) * row, "What gives it away", description, "".join(parts))


def intervals(rows: Sequence[Mapping[str, Any]], title: str, ident: str) -> Markup:
    """Draw metrics as a dot with its interval, between a floor (hollow square) and a ceiling (bar).

    Parameters
    ----------
    rows : list of dict
        ``label, value, ceiling, floor, low, high``; any but label and value may be None.
    title, ident : str
    """
    row, left, width = 30, 170, 480
    parts = []
    for i, item in enumerate(rows):
        known = [item[key] for key in ("value", "ceiling", "floor", "low", "high") if item[key] is not None]
        low, high = min(0.0, *known), max(1.0, *known)

        def at(value: float, low: float = low, high: float = high) -> float:
            return left + 8 + (value - low) / (high - low) * (width - left - 16)

        y = i * row + 15
        parts.append(
            text(left - 6, y + 4, item["label"], "end") + f'<path class="grid" d="M{left + 8} {y}H{width - 8}"/>'
        )
        if item["floor"] is not None:
            parts.append(f'<rect class="open-c" x="{_f(at(item["floor"]) - 4)}" y="{y - 4}" width="8" height="8"/>')
        if item["ceiling"] is not None:
            parts.append(f'<path class="line line-a" d="M{_f(at(item["ceiling"]))} {y - 10}v20"/>')
        if item["low"] is not None and item["high"] is not None:
            parts.append(f'<path class="line solid-b" d="M{_f(at(item["low"]))} {y}H{_f(at(item["high"]))}"/>')
        parts.append(f'<circle class="fill-b" cx="{_f(at(item["value"]))}" cy="{y}" r="5"/>')
    description = "Dot and line: value and its 95 % interval; upright bar: ceiling; hollow square: floor."
    return svg(ident, width, max(len(rows), 1) * row, title, description, "".join(parts))


def _shaded(cells: Iterable[tuple[int, int, float]], width: float, height: float, low: float, high: float) -> str:
    """Return one path for each shade: a sixty-column matrix has thousands of cells, 20 bytes each."""
    paths: list[list[str]] = [[] for _ in range(N_SHADES)]
    for i, j, value in cells:
        share = (value - low) / ((high - low) or 1)
        shade = round(min(max(share, 0.0), 1.0) * (N_SHADES - 1))
        paths[shade].append(f"M{_f(j * width)} {_f(i * height)}h{_f(width)}v{_f(height)}H{_f(j * width)}z")
    return "".join(
        f'<path class="s{shade}" d="{"".join(path)}"/>' for shade, path in enumerate(paths) if path and shade
    )


def svg(ident: str, width: float, height: float, title: str, description: str, body: str) -> Markup:
    """Return a drawing with its title and description; `ident` is unique on the page, `body` safe markup."""
    return Markup(
        f'<svg role="img" viewBox="0 0 {_f(width)} {_f(height)}" aria-labelledby="{ident}-t {ident}-d">'
        f'<title id="{ident}-t">{escape(title)}</title><desc id="{ident}-d">{escape(description)}</desc>{body}</svg>'
    )


def rect(x: float, y: float, width: float, height: float, css: str = "") -> str:
    """Return a rectangle."""
    css = f' class="{css}"' if css else ""
    return f'<rect{css} x="{_f(x)}" y="{_f(y)}" width="{_f(max(width, 0))}" height="{_f(height)}"/>'


def text(x: float, y: float, words: str, anchor: str) -> str:
    """Return a label, cut to 20 characters."""
    short = words if len(words) <= MAX_TEXT else f"{words[: MAX_TEXT - 1]}…"
    return f'<text x="{_f(x)}" y="{_f(y)}" class="{anchor}">{escape(short)}</text>'


def _f(value: float) -> str:
    return f"{value:.1f}".removesuffix(".0")


def _short(value: float) -> str:
    return f"{value:.3g}"
