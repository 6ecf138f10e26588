#!/usr/bin/env python3
"""Draw the pictures of docs/from-the-textbook.md into docs/images: python docs/make_textbook_pictures.py (a minute).

Every picture is of models fitted here, with seeds; nothing is drawn by hand. A frame of the animation is a fit of its
own, with the same seed and fewer epochs, and all frames are drawn from the same noise, so that points can be followed.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pandas as pd

from synthgan import TVAE, VanillaGAN

Points = npt.NDArray[np.float64]

IMAGES = Path(__file__).parent / "images"
SIZE, GAP, TOP, LEFT = 210, 18, 34, 14
REAL, MADE = "#8a8f98", "#d1495b"
N_SHOWN = 300
EPOCHS = (1, 5, 20, 100, 1000)


def main() -> None:
    gaussian = pd.DataFrame(
        np.random.default_rng(0).multivariate_normal([1, -2], [[1, 0.6], [0.6, 2]], 320), columns=["x", "y"]
    )
    frames = {f"epoch {epochs:,}": textbook(epochs).fit(gaussian) for epochs in EPOCHS}
    samples = {name: points(model) for name, model in frames.items()}
    title = "Samples of a GAN moving onto a normal distribution in two dimensions"
    write("gaussian-epochs.svg", title, panels(gaussian.to_numpy(), samples))
    write("gaussian-moving.svg", title, moving(gaussian.to_numpy(), samples))
    ring = ring_of_eight(600)
    small = {"noise_dim": 8, "generator_dims": (32,), "discriminator_dims": (64, 64), "random_state": 0}
    collapsed = VanillaGAN(epochs=40, discriminator_lr=1e-4, generator_lr=1e-2, **small).fit(ring)
    healthy = VanillaGAN(
        loss="relativistic", epochs=300, batch_size=128, noise_dim=16, generator_dims=(128, 128),
        discriminator_dims=(128, 128), generator_lr=5e-4, discriminator_lr=5e-4, random_state=0,
    ).fit(ring)  # fmt: skip
    autoencoder = TVAE(epochs=300, batch_size=100, random_state=0).fit(ring)
    shown = {"mode collapse": collapsed, "relativistic loss": healthy, "TVAE": autoencoder}
    title = "A ring of eight: modes collapsed, modes found, and an autoencoder's answer"
    write("ring.svg", title, panels(ring.to_numpy(), {name: points(model) for name, model in shown.items()}))
    starved = {"discriminator_lr": 1e-2, "discriminator_steps": 5, "generator_lr": 1e-5, "epochs": 40}
    curves = {
        loss: VanillaGAN(loss=loss, **starved, **small).fit(ring).history_.set_index("step")["generator_gradient"]
        for loss in ("minimax", "non-saturating")
    }
    title = "Norm of the generator's gradient while the discriminator is ahead, by loss"
    write("gradients.svg", title, lines(curves))


def textbook(epochs: int) -> VanillaGAN:
    """Return the textbook's GAN: noise 100, hidden layer 256, Adam 1e-3, batch 64."""
    return VanillaGAN(
        epochs=epochs,
        noise_dim=100,
        generator_dims=(256,),
        discriminator_dims=(256,),
        activation="relu",
        random_state=0,
    )


def ring_of_eight(n: int) -> pd.DataFrame:
    rng = np.random.default_rng(0)
    angle = rng.integers(0, 8, n) * np.pi / 4
    return pd.DataFrame(
        {"x": 2 * np.cos(angle) + rng.normal(0, 0.2, n), "y": 2 * np.sin(angle) + rng.normal(0, 0.2, n)}
    )


def points(model: VanillaGAN | TVAE) -> Points:
    return model.sample(N_SHOWN, random_state=0).to_numpy(dtype=float)


def placed(real: Points, rows: Points, left: float, top: float = TOP) -> Points:
    """Return rows in the coordinates of a panel that shows the real rows with a margin."""
    low, high = real.min(axis=0), real.max(axis=0)
    low, high = low - 0.15 * (high - low), high + 0.15 * (high - low)
    share = np.clip((rows - low) / (high - low), 0, 1)
    return np.stack([left + share[:, 0] * SIZE, top + (1 - share[:, 1]) * SIZE], axis=1)


def dots(rows: Points) -> str:
    return "".join(f"M{x:.1f} {y:.1f}h0" for x, y in rows)


def dotted(path: str, color: str, inside: str = "") -> str:
    style = f'stroke="{color}" stroke-width="4" stroke-linecap="round" stroke-opacity="0.55" fill="none"'
    return f'<path d="{path}" {style}>{inside}</path>'


def frame(left: float, title: str, top: float = TOP) -> str:
    box = f'<rect x="{left}" y="{top}" width="{SIZE}" height="{SIZE}" fill="none" stroke="#c8ccd2"/>'
    return f'{box}<text x="{left}" y="{top - 11}" font-weight="600" fill="#222">{title}</text>'


def legend(names: Mapping[str, str], top: float) -> str:
    return "".join(
        f'<circle cx="{LEFT + 6 + 130 * place}" cy="{top}" r="5" fill="{color}"/>'
        f'<text x="{LEFT + 16 + 130 * place}" y="{top + 4}" fill="#333">{name}</text>'
        for place, (name, color) in enumerate(names.items())
    )


def panels(real: Points, samples: Mapping[str, Points]) -> tuple[float, float, str]:
    """Return width, height and content: a panel for each sample, on the real rows, three beside each other."""
    parts = []
    for place, (name, rows) in enumerate(samples.items()):
        left, top = LEFT + place % 3 * (SIZE + GAP), TOP + place // 3 * (SIZE + TOP)
        under, over = dots(placed(real, real[:N_SHOWN], left, top)), dots(placed(real, rows, left, top))
        parts += [frame(left, name, top), dotted(under, REAL), dotted(over, MADE)]
    bottom = TOP + (len(samples) - 1) // 3 * (SIZE + TOP) + SIZE
    parts.append(legend({"real rows": REAL, "generated rows": MADE}, bottom + 22))
    return 2 * LEFT + 3 * (SIZE + GAP) - GAP, bottom + 40, "".join(parts)


def moving(real: Points, samples: Mapping[str, Points]) -> tuple[float, float, str]:
    """Return width, height and content: one panel in which the generated rows move, and rest at the end."""
    stages = [dots(placed(real, rows, LEFT)) for rows in samples.values()]
    values = ";".join(stages)
    animation = f'<animate attributeName="d" dur="8s" repeatCount="3" fill="freeze" values="{values}"/>'
    content = [frame(LEFT, "from epoch 1 to 1,000"), dotted(dots(placed(real, real[:N_SHOWN], LEFT)), REAL)]
    content += [dotted(stages[-1], MADE, animation)]
    content.append(legend({"real rows": REAL, "generated rows": MADE}, TOP + SIZE + 22))
    return 2 * LEFT + SIZE + 60, TOP + SIZE + 40, "".join(content)


def lines(curves: Mapping[str, pd.Series]) -> tuple[float, float, str]:
    """Return width, height and content: curves over steps, on a logarithmic axis."""
    width, left = 2 * SIZE, LEFT + 50
    logs = {name: np.log10(curve.dropna()) for name, curve in curves.items()}
    low = np.floor(min(curve.min() for curve in logs.values()))
    high = np.ceil(max(curve.max() for curve in logs.values()))
    last = max(curve.index.max() for curve in logs.values())
    parts = [f'<path d="M{left} {TOP}V{TOP + SIZE}H{left + width}" fill="none" stroke="#999"/>']
    parts.append(f'<text x="{left}" y="{TOP - 11}" font-weight="600" fill="#222">')
    parts.append("generator's gradient, as a share of its weights</text>")
    for power in np.arange(low, high + 1):
        y = TOP + (high - power) / (high - low) * SIZE
        parts.append(f'<text x="{left - 8}" y="{y + 4:.1f}" text-anchor="end" fill="#555">1e{power:.0f}</text>')
    colors: Sequence[str] = (MADE, "#2e86ab")
    for color, curve in zip(colors, logs.values(), strict=True):
        xs = left + curve.index.to_numpy() / last * width
        ys = TOP + (high - curve.to_numpy()) / (high - low) * SIZE
        path = "M" + "L".join(f"{x:.1f} {y:.1f}" for x, y in zip(xs, ys, strict=True))
        parts.append(f'<path d="{path}" fill="none" stroke="{color}" stroke-width="2"/>')
    parts.append(f'<text x="{left + width}" y="{TOP + SIZE + 18}" text-anchor="end" fill="#555">step {last:,}</text>')
    parts.append(legend(dict(zip(logs, colors, strict=True)), TOP + SIZE + 30))
    return left + width + LEFT, TOP + SIZE + 46, "".join(parts)


def write(name: str, title: str, drawing: tuple[float, float, str]) -> None:
    width, height, content = drawing
    head = f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width:g} {height:g}" width="{width:g}" role="img"'
    ground = f'<rect width="{width:g}" height="{height:g}" fill="#ffffff"/>'
    text = f'{head} font-family="system-ui, sans-serif" font-size="13"><title>{title}</title>{ground}{content}</svg>\n'
    (IMAGES / name).write_text(text, encoding="utf-8")


if __name__ == "__main__":
    main()
