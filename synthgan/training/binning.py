"""Rows as the bins that trees ask about."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from synthgan.encoding import EncodedTable
from synthgan.models.axis import CodeAxis
from synthgan.models.trees import N_BINS

__all__ = ["by_code", "cells_of_table", "look_up", "merged", "most_bins"]

Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]
Bins = npt.NDArray[np.uint8]

ROWS_PER_BIN = 20
"""Rows of the table in a bin of a number, or more: small tables get fewer bins than `N_BINS`."""


def most_bins(n_rows: int) -> int:
    """Bins of a column of so many rows, at most."""
    return int(np.clip(n_rows // ROWS_PER_BIN, 8, N_BINS))


def cells_of_table(axis: CodeAxis, table: EncodedTable) -> Ints:
    """Flat cell of each row in each block, shape (n, B)."""
    out = table.codes.astype(np.int64)
    place = {block: at for at, block in enumerate(axis.layout.positioned)}
    for index, block in enumerate(axis.layout.blocks):
        position = table.positions[:, place[index]] if index in place else np.full(len(table), 0.5, np.float32)
        out[:, index], _ = block.cells.flatten(table.codes[:, index], position)
    return out


def merged(mass: Floats, n_bins: int) -> Ints:
    """Merge neighbours into at most `n_bins` bins of about equal mass."""
    if len(mass) <= n_bins:
        return np.arange(len(mass))
    middle = (mass.cumsum() - 0.5 * mass) / mass.sum()
    bins: Ints = np.minimum((middle * n_bins).astype(np.int64), n_bins - 1)
    return bins


def look_up(lookup: Sequence[Bins], cells: Ints) -> Bins:
    """Bins (B, n) of flat cells (n, B)."""
    return np.stack([table[cells[:, block]] for block, table in enumerate(lookup)])


def by_code(axis: CodeAxis, values: Sequence[npt.NDArray[np.generic]], dtype: npt.DTypeLike) -> npt.NDArray[np.generic]:
    """Spread values per flat cell over the common axis: shape (T, M)."""
    out = np.zeros(tuple(axis.interval.shape), dtype)
    for block, offset, value in zip(axis.layout.blocks, axis.layout.offsets, values, strict=False):
        cell = np.arange(len(block.cells.code)) - block.cells.first[block.cells.code]
        out[offset + block.cells.code, cell] = value
    return out
