"""The decimals of a column of numbers: those that all rows have, and the fewer ones that most have."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator, Mapping
from typing import Any

import numpy as np
import numpy.typing as npt

from synthgan.encoding.cells import FloatArray, IntArray

__all__ = ["Grid", "Rounding", "find_rounding"]

MIN_ROWS, MIN_NATS, MIN_EXCESS = 50, 10.0, 0.05
"""Rows from which on a rounding is looked for; by how much likelier it has to make them in all, and how much more often
than by chance numbers have to be that round."""

MOST_DECIMALS, MOST_DIGITS, CHANCE = 6, 7, 1e-6
"""Of numbers on no grid: decimals that are looked for, and how often they have as many by chance. Digits by which a
rounding is coarser at most."""

EXACT = 1e-15
"""By how much of itself a number may be off the round one that it is: floats are."""

MIN_ROUND, MOST_CHANCE = 5, 0.25
"""Different round numbers that there have to be; share of numbers at most that floats cannot tell from round ones."""


@dataclasses.dataclass(frozen=True, slots=True)
class Grid:
    """The values ``origin + k * step / 10**decimals`` between `low` and `high`; no grid where `decimals` is None.

    Examples
    --------
    >>> Grid(decimals=2, step=5, low=0.0, high=1.0).snap(np.array([0.123, 7.0])).tolist()
    [0.1, 1.0]
    """

    decimals: int | None = None
    step: int = 1
    low: float = -np.inf
    high: float = np.inf
    origin: float = 0.0

    @property
    def half(self) -> float:
        """Half the distance of neighbouring grid values; 0 without a grid."""
        return 0.0 if self.decimals is None else 0.5 * self.step / 10.0**self.decimals

    def snap(self, values: FloatArray) -> FloatArray:
        """Move values to the nearest grid value inside the bounds. NaN stays NaN."""
        if self.decimals is not None:
            scale = 10.0**self.decimals
            values = np.round((values - self.origin) * scale / self.step) * self.step / scale + self.origin
        return np.clip(values, self.low, self.high) + 0.0  # no negative zero


@dataclasses.dataclass(frozen=True, slots=True)
class Rounding:
    r"""A share of a column's rarer numbers is rounder than all are: two decimals instead of three, or full fifties.

    In a stretch from a to b with m round numbers each of these has the mass :math:`q / m`, and :math:`1 - q` is spread
    evenly:

    .. math:: F(x) = \frac{q}{m} \#\{k : a \le k u \le x\} + (1 - q) \frac{x - a}{b - a}

    Parameters
    ----------
    decimals, step : int
        Round numbers are the multiples of ``u = step / 10**decimals``.
    share : float
        Of the numbers, q; in (0, 1].
    """

    decimals: int
    step: int
    share: float

    def __post_init__(self) -> None:
        if not (0 <= self.decimals <= 18 and self.step >= 1 and 0 < self.share <= 1):
            raise ValueError(f"no rounding: {self}")

    @property
    def unit(self) -> float:
        """Distance of neighbouring round numbers."""
        return self.step / 10.0**self.decimals

    def is_round(self, values: FloatArray) -> npt.NDArray[np.bool_]:
        """Which numbers are round."""
        times = values / self.unit
        out: npt.NDArray[np.bool_] = np.abs(times - np.round(times)) <= EXACT * np.abs(times)
        return out

    def places(self, width: FloatArray, half: float) -> FloatArray:
        """How many numbers, all as likely, would agree as often as those of stretches of these widths."""
        fine, many = width / (2 * half) + 1 if half else np.full(len(width), 1 / CHANCE**2), width / self.unit + 1
        return 1 / (self.share**2 / many + (1 - self.share) ** 2 / np.maximum(fine - many, 1.0))

    def below(self, low: FloatArray, high: FloatArray, values: FloatArray, of_value: float) -> FloatArray:
        """What share of the stretches from `low` to `high` lies below numbers in them; of those on one `of_value`."""
        first, many = self._within(low, high)
        is_round, share = self.is_round(values), np.where(many > 0, self.share, 0.0)
        times = values / self.unit
        before = np.clip(np.where(is_round, np.round(times), np.floor(times) + 1) - first, 0, many)
        held = before + of_value * (is_round & (before < many))
        part: FloatArray = held * share / np.maximum(many, 1) + (1 - share) * (values - low) / (high - low)
        return part

    def numbers(self, low: FloatArray, high: FloatArray, part: FloatArray) -> FloatArray:
        """The numbers that have such shares of the stretches below them."""
        (first, many), width = self._within(low, high), high - low
        share = np.where(many > 0, self.share, 0.0)
        each, fine = share / np.maximum(many, 1), np.where(share < 1, 1 - share, np.inf)
        rest = part - (1 - share) * np.maximum(first * self.unit - low, 0.0) / width
        length = each + (1 - share) * self.unit / width
        at = np.clip(np.floor(rest / np.where(many > 0, length, 1.0)), 0, np.maximum(many - 1, 0))
        past = np.maximum(rest - at * length - each, 0.0)
        number = (first + at) * self.step / 10.0**self.decimals + past * width / fine
        found: FloatArray = np.where((rest < 0) | (many <= 0), low + part * width / fine, number)
        return np.clip(found, low, high)

    def _within(self, low: FloatArray, high: FloatArray) -> tuple[FloatArray, FloatArray]:
        """The first round number of stretches, as a multiple, and how many there are."""
        ends = low / self.unit, high / self.unit
        first, last = np.ceil(ends[0] - EXACT * np.abs(ends[0])), np.floor(ends[1] + EXACT * np.abs(ends[1]))
        return first, np.maximum(last - first + 1, 0.0)

    def state(self) -> dict[str, Any]:
        """Return plain values that rebuild it."""
        return dataclasses.asdict(self)

    @classmethod
    def from_state(cls, state: Mapping[str, Any]) -> Rounding:
        """Rebuild it; `ValueError` for what is none."""
        return cls(int(state["decimals"]), int(state["step"]), float(state["share"]))


def find_rounding(values: FloatArray, counts: IntArray, grid: Grid, min_rows: int) -> Rounding | None:
    """Find how most numbers are rounded, if not all on the grid's own step.

    Parameters
    ----------
    values, counts : ndarray of float64 and int64, shape (n_values,)
        Different numbers, and how many rows hold each.
    grid : Grid
        What all lie on.
    min_rows : int
        Rows that have to be round. If fewer are not, all count as round.

    Returns
    -------
    Rounding or None
        The one under which rows are likeliest, or None where that is hardly likelier than chance, or where all are.
    """
    n_rows, largest = int(counts.sum()), float(np.abs(values).max(initial=0.0))
    best, least = None, MIN_NATS
    for decimals, step, chance in _coarser(grid) if n_rows >= MIN_ROWS else ():
        one = Rounding(decimals, step, 1.0)
        alike = 4 * EXACT * (largest / one.unit)  # so near to a round number are so many by chance
        if alike > MOST_CHANCE * (1.0 if grid.decimals is None else chance):
            continue
        is_round = one.is_round(values)
        n_round, chance = int(counts[is_round].sum()), max(chance, alike)
        share = n_round / n_rows
        if n_round < min_rows or is_round.sum() < MIN_ROUND or share < chance + MIN_EXCESS:
            continue
        odds = np.array([share, 1 - share]) / [chance, 1 - chance]
        nats = n_rows * float(np.array([share, 1 - share]) @ np.log(np.maximum(odds, 1e-300)))
        if nats > least:
            best, least = Rounding(decimals, step, 1.0 if n_rows - n_round < min_rows else share), nats
    return best


def _coarser(grid: Grid) -> Iterator[tuple[int, int, float]]:
    """Decimals and steps of coarser grids, and the share of numbers that lie on them by chance."""
    finest = MOST_DECIMALS if grid.decimals is None else grid.decimals
    for fewer in range(MOST_DIGITS):
        for digit in (1, 2, 5):
            decimals, step = max(finest - fewer, 0), digit * 10 ** max(fewer - finest, 0)
            if grid.decimals is None:
                yield decimals, step, CHANCE * 10.0 ** (decimals - MOST_DECIMALS) / step
            elif (times := step * 10 ** (grid.decimals - decimals)) > grid.step and times % grid.step == 0:
                yield decimals, step, grid.step / times
