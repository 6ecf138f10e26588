"""Boosted symmetric trees that ask about the bins of a row's cells."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from synthgan.models.axis import CodeAxis
from synthgan.models.features import Rows

__all__ = ["MAX_DEPTH", "N_BINS", "Trees"]

N_BINS = 256
"""Bins of one block at most, so that a bin fits one byte."""

MAX_DEPTH = 8
"""Questions of a tree at most: it has ``2**depth`` leaves, and the number of one fits a byte."""


class Trees(nn.Module):
    """Symmetric trees.

    A symmetric tree asks the same question in all nodes of one depth (Prokhorenkova et al. 2018, arXiv 1706.09516), so
    a leaf is a number whose bits are the answers.

    Parameters
    ----------
    axis : CodeAxis
        The table's layout.
    n_trees, depth : int
        Number of trees, and questions that each asks.
    value_shape : tuple of int
        Shape of what a leaf holds.

    Attributes
    ----------
    bins : Tensor of uint8, shape (T, M)
        The bin of each cell of each code; bins of numbers ascend, categories are put in an order by training.
    block, threshold : Tensor of int16 and uint8, shape (n_trees, depth)
        Each question: is the block's bin above the threshold?
    leaf : Tensor of float32, shape (n_trees, 2**depth, ...)
        What each leaf adds; the first question is the highest bit.
    """

    bins: Tensor
    block: Tensor
    threshold: Tensor
    leaf: Tensor

    def __init__(self, axis: CodeAxis, n_trees: int, depth: int, value_shape: tuple[int, ...] = ()) -> None:
        super().__init__()
        self.register_buffer("bins", torch.zeros(axis.interval.shape, dtype=torch.uint8))
        self.register_buffer("block", torch.zeros(n_trees, depth, dtype=torch.int16))
        self.register_buffer("threshold", torch.zeros(n_trees, depth, dtype=torch.uint8))
        self.register_buffer("leaf", torch.zeros(n_trees, 2**depth, *value_shape))

    def fits(self, axis: CodeAxis) -> bool:
        """Whether every question is about a block that there is."""
        return bool(((self.block >= 0) & (self.block < len(axis.layout))).all())

    def leaves(self, axis: CodeAxis, rows: Rows) -> Tensor:
        """Return the leaf of each row in each tree, int64, shape (n_trees, n)."""
        bins = self.bins[rows.codes, cells_of(axis, rows)]
        by_block = bins.t().contiguous()  # whole columns are compared at once, a byte an answer
        leaf = torch.zeros(len(self.leaf), len(bins), dtype=torch.uint8, device=bins.device)
        for question in range(self.block.shape[1]):
            answer = by_block[self.block[:, question].long()] > self.threshold[:, question][:, None]
            leaf = leaf * 2 + answer
        return leaf.long()


def cells_of(axis: CodeAxis, rows: Rows) -> Tensor:
    """Return the cell of each code, int64, shape (n, B)."""
    n_cells = axis.n_cells[rows.codes]
    return torch.minimum((rows.positions * n_cells).long(), n_cells - 1)
