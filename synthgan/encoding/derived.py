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

MIN_RANK = 0.9
"""Rank correlation, in absolute value, of numbers that are worth a look: it is lower where one has more holes."""

RANK_ROWS = 1000
"""Rows that tell it."""

MAX_SOURCES = 8
"""Columns of the nearest ranks that are looked at for one target."""

ROUNDED = 2e-6
"""Numbers on no grid may differ by this share of themselves: files hold 7 digits of them."""

MOST_TIES = 0.02
"""Share of rows at most that are rounded the other way than by us."""

TINY = 1e-12
"""Absolute difference that numbers on no grid may have, for zeros."""

DIGITS, SHIFT_DIGITS = 12, 7
"""Digits of a slope and of a shift that are tried: the fewest with which all rows agree are what somebody chose."""


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
    plain = [spec for spec in schema.of_kind(ColumnKind.NUMERIC) if not spec.is_number_text]
    numbers = {spec.name: numbers_of(frame[spec.name], spec) for spec in plain}
    found: dict[ColumnName, Derived] = {}
    sources: set[ColumnName] = set()
    for target, source in _candidates(numbers):
        if target in found or target in sources or source in found:
            continue
        for function in FUNCTIONS:
            with np.errstate(all="ignore"):
                x = FUNCTIONS[function](numbers[source])
            y, spec, some = numbers[target], schema[target], _some(len(x))
            if _line(x[some], y[some], spec) is not None and (line := _line(x, y, spec)) is not None:
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
    some = _some(len(numbers[names[0]]))
    ranks = pd.DataFrame({place: own[some] for place, own in enumerate(numbers.values())}).rank()
    # A missing cell has the middle rank: where it is missing in both columns that changes little.
    with np.errstate(all="ignore"):
        rank = np.nan_to_num(np.abs(np.corrcoef(ranks.fillna(ranks.mean()).to_numpy().T)))
    np.fill_diagonal(rank, 0.0)
    nearest = np.argsort(-rank, axis=1, kind="stable")[:, :MAX_SOURCES]
    close = sorted({(min(a, b), max(a, b)) for a in range(len(names)) for b in nearest[a] if rank[a, b] >= MIN_RANK})
    # The later of two columns is tried as the target first.
    return [(names[b], names[a]) for a, b in close] + [(names[a], names[b]) for a, b in close]


def _some(n_rows: int) -> npt.NDArray[np.int64]:
    """Rows for a first look."""
    return np.linspace(0, n_rows - 1, min(n_rows, RANK_ROWS)).astype(np.int64)


def _line(x: Floats, values: Floats, spec: ColumnSpec) -> tuple[float, float] | None:
    """Slope and shift with which all rows agree, in as few digits as will do; None where there are none."""
    both = np.isfinite(x) & np.isfinite(values)
    told = np.isfinite(x) | np.isnan(values)
    x, y = x[both], values[both]
    if len(y) < MIN_ROWS or not told.all() or len(np.unique(y[:10_000])) < MIN_DISTINCT or np.ptp(x) == 0:
        return None
    grid = Grid(spec.decimals, spec.step)
    # Of each row its own rounding: one large value must not excuse what others differ by.
    half = np.full(len(y), grid.half * (1 + 1e-6)) if spec.decimals is not None else ROUNDED * np.abs(y) + TINY
    with np.errstate(all="ignore"):
        weight = 1 / np.square(half)
        weight /= weight.sum()
        middle, level = weight @ x, weight @ y
        slope = float((weight * (x - middle)) @ (y - level) / (weight @ np.square(x - middle)))
        shift = float(level - slope * middle)
        # Rounding moves the line of least squares by little: a first look at how well it fits.
        if not (np.abs(y - slope * x - shift) <= 3 * half + 1e-9 * np.abs(y)).all():
            return None
        rounded = (float(f"{shift:.{digits}g}") for digits in range(1, SHIFT_DIGITS + 1))
        shifts = (0.0, *rounded, float(grid.snap(np.array([shift]))[0]), shift)
        lines = (line for fixed in shifts if (line := _through(x, y, half, fixed)) is not None)
        return next((line for line in lines if _ties(line, x, y, grid) <= MOST_TIES), None)


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
