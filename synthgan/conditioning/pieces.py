"""What a block may hold, as pieces of its cells."""

from __future__ import annotations

import dataclasses

import numpy as np
import numpy.typing as npt

from synthgan.encoding.cells import CellTable, FloatArray, IntArray

__all__ = ["Restriction"]

MIN_WIDTH = 1e-9
"""Weight of a piece that is a single point inside an interval: all such points count alike."""


@dataclasses.dataclass(frozen=True, slots=True, eq=False)
class Restriction:
    """The allowed part of a block, ready to bend what the generator says.

    A *piece* is a part ``[start, stop]`` of a cell; a cell of a single value is one piece (0, 1). The logits of a
    code get the log of the share of its training rows that its pieces hold, those of a cell the log of the share of
    the cell; then one piece of the cell is taken and a place inside it. So every draw lies in a piece, and no draw is
    ever rejected.

    Parameters
    ----------
    code_bonus : ndarray of float64, shape (n_codes,)
        Added to the logits of the codes; ``-inf`` where nothing is allowed.
    cell_bonus : ndarray of float64, shape (n_codes, M)
        Added to the logits of the cells; ``-inf`` where nothing is allowed.
    first, count : ndarray of int64, shape (n_codes, M)
        The pieces of each cell: ``first`` to ``first + count - 1``.
    start, stop : ndarray of float64, shape (n_pieces,)
        Places in [0, 1] inside the cell.
    """

    code_bonus: FloatArray
    cell_bonus: FloatArray
    first: IntArray
    count: IntArray
    start: FloatArray
    stop: FloatArray

    @property
    def whole(self) -> npt.NDArray[np.bool_]:
        """Whether all of a code is allowed, shape (n_codes,)."""
        allowed: npt.NDArray[np.bool_] = self.code_bonus > -MIN_WIDTH
        return allowed

    @classmethod
    def of(cls, cells: CellTable, flat: IntArray, start: FloatArray, stop: FloatArray) -> Restriction:
        """Build from pieces given by flat cell index (at least one), in any order."""
        order = np.argsort(flat, kind="stable")
        flat, start, stop = flat[order], start[order], stop[order]
        shape = (cells.n_codes, cells.max_cells)
        place = (cells.code[flat], flat - cells.first[cells.code[flat]])
        width = np.maximum(stop - start, MIN_WIDTH)
        share = np.zeros(shape)
        np.add.at(share, place, width)
        weight = np.zeros(shape)
        weight[place] = cells.weight[flat]
        count = np.zeros(shape, np.int64)
        np.add.at(count, place, 1)
        first = np.zeros(shape, np.int64)
        first[place] = np.searchsorted(flat, flat)
        with np.errstate(divide="ignore"):
            return cls(np.log((weight * share).sum(axis=1)), np.log(share), first, count, start, stop)

    @classmethod
    def cells_only(cls, cells: CellTable, flat: IntArray) -> Restriction:
        """Allow whole cells."""
        return cls.of(cells, flat, np.zeros(len(flat)), np.ones(len(flat)))
