"""The target's distribution, given all other columns."""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import ClassVar

import torch
from torch import Tensor
from torch.nn import functional

from synthgan.encoding.layout import Block
from synthgan.models.axis import CodeAxis
from synthgan.models.features import Rows
from synthgan.models.trees import Trees

__all__ = ["ClassTrees", "NumberTrees", "TargetTrees", "has_classes", "has_numbers", "make_target"]

MAX_CLASSES = 32
"""Categories of a target at most: each has a score of its own in every leaf."""


class TargetTrees(Trees, ABC):
    """Boosted symmetric trees for the column that the table is about.

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
    n_scores : int
        Scores that a leaf adds to.

    Attributes
    ----------
    leaf : Tensor of float32, shape (n_trees, 2**depth, S)
        What each leaf adds to each score.
    reads_network : bool
        Whether the networks have a say.
    n_fitted : int
        Numbers that are fitted to the rows which tell when to stop.
    """

    reads_network: ClassVar[bool]
    n_fitted: ClassVar[int] = 0

    def __init__(self, axis: CodeAxis, target: int, n_trees: int, depth: int, n_scores: int) -> None:
        super().__init__(axis, n_trees, depth, (n_scores,))
        self.target = target

    def fits(self, axis: CodeAxis) -> bool:
        """Whether every question is about a block that there is, and that is not the target's."""
        return super().fits(axis) and not bool((self.block == self.target).any())

    def scores(self, axis: CodeAxis, rows: Rows) -> Tensor:
        """Sum what the rows' leaves add, float32, shape (n, S); the rows' own targets are not looked at."""
        if not len(self.leaf):
            return torch.zeros(len(rows.codes), self.leaf.shape[2], device=self.leaf.device)
        leaves = self.leaves(axis, rows)
        first = torch.arange(len(self.leaf), dtype=torch.int32, device=leaves.device) * self.leaf.shape[1]
        return functional.embedding_bag(leaves.t() + first, self.leaf.flatten(0, 1), mode="sum")

    @abstractmethod
    def forward(self, axis: CodeAxis, rows: Rows, network: Tensor | None) -> Tensor:
        """Return logits of the target's codes, float32, shape (n, C).

        Parameters
        ----------
        axis : CodeAxis
            The table's layout.
        rows : Rows
            All other blocks filled.
        network : Tensor of float32, shape (n, C)
            The networks' logits; not needed where `reads_network` is false.
        """


class ClassTrees(TargetTrees):
    r"""Trees for categories, or for numbers of few values.

    .. math:: \log p(y = c \mid x) = b_c + \sum_k v_k[\text{leaf}_k(x)]_c - \log Z(x)

    Attributes
    ----------
    base : Tensor of float32, shape (C,)
        Log share of each of the target's C codes. Of two codes only the second has a score (S = 1).
    """

    base: Tensor
    reads_network = False

    def __init__(self, axis: CodeAxis, target: int, n_trees: int, depth: int) -> None:
        n_codes = axis.layout.blocks[target].n_codes
        super().__init__(axis, target, n_trees, depth, 1 if n_codes == 2 else n_codes)
        self.register_buffer("base", torch.zeros(n_codes))

    def forward(self, axis: CodeAxis, rows: Rows, network: Tensor | None = None) -> Tensor:  # noqa: ARG002
        """Return logits of the target's codes; see `TargetTrees.forward`."""
        scores = self.scores(axis, rows)
        return self.base + functional.pad(scores, (len(self.base) - scores.shape[1], 0))


class NumberTrees(TargetTrees):
    r"""Trees for a number: they say where it lies on average, and the networks how it is spread.

    .. math:: \log p(y = c \mid x) = a \log p_\text{network}(c \mid x) + b\, \mu(x) z_c - \tfrac{1}{2} g z_c^2
       - \log Z(x), \qquad \mu(x) = \sum_k v_k[\text{leaf}_k(x)]

    with z the normal scores of the target's codes: the networks' distribution to the power a, times a normal one whose
    mean follows the trees' (a product of experts; Hinton 2002, doi 10.1162/089976602760128018). The place inside a
    code comes from the networks.

    Attributes
    ----------
    position : Tensor of float32, shape (C,)
        Normal scores z.
    tilt : Tensor of float32, shape (3,)
        The numbers a, b and g.
    """

    position: Tensor
    tilt: Tensor
    reads_network = True
    n_fitted = 3

    def __init__(self, axis: CodeAxis, target: int, n_trees: int, depth: int) -> None:
        super().__init__(axis, target, n_trees, depth, 1)
        self.register_buffer("position", torch.zeros(axis.layout.blocks[target].n_codes))
        self.register_buffer("tilt", torch.tensor([1.0, 0.0, 0.0]))

    def forward(self, axis: CodeAxis, rows: Rows, network: Tensor | None) -> Tensor:
        """Return logits of the target's codes; see `TargetTrees.forward`."""
        if network is None:
            raise TypeError("the networks' logits are needed")
        return (self.terms(network, self.scores(axis, rows)) * self.tilt).sum(dim=2)

    def terms(self, network: Tensor, mean: Tensor) -> Tensor:
        """What a, b and g are multiplied with: networks' logits (n, C) and the trees' means (n, 1) to (n, C, 3)."""
        logs = torch.log_softmax(network, dim=1)
        square = (-0.5 * self.position**2).expand_as(logs)
        return torch.stack((logs, mean * self.position, square), dim=2)


def has_classes(block: Block) -> bool:
    """Whether a block holds from 2 to `MAX_CLASSES` categories or values, each of which is a code."""
    return 2 <= block.n_codes <= MAX_CLASSES and block.cells.max_cells == 1 and not bool(block.interval.any())


def has_numbers(block: Block) -> bool:
    """Whether a block holds numbers, more than `has_classes` is about, and none of them missing."""
    ordered = block.ordered and block.part == "value" and block.missing_code is None
    return ordered and block.n_codes > 2 and not has_classes(block)


def make_target(axis: CodeAxis, target: int, n_trees: int, depth: int) -> TargetTrees:
    """Return new trees of the kind that the block takes."""
    kind = ClassTrees if has_classes(axis.layout.blocks[target]) else NumberTrees
    return kind(axis, target, n_trees, depth)
