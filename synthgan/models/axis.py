"""The table's layout as tensors: what both networks need to know of the codes."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor, nn

from synthgan.encoding.layout import TableLayout

__all__ = ["CodeAxis"]


class CodeAxis(nn.Module):
    """Constant tensors of a `TableLayout`, moved along with the network that owns them.

    Shapes use T = codes of all blocks, B = blocks, P = blocks with positions, M = cells of the richest code.

    Attributes
    ----------
    offsets : Tensor of int64, shape (B,)
        First code of each block.
    last : Tensor of int64, shape (B,)
        Last code of each block.
    block_of : Tensor of int64, shape (T,)
        The block of each code.
    membership : Tensor of float32, shape (T, B)
        One where a code belongs to a block: sums over a block are one product.
    n_cells : Tensor of int64, shape (T,)
        Cells of each code.
    first_cell : Tensor of int64, shape (T,)
        First cell of each code, counted within its block.
    interval : Tensor of bool, shape (T, M)
        Whether a cell is an interval, inside which values are spread evenly.
    log_weight : Tensor of float32, shape (T, M)
        Log share of the code's training rows in each cell; -1e4 where there is no such cell.
    slope : Tensor of int64, shape (T,)
        Index of a code's position feature; codes of a single value share the last one, which is always zero.
    positioned : Tensor of int64, shape (P,)
        The blocks that have positions.
    flags : Tensor of bool, shape (B,)
        Which blocks are flags.
    """

    offsets: Tensor
    last: Tensor
    block_of: Tensor
    membership: Tensor
    n_cells: Tensor
    first_cell: Tensor
    interval: Tensor
    log_weight: Tensor
    slope: Tensor
    kernels: Tensor
    kernel_codes: Tensor
    smoothed_at: Tensor
    smoothed_codes: Tensor
    positioned: Tensor
    flags: Tensor

    def __init__(self, layout: TableLayout) -> None:
        super().__init__()
        self.layout = layout
        n_codes, n_cells = layout.n_codes, layout.max_cells
        interval = np.zeros((n_codes, n_cells), bool)
        log_weight = np.full((n_codes, n_cells), -1e4, np.float32)
        spread = np.zeros(n_codes, bool)
        for block, offset in zip(layout.blocks, layout.offsets, strict=False):
            code = offset + block.cells.code
            cell = np.arange(len(code)) - block.cells.first[block.cells.code]
            interval[code, cell] = block.interval
            log_weight[code, cell] = np.log(block.cells.weight)
            if block.has_positions:
                spread[code] |= (block.cells.n_cells[block.cells.code] > 1) | block.interval
        sizes = np.diff(layout.offsets)
        block_of = np.repeat(np.arange(len(layout)), sizes)
        slope = np.where(spread, np.cumsum(spread) - 1, spread.sum())
        self.n_slopes = int(spread.sum()) + 1
        self._constant("offsets", torch.from_numpy(layout.offsets[:-1].copy()))
        self._constant("last", torch.from_numpy(layout.offsets[1:] - 1))
        self._constant("block_of", torch.from_numpy(block_of))
        self._constant("membership", nn.functional.one_hot(torch.from_numpy(block_of), max(len(layout), 1)).float())
        self._constant("n_cells", torch.from_numpy(layout.n_cells))
        first = np.concatenate([*(block.cells.first for block in layout.blocks), np.zeros(0, np.int64)])
        self._constant("first_cell", torch.from_numpy(first))
        self._constant("interval", torch.from_numpy(interval))
        self._constant("log_weight", torch.from_numpy(log_weight))
        self._constant("slope", torch.from_numpy(slope))
        kernels, codes, valid = _kernels(layout)
        self._constant("kernels", torch.from_numpy(kernels))
        self._constant("kernel_codes", torch.from_numpy(codes))
        # Indices: to pick by a mask would wait for the device.
        self._constant("smoothed_at", torch.from_numpy(np.flatnonzero(valid)))
        self._constant("smoothed_codes", torch.from_numpy(codes[valid]))
        self._constant("positioned", torch.tensor(layout.positioned, dtype=torch.int64))
        self._constant("flags", torch.tensor([block.repeated is not None for block in layout.blocks], dtype=torch.bool))

    def _constant(self, name: str, value: Tensor) -> None:
        self.register_buffer(name, value, persistent=False)  # rebuilt from the encoder, so not part of the weights

    def smooth(self, table: Tensor) -> Tensor:
        """Blend rows of `table` (T, ...) that belong to neighbouring bins of a number; the others stay as they are."""
        if not len(self.kernels):
            return table
        blended = torch.bmm(self.kernels, table[self.kernel_codes])
        return table.index_copy(0, self.smoothed_codes, blended.flatten(0, 1).index_select(0, self.smoothed_at))

    def cell_of(self, codes: Tensor, positions: Tensor) -> Tensor:
        """The cells that codes (any shape) and positions mean, counted within their blocks."""
        n_cells = self.n_cells[codes]
        return self.first_cell[codes] + torch.minimum((positions * n_cells).long(), n_cells - 1)

    def bounds(self, block: int) -> tuple[int, int]:
        """First code of a block, and one past its last."""
        return int(self.layout.offsets[block]), int(self.layout.offsets[block + 1])


KERNEL_WIDTHS = (1.5, 4.0, 12.0)
"""Standard deviations, in bins, of the smoothing kernels."""


def _kernels(layout: TableLayout) -> tuple[npt.NDArray[np.float32], npt.NDArray[np.int64], npt.NDArray[np.bool_]]:
    """One smoothing matrix (Q, K, K) per block of numbers, zero-padded; its codes (Q, K), and which are no padding.

    Half the identity plus half of each Gaussian kernel, whose rows are scaled to norm one.
    """
    blocks = [
        (block, int(offset)) for block, offset in zip(layout.blocks, layout.offsets, strict=False) if block.ordered
    ]
    sizes = [block.n_codes - (block.missing_code is not None) for block, _ in blocks]
    widest = max(sizes, default=0)
    kernels = np.zeros((len(blocks), widest, widest), np.float32)
    codes = np.zeros((len(blocks), widest), np.int64)
    for place, ((_, offset), size) in enumerate(zip(blocks, sizes, strict=True)):
        distance = np.subtract.outer(np.arange(size), np.arange(size))
        kernels[place, :size, :size] = 0.5 * np.eye(size)
        for width in KERNEL_WIDTHS:
            kernel = np.exp(-0.5 * (distance / width) ** 2)
            kernels[place, :size, :size] += 0.5 * kernel / np.sqrt(np.square(kernel).sum(axis=1, keepdims=True))
        codes[place, :size] = offset + np.arange(size)
    return kernels, codes, np.arange(widest) < np.array(sizes, np.int64)[:, None]
