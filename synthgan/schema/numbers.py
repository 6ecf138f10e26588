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

N_SINGLE_DIGITS = 7
"""Digits that floats of single precision have at least, but for those that end in zeros."""

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
        From 0 to 9; None where no such grid exists, or where it is so fine that any float lies on it; also where it
        would have to be that fine because all are floats of single precision, and the large ones have as many digits.

    Examples
    --------
    >>> decimals_of(np.array([0.25, 3.0])), decimals_of(np.array([2.0, 7.0])), decimals_of(np.array([np.pi]))
    (2, 0, None)
    >>> decimals_of(np.append(np.arange(100, 130) / np.float32(9), 0.6111107))
    """
    found = _decimals_of(values)
    large = values[np.abs(values.astype(np.float64)) * 10.0 ** (found or 0) > SINGLE_DIGITS]
    return None if found and len(large) >= MIN_LEVELS_FOR_STEP and _are_single(values, large) else found


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


def _are_single(values: npt.NDArray[np.floating[Any]], large: npt.NDArray[np.floating[Any]]) -> bool:
    """Whether all are what floats of single precision are written as, and most of the large ones in as many digits."""
    with np.errstate(over="ignore"):
        written = [large[:_CHUNK].astype(np.float32).astype(str)]
        digits = [len(text.partition("e")[0].lstrip("-").replace(".", "").strip("0")) for text in written[0]]
        if np.median(digits) < N_SINGLE_DIGITS:
            return False
        starts = range(0, len(values), _CHUNK)
        chunks = (values[start : start + _CHUNK] for start in starts)
        return all((own.astype(np.float32).astype(str).astype(np.float64) == own).all() for own in chunks)


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
