"""Rows made to keep to the formulas and orders of their table."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Collection, Mapping, Sequence
from itertools import permutations, product
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from synthgan.encoding.derived import PARTS, Derived
from synthgan.encoding.dtypes import plain_column, plain_numbers
from synthgan.encoding.grid import Grid
from synthgan.encoding.orders import Order, rearranged
from synthgan.schema.table import ColumnName, Schema

__all__ = ["Limits", "keep_rules"]

Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]
Bools = npt.NDArray[np.bool_]

SAME = 1e-9
"""Share of itself by which a number that has no grid may differ from what follows."""

MOST_PAIRED = 6
"""Columns of a sum or product of which two may give way together."""

MOST_ROUNDS = 5
"""How often columns give way and follow again: what gave way may be what several others follow from."""

OUT_OF_ORDER = 10.0
"""What it counts to be out of order, in ranges that a source moves by: one that stays in order gives way first."""

MOST_SWEEPS = 16
"""How often all orders are looked at: a number may have to move past several others."""


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
        Columns that no formula moves, unless they follow from others.
    hidden : collection of column labels
        Columns that nobody sees: where one is missing and the others of its sum are not, it is what these make it.
    early : bool
        Whether conditions are not exact yet: numbers that are out of order only change places until they are.
    """

    grids: Mapping[ColumnName, Grid]
    fixed: Mapping[ColumnName, Bools]
    exact: Mapping[ColumnName, Callable[[Any], Any]]
    unmoved: Collection[ColumnName] = ()
    hidden: Collection[ColumnName] = ()
    early: bool = False

    def is_fixed(self, name: ColumnName, n_rows: int) -> Bools:
        """Rows in which a column has a condition."""
        return self.fixed[name].copy() if name in self.fixed else np.zeros(n_rows, np.bool_)

    def allow(self, name: ColumnName, values: Floats) -> Bools:
        """Rows in which a column may hold these numbers (float64, shape (n_rows,)), by its bounds and conditions."""
        grid, keeps = self.grids[name], ~self.is_fixed(name, len(values))
        if name in self.exact:
            keeps |= self.exact[name](values.copy()) == values
        return np.asarray((values >= grid.low) & (values <= grid.high) & keeps)


def keep_rules(
    derived: Sequence[Derived],
    orders: Sequence[Order],
    columns: Mapping[ColumnName, pd.Series],
    schema: Schema,
    limits: Limits,
) -> dict[ColumnName, pd.Series]:
    """Make columns follow from others, and stay in order.

    Where the column that follows has a condition to keep, or would leave its bounds, one of those it follows from gives
    way: the one that moves least, as a share of its range, and agrees to the last digit with what was drawn, or with
    another number that the condition allows; or two of them. If that one follows from others itself, so does one of
    them. Numbers that are out of order change places, or one of them moves past the other; formulas go before orders.
    Where none can, the row keeps to conditions and bounds, and not to the rule.

    Parameters
    ----------
    derived : sequence of Derived
        The formulas, each after those that its sources follow by.
    orders : sequence of Order
        The orders.
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
    rows = _Rows(derived, orders, columns, schema, limits)
    rows.fill_hidden()
    rows.follow()
    for _ in range(MOST_ROUNDS):
        if moved := rows.put_in_order():
            rows.follow()
        if gave_way := rows.give_way():  # formulas have the last word
            rows.follow()
        if not (moved or gave_way):
            break
    return {name: rows.now[name] for name in rows.numbers}


class _Rows:
    """Rows on their way to keeping to the rules; parameters as for `keep_rules`.

    Attributes
    ----------
    now : dict of column label to Series
        All columns as they are now.
    numbers : dict of column label to ndarray of float64, shape (n_rows,)
        Those that rules are about, as numbers.
    """

    def __init__(
        self,
        derived: Sequence[Derived],
        orders: Sequence[Order],
        columns: Mapping[ColumnName, pd.Series],
        schema: Schema,
        limits: Limits,
    ) -> None:
        self.derived, self.orders, self.schema, self.limits = derived, orders, schema, limits
        self.targets = {one.target for one in derived}
        names = self.targets | {source for one in derived for source in one.sources if source in limits.grids}
        every = names | {name for one in orders for name in (one.low, one.high)}
        self.drawn = {name: plain_numbers(columns[name], schema[name]) for name in columns if name in every}
        self.numbers, self.now = dict(self.drawn), dict(columns)
        self.free = names - (set(limits.unmoved) - self.targets)

    def put(self, name: ColumnName, values: Floats) -> bool:
        """Set a column's numbers; whether any is another one now."""
        changed = (values != self.numbers[name]) & ~(np.isnan(values) & np.isnan(self.numbers[name]))
        if changed.any():  # other cells stay what they are: a zone's clock shows an hour twice
            self.numbers[name] = values
            new = plain_column(values, self.schema[name])
            self.now[name] = self.now[name].mask(pd.Series(changed, self.now[name].index), new)
        return bool(changed.any())

    def fill_hidden(self) -> None:
        """Make hidden parts of sums what the others make them, where they are missing."""
        for one in self.derived:
            for place in (place for place, name in enumerate(one.sources) if name in self.limits.hidden):
                name, x = one.sources[place], np.stack([self.numbers[source] for source in one.sources])
                between = self.limits.grids[name].snap(one.solved(x, place, self.numbers[one.target]))
                self.put(name, np.where(np.isnan(self.numbers[name]), between, self.numbers[name]))

    def follow(self) -> None:
        """Let all that follows follow, where it may."""
        for one in self.derived:
            found, before = self.limits.grids[one.target].snap(one.values(self.now, self.schema)), self.numbers
            may = self.limits.allow(one.target, found)
            self.put(one.target, np.where(np.isnan(before[one.target]) | ~may, before[one.target], found))

    def give_way(self) -> bool:
        """Move sources where what follows from them may not; whether any row did."""
        numbers, limits = self.numbers, self.limits
        stays = {name: limits.is_fixed(name, len(own)) for name, own in numbers.items()}
        anywhere = False
        for one in reversed(self.derived):  # a source that gives way may follow from others
            found, grid = one.values(self.now, self.schema), limits.grids[one.target]
            apart = ~(_same(found, numbers[one.target], grid) | np.isnan(found) | np.isnan(numbers[one.target]))
            rows = np.flatnonzero(apart & (stays[one.target] | (found < grid.low) | (found > grid.high)))
            wanted = np.where(stays[one.target], numbers[one.target], self.drawn[one.target])[rows]
            done, sources, target = _moves(one, numbers, rows, wanted, limits, stays, self.free, self._in_order)
            changes = zip((*one.sources, one.target), (*sources, target), strict=True) if done.any() else ()
            for name, values in changes:
                changed = numbers[name].copy()
                changed[rows[done]] = values[done]
                stays[name] |= changed != numbers[name]
                self.put(name, changed)
            stays[one.target][rows[done]] = True
            anywhere |= bool(done.any())
        return anywhere

    def put_in_order(self) -> bool:
        """Rearrange columns that are out of order, but for those that follow from others; whether any row changed."""
        anywhere = False
        for _ in range(MOST_SWEEPS):
            moved = False
            for one in self.orders:
                pair = self.numbers[one.low], self.numbers[one.high]
                if one.broken(*pair).any():
                    low, high = rearranged(one, *pair, self.limits.grids, self._may, only_swapped=self.limits.early)
                    moved |= self.put(one.low, low) | self.put(one.high, high)
            if not moved:
                break
            anywhere = True
        return anywhere

    def _in_order(self, name: ColumnName, rows: Ints, values: Floats) -> Bools:
        """Whether numbers (m,) would be in order with the other columns of some rows (m,)."""
        fits = np.ones(len(rows), np.bool_)
        for one in self.orders:
            if name in (one.low, one.high):
                low, high = (values if name == end else self.numbers[end][rows] for end in (one.low, one.high))
                fits &= ~one.broken(low, high)
        return fits

    def _may(self, name: ColumnName, values: Floats) -> Bools:
        return self.limits.allow(name, values) & (name not in self.targets)


def _moves(
    one: Derived,
    numbers: Mapping[ColumnName, Floats],
    rows: Ints,
    wanted: Floats,
    limits: Limits,
    stays: Mapping[ColumnName, Bools],
    free: Collection[ColumnName],
    in_order: Callable[[ColumnName, Ints, Floats], Bools],
) -> tuple[Bools, Floats, Floats]:
    """Sources (K, m) and what follows (m,) in some rows, such that what is wanted follows, and where that was done.

    One source gives way, or else two: the second one takes what the rounding or the bounds of the first one leave.
    """
    own = limits.grids[one.target]
    if not len(rows) or one.function in PARTS:  # many points in time have the same month
        return np.zeros(len(rows), np.bool_), np.empty((len(one.sources), len(rows))), wanted
    x = np.stack([numbers[name][rows] for name in one.sources])
    least, best, target = np.full(len(rows), np.inf), x.copy(), wanted.copy()
    every, gave = numbers[one.target].copy(), stays[one.target] & ~limits.is_fixed(one.target, len(stays[one.target]))
    movable = [place for place, name in enumerate(one.sources) if name in free]
    pairs = [*permutations(movable[:MOST_PAIRED], 2)]
    for places, steps in [*(((place,), 0) for place in movable), *product(pairs, (0, -1, 1))]:
        if len(places) == 2 and (least < OUT_OF_ORDER).all():
            break
        new, cost, may = x.copy(), np.full(len(rows), float(len(places))), np.ones(len(rows), np.bool_)
        with np.errstate(all="ignore"):
            for place, is_last in zip(places, (len(places) == 1, True), strict=False):
                grid = limits.grids[one.sources[place]]
                off = 0.0 if is_last else steps * 2 * grid.half
                new[place] = grid.snap(one.solved(new, place, wanted) + off)
                cost += np.abs(new[place] - x[place]) / max(grid.high - grid.low, 1e-300)
                cost += OUT_OF_ORDER * ~in_order(one.sources[place], rows, new[place])
                may &= ~(stays[one.sources[place]][rows] & (new[place] != x[place]))
            found = _free(own).snap(one.slope * one.of_numbers(new) + one.shift)
        same, every[rows] = _same(found, wanted, own), found
        may &= same | (limits.allow(one.target, every) & ~gave)[rows]
        better = may & np.isfinite(new).all(axis=0) & (cost < least)
        least = np.where(better, cost, least)
        best[:, better], target[better] = new[:, better], np.where(same, wanted, found)[better]
    return np.isfinite(least), best, target


def _same(found: Floats, wanted: Floats, grid: Grid) -> Bools:
    """Whether numbers are what follows, rounded but not kept inside bounds."""
    near = SAME * np.abs(wanted) if grid.decimals is None else grid.half / 2
    return np.asarray(np.abs(_free(grid).snap(found) - wanted) <= near)


def _free(grid: Grid) -> Grid:
    return dataclasses.replace(grid, low=-np.inf, high=np.inf)
