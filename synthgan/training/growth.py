"""Growing the target's trees."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
import torch

from synthgan.encoding import EncodedTable
from synthgan.models.axis import CodeAxis
from synthgan.models.target import has_classes
from synthgan.training.binning import cells_of_table, look_up, merged, most_bins
from synthgan.training.boosting import Tree, grow

__all__ = ["Classes", "Growth", "Numbers"]

Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]
Bins = npt.NDArray[np.uint8]

MAX_SUMS = 80_000
"""Scores times columns times bins: with more the columns get fewer bins, because a tree sums by all of them in each
leaf."""

SHALLOW, RATE, DEEP_RATE = 3, 0.3, 0.2
"""Questions of a shallow tree; share of the best step that a leaf takes, and of deeper trees that tell categories: half
of it takes twice the trees, which are hardly better."""

FEW_ROWS = 10.0
"""Rows like the whole table's that are added to each category's, when categories are put in an order."""


class Growth:
    """Trees that grow on some rows, and what they say of others.

    Parameters
    ----------
    axis : CodeAxis
        The table's layout.
    target : int
        The block that they tell.
    learned, seen : EncodedTable
        Rows to learn from, and the others; every cell is known.
    depth : int
        Questions of a tree.

    Attributes
    ----------
    learner : Classes or Numbers
        The scores of the rows that are learned from.
    bins : list of ndarray of int64, shape (n_flat,)
        Of each block the bin of each cell.
    scores : ndarray of float64, shape (n_seen, S)
        Those of the others, by the trees so far.
    """

    def __init__(self, axis: CodeAxis, target: int, learned: EncodedTable, seen: EncodedTable, depth: int) -> None:
        block = axis.layout.blocks[target]
        self.depth, self.codes, self.n_rows = depth, seen.codes[:, target], len(learned)
        self.rate = DEEP_RATE if has_classes(block) and depth > SHALLOW else RATE
        self.learner = (Classes if has_classes(block) else Numbers)(learned.codes[:, target], block.n_codes)
        cells = cells_of_table(axis, learned)
        self.bins = _bins(axis, cells, self.learner)
        lookup = [np.asarray(own, np.uint8) for own in self.bins]
        self.rows, self.seen = look_up(lookup, cells), look_up(lookup, cells_of_table(axis, seen))
        self.columns = np.array(
            [at for at, one in enumerate(axis.layout.blocks) if one.column != block.column], np.int64
        )
        self.scores = np.zeros((len(seen), self.learner.scores.shape[1]))

    def tree(self) -> Tree:
        """Grow one more."""
        learner = self.learner
        tree = grow(self.rows, self.columns, np.arange(self.n_rows), *learner.derivatives(), self.depth, self.rate)
        learner.scores += tree.value[tree.leaf(self.rows)]
        self.scores += tree.value[tree.leaf(self.seen)]
        return tree

    @property
    def loss(self) -> float:
        """Of the rows that are not learned from."""
        return self.learner.loss(self.scores, self.codes)


class Classes:
    """The scores of the rows that trees learn from: categories, by the logistic loss.

    Parameters
    ----------
    codes : ndarray of uint8, shape (n,)
        The target's.
    n_codes : int
        How many there are.
    """

    def __init__(self, codes: Bins, n_codes: int) -> None:
        share = np.bincount(codes, minlength=n_codes) + 0.5
        self.base = np.log(share / share.sum())
        self.is_code = np.eye(n_codes)[codes]
        self.scores = np.zeros((len(codes), 1 if n_codes == 2 else n_codes))

    def loss(self, scores: Floats, codes: Bins) -> float:
        """Mean negative log-probability of rows with these scores (n, S)."""
        return -float(np.log(self._probabilities(scores)[np.arange(len(codes)), codes]).mean())

    def derivatives(self) -> tuple[Floats, Floats]:
        """First and second derivatives of the negative log-probability by the scores: (S, n) each.

        Of several scores a step in one moves all probabilities. That counts as twice the bend (as in XGBoost).
        """
        n = self.scores.shape[1]
        p = self._probabilities(self.scores)[:, -n:]
        bend = p * (1 - p) if n == 1 else 2 * p * (1 - p)
        return np.ascontiguousarray((p - self.is_code[:, -n:]).T), np.ascontiguousarray(bend.T)

    def order(self, cells: Ints, n_cells: int) -> Ints:
        """Categories along the axis on which their shares of the target differ most: correspondence analysis."""
        share = self.is_code.mean(axis=0)
        counts = np.stack([np.bincount(cells, is_code, n_cells) for is_code in self.is_code.T], axis=1)
        counts += FEW_ROWS * share
        total = counts.sum(axis=1, keepdims=True)
        profile = (counts / total - share) / np.sqrt(share + 1e-9)
        _, _, axes = np.linalg.svd(np.sqrt(total) * profile, full_matrices=False)
        return np.argsort(profile @ axes[0], kind="stable")

    def _probabilities(self, scores: Floats) -> Floats:
        logits = np.broadcast_to(self.base, (len(scores), len(self.base))).copy()
        logits[:, -scores.shape[1] :] += scores
        power = np.exp(logits - logits.max(axis=1, keepdims=True))
        p: Floats = power / power.sum(axis=1, keepdims=True)
        return p


class Numbers:
    """The scores of the rows that trees learn from: numbers, by the squared error of their normal scores.

    Parameters
    ----------
    codes : ndarray of uint8, shape (n,)
        The target's, in the order of the numbers.
    n_codes : int
        How many there are.
    """

    def __init__(self, codes: Bins, n_codes: int) -> None:
        share = np.bincount(codes, minlength=n_codes) + 0.5
        middle = (share.cumsum() - 0.5 * share) / share.sum()
        self.base = torch.special.ndtri(torch.from_numpy(middle)).numpy()
        self.wanted = self.base[codes][:, None]
        self.scores = np.zeros((len(codes), 1))

    def loss(self, scores: Floats, codes: Bins) -> float:
        """Mean squared error of rows with these scores (n, 1)."""
        return float(np.square(scores[:, 0] - self.base[codes]).mean())

    def derivatives(self) -> tuple[Floats, Floats]:
        """First and second derivatives of half the squared error: (1, n) each."""
        return np.ascontiguousarray((self.scores - self.wanted).T), np.ones((1, len(self.scores)))

    def order(self, cells: Ints, n_cells: int) -> Ints:
        """Categories by the mean of their numbers."""
        total = np.bincount(cells, self.wanted[:, 0], n_cells)
        return np.argsort(total / (np.bincount(cells, minlength=n_cells) + FEW_ROWS), kind="stable")


def _bins(axis: CodeAxis, cells: Ints, learner: Classes | Numbers) -> list[Ints]:
    """The bin of each flat cell of each block: neighbours in value, or categories that are alike in the target."""
    out, blocks = [], axis.layout.blocks
    n_bins = min(most_bins(len(cells)), max(MAX_SUMS // (len(blocks) * learner.scores.shape[1]), 8))
    for index, block in enumerate(blocks):
        n_cells = len(block.cells.code)
        mass = np.bincount(cells[:, index], minlength=n_cells).astype(np.float64)
        order = np.arange(n_cells) if block.ordered else learner.order(cells[:, index], n_cells)
        bins = np.empty(n_cells, np.int64)
        bins[order] = merged(mass[order] + 1e-9, n_bins)
        out.append(bins)
    return out
