"""Cells that too few rows fall into are merged, and interval ends that are values of the table are rounded."""

from __future__ import annotations

import numpy as np

from synthgan.encoding.cells import FloatArray, IntArray

__all__ = ["merge_cells", "round_ends"]


def merge_cells(
    low: FloatArray, high: FloatArray, code: IntArray, mass: FloatArray, min_rows: int, half: float = 0.0
) -> tuple[FloatArray, FloatArray, IntArray, FloatArray]:
    """Merge cells of fewer than `min_rows` rows with a neighbour: of the same code if there is one, the emptier else.

    A frequent single value that takes in a sparse cell stays a single value; other cells become one interval. Codes
    that lose all their cells are left out.

    Parameters
    ----------
    low, high : ndarray of float64, shape (n_cells,)
        Ends, ascending.
    code : ndarray of int64, shape (n_cells,)
        Of each cell, ascending from 0.
    mass : ndarray of float64, shape (n_cells,)
        Rows in each cell.
    min_rows : int
        Rows that each cell will hold at least.
    half : float
        Half the distance of the grid that the values lie on, 0 without one: a sparse single value counts as an interval
        of this much to both sides, so that it does not become the end of one.

    Examples
    --------
    >>> low, high = np.array([0.0, 1.0, 4.0]), np.array([0.0, 3.0, 4.0])
    >>> merge_cells(low, high, np.array([0, 1, 1]), np.array([9.0, 3.0, 1.0]), 4)
    (array([0., 1.]), array([0., 4.]), array([0, 1]), array([9., 4.]))
    """
    widened = half * ((low == high) & (mass < min_rows))
    ends = (low - widened).tolist(), (high + widened).tolist()
    cells = [list(cell) for cell in zip(*ends, code.tolist(), mass.tolist(), strict=True)]
    while len(cells) > 1 and (place := min(range(len(cells)), key=lambda i: cells[i][3])) >= 0:
        if cells[place][3] >= min_rows:
            break
        near = [i for i in (place - 1, place + 1) if 0 <= i < len(cells)]
        other = min(near, key=lambda i: (cells[i][2] != cells[place][2], cells[i][3]))
        (a, b, k, n), (a2, b2, _, n2) = cells[other], cells[place]
        frequent = a == b and n >= min_rows
        cells[other] = [a, b, k, n + n2] if frequent else [min(a, a2), max(b, b2), k, n + n2]
        del cells[place]
    low, high, codes, mass = (np.array(part) for part in zip(*cells, strict=True))
    low[1:] = np.maximum(low[1:], high[:-1])  # grids are not exact in floats
    high = np.maximum(low, high)
    return low, high, np.unique(codes, return_inverse=True)[1].astype(np.int64), mass


def round_ends(low: FloatArray, high: FloatArray, half: float) -> tuple[FloatArray, FloatArray]:
    """Move the ends of intervals that no neighbour shares, which are values of the table, inwards to round numbers.

    On a grid (of distance ``2 half``) they then lie half a step beside it, where no value is. A narrow interval of a
    grid stays as it is: its values are next to each other, and its ends beside the grid already.
    """
    shared_low = np.r_[False, low[1:] == high[:-1]]
    shared_high = np.r_[high[:-1] == low[1:], False]
    width = high - low
    moved = (width > 64 * half) & (width > 0)
    with np.errstate(all="ignore"):  # ends near the limits of floats stay as they are
        unit = np.exp2(np.floor(np.log2(np.where(moved, width, 1.0) / 16)))
        new_low = np.where(moved & ~shared_low, np.ceil(low / unit) * unit + half, low)
        new_high = np.where(moved & ~shared_high, np.floor(high / unit) * unit - half, high)
    fine = np.isfinite(new_low) & np.isfinite(new_high) & (new_low < new_high)
    return np.where(fine, new_low, low), np.where(fine, new_high, high)
