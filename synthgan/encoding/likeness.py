"""Which levels of a category are alike: those whose rows hold much the same in the other columns."""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np
import numpy.typing as npt

from synthgan.encoding.cells import FloatArray, IntArray

__all__ = ["likeness_order"]

MOST_FEATURES = 128
"""Features that levels are compared by at most: those that tell them apart best."""

NOISE = 1e-4
"""Variance inside levels that counts as none, as a share of all: a feature that follows from the level is not all."""


def likeness_order(index: IntArray, n_levels: int, features: Iterable[npt.NDArray[np.float32]]) -> IntArray:
    r"""Order levels so that neighbours are alike.

    Each level is the mean of its rows, feature by feature, in units of the spread inside levels, and drawn towards the
    mean of all rows by what few rows leave to chance:

    .. math:: z_{lj} = \frac{b_j}{b_j + w_j / n_l} \cdot \frac{m_{lj} - m_j}{\sqrt{w_j}}

    with the variance w inside levels and b between them (James and Stein's shrinkage, with a linear discriminant's
    scale). The levels are halved at the median of the direction in which they differ most, and the halves again, each
    such that the same end comes first.

    Parameters
    ----------
    index : ndarray of int64, shape (n_rows,)
        The level of each row; -1 for none.
    n_levels : int
        Number of levels.
    features : iterable of ndarray of float32, shape (n_rows, k)
        What the rows hold in other columns.

    Returns
    -------
    ndarray of int64, shape (n_levels,)
        The levels in order.
    """
    told = index >= 0
    if not told.any():
        return np.arange(n_levels)
    index = index[told]
    rows = np.bincount(index, minlength=n_levels).astype(np.float64)
    best: list[FloatArray] = []
    for feature in features:
        best += [_standing(index, rows, one) for one in feature[told].astype(np.float64).T]
        best.sort(key=lambda z: -float(rows @ z**2))
        del best[MOST_FEATURES:]
    if not best:
        return np.arange(n_levels)
    return _halved(np.stack(best, axis=1), rows + 1e-9, np.arange(n_levels), None)


def _standing(index: IntArray, rows: FloatArray, feature: FloatArray) -> FloatArray:
    """Where each level stands in a feature: z above."""
    n_rows, n_levels = len(feature), len(rows)
    centred = feature - feature.mean()
    mean = np.bincount(index, centred, n_levels) / np.maximum(rows, 1)
    inside = np.square(centred - mean[index]).sum() / max(n_rows - n_levels, 1)
    between = max((rows * mean**2).sum() - (n_levels - 1) * inside, 0.0) / n_rows
    if not between:
        return np.zeros(n_levels)
    spread = np.sqrt(inside + NOISE * np.square(centred).mean())
    z: FloatArray = between / (between + inside / np.maximum(rows, 1)) * mean / spread
    return z


def _halved(z: FloatArray, rows: FloatArray, levels: IntArray, towards: FloatArray | None) -> IntArray:
    """Order `levels` by halving them again and again; `towards` is where the last ones lie."""
    if len(levels) < 3 and towards is not None:
        ranked: IntArray = levels[np.argsort(z[levels] @ towards, kind="stable")]
        return ranked
    centred = z[levels] - np.average(z[levels], axis=0, weights=rows[levels])
    direction = np.linalg.svd(centred * np.sqrt(rows[levels])[:, None], full_matrices=False)[2][0]
    if towards is None:
        towards = direction * np.sign(direction[np.argmax(np.abs(direction))])
    if direction @ towards < 0:
        direction = -direction
    order = levels[np.argsort(centred @ direction, kind="stable")]
    half = len(order) // 2
    return np.concatenate([_halved(z, rows, part, towards) for part in (order[:half], order[half:])])
