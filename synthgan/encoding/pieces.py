"""What lies inside cells of numbers: values that rows share, and stretches over which the others are spread."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator, Mapping
from typing import Any

import numpy as np
import numpy.typing as npt

from synthgan.encoding.cells import FloatArray, IntArray
from synthgan.encoding.grid import Rounding

__all__ = ["Pieces", "fewest_rows", "runs"]

ROWS_PER_GROUP = 16
"""Rows of neighbouring numbers that are looked at as if these were spread evenly."""

ENDLESS = 1e12
"""Values between any two numbers that lie on no grid."""

STEPS = 4
"""Counts of rows that are tried between one and its double."""


@dataclasses.dataclass(frozen=True, slots=True)
class Pieces:
    """Cells of numbers, each cut into values and stretches.

    A place inside a cell, in [0, 1), counts its rows from the lowest number on. So places that are drawn evenly give
    each value and each stretch as often as rows hold it.

    Parameters
    ----------
    low, high : ndarray of float64, shape (n_pieces,)
        Ends of each piece, ascending; equal where it is a value.
    cell : ndarray of int64, shape (n_pieces,)
        The cell it lies in, ascending from 0 without gaps.
    stop : ndarray of float64, shape (n_pieces,)
        The place where it ends: ascending in each cell, to 1.
    rounding : Rounding or None
        How the numbers of stretches are rounded.
    """

    low: FloatArray
    high: FloatArray
    cell: IntArray
    stop: FloatArray
    rounding: Rounding | None = None

    @classmethod
    def whole(cls, low: FloatArray, high: FloatArray, rounding: Rounding | None = None) -> Pieces:
        """Cells that are not cut."""
        return cls(low, high, np.arange(len(low)), np.ones(len(low)), rounding)

    def cut(self, values: FloatArray, counts: IntArray, fewest: int, half: float, min_rows: int) -> Pieces:
        """Cut cells that are whole by the numbers that lie in them.

        Parameters
        ----------
        values, counts : ndarray of float64 and int64, shape (n_values,)
            The numbers, ascending, and how many rows hold each.
        fewest : int
            A number that so many rows hold is a piece.
        half : float
            Half a step of the grid that they lie on, 0 without one.
        min_rows : int
            Rows that each piece stands for at least.
        """
        cell = self.cell[self.find(values)]
        first = np.searchsorted(cell, np.arange(len(self.low) + 1))
        shared = counts >= max(fewest, min_rows)
        parts = []
        for at, (start, stop) in enumerate(zip(first[:-1].tolist(), first[1:].tolist(), strict=True)):
            cut = [(self.low[at], self.high[at], 1.0)]
            if self.low[at] < self.high[at] and shared[start:stop].any():
                own = slice(start, stop)
                cut = _cut(cut[0][:2], values[own], counts[own], shared[own], half, min_rows)
            parts += [(low, high, at, rows) for low, high, rows in cut]
        low, high, cells, rows = (np.array(part) for part in zip(*parts, strict=True))
        below = rows.cumsum()
        before = np.r_[0.0, below][np.searchsorted(cells, np.arange(len(self.low)))]
        stop = (below - before[cells]) / np.bincount(cells, rows)[cells]
        stop[np.r_[cells[1:] != cells[:-1], True]] = 1.0  # sums are not exact in floats
        return Pieces(low, high, cells, stop, self.rounding)

    @property
    def start(self) -> FloatArray:
        """The place where each piece starts."""
        return np.where(self._is_first, 0.0, np.r_[0.0, self.stop[:-1]])

    @property
    def ends(self) -> tuple[FloatArray, FloatArray]:
        """Ends of the cells."""
        return self.low[self._is_first], self.high[np.r_[self._is_first[1:], True]]

    @property
    def _is_first(self) -> npt.NDArray[np.bool_]:
        out: npt.NDArray[np.bool_] = np.r_[True, self.cell[1:] != self.cell[:-1]]
        return out

    def find(self, values: FloatArray) -> IntArray:
        """The piece that each number lies in, or the nearest one."""
        # A value has no width: a number belongs to the last piece that starts at or before it, unless it is the value
        # from which that goes on, or lies past its end and the next piece is nearer.
        at = np.clip(np.searchsorted(self.low, values, side="right") - 1, 0, len(self.low) - 1)
        at -= (at > 0) & (self.low[at - 1] == values)
        after = np.minimum(at + 1, len(self.low) - 1)
        past = values - self.high[at]
        return np.where((past > 0) & (self.low[after] - values < past), after, at)

    def place(self, values: FloatArray) -> tuple[IntArray, FloatArray]:
        """The cell of each number, and its place there: of a value in the middle."""
        at = self.find(values)
        return self.cell[at], self._place(at, values, 0.0, 0.5)

    def room(self, values: FloatArray, half: float) -> tuple[FloatArray, FloatArray]:
        """The places at which each number's cell holds it, and what lies up to `half` beside it."""
        at = self.find(values)
        return self._place(at, values, -half, 0.0), self._place(at, values, half, 1.0)

    def _place(self, at: IntArray, values: FloatArray, beside: float, of_value: float) -> FloatArray:
        part = _part(self.low[at], self.high[at], values + beside, self.rounding, of_value)
        start = self.start[at]
        place: FloatArray = start + part * (self.stop[at] - start)
        return place

    def values(self, cell: IntArray, place: FloatArray) -> FloatArray:
        """The numbers at places inside cells."""
        at = np.searchsorted(self.cell + self.stop, cell + np.clip(place, 0.0, 1 - 1e-9), side="right")
        start, low, high = self.start[at], self.low[at], self.high[at]
        part = np.clip((place - start) / (self.stop[at] - start), 0.0, 1.0)
        found: FloatArray = low + part * (high - low)
        if self.rounding is not None and (wide := np.flatnonzero(low < high)).size:
            found[wide] = self.rounding.numbers(low[wide], high[wide], part[wide])
        return found

    def overlap(self, low: float, high: float) -> tuple[FloatArray, FloatArray]:
        """Places at which the part of each cell from `low` to `high` starts and stops; NaN where none is."""
        begin, end = (
            _part(self.low, self.high, np.full(len(self.low), limit), self.rounding, of_value)
            for limit, of_value in ((low, 0.0), (high, 1.0))
        )
        outside = (self.low > high) | (self.high < low) | (end <= begin) | (low > high)
        start, size = self.start, self.stop - self.start
        first = np.flatnonzero(self._is_first)
        starts = np.fmin.reduceat(np.where(outside, np.nan, start + begin * size), first)
        stops = np.fmax.reduceat(np.where(outside, np.nan, start + end * size), first)
        return starts, stops

    def state(self) -> dict[str, Any]:
        """Return what is needed to rebuild them."""
        rounding = {} if self.rounding is None else {"rounding": self.rounding.state()}
        return {name: getattr(self, name) for name in ("low", "high", "cell", "stop")} | rounding

    @classmethod
    def from_state(cls, state: Mapping[str, Any]) -> Pieces:
        """Rebuild them from `state`.

        Raises
        ------
        ValueError, KeyError, TypeError
            When it is of none.
        """
        low, high = (state[name].astype(np.float64, casting="safe") for name in ("low", "high"))
        out = cls.whole(low, high)
        if "stop" in state:  # the first files knew cells alone
            cell, stop = (
                state["cell"].astype(np.int64, casting="safe"),
                state["stop"].astype(np.float64, casting="safe"),
            )
            out = cls(low, high, cell, stop, Rounding.from_state(state["rounding"]) if "rounding" in state else None)
        ends = np.stack([low, high], axis=1).ravel()  # ascending, so never NaN
        rising = (ends[:-1] <= ends[1:] + 1e-9 * np.abs(ends[1:])).all()  # grids are not exact in floats
        if (
            not (len(low) == len(high) == len(out.stop) == len(out.cell) > 0)
            or not rising
            or not np.isfinite(ends).all()
        ):
            raise ValueError("the ends of cells are finite and ascend, two for each piece")
        if out.cell[0] != 0 or not np.isin(np.diff(out.cell), (0, 1)).all():
            raise ValueError("the cells of pieces ascend from 0 without gaps")
        if not (out.start < out.stop).all() or not (out.stop[np.r_[out._is_first[1:], True]] == 1).all():
            raise ValueError("the pieces of a cell ascend to its end, 1")
        return out


def _part(
    low: FloatArray, high: FloatArray, values: FloatArray, rounding: Rounding | None, of_value: float
) -> FloatArray:
    """What share of pieces lies below numbers, and `of_value` of those that are a value."""
    width = high - low
    part = np.where(width > 0, (values - low) / np.where(width > 0, width, 1.0), of_value)
    if rounding is not None:
        inside = np.flatnonzero((width > 0) & (low <= values) & (values <= high))
        part[inside] = rounding.below(low[inside], high[inside], values[inside], of_value)
    return np.clip(part, 0.0, 1.0)


def _cut(
    ends: tuple[float, float],
    values: FloatArray,
    counts: IntArray,
    shared: npt.NDArray[np.bool_],
    half: float,
    min_rows: int,
) -> list[tuple[float, float, float]]:
    """Ends and rows of the pieces of one cell, some of whose values are `shared`; few rows go to a neighbouring one."""
    out, few = [], 0.0
    for start, stop in runs(shared):
        rows = float(counts[start:stop].sum())
        low, high = (values[start],) * 2
        if not shared[start]:
            low = values[start - 1] + half if start else ends[0]
            high = values[stop] - half if stop < len(values) else ends[1]
        if shared[start] or (rows >= min_rows and low < high):
            out.append((low, high, rows + few))
            few = 0.0
        elif out:
            out[-1] = (*out[-1][:2], out[-1][2] + rows)
        else:
            few = rows
    return out


def fewest_rows(values: FloatArray, counts: IntArray, half: float, most: int, rounding: Rounding | None = None) -> int:
    """Rows that a number is held by to be a value of its own, where others are spread over what lies between.

    New rows hold a number that none of N rows holds about as often as one of these holds one that none of the others
    does (Good 1953, doi 10.1093/biomet/40.3-4.237). So often should drawn ones: the answer with which they come nearest
    to it is best. So numbers that come twice because there are few different ones (averages of some integers, amounts
    that people round) are values; those that come twice by chance are not, and none that a single row holds is.

    Parameters
    ----------
    values, counts : ndarray of float64 and int64, shape (n_values,)
        Ascending numbers, and how many rows hold each.
    half : float
        Half a step of their grid, 0 without one.
    most : int
        What so many rows hold is a value anyway.
    rounding : Rounding or None
        How the others are rounded.

    Returns
    -------
    int
        From 2 to `most`.
    """
    own = counts < most
    counts, values = counts[own], values[own]
    if not len(counts):
        return most
    group = np.unique((counts.cumsum() - counts) // ROWS_PER_GROUP, return_inverse=True)[1]
    first = np.searchsorted(group, np.arange(group[-1] + 2))
    width = values[first[1:] - 1] - values[first[:-1]]
    places = width / (2 * half) + 1 if half else np.full(len(width), ENDLESS)
    if rounding is not None:
        places = rounding.places(width, half)
    seen = 1 - float(counts[counts == 1].sum() / counts.sum())
    tried = sorted({min(round(2 ** (step / STEPS)), most) for step in range(STEPS, 16 * STEPS)})
    found: int = min(reversed(tried), key=lambda fewest: abs(_seen(group, counts, places, fewest) - seen))
    return found


def _seen(group: IntArray, counts: IntArray, places: FloatArray, fewest: int) -> float:
    """Share of drawn numbers that are among those of the rows, if what `fewest` rows hold is a value.

    Parameters
    ----------
    group, counts : ndarray of int64, shape (n_values,)
        The group of each value, and how many rows hold it.
    places : ndarray of float64, shape (n_groups,)
        Values that there may be.
    fewest : int
    """
    others = counts < fewest
    n_others, rows = (np.bincount(group, own, len(places)) for own in (others, others * counts))
    n_known = np.bincount(group, minlength=len(places)) - n_others
    by_chance = np.minimum(n_others / np.maximum(places - n_known, 1.0), 1.0)
    return float((counts[~others].sum() + rows @ by_chance) / counts.sum())


def runs(alone: npt.NDArray[np.bool_]) -> Iterator[tuple[int, int]]:
    """Cut a sequence into runs: each element marked as alone is one, and so is each stretch between such elements.

    Examples
    --------
    >>> list(runs(np.array([False, False, True, True, False])))
    [(0, 2), (2, 3), (3, 4), (4, 5)]
    """
    starts = np.flatnonzero(alone | np.r_[True, alone[:-1]])
    yield from zip(starts.tolist(), np.r_[starts[1:], len(alone)].tolist(), strict=True)
