"""Numbers as codes and positions: frequent values, quantile bins, and the cells inside them."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from itertools import pairwise
from typing import Any

import numpy as np
import numpy.typing as npt

from synthgan.encoding.cells import MAX_CELLS, CellTable, FloatArray, IntArray
from synthgan.encoding.grid import Grid, find_rounding
from synthgan.encoding.merging import merge_cells, round_ends
from synthgan.encoding.pieces import Pieces, fewest_rows, runs

__all__ = ["NumericEncoder", "default_n_bins"]

MIN_ROWS_PER_CELL = 4
"""An interval holds at least so many training rows."""

MOST_SPREAD, MIN_ROWS_PER_CODE = 0.3, 8
"""A code holds at most this share of the column's sum of squares, divided by the number of bins, unless its parts would
have fewer rows: of normal numbers a bin at the end holds a tenth, but the last one of incomes or prices maybe half."""

MAX_ATOMS, MIN_ATOM_ROWS = 32, 4
"""Inside a bin, a value is a cell of its own when it holds this share of the bin's rows, and at least so many."""


def default_n_bins(n_rows: int) -> int:
    """Quantile bins for a column of `n_rows` numbers: more rows carry finer bins, from 8 to 64.

    Examples
    --------
    >>> [default_n_bins(n) for n in (50, 1000, 30_000)]
    [8, 16, 64]
    """
    return int(np.clip(round(np.sqrt(n_rows) / 2), 8, 64))


@dataclasses.dataclass(frozen=True, slots=True)
class NumericEncoder:
    """A column of numbers as cells in ascending order, plus one code for cells that hold no number.

    A value that holds at least ``1 / n_bins`` of the rows is a code of its own. The other values fall into quantile
    bins, cut so that no bin reaches across such a value. Inside a bin the same is done once more: its frequent values
    (all that several rows share, where the values are few) are cells of their own, and between them lie up to
    `MAX_CELLS` intervals of equal counts. Inside an interval it is done a last time: values that rows share, as far as
    that is more than chance (`synthgan.encoding.pieces.fewest_rows`), are drawn exactly, and the others are spread
    evenly between them. So the values that people round to, or that ratios of small counts give, are drawn exactly,
    and the rest are as often new as they are in new rows. A bin is a code, but for those of a long tail, whose cells
    are several codes: what a number goes with is learned of its code rather than of its cell, and those of the tail
    weigh most in sums and squares.

    Parameters
    ----------
    pieces : Pieces
        What lies in each cell; a single value, or some of an interval.
    cells : CellTable
        Codes of those cells, and a last one where cells may hold no number: a cell for each mark, and one for missing.
    missing : bool
        Whether cells of the column may be missing.
    grid : Grid
        What decoded values are snapped to.
    n_marks : int
        Words that may stand in place of a number.

    Attributes
    ----------
    low, high : ndarray of float64, shape (n_cells,)
        Ends of each cell; equal where it is a single value.
    """

    pieces: Pieces
    cells: CellTable
    missing: bool
    grid: Grid
    n_marks: int = 0

    @classmethod
    def fit(
        cls,
        values: FloatArray,
        grid: Grid,
        n_bins: int,
        min_rows: int = 1,
        mark: IntArray | None = None,
        n_marks: int = 0,
        *,
        even: bool = False,
    ) -> NumericEncoder:
        """Choose cells and codes for `values` (float64, shape (n_rows,), NaN for missing, at least one number).

        Each cell will hold at least `min_rows` of them (see `synthgan.encoding.protection`). `mark` says which of
        `n_marks` words stands in place of a number, -1 for none. With `even`, places inside an interval count
        numbers, not rows.
        """
        present = values[~np.isnan(values)]
        distinct, counts = np.unique(present, return_counts=True)
        most = max(int(np.ceil(len(present) / (n_bins * MAX_ATOMS))), MIN_ATOM_ROWS)
        rare = counts < most
        rounding = find_rounding(distinct[rare], counts[rare], grid, min_rows)
        fewest = fewest_rows(distinct, counts, grid.half, most, rounding)
        low, high, code, mass = _cut(distinct, counts, grid, n_bins, fewest)
        if min_rows > 1:
            low, high, code, mass = merge_cells(low, high, code, mass, min_rows, grid.half)
            low, high = round_ends(low, high, grid.half)
        marked = np.zeros(n_marks, np.int64) if mark is None else np.bincount(mark[mark >= 0], minlength=n_marks)
        n_missing = len(values) - len(present) - int(marked.sum())
        absent = [*marked, n_missing] if n_missing else marked
        code, mass = np.append(code, np.full(len(absent), code[-1] + 1)), np.append(mass, absent)
        pieces = Pieces.whole(low, high, None if even else rounding)
        pieces = pieces if even else pieces.cut(distinct, counts, fewest, grid.half, min_rows)
        return cls(pieces, CellTable.from_counts(code, mass), n_missing > 0, grid, n_marks)

    @property
    def low(self) -> FloatArray:
        """Where each cell starts."""
        return self.pieces.ends[0]

    @property
    def high(self) -> FloatArray:
        """Where each cell ends."""
        return self.pieces.ends[1]

    @property
    def n_numbers(self) -> int:
        """Cells that hold numbers: the first ones."""
        return len(self.cells.code) - self.n_absent

    @property
    def n_absent(self) -> int:
        """Cells that hold no number: the last ones."""
        return self.n_marks + int(self.missing)

    @property
    def missing_code(self) -> int | None:
        """The code of cells that hold no number, or None."""
        return self.cells.n_codes - 1 if self.n_absent else None

    @property
    def interval(self) -> npt.NDArray[np.bool_]:
        """Which cells are intervals, shape (n_flat,)."""
        return np.append(self.low < self.high, np.zeros(self.n_absent, np.bool_))

    def encode(self, values: FloatArray, mark: IntArray | None = None) -> tuple[Any, Any, Any]:
        """Return codes (uint8), positions (float32) and which cells are known (bool), each of shape (n_rows,).

        A value outside every cell goes to the nearest one; a missing value is known only if the column has a cell for
        it, or `mark` (see `fit`) says what stands in its place.
        """
        missing = np.isnan(values)
        flat, inside = self.pieces.place(np.where(missing, 0.0, values))
        marked = np.zeros(len(values), np.bool_) if mark is None else mark >= 0
        if self.n_absent:
            last = self.n_numbers + self.n_absent - 1
            flat = np.where(missing, last if mark is None else np.where(marked, self.n_numbers + mark, last), flat)
            inside = np.where(missing, 0.5, inside)
        code, position = self.cells.locate(flat, inside)
        return code, position, ~missing | marked | self.missing

    def near(self, values: FloatArray, others: FloatArray) -> npt.NDArray[np.bool_]:
        """Whether two numbers (NaN for missing) lie in one code or in neighbouring ones, none of them missing."""
        codes = [self.encode(numbers)[0].astype(np.int64) for numbers in (values, others)]
        out: npt.NDArray[np.bool_] = (np.abs(codes[0] - codes[1]) <= 1) & ~np.isnan(values + others)
        return out

    def decode(self, code: Any, position: Any) -> FloatArray:
        """Return the numbers (float64, NaN for missing) that codes and positions stand for."""
        flat, inside = self.cells.flatten(code, position)
        missing = flat >= self.n_numbers
        values = self.grid.snap(self.pieces.values(np.minimum(flat, self.n_numbers - 1), inside))
        values[missing] = np.nan
        return values

    def mark(self, code: Any, position: Any) -> IntArray:
        """Return which mark codes and positions stand for, -1 for none."""
        place = self.cells.flatten(code, position)[0] - self.n_numbers
        return np.where((place >= 0) & (place < self.n_marks), place, -1)

    def overlap(self, low: float, high: float) -> tuple[FloatArray, FloatArray]:
        """Ends, inside each cell, of the part that decodes into ``[low, high]``: places in [0, 1], NaN where none does.

        Returns
        -------
        start, stop : ndarray of float64, shape (n_flat,)
            Cells of a single value give (0, 1). Those without a number give NaN.
        """
        half = self.grid.half
        if half:  # every place in [value - half, value + half] decodes to that grid value
            unit = 2 * half
            low = np.ceil(round(low / unit, 9)) * unit - half
            high = np.floor(round(high / unit, 9)) * unit + half
        start, stop = self.pieces.overlap(low, high)
        nothing = np.full(self.n_absent, np.nan)
        return np.append(start, nothing), np.append(stop, nothing)

    def state(self) -> dict[str, Any]:
        """Return everything needed to rebuild the encoder: arrays and plain values."""
        return self.pieces.state() | {
            "code": self.cells.code,
            "weight": self.cells.weight,
            "missing": self.missing,
            "marks": self.n_marks,
            "grid": {name: getattr(self.grid, name) for name in ("decimals", "step", "low", "high")},
        }

    @classmethod
    def from_state(cls, state: Mapping[str, Any]) -> NumericEncoder:
        """Rebuild an encoder from `state`.

        Raises
        ------
        ValueError, KeyError, TypeError
            When it is of no encoder.
        """
        cells, missing, grid = CellTable.from_state(state), bool(state["missing"]), Grid(**state["grid"])
        n_marks = int(state.get("marks", 0))  # the first files knew none
        pieces = Pieces.from_state(state)
        n_numbers = int(pieces.cell[-1]) + 1
        if n_numbers != len(cells.code) - missing - n_marks:
            raise ValueError("each cell of numbers has its pieces")
        absent = cells.code[n_numbers:]
        if n_marks < 0 or (len(absent) and (absent[0] != cells.n_codes - 1 or cells.code[n_numbers - 1] == absent[0])):
            raise ValueError("cells that hold no number are one code, the last")
        if not (grid.low <= grid.high and 0 <= (grid.decimals or 0) <= 18 and grid.step >= 1):
            raise ValueError(f"no grid: {grid}")
        return cls(pieces, cells, missing, grid, n_marks)


def _cut(
    distinct: FloatArray, counts: IntArray, grid: Grid, n_bins: int, fewest: int
) -> tuple[FloatArray, FloatArray, IntArray, FloatArray]:
    """Cut sorted distinct values into codes and cells: ends, code and number of rows of each cell."""
    total = counts.sum()
    cells, sizes = [], []
    scaled = distinct / (np.abs(distinct).max() or 1.0)  # squares of huge numbers are none
    most = MOST_SPREAD / n_bins * _spread(scaled, counts)[-1]
    for start, stop in runs(counts * n_bins >= total):
        rows = counts[start:stop].cumsum()
        bins = max(1, round(n_bins * rows[-1] / total))
        cuts = np.unique(np.searchsorted(rows, rows[-1] * np.arange(1, bins) / bins, side="left") + 1)
        edges = np.unique(np.r_[0, cuts[cuts < len(rows)], len(rows)]) + start
        for a, b in pairwise(edges.tolist()):
            own, held = distinct[a:b], counts[a:b]
            cells.append(_cells(own, held, grid, fewest))
            # Of each value the cell it lies in, and which value is the first of each cell.
            place = np.searchsorted(cells[-1][0], own, side="right") - 1
            sizes += _codes(scaled[a:b], held, np.searchsorted(place, np.arange(len(cells[-1][0]) + 1)), most)
    low, high, mass = (np.concatenate(parts) for parts in zip(*cells, strict=True))
    return low, high, np.repeat(np.arange(len(sizes)), sizes), mass


def _codes(values: FloatArray, counts: IntArray, first: IntArray, most: float) -> list[int]:
    """Numbers of cells of each code of a bin, which is cut where that leaves least spread until no code has too much.

    Parameters
    ----------
    values, counts : ndarray of float64 and int64, shape (n_values,)
        Those of the bin, and how many rows hold each.
    first : ndarray of int64, shape (n_cells + 1,)
        The first value of each cell, and the end of the last one.
    most : float
        What of the sum of squares a code may hold.
    """
    n_cells, inner = len(first) - 1, first[1:-1] - first[0]
    own, rows = values[first[0] : first[-1]], counts[first[0] : first[-1]]
    below = rows.cumsum()[inner - 1]
    cuts = np.flatnonzero(np.minimum(below, rows.sum() - below) >= MIN_ROWS_PER_CODE)
    if not len(cuts) or _spread(own, rows)[-1] <= most:
        return [n_cells]
    after = _spread(own[::-1], rows[::-1])[::-1]
    left = (_spread(own, rows)[inner - 1] + after[inner])[cuts]
    cut = int(cuts[np.argmin(left)]) + 1
    return [*_codes(values, counts, first[: cut + 1], most), *_codes(values, counts, first[cut:], most)]


def _spread(values: FloatArray, counts: IntArray) -> FloatArray:
    """Sum of squared distances from their mean of the first 1, 2, ... values, of which there are `counts`."""
    near = values - values.mean()  # far from 0 the difference of large sums would be noise
    n, total = counts.cumsum(), (near * counts).cumsum()
    spread: FloatArray = np.maximum((np.square(near) * counts).cumsum() - np.square(total) / n, 0.0)
    return spread


def _cells(values: FloatArray, counts: IntArray, grid: Grid, fewest: int) -> tuple[FloatArray, FloatArray, FloatArray]:
    """Cells of one bin: an atom for each frequent value, and intervals of equal counts between them.

    Intervals end halfway between neighbouring values, never on one that the grid has, save the outer ends.
    """
    total = counts.sum()
    atom = counts >= (fewest if len(values) <= MAX_CELLS else max(total / MAX_ATOMS, MIN_ATOM_ROWS))
    apart, step = np.diff(values), 2 * grid.half
    halfway = values[:-1] + (np.floor(apart / (2 * step) + 1e-9) * step + grid.half if step else apart / 2)
    ends = np.r_[values[0] - grid.half, halfway, values[-1] + grid.half]
    parts = []
    for start, stop in runs(atom):
        if atom[start]:
            parts.append((values[start:stop], values[start:stop], counts[start:stop].astype(np.float64)))
            continue
        rows = counts[start:stop].cumsum()
        wanted = min(round(MAX_CELLS * rows[-1] / total), rows[-1] // MIN_ROWS_PER_CELL, stop - start - 1)
        knot = np.searchsorted(rows[:-1], rows[-1] * np.arange(1, max(wanted, 1)) / max(wanted, 1), side="left")
        knot = np.unique(knot[knot < len(rows) - 1])
        own = ends[np.r_[start, start + knot + 1, stop]]
        if step and stop - start == 1 and own[1] - own[0] < 1.5 * step:  # no other number of the grid is in it
            own = values[[start, start]]
        parts.append((own[:-1], own[1:], np.diff(np.r_[0.0, rows[knot], rows[-1]])))
    low, high, mass = (np.concatenate(items) for items in zip(*parts, strict=True))
    return low, high, mass
