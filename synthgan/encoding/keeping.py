"""Rows made to keep to the formulas of their table."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Collection, Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt
import pandas as pd

from synthgan.encoding.continuous import Grid
from synthgan.encoding.derived import PARTS, Derived
from synthgan.encoding.dtypes import plain_column, plain_numbers
from synthgan.schema.table import ColumnName, Schema

__all__ = ["Limits", "keep_formulas"]

Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]
Bools = npt.NDArray[np.bool_]

SAME = 1e-9
"""Share of itself by which a number that has no grid may differ from what follows."""

MOST_ROUNDS = 5
"""How often columns give way and follow again: what gave way may be what several others follow from."""


@dataclasses.dataclass(frozen=True, slots=True)
class Limits:
    """What has to be kept to beside formulas.

    Parameters
    ----------
    grids : mapping of column label to Grid
        What numbers are rounded to, with their bounds.
    fixed : mapping of column label to ndarray of bool, shape (n_rows,)
        Rows in which a column has a condition.
    exact : mapping of column label to callable
        Makes numbers (float64, shape (n_rows,)) of a column keep to its condition; without one they have to stay.
    unmoved : collection of column labels
        Columns that stay as they are, unless they follow from others.
    hidden : collection of column labels
        Columns that nobody sees: where one is missing and the others of its sum are not, it is what these make it.
    """

    grids: Mapping[ColumnName, Grid]
    fixed: Mapping[ColumnName, Bools]
    exact: Mapping[ColumnName, Callable[[Any], Any]]
    unmoved: Collection[ColumnName] = ()
    hidden: Collection[ColumnName] = ()

    def is_fixed(self, name: ColumnName, n_rows: int) -> Bools:
        """Rows in which a column has a condition."""
        return self.fixed[name].copy() if name in self.fixed else np.zeros(n_rows, np.bool_)

    def allow(self, name: ColumnName, values: Floats) -> Bools:
        """Rows in which a column may hold these numbers (float64, shape (n_rows,)), by its bounds and conditions."""
        grid, keeps = self.grids[name], ~self.is_fixed(name, len(values))
        if name in self.exact:
            keeps |= self.exact[name](values.copy()) == values
        return np.asarray((values >= grid.low) & (values <= grid.high) & keeps)


def keep_formulas(
    derived: Sequence[Derived], columns: Mapping[ColumnName, pd.Series], schema: Schema, limits: Limits
) -> dict[ColumnName, pd.Series]:
    """Make columns follow from others.

    Where the column that follows has a condition to keep, or would leave its bounds, one of those it follows from gives
    way: the one that moves least, as a share of its range, and agrees to the last digit with what was drawn, or with
    another number that the condition allows. If that one follows from others itself, so does one of them. Where none
    does, the row keeps to conditions and bounds, and not to the formula.

    Parameters
    ----------
    derived : sequence of Derived
        The formulas, each after those that its sources follow by.
    columns : mapping of column label to Series of shape (n_rows,)
        All columns, as they were drawn.
    schema : Schema
        What they are.
    limits : Limits
        What else has to be kept to.

    Returns
    -------
    dict of column label to Series
        Those columns that may have changed.
    """
    grids, targets = limits.grids, {one.target for one in derived}
    names = targets | {source for one in derived for source in one.sources if source in grids}
    drawn = {name: plain_numbers(columns[name], schema[name]) for name in columns if name in names}
    numbers, now = dict(drawn), dict(columns)
    free = names - (set(limits.unmoved) - targets)

    def put(name: ColumnName, values: Floats) -> None:
        numbers[name] = values
        now[name] = plain_column(values, schema[name])

    def follow() -> None:
        for one in derived:
            found, before = one.values(now, schema), numbers[one.target]
            may = limits.allow(one.target, grids[one.target].snap(found))
            put(one.target, np.where(np.isnan(before) | ~may, before, grids[one.target].snap(found)))

    def give_way() -> bool:
        stays = {name: limits.is_fixed(name, len(own)) for name, own in numbers.items()}
        anywhere = False
        for one in reversed(derived):  # a source that gives way may follow from others
            found, grid = one.values(now, schema), grids[one.target]
            apart = ~(_same(found, numbers[one.target], grid) | np.isnan(found) | np.isnan(numbers[one.target]))
            rows = np.flatnonzero(apart & (stays[one.target] | (found < grid.low) | (found > grid.high)))
            wanted = np.where(stays[one.target], numbers[one.target], drawn[one.target])[rows]
            for name, moved in _moves(one, numbers, rows, wanted, limits, stays, free).items():
                for about, values in ((name, moved.source), (one.target, moved.target)):
                    changed = numbers[about].copy()
                    changed[moved.rows] = values
                    put(about, changed)
                    stays[about][moved.rows] = anywhere = True
        return anywhere

    for one in derived:
        for place in (place for place, name in enumerate(one.sources) if name in limits.hidden):
            name, x = one.sources[place], np.stack([numbers[source] for source in one.sources])
            between = grids[name].snap(one.solved(x, place, numbers[one.target]))
            put(name, np.where(np.isnan(numbers[name]), between, numbers[name]))
    follow()
    for _ in range(MOST_ROUNDS):
        if not give_way():
            break
        follow()
    return {name: now[name] for name in numbers}


class _Moved(NamedTuple):
    """Rows in which a source gives way, its numbers there, and those of what follows."""

    rows: Ints
    source: Floats
    target: Floats


def _moves(
    one: Derived,
    numbers: Mapping[ColumnName, Floats],
    rows: Ints,
    wanted: Floats,
    limits: Limits,
    stays: Mapping[ColumnName, Bools],
    free: Collection[ColumnName],
) -> dict[ColumnName, _Moved]:
    """Which source gives way in which of the rows, such that what is wanted follows."""
    if not len(rows) or one.function in PARTS:  # many points in time have the same month
        return {}
    x = np.stack([numbers[name][rows] for name in one.sources])
    cost, source, target = np.full(x.shape, np.inf), x.copy(), np.empty_like(x)
    own, every = limits.grids[one.target], numbers[one.target].copy()
    for place, name in enumerate(one.sources):
        if name not in free:
            continue
        grid, new = limits.grids[name], x.copy()
        with np.errstate(all="ignore"):
            new[place] = source[place] = grid.snap(one.solved(x, place, wanted))
            found = _free(own).snap(one.slope * one.of_numbers(new) + one.shift)
            share = np.abs(new[place] - x[place]) / max(grid.high - grid.low, 1e-300)
        same, every[rows] = _same(found, wanted, own), found
        target[place] = np.where(same, wanted, found)
        may = same | limits.allow(one.target, every)[rows]
        cost[place] = np.where(may & np.isfinite(share) & ~stays[name][rows], share, np.inf)
    least, out = cost.argmin(axis=0), {}
    for place, name in enumerate(one.sources):
        chosen = (least == place) & np.isfinite(cost[place])
        if chosen.any():
            out[name] = _Moved(rows[chosen], source[place][chosen], target[place][chosen])
    return out


def _same(found: Floats, wanted: Floats, grid: Grid) -> Bools:
    """Whether numbers are what follows, rounded but not kept inside bounds."""
    near = SAME * np.abs(wanted) if grid.decimals is None else grid.half / 2
    return np.asarray(np.abs(_free(grid).snap(found) - wanted) <= near)


def _free(grid: Grid) -> Grid:
    return dataclasses.replace(grid, low=-np.inf, high=np.inf)
