"""The section on training: curves, what each of them says, and the alarms with their advice."""

from __future__ import annotations

from typing import Any

import pandas as pd

from synthgan.report import charts

__all__ = ["training"]

MAX_POINTS = 200
AXES = ("step", "epoch", "seconds")
INTERVAL = ("discriminator_accuracy", "discriminator_accuracy_low", "discriminator_accuracy_high")

MEANING = {
    "validation": "The score on rows held out; less is better. Training is judged by it, not by its losses.",
    "best": "The lowest score on rows held out so far.",
    "likelihood": "Nats per hidden column, on training rows.",
    "generator": "The generator's loss. In a game it need not fall: a loss that stays level can be a fair fight.",
    "discriminator": "The discriminator's loss. Near 0 it is too strong, far from its start too weak.",
    "fidelity": "Likeness of single columns of generated rows to rows held out; 1 is the same.",
    "mode_coverage": "Share of the real rows' groups that generated rows reach; low values are mode collapse.",
    "diversity": "Mean distance of two generated rows beside that of two real ones; near 0 they are all alike.",
    "discriminator_accuracy": "How often the discriminator ranks a row held out above a generated one: at 0.5 it "
    "cannot tell, which is where training wants to go; at 1 it always can.",
    "generator_gradient": "Size of the generator's gradient beside its weights; near 0 it is told nothing.",
    "discriminator_gradient": "Size of the discriminator's gradient beside its weights.",
    "likelihood_gradient": "Size of the gradient beside the weights.",
    "reconstruction": "How badly rows come back from their latent vectors, in nats.",
    "divergence": "What the latent vectors know of their rows, in nats; 0 is nothing.",
}
"""What a curve says, in plain words."""


def training(history: pd.DataFrame) -> dict[str, Any]:
    """Return the charts and the alarms of a training.

    Parameters
    ----------
    history : DataFrame
        One row a report, as in a synthesizer's ``history_`` or of any other make.

    Returns
    -------
    dict
        ``"training"``: name, meaning, svg, rows and x_label of each chart; ``"alarms"``: their texts, in order.
    """
    axis = next((name for name in AXES if name in history), None)
    x = history[axis].to_numpy(dtype=float) if axis else history.reset_index(drop=True).index.to_numpy(dtype=float)
    out: list[dict[str, Any]] = []
    for name in history.columns:
        if name in (axis, "n_steps") or name in INTERVAL[1:] or not _is_curve(history[name]):
            continue
        lines = {str(part): _points(history, part, x) for part in _lines(history, name)}
        points = next(iter(lines.values()))
        if len(points) < 2:
            continue
        series = {part: ([a for a, _ in line], [b for _, b in line]) for part, line in lines.items()}
        label = axis or "record"
        svg = charts.curves(series, str(name), f"train{len(out)}", x_label=label, y_label=str(name))
        meaning = MEANING.get(str(name), "")
        out.append({"name": str(name), "meaning": meaning, "svg": svg, "rows": points, "x_label": label})
    told = history["alarms"].dropna().astype(str).tolist() if "alarms" in history else []
    return {"training": out, "alarms": [text for text in told if text]}


def _lines(history: pd.DataFrame, name: Any) -> tuple[Any, ...]:
    """The columns that go into one chart: an accuracy comes with its interval."""
    together = name == INTERVAL[0] and all(part in history for part in INTERVAL)
    return INTERVAL if together else (name,)


def _is_curve(column: pd.Series) -> bool:
    return pd.api.types.is_numeric_dtype(column) and not pd.api.types.is_bool_dtype(column)


def _points(history: pd.DataFrame, name: Any, x: Any) -> list[tuple[float, float]]:
    y = history[name].to_numpy(dtype=float, na_value=float("nan"))
    points = [(a, b) for a, b in zip(x.tolist(), y.tolist(), strict=True) if abs(b) < float("inf")]
    return points[:: max(1, -(-len(points) // MAX_POINTS))]
