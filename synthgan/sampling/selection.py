"""Choosing among candidates in proportion to their weights."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import pairwise

import numpy as np
import numpy.typing as npt

from synthgan.models.critic import keep_probabilities

__all__ = ["chances", "resample", "resample_groups"]

Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]


def resample(log_weight: Floats, n_kept: int, stream: np.random.Generator) -> Ints:
    """Choose `n_kept` different entries, each with a probability in proportion to its weight, in random order.

    Systematic sampling: entries are laid end to end in random order, each as long as its probability, and a comb of
    `n_kept` teeth is put on them. A probability that would exceed one is one, and the others get what is left.

    Parameters
    ----------
    log_weight : ndarray of float64, shape (n,)
        At least `n_kept` entries.
    n_kept : int
        How many to choose.
    stream : numpy Generator
        Randomness.

    Returns
    -------
    ndarray of int64, shape (n_kept,)
    """
    order = stream.permutation(len(log_weight))
    share = keep_probabilities(log_weight[order], n_kept)
    ends = share.cumsum() * (n_kept / share.sum())
    teeth = np.arange(n_kept) + stream.random()
    chosen = np.minimum(np.searchsorted(ends, teeth, side="right"), len(ends) - 1)
    kept: Ints = order[stream.permutation(chosen)]
    return kept


def resample_groups(log_weight: Floats, group: Ints, stream: np.random.Generator) -> Ints:
    """Choose a candidate for each row among all candidates of the rows of its group.

    Parameters
    ----------
    log_weight : ndarray of float64, shape (k * n,)
        Of k candidates for each row: candidate ``c`` of row ``i`` at ``c * n + i``.
    group : ndarray of int64, shape (n,)
        Rows of one group have the same conditions.
    stream : numpy Generator
        Randomness.

    Returns
    -------
    ndarray of int64, shape (n,)
        Index of the candidate that each row takes; each is taken at most once.
    """
    out = np.empty(len(group), np.int64)
    for rows, candidates in _groups(group, len(log_weight)):
        out[rows] = candidates[resample(log_weight[candidates], len(rows), stream)]
    return out


def chances(log_weight: Floats, group: Ints) -> Floats:
    """Probability that `resample_groups` chooses each candidate, shape (k * n,); they sum to n."""
    out = np.empty(len(log_weight))
    for rows, candidates in _groups(group, len(log_weight)):
        out[candidates] = keep_probabilities(log_weight[candidates], len(rows))
    return out


def _groups(group: Ints, n_candidates: int) -> Iterator[tuple[Ints, Ints]]:
    """The rows of each group, and of `n_candidates` in all those that are theirs."""
    if (group == group[:1]).all():
        yield np.arange(len(group)), np.arange(n_candidates)
        return
    order = np.argsort(group, kind="stable")
    bounds = np.flatnonzero(np.r_[True, np.diff(group[order]) != 0, True])
    every = np.arange(n_candidates).reshape(-1, len(group))
    for start, stop in pairwise(bounds):
        rows = order[start:stop]
        yield rows, every[:, rows].ravel()
