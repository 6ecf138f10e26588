"""Conditions on parts of points in time, as restrictions of the days that have such parts."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import numpy.typing as npt

from synthgan.conditioning.columns import ColumnCondition
from synthgan.conditioning.pieces import Restriction
from synthgan.encoding import TableEncoder
from synthgan.encoding.cells import FloatArray, IntArray
from synthgan.encoding.columns import ColumnEncoder
from synthgan.encoding.continuous import NumericEncoder
from synthgan.encoding.temporal import TICKS_PER_DAY, TemporalEncoder, ticks_to_datetime
from synthgan.errors import ConditionError
from synthgan.schema.table import ColumnName

__all__ = ["restricted_days"]

OF_DAYS = ("year", "quarter", "month", "day", "dayofyear", "dayofweek")
"""Of `PARTS` those that the day tells."""

MOST_DAYS = 200_000
"""Days from the first to the last of a column, some five centuries: with more they are not looked at one by one."""


def restricted_days(encoder: TableEncoder, conditions: Mapping[ColumnName, ColumnCondition]) -> dict[int, Restriction]:
    """Restrict days to those of which all parts are as they must be: rows of March are of days in March.

    Parameters
    ----------
    encoder : TableEncoder
        Its formulas say which columns hold parts of which points in time.
    conditions : mapping of column label to ColumnCondition
        On all columns that have one. A point in time with one is left to that, if it is given, is in a time zone, or
        may be missing.

    Returns
    -------
    dict of block to Restriction

    Raises
    ------
    ConditionError
        When no day is left; names the columns.
    """
    out: dict[int, Restriction] = {}
    for name, times in encoder.encoders.items():
        asked = [
            one
            for one in encoder.derived
            if one.sources == (name,) and one.function in OF_DAYS and _tells(conditions, one.target, encoder.encoders)
        ]
        if not asked or not isinstance(times, TemporalEncoder):
            continue
        own = conditions.get(name)
        is_left = own is not None and (own.exact is not None or not _tells(conditions, name, {name: times.day}))
        in_zone = own is not None and encoder.schema[name].tz is not None
        if is_left or in_zone or times.day.grid.high - times.day.grid.low > MOST_DAYS:
            continue
        days = np.arange(times.day.grid.low, times.day.grid.high + 1)
        noons = (days.astype(np.int64) + times.origin) * TICKS_PER_DAY + TICKS_PER_DAY // 2
        allowed = np.ones(len(days), np.bool_)
        for one in asked:
            part = getattr(ticks_to_datetime(noons, np.zeros(len(days), np.bool_)).dt, one.function)
            value = part.to_numpy(np.float64) + one.shift
            allowed &= _kept(conditions[one.target], value) == value
        if own is not None:  # of what is allowed, the nearest to noon is on the day itself, if anything there is
            allowed &= _kept(own, noons) // TICKS_PER_DAY == days + times.origin
        targets = [one.target for one in asked]
        out[encoder.layout.blocks_of(name)[0]] = _days(times.day, days[allowed], name, targets)
    return out


def _days(day: NumericEncoder, days: FloatArray, name: ColumnName, asked: list[ColumnName]) -> Restriction:
    pieces: list[tuple[IntArray, FloatArray, FloatArray]] = []
    for run in np.split(days, np.flatnonzero(np.diff(days) > 1) + 1) if len(days) else []:
        start, stop = day.overlap(run[0], run[-1])
        flat = np.flatnonzero(~np.isnan(start))
        pieces.append((flat, start[flat], stop[flat]))
    if not sum(len(flat) for flat, _, _ in pieces):
        parts = ", ".join(map(repr, asked))
        raise ConditionError(
            f"no day that column {name!r} may hold has the {parts} asked for; ask for others, or for fewer"
        )
    flats, starts, stops = (list(own) for own in zip(*pieces, strict=True))
    return Restriction.of(day.cells, np.concatenate(flats), np.concatenate(starts), np.concatenate(stops))


def _tells(
    conditions: Mapping[ColumnName, ColumnCondition], name: ColumnName, encoders: Mapping[ColumnName, ColumnEncoder]
) -> bool:
    """Whether a condition says which numbers there may be, and none may be missing."""
    condition, encoder = conditions.get(name), encoders[name]
    if condition is None or condition.adjust is None or not isinstance(encoder, NumericEncoder):
        return False
    code = encoder.missing_code
    return code is None or not any(own.code_bonus[code] > -np.inf for own in condition.restrictions[:1])


def _kept(condition: ColumnCondition, values: npt.NDArray[Any]) -> npt.NDArray[Any]:
    """The nearest values that a condition allows."""
    assert condition.adjust is not None  # noqa: S101 - callers have looked
    kept: npt.NDArray[Any] = condition.adjust(values.copy())
    return kept
