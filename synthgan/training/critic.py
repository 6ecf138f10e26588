"""Training the critic: boosted trees against the generator's rows, then the table's marginals."""

from __future__ import annotations

import math
import time

import numpy as np
import numpy.typing as npt
import torch

from synthgan.encoding import EncodedTable
from synthgan.models.axis import CodeAxis
from synthgan.models.critic import Critic, keep_probabilities
from synthgan.models.trees import N_BINS
from synthgan.training.binning import by_code, cells_of_table, look_up, merged, most_bins
from synthgan.training.boosting import Boosting
from synthgan.training.leaves import judged

__all__ = ["fit_critic"]

Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]

MARGIN_BINS, MARGIN_ROWS, MARGIN_ROUNDS = 32, 5.0, 10
"""Bins of equal mass whose weighted share is set to the table's; rows added to both sides; passes over the columns."""


def fit_critic(
    axis: CodeAxis,
    real: EncodedTable,
    fake: EncodedTable,
    n_trees: int,
    depth: int,
    stream: np.random.Generator,
    n_learned: int,
    n_candidates: int,
    max_seconds: float = math.inf,
) -> Critic:
    """Train a critic.

    Parameters
    ----------
    axis : CodeAxis
        The table's layout.
    real, fake : EncodedTable
        Rows of the table, and of the generator; every cell is known.
    n_trees, depth : int
        Trees at most, and questions that each asks.
    stream : numpy Generator
        Draws what each tree sees.
    n_learned : int
        Generated rows that the trees see; the others, fresh to them, set the marginals. Weights differ much, so it
        takes many fresh rows to tell a weighted share.
    n_candidates : int
        Of so many candidates one will be kept, which bounds what a weight can do.
    max_seconds : float
        When they are over, no more trees are grown; one there is.

    Returns
    -------
    Critic
        It knows no shares of rows yet; see `synthgan.training.leaves.count_leaves`.
    """
    began = time.monotonic()
    cells, fake_cells = cells_of_table(axis, real), cells_of_table(axis, fake)
    bins = _bins(axis, cells, fake_cells[:n_learned])
    lookup = [np.asarray(bins[block], np.uint8) for block in range(len(bins))]
    rows = np.concatenate([look_up(lookup, cells), look_up(lookup, fake_cells[:n_learned])], axis=1)
    boosting = Boosting(rows, np.arange(rows.shape[1]) < len(real))
    # Trees are written where they stay: small arrays that are kept between large ones leave the heap in pieces.
    critic, n_grown = Critic(axis, n_trees, depth).to(axis.offsets.device), 0
    while not n_grown or (n_grown < n_trees and time.monotonic() - began <= max_seconds):
        boosting.grow(depth, stream).write(critic, n_grown)
        n_grown += 1
    critic.keep_first(n_grown)
    critic.bins.copy_(torch.from_numpy(by_code(axis, bins, np.uint8)))
    score = judged(critic, axis, fake.take(slice(n_learned, None)))[0]
    margins = _margins(axis, cells, fake_cells[n_learned:], score, n_candidates)
    critic.margin.copy_(torch.from_numpy(by_code(axis, margins, np.float32)))
    return critic


def _bins(axis: CodeAxis, real: Ints, fake: Ints) -> list[Ints]:
    """The bin of each flat cell of each block: neighbours in value, or categories that the two tables hold alike."""
    out = []
    n_bins = most_bins(len(real))
    for index, block in enumerate(axis.layout.blocks):
        n_cells = len(block.cells.code)
        mass = [np.bincount(side[:, index], minlength=n_cells) / len(side) for side in (real, fake)]
        order = np.arange(n_cells)
        if not block.ordered:
            few = MARGIN_ROWS / len(real)
            order = np.argsort((mass[0] + few) / (mass[1] + few), kind="stable")
        bins = np.empty(n_cells, np.int64)
        bins[order] = merged((mass[0] + mass[1])[order], n_bins)
        out.append(bins)
    return out


def _margins(axis: CodeAxis, real: Ints, fake: Ints, score: Floats, n_candidates: int) -> list[Floats]:
    """Nats per flat cell such that the generated rows that are kept have the table's marginals (raking)."""
    groups, wanted = [], []
    for index, block in enumerate(axis.layout.blocks):
        counts = np.bincount(real[:, index], minlength=len(block.cells.code)).astype(np.float64)
        group = merged(counts + 1e-9, MARGIN_BINS) if block.ordered else merged(counts + 1e-9, N_BINS)
        groups.append(group)
        wanted.append(np.bincount(group, counts) / len(real))
    margins = [np.zeros(len(share)) for share in wanted]
    held = [group[fake[:, index]] for index, group in enumerate(groups)]
    score = score.copy()
    few, n_kept = MARGIN_ROWS / len(fake), len(fake) / n_candidates
    for _ in range(MARGIN_ROUNDS):
        for index, share in enumerate(wanted):
            kept = keep_probabilities(score, n_kept)
            found = np.bincount(held[index], kept / n_kept, len(share))
            step = np.log((share + few) / (found + few))
            margins[index] += step
            score += step[held[index]]
    return [margin[group] for margin, group in zip(margins, groups, strict=True)]
