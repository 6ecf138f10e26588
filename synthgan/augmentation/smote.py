"""SMOTE-NC, a cheap rival: new rows between neighbours of the same class."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
from numpy.typing import NDArray
from sklearn.neighbors import NearestNeighbors

__all__ = ["smote_nc"]

Floats = NDArray[np.float64]


def smote_nc(
    x: Floats,
    y: NDArray[np.int64],
    categorical: Sequence[bool],
    counts: Mapping[int, int],
    rng: np.random.Generator,
    *,
    k: int = 5,
) -> tuple[Floats, NDArray[np.int64]]:
    """Draw rows on the line between a row and one of its nearest rows of the same class (Chawla et al., JAIR 16, 2002).

    A new number lies at a random point between the two rows; a new category is the one that most of the neighbours
    have. Two categories differ by the median standard deviation of the numbers of the class.

    Differs from the paper: numbers are scaled by their standard deviation before distances are taken, so that no unit
    rules; a number that either of the two rows lacks is taken from the first; a table of categories alone and one of
    numbers alone will do; a class of one row is repeated.

    Parameters
    ----------
    x : ndarray of float64, shape (n, p)
        Numbers, and codes of categories; NaN where a number is missing.
    y : ndarray of int64, shape (n,)
        Classes.
    categorical : sequence of bool, length p
        Which columns hold codes.
    counts : mapping of class to int
        Rows wanted of each class.
    rng : numpy Generator
    k : int
        Neighbours to choose from.

    Returns
    -------
    tuple of ndarray, shapes (m, p) and (m,)
        The new rows and their classes.
    """
    codes = np.asarray(categorical, dtype=bool)
    numbers = x[:, ~codes]
    known = ~np.isnan(numbers)
    centre = np.array([np.median(v[m]) if m.any() else 0.0 for v, m in zip(numbers.T, known.T, strict=True)])
    scale = np.array([v[m].std() if m.any() else 1.0 for v, m in zip(numbers.T, known.T, strict=True)])
    scaled = (np.where(known, numbers, centre) - centre) / np.where(scale > 0, scale, 1.0)
    parts = [x[:0]]
    for label, count in counts.items():
        members = np.flatnonzero(y == label)
        new = x[members[rng.integers(len(members), size=count)]].copy() if count else x[:0]
        if count and len(members) > 1:
            near = _neighbours(scaled[members], x[members][:, codes], k)
            base = rng.integers(len(members), size=count)
            mate = near[base, rng.integers(near.shape[1], size=count)]
            first, second = numbers[members[base]], numbers[members[mate]]
            step = rng.random((count, 1)) * (second - first)
            new = np.empty((count, x.shape[1]))
            new[:, ~codes] = first + np.where(np.isnan(step), 0.0, step)
            new[:, codes] = _most_frequent(x[members][:, codes], near[base], rng)
        parts.append(new)
    return np.concatenate(parts), np.repeat(np.array(list(counts), dtype=np.int64), list(counts.values()))


def _neighbours(scaled: Floats, codes: Floats, k: int) -> NDArray[np.int64]:
    """Return the positions of the nearest other rows, shape (n, up to k)."""
    penalty = float(np.median(scaled.std(axis=0))) if scaled.shape[1] else 1.0
    one_hot = [(column[:, None] == np.unique(column)).astype(np.float64) for column in codes.T]
    # Two one-hot rows of different levels differ in two places.
    place = np.hstack([scaled, *(penalty / np.sqrt(2) * block for block in one_hot)])
    k = min(k, len(place) - 1)
    near = NearestNeighbors(n_neighbors=k + 1).fit(place).kneighbors(place, return_distance=False)
    # Among equal rows a row need not come first among its own neighbours.
    own = near == np.arange(len(place))[:, None]
    own[~own.any(axis=1), -1] = True
    return np.asarray(near[~own].reshape(len(place), k), dtype=np.int64)


def _most_frequent(codes: Floats, near: NDArray[np.int64], rng: np.random.Generator) -> Floats:
    """Return for each row the most frequent code among its neighbours, ties broken at random; shape (m, q)."""
    out = np.empty((len(near), codes.shape[1]))
    for j, column in enumerate(codes.T):
        levels, place = np.unique(column, return_inverse=True)
        votes = (place[near][:, :, None] == np.arange(len(levels))).sum(axis=1)
        out[:, j] = levels[np.argmax(votes + 0.5 * rng.random(votes.shape), axis=1)]
    return out
