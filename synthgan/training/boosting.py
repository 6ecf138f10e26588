"""Boosted symmetric trees that tell two tables apart."""

from __future__ import annotations

import dataclasses
from typing import NamedTuple

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor

from synthgan.models.trees import Trees

__all__ = ["Boosting", "Tree", "grow"]

Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]
Bins = npt.NDArray[np.uint8]
Mask = npt.NDArray[np.bool_]

LEARNING_RATE = 0.15
RIDGE = 10.0
"""Added to the second derivatives of a leaf (a row of a class adds at most 1/4, a number 1): few rows say little."""

REAL_SHARE, FAKE_SHARE, COLUMN_SHARE = 0.9, 0.4, 0.7
"""Shares of the table's rows, of the generated rows and of the columns that one tree sees. The table's rows are the few
that everything is learned from; of the generated ones there are more than a tree needs."""


class Tree(NamedTuple):
    """A symmetric tree.

    Attributes
    ----------
    block, threshold : ndarray of int16 and uint8, shape (depth,)
        Its questions: is the block's bin above the threshold?
    value : ndarray of float64, shape (2**depth, M)
        What each leaf adds to the scores; the first question is the highest bit of a leaf's number.
    """

    block: npt.NDArray[np.int16]
    threshold: Bins
    value: Floats

    def leaf(self, bins: Bins) -> Bins:
        """Leaf of each row of `bins` (B, n)."""
        out = np.zeros(bins.shape[1], np.uint8)
        for asked, limit in zip(self.block, self.threshold, strict=True):
            out = 2 * out + (bins[asked] > limit)
        return out

    def write(self, trees: Trees, at: int) -> None:
        """Write this tree into a model's."""
        trees.block[at] = torch.from_numpy(self.block)
        trees.threshold[at] = torch.from_numpy(self.threshold)
        trees.leaf[at] = torch.from_numpy(self.value).view_as(trees.leaf[at])


def grow(bins: Bins, columns: Ints, rows: Ints, slope: Floats, bend: Floats, depth: int, rate: float) -> Tree:
    """Grow one tree by some rows and columns.

    Parameters
    ----------
    bins : ndarray of uint8, shape (B, n)
        What the tree asks about.
    columns, rows : ndarray of int64
        Those that it sees, r rows.
    slope, bend : ndarray of float64, shape (M, r)
        Derivatives of the loss by each of a row's scores; of the second ones those on the diagonal.
    depth : int
        Questions.
    rate : float
        Share of the best step that the leaves take.
    """
    sums = Sums(bins[columns].take(rows, axis=1), slope, bend)
    block, threshold = np.zeros(depth, np.int16), np.zeros(depth, np.uint8)
    for question in range(depth):
        column, threshold[question] = sums.best_question()
        block[question] = columns[column]
        sums.split(column, threshold[question], last=question == depth - 1)
    return Tree(block, threshold, rate * sums.leaf_values(2**depth))


@dataclasses.dataclass(eq=False)
class Boosting:
    """Gradient boosting of the logistic loss with symmetric trees.

    Parameters
    ----------
    bins : ndarray of uint8, shape (B, n)
        What the trees ask about.
    is_real : ndarray of bool, shape (n,)
        What they tell: rows of the table from generated ones, which count as much in all. There should be no fewer of
        these, lest one of them decide about a leaf.
    """

    bins: Bins
    is_real: Mask
    score: Floats = dataclasses.field(init=False)
    share: Floats = dataclasses.field(init=False)
    weight: Floats = dataclasses.field(init=False)

    def __post_init__(self) -> None:
        n_real = self.is_real.sum()
        self.score = np.zeros(len(self.is_real))
        self.share = np.where(self.is_real, REAL_SHARE, FAKE_SHARE)
        balance = np.where(self.is_real, 1.0, n_real / max(len(self.is_real) - n_real, 1))
        self.weight = balance * REAL_SHARE / self.share

    def grow(self, depth: int, stream: np.random.Generator) -> Tree:
        """Add a tree."""
        n_blocks, n_rows = self.bins.shape
        seen = np.flatnonzero(stream.random(n_rows) < self.share)
        columns = np.sort(stream.permutation(n_blocks)[: int(np.ceil(n_blocks * COLUMN_SHARE))])
        p = 1 / (1 + np.exp(-self.score[seen]))
        weight = self.weight[seen]
        slope, bend = (p - self.is_real[seen]) * weight, p * (1 - p) * weight
        tree = grow(self.bins, columns, seen, slope[None], bend[None], depth, LEARNING_RATE)
        self.score += tree.value[tree.leaf(self.bins), 0]
        return tree


class Sums:
    """Sums of the first and second derivatives by leaf, column and bin, as a symmetric tree grows.

    A leaf's sums are those of its two halves: only one of them is summed up, the other is what is left.

    Parameters
    ----------
    bins : ndarray of uint8, shape (C, n)
        Columns and rows that the tree sees.
    slope, bend : ndarray of float64, shape (M, n)
        Derivatives of the loss by the scores of each row.
    """

    def __init__(self, bins: Bins, slope: Floats, bend: Floats) -> None:
        self.bins, self.parts = bins, np.stack([slope, bend])
        self.n_bins = int(bins.max()) + 2  # one bin stays empty: a threshold to try
        self.leaf = np.zeros(bins.shape[1], np.int64)
        self.sums = self._summed(slice(None), 1)

    def best_question(self) -> tuple[int, int]:
        """The column and threshold that lower the loss most when every leaf is split by them (second order)."""
        below = self.sums.cumsum(dim=-1)
        total = below[..., -1:]
        gain = _gain(below) + _gain(total - below)
        best = int(gain.sum(dim=(0, 2))[:, :-1].argmax())
        return best // (self.n_bins - 1), best % (self.n_bins - 1)

    def split(self, column: int, threshold: int, *, last: bool) -> None:
        """Split every leaf; the sums of the `last` leaves are not needed."""
        above = self.bins[column] > threshold
        if not last:
            few = above if 2 * above.sum() < len(above) else ~above
            one = self._summed(np.flatnonzero(few), self.sums.shape[3])
            halves = (self.sums - one, one) if few is above else (one, self.sums - one)
            self.sums = torch.stack(halves, dim=4).flatten(3, 4)
        self.leaf = 2 * self.leaf + above

    def leaf_values(self, n_leaves: int) -> Floats:
        """Best step of the scores in each leaf (second order): shape (n_leaves, M)."""
        slope, bend = ([np.bincount(self.leaf, part, n_leaves) for part in parts] for parts in self.parts)
        value: Floats = -np.stack(slope, axis=1) / (np.stack(bend, axis=1) + RIDGE)
        return value

    def _summed(self, rows: Ints | slice, n_leaves: int) -> Tensor:
        """Sums over some rows, shape (2, M, C, n_leaves, n_bins); each column's in the order of the rows."""
        bins = self.bins[:, rows] if isinstance(rows, slice) else self.bins.take(rows, axis=1)
        index = torch.from_numpy(bins + self.leaf[rows] * self.n_bins)
        out = torch.zeros(2 * self.parts.shape[1], len(bins), n_leaves * self.n_bins, dtype=torch.float64)
        for sums, part in zip(out, self.parts.reshape(len(out), -1), strict=True):
            sums.scatter_add_(1, index, torch.from_numpy(part[rows]).expand(len(bins), -1))
        return out.view(2, -1, len(bins), n_leaves, self.n_bins)


def _gain(sums: Tensor) -> Tensor:
    """What leaves of these sums (2, ...) lower the loss by, twice."""
    return sums[0].square() / (sums[1] + RIDGE)
