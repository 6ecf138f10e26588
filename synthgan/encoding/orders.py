"""Columns that never lie below another one: found in a table, and kept in order."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from synthgan.encoding.derived import Derived, written
from synthgan.encoding.dtypes import plain_numbers
from synthgan.encoding.grid import Grid
from synthgan.encoding.line import MIN_ROWS, some_of
from synthgan.schema.table import ColumnKind, ColumnName, Schema

__all__ = ["Order", "comparable", "find_orders", "never_below", "orders_of_state", "rearranged"]

Floats = npt.NDArray[np.float64]
Bools = npt.NDArray[np.bool_]

SAME = 1e-9
"""Share of itself by which a number may differ from itself, read another way."""

MOST_COLUMNS = 256
"""Columns of a kind that are looked at: each is compared with all others."""

LEAST_TOGETHER = 0.5
"""Share of the later column's cells beside which there has to be one of the earlier column."""

LEAST_SHARE = 0.005
"""Share of the rows that would have to be out of order too: draws hardly ever break a looser order, true or not."""

BY_CHANCE, COUNTED_ROWS = 20, 10_000
"""Rows out of order that there would be, were the two columns independent: of fewer, none may be by chance. And rows
that are closest to being equal, from which on it is no chance that none is. By how many rows that is told, at most."""


@dataclasses.dataclass(frozen=True, slots=True)
class Order:
    """A column that is never below another one, in all rows in which both are there.

    Parameters
    ----------
    low, high : column label
        The two: numbers, or points in time of one zone.
    strict : bool
        Whether they are never equal either.

    Examples
    --------
    >>> print(Order("years here", "age", strict=True))
    age > 'years here'
    """

    low: ColumnName
    high: ColumnName
    strict: bool

    def broken(self, low: Floats, high: Floats) -> Bools:
        """Rows (n,) in which numbers are out of order."""
        return np.asarray(low >= high if self.strict else low > high)

    def __str__(self) -> str:
        """Return the order as people write it."""
        return f"{written(self.high)} {'>' if self.strict else '>='} {written(self.low)}"

    def state(self) -> dict[str, Any]:
        """Return plain values that rebuild it."""
        return dataclasses.asdict(self)


def orders_of_state(state: Sequence[Mapping[str, Any]], schema: Schema) -> tuple[Order, ...]:
    """Rebuild what `Order.state` returned of columns of this schema.

    Raises
    ------
    ValueError, KeyError, TypeError
        When it is of none.
    """
    found = tuple(Order(item["low"], item["high"], bool(item["strict"])) for item in state)
    for one in found:
        kinds = {schema[one.low].kind, schema[one.high].kind}
        if one.low == one.high or len(kinds) > 1 or not kinds <= {ColumnKind.NUMERIC, ColumnKind.DATETIME}:
            raise ValueError("an order is of two columns of numbers, or of points in time")
    return found


def comparable(frame: pd.DataFrame, schema: Schema) -> list[dict[ColumnName, Floats]]:
    """Numbers of the columns that can be above one another: those of numbers, and points in time zone by zone."""
    numbers = [spec for spec in schema.of_kind(ColumnKind.NUMERIC) if not spec.is_number_text]
    times = schema.of_kind(ColumnKind.DATETIME)
    # Clocks of two zones do not tell what is earlier.
    groups = [numbers, *([spec for spec in times if spec.tz == zone] for zone in dict.fromkeys(x.tz for x in times))]
    return [{spec.name: plain_numbers(frame[spec.name], spec) for spec in group[:MOST_COLUMNS]} for group in groups]


def never_below(numbers: Mapping[ColumnName, Floats]) -> Iterator[tuple[ColumnName, ColumnName, Floats, Floats]]:
    """Find the pairs of columns of which one is never below the other, and could be.

    Parameters
    ----------
    numbers : mapping of column label to ndarray of float64, shape (n,)
        NaN where there is none.

    Yields
    ------
    low, high : column label
        Of which the second one is never below.
    x, y : ndarray of float64, shape (m,)
        Their numbers in the rows that have both.
    """
    if len(numbers) < 2:
        return
    names, every = list(numbers), list(numbers.values())
    known = [np.isfinite(own) for own in every]
    some = np.stack(every)[:, some_of(len(every[0]))]
    for place, high in enumerate(names):
        above = ~(some > some[place]).any(axis=1)
        for other in np.flatnonzero(above & (np.arange(len(names)) != place)).tolist():
            both = known[other] & known[place]
            x, y = every[other][both], every[place][both]
            enough = len(x) >= max(MIN_ROWS, LEAST_TOGETHER * known[place].sum())
            # Where the ranges do not meet, no draw can go wrong.
            if enough and not (x > y).any() and x.max() > y.min() and (x < y).any():
                yield names[other], high, x, y


def find_orders(frame: pd.DataFrame, schema: Schema, derived: Sequence[Derived]) -> list[Order]:
    """Find the columns that are never below another one, where that is no chance and rows can be made to keep to it.

    Parameters
    ----------
    frame : DataFrame of shape (n_rows, n_columns)
        Columns as in `schema`.
    schema : Schema
        What they are.
    derived : sequence of Derived
        What follows from other columns, gaps among it: sums of the earlier column and one that is not in the schema.

    Returns
    -------
    list of Order
        Without those that follow from two others (c >= b and b >= a) by a column b that is never missing. Formulas go
        before orders: there are none of two columns that both follow from others, or of which one follows from the
        other.
    """
    groups = comparable(frame, schema)
    above = {one.target: set(one.sources) for one in derived}
    for one in derived:  # each stands after those that its sources follow by
        above[one.target] |= {far for source in one.sources for far in above.get(source, ())}
    found = {
        (low, high): Order(low, high, _is_strict(x, y))
        for numbers in groups
        for low, high, x, y in never_below(numbers)
        if not (low in above and high in above)
        and low not in above.get(high, ())
        and high not in above.get(low, ())
        and _by_chance(x, y) >= max(BY_CHANCE, LEAST_SHARE * len(x))
    }
    gaps = [(one.sources[0], one.target) for one in derived if not set(one.sources) <= set(schema.names)]
    links = {**found, **dict.fromkeys(gaps)}
    whole = {name for numbers in groups for name, own in numbers.items() if np.isfinite(own).all()}
    above_whole: dict[ColumnName, list[ColumnName]] = {}
    for low, high in links:
        if high in whole:
            above_whole.setdefault(low, []).append(high)
    return [one for one in found.values() if not any(_tells(one, links, mid) for mid in above_whole.get(one.low, ()))]


def _by_chance(x: Floats, y: Floats) -> float:
    """Rows in which numbers y would lie below numbers x, were the two independent."""
    step = -(-len(x) // COUNTED_ROWS)
    x, y = np.sort(x[::step]), y[::step]
    return float((len(x) - np.searchsorted(x, y, side="right")).sum() / len(x) * step)


def _is_strict(x: Floats, y: Floats) -> bool:
    """Whether it is no chance that numbers y are never equal to numbers x."""
    with np.errstate(all="ignore"):
        apart = np.round(y - x, 9)
    least = apart.min()
    return bool(least > 0 and (apart == least).sum() >= BY_CHANCE)


def _tells(one: Order, links: Mapping[tuple[ColumnName, ColumnName], Order | None], mid: ColumnName) -> bool:
    """Whether two orders by way of a column in the middle say as much as one."""
    if (mid, one.high) not in links:
        return False
    parts = links[one.low, mid], links[mid, one.high]
    return not one.strict or any(part is not None and part.strict for part in parts)


def rearranged(
    one: Order,
    low: Floats,
    high: Floats,
    grids: Mapping[ColumnName, Grid],
    may: Callable[[ColumnName, Floats], Bools],
    *,
    only_swapped: bool = False,
) -> tuple[Floats, Floats]:
    """Put two columns in order.

    Numbers that are not change places. Where that cannot be, one of them moves to the other side of the other one, as
    far from it as it was: were all to stop there, many would be equal. Where it finds no room there, it does stop.

    Parameters
    ----------
    one : Order
        To keep to.
    low, high : ndarray of float64, shape (n,)
        Numbers of its columns, NaN where there is none.
    grids : mapping of column label to Grid
        What they are rounded to, with their bounds.
    may : callable
        Says in which rows a column may hold such numbers instead of its own.
    only_swapped : bool
        Whether numbers only change places.

    Returns
    -------
    low, high : ndarray of float64, shape (n,)
        Still out of order where neither may move.
    """
    own, other = grids[one.low], grids[one.high]
    with np.errstate(all="ignore"):
        ways = [(high, low), (2 * high - low, high), (low, 2 * low - high)]
        ways += [(_beside(own, high, one.strict, -1), high), (low, _beside(other, low, one.strict, 1))]
    out_low, out_high = low.copy(), high.copy()
    for wanted_low, wanted_high in ways[: 1 if only_swapped else None]:
        new_low = np.where(wanted_low == low, low, own.snap(wanted_low))
        new_high = np.where(wanted_high == high, high, other.snap(wanted_high))
        rows = one.broken(out_low, out_high) & ~one.broken(new_low, new_high)
        if not rows.any():
            continue
        for name, old, new, wanted in ((one.low, low, new_low, wanted_low), (one.high, high, new_high, wanted_high)):
            near = np.abs(new - wanted) <= np.maximum(grids[name].half / 2, SAME * np.abs(wanted))
            rows &= (wanted == old) | (near & may(name, new))
        out_low, out_high = np.where(rows, new_low, out_low), np.where(rows, new_high, out_high)
    return out_low, out_high


def _beside(grid: Grid, values: Floats, strict: bool, side: int) -> Floats:
    """The number of a grid that is nearest to values on one side (1 above, -1 below); not the same one if `strict`."""
    free = dataclasses.replace(grid, low=-np.inf, high=np.inf)
    at = free.snap(values)
    same = np.abs(at - values) <= SAME * np.abs(values)
    off = np.where(same, float(strict), np.where(side * (at - values) > 0, 0.0, 1.0))
    if not grid.half:
        return np.where(off > 0, np.nextafter(values, side * np.inf), values)
    return free.snap(at + side * off * 2 * grid.half)
