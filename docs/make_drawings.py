#!/usr/bin/env python3
"""Draw what explains rather than measures into docs/images: python docs/make_drawings.py (a second)."""

from __future__ import annotations

import drawing as d
import numpy as np


def networks() -> d.Drawing:
    """The textbook's game: two networks and who learns from whom."""
    parts = [
        d.box(14, 30, 110, 56, ["noise", "100 numbers"]),
        d.box(174, 30, 130, 56, ["generator", "makes rows of it"], d.MADE_PAPER),
        d.box(354, 30, 120, 56, ["generated rows"], d.MADE_PAPER),
        d.box(354, 126, 120, 56, ["real rows", "your table"], d.REAL_PAPER),
        d.box(534, 78, 140, 56, ["discriminator", "real or generated?"], d.OTHER_PAPER),
        d.arrow((124, 58), (172, 58)),
        d.arrow((304, 58), (352, 58)),
        d.arrow((474, 58), (504, 58), (504, 94), (532, 94)),
        d.arrow((474, 154), (504, 154), (504, 118), (532, 118)),
        d.arrow((604, 134), (604, 214), (239, 214), (239, 88), dashed=True),
        d.text(421, 208, "the generator learns what would have passed for real", d.QUIET, "middle"),
    ]
    return 690, 230, "".join(parts)


def autoencoder() -> d.Drawing:
    """Rows squeezed and restored."""
    parts = [
        d.box(14, 34, 100, 56, ["real row"], d.REAL_PAPER),
        d.box(154, 34, 110, 56, ["encoder", "squeezes"], d.OTHER_PAPER),
        d.box(304, 34, 120, 56, ["a few numbers", "with their doubt"]),
        d.box(464, 34, 110, 56, ["decoder", "restores"], d.MADE_PAPER),
        d.box(614, 34, 90, 56, ["row again"], d.MADE_PAPER),
        d.box(304, 136, 120, 44, ["noise"]),
        *(d.arrow((x, 62), (x + 38, 62)) for x in (114, 264, 424, 574)),
        d.arrow((424, 158), (519, 158), (519, 92), dashed=True),
        d.text(536, 150, "to make new rows,", d.QUIET),
        d.text(536, 167, "restore noise", d.QUIET),
    ]
    return 720, 196, "".join(parts)


def architecture() -> d.Drawing:
    """How synthgan makes a row: column after column, then candidates and one that stays."""
    parts = [d.heading(14, 24, "training: hide some columns of a real row, and guess them")]
    cells = ["age 31", "Private", "Bachelors", "40 hours", ">50K"]
    hidden = {1, 4}
    for place, words in enumerate(cells):
        x = 14 + 84 * place
        parts.append(
            d.box(x, 40, 78, 32, ["?" if place in hidden else words], d.PAPER if place in hidden else d.REAL_PAPER)
        )
    parts += [
        d.arrow((434, 56), (474, 56)),
        d.box(476, 34, 110, 44, ["generator"], d.MADE_PAPER),
        d.arrow((586, 56), (626, 56)),
        d.text(634, 52, "how likely is each value", d.QUIET),
        d.text(634, 69, "of each hidden column?", d.QUIET),
        d.heading(14, 116, "sampling: one column after the other, in random order"),
    ]
    steps = [["?", "?", ">50K"], ["?", "40 hours", ">50K"], ["age 44", "40 hours", ">50K"]]
    for step, row in enumerate(steps):
        x = 14 + 268 * step
        for place, words in enumerate(row):
            fill = d.REAL_PAPER if words == ">50K" else d.PAPER if words == "?" else d.MADE_PAPER
            parts.append(d.box(x + 74 * place, 132, 70, 32, [words], fill))
        if step < 2:
            parts.append(d.arrow((x + 222, 148), (x + 264, 148)))
    parts.append(d.text(14, 182, "what you asked for stays as it is", d.QUIET))
    parts.append(d.heading(14, 222, "selection: several candidates, and a critic keeps one"))
    for place in range(4):
        parts.append(d.box(14 + 104 * place, 238, 96, 32, [f"row {place + 1}"], d.MADE_PAPER))
    parts += [
        d.arrow((426, 254), (474, 254)),
        d.box(476, 232, 110, 44, ["critic"], d.OTHER_PAPER),
        d.arrow((586, 254), (626, 254)),
        d.box(628, 238, 96, 32, ["row 3"], d.MADE_PAPER),
        d.text(476, 294, "in proportion to how real it looks", d.QUIET),
    ]
    return 810, 310, "".join(parts)


def judging() -> d.Drawing:
    """What goes into a judgement, and what comes out."""
    rows = [("real rows", d.REAL_PAPER), ("synthetic rows", d.MADE_PAPER), ("holdout: never seen", d.OTHER_PAPER)]
    themes = [
        ("fidelity", "do they look real?"),
        ("utility", "can one learn from them?"),
        ("coverage", "is anything missing?"),
        ("privacy", "do they know too much?"),
    ]
    parts = []
    for place, (name, fill) in enumerate(rows):
        y = 24 + 66 * place
        parts += [d.box(14, y, 170, 46, [name], fill), d.arrow((184, y + 23), (240, 113))]
    parts.append(d.box(242, 83, 150, 60, ["evaluate", "floor and ceiling too"]))
    for place, (name, question) in enumerate(themes):
        y = 14 + 54 * place
        parts += [d.arrow((392, 113), (466, y + 22)), d.box(468, y, 200, 44, [name, question])]
    return 684, 240, "".join(parts)


def shape() -> d.Drawing:
    """KSComplement: one minus the largest gap between two distribution functions."""
    rng = np.random.default_rng(0)
    real, made = np.sort(rng.normal(0, 1, 200)), np.sort(rng.normal(0.5, 1.2, 200))
    axes = d.Axes(54, 34, 420, 190, (-3, 4), (0, 1))
    grid = np.linspace(-3, 4, 300)
    ours, theirs = (np.searchsorted(values, grid) / 200 for values in (real, made))
    worst = int(np.argmax(np.abs(ours - theirs)))
    gap = axes.at(grid[[worst, worst]], [ours[worst], theirs[worst]])
    parts = [
        d.heading(14, 21, "share of rows below a value"),
        axes.lines(),
        axes.ticks({0: "0", 0.5: "0.5", 1: "1"}),
        d.line(axes.at(grid, ours), d.REAL),
        d.line(axes.at(grid, theirs), d.MADE),
        d.line(gap, d.INK, 3),
        d.text(gap[0, 0] + 10, gap.mean(axis=0)[1] + 24, f"largest gap {abs(ours[worst] - theirs[worst]):.2f}"),
        d.text(474, 242, "value", d.QUIET, "end"),
        d.legend({"real": d.REAL, "synthetic": d.MADE}, 54, 252),
    ]
    return 500, 268, "".join(parts)


def nearest() -> d.Drawing:
    """DCRShare: is the nearest neighbour a training row or a row never seen?"""
    rng = np.random.default_rng(3)
    train, unseen = rng.uniform(0, 1, (14, 2)), rng.uniform(0, 1, (14, 2))
    honest = rng.uniform(0.05, 0.95, (9, 2))
    copied = train[:9] + rng.normal(0, 0.02, (9, 2))
    parts = []
    for left, title, made in (
        (14, "honest", honest),
        (290, "memorised", copied),
    ):
        axes = d.Axes(left, 34, 250, 200, (-0.03, 1.03), (-0.03, 1.03))
        parts.append(f'<rect x="{left}" y="34" width="250" height="200" fill="none" stroke="#c8ccd2"/>')
        both = np.concatenate([train, unseen])
        closest = np.argmin(((made[:, None] - both[None]) ** 2).sum(axis=2), axis=1)
        for row, index in zip(made, closest, strict=True):
            ends = np.stack([row, both[index]])
            parts.append(d.line(axes.at(ends[:, 0], ends[:, 1]), d.LINE, 1))
        for rows, color in ((train, d.REAL), (unseen, d.OTHER), (made, d.MADE)):
            places = axes.at(rows[:, 0], rows[:, 1])
            parts += [f'<circle cx="{x:.1f}" cy="{y:.1f}" r="5" fill="{color}" fill-opacity="0.8"/>' for x, y in places]
        parts.append(d.heading(left, 21, f"{title}: {(closest < len(train)).sum()} of {len(made)} near a training row"))
    parts.append(d.legend({"training row": d.REAL, "row never seen": d.OTHER, "synthetic row": d.MADE}, 14, 256, 140))
    return 554, 274, "".join(parts)


DRAWINGS = {
    "networks": ("Noise becomes rows in the generator; the discriminator compares them with real rows", networks),
    "autoencoder-networks": ("A row is squeezed into a few numbers and restored", autoencoder),
    "architecture": ("Training hides columns, sampling fills one after the other, a critic selects", architecture),
    "judging": ("Three tables go in, four verdicts come out", judging),
    "metric-shape": ("Two distribution functions and the largest gap between them", shape),
    "metric-nearest": ("Synthetic rows and their nearest neighbours, training rows or rows never seen", nearest),
}


def main() -> None:
    for name, (title, make) in DRAWINGS.items():
        d.write(f"{name}.svg", title, make())


if __name__ == "__main__":
    main()
