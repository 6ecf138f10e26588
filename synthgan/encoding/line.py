"""The line on which all of a column's numbers lie, in the few digits that somebody chose."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from synthgan.encoding.grid import Grid
from synthgan.schema.table import ColumnSpec

__all__ = ["MIN_DISTINCT", "MIN_ROWS", "half_widths", "line_through", "n_digits", "rounded", "some_of"]

Floats = npt.NDArray[np.float64]

MIN_ROWS, MIN_DISTINCT = 50, 10
"""Rows, and different numbers in them, from which on an exact fit is no chance."""

FIRST_LOOK = 1000
"""Rows of a first look."""

ROUNDED = 2e-6
"""Numbers on no grid may differ by this share of themselves: files hold 7 digits of them."""

MOST_TIES = 0.02
"""Share of rows at most that are rounded the other way than by us."""

TINY = 1e-12
"""Absolute difference that numbers on no grid may have, for zeros."""

DIGITS, SHIFT_DIGITS = 12, 7
"""Digits of a slope and of a shift that are tried: the fewest with which all rows agree are what somebody chose."""


def line_through(
    x: Floats, values: Floats, spec: ColumnSpec, min_distinct: int = MIN_DISTINCT, error: Floats | float = 0.0
) -> tuple[float, float] | None:
    """Find the slope and shift by which `values` follow from `x`, in as few digits together as will do.

    Parameters
    ----------
    x, values : ndarray of float64, shape (n,)
        What is to follow is rounded as its column is; NaN where there is no number.
    spec : ColumnSpec
        The column of the values.
    min_distinct : int
        Different values that there have to be.
    error : ndarray of float64, shape (n,), or float
        How far x may be off, in units of the values.

    Returns
    -------
    slope, shift : float
        With them all rows agree. None where there are none, or too few rows to tell.
    """
    both = np.isfinite(x) & np.isfinite(values)
    told = np.isfinite(x) | np.isnan(values)
    x, y, error = x[both], values[both], np.broadcast_to(error, both.shape)[both]
    if len(y) < MIN_ROWS or not told.all() or len(np.unique(y[:10_000])) < min_distinct or np.ptp(x) == 0:
        return None
    grid, half = Grid(spec.decimals, spec.step), half_widths(y, spec) + error
    with np.errstate(all="ignore"):
        weight = 1 / np.square(half)
        weight /= weight.sum()
        middle, level = weight @ x, weight @ y
        slope = float((weight * (x - middle)) @ (y - level) / (weight @ np.square(x - middle)))
        shift = float(level - slope * middle)
        # Rounding moves the line of least squares by little: a first look at how well it fits.
        if not (np.abs(y - slope * x - shift) <= 3 * half + 1e-9 * np.abs(y)).all():
            return None
        shifts = (0.0, *rounded(shift, SHIFT_DIGITS), float(grid.snap(np.array([shift]))[0]), shift)
        lines = [line for fixed in shifts if (line := _through(x, y, half, fixed)) is not None]
        # That a year is one more than another is likelier to be meant than that it is 1.0005 times as much.
        lines.sort(key=lambda line: n_digits(line[0]) + n_digits(line[1]))
        return next((line for line in lines if _ties(line, x, y, grid) <= MOST_TIES), None)


def half_widths(y: Floats, spec: ColumnSpec) -> Floats:
    """How far a number may be from what it follows from, of each by itself: a large one must not excuse the others."""
    if spec.decimals is None:
        return ROUNDED * np.abs(y) + TINY
    return np.full(len(y), Grid(spec.decimals, spec.step).half * (1 + 1e-6))


def rounded(number: float, most_digits: int) -> tuple[float, ...]:
    """Round a number to one significant digit, to two, and so on.

    Examples
    --------
    >>> rounded(0.3333, 3)
    (0.3, 0.33, 0.333)
    """
    return tuple(float(f"{number:.{digits}g}") for digits in range(1, most_digits + 1))


def n_digits(number: float) -> int:
    """Significant digits of a number, of `DIGITS` at most; 0 has none.

    Examples
    --------
    >>> [n_digits(number) for number in (0, -1, 200, 0.17, 1.0005)]
    [0, 1, 1, 2, 5]
    """
    return len(f"{abs(number):.{DIGITS - 1}e}".partition("e")[0].replace(".", "").rstrip("0"))


def some_of(n_rows: int) -> npt.NDArray[np.int64]:
    """Rows for a first look, evenly spaced."""
    return np.linspace(0, n_rows - 1, min(n_rows, FIRST_LOOK)).astype(np.int64)


def _through(x: Floats, y: Floats, half: Floats, shift: float) -> tuple[float, float] | None:
    """The line of this shift with which all rows agree."""
    below, above, some = y - shift - half, y - shift + half, x != 0
    ends = np.sort([below[some] / x[some], above[some] / x[some]], axis=0)
    if ((below > 0) | (above < 0))[~some].any():
        return None
    low, high = float(ends[0].max()), float(ends[1].min())
    return (_shortest(low, high), shift) if low <= high else None


def _ties(line: tuple[float, float], x: Floats, y: Floats, grid: Grid) -> float:
    """Share of rows that are rounded the other way: they lie half way between two values of the grid."""
    if grid.decimals is None:
        return 0.0
    return float(np.mean(np.abs(grid.snap(line[0] * x + line[1]) - y) > grid.half))


def _shortest(low: float, high: float) -> float:
    """The number of the fewest significant digits from `low` to `high`, or one over it: the nearest to their middle."""
    number = _fewest_digits(low, high)
    if low * high <= 0:
        return number
    inverse = _fewest_digits(1 / high, 1 / low)
    return 1 / inverse if n_digits(inverse) < n_digits(number) else number


def _fewest_digits(low: float, high: float) -> float:
    middle = (low + high) / 2
    return next((number for number in rounded(middle, DIGITS) if low <= number <= high), middle)
