"""What an order of two columns leaves of the cells of one, cell by cell of the other."""

from __future__ import annotations

import dataclasses

import numpy as np

from synthgan.encoding.cells import FloatArray, IntArray
from synthgan.encoding.continuous import NumericEncoder
from synthgan.encoding.temporal import TemporalEncoder

__all__ = ["Bound", "bounds_of"]

SPARE = 1
"""Cells beyond the last one that is possible: a value beside all cells is encoded as the nearest."""


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
    (low_start, _, low_absent), (high_start, high_stop, high_absent) = _ends(below), _ends(above)
    least = np.searchsorted(high_stop, low_start, side="left") - SPARE
    most = np.searchsorted(low_start, high_stop, side="right") - 1 + SPARE
    # A cell that holds no number says nothing.
    least = np.append(least.clip(0, len(high_start) - 1), np.zeros(low_absent, np.int64))
    most = np.append(most.clip(0, len(low_start) - 1), np.full(high_absent, len(low_start) - 1))
    return Bound(high, low, True, least), Bound(low, high, False, most)


def _ends(encoder: NumericEncoder | TemporalEncoder) -> tuple[FloatArray, FloatArray, int]:
    """Ends of the cells that hold numbers, of which days count from 1970 on, and how many others there are."""
    number, origin = (encoder.day, encoder.origin) if isinstance(encoder, TemporalEncoder) else (encoder, 0)
    return number.low + origin, number.high + origin, number.n_absent
