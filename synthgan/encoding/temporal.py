"""Points in time as two numbers: the day, and the time of day.

Calendars are regular in both, and only apart does either show it: an hourly column has 24 times of day whatever the
year. A time zone's wall clock is what is learned, because that is what people's columns (hour, weekday, shop hours)
follow.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from synthgan.encoding.cells import FloatArray, IntArray
from synthgan.encoding.continuous import NumericEncoder
from synthgan.encoding.grid import Grid
from synthgan.encoding.week import Week, find_week, week_of_state

__all__ = ["TemporalEncoder", "ticks_of", "ticks_to_datetime"]

TICKS_PER_DAY = 86_400_000_000
"""A tick is a microsecond."""


def ticks_of(values: pd.Series) -> tuple[IntArray, npt.NDArray[np.bool_]]:
    """Wall-clock microseconds since 1970 of a datetime64 series (any unit, any zone), and which cells are missing.

    Examples
    --------
    >>> ticks, missing = ticks_of(pd.Series(pd.to_datetime(["1970-01-02", None])))
    >>> int(ticks[0]) // TICKS_PER_DAY, missing.tolist()
    (1, [False, True])
    """
    wall = values.dt.tz_localize(None) if getattr(values.dt, "tz", None) is not None else values
    missing: npt.NDArray[np.bool_] = wall.isna().to_numpy()
    ticks = wall.to_numpy().astype("datetime64[us]").astype(np.int64)
    return np.where(missing, 0, ticks), missing


def ticks_to_datetime(ticks: IntArray, missing: npt.NDArray[np.bool_]) -> pd.Series:
    """Build the naive datetime64[us] series of wall-clock ticks."""
    return pd.Series(np.where(missing, np.datetime64("NaT", "us"), ticks.astype("datetime64[us]")))


@dataclasses.dataclass(frozen=True, slots=True)
class TemporalEncoder:
    """A column of points in time as one or two columns of numbers.

    Parameters
    ----------
    day : NumericEncoder
        Whole days since `origin`.
    time : NumericEncoder or None
        Ticks since midnight; None where the time of day is the same in every row.
    origin : int
        Day number (since 1970-01-01) of the first day.
    midnight : int
        The one time of day where `time` is None.
    week : Week or None
        How often the days of the week come inside a stretch of days, where that is not alike.
    """

    day: NumericEncoder
    time: NumericEncoder | None
    origin: int
    midnight: int
    week: Week | None = None

    @classmethod
    def fit(cls, ticks: IntArray, missing: npt.NDArray[np.bool_], n_bins: int, min_rows: int = 1) -> TemporalEncoder:
        """Fit on wall-clock ticks (int64, shape (n_rows,)); at least one row is present. Cells hold `min_rows` rows."""
        days, clock = np.divmod(ticks[~missing], TICKS_PER_DAY)
        origin = int(days.min())
        day = NumericEncoder.fit(
            _with_missing(days - origin, missing), _grid(days - origin), n_bins, min_rows, even=True
        )
        week = find_week(day, days - origin, origin, min_rows)
        if (clock == clock[0]).all():
            return cls(day, None, origin, int(clock[0]), week)
        hours = _grid(clock, min_rows)
        time = NumericEncoder.fit(hours.snap(_with_missing(clock, missing)), hours, n_bins, min_rows)
        return cls(day, time, origin, 0, week)

    @property
    def parts(self) -> dict[str, NumericEncoder]:
        """The encoders of the day and, where it varies, the time of day."""
        return {"day": self.day} if self.time is None else {"day": self.day, "time": self.time}

    def split(self, ticks: IntArray, missing: npt.NDArray[np.bool_]) -> list[FloatArray]:
        """Return the numbers that each of `parts` encodes, NaN where missing."""
        days, clock = np.divmod(ticks, TICKS_PER_DAY)
        numbers = [days - self.origin, clock][: len(self.parts)]
        return [np.where(missing, np.nan, part.astype(np.float64)) for part in numbers]

    def join(self, numbers: list[FloatArray]) -> tuple[IntArray, npt.NDArray[np.bool_]]:
        """Return wall-clock ticks and which cells are missing (a cell is missing when any part is)."""
        missing: npt.NDArray[np.bool_] = np.asarray(np.isnan(numbers).any(axis=0))
        clock = numbers[1] if self.time is not None else np.full(len(missing), float(self.midnight))
        day, clock = (np.where(missing, 0, part).astype(np.int64) for part in (numbers[0], clock))
        return (day + self.origin) * TICKS_PER_DAY + clock, missing

    def state(self) -> dict[str, Any]:
        """Return everything needed to rebuild the encoder: arrays and plain values."""
        parts = {name: part.state() for name, part in self.parts.items()}
        week = {} if self.week is None else {"week": list(self.week.weights)}
        return parts | {"origin": self.origin, "midnight": self.midnight} | week

    @classmethod
    def from_state(cls, state: Mapping[str, Any]) -> TemporalEncoder:
        """Rebuild an encoder from `state`."""
        time = NumericEncoder.from_state(state["time"]) if "time" in state else None
        origin = int(state["origin"])
        week = week_of_state(state.get("week"), origin)  # the first files knew none
        return cls(NumericEncoder.from_state(state["day"]), time, origin, int(state["midnight"]), week)

    def spread(
        self,
        code: npt.NDArray[Any],
        position: npt.NDArray[np.float32],
        start: npt.NDArray[np.float32],
        stop: npt.NDArray[np.float32],
    ) -> npt.NDArray[np.float32]:
        """Positions of days as the days of the week come, of positions that were drawn evenly.

        Parameters
        ----------
        code, position : ndarray, shape (n,)
            Of drawn days.
        start, stop : ndarray of float32, shape (n,)
            The part of each cell that days were drawn from: places in [0, 1].
        """
        flat, inside = self.day.cells.flatten(code, position)
        rows = np.flatnonzero(self.day.interval[flat] & (stop > start))
        if self.week is None or not len(rows):
            return position
        at, begin, end = flat[rows], start[rows].astype(np.float64), stop[rows].astype(np.float64)
        low, wide = self.day.low[at], self.day.high[at] - self.day.low[at]
        even = np.clip((inside[rows] - begin) / (end - begin), 0.0, 1 - 1e-6)
        moved = begin + (end - begin) * self.week.spread(low + begin * wide, low + end * wide, even)
        out = position.copy()
        out[rows] = self.day.cells.locate(at, moved)[1]
        return out


def _with_missing(present: IntArray, missing: npt.NDArray[np.bool_]) -> FloatArray:
    values = np.full(len(missing), np.nan)
    values[~missing] = present
    return values


def _grid(values: IntArray, min_rows: int = 1) -> Grid:
    """The grid of `values`; its ends are means of the `min_rows` smallest and largest ones, on the grid."""
    step, ordered, n = max(int(np.gcd.reduce(values)), 1), np.sort(values), max(min_rows, 1)
    low, high = (round(float(end.mean()) / step) * step for end in (ordered[:n], ordered[-n:]))
    return Grid(0, step, float(low), float(high))
