"""The critic: how much likelier a row is in the table than among the generator's rows."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor

from synthgan.models.axis import CodeAxis
from synthgan.models.features import Rows
from synthgan.models.trees import Trees, at_cells, cells_of, sum_of_leaves

__all__ = ["MAX_KINDS", "Critic", "keep_probabilities"]

MAX_KINDS = 256
"""Kinds of rows that a tree tells apart at most, so that the number of one fits a byte."""

LEAST_LOG_WEIGHT = -30.0
"""Below the largest: no candidate is quite impossible, so that there are always enough to choose from."""


def keep_probabilities(log_weight: npt.NDArray[np.float64], n_kept: float) -> npt.NDArray[np.float64]:
    """Scale weights, given by their logs (n,), to probabilities of at most one that sum to `n_kept`."""
    weight = np.exp(np.maximum(log_weight - log_weight.max(), LEAST_LOG_WEIGHT))
    share: npt.NDArray[np.float64] = np.minimum(weight * (n_kept / weight.sum()), 1.0)
    while (left := n_kept - share.sum()) > 1e-9 * n_kept and (free := share < 1).any():
        share[free] = np.minimum(share[free] * (1 + left / share[free].sum()), 1.0)
    return share


class Critic(Trees):
    r"""Boosted symmetric trees, plus a term for each cell: an estimate of a log density ratio.

    .. math:: \log \frac{p_\text{table}(x)}{p_\text{generator}(x)} \approx \sum_k v_k[\text{leaf}_k(x)]
       + \sum_b m[c_b, \text{cell}_b]

    It is the discriminator of the finished generator: it is trained to tell its rows from the table's, and at its best
    its logit is that ratio (Goodfellow et al. 2014, arXiv 1406.2661, proposition 1).

    Parameters
    ----------
    axis : CodeAxis
        The table's layout.
    n_trees, depth : int
        Number of trees, and questions that each asks.
    target, n_groups : int
        A block, and how many groups of its codes are told apart when rows are counted.

    Attributes
    ----------
    leaf : Tensor of float32, shape (n_trees, 2**depth)
        Nats for each leaf.
    margin : Tensor of float32, shape (T, M)
        Nats for each cell, by which the weighted rows have the table's marginals.
    group : Tensor of uint8, shape (T,)
        Group of each of the target's codes, from 0; 0 for all others.
    share : Tensor of float32, shape (n_trees, 2**depth * n_groups)
        Share of the table's rows of each kind: in a leaf, with the target in a group. 0 for those that are counted
        together, because they are few.
    overlap : Tensor of float32, shape ()
        How much the trees say the same, from 0 to 1: 1 where all have the same leaves (see `count_leaves`).
    """

    margin: Tensor
    group: Tensor
    share: Tensor
    overlap: Tensor
    of_each_tree = (*Trees.of_each_tree, "share")

    def __init__(self, axis: CodeAxis, n_trees: int, depth: int, target: int = 0, n_groups: int = 1) -> None:
        super().__init__(axis, n_trees, depth)
        self.target, self.n_groups = target, n_groups
        self.register_buffer("margin", torch.zeros(axis.interval.shape))
        self.register_buffer("group", torch.zeros(len(axis.interval), dtype=torch.uint8))
        self.register_buffer("share", torch.zeros(n_trees, 2**depth * n_groups))
        self.register_buffer("overlap", torch.ones(()))

    def counts_rows(self) -> bool:
        """Whether the groups, the shares, and how much trees overlap, are numbers that can be."""
        sums, overlap = self.share.sum(dim=1), self.overlap
        known = bool((self.group < self.n_groups).all())
        return known and bool((self.share >= 0).all() and (sums <= 1 + 1e-4).all() and 0 <= overlap <= 1)

    def forward(self, axis: CodeAxis, rows: Rows) -> Tensor:
        """Return the log ratio of each row, float32, shape (n,)."""
        return self.judge(axis, rows)[0]

    def judge(self, axis: CodeAxis, rows: Rows) -> tuple[Tensor, Tensor]:
        """Return the log ratio of each row, float32, shape (n,), and its kind in each tree, uint8, (n_trees, n).

        A kind is the leaf times the number of groups, plus the group.
        """
        leaves = self.leaves(axis, rows)
        margin = at_cells(self.margin, rows.codes, cells_of(axis, rows)).sum(dim=1)
        kinds = leaves * self.n_groups + self.group[rows.codes[:, self.target]] if self.n_groups > 1 else leaves
        return margin + sum_of_leaves(self.leaf, leaves), kinds
