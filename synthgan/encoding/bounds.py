"""What an order of two columns leaves of the cells of one, cell by cell of the other."""

from __future__ import annotations

import dataclasses

import numpy as np

from synthgan.encoding.cells import FloatArray, IntArray
from synthgan.encoding.continuous import NumericEncoder
from synthgan.encoding.temporal import TemporalEncoder

__all__ = ["Bound", "bounds_of"]


@dataclasses.dataclass(frozen=True, slots=True, eq=False)
class Bound:
    """The lowest, or the highest, cells that a block of numbers can be in, by what another one holds.

    Parameters
    ----------
    target, source : int
        The blocks.
    is_least : bool
        Whether it is a lowest cell.
    cell : ndarray of int64, shape (n_flat of the source,)
        That cell of the target, for each cell of the source.
    """

    target: int
    source: int
    is_least: bool
    cell: IntArray


def bounds_of(
    low: int, below: NumericEncoder | TemporalEncoder, high: int, above: NumericEncoder | TemporalEncoder
) -> tuple[Bound, Bound]:
    """Return what an order of two columns means for the cells of either: for their numbers, or their days.

    Parameters
    ----------
    low, high : int
        The columns' first blocks; the second column is never below the first one.
    below, above : NumericEncoder or TemporalEncoder
        The columns' encoders, both of one kind.
    """
    (low_least, _, low_absent), (_, high_most, high_absent) = _reach(below), _reach(above)
    least = np.searchsorted(high_most, low_least, side="left")
    most = np.searchsorted(low_least, high_most, side="right") - 1
    # A cell that holds no number says nothing.
    least = np.append(least.clip(0, len(high_most) - 1), np.zeros(low_absent, np.int64))
    most = np.append(most.clip(0, len(low_least) - 1), np.full(high_absent, len(low_least) - 1))
    return Bound(high, low, True, least), Bound(low, high, False, most)


def _reach(encoder: NumericEncoder | TemporalEncoder) -> tuple[FloatArray, FloatArray, int]:
    """Least and highest number that is encoded as each cell, and how many cells there are that hold none.

    Numbers between two cells go to the nearer one, or the lower one, and those outside all cells to the first or last.
    Days count from 1970.
    """
    number, origin = (encoder.day, encoder.origin) if isinstance(encoder, TemporalEncoder) else (encoder, 0)
    between, unit = (number.high[:-1] + number.low[1:]) / 2, 2 * number.grid.half
    most = np.floor(np.round(between / unit, 9)) * unit if unit else between
    least = most + unit  # between two numbers of a grid there is none
    return np.r_[-np.inf, least] + origin, np.r_[most, np.inf] + origin, number.n_absent
