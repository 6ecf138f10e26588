#!/usr/bin/env python3
"""Draw the pictures of models into docs/images: python docs/make_textbook_pictures.py [NAME ...] (two minutes).

Every picture is of models fitted here, with seeds; nothing is drawn by hand. A frame of the animation is a fit of its
own, with the same seed and fewer epochs, and all frames are drawn from the same noise, so that points can be followed.
"""

from __future__ import annotations

import sys
from collections.abc import Mapping

import drawing as d
import numpy as np
import pandas as pd

from synthgan import CTGAN, TVAE, VanillaGAN, evaluate, load_dataset

SIZE, GAP, TOP, LEFT = 210, 18, 34, 14
N_SHOWN = 300
EPOCHS = (1, 5, 20, 100, 1000)
TEXTBOOK = {"noise_dim": 100, "generator_dims": (256,), "discriminator_dims": (256,), "activation": "relu"}
SMALL = {"noise_dim": 8, "generator_dims": (32,), "discriminator_dims": (64, 64), "random_state": 0}
STILL = ".still{display:none}@media(prefers-reduced-motion:reduce){.moving{display:none}.still{display:inline}}"


def gaussian_rows() -> pd.DataFrame:
    rows = np.random.default_rng(0).multivariate_normal([1, -2], [[1, 0.6], [0.6, 2]], 320)
    return pd.DataFrame(rows, columns=["x", "y"])


def ring_rows(n: int = 600) -> pd.DataFrame:
    rng = np.random.default_rng(0)
    angle = rng.integers(0, 8, n) * np.pi / 4
    return pd.DataFrame(
        {"x": 2 * np.cos(angle) + rng.normal(0, 0.2, n), "y": 2 * np.sin(angle) + rng.normal(0, 0.2, n)}
    )


def gaussian() -> None:
    real = gaussian_rows()
    stages = {epochs: VanillaGAN(epochs=epochs, random_state=0, **TEXTBOOK).fit(real) for epochs in EPOCHS}
    samples = {f"epoch {epochs:,}": points(model) for epochs, model in stages.items()}
    title = "Samples of a GAN moving onto a normal distribution in two dimensions"
    d.write("gaussian-epochs.svg", title, panels(real.to_numpy(), samples))
    d.write("gaussian-moving.svg", title, moving(real.to_numpy(), samples), STILL)
    history = stages[100].history_.set_index("step")
    names = {"discriminator": "discriminator's loss", "generator": "generator's loss"}
    d.write("losses.svg", "Losses of a GAN over steps", lines(history, names, "losses: a tug of war"))
    names = {"discriminator_accuracy": "discriminator's accuracy on unseen rows", "fidelity": "fidelity"}
    title = "Accuracy of the discriminator falling to one half while fidelity rises"
    d.write("convergence.svg", title, lines(history, names, "convergence: it can only guess", half=True))


def ring() -> None:
    real = ring_rows()
    autoencoder = TVAE(epochs=300, batch_size=100, random_state=0).fit(real)
    shown = {
        "mode collapse": VanillaGAN(epochs=40, discriminator_lr=1e-4, generator_lr=1e-2, **SMALL).fit(real),
        "relativistic loss": VanillaGAN(
            loss="relativistic", epochs=300, batch_size=128, noise_dim=16, generator_dims=(128, 128),
            discriminator_dims=(128, 128), generator_lr=5e-4, discriminator_lr=5e-4, random_state=0,
        ).fit(real),
    }  # fmt: skip
    title = "A ring of eight: modes collapsed, and modes found"
    d.write("ring.svg", title, panels(real.to_numpy(), {name: points(model) for name, model in shown.items()}))
    title = "A ring of eight, and an autoencoder's answer"
    d.write("autoencoder.svg", title, panels(real.to_numpy(), {"TVAE": points(autoencoder)}))


def gradients() -> None:
    starved = {"discriminator_lr": 1e-2, "discriminator_steps": 5, "generator_lr": 1e-5, "epochs": 40}
    found = {
        loss: VanillaGAN(loss=loss, **starved, **SMALL)
        .fit(ring_rows())
        .history_.set_index("step")["generator_gradient"]
        for loss in ("minimax", "non-saturating")
    }
    title = "Norm of the generator's gradient while the discriminator is ahead, by loss"
    names = {name: name for name in found}
    heading = "generator's gradient, as a share of its weights"
    d.write("gradients.svg", title, lines(np.log10(pd.DataFrame(found)), names, heading, powers=True))


def modes() -> None:
    """A number with several peaks: what a plain GAN and CTGAN make of it."""
    storms = load_dataset("storms")[["pressure", "status"]].dropna().sample(3000, random_state=0)
    settings = {"epochs": 60, "batch_size": 200, "random_state": 0}
    made = {"plain GAN": VanillaGAN(**settings), "CTGAN": CTGAN(**settings)}
    shares = {"real rows": storms["status"].value_counts(normalize=True)}
    for name, model in made.items():
        rows = model.fit(storms, target="status").sample(3000, random_state=0)
        shares[name] = rows["status"].value_counts(normalize=True)
    title = "Shares of the kinds of storms: real, of a plain GAN and of CTGAN"
    d.write("rare-categories.svg", title, bars(pd.DataFrame(shares).fillna(0.0), "share of the rows, by kind of storm"))


def scores() -> None:
    """Three tables judged: each fails elsewhere."""
    table = load_dataset("penguins").sample(frac=1, random_state=0, ignore_index=True)
    real, holdout = table[:230], table[230:]
    rng = np.random.default_rng(0)
    suspects = {
        "shuffled columns": real.apply(lambda column: rng.permutation(column)),
        "copied rows": real.sample(230, replace=True, random_state=0),
        "real, unseen rows": holdout,
    }
    judged = evaluate(real, suspects, holdout=holdout, target="species", profile="quick").reports
    found = {name: {theme: part.score for theme, part in report.themes.items()} for name, report in judged.items()}
    title = "Scores of the four themes for shuffled columns, copied rows, and real rows"
    d.write("scores.svg", title, bars(pd.DataFrame(found), "score, from floor (0) to ceiling (1)"))


def points(model: VanillaGAN | TVAE) -> d.Points:
    return model.sample(N_SHOWN, random_state=0).to_numpy(dtype=float)


def panel(real: d.Points, left: float, top: float) -> d.Axes:
    """Return a panel that shows the real rows with a margin."""
    low, high = real.min(axis=0), real.max(axis=0)
    low, high = low - 0.15 * (high - low), high + 0.15 * (high - low)
    return d.Axes(left, top, SIZE, SIZE, (low[0], high[0]), (low[1], high[1]))


def placed(axes: d.Axes, rows: d.Points) -> str:
    return d.dots(axes.at(np.clip(rows[:, 0], *axes.x), np.clip(rows[:, 1], *axes.y)))


def frame(axes: d.Axes, title: str) -> str:
    place = f'x="{axes.left:g}" y="{axes.top:g}" width="{SIZE}" height="{SIZE}"'
    return f'<rect {place} fill="none" stroke="#c8ccd2"/>{d.heading(axes.left, axes.top - 11, title)}'


def panels(real: d.Points, samples: Mapping[str, d.Points]) -> d.Drawing:
    """Return a panel for each sample, on the real rows, three beside each other."""
    parts = []
    for place, (name, rows) in enumerate(samples.items()):
        axes = panel(real, LEFT + place % 3 * (SIZE + GAP), TOP + place // 3 * (SIZE + TOP))
        under, over = placed(axes, real[:N_SHOWN]), placed(axes, rows)
        parts += [frame(axes, name), d.dotted(under, d.REAL), d.dotted(over, d.MADE)]
    bottom = TOP + (len(samples) - 1) // 3 * (SIZE + TOP) + SIZE
    parts.append(d.legend({"real rows": d.REAL, "generated rows": d.MADE}, LEFT, bottom + 22))
    columns = max(min(len(samples), 3), 2)
    return 2 * LEFT + columns * (SIZE + GAP) - GAP, bottom + 40, "".join(parts)


def moving(real: d.Points, samples: Mapping[str, d.Points]) -> d.Drawing:
    """Return one panel in which the generated rows move; whoever asked for less motion sees them at rest."""
    axes = panel(real, LEFT, TOP)
    stages = [placed(axes, rows) for rows in samples.values()]
    values = ";".join([*stages, stages[-1], stages[-1]])  # a rest at the end
    animation = f'<animate attributeName="d" dur="10s" repeatCount="indefinite" values="{values}"/>'
    content = [frame(axes, "from epoch 1 to 1,000"), d.dotted(placed(axes, real[:N_SHOWN]), d.REAL)]
    content.append(d.dotted(stages[0], d.MADE, animation, 'class="moving"'))
    content.append(d.dotted(stages[-1], d.MADE, more='class="still"'))
    content.append(d.legend({"real rows": d.REAL, "generated rows": d.MADE}, LEFT, TOP + SIZE + 22))
    return 2 * LEFT + SIZE + 60, TOP + SIZE + 40, "".join(content)


def lines(
    table: pd.DataFrame, names: Mapping[str, str], heading: str, *, powers: bool = False, half: bool = False
) -> d.Drawing:
    """Return columns as curves over the index (steps): of logarithms to base 10, with a line at one half."""
    curves = {words: table[name].dropna() for name, words in names.items()}
    low, high = (np.floor(table[list(names)].min().min()), np.ceil(table[list(names)].max().max()))
    low = low if powers else min(low, 0.0)
    last = table.index.max()
    axes = d.Axes(LEFT + 44, TOP, 2 * SIZE, SIZE, (0, last), (low, high))
    every = max(1, round((high - low) / 5))
    ticks = {power: f"1e{power:.0f}" if powers else f"{power:g}" for power in np.arange(low, high + 1, every)}
    parts = [axes.lines(), d.heading(LEFT, TOP - 13, heading), axes.ticks(ticks)]
    if half:
        across = axes.at([0, last], 0.5)
        parts += [d.line(across, d.LINE, 1, 'stroke-dasharray="5 4"'), axes.ticks({0.5: "0.5"})]
    colors = dict(zip(curves, (d.MADE, d.OTHER), strict=True))
    parts += [d.line(axes.at(curve.index, curve), colors[words]) for words, curve in curves.items()]
    parts.append(d.text(axes.left + axes.width, TOP + SIZE + 18, f"step {last:,}", d.QUIET, "end"))
    parts.append(d.legend(colors, LEFT, TOP + SIZE + 38, step=16 + 7.5 * max(map(len, colors))))
    return axes.left + axes.width + 30, TOP + SIZE + 54, "".join(parts)


def bars(table: pd.DataFrame, heading: str) -> d.Drawing:
    """Return groups of bars: a group a row, a bar a column."""
    thick, height = 13, len(table) * (13 * table.shape[1] + 16)
    left = 16 + 7.2 * max(map(len, map(str, table.index)))
    axes = d.Axes(left, TOP, 430, height, (0, table.max().max()), (height, 0))
    colors = dict(zip(table.columns, (d.REAL, d.MADE, d.OTHER), strict=True))
    parts = [d.heading(LEFT, TOP - 13, heading)]
    for place, (name, row) in enumerate(table.iterrows()):
        top = TOP + 6 + place * (thick * len(row) + 16)
        parts.append(d.text(left - 8, top + thick * len(row) / 2 + 4, str(name), d.INK, "end"))
        for index, (column, value) in enumerate(row.items()):
            known = "" if pd.isna(value) else f"{value:.2f}"
            length = 0.0 if pd.isna(value) else float(axes.at(value, 0)[0] - left)
            y = top + thick * index
            parts.append(
                f'<rect x="{left:g}" y="{y}" width="{length:.1f}" height="{thick - 2}" fill="{colors[column]}"/>'
            )
            parts.append(d.text(left + length + 5, y + 10, known or "not measured", d.QUIET, more='font-size="11"'))
    parts.append(d.legend(colors, LEFT, TOP + height + 14, step=150))
    return left + 500, TOP + height + 30, "".join(parts)


PICTURES = {made.__name__: made for made in (gaussian, ring, gradients, modes, scores)}


def main() -> None:
    for name in sys.argv[1:] or PICTURES:
        PICTURES[name]()


if __name__ == "__main__":
    main()
