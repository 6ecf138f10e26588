"""What the pictures of these pages are made of: pieces of SVG, as text, and nothing else to install."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from xml.sax.saxutils import escape

import numpy as np
import numpy.typing as npt

Points = npt.NDArray[np.float64]
Drawing = tuple[float, float, str]
"""Width, height and content."""

IMAGES = Path(__file__).parent / "images"
REAL, MADE, OTHER, THIRD = "#8a8f98", "#d1495b", "#2e86ab", "#b8860b"
INK, QUIET, LINE = "#222", "#555", "#999"
PAPER, REAL_PAPER, MADE_PAPER, OTHER_PAPER = "#f4f5f7", "#e9ebee", "#f9e4e7", "#dceef5"


def svg(title: str, drawing: Drawing, style: str = "") -> str:
    """Return a whole picture on white ground, with a title for those who cannot see it."""
    width, height, content = drawing
    head = f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width:g} {height:g}" width="{width:g}" role="img"'
    ground = f'<rect width="{width:g}" height="{height:g}" fill="#ffffff"/>'
    style = f"<style>{style}</style>" if style else ""
    font = 'font-family="system-ui, sans-serif" font-size="13"'
    return f"{head} {font}><title>{escape(title)}</title>{style}{ground}{content}</svg>\n"


def write(name: str, title: str, drawing: Drawing, style: str = "") -> None:
    """Write a picture into docs/images."""
    (IMAGES / name).write_text(svg(title, drawing, style), encoding="utf-8")


def text(x: float, y: float, words: str, color: str = INK, anchor: str = "start", more: str = "") -> str:
    """Return a line of text."""
    return f'<text x="{x:g}" y="{y:g}" fill="{color}" text-anchor="{anchor}" {more}>{escape(words)}</text>'


def heading(x: float, y: float, words: str) -> str:
    """Return a line of text that stands above something."""
    return text(x, y, words, more='font-weight="600"')


def box(x: float, y: float, width: float, height: float, lines: Sequence[str], fill: str = PAPER) -> str:
    """Return a rounded box with lines of text in its middle; the first is bold."""
    parts = [f'<rect x="{x:g}" y="{y:g}" width="{width:g}" height="{height:g}" rx="6" fill="{fill}" stroke="{LINE}"/>']
    first = y + height / 2 - 8.5 * (len(lines) - 1) + 4.5
    for place, line in enumerate(lines):
        color, bold = (QUIET, "") if place else (INK, 'font-weight="600"')
        parts.append(text(x + width / 2, first + 17 * place, line, color, "middle", bold))
    return "".join(parts)


def arrow(*points: tuple[float, float], words: str = "", dashed: bool = False) -> str:
    """Return a line through points with a head at its end, and words above the middle of its first piece."""
    (x0, y0), (x1, y1) = points[-2:]
    angle = np.arctan2(y1 - y0, x1 - x0)
    tips = [(x1 - 9 * np.cos(angle + turn), y1 - 9 * np.sin(angle + turn)) for turn in (0.4, -0.4)]
    path = "M" + "L".join(f"{x:.1f} {y:.1f}" for x, y in points)
    head = f'<path d="M{x1:.1f} {y1:.1f}' + "".join(f"L{x:.1f} {y:.1f}" for x, y in tips) + f'Z" fill="{QUIET}"/>'
    dashes = ' stroke-dasharray="5 4"' if dashed else ""
    (xa, ya), (xb, yb) = points[:2]
    label = text((xa + xb) / 2, (ya + yb) / 2 - 7, words, QUIET, "middle") if words else ""
    return f'<path d="{path}" fill="none" stroke="{QUIET}"{dashes} stroke-width="1.5"/>{head}{label}'


def line(points: Points, color: str, width: float = 2, more: str = "") -> str:
    """Return a line through points (n, 2)."""
    path = "M" + "L".join(f"{x:.1f} {y:.1f}" for x, y in points)
    return f'<path d="{path}" fill="none" stroke="{color}" stroke-width="{width:g}" {more}/>'


def dots(points: Points) -> str:
    """Return the path of dots (n, 2)."""
    return "".join(f"M{x:.1f} {y:.1f}h0" for x, y in points)


def dotted(path: str, color: str, inside: str = "", more: str = "") -> str:
    """Return the dots of a path, drawn."""
    style = f'stroke="{color}" stroke-width="4" stroke-linecap="round" stroke-opacity="0.55" fill="none"'
    return f'<path d="{path}" {style} {more}>{inside}</path>'


def legend(names: Mapping[str, str], left: float, top: float, step: float = 130) -> str:
    """Return coloured dots with their names, side by side."""
    return "".join(
        f'<circle cx="{left + 6 + step * place:g}" cy="{top:g}" r="5" fill="{color}"/>'
        + text(left + 16 + step * place, top + 4, name, "#333")
        for place, (name, color) in enumerate(names.items())
    )


class Axes:
    """A rectangle of the picture in which data are drawn.

    Parameters
    ----------
    left, top, width, height : float
        Where.
    x, y : tuple of float
        The data's limits.
    """

    def __init__(
        self, left: float, top: float, width: float, height: float, x: tuple[float, float], y: tuple[float, float]
    ) -> None:
        self.left, self.top, self.width, self.height, self.x, self.y = left, top, width, height, x, y

    def at(self, x: npt.ArrayLike, y: npt.ArrayLike) -> Points:
        """Return data as places in the picture (n, 2)."""
        across = (np.asarray(x, float) - self.x[0]) / (self.x[1] - self.x[0])
        up = (np.asarray(y, float) - self.y[0]) / (self.y[1] - self.y[0])
        return np.stack(np.broadcast_arrays(self.left + across * self.width, self.top + (1 - up) * self.height), -1)

    def lines(self) -> str:
        """Return the two axes."""
        path = f"M{self.left:g} {self.top:g}v{self.height:g}h{self.width:g}"
        return f'<path d="{path}" fill="none" stroke="{LINE}"/>'

    def ticks(self, values: Mapping[float, str], *, across: bool = False) -> str:
        """Return labels of values, on the left or, `across`, below."""
        if across:
            places = ((self.at(value, self.y[0]), words) for value, words in values.items())
            return "".join(text(x, y + 18, words, QUIET, "middle") for (x, y), words in places)
        places = ((self.at(self.x[0], value), words) for value, words in values.items())
        return "".join(text(x - 8, y + 4, words, QUIET, "end") for (x, y), words in places)
