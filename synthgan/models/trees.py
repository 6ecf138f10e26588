"""Boosted symmetric trees that ask about the bins of a row's cells."""

from __future__ import annotations

from typing import ClassVar

import torch
from torch import Tensor, nn

from synthgan.models.axis import CodeAxis
from synthgan.models.features import Rows

__all__ = ["MAX_DEPTH", "N_BINS", "Trees", "at_cells", "cells_of", "sum_of_leaves"]

N_BINS = 256
"""Bins of one block at most, so that a bin fits one byte."""

MAX_DEPTH = 8
"""Questions of a tree at most: it has ``2**depth`` leaves, and the number of one fits a byte."""

ROWS_AT_ONCE = 512
"""Rows whose answers are worked out together: those to all trees stay in the processor's cache."""


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
    of_each_tree: ClassVar[tuple[str, ...]] = ("block", "threshold", "leaf")

    def __init__(self, axis: CodeAxis, n_trees: int, depth: int, value_shape: tuple[int, ...] = ()) -> None:
        super().__init__()
        self.register_buffer("bins", torch.zeros(axis.interval.shape, dtype=torch.uint8))
        self.register_buffer("block", torch.zeros(n_trees, depth, dtype=torch.int16))
        self.register_buffer("threshold", torch.zeros(n_trees, depth, dtype=torch.uint8))
        self.register_buffer("leaf", torch.zeros(n_trees, 2**depth, *value_shape))

    def keep_first(self, n_trees: int) -> None:
        """Forget all trees but the first so many."""
        for name in self.of_each_tree:
            setattr(self, name, getattr(self, name)[:n_trees].clone())

    def fits(self, axis: CodeAxis) -> bool:
        """Whether every question is about a block that there is."""
        return bool(((self.block >= 0) & (self.block < len(axis.layout))).all())

    def leaves(self, axis: CodeAxis, rows: Rows) -> Tensor:
        """Return the leaf of each row in each tree, uint8, shape (n_trees, n)."""
        bins = at_cells(self.bins, rows.codes, cells_of(axis, rows)).t()  # whole columns are compared at once
        blocks = self.block.t().int()
        parts = [self._leaves(own.contiguous(), blocks) for own in torch.split(bins, ROWS_AT_ONCE, dim=1)]
        return torch.cat(parts, dim=1)

    def _leaves(self, bins: Tensor, blocks: Tensor) -> Tensor:
        """Leaves (n_trees, n) of rows with these bins (B, n); `blocks` (depth, n_trees) are asked about."""
        leaf = torch.zeros(len(self.leaf), bins.shape[1], dtype=torch.uint8, device=bins.device)
        answer = torch.empty_like(leaf)  # bytes: to answer by truth values takes ten times as long
        for block, threshold in zip(blocks, self.threshold.t(), strict=True):
            torch.gt(bins.index_select(0, block), threshold[:, None], out=answer)
            torch.add(answer, leaf, alpha=2, out=leaf)
        return leaf


def cells_of(axis: CodeAxis, rows: Rows) -> Tensor:
    """Return the cell of each code, int64, shape (n, B)."""
    n_cells = axis.n_cells[rows.codes]
    return torch.minimum((rows.positions * n_cells).long(), n_cells - 1)


def sum_of_leaves(values: Tensor, leaves: Tensor) -> Tensor:
    """Sum of what each tree's leaf holds: values (K, L) and leaves of uint8 (K, n) to (n,)."""
    first = torch.arange(0, values.numel(), values.shape[1], dtype=torch.int32, device=values.device)[:, None]
    parts = [
        values.flatten().index_select(0, leaf.int().add_(first).flatten()).view(leaf.shape).sum(dim=0)
        for leaf in torch.split(leaves, ROWS_AT_ONCE, dim=1)
    ]
    return torch.cat(parts) if parts else values.new_zeros(0)


def at_cells(table: Tensor, codes: Tensor, cells: Tensor) -> Tensor:
    """What a table (T, M) of codes' cells holds for each, of the shape of the codes."""
    return table.flatten().index_select(0, (codes * table.shape[1] + cells).flatten()).view(codes.shape)
