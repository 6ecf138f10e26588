"""How often the days of the week come: a shop that is closed on Sundays, an office that works from Monday to Friday."""

from __future__ import annotations

import dataclasses
from typing import Any

import numpy as np

from synthgan.encoding.cells import FloatArray, IntArray
from synthgan.encoding.continuous import NumericEncoder

__all__ = ["Week", "find_week", "week_of_state"]

DAYS = 7
"""Days of a week, from Monday on."""

MONDAY = 3
"""Added to days since 1970-01-01, a Thursday, it gives days since a Monday."""

MIN_DEVIATIONS = 6.0
"""Standard deviations of the likelihood ratio beyond chance from which days of the week do not come equally often: some
90 rows without a Sunday are enough."""

MOST = 1e6
"""A weight in a file at most: the time that passes is counted in weights, from 1970 on."""


@dataclasses.dataclass(frozen=True, slots=True)
class Week:
    """Weights of the days of the week, by which the days inside a stretch of time are drawn.

    Days of a stretch are spread evenly in the time that passes when each day lasts as long as its weight says.

    Parameters
    ----------
    weights : tuple of float
        Of Monday to Sunday, not negative and not all zero.
    origin : int
        Day number (since 1970-01-01) that days are counted from.
    """

    weights: tuple[float, ...]
    origin: int

    def passed(self, days: FloatArray) -> FloatArray:
        """Weighted time until points in time, counted in days: day d lasts from ``d - 1/2`` to ``d + 1/2``."""
        weights = np.array(self.weights)
        since = days + 0.5 + self.origin + MONDAY
        whole = np.floor(since)
        day = (whole % DAYS).astype(np.int64)
        before = weights.cumsum() - weights
        out: FloatArray = np.floor(since / DAYS) * weights.sum() + before[day] + weights[day] * (since - whole)
        return out

    def reached(self, passed: FloatArray) -> FloatArray:
        """Points in time after so much weighted time, on days that have a weight."""
        weights = np.array(self.weights)
        weeks = np.floor(passed / weights.sum())
        rest = passed - weeks * weights.sum()
        before = weights.cumsum() - weights
        some = np.flatnonzero(weights)
        day = some[np.clip(np.searchsorted(before[some], rest, side="right") - 1, 0, len(some) - 1)]
        inside = np.clip((rest - before[day]) / weights[day], 0.0, 1 - 1e-6)
        out: FloatArray = weeks * DAYS + day + inside - 0.5 - self.origin - MONDAY
        return out

    def spread(self, low: FloatArray, high: FloatArray, inside: FloatArray) -> FloatArray:
        """Places in [0, 1) inside stretches of days, of places that are even there; each of shape (n,)."""
        ends = self.passed(low), self.passed(high)
        found = (self.reached(ends[0] + inside * (ends[1] - ends[0])) - low) / np.where(high > low, high - low, 1.0)
        out: FloatArray = np.where(ends[1] > ends[0], np.clip(found, 0.0, 1 - 1e-6), inside)
        return out


def find_week(day: NumericEncoder, days: IntArray, origin: int, min_rows: int = 1) -> Week | None:
    """Compare how often the days of the week come with how often they would if stretches of time held all alike.

    Parameters
    ----------
    day : NumericEncoder
        Of the days since `origin`: intervals of it are the stretches.
    days : ndarray of int64, shape (n_rows,)
        Such days.
    origin : int
        Day number (since 1970-01-01) of day 0.
    min_rows : int
        Rows that a day of the week has to have for any weight.

    Returns
    -------
    Week or None
        None where they come alike, or where each day is learned by itself, or only every n-th day is there.
    """
    flat, _ = day.cells.flatten(*day.encode(days.astype(np.float64))[:2])
    stretched = day.interval[flat]
    if day.grid.step != 1 or not stretched.any():
        return None
    seen = np.bincount((days[stretched] + origin + MONDAY) % DAYS, minlength=DAYS).astype(np.float64)
    rows = np.bincount(flat[stretched], minlength=len(day.low))
    wanted = np.zeros(DAYS)
    for at in range(DAYS):
        only = Week(tuple(np.eye(DAYS)[at].tolist()), origin)
        wide = np.where(day.high > day.low, day.high - day.low, 1.0)
        wanted[at] = (rows[: len(day.low)] * (only.passed(day.high) - only.passed(day.low)) / wide).sum()
    some = seen > 0
    ratio = 2 * float((seen[some] * np.log(seen[some] / np.maximum(wanted[some], 1e-9))).sum())
    if ratio <= DAYS - 1 + MIN_DEVIATIONS * (2 * (DAYS - 1)) ** 0.5:
        return None
    weights = np.where(seen >= max(min_rows, 1), seen / np.maximum(wanted, 1e-9), 0.0)
    return Week(tuple(weights.tolist()), origin) if weights.any() else None


def week_of_state(state: Any, origin: int) -> Week | None:
    """Rebuild a week from its weights; `ValueError` for what are none."""
    if state is None:
        return None
    weights = tuple(float(weight) for weight in state)
    if len(weights) != DAYS or not all(0 <= weight <= MOST for weight in weights) or max(weights) * MOST < 1:
        raise ValueError(f"a week has seven weights from 0 to {MOST:g}, which are not all next to nothing")
    return Week(weights, origin)
