"""Training the target's trees."""

from __future__ import annotations

import math
import time

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor

from synthgan.encoding import EncodedTable
from synthgan.models.axis import CodeAxis
from synthgan.models.ensemble import Ensemble
from synthgan.models.features import rows_of
from synthgan.models.target import NumberTrees, TargetTrees, has_classes, make_target
from synthgan.training.binning import by_code, cells_of_table, look_up, merged, most_bins
from synthgan.training.boosting import grow

__all__ = ["fit_target", "nats"]

Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]
Bins = npt.NDArray[np.uint8]

MAX_TREES, PATIENCE = 2500, 40
"""Trees at most; trees without an improvement on the watched rows after which there are enough."""

LITTLE = 0.002
"""Share of the loss without trees that is next to nothing: a target that follows from the others is told ever so little
better by each of any number of trees."""

MAX_SCORES, MAX_SUMS = 60_000, 80_000
"""Rows times scores that trees learn from: more of the table's rows are not looked at. Scores times columns times bins:
with more the columns get fewer bins, because a tree sums by all of them in each leaf."""

NEWTON_STEPS, HALVINGS = 20, 12
"""Steps towards the best three numbers, of which a handful do; how often a step is halved that goes too far."""

FEW_ROWS = 10.0
"""Rows like the whole table's that are added to each category's, when categories are put in an order."""


def fit_target(
    generator: Ensemble,
    target: int,
    table: EncodedTable,
    watched: EncodedTable,
    stream: np.random.Generator,
    max_seconds: float = math.inf,
) -> TargetTrees:
    """Grow trees that tell a block by all the blocks of other columns.

    Parameters
    ----------
    generator : Ensemble
        Folded, in eval mode: says what numbers are like beside what trees say.
    target : int
        The block.
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
    axis, depth = generator.axis, generator.config.target_depth
    block = axis.layout.blocks[target]
    n_scores = make_target(axis, target, 0, depth).leaf.shape[2]
    table = table.take(np.sort(stream.permutation(len(table))[: MAX_SCORES // n_scores]))
    cells = cells_of_table(axis, table)
    learner = (_Classes if has_classes(block) else _Numbers)(table.codes[:, target], block.n_codes)
    bins = _bins(axis, cells, learner)
    lookup = [np.asarray(own, np.uint8) for own in bins]
    rows, seen = look_up(lookup, cells), look_up(lookup, cells_of_table(axis, watched))
    columns = np.array([at for at, one in enumerate(axis.layout.blocks) if one.column != block.column], np.int64)
    scores, codes = np.zeros((len(watched), n_scores)), watched.codes[:, target]
    best = first = learner.loss(scores, codes)
    n_best = n_grown = 0
    out = make_target(axis, target, MAX_TREES, depth).to(axis.offsets.device)
    while best > LITTLE * first and n_grown < min(MAX_TREES, n_best + PATIENCE):
        if time.monotonic() - began > max_seconds:
            break
        tree = grow(rows, columns, np.arange(len(table)), *learner.derivatives(), depth, learner.rate)
        tree.write(out, n_grown)
        n_grown += 1
        learner.scores += tree.value[tree.leaf(rows)]
        scores += tree.value[tree.leaf(seen)]
        if (loss := learner.loss(scores, codes)) < best:
            best, n_best = loss, n_grown
    out.keep_first(n_best)
    out.bins.copy_(torch.from_numpy(by_code(axis, bins, np.uint8)))
    out.of_codes.copy_(torch.from_numpy(learner.base))
    if isinstance(out, NumberTrees):
        _fit_tilt(out, generator, watched)
    else:
        tilts = [out.tilt.new_tensor(tilt) for tilt in ((0.0, 1.0), (0.5, 0.5))]
        out.tilt.copy_(min(tilts, key=lambda tilt: _nats_by(out, tilt, generator, watched)))
    return out


@torch.no_grad()
def nats(trees: TargetTrees | None, generator: Ensemble, target: int, table: EncodedTable) -> float:
    """Mean negative log-probability of the target's codes, given all blocks of other columns.

    Parameters
    ----------
    trees : TargetTrees or None
        None asks the networks alone.
    generator : Ensemble
        Folded, in eval mode.
    target : int
        The block.
    table : EncodedTable
        Every cell known.
    """
    rows = rows_of(generator.axis, table)
    logits = generator.given_others(rows, target)
    if trees is not None:
        logits = trees(generator.axis, rows, logits)
    code = rows.codes[:, target] - generator.axis.offsets[target]
    return -float(torch.log_softmax(logits, dim=1).gather(1, code[:, None]).double().mean())


def _nats_by(trees: TargetTrees, tilt: Tensor, generator: Ensemble, table: EncodedTable) -> float:
    trees.tilt.copy_(tilt)
    return nats(trees, generator, trees.target, table)


@torch.no_grad()
def _fit_tilt(trees: NumberTrees, generator: Ensemble, table: EncodedTable) -> None:
    """Set a, b and g to those of the greatest likelihood: Newton's method, with steps halved until the loss falls."""
    axis, rows = generator.axis, rows_of(generator.axis, table)
    terms = trees.terms(generator.given_others(rows, trees.target), trees.scores(axis, rows)).double()
    code = rows.codes[:, trees.target] - axis.offsets[trees.target]
    held = terms[torch.arange(len(code), device=code.device), code]

    def loss(tilt: Tensor) -> float:
        found = torch.logsumexp((terms * tilt).sum(dim=2), dim=1) - (held * tilt).sum(dim=1)
        return float(found.mean())

    tilt = trees.tilt.double()
    least = loss(tilt)
    for _ in range(NEWTON_STEPS):
        p = torch.softmax((terms * tilt).sum(dim=2), dim=1)[..., None]
        mean = (p * terms).sum(dim=1)
        spread = torch.einsum("ncs,nct->nst", p * terms, terms) - mean[:, :, None] * mean[:, None, :]
        ridge = 1e-6 * torch.eye(len(tilt), dtype=tilt.dtype, device=tilt.device)
        step = torch.linalg.solve(spread.mean(dim=0) + ridge, (mean - held).mean(dim=0))
        sizes = (0.5**half for half in range(HALVINGS))
        found = next(((size, now) for size in sizes if (now := loss(tilt - size * step)) < least), None)
        if found is None:
            break
        tilt, least = tilt - found[0] * step, found[1]
    trees.tilt.copy_(tilt)


class _Classes:
    """The scores of the rows that trees learn from: categories, by the logistic loss.

    Parameters
    ----------
    codes : ndarray of uint8, shape (n,)
        The target's.
    n_codes : int
        How many there are.

    Attributes
    ----------
    rate : float
        Share of the best step that a leaf takes: half of it takes twice the trees, which are hardly better.
    """

    rate = 0.2

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


class _Numbers:
    """The scores of the rows that trees learn from: numbers, by the squared error of their normal scores.

    Parameters
    ----------
    codes : ndarray of uint8, shape (n,)
        The target's, in the order of the numbers.
    n_codes : int
        How many there are.

    Attributes
    ----------
    rate : float
        Share of the best step that a leaf takes. Numbers bear larger ones than categories.
    """

    rate = 0.3

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


def _bins(axis: CodeAxis, cells: Ints, learner: _Classes | _Numbers) -> list[Ints]:
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
