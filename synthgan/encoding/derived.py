"""Numbers that follow from another column: a price from a quantity, a square from its root, a month from a date."""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from synthgan.encoding.continuous import Grid
from synthgan.encoding.dtypes import numbers_of, wall_ticks
from synthgan.encoding.temporal import ticks_to_datetime
from synthgan.schema.table import ColumnKind, ColumnName, ColumnSpec, Schema

__all__ = ["Derived", "derived_of_state", "find_derived"]

Floats = npt.NDArray[np.float64]

FUNCTIONS: Mapping[str, Callable[[Floats], Floats]] = {
    "x": lambda x: x,
    "x^2": np.square,
    "sqrt": np.sqrt,
    "log": np.log,
    "exp": np.exp,
    "1/x": np.reciprocal,
}
"""What a number may be a multiple of, plus a constant."""

PARTS = ("year", "quarter", "month", "day", "dayofyear", "dayofweek", "hour", "minute")
"""What of a point in time a whole number may be, plus a constant: names in pandas."""

MIN_ROWS, MIN_DISTINCT = 50, 10
"""Rows, and different numbers in them, from which on an exact fit is no chance (of parts of times 5 are enough)."""

MIN_RANK = 0.99
"""Rank correlation, in absolute value, of numbers that are worth a look."""

RANK_ROWS = 1000
"""Rows that tell it."""

ROUNDED = 2e-6
"""Numbers on no grid may differ by this share of the largest: files hold 7 digits of them."""

DIGITS = 12
"""Digits of a slope that are tried: the fewest with which all rows agree are the ones that somebody chose."""


@dataclasses.dataclass(frozen=True, slots=True)
class Derived:
    """A column of numbers that is ``slope * f(source) + shift``, to the last digit.

    Parameters
    ----------
    target, source : column label
        The column that follows, and the one it follows from.
    function : str
        f: one of `FUNCTIONS` of a number, or of `PARTS` of a point in time.
    slope, shift : float
        The numbers above.
    """

    target: ColumnName
    source: ColumnName
    function: str
    slope: float = 1.0
    shift: float = 0.0

    def values(self, source: pd.Series[Any], spec: ColumnSpec) -> Floats:
        """What follows from the cells of the source, whose `spec` it is; float64, NaN where nothing does."""
        with np.errstate(all="ignore"):
            found = self.slope * _function(self.function, source, spec) + self.shift
        return np.where(np.isfinite(found), found, np.nan)

    def state(self) -> dict[str, Any]:
        """Return plain values that rebuild it."""
        return dataclasses.asdict(self)


def derived_of_state(state: Sequence[Mapping[str, Any]], schema: Schema) -> tuple[Derived, ...]:
    """Rebuild what `Derived.state` returned of columns of this schema.

    Raises
    ------
    ValueError, KeyError, TypeError
        When it is of none.
    """
    found = tuple(Derived(**item) for item in state)
    targets = {one.target for one in found}
    for one in found:
        known = FUNCTIONS if schema[one.source].kind is ColumnKind.NUMERIC else PARTS
        kinds = schema[one.target].kind, schema[one.source].kind
        if kinds[0] is not ColumnKind.NUMERIC or kinds[1] not in (ColumnKind.NUMERIC, ColumnKind.DATETIME):
            raise ValueError("a number follows from a number or a point in time")
        if one.function not in known or one.source in targets or len(targets) < len(found):
            raise ValueError(f"{one.target!r} cannot be {one.function!r} of {one.source!r}")
        if not (math.isfinite(one.slope) and math.isfinite(one.shift)):
            raise ValueError("a slope and a shift are finite")
    return found


def find_derived(frame: pd.DataFrame, schema: Schema) -> tuple[Derived, ...]:
    """Find the numbers that follow from another column in all rows in which both are there.

    Of two columns that follow from each other the later one is derived, or the one that is rounded more coarsely.

    Parameters
    ----------
    frame : DataFrame of shape (n_rows, n_columns)
        Columns as in `schema`.
    schema : Schema
        What they are.
    """
    numbers = {spec.name: numbers_of(frame[spec.name], spec) for spec in schema.of_kind(ColumnKind.NUMERIC)}
    found: dict[ColumnName, Derived] = {}
    sources: set[ColumnName] = set()
    for target, source in _candidates(numbers):
        if target in found or target in sources or source in found:
            continue
        for function in FUNCTIONS:
            with np.errstate(all="ignore"):
                x = FUNCTIONS[function](numbers[source])
            if (line := _line(x, numbers[target], schema[target])) is not None:
                found[target] = Derived(target, source, function, *line)
                sources.add(source)
                break
    for spec in schema.of_kind(ColumnKind.DATETIME):
        for part in PARTS:
            x = _function(part, frame[spec.name], spec)
            for target, values in numbers.items():
                if target in found or target in sources or schema[target].decimals != 0:
                    continue
                if (shift := _shift(x, values)) is not None:
                    found[target] = Derived(target, spec.name, part, 1.0, shift)
    return tuple(found.values())


def _candidates(numbers: Mapping[ColumnName, Floats]) -> list[tuple[ColumnName, ColumnName]]:
    """Pairs of a target and a source whose ranks agree, in the order in which they are looked at."""
    names = list(numbers)
    if len(names) < 2:
        return []
    rows = np.linspace(0, len(numbers[names[0]]) - 1, min(len(numbers[names[0]]), RANK_ROWS)).astype(np.int64)
    rank = pd.DataFrame(dict(enumerate(own[rows] for own in numbers.values()))).corr("spearman").abs().to_numpy()
    close = np.argwhere(np.triu(np.nan_to_num(rank) >= MIN_RANK, k=1))
    # The later of two columns is tried as the target first.
    return [(names[b], names[a]) for a, b in close] + [(names[a], names[b]) for a, b in close]


def _line(x: Floats, values: Floats, spec: ColumnSpec) -> tuple[float, float] | None:
    """Slope and shift with which all rows agree, in as few digits as will do; None where there are none."""
    both = np.isfinite(x) & np.isfinite(values)
    told = np.isfinite(x) | np.isnan(values)
    x, y = x[both], values[both]
    if len(y) < MIN_ROWS or not told.all() or len(np.unique(y[:10_000])) < MIN_DISTINCT or np.ptp(x) == 0:
        return None
    grid = Grid(spec.decimals, spec.step)
    half = max(grid.half * (1 + 1e-6), ROUNDED * float(np.abs(y).max()) if spec.decimals is None else 0.0)
    middle = x.mean()
    slope = float((x - middle) @ y / np.square(x - middle).sum())
    shift = float(y.mean() - slope * middle)
    # Rounding moves the line of least squares by little: a first look at how well it fits.
    if np.abs(y - slope * x - shift).max() > 3 * half + 1e-9 * np.abs(y).max():
        return None
    for fixed in (0.0, float(grid.snap(np.array([shift]))[0]), shift):
        below, above = y - fixed - half, y - fixed + half
        with np.errstate(all="ignore"):
            ends = np.sort([below / x, above / x], axis=0)
        some = x != 0
        if ((below > 0) | (above < 0))[~some].any():
            continue
        low, high = float(ends[0][some].max()), float(ends[1][some].min())
        if low <= high:
            return _shortest(low, high), fixed
    return None


def _shortest(low: float, high: float) -> float:
    """The number of the fewest significant digits from `low` to `high`, the nearest to their middle."""
    middle = (low + high) / 2
    tried = (float(f"{middle:.{digits}g}") for digits in range(1, DIGITS + 1))
    return next((number for number in tried if low <= number <= high), middle)


def _shift(x: Floats, values: Floats) -> float | None:
    """What part of a time all rows differ by; None where they do not agree."""
    both = np.isfinite(x) & np.isfinite(values)
    if both.sum() < MIN_ROWS or (np.isnan(x) & ~np.isnan(values)).any():
        return None
    apart = np.unique(values[both] - x[both])
    enough = len(np.unique(x[both])) >= MIN_DISTINCT // 2
    return float(apart[0]) if enough and len(apart) == 1 else None


def _function(name: str, source: pd.Series[Any], spec: ColumnSpec) -> Floats:
    if spec.kind is ColumnKind.NUMERIC:
        return FUNCTIONS[name](numbers_of(source, spec))
    ticks, missing = wall_ticks(source.reset_index(drop=True), spec)
    part = getattr(ticks_to_datetime(ticks, missing).dt, name)
    return np.asarray(part.to_numpy(dtype=np.float64, na_value=np.nan))
