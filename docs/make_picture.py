#!/usr/bin/env python3
"""Draw docs/images/real-and-synthetic.svg: rows of Adult beside as many synthetic ones.

python docs/make_picture.py MODEL.synthgan     (a model fitted on the bundled adult table, e.g. demo/model.synthgan)
"""

from __future__ import annotations

import sys
from pathlib import Path
from xml.sax.saxutils import escape

import numpy as np
import pandas as pd

from synthgan import SynthGAN, load_dataset

N_ROWS = 1500
WIDTH, HEIGHT, LEFT, GAP = 330, 240, 60, 70
COLORS = {"<=50K": "#3b7dd8", ">50K": "#e07b39"}
X, Y = "age", "hours_per_week"


def main() -> None:
    model = SynthGAN.load(sys.argv[1])
    real = load_dataset("adult").sample(N_ROWS, random_state=0)
    panels = [("real rows", real), ("synthetic rows", model.sample(N_ROWS, random_state=0))]
    both = pd.concat([frame for _, frame in panels])
    low, high = both[[X, Y]].min(), both[[X, Y]].max()
    total = LEFT + 2 * WIDTH + GAP + 20
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {total} {HEIGHT + 90}" role="img"',
        ' font-family="system-ui, sans-serif" font-size="13"><title>Real rows of Adult beside synthetic ones</title>',
        f"<desc>Two scatter plots of age against hours per week, {N_ROWS} rows each, coloured by income.</desc>",
        f'<rect width="{total}" height="{HEIGHT + 90}" fill="#ffffff"/>',
    ]
    for index, (title, frame) in enumerate(panels):
        parts += panel(LEFT + index * (WIDTH + GAP), 34, title, frame, low, high)
    for place, (name, color) in enumerate(COLORS.items()):
        x = LEFT + 150 * place
        parts.append(f'<circle cx="{x}" cy="{HEIGHT + 78}" r="5" fill="{color}"/>')
        parts.append(f'<text x="{x + 11}" y="{HEIGHT + 82}" fill="#333">income {escape(name)}</text>')
    target = Path(__file__).parent / "images" / "real-and-synthetic.svg"
    target.parent.mkdir(exist_ok=True)
    target.write_text("".join(parts) + "</svg>\n")


def panel(left: float, top: float, title: str, frame: pd.DataFrame, low: pd.Series, high: pd.Series) -> list[str]:
    rng = np.random.default_rng(0)  # whole numbers would lie on top of each other
    jitter = rng.uniform(-0.45, 0.45, (2, len(frame)))
    xs = left + (frame[X] + jitter[0] - low[X]) / (high[X] - low[X]) * WIDTH
    ys = top + HEIGHT - (frame[Y] + jitter[1] - low[Y]) / (high[Y] - low[Y]) * HEIGHT
    parts = [
        f'<text x="{left}" y="{top - 12}" font-weight="600" fill="#222">{escape(title)}</text>',
        f'<path d="M{left} {top}V{top + HEIGHT}H{left + WIDTH}" fill="none" stroke="#999"/>',
        f'<text x="{left + WIDTH}" y="{top + HEIGHT + 20}" text-anchor="end" fill="#555">',
        f"{X}: {low[X]} to {high[X]}</text>",
    ]
    if left == LEFT:
        middle = top + HEIGHT / 2
        label = f"hours per week: {low[Y]} to {high[Y]}"
        place = f"translate({left - 16} {middle}) rotate(-90)"
        parts.append(f'<text transform="{place}" text-anchor="middle" fill="#555">{label}</text>')
    for name, color in COLORS.items():
        chosen = (frame["income"] == name).to_numpy()
        dots = "".join(f"M{x:.1f} {y:.1f}h0" for x, y in zip(xs[chosen], ys[chosen], strict=True))
        style = f'stroke="{color}" stroke-width="4" stroke-linecap="round" stroke-opacity="0.45" fill="none"'
        parts.append(f'<path d="{dots}" {style}/>')
    return parts


if __name__ == "__main__":
    main()
