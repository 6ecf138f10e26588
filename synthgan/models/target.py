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

NETWORKS_SAY, TREES_SAY = 0.8, 0.5
"""Powers to which the distributions of a number by networks and by trees are taken until rows tell better."""


class TargetTrees(Trees, ABC):
    r"""Boosted symmetric trees for the column that the table is about, beside what the networks say of it.

    .. math:: \log p(y = c \mid x) = \sum_j w_j t_j(x, c) - \log Z(x)

    with terms t by networks and trees: a product of experts (Hinton 2002, doi 10.1162/089976602760128018). A network
    that answers for any columns given any others learns none of its answers as well as trees learn one. The answer that
    people train models for is worth trees of its own (benchmarks/target.py says how much).

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
    tilt : tuple of float
        What the terms are multiplied with to begin with.

    Attributes
    ----------
    leaf : Tensor of float32, shape (n_trees, 2**depth, S)
        What each leaf adds to each score.
    tilt : Tensor of float32, shape (J,)
        The numbers w; the first one is the networks'. Rows that the trees have not seen decide on them.
    n_fitted : int
        How many of them are fitted to the rows that tell when to stop.
    drawn_twice : bool
        Whether in every other batch networks draw the target before, among the others, which then follow it too.
    """

    n_fitted: ClassVar[int] = 0
    drawn_twice: ClassVar[bool] = False

    tilt: Tensor

    @property
    def reads_network(self) -> bool:
        """Whether the networks have a say in what is drawn; may wait for the device."""
        return True

    @property
    @abstractmethod
    def of_codes(self) -> Tensor:
        """What is known of each of the target's codes without any row, float32, shape (C,)."""

    def __init__(
        self, axis: CodeAxis, target: int, n_trees: int, depth: int, n_scores: int, tilt: tuple[float, ...]
    ) -> None:
        super().__init__(axis, n_trees, depth, (n_scores,))
        self.target = target
        self.register_buffer("tilt", torch.tensor(tilt))

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

    def forward(self, axis: CodeAxis, rows: Rows, network: Tensor) -> Tensor:
        """Return logits of the target's codes, float32, shape (n, C).

        Parameters
        ----------
        axis : CodeAxis
            The table's layout.
        rows : Rows
            All other blocks filled.
        network : Tensor of float32, shape (n, C) or (1, C)
            The networks' logits; any numbers where they have no say.
        """
        return (self.terms(network, self.scores(axis, rows)) * self.tilt).sum(dim=2)

    @abstractmethod
    def terms(self, network: Tensor, scores: Tensor) -> Tensor:
        """Return the terms, shape (n, C, J), of networks' logits (n, C) and trees' scores (n, S)."""


class ClassTrees(TargetTrees):
    r"""Trees for categories, or for numbers of few values.

    .. math:: \log p(y = c \mid x) = a \log p_\text{network}(c \mid x) + b \log p_\text{trees}(c \mid x) - \log Z(x),
       \qquad \log p_\text{trees}(c \mid x) = \beta_c + \sum_k v_k[\text{leaf}_k(x)]_c - \log Z'(x)

    Attributes
    ----------
    base : Tensor of float32, shape (C,)
        Log share :math:`\beta` of each of the target's C codes. Of two codes only the second has a score (S = 1).
    """

    base: Tensor

    def __init__(self, axis: CodeAxis, target: int, n_trees: int, depth: int) -> None:
        n_codes = axis.layout.blocks[target].n_codes
        super().__init__(axis, target, n_trees, depth, 1 if n_codes == 2 else n_codes, (0.5, 0.5))
        self.register_buffer("base", torch.zeros(n_codes))

    @property
    def reads_network(self) -> bool:
        """Whether the networks have a say; waits for the device."""
        return bool(self.tilt[0] != 0)

    @property
    def of_codes(self) -> Tensor:
        """The base."""
        return self.base

    def terms(self, network: Tensor, scores: Tensor) -> Tensor:
        """Log-probabilities by networks and by trees: (n, C, 2)."""
        trees = self.base + functional.pad(scores, (len(self.base) - scores.shape[1], 0))
        return torch.log_softmax(torch.stack((network.expand_as(trees), trees), dim=2), dim=1)


class NumberTrees(TargetTrees):
    r"""Trees for a number: they say where it lies on average, and the networks how it is spread.

    .. math:: \log p(y = c \mid x) = a \log p_\text{network}(c \mid x) + b\, \mu(x) z_c - \tfrac{1}{2} g z_c^2
       - \log Z(x), \qquad \mu(x) = \sum_k v_k[\text{leaf}_k(x)]

    with z the normal scores of the target's codes: the networks' distribution to the power a, times a normal one whose
    mean follows the trees'. Trees whose mean squared error is s² alone would say b = 1/s² and g = 1/s² - 1: a normal
    distribution around their mean, where all rows together have a standard one. The place inside a code comes from the
    networks.

    Attributes
    ----------
    position : Tensor of float32, shape (C,)
        Normal scores z.
    """

    position: Tensor
    n_fitted = 3
    drawn_twice = True

    def __init__(self, axis: CodeAxis, target: int, n_trees: int, depth: int) -> None:
        super().__init__(axis, target, n_trees, depth, 1, (1.0, 0.0, 0.0))
        self.register_buffer("position", torch.zeros(axis.layout.blocks[target].n_codes))

    @property
    def of_codes(self) -> Tensor:
        """The normal scores."""
        return self.position

    def usual_say(self, loss: float) -> Tensor:
        """Return the tilt, float64, that does well in most tables where trees have this mean squared error.

        Networks have most of their say and trees half of theirs: more than one in all, as they err in different rows.
        """
        powers = (NETWORKS_SAY, TREES_SAY / loss, TREES_SAY * (1 / loss - 1))
        return torch.tensor(powers, dtype=torch.float64, device=self.tilt.device)

    def terms(self, network: Tensor, scores: Tensor) -> Tensor:
        """What a, b and g are multiplied with: (n, C, 3)."""
        means = scores * self.position
        logs, square = (term.expand_as(means) for term in (torch.log_softmax(network, dim=1), -0.5 * self.position**2))
        return torch.stack((logs, means, square), dim=2)


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
