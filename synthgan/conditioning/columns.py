"""A condition on one column: from the user's value, set or range to cells."""

from __future__ import annotations

import dataclasses
import re
from collections.abc import Callable, Set
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from synthgan.conditioning.pieces import Restriction
from synthgan.encoding.categorical import CategoricalEncoder
from synthgan.encoding.cells import FloatArray, IntArray
from synthgan.encoding.continuous import NumericEncoder
from synthgan.encoding.dtypes import wall_ticks
from synthgan.encoding.table import ColumnEncoder
from synthgan.encoding.temporal import TICKS_PER_DAY, TemporalEncoder
from synthgan.errors import ConditionError, SchemaError
from synthgan.schema.table import ColumnSpec

__all__ = ["ColumnCondition", "exact_values", "read_condition"]

ByDay = Callable[[FloatArray], list[tuple[npt.NDArray[np.bool_], Restriction]]]


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
        Makes decoded numbers or ticks exact: float rounding must not carry them over a bound.
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
                f"column {spec.name!r}: a tuple is a (low, high) range of numbers or times; write a set for several values"
            )
        return _range(spec, encoder, *wanted)
    if isinstance(wanted, (Set, list, np.ndarray, pd.Series)):
        values = list(dict.fromkeys(wanted))
        if not values:
            raise ConditionError(f"column {spec.name!r}: an empty set of values; no row can satisfy it")
        return _any_of(spec, encoder, values) if len(values) > 1 else _one(spec, encoder, values[0])
    return _one(spec, encoder, wanted)


def exact_values(spec: ColumnSpec, encoder: ColumnEncoder, values: pd.Series) -> npt.NDArray[Any]:
    """Check values (none missing) that rows must hold and return them as the encoders take them (see `TableEncoder.encode_plain`).

    Raises
    ------
    ConditionError
        For a value the model does not know or the column cannot hold.
    """
    index, distinct = pd.factorize(values)
    if isinstance(encoder, CategoricalEncoder):
        plain = np.empty(len(distinct), object)
        plain[:] = [_level(spec, encoder, value) for value in distinct]
    elif isinstance(encoder, NumericEncoder):
        plain = np.array([_number(spec, encoder, value) for value in distinct], np.float64)
    else:
        plain = np.array([_instant(spec, encoder, value) for value in distinct], np.int64)
    return plain[index]


def _one(spec: ColumnSpec, encoder: ColumnEncoder, value: Any) -> ColumnCondition:
    if pd.api.types.is_scalar(value) and pd.isna(value):
        return ColumnCondition(restrictions=_missing(spec, encoder))
    exact = exact_values(spec, encoder, pd.Series([value], dtype=object))
    if isinstance(encoder, CategoricalEncoder):
        return ColumnCondition(exact)
    return ColumnCondition(exact, adjust=lambda values: np.full_like(values, exact[0]))


def _missing(spec: ColumnSpec, encoder: ColumnEncoder) -> tuple[Restriction, ...]:
    parts = _parts(encoder)
    if parts[0].missing_code is None:
        raise ConditionError(f"column {spec.name!r} had no missing cell in training; it cannot be sampled as missing")
    return tuple(Restriction.cells_only(part.cells, np.array([len(part.cells.code) - 1])) for part in parts)


def _any_of(spec: ColumnSpec, encoder: ColumnEncoder, values: list[Any]) -> ColumnCondition:
    absent = [value for value in values if pd.api.types.is_scalar(value) and pd.isna(value)]
    present = exact_values(
        spec, encoder, pd.Series([v for v in values if not any(v is a for a in absent)], dtype=object)
    )
    missing = _missing(spec, encoder) if absent else None
    if isinstance(encoder, CategoricalEncoder):
        flat = pd.Index(encoder.levels, dtype=object).get_indexer(pd.Index(present, dtype=object))
        return ColumnCondition(
            restrictions=(Restriction.cells_only(encoder.cells, _and_missing(encoder, flat, missing)),)
        )
    if isinstance(encoder, NumericEncoder):
        numbers = np.unique(present)
        return ColumnCondition(restrictions=(_points(encoder, numbers, missing is not None),), adjust=_nearest(numbers))
    if missing:
        raise ConditionError(f"column {spec.name!r}: a set of times cannot hold missing too; sample them apart")
    ticks = np.unique(present)
    days, clocks = (part.astype(np.float64) for part in np.divmod(ticks, TICKS_PER_DAY))
    days -= encoder.origin
    day = _points(encoder.day, np.unique(days), False)
    if encoder.time is None:
        return ColumnCondition(restrictions=(day,), adjust=_nearest(ticks))
    time = encoder.time
    choices = {float(d): _points(time, clocks[days == d], False) for d in np.unique(days)}

    def by_day(drawn: FloatArray) -> list[tuple[npt.NDArray[np.bool_], Restriction]]:
        near = _nearest(np.unique(days))(drawn)
        return [(near == d, restriction) for d, restriction in choices.items()]

    return ColumnCondition(restrictions=(day,), by_day=by_day, adjust=_nearest(ticks))


def _range(spec: ColumnSpec, encoder: ColumnEncoder, low: Any, high: Any) -> ColumnCondition:
    if isinstance(encoder, NumericEncoder):
        bounds = tuple(
            default if end is None else _float(spec, end) for end, default in ((low, -np.inf), (high, np.inf))
        )
        restriction = _interval(encoder, *bounds)
        if restriction is None:
            raise ConditionError(
                f"column {spec.name!r}: no value seen lies from {low} to {high}; the column runs from {spec.low} to {spec.high}"
            )
        return ColumnCondition(restrictions=(restriction,), adjust=_clip(encoder, *bounds))
    assert isinstance(encoder, TemporalEncoder)
    first = encoder.origin * TICKS_PER_DAY if low is None else _bound(spec, low, end_of_day=False)
    last = (encoder.origin + 4_000_000) * TICKS_PER_DAY if high is None else _bound(spec, high, end_of_day=True)
    out = _time_range(encoder, first, last)
    if out is None:
        raise ConditionError(
            f"column {spec.name!r}: no time seen lies from {low} to {high}; the column runs from {spec.low} to {spec.high}"
        )
    return out


def _time_range(encoder: TemporalEncoder, first: int, last: int) -> ColumnCondition | None:
    """Restrict the day, and on the first and the last day the time of day too."""
    (day_low, clock_low), (day_high, clock_high) = divmod(first, TICKS_PER_DAY), divmod(last, TICKS_PER_DAY)
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

    def by_day(drawn: FloatArray) -> list[tuple[npt.NDArray[np.bool_], Restriction]]:
        other = ~np.isin(drawn, list(fitting))
        groups = [(drawn == d, restriction) for d, restriction in fitting.items()]
        return groups + ([(other, anytime)] if anytime is not None else [])

    return ColumnCondition(restrictions=(day,), by_day=by_day, adjust=adjust)


def _interval(encoder: NumericEncoder, low: float, high: float) -> Restriction | None:
    start, stop = encoder.overlap(low, high)
    flat = np.flatnonzero(~np.isnan(start))
    return Restriction.of(encoder.cells, flat, start[flat], stop[flat]) if len(flat) else None


def _points(encoder: NumericEncoder, numbers: FloatArray, missing: bool) -> Restriction:
    code, position, _ = encoder.encode(numbers)
    flat, inside = encoder.cells.flatten(code, position)
    whole = ~encoder.interval[flat]
    # A grid value takes the room it has in its cell; a value on no grid is a point.
    width = encoder.high[np.minimum(flat, len(encoder.high) - 1)] - encoder.low[np.minimum(flat, len(encoder.low) - 1)]
    half = np.divide(encoder.grid.half, width, out=np.zeros(len(flat)), where=width > 0)
    start = np.where(whole, 0.0, np.clip(inside - half, 0, 1))
    stop = np.where(whole, 1.0, np.clip(inside + half, 0, 1))
    if missing:
        flat = np.append(flat, len(encoder.cells.code) - 1)
        start, stop = np.append(start, 0.0), np.append(stop, 1.0)
    return Restriction.of(encoder.cells, flat, start, stop)


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


def _level(spec: ColumnSpec, encoder: CategoricalEncoder, value: Any) -> Any:
    """Return the level meant by `value`: the same object, or the only one written the same."""
    for level in encoder.levels:
        if level == value and isinstance(level, bool) == isinstance(value, (bool, np.bool_)):
            return level
    alike = [level for level in encoder.levels if str(level) == str(value)]
    if len(alike) == 1:
        return alike[0]
    known = ", ".join(map(repr, encoder.levels[:10])) + (", ..." if len(encoder.levels) > 10 else "")
    raise ConditionError(f"column {spec.name!r} never held {value!r} in training; it held {known}")


def _float(spec: ColumnSpec, value: Any) -> float:
    try:
        number = float(value)
    except (TypeError, ValueError):
        raise ConditionError(f"column {spec.name!r} holds numbers; {value!r} is none") from None
    if np.isnan(number):
        raise ConditionError(f"column {spec.name!r}: a bound cannot be missing; use None for an open end")
    return number


def _number(spec: ColumnSpec, encoder: NumericEncoder, value: Any) -> float:
    number = _float(spec, value)
    snapped = float(encoder.grid.snap(np.array([number]))[0])
    if not abs(snapped - number) <= 1e-9 * max(1.0, abs(number)):
        grid = "" if encoder.grid.decimals is None else f", in steps of {2 * encoder.grid.half:g}"
        raise ConditionError(
            f"column {spec.name!r} runs from {spec.low} to {spec.high}{grid}; {value!r} cannot be sampled"
        )
    return snapped


def _instant(spec: ColumnSpec, encoder: TemporalEncoder, value: Any) -> int:
    tick = _bound(spec, value, end_of_day=False)
    low, high = (_bound(spec, end, end_of_day=False) for end in (spec.low, spec.high))
    if not low <= tick <= high or (encoder.time is None and tick % TICKS_PER_DAY != encoder.midnight):
        raise ConditionError(f"column {spec.name!r} runs from {spec.low} to {spec.high}; {value!r} cannot be sampled")
    return tick


def _bound(spec: ColumnSpec, value: Any, *, end_of_day: bool) -> int:
    """Return the wall-clock tick of a point in time; a bare date as the end of a range means the whole day."""
    try:
        stamp = pd.Timestamp(value)
    except (TypeError, ValueError):
        try:
            return int(wall_ticks(pd.Series([value]), spec)[0][0])
        except SchemaError:
            raise ConditionError(f"column {spec.name!r} holds points in time; {value!r} is none") from None
    if stamp.tzinfo is not None:
        stamp = stamp.tz_convert(spec.tz).tz_localize(None) if spec.tz else stamp.tz_localize(None)
    tick = int(np.datetime64(stamp, "us").astype(np.int64))
    bare = end_of_day and isinstance(value, str) and re.fullmatch(r"\d{4}-\d\d-\d\d", value)
    return tick + TICKS_PER_DAY - 1 if bare else tick


def _parts(encoder: ColumnEncoder) -> list[NumericEncoder | CategoricalEncoder]:
    return list(encoder.parts.values()) if isinstance(encoder, TemporalEncoder) else [encoder]
