"""A condition on one column: from the user's value, set or range to cells."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Set
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from synthgan.conditioning.pieces import Restriction
from synthgan.conditioning.values import exact_values, is_mark, is_missing, read_bounds, read_instant
from synthgan.encoding.categorical import CategoricalEncoder
from synthgan.encoding.cells import FloatArray, IntArray
from synthgan.encoding.continuous import NumericEncoder
from synthgan.encoding.dtypes import wall_clock
from synthgan.encoding.table import ColumnEncoder
from synthgan.encoding.temporal import TICKS_PER_DAY, TemporalEncoder
from synthgan.errors import ConditionError
from synthgan.schema.table import ColumnSpec

__all__ = ["ColumnCondition", "follow_day", "read_condition"]


@dataclasses.dataclass(frozen=True, slots=True, eq=False)
class ByDay:
    """The restriction of the time of day, by the day; a class, because functions made on the way go to no process.

    Parameters
    ----------
    days : dict of float to Restriction
        On some days.
    missing, other : Restriction or None
        Where the day is missing, and on other days; None where that cannot be.
    nearest : bool
        Whether other days are taken for the nearest of these.
    """

    days: dict[float, Restriction] = dataclasses.field(default_factory=dict)
    missing: Restriction | None = None
    other: Restriction | None = None
    nearest: bool = False

    def __call__(self, drawn: FloatArray) -> list[tuple[npt.NDArray[np.bool_], Restriction]]:
        """Group rows by their days (n,), NaN for missing: which rows, and what restricts them."""
        near = _nearest(np.array(sorted(self.days)))(drawn) if self.nearest else drawn
        groups = [(near == day, restriction) for day, restriction in self.days.items()]
        is_missing = np.isnan(drawn)
        if self.missing is not None:
            groups.append((is_missing, self.missing))
        if self.other is not None:
            rest = ~np.isin(near, list(self.days))
            groups.append((rest if self.missing is None else rest & ~is_missing, self.other))
        return groups


@dataclasses.dataclass(frozen=True, slots=True, eq=False)
class ColumnCondition:
    """What one column must hold.

    Parameters
    ----------
    exact : ndarray of shape (1,), or None
        The value, when there is just one, as the encoders take it.
    restrictions : tuple of Restriction
        One per block of the column, when there are several values (with `by_day`: only the day's).
    by_day : callable or None
        The restriction of the time of day, where it depends on the day (see `DayDependent`).
    adjust : callable or None
        Makes decoded numbers or ticks (see `instant_of`) exact: float rounding must not carry them over a bound.
    """

    exact: npt.NDArray[Any] | None = None
    restrictions: tuple[Restriction, ...] = ()
    by_day: ByDay | None = None
    adjust: Callable[[Any], Any] | None = None


def read_condition(spec: ColumnSpec, encoder: ColumnEncoder, wanted: Any) -> ColumnCondition:
    """Read a value, a set (or list) of values, or a ``(low, high)`` range with None for an open end.

    Raises
    ------
    ConditionError
        When no row can satisfy it; says what is known of the column.
    """
    if isinstance(wanted, tuple):
        if isinstance(encoder, CategoricalEncoder) or len(wanted) != 2:
            raise ConditionError(
                f"column {spec.name!r}: a tuple is a range (low, high) of numbers or times; several values are a set"
            )
        return _range(spec, encoder, *wanted)
    if isinstance(wanted, (Set, list, np.ndarray, pd.Series)):
        try:
            values = list(dict.fromkeys(wanted))
        except TypeError:
            raise ConditionError(f"column {spec.name!r}: a set of single values is wanted; got {wanted!r}") from None
        if not values:
            raise ConditionError(f"column {spec.name!r}: an empty set of values; no row can satisfy it")
        return _any_of(spec, encoder, values) if len(values) > 1 else _one(spec, encoder, values[0])
    return _one(spec, encoder, wanted)


def follow_day(encoder: TemporalEncoder) -> ByDay | None:
    """Return the restriction of the time of day that holds without any condition: missing just where the day is."""
    time = encoder.time
    if time is None or time.missing_code is None:
        return None
    missing, present = _missing_cell(time), Restriction.cells_only(time.cells, np.arange(len(time.low)))
    return ByDay(missing=missing, other=present)


def _one(spec: ColumnSpec, encoder: ColumnEncoder, value: Any) -> ColumnCondition:
    if is_missing(value):
        return ColumnCondition(restrictions=_missing(spec, encoder))
    if is_mark(spec, value) and isinstance(encoder, NumericEncoder):
        return ColumnCondition(restrictions=(Restriction.cells_only(encoder.cells, _marks(spec, encoder, [value])),))
    exact = exact_values(spec, encoder, pd.Series([value], dtype=object))
    if isinstance(encoder, CategoricalEncoder):
        return ColumnCondition(exact)
    return ColumnCondition(exact, adjust=lambda values: np.full_like(values, exact[0]))


def _marks(spec: ColumnSpec, encoder: NumericEncoder, marks: list[Any]) -> IntArray:
    """The cells of a column's marks."""
    return len(encoder.low) + np.array([(spec.marks or ()).index(mark) for mark in marks], np.int64)


def _missing(spec: ColumnSpec, encoder: ColumnEncoder) -> tuple[Restriction, ...]:
    parts = _parts(encoder)
    if not parts[0].missing:
        raise ConditionError(f"column {spec.name!r} had no missing cell in training; it cannot be sampled as missing")
    return tuple(_missing_cell(part) for part in parts)


def _missing_cell(encoder: NumericEncoder | CategoricalEncoder) -> Restriction:
    return Restriction.cells_only(encoder.cells, np.array([len(encoder.cells.code) - 1]))


def _any_of(spec: ColumnSpec, encoder: ColumnEncoder, values: list[Any]) -> ColumnCondition:
    known = [value for value in values if not is_missing(value)]
    missing = len(known) < len(values)
    whole = _missing(spec, encoder) if missing else ()
    if not known:
        return ColumnCondition(restrictions=whole)
    if isinstance(encoder, NumericEncoder):
        marks = [value for value in known if is_mark(spec, value)]
        absent = np.append(_marks(spec, encoder, marks), np.full(int(missing), len(encoder.cells.code) - 1))
        known = [value for value in known if not is_mark(spec, value)]
        numbers = np.unique(exact_values(spec, encoder, pd.Series(known, dtype=object))) if known else np.zeros(0)
        adjust = _nearest(numbers) if known else None
        return ColumnCondition(restrictions=(_points(encoder, numbers, absent),), adjust=adjust)
    present = exact_values(spec, encoder, pd.Series(known, dtype=object))
    if isinstance(encoder, CategoricalEncoder):
        flat = pd.Index(encoder.levels, dtype=object).get_indexer(pd.Index(present, dtype=object))
        return ColumnCondition(
            restrictions=(Restriction.cells_only(encoder.cells, _and_missing(encoder, flat, missing)),)
        )
    ticks = np.unique(present)
    days, clocks = (part.astype(np.float64) for part in np.divmod(wall_clock(ticks, spec), TICKS_PER_DAY))
    days -= encoder.origin
    last = np.full(int(missing), len(encoder.day.cells.code) - 1)
    day = _points(encoder.day, np.unique(days), last)
    if encoder.time is None:
        return ColumnCondition(restrictions=(day,), adjust=_nearest(ticks))
    time = encoder.time
    choices = {float(d): _points(time, np.unique(clocks[days == d]), last[:0]) for d in np.unique(days)}
    by_day = ByDay(choices, whole[1] if missing else None, nearest=True)
    return ColumnCondition(restrictions=(day,), by_day=by_day, adjust=_nearest(ticks))


def _range(spec: ColumnSpec, encoder: NumericEncoder | TemporalEncoder, low: Any, high: Any) -> ColumnCondition:
    nothing = ConditionError(
        f"column {spec.name!r}: nothing seen lies from {low} to {high}; the column runs from {spec.low} to {spec.high}"
    )
    if isinstance(encoder, NumericEncoder):
        bounds = read_bounds(spec, low, high)
        if bounds[0] == bounds[1]:
            return _one(spec, encoder, low)
        restriction = _interval(encoder, *bounds)
        if restriction is None:
            raise nothing
        return ColumnCondition(restrictions=(restriction,), adjust=_clip(encoder, *bounds))
    first = read_instant(spec, spec.low if low is None else low)
    last = read_instant(spec, spec.high if high is None else high, end_of_day=high is not None)
    out = _time_range(spec, encoder, first, last)
    if out is None:
        raise nothing
    return out


def _time_range(spec: ColumnSpec, encoder: TemporalEncoder, first: int, last: int) -> ColumnCondition | None:
    """Restrict the day, and on the first and the last day the time of day too."""
    if first > last:
        return None
    # In the hour that the clocks show twice when summer time ends, a later point in time may have an earlier clock.
    walls = sorted(wall_clock(np.array([first, last]), spec).tolist())
    (day_low, clock_low), (day_high, clock_high) = (divmod(wall, TICKS_PER_DAY) for wall in walls)
    day_low, day_high = day_low - encoder.origin, day_high - encoder.origin
    adjust = lambda ticks: np.clip(ticks, first, last)  # noqa: E731
    if encoder.time is None:
        day_low += encoder.midnight < clock_low
        day_high -= encoder.midnight > clock_high
        day = _interval(encoder.day, day_low, day_high)
        return None if day is None else ColumnCondition(restrictions=(day,), adjust=adjust)
    time = encoder.time
    whole = (0.0, float(TICKS_PER_DAY))
    if day_low == day_high:
        ends = {float(day_low): _interval(time, clock_low, clock_high)}
    else:
        ends = {
            float(day_low): _interval(time, clock_low, whole[1]),
            float(day_high): _interval(time, whole[0], clock_high),
        }
    # A first or last day on which no known time of day fits is left out.
    day_low += ends[float(day_low)] is None
    day_high -= ends.get(float(day_high)) is None and day_high >= day_low
    day = _interval(encoder.day, day_low, day_high)
    if day is None:
        return None
    anytime = _interval(time, *whole)
    fitting = {d: restriction for d, restriction in ends.items() if restriction is not None}
    return ColumnCondition(restrictions=(day,), by_day=ByDay(fitting, other=anytime), adjust=adjust)


def _interval(encoder: NumericEncoder, low: float, high: float) -> Restriction | None:
    start, stop = encoder.overlap(low, high)
    flat = np.flatnonzero(~np.isnan(start))
    return Restriction.of(encoder.cells, flat, start[flat], stop[flat]) if len(flat) else None


def _points(encoder: NumericEncoder, numbers: FloatArray, absent: IntArray) -> Restriction:
    """Some numbers, and some cells that hold none."""
    flat, _ = encoder.pieces.place(numbers)
    # A grid value takes the room it has in its cell; a value on no grid is a point, unless rows share it.
    start, stop = encoder.pieces.room(numbers, encoder.grid.half)
    start, stop = np.append(start, np.zeros(len(absent))), np.append(stop, np.ones(len(absent)))
    return Restriction.of(encoder.cells, np.append(flat, absent), start, stop)


def _and_missing(encoder: CategoricalEncoder, flat: IntArray, missing: object) -> IntArray:
    return np.append(flat, len(encoder.levels)) if missing else flat


def _nearest(known: npt.NDArray[Any]) -> Callable[[Any], Any]:
    """Return a function that moves each value to the nearest of the ascending `known` ones; NaN stays."""

    def snap(values: Any) -> Any:
        after = np.clip(np.searchsorted(known, values), 0, len(known) - 1)
        before = np.maximum(after - 1, 0)
        nearest = np.where(np.abs(values - known[before]) <= np.abs(known[after] - values), known[before], known[after])
        return np.where(np.isnan(values), values, nearest) if values.dtype.kind == "f" else nearest

    return snap


def _clip(encoder: NumericEncoder, low: float, high: float) -> Callable[[Any], Any]:
    unit = 2 * encoder.grid.half
    if unit:
        low = low if np.isinf(low) else float(encoder.grid.snap(np.array([np.ceil(round(low / unit, 9)) * unit]))[0])
        high = (
            high if np.isinf(high) else float(encoder.grid.snap(np.array([np.floor(round(high / unit, 9)) * unit]))[0])
        )
    return lambda values: np.clip(values, low, high)


def _parts(encoder: ColumnEncoder) -> list[NumericEncoder | CategoricalEncoder]:
    return list(encoder.parts.values()) if isinstance(encoder, TemporalEncoder) else [encoder]
