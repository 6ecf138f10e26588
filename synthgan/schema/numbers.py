"""Numbers: the grid they lie on and their bounds."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import numpy.typing as npt

__all__ = ["decimals_of", "step_of"]

MAX_DECIMALS = 9
MIN_LEVELS_FOR_STEP = 20
"""With fewer distinct values a common factor may be chance, and the values are learned one by one anyway."""

SINGLE_DIGITS = 2.0**24
"""Whole numbers from here on are not all floats of single precision."""

_CHUNK = 1024


def decimals_of(values: npt.NDArray[np.floating[Any]]) -> int | None:
    """Return the smallest d such that every value is a multiple of ``10**-d``, or None.

    Parameters
    ----------
    values : float array of shape (n,)
        Finite. Compared at their own precision: a float32 0.1 lies on the grid of tenths.

    Returns
    -------
    int or None
        From 0 to 9; None where no such grid exists, or where it is so fine that any float lies on it: also any of
        single precision, where all have as few digits as these.

    Examples
    --------
    >>> decimals_of(np.array([0.25, 3.0])), decimals_of(np.array([2.0, 7.0])), decimals_of(np.array([np.pi]))
    (2, 0, None)
    >>> decimals_of(np.array([128.88889, 0.6111107]))
    """
    found = _decimals_of(values)
    if found and np.abs(values).max(initial=0.0) * 10.0**found > SINGLE_DIGITS and _are_single(values):
        return None
    return found


def _decimals_of(values: npt.NDArray[np.floating[Any]]) -> int | None:
    eps = float(np.finfo(values.dtype).eps)
    wide = values.astype(np.float64)
    largest = float(np.abs(wide).max(initial=0.0))
    for decimals in range(MAX_DECIMALS + 1):
        scale = 10.0**decimals
        # Beyond this, grid points lie so densely between floats that a match says nothing.
        if largest * scale > (1 / eps if decimals == 0 else min(0.1 / eps, 1e12)):
            return None
        nearest = np.rint(wide * scale) / scale
        # Parsers of text may be off by a unit in the last place or two.
        if bool((np.abs(nearest - wide) <= (2 * eps * np.abs(wide) if decimals else 0)).all()):
            return decimals
    return None


def _are_single(values: npt.NDArray[np.floating[Any]]) -> bool:
    """Whether all are what floats of single precision are written as."""
    with np.errstate(over="ignore"):
        single = values.astype(np.float32)
    starts = range(0, len(values), _CHUNK)
    return all(
        (single[start : start + _CHUNK].astype(str).astype(np.float64) == values[start : start + _CHUNK]).all()
        for start in starts
    )


def step_of(grid: npt.NDArray[np.integer[Any]]) -> int:
    """Return the greatest common divisor of distinct grid indices; 1 where they are too few to tell.

    Examples
    --------
    >>> step_of(np.arange(0, 1000, 25)), step_of(np.array([10, 20]))
    (25, 1)
    """
    if len(grid) < MIN_LEVELS_FOR_STEP:
        return 1
    step = 0
    for start in range(0, len(grid), _CHUNK):
        step = math.gcd(step, *grid[start : start + _CHUNK].tolist())
        if step == 1:
            break
    return max(step, 1)
