"""A table as codes and positions, and its blocks as features."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from synthgan.encoding.layout import TableLayout

__all__ = ["MAX_COLUMNS", "BlockFeatures", "EncodedTable", "within_bounds"]

MAX_COLUMNS = 32
"""Features of a category at most: its most frequent codes have one each."""


@dataclasses.dataclass(frozen=True, slots=True)
class EncodedTable:
    """Rows as codes and positions.

    Parameters
    ----------
    codes : ndarray of uint8, shape (n_rows, n_blocks)
        The code of each block, counted within the block.
    positions : ndarray of float32, shape (n_rows, n_positioned)
        Place in [0, 1) within the code, for the blocks of `TableLayout.positioned`.
    known : ndarray of bool, shape (n_rows, n_blocks)
        False where the cell holds something the encoder never saw (its code then means nothing).
    """

    codes: npt.NDArray[np.uint8]
    positions: npt.NDArray[np.float32]
    known: npt.NDArray[np.bool_]

    def __len__(self) -> int:
        return len(self.codes)

    def take(self, rows: npt.NDArray[Any] | slice) -> EncodedTable:
        """Return some rows: those of an index array or mask, or of a slice."""
        return EncodedTable(self.codes[rows], self.positions[rows], self.known[rows])

    @classmethod
    def joined(cls, parts: Sequence[EncodedTable]) -> EncodedTable:
        """Return the rows of several tables, one after the other."""
        return cls(*(np.concatenate([getattr(part, name) for part in parts]) for name in cls.__slots__))


class BlockFeatures:
    """A block as features: a number as one, a category as a yes or no for each of its most frequent codes.

    Parameters
    ----------
    layout : TableLayout
        Of the tables.
    table : EncodedTable
        Rows that say which codes are frequent.
    block : int
        Which block.
    """

    def __init__(self, layout: TableLayout, table: EncodedTable, block: int) -> None:
        self.block = block
        self.slot = layout.positioned.index(block) if block in layout.positioned else None
        counts = np.bincount(table.codes[:, block], minlength=layout.blocks[block].n_codes)
        self.frequent = None if layout.blocks[block].ordered else np.argsort(-counts, kind="stable")[:MAX_COLUMNS]

    def of(self, rows: EncodedTable) -> npt.NDArray[np.float32]:
        """Features of rows, shape (n, k)."""
        codes = rows.codes[:, self.block, None]
        if self.frequent is not None:
            held: npt.NDArray[np.float32] = (codes == self.frequent).astype(np.float32)
            return held
        place = 0.5 if self.slot is None else rows.positions[:, self.slot, None]
        feature: npt.NDArray[np.float32] = (codes + place).astype(np.float32)
        return feature


def within_bounds(layout: TableLayout, table: EncodedTable) -> npt.NDArray[np.bool_]:
    """Which rows of a table (every cell known) keep to the bounds of their layout, shape (n_rows,)."""
    cells, keeps = {}, np.ones(len(table), np.bool_)
    for at in {at for one in layout.bounds for at in (one.target, one.source)}:
        inside = table.positions[:, layout.positioned.index(at)] if at in layout.positioned else np.zeros(len(table))
        cells[at], _ = layout.blocks[at].cells.flatten(table.codes[:, at], inside)
    for one in layout.bounds:
        own, end = cells[one.target], one.cell[cells[one.source]]
        absent = table.codes[:, one.target] == layout.blocks[one.target].missing_code
        keeps &= absent | ((own >= end) if one.is_least else (own <= end))
    return keeps
