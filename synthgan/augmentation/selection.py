"""Which of many generated rows to keep: those that look most like what they claim to be, or that teach most."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Literal

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from synthgan.augmentation.generate import ClassRows
from synthgan.augmentation.learners import Committee, Training, encode, fit
from synthgan.errors import ConfigError

__all__ = ["POOL", "SELECTIONS", "Selection", "choose_rows", "draw_chosen", "selection_weights"]

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]

Selection = Literal["labels", "density", "hard", "nothing"]
SELECTIONS: tuple[Selection, ...] = ("labels", "density", "hard", "nothing")
POOL = 4
"""Rows generated for each one kept, where there is a choice."""

LEAST_WEIGHT = 1e-6


def choose_rows(weight: Floats | None, y: Ints, counts: Mapping[int, int], seed: int) -> Ints:
    """Return positions of so many rows of each class, drawn without replacement by weight.

    Parameters
    ----------
    weight : ndarray of float64, shape (n,), or None
        None: the first rows of each class.
    y : ndarray of int64, shape (n,)
        Classes of the rows to choose from.
    counts : mapping of class to int
        At most as many as there are.
    seed : int

    Examples
    --------
    >>> choose_rows(np.array([1.0, 0.0, 1.0]), np.array([5, 5, 5]), {5: 2}, 0).tolist()
    [2, 0]
    """
    # Gumbel's trick: the largest of log w + noise are a draw without replacement by weight.
    noise = np.random.default_rng(seed).gumbel(size=len(y))
    keys = -np.arange(len(y)) if weight is None else np.log(np.maximum(weight, LEAST_WEIGHT)) + noise
    chosen = [np.empty(0, dtype=np.int64)]
    for code, count in counts.items():
        members = np.flatnonzero(y == code)
        chosen.append(members[np.argsort(-keys[members], kind="stable")[:count]])
    return np.concatenate(chosen)


def selection_weights(
    choose_by: Selection,
    real: Training,
    pool: Training,
    categorical: list[bool],
    committee: Callable[[Floats], Floats],
    seed: int,
) -> Floats | None:
    """Return what each generated row is worth, shape (n_pool,); None when the rows are all the same to `choose_by`.

    Parameters
    ----------
    choose_by : {"labels", "density", "hard", "nothing"}
        ``"labels"``: the weight of a row is how likely its class is by a committee of classifiers fitted on the real
        rows, over how frequent the class is. ``"density"``: how many times likelier the row is among real rows than
        among generated ones, by boosted trees that tell them apart. ``"hard"``: how little the committee's favourite
        class stands out, so that rows near the classes' border are kept. ``"nothing"``: all the same.
    real, pool : Training
        Real and generated rows.
    categorical : list of bool
    committee : callable
        Rows to probabilities, see `Committee`.
    seed : int

    Raises
    ------
    ConfigError
        For an unknown `choose_by`.
    """
    if choose_by not in SELECTIONS:
        raise ConfigError(f"choose_by is one of {', '.join(SELECTIONS)}; got {choose_by!r}")
    if choose_by == "nothing" or not real.x.shape[1] or not len(pool.y):
        return None
    if choose_by == "density":
        both = np.concatenate([np.column_stack([part.x, part.y]) for part in (real, pool)])
        which = np.repeat(np.array([1, 0], dtype=np.int64), [len(real.y), len(pool.y)])
        # Trees that saw a row know it. Each half of the pool is weighed by trees that saw the other half.
        odds = np.empty(len(pool.y))
        side = np.arange(len(both)) % 2
        for half in (0, 1):
            seen, asked = side != half, (side == half) & (which == 0)
            p = fit("boosted trees", Training(both[seen], which[seen]), [*categorical, True], 2, seed)(both[asked])
            odds[asked[len(real.y) :]] = p[:, 1] / np.maximum(p[:, 0], LEAST_WEIGHT)
        return odds
    votes = committee(pool.x)
    if choose_by == "labels":
        shares = real.shares(votes.shape[1])
        return np.asarray(votes[np.arange(len(pool.y)), pool.y] / shares[pool.y], dtype=np.float64)
    top = np.sort(votes, axis=1)
    return np.asarray(1 - (top[:, -1] - top[:, -2]), dtype=np.float64)


def draw_chosen(
    model: ClassRows, features: pd.DataFrame, y: Ints, counts: Mapping[int, int], choose_by: Selection, seed: int
) -> tuple[pd.DataFrame, Ints]:
    """Draw exactly so many rows of each class, chosen among `POOL` times as many.

    Parameters
    ----------
    model : ClassRows
    features : DataFrame
        The real rows that it was fitted on.
    y : ndarray of int64
        Their classes.
    counts : mapping of class code to int
    choose_by : {"labels", "density", "hard", "nothing"}
    seed : int

    Returns
    -------
    tuple of DataFrame and ndarray of int64
    """
    if choose_by == "nothing":
        return model.draw(counts)
    pool, codes = model.draw({code: POOL * count for code, count in counts.items()})
    both = encode({"real": features, "pool": pool})
    real, n_classes = Training(both.x["real"], y), int(y.max()) + 1
    weight = selection_weights(
        choose_by,
        real,
        Training(both.x["pool"], codes),
        both.categorical,
        lambda rows: Committee(real, both.categorical, n_classes, seed)(rows),
        seed,
    )
    kept = choose_rows(weight, codes, counts, seed)
    return pool.iloc[kept].reset_index(drop=True), codes[kept]
