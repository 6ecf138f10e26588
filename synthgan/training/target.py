"""Training the target's trees."""

from __future__ import annotations

import math
import time
from typing import NamedTuple

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor

from synthgan.encoding import EncodedTable
from synthgan.models.axis import CodeAxis
from synthgan.models.ensemble import Ensemble
from synthgan.models.features import rows_of
from synthgan.models.target import NumberTrees, TargetTrees, make_target
from synthgan.training.binning import by_code
from synthgan.training.boosting import Tree
from synthgan.training.growth import SHALLOW, Growth
from synthgan.training.tilt import likeliest, share_of

__all__ = ["Fitted", "fit_target", "nats"]

Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]

MAX_TREES, PATIENCE = 2500, 40
"""Trees at most; trees without an improvement on the watched rows after which there are enough."""

LITTLE, LITTLE_MORE = 0.002, 0.0005
"""Shares of the loss without trees: what is next to nothing, for a target that follows from the others is told ever so
little better by each of any number of trees; and what `PATIENCE` trees have to win where rows are few, of which more is
chance."""

MAX_SCORES = 60_000
"""Rows times scores that trees learn from: more of the table's rows are not looked at."""

MANY_WATCHED, N_FOLDS = 250, 5
"""Watched rows that can decide how many trees there are; of fewer, parts that rows are divided in, each of which is
watched by trees that grow on the others."""


class Fitted(NamedTuple):
    """Trees, and what rows say of them that neither they nor the networks have learned from.

    Attributes
    ----------
    trees : TargetTrees
    by_trees, by_networks : ndarray of float64, shape (n_watched,)
        Negative log-probability of each row's target.
    few : bool
        Whether there are so few rows that parts of the table decided how many trees there are.
    n_fitted : float
        Numbers that are fitted to these rows.
    """

    trees: TargetTrees
    by_trees: Floats
    by_networks: Floats
    few: bool
    n_fitted: float


@torch.no_grad()
def fit_target(
    generator: Ensemble,
    target: int,
    table: EncodedTable,
    watched: EncodedTable,
    stream: np.random.Generator,
    max_seconds: float = math.inf,
) -> Fitted:
    """Grow trees that tell a block by all the blocks of other columns.

    As many as do best on the watched rows. Where those are few, trees are shallow, and all rows decide (`N_FOLDS` times
    most of them are learned from, and the others watched); and then all are learned from.

    Parameters
    ----------
    generator : Ensemble
        Folded, in eval mode: says what numbers are like beside what trees say.
    target : int
        The block.
    table, watched : EncodedTable
        Rows that the networks have learned from, and rows that they have not; every cell is known.
    stream : numpy Generator
        Picks rows where there are too many.
    max_seconds : float
        When they are over, no more trees are grown.
    """
    axis, few = generator.axis, len(watched) < MANY_WATCHED
    depth = SHALLOW if few else generator.config.target_depth
    n_scores = make_target(axis, target, 0, depth).leaf.shape[2]
    table = table.take(np.sort(stream.permutation(len(table))[: MAX_SCORES // n_scores]))
    deadline = time.monotonic() + max_seconds
    if few:
        table = EncodedTable.joined([watched, table])
        order = stream.permutation(len(table))
        best = _by_folds(axis, target, table, order, depth, deadline)
        growth = Growth(axis, target, table, watched, depth)
        forest = [growth.tree() for _ in range(best.n_trees)]
    else:
        growth, forest = Growth(axis, target, table, watched, depth), []
        best = _grown([growth], [np.arange(len(watched))], deadline, 0.0, forest)
    out = make_target(axis, target, best.n_trees, depth).to(axis.offsets.device)
    for at, tree in enumerate(forest[: best.n_trees]):
        tree.write(out, at)
    out.bins.copy_(torch.from_numpy(by_code(axis, growth.bins, np.uint8)))
    out.of_codes.copy_(torch.from_numpy(growth.learner.base))
    rows, scores = rows_of(axis, watched), torch.from_numpy(best.scores[: len(watched)]).float().to(axis.offsets.device)
    network, code = generator.given_others(rows, target), rows.codes[:, target] - axis.offsets[target]
    terms = out.terms(network, scores)
    out.tilt.copy_(_best_tilt(out, terms, code, best.loss))
    n_fitted = out.n_fitted * share_of(len(watched))
    return Fitted(out, _nats((terms * out.tilt).sum(dim=2), code), _nats(network, code), few, n_fitted)


class _Best(NamedTuple):
    """The number of trees that do best on rows that they have not learned from, and what they say of these.

    Attributes
    ----------
    loss : float
    n_trees : int
    scores : ndarray of float64, shape (n, S)
    """

    loss: float
    n_trees: int
    scores: Floats


def _by_folds(axis: CodeAxis, target: int, table: EncodedTable, order: Ints, depth: int, deadline: float) -> _Best:
    """Grow trees on all rows but those of each fold, which are watched."""
    folds = [np.sort(order[fold::N_FOLDS]) for fold in range(N_FOLDS)]
    every = np.arange(len(table))
    growths = [Growth(axis, target, table.take(np.setdiff1d(every, own)), table.take(own), depth) for own in folds]
    return _grown(growths, folds, deadline, LITTLE_MORE)


def _grown(
    growths: list[Growth], watched: list[Ints], deadline: float, more: float, forest: list[Tree] | None = None
) -> _Best:
    """Grow trees side by side until the rows that each watches are told no better, or not by a share of `more`.

    `forest` takes the first's.
    """
    share = np.array([len(own) for own in watched]) / sum(map(len, watched))

    def now(n_trees: int) -> _Best:
        scores = np.empty((sum(map(len, watched)), growths[0].scores.shape[1]))
        for growth, own in zip(growths, watched, strict=True):
            scores[own] = growth.scores
        return _Best(float(share @ [growth.loss for growth in growths]), n_trees, scores)

    best = mark = first = now(0)
    for n_trees in range(1, MAX_TREES + 1):
        if best.loss <= LITTLE * first.loss or n_trees > mark.n_trees + PATIENCE or time.monotonic() > deadline:
            break
        trees = [growth.tree() for growth in growths]
        if forest is not None:
            forest.append(trees[0])
        best = min(best, now(n_trees), key=lambda found: found.loss)
        if best.loss < mark.loss - more * first.loss:
            mark = best
    return best


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
    return float(_nats(logits, rows.codes[:, target] - generator.axis.offsets[target]).mean())


def _nats(logits: Tensor, code: Tensor) -> Floats:
    """Negative log-probability of each row's code, shape (n,), by logits (n, C)."""
    found: Floats = -torch.log_softmax(logits, dim=1).gather(1, code[:, None])[:, 0].double().cpu().numpy()
    return found


@torch.no_grad()
def _best_tilt(trees: TargetTrees, terms: Tensor, code: Tensor, loss: float) -> Tensor:
    """The numbers w under which codes (n,) are likeliest, by the terms (n, C, J) of their rows."""
    if isinstance(trees, NumberTrees):
        return likeliest(trees.usual_say(loss), terms.double(), code)
    tilts = [trees.tilt.new_tensor(tilt) for tilt in ((0.0, 1.0), (0.5, 0.5))]
    return min(tilts, key=lambda tilt: float(_nats((terms * tilt).sum(dim=2), code).mean()))
