"""Which rows are learned from and which are tested: stratified, repeated, every draw from a named stream."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from synthgan.rng import numpy_stream

__all__ = ["Fold", "make_folds", "stratified_parts", "stratified_subset"]

Ints = NDArray[np.int64]


@dataclasses.dataclass(frozen=True, slots=True, eq=False)
class Fold:
    """One division of the rows.

    Parameters
    ----------
    n_rows : int or None
        Training rows that the learning curve asks for; None: all there are.
    repeat, number : int
    train, test : ndarray of int64
        Row positions; disjoint.
    """

    n_rows: int | None
    repeat: int
    number: int
    train: Ints
    test: Ints

    @property
    def name(self) -> str:
        """What the fold's file is called."""
        return f"n-{self.n_rows or 'full'}-repeat-{self.repeat}-fold-{self.number}"


def stratified_parts(y: Ints, n_parts: int, rng: np.random.Generator) -> Ints:
    """Return a part number for each row, shape (n,): every part has its share of each class, to within one row.

    Examples
    --------
    >>> parts = stratified_parts(np.array([0, 0, 0, 0, 1, 1]), 2, np.random.default_rng(0))
    >>> np.bincount(parts[:4]).tolist(), np.bincount(parts[4:]).tolist()
    ([2, 2], [1, 1])
    """
    order = rng.permutation(len(y))
    order = order[np.argsort(y[order], kind="stable")]
    parts = np.empty(len(y), dtype=np.int64)
    parts[order] = np.arange(len(y)) % n_parts
    return parts


def stratified_subset(y: Ints, n_rows: int, rng: np.random.Generator) -> Ints:
    """Return the positions of `n_rows` rows with each class's share; all rows when there are no more than that."""
    order = rng.permutation(len(y))
    order = order[np.argsort(y[order], kind="stable")]
    if n_rows >= len(y):
        return np.sort(order)
    # Evenly spaced along the rows sorted by class, from a random start.
    places = np.floor((np.arange(n_rows) + rng.random()) * len(y) / n_rows).astype(np.int64)
    return np.sort(order[places])


def make_folds(
    y: Ints, n_grid: Sequence[int | None], repeats: int, n_folds: int, max_test_rows: int, seed: int
) -> list[Fold]:
    """Return the folds of every size, so ordered that a run cut short has some of each.

    For a size of the grid the training part of a fold is thinned out; its test part is the same for all sizes, so that
    the points of a learning curve are paired too.
    """
    folds = []
    for repeat in range(repeats):
        parts = stratified_parts(y, n_folds, numpy_stream(seed, "gain/folds", repeat))
        for number in range(n_folds):
            index = repeat * n_folds + number
            learn, test = np.flatnonzero(parts != number), np.flatnonzero(parts == number)
            test = test[stratified_subset(y[test], max_test_rows, numpy_stream(seed, "gain/test rows", index))]
            for n_rows in n_grid:
                rng = numpy_stream(seed, f"gain/rows {n_rows}", index)
                kept = learn if n_rows is None else learn[stratified_subset(y[learn], n_rows, rng)]
                folds.append(Fold(n_rows, repeat, number, kept, test))
    return folds
