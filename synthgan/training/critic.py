"""Training the critic: boosted trees against the generator's rows, then the table's marginals."""

from __future__ import annotations

import math
import time

import numpy as np
import numpy.typing as npt
import torch

from synthgan.encoding import EncodedTable
from synthgan.models.axis import CodeAxis
from synthgan.models.critic import LEAST_LOG_WEIGHT, Critic, keep_probabilities
from synthgan.models.features import rows_of
from synthgan.models.trees import N_BINS
from synthgan.training.binning import by_code, cells_of_table, look_up, merged, most_bins
from synthgan.training.boosting import Boosting, Tree

__all__ = ["count_leaves", "fit_critic"]

Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]
Bins = npt.NDArray[np.uint8]
Mask = npt.NDArray[np.bool_]

MARGIN_BINS, MARGIN_ROWS, MARGIN_ROUNDS = 32, 5.0, 10
"""Bins of equal mass whose weighted share is set to the table's; rows added to both sides; passes over the columns."""

CHUNK_ROWS = 512
"""Rows whose leaves are looked up together: a row takes some bytes for each tree."""

REACH = 1.5
"""A sample is to have at most so many times the share of a leaf that chosen candidates have, and as little of it."""

OVERLAP_ROWS, OVERLAP_STEPS = 2000, 10
"""Rows of which the trees' overlap is told, and steps of the power method: a tenth more or less is no matter."""


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
        It knows no shares of rows yet; see `count_leaves`.
    """
    began = time.monotonic()
    cells, fake_cells = cells_of_table(axis, real), cells_of_table(axis, fake)
    bins = _bins(axis, cells, fake_cells[:n_learned])
    lookup = [np.asarray(bins[block], np.uint8) for block in range(len(bins))]
    rows = np.concatenate([look_up(lookup, cells), look_up(lookup, fake_cells[:n_learned])], axis=1)
    boosting = Boosting(rows, np.arange(rows.shape[1]) < len(real))
    trees: list[Tree] = []
    while not trees or (len(trees) < n_trees and time.monotonic() - began <= max_seconds):
        trees.append(boosting.grow(depth, stream))
    critic = Critic(axis, len(trees), depth).to(axis.offsets.device)
    critic.bins.copy_(torch.from_numpy(by_code(axis, bins, np.uint8)))
    for at, tree in enumerate(trees):
        tree.write(critic, at)
    score, _ = _judged(critic, axis, fake.take(slice(n_learned, None)))
    margins = _margins(axis, cells, fake_cells[n_learned:], score, n_candidates)
    critic.margin.copy_(torch.from_numpy(by_code(axis, margins, np.float32)))
    return critic


def count_leaves(
    critic: Critic, axis: CodeAxis, table: EncodedTable, fresh: EncodedTable, n_candidates: int, min_rows: int
) -> None:
    r"""Tell which share of a sample's rows is to be in each leaf, and how much the trees overlap.

    That is the table's share, or what is nearest to it within `REACH` of what candidates have when they are chosen by
    the critic: a sample is not to want rows that do not come. The overlap is the largest eigenvalue, other than that of
    a constant, of :math:`\frac{1}{K} \sum_k P_k`, where :math:`P_k` takes the mean of each leaf of tree k: it says how
    far a push against all leaves of a kind of rows adds up.

    Parameters
    ----------
    critic : Critic
        Trained; gets `share` and `overlap`.
    axis : CodeAxis
        The table's layout.
    table, fresh : EncodedTable
        Rows of the table, and of the generator such as the trees have not seen; every cell is known.
    n_candidates : int
        Of so many candidates one will be kept.
    min_rows : int
        Leaves of fewer rows are counted together, with the smallest others where that is still too few.
    """
    n_leaves = critic.leaf.shape[1]
    _, leaves = _judged(critic, axis, table)
    score, fresh_leaves = _judged(critic, axis, fresh)
    weight = np.exp(np.maximum(score - score.max(), LEAST_LOG_WEIGHT))
    chance = keep_probabilities(weight, len(fresh) / n_candidates)
    for at, (own, other) in enumerate(zip(leaves, fresh_leaves, strict=True)):
        counts = np.bincount(own, minlength=n_leaves)
        offered = np.bincount(other, chance, n_leaves) / chance.sum()
        few = _few((counts < min_rows) | (offered == 0), counts, min_rows)
        wanted, offered = (np.append(side[~few], side[few].sum()) for side in (counts / len(table), offered))
        share = np.clip(wanted, offered / REACH, offered * REACH)
        critic.share[at, torch.from_numpy(~few)] = torch.from_numpy(share[:-1] / share.sum()).float()
    critic.overlap.fill_(_overlap(leaves[:, :OVERLAP_ROWS].astype(np.int64), n_leaves))


def _judged(critic: Critic, axis: CodeAxis, table: EncodedTable) -> tuple[Floats, Bins]:
    """Score of each row, and its leaf in each tree, in chunks."""
    scores, leaves = np.empty(len(table)), np.empty((len(critic.leaf), len(table)), np.uint8)
    for start in range(0, len(table), CHUNK_ROWS):
        part = slice(start, start + CHUNK_ROWS)
        score, leaf = critic.judge(axis, rows_of(axis, table.take(part)))
        scores[part], leaves[:, part] = score.double().cpu().numpy(), leaf.to(torch.uint8).cpu().numpy()
    return scores, leaves


def _few(few: Mask, counts: Ints, min_rows: int) -> Mask:
    """Leaves to count together: those of `few` rows, and the smallest others until all these have enough."""
    order = np.argsort(np.where(few, -1, counts), kind="stable")
    together = counts[order].cumsum()
    n_few = int(few.sum())
    if n_few and together[n_few - 1] < min_rows:
        n_few = min(int(np.searchsorted(together, min_rows)) + 1, len(counts))
    out = np.zeros(len(counts), np.bool_)
    out[order[:n_few]] = True
    return out


def _overlap(leaves: Ints, n_leaves: int) -> float:
    """Largest eigenvalue of the trees' mean projection onto their leaves, for centred values: the power method."""
    places = leaves + n_leaves * np.arange(len(leaves))[:, None]
    flat, n_places = places.ravel(), n_leaves * len(leaves)
    counts = np.bincount(flat, minlength=n_places).clip(min=1)
    values, found = np.cos(np.arange(leaves.shape[1], dtype=np.float64)), 1.0
    for _ in range(OVERLAP_STEPS):
        values -= values.mean()
        values /= np.linalg.norm(values) + 1e-300
        means = np.bincount(flat, np.tile(values, len(leaves)), n_places) / counts
        moved = means.take(places).mean(axis=0)
        found, values = float(values @ moved), moved
    return float(np.clip(found, 0, 1))


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
            kept = keep_probabilities(np.exp(np.maximum(score - score.max(), LEAST_LOG_WEIGHT)), n_kept)
            found = np.bincount(held[index], kept / n_kept, len(share))
            step = np.log((share + few) / (found + few))
            margins[index] += step
            score += step[held[index]]
    return [margin[group] for margin, group in zip(margins, groups, strict=True)]
