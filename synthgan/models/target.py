"""The target's distribution, given all other columns."""

from __future__ import annotations

import torch
from torch import Tensor
from torch.nn import functional

from synthgan.models.axis import CodeAxis
from synthgan.models.features import Rows
from synthgan.models.trees import Trees

__all__ = ["TargetTrees"]


class TargetTrees(Trees):
    r"""Boosted symmetric trees for the column that the table is about.

    .. math:: \log p(y = c \mid x) = b_c + \sum_k v_k[\text{leaf}_k(x)]_c - \log Z(x)

    A network that answers for any columns given any others learns none of its answers as well as trees learn one. The
    answer that people train models for is worth trees of its own (benchmarks/target.py says how much).

    Parameters
    ----------
    axis : CodeAxis
        The table's layout.
    target : int
        The target's block.
    n_trees, depth : int
        Number of trees, and questions that each asks.

    Attributes
    ----------
    base : Tensor of float32, shape (C,)
        Log share of each of the target's C codes.
    leaf : Tensor of float32, shape (n_trees, 2**depth, S)
        Nats that each leaf adds to each code; where there are two codes, to the second (S = 1).
    """

    base: Tensor

    def __init__(self, axis: CodeAxis, target: int, n_trees: int, depth: int) -> None:
        low, high = axis.bounds(target)
        n_codes = high - low
        super().__init__(axis, n_trees, depth, (n_scores(n_codes),))
        self.target = target
        self.register_buffer("base", torch.zeros(n_codes))

    def fits(self, axis: CodeAxis) -> bool:
        """Whether every question is about a block that there is, and that is not the target's."""
        return super().fits(axis) and not bool((self.block == self.target).any())

    def forward(self, axis: CodeAxis, rows: Rows) -> Tensor:
        """Return logits of the target's codes, float32, shape (n, C); the rows' own targets are not looked at."""
        if not len(self.leaf):
            return self.base.expand(len(rows.codes), -1)
        leaves = self.leaves(axis, rows)
        first = torch.arange(len(self.leaf), device=leaves.device) * self.leaf.shape[1]
        scores = functional.embedding_bag(leaves.t() + first, self.leaf.flatten(0, 1), mode="sum")
        return self.base + with_first(scores, len(self.base))


def n_scores(n_codes: int) -> int:
    """Scores that tell so many codes apart: of two, one is enough."""
    return 1 if n_codes == 2 else n_codes


def with_first(scores: Tensor, n_codes: int) -> Tensor:
    """Scores (n, S) of all codes (n, C)."""
    return functional.pad(scores, (n_codes - scores.shape[1], 0))
