"""Numbers that follow from other columns: a price from a quantity, a total from its parts, a month from a date."""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Callable, Collection, Mapping, Sequence
from graphlib import CycleError, TopologicalSorter
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from synthgan.encoding.dtypes import plain_numbers, wall_ticks
from synthgan.encoding.temporal import ticks_to_datetime
from synthgan.schema.table import ColumnKind, ColumnName, ColumnSpec, Schema

__all__ = [
    "COMBINATIONS", "FUNCTIONS", "PARTS", "Derived", "derived_of_state", "in_order", "new_label", "part_of", "written",
]  # fmt: skip

Floats = npt.NDArray[np.float64]

FUNCTIONS: Mapping[str, Callable[[Floats], Floats]] = {
    "x": lambda x: x,
    "x^2": np.square,
    "sqrt": np.sqrt,
    "log": np.log,
    "exp": np.exp,
    "1/x": np.reciprocal,
}
"""What a number may be a multiple of, plus a constant."""

PARTS = ("year", "quarter", "month", "day", "dayofyear", "dayofweek", "hour", "minute")
"""What of a point in time a whole number may be, plus a constant: names in pandas."""

LONGER = 6
"""By how many characters a factor is longer than what is divided by instead: a third."""

COMBINATIONS: Mapping[str, Callable[[Floats, Floats], Floats]] = {
    "sum": lambda x, weights: weights @ x,
    "product": lambda x, powers: np.prod(np.power(x, powers[:, None]), axis=0),
}
"""What of several numbers (K, n), with K weights or powers, a number may be a multiple of, plus a constant."""


@dataclasses.dataclass(frozen=True, slots=True)
class Derived:
    """A column of numbers that is ``slope * f(sources) + shift``, to the last digit.

    Parameters
    ----------
    target : column label
        The column that follows.
    sources : tuple of column label
        Those it follows from.
    function : str
        f: one of `FUNCTIONS` of a number, of `PARTS` of a point in time, or of `COMBINATIONS` of several numbers, among
        which points in time are ticks.
    slope, shift : float
        The numbers above.
    weights : tuple of float
        Of a combination: the factor of each source in a sum, its power (a whole number) in a product.

    Examples
    --------
    >>> print(Derived("total", ("net", "tax", "discount"), "sum", weights=(1.0, 1.0, -1.0)))
    total = net + tax - discount
    >>> print(Derived("amount", ("price", "quantity"), "product", 0.01, weights=(1.0, 1.0)))
    amount = 0.01 * price * quantity
    """

    target: ColumnName
    sources: tuple[ColumnName, ...]
    function: str
    slope: float = 1.0
    shift: float = 0.0
    weights: tuple[float, ...] = ()

    def values(self, columns: Mapping[ColumnName, pd.Series[Any]] | pd.DataFrame, schema: Schema) -> Floats:
        """What follows from the cells of the sources among columns; float64, NaN where nothing does."""
        with np.errstate(all="ignore"):
            if self.function in PARTS:
                (source,) = self.sources
                x = part_of(columns[source], schema[source], self.function)
            else:
                numbers = np.stack([plain_numbers(columns[source], schema[source]) for source in self.sources])
                x = self.of_numbers(numbers)
            found = self.slope * x + self.shift
        return np.where(np.isfinite(found), found, np.nan)

    def of_numbers(self, numbers: Floats) -> Floats:
        """The function of numbers, shape (K, n)."""
        if self.function in COMBINATIONS:
            return COMBINATIONS[self.function](numbers, np.array(self.weights))
        return FUNCTIONS[self.function](numbers[0])

    def solved(self, numbers: Floats, place: int, target: Floats) -> Floats:
        """What the source at a place would have to be for the target to follow; NaN of functions that do not tell.

        Parameters
        ----------
        numbers : ndarray of float64, shape (K, n)
            Of all sources.
        place : int
            Which of them is wanted.
        target : ndarray of float64, shape (n,)
            What is to follow.
        """
        x = (target - self.shift) / self.slope
        if self.function == "x":
            return x
        if self.function not in COMBINATIONS:
            return np.full(len(x), np.nan)
        weights, others = np.array(self.weights), np.arange(len(numbers)) != place
        rest = COMBINATIONS[self.function](numbers[others], weights[others])
        if self.function == "sum":
            return np.asarray((x - rest) / weights[place])
        return np.asarray((x / rest) ** (1 / weights[place]))

    def __str__(self) -> str:
        """Return the formula as people write it."""
        pairs = list(zip(self.sources, self.weights, strict=False))
        if self.function == "sum":
            terms = [(self.slope * weight, written(name)) for name, weight in pairs]
        elif self.function == "product":
            above = [_power(name, power) for name, power in pairs if power > 0]
            below = [_power(name, -power) for name, power in pairs if power < 0]
            terms = [(self.slope, " / ".join([" * ".join(above) or "1", *below]))]
        else:
            shape = {"x": "{}", "x^2": "{}^2", "1/x": "1 / {}"}.get(self.function, f"{self.function}({{}})")
            terms = [(self.slope, shape.format(written(self.sources[0])))]
        terms.sort(key=lambda term: term[0] < 0)
        first, *others = [_term(*term) for term in (*terms, (self.shift, "")) if term[0]]
        right = [("-" if first[0] else "") + first[1], *(f"{'-' if minus else '+'} {term}" for minus, term in others)]
        return f"{written(self.target)} = {' '.join(right)}"

    def state(self) -> dict[str, Any]:
        """Return plain values that rebuild it."""
        return dataclasses.asdict(self) | {"sources": list(self.sources), "weights": list(self.weights)}


def derived_of_state(state: Sequence[Mapping[str, Any]], schema: Schema) -> tuple[Derived, ...]:
    """Rebuild what `Derived.state` returned of columns of this schema.

    Raises
    ------
    ValueError, KeyError, TypeError
        When it is of none.
    """
    found = tuple(_of_item(item) for item in state)
    if len({one.target for one in found}) < len(found):
        raise ValueError("a column follows by one formula")
    for place, one in enumerate(found):
        if {later.target for later in found[place:]}.intersection(one.sources):
            raise ValueError(f"{one.target!r} follows from columns whose formulas stand before its own")
        kinds = [schema[source].kind for source in one.sources]
        several = one.function in COMBINATIONS
        known = FUNCTIONS if kinds == [ColumnKind.NUMERIC] else PARTS if kinds == [ColumnKind.DATETIME] else ()
        as_number = {ColumnKind.NUMERIC, *([ColumnKind.DATETIME] if one.function == "sum" else [])}
        if schema[one.target].kind not in as_number or not (several or one.function in known):
            raise ValueError(f"{one.target!r} cannot be {one.function!r} of {one.sources!r}")
        if several and (len(kinds) < 2 or not as_number.issuperset(kinds) or len(set(one.sources)) < len(kinds)):
            raise ValueError("numbers are combined of two others or more")
        if len(one.weights) != (len(kinds) if several else 0):
            raise ValueError("each column of a sum or product has a weight")
        if not all(math.isfinite(number) for number in (one.slope, one.shift, *one.weights)):
            raise ValueError("a slope, a shift and weights are finite")
    return found


def in_order(found: Sequence[Derived]) -> list[Derived] | None:
    """Put formulas in an order in which each comes after those of its sources; None where they go round in circles."""
    by_target = {one.target: one for one in found}
    if len(by_target) < len(found):
        return None
    try:
        order = list(TopologicalSorter({one.target: one.sources for one in found}).static_order())
    except CycleError:
        return None
    return [by_target[name] for name in order if name in by_target]


def part_of(values: pd.Series[Any], spec: ColumnSpec, name: str) -> Floats:
    """One of `PARTS` of points in time as float64, NaN where they are missing."""
    ticks, missing = wall_ticks(values.reset_index(drop=True), spec)
    part = getattr(ticks_to_datetime(ticks, missing).dt, name)
    return np.asarray(part.to_numpy(dtype=np.float64, na_value=np.nan))


def _of_item(item: Mapping[str, Any]) -> Derived:
    fields = dict(item)
    if "source" in fields:  # as the first files have it
        fields["sources"] = [fields.pop("source")]
    return Derived(**fields | {key: tuple(fields.get(key, ())) for key in ("sources", "weights")})


def written(name: ColumnName) -> str:
    """Return a label as it stands in a formula: in quotes where it is more than a word."""
    return (
        name if isinstance(name, str) and name.isidentifier() else repr(name) if isinstance(name, str) else f"[{name}]"
    )


def new_label(name: str, taken: Collection[ColumnName]) -> str:
    """Return a label that no column has: `name`, and spaces where it is taken."""
    while name in taken:
        name += " "
    return name


def _power(name: ColumnName, power: float) -> str:
    return written(name) if power == 1 else f"{written(name)}^{power:g}"


def _term(factor: float, text: str) -> tuple[bool, str]:
    """Whether a term is taken away, and what it is without its sign."""
    size, over = f"{abs(factor):.12g}", f"{1 / abs(factor):.12g}"
    if text and len(over) < len(size) - LONGER:
        return factor < 0, f"{text} / {over}"
    return factor < 0, size if not text else text if size == "1" else f"{size} * {text}"
