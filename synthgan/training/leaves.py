"""Which kinds of rows a table holds, by the leaves of the critic's trees: the shares that a sample is to have."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
import torch

from synthgan.encoding import EncodedTable
from synthgan.models.axis import CodeAxis
from synthgan.models.critic import MAX_KINDS, Critic, keep_probabilities
from synthgan.models.features import rows_of
from synthgan.models.target import has_classes
from synthgan.training.binning import merged

__all__ = ["count_leaves", "group_target", "judged"]

Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]
Bins = npt.NDArray[np.uint8]
Mask = npt.NDArray[np.bool_]

CHUNK_ROWS = 512
"""Rows whose leaves are looked up together: a row takes some bytes for each tree."""

REACH = 1.5
"""A sample is to have at most so many times the share of a kind that chosen candidates have, and as little of it."""

NUMBER_GROUPS = 2
"""A target that is a number is told to be above its median or below: four groups are no better than two."""

OVERLAP_ROWS, OVERLAP_STEPS = 2000, 10
"""Rows of which the trees' overlap is told, and steps of the power method: a tenth more or less is no matter."""


def group_target(critic: Critic, axis: CodeAxis, target: int, table: EncodedTable) -> None:
    """Have a critic without shares tell groups of a target's codes apart: categories, or the halves of a number's rows.

    What models will learn of the table is how the target goes with other columns. A sample whose leaves have the
    right rows may still have the wrong targets in them, by chance.

    Parameters
    ----------
    critic : Critic
        Gets `group`, and room for `share`.
    axis : CodeAxis
        The table's layout.
    target : int
        The block.
    table : EncodedTable
        Says how many rows hold each code. Where there is no room for all categories, the commonest are told apart.
    """
    block, n_leaves = axis.layout.blocks[target], critic.leaf.shape[1]
    room = MAX_KINDS // n_leaves
    mass = np.bincount(table.codes[:, target], minlength=block.n_codes).astype(np.float64)
    if has_classes(block):
        group = np.minimum(np.argsort(np.argsort(-mass, kind="stable")), room - 1)
    else:
        group = merged(mass + 1e-9, min(room, NUMBER_GROUPS))
    group = np.unique(group, return_inverse=True)[1]  # a bin of one heavy code leaves others empty
    critic.target, critic.n_groups = target, int(group.max()) + 1
    critic.group[slice(*axis.bounds(target))] = torch.from_numpy(group.astype(np.uint8)).to(critic.group.device)
    critic.share = critic.leaf.new_zeros(len(critic.leaf), n_leaves * critic.n_groups)


def count_leaves(
    critic: Critic, axis: CodeAxis, table: EncodedTable, fresh: EncodedTable, n_candidates: int, min_rows: int
) -> None:
    r"""Tell which share of a sample's rows is to be of each kind, and how much the trees overlap.

    That is the table's share, or what is nearest to it within `REACH` of what candidates have when they are chosen by
    the critic: a sample is not to want rows that do not come. The overlap is the largest eigenvalue, other than that of
    a constant, of :math:`\frac{1}{K} \sum_k P_k`, where :math:`P_k` takes the mean of each leaf of tree k, whatever the
    target: it says how far a push against all leaves of a kind of rows adds up.

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
        Kinds of fewer rows are counted together, with the smallest others where that is still too few.
    """
    n_kinds = critic.share.shape[1]
    _, kinds = judged(critic, axis, table)
    score, fresh_kinds = judged(critic, axis, fresh)
    chance = keep_probabilities(score, len(fresh) / n_candidates)
    shares = np.zeros((len(kinds), n_kinds))
    for at, (own, other) in enumerate(zip(kinds, fresh_kinds, strict=True)):
        counts = np.bincount(own, minlength=n_kinds)
        offered = np.bincount(other, chance, n_kinds) / chance.sum()
        few = _few((counts < min_rows) | (offered == 0), counts, min_rows)
        wanted, offered = (np.append(side[~few], side[few].sum()) for side in (counts / len(table), offered))
        share = np.clip(wanted, offered / REACH, offered * REACH)
        shares[at, ~few] = share[:-1] / share.sum()
    critic.share.copy_(torch.from_numpy(shares))
    leaves = kinds[:, :OVERLAP_ROWS].astype(np.int64) // critic.n_groups
    critic.overlap.fill_(_overlap(leaves, critic.leaf.shape[1]))


def judged(critic: Critic, axis: CodeAxis, table: EncodedTable) -> tuple[Floats, Bins]:
    """Score of each row, and its kind in each tree, in chunks."""
    scores, kinds = np.empty(len(table)), np.empty((len(critic.leaf), len(table)), np.uint8)
    for start in range(0, len(table), CHUNK_ROWS):
        part = slice(start, start + CHUNK_ROWS)
        score, kind = critic.judge(axis, rows_of(axis, table.take(part)))
        scores[part], kinds[:, part] = score.double().cpu().numpy(), kind.cpu().numpy()
    return scores, kinds


def _few(few: Mask, counts: Ints, min_rows: int) -> Mask:
    """Kinds to count together: those of `few` rows, and the smallest others until all these have enough."""
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
