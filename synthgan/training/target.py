"""Training the target's trees."""

from __future__ import annotations

import math
import time

import numpy as np
import numpy.typing as npt
import torch

from synthgan.encoding import EncodedTable
from synthgan.models.axis import CodeAxis
from synthgan.models.ensemble import Ensemble
from synthgan.models.features import rows_of
from synthgan.models.target import TargetTrees, n_scores
from synthgan.training.binning import by_code, cells_of_table, look_up, merged, most_bins
from synthgan.training.boosting import Tree, grow

__all__ = ["fit_target", "nats"]

Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]
Bins = npt.NDArray[np.uint8]

LEARNING_RATE = 0.2
"""Half of it takes twice the trees, which are no better."""

MAX_TREES, PATIENCE = 400, 40
"""Trees at most; trees without an improvement on the watched rows after which there are enough."""

MAX_SCORES, MAX_SUMS = 60_000, 80_000
"""Rows times scores that trees learn from: more of the table's rows are not looked at. Scores times columns times bins:
with more the columns get fewer bins, because a tree sums by all of them in each leaf."""

FEW_ROWS = 10.0
"""Rows with the table's shares of the target that are added to each category's, when categories are put in an order."""


def fit_target(
    axis: CodeAxis,
    target: int,
    depth: int,
    table: EncodedTable,
    watched: EncodedTable,
    stream: np.random.Generator,
    max_seconds: float = math.inf,
) -> TargetTrees:
    """Grow trees that tell a block of categories by all the blocks of other columns.

    Parameters
    ----------
    axis : CodeAxis
        The table's layout.
    target : int
        The block.
    depth : int
        Questions of a tree.
    table, watched : EncodedTable
        Rows to learn from, and rows that tell when to stop; every cell is known.
    stream : numpy Generator
        Picks rows where there are too many.
    max_seconds : float
        When they are over, no more trees are grown.

    Returns
    -------
    TargetTrees
        Those trees that were the best on the watched rows.
    """
    began = time.monotonic()
    low, high = axis.bounds(target)
    picked = np.sort(stream.permutation(len(table))[: MAX_SCORES // n_scores(high - low)])
    table = EncodedTable(table.codes[picked], table.positions[picked], table.known[picked])
    cells = cells_of_table(axis, table)
    learner = _Learner(table.codes[:, target], high - low)
    bins = _bins(axis, cells, learner)
    lookup = [np.asarray(own, np.uint8) for own in bins]
    rows, seen = look_up(lookup, cells), look_up(lookup, cells_of_table(axis, watched))
    column = axis.layout.blocks[target].column
    columns = np.array([at for at, block in enumerate(axis.layout.blocks) if block.column != column], np.int64)
    trees: list[Tree] = []
    scores = np.zeros((len(watched), learner.scores.shape[1]))
    best, n_best = learner.nats(scores, watched.codes[:, target]), 0
    while len(trees) < min(MAX_TREES, n_best + PATIENCE) and time.monotonic() - began < max_seconds:
        tree = grow(rows, columns, np.arange(len(table)), *learner.derivatives(), depth, LEARNING_RATE)
        learner.scores += tree.value[tree.leaf(rows)]
        scores += tree.value[tree.leaf(seen)]
        trees.append(tree)
        if (nats := learner.nats(scores, watched.codes[:, target])) < best:
            best, n_best = nats, len(trees)
    out = TargetTrees(axis, target, n_best, depth).to(axis.offsets.device)
    out.bins.copy_(torch.from_numpy(by_code(axis, bins, np.uint8)))
    out.base.copy_(torch.from_numpy(learner.base))
    for at, tree in enumerate(trees[:n_best]):
        tree.write(out, at)
    return out


@torch.no_grad()
def nats(model: TargetTrees | Ensemble, axis: CodeAxis, target: int, table: EncodedTable) -> float:
    """Mean negative log-probability of the target's codes, given all blocks of other columns.

    Parameters
    ----------
    model : TargetTrees or Ensemble
        An ensemble is folded, in eval mode.
    axis : CodeAxis
        The table's layout.
    target : int
        The block.
    table : EncodedTable
        Every cell known.
    """
    rows = rows_of(axis, table)
    if isinstance(model, TargetTrees):
        logits = model(axis, rows)
    else:
        logits = model.given_others(rows, target)
    logs = torch.log_softmax(logits, dim=1).gather(1, (rows.codes[:, target] - axis.offsets[target])[:, None])
    return -float(logs.double().mean())


class _Learner:
    """The scores of the rows that trees learn from.

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
        self.scores = np.zeros((len(codes), n_scores(n_codes)))

    def nats(self, scores: Floats, codes: Bins) -> float:
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

    def _probabilities(self, scores: Floats) -> Floats:
        logits = np.broadcast_to(self.base, (len(scores), len(self.base))).copy()
        logits[:, -scores.shape[1] :] += scores
        power = np.exp(logits - logits.max(axis=1, keepdims=True))
        p: Floats = power / power.sum(axis=1, keepdims=True)
        return p


def _bins(axis: CodeAxis, cells: Ints, learner: _Learner) -> list[Ints]:
    """The bin of each flat cell of each block: neighbours in value, or categories with alike shares of the target."""
    out, blocks = [], axis.layout.blocks
    n_bins = min(most_bins(len(cells)), max(MAX_SUMS // (len(blocks) * learner.scores.shape[1]), 8))
    for index, block in enumerate(blocks):
        n_cells = len(block.cells.code)
        mass = np.bincount(cells[:, index], minlength=n_cells).astype(np.float64)
        order = np.arange(n_cells) if block.ordered else np.argsort(_first_axis(cells[:, index], n_cells, learner))
        bins = np.empty(n_cells, np.int64)
        bins[order] = merged(mass[order] + 1e-9, n_bins)
        out.append(bins)
    return out


def _first_axis(cells: Ints, n_cells: int, learner: _Learner) -> Floats:
    """Coordinate of each category on the axis along which the target's shares differ most: correspondence analysis."""
    share = learner.is_code.mean(axis=0)
    counts = (
        np.stack([np.bincount(cells, is_code, n_cells) for is_code in learner.is_code.T], axis=1) + FEW_ROWS * share
    )
    total = counts.sum(axis=1, keepdims=True)
    profile = (counts / total - share) / np.sqrt(share + 1e-9)
    _, _, axes = np.linalg.svd(np.sqrt(total) * profile, full_matrices=False)
    first: Floats = profile @ axes[0]
    return first
