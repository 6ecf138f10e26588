"""Where each column's codes lie: the only owner of offsets."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from functools import cached_property

import numpy as np
import numpy.typing as npt

from synthgan.encoding.bounds import Bound
from synthgan.encoding.cells import CellTable, IntArray
from synthgan.encoding.pairings import Pairing
from synthgan.encoding.relations import Relation
from synthgan.schema.table import ColumnName

__all__ = ["Block", "TableLayout"]


@dataclasses.dataclass(frozen=True, eq=False)
class Block:
    """One drawn variable: a column, one part of a column (the day and the time of day of a datetime), or a flag.

    A flag, of part ``"repeats"``, says whether a number holds the very value that another column of the row holds.

    Parameters
    ----------
    column : str or int
        The column it belongs to.
    part : str
        ``"value"``, ``"day"``, ``"time"``, ``"present"`` or ``"repeats"``.
    cells : CellTable
        Its codes and cells.
    missing_code : int or None
        The code (within the block) that stands for missing.
    interval : ndarray of bool, shape (n_flat,)
        Whether a cell is an interval of numbers, inside which values are spread evenly; the others are single values.
    ordered : bool
        Whether neighbouring codes are neighbouring numbers (missing aside).
    repeated : str or int, optional
        The column that a flag is about too.
    """

    column: ColumnName
    part: str
    cells: CellTable
    missing_code: int | None
    interval: npt.NDArray[np.bool_]
    ordered: bool
    repeated: ColumnName | None = None

    @classmethod
    def flag(cls, column: ColumnName, repeated: ColumnName) -> Block:
        """Make the flag that says whether `column` repeats the value of the column `repeated`."""
        cells = CellTable.from_counts(np.arange(2), np.ones(2))
        return cls(column, "repeats", cells, None, np.zeros(2, np.bool_), False, repeated)

    @property
    def n_codes(self) -> int:
        """Number of codes."""
        return self.cells.n_codes

    @cached_property
    def has_positions(self) -> bool:
        """Whether any code holds more than one value, so that a position has to be kept beside the code."""
        return self.cells.max_cells > 1 or bool(self.interval.any())


@dataclasses.dataclass(frozen=True, eq=False)
class TableLayout:
    """The blocks of a table, side by side on one axis of codes.

    Parameters
    ----------
    blocks : tuple of Block
        In table order, flags last.
    relations : tuple of Relation
        Which numbers lie near which others; those of one target side by side.
    pairings : tuple of Pairing
        Which levels go with which of other columns; those of one target side by side.
    bounds : tuple of Bound
        What orders of two columns leave of the cells of either.
    """

    blocks: tuple[Block, ...]
    relations: tuple[Relation, ...] = ()
    pairings: tuple[Pairing, ...] = ()
    bounds: tuple[Bound, ...] = ()

    def __len__(self) -> int:
        return len(self.blocks)

    @cached_property
    def offsets(self) -> IntArray:
        """First code of each block on the common axis, and the total: shape (n_blocks + 1,)."""
        return np.cumsum([0] + [block.n_codes for block in self.blocks], dtype=np.int64)

    @property
    def n_codes(self) -> int:
        """Number of codes of all blocks together."""
        return int(self.offsets[-1])

    @cached_property
    def positioned(self) -> tuple[int, ...]:
        """The blocks that have positions, in order: column ``i`` of the positions array is block ``positioned[i]``."""
        return tuple(i for i, block in enumerate(self.blocks) if block.has_positions)

    @cached_property
    def n_cells(self) -> IntArray:
        """Cells of every code on the common axis, shape (n_codes,)."""
        parts: Sequence[IntArray] = [block.cells.n_cells for block in self.blocks]
        return np.concatenate([*parts, np.zeros(0, np.int64)])

    @property
    def max_cells(self) -> int:
        """Cells of the richest code of the table."""
        return int(self.n_cells.max(initial=1))

    @cached_property
    def columns(self) -> tuple[ColumnName, ...]:
        """The learned columns, in table order."""
        return tuple(dict.fromkeys(block.column for block in self.blocks))

    def blocks_of(self, column: ColumnName) -> list[int]:
        """Indices of a column's blocks, flags aside; empty for a column that is not learned."""
        return [i for i, block in enumerate(self.blocks) if block.column == column and block.repeated is None]

    @cached_property
    def flags(self) -> dict[frozenset[ColumnName], int]:
        """The block that says whether two columns hold the same number, for the pairs that often do."""
        return {
            frozenset((block.column, block.repeated)): i
            for i, block in enumerate(self.blocks)
            if block.repeated is not None
        }

    @cached_property
    def column_index(self) -> IntArray:
        """Index into `columns` of each block, shape (n_blocks,)."""
        return np.array([self.columns.index(block.column) for block in self.blocks], np.int64)

    @property
    def bytes_per_row(self) -> int:
        """Bytes of an encoded row: one a block, and four for each position."""
        return len(self.blocks) + 4 * len(self.positioned)
