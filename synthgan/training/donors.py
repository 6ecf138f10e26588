"""Which row of a small table lends a cell: one that a line and a forest find alike, or where both lead to."""

from __future__ import annotations

import math
import warnings
from typing import Any

import numpy as np
import numpy.typing as npt
from sklearn.ensemble import RandomForestClassifier, RandomForestRegressor

from synthgan.training.lines import MANY_CLASSES, Guess

__all__ = ["MAX_CLASSES", "TREES", "Donors"]

Singles = npt.NDArray[np.float32]
Doubles = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]

TREES = 40
"""Trees of a forest."""

MIN_LEAF, TREE_ROWS = 10, 2000
"""Rows of a leaf at least, so that none stands for itself; rows of the table that a tree sees."""

FEATURES = 0.5
"""Share of the features among which a tree for a number looks for each split."""

MAX_CLASSES, MAX_WORK = 32, 5_000_000
"""Classes, and rows times features times classes, above which that takes too long, and the forest is left alone."""

NEARLY = 0.15
"""Nats by which rows may be less likely where numbers are moved, which keeps off the rows that there are."""

AGAIN = 0.1
"""Share of the rows that a line leads back to: above it numbers are not moved, because rows that lent what the line
follows would lend what follows too, and whole rows be repeated."""


class Donors:
    """Says which rows of a table could lend a cell to rows with such features.

    A line guesses where a number lies, or how likely each category is, and a forest grows on the features and that
    guess; each row's own is made without it. A row in the leaf of a random tree is the donor. Or numbers are moved:
    such a row lends what the line left over there, which is put on top of the guess, and the donor is the row that
    lies nearest to where that leads. So what follows a line is learned from all rows at once: from a leaf's handful
    alone, rows come out too near to these. Numbers are not moved where rows that trees have not seen are clearly less
    likely for it (`NEARLY`), as where numbers leap or come in clusters, or where that would repeat rows (`AGAIN`).

    Parameters
    ----------
    features : ndarray of float32, shape (n, k)
        Of the table's rows; without any, all rows could.
    codes : ndarray, shape (n,)
        Of the cells.
    scores : ndarray of float64, shape (n,), or None
        Where numbers lie; None for categories.
    stream : numpy Generator
        Randomness.
    n_trees : int
        Of the forest.
    guesses : bool
        Whether there is a line; without one a leaf lends.

    Attributes
    ----------
    moves : bool
        Whether numbers are moved.
    """

    def __init__(
        self,
        features: Singles,
        codes: npt.NDArray[Any],
        scores: Doubles | None,
        stream: np.random.Generator,
        n_trees: int = TREES,
        *,
        guesses: bool = True,
    ) -> None:
        self.n_rows, self.moves = len(codes), False
        self.guess: Guess | None = None
        self.leaves: _Leaves | None = None
        if not features.shape[1]:
            return
        answers, seed = codes if scores is None else scores, int(stream.integers(2**31))
        n_classes = len(np.unique(codes))
        n_lines = 1 if scores is not None else n_classes if 1 < n_classes <= MAX_CLASSES else math.inf
        if guesses and n_lines * features.size <= MAX_WORK:
            self.guess = Guess(features, answers, seed, ordered=scores is not None)
            features = np.column_stack([features, self.guess.left_out.astype(np.float32)])
        if scores is None or self.guess is None:
            self.leaves = _Leaves(features, answers, stream, n_trees, ordered=scores is not None)
            return
        self.order = np.argsort(scores, kind="stable")
        self.sorted = scores[self.order]
        self.left_over = scores - self.guess.left_out[:, 0]
        self.leaves = _Leaves(features, np.column_stack([scores, self.left_over]), stream, n_trees, ordered=True)
        row, donor = self.leaves.unseen(stream)
        moved, other = self._moved(self.guess.left_out[row, 0], donor, row)
        again = float((moved == row).mean())
        self.moves = again <= AGAIN and _nats(codes, row, other) <= _nats(codes, row, donor) + NEARLY

    def of(self, features: Singles, stream: np.random.Generator) -> Ints:
        """Pick a row of the table for each row of `features`, shape (n,)."""
        if self.leaves is None:
            return stream.integers(self.n_rows, size=len(features))
        guess = np.zeros((len(features), 0)) if self.guess is None else self.guess(features)
        row = self.leaves.of(np.column_stack([features, guess.astype(np.float32)]), stream)
        return self._moved(guess[:, 0], row)[0] if self.moves else row

    def _moved(self, guess: Doubles, row: Ints, but: Ints | None = None) -> tuple[Ints, Ints]:
        """Rows nearest to where guesses lead with what was left over in `row`; and nearest but for rows `but`."""
        wanted = guess + self.left_over[row]
        above = np.searchsorted(self.sorted, wanted).clip(1, self.n_rows - 1)
        place = above - (wanted - self.sorted[above - 1] < self.sorted[above] - wanted)
        nearest = self.order[place]
        if but is None:
            return nearest, nearest
        beside = np.where(place == self.n_rows - 1, place - 1, place + 1)
        return nearest, np.where(nearest == but, self.order[beside], nearest)


def _nats(codes: npt.NDArray[Any], row: Ints, donor: Ints) -> float:
    """Mean negative log-probability of the codes of rows, of each of which several donors' are known."""
    trials = np.bincount(row, minlength=len(codes))
    hits = np.bincount(row[codes[row] == codes[donor]], minlength=len(codes))
    _, own, counts = np.unique(codes, return_inverse=True, return_counts=True)
    return float(-np.log((hits + counts[own] / len(codes)) / (trials + 1)).mean())


class _Leaves:
    """A forest that says which rows of the table lie where a row with such features comes to.

    Parameters
    ----------
    As for `Donors`; there is at least one feature.
    """

    def __init__(
        self,
        features: Singles,
        answers: npt.NDArray[Any],
        stream: np.random.Generator,
        n_trees: int,
        *,
        ordered: bool,
    ) -> None:
        kind, tried = (RandomForestRegressor, FEATURES) if ordered else (RandomForestClassifier, "sqrt")
        self.forest: RandomForestRegressor | RandomForestClassifier = kind(
            n_trees,
            min_samples_leaf=MIN_LEAF,
            max_features=tried,
            max_samples=min(len(features), TREE_ROWS),
            random_state=int(stream.integers(2**31)),
        )
        with warnings.catch_warnings():
            warnings.filterwarnings("ignore", MANY_CLASSES, UserWarning)
            self.forest.fit(features, answers)
        leaves = self.forest.apply(features)
        # All trees' rows in one array, leaf by leaf: a leaf's number is unique among those of all trees.
        self.first_leaf = np.cumsum(leaves.max(axis=0) + 1) - (leaves.max(axis=0) + 1)
        numbers = (leaves + self.first_leaf).T.ravel()
        order = np.argsort(numbers, kind="stable")
        self.rows, self.leaves = order % len(features), numbers[order]
        self.places = np.empty_like(order)
        self.places[order] = np.arange(len(order))

    def unseen(self, stream: np.random.Generator) -> tuple[Ints, Ints]:
        """Pick another row of the leaf for each tree and each row that it has not seen.

        Returns
        -------
        row, donor : ndarray of int64, shape (m,)
            Every row comes up once for each tree that has not seen it, a third of them where trees see as many rows
            as there are.
        """
        n_rows = len(self.places) // len(self.first_leaf)
        new = np.ones((len(self.first_leaf), n_rows), np.bool_)
        for tree, seen in enumerate(self.forest.estimators_samples_):
            new[tree, seen] = False
        place = self.places[np.flatnonzero(new)]
        start, stop = self._leaf(self.leaves[place])
        step = 1 + (stream.random(len(place)) * (stop - start - 1)).astype(np.int64)
        return np.nonzero(new)[1], self.rows[start + (place - start + step) % (stop - start)]

    def of(self, features: Singles, stream: np.random.Generator) -> Ints:
        """Pick a row in the leaf of a random tree for each row of `features`, shape (n,)."""
        tree = stream.integers(len(self.first_leaf), size=len(features))
        wanted = self.forest.apply(features)[np.arange(len(features)), tree] + self.first_leaf[tree]
        start, stop = self._leaf(wanted)
        picked: Ints = self.rows[start + (stream.random(len(features)) * (stop - start)).astype(np.int64)]
        return picked

    def _leaf(self, numbers: Ints) -> tuple[Ints, Ints]:
        """Where leaves begin and end in `rows`."""
        start, stop = (np.searchsorted(self.leaves, numbers, side=side) for side in ("left", "right"))
        return start, stop
