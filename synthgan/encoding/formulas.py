"""Looking for the numbers that follow from other columns, in all rows of a table."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import numpy.typing as npt
import pandas as pd

from synthgan.encoding.combined import find_combined
from synthgan.encoding.derived import FUNCTIONS, PARTS, Derived, in_order, part_of
from synthgan.encoding.dtypes import numbers_of
from synthgan.encoding.line import MIN_DISTINCT, MIN_ROWS, line_through, some_of
from synthgan.schema.table import ColumnKind, ColumnName, Schema

__all__ = ["find_derived"]

Floats = npt.NDArray[np.float64]

MIN_RANK = 0.9
"""Rank correlation, in absolute value, of numbers that are worth a look: it is lower where one has more holes."""

MAX_SOURCES = 8
"""Columns of the nearest ranks that are looked at for one target."""


def find_derived(frame: pd.DataFrame, schema: Schema) -> tuple[Derived, ...]:
    """Find the numbers that follow from one other column, or from several, in all rows in which those are there.

    Of two columns that follow from each other the later one is derived, or the one that is rounded more coarsely. Of
    several that make up a sum or a product it is the total (see `find_combined`), whose parts may follow from columns
    themselves.

    Parameters
    ----------
    frame : DataFrame of shape (n_rows, n_columns)
        Columns as in `schema`.
    schema : Schema
        What they are.

    Returns
    -------
    tuple of Derived
        In an order in which each follows from columns that are drawn, or that stand before it.
    """
    plain = [spec for spec in schema.of_kind(ColumnKind.NUMERIC) if not spec.is_number_text]
    numbers = {spec.name: numbers_of(frame[spec.name], spec) for spec in plain}
    combined = find_combined(numbers, schema)
    free = {name: values for name, values in numbers.items() if name not in {one.target for one in combined}}
    found = _of_one_number(numbers, schema, combined)
    sources = {source for one in found.values() for source in one.sources}
    for spec in schema.of_kind(ColumnKind.DATETIME):
        for part in PARTS:
            x = part_of(frame[spec.name], spec, part)
            for target, values in free.items():
                if target in found or target in sources or schema[target].decimals != 0:
                    continue
                if (shift := _shift(x, values)) is not None:
                    found[target] = Derived(target, (spec.name,), part, 1.0, shift)
    return tuple(in_order([*found.values(), *combined]) or ())


def _of_one_number(
    numbers: Mapping[ColumnName, Floats], schema: Schema, combined: list[Derived]
) -> dict[ColumnName, Derived]:
    """Numbers that follow from another that does not follow from one itself."""
    found: dict[ColumnName, Derived] = {}
    sources: set[ColumnName] = set()
    for target, source in _candidates(numbers):
        if target in found or target in sources or source in found:
            continue
        if in_order([*combined, *found.values(), Derived(target, (source,), "x")]) is None:
            continue
        for function in FUNCTIONS:
            with np.errstate(all="ignore"):
                x = FUNCTIONS[function](numbers[source])
            y, spec, some = numbers[target], schema[target], some_of(len(x))
            if line_through(x[some], y[some], spec) is not None and (line := line_through(x, y, spec)) is not None:
                found[target] = Derived(target, (source,), function, *line)
                sources.add(source)
                break
    return found


def _candidates(numbers: Mapping[ColumnName, Floats]) -> list[tuple[ColumnName, ColumnName]]:
    """Pairs of a target and a source whose ranks agree, in the order in which they are looked at."""
    names = list(numbers)
    if len(names) < 2:
        return []
    some = some_of(len(numbers[names[0]]))
    ranks = pd.DataFrame({place: own[some] for place, own in enumerate(numbers.values())}).rank()
    # A missing cell has the middle rank: where it is missing in both columns that changes little.
    with np.errstate(all="ignore"):
        rank = np.nan_to_num(np.abs(np.corrcoef(ranks.fillna(ranks.mean()).to_numpy().T)))
    np.fill_diagonal(rank, 0.0)
    nearest = np.argsort(-rank, axis=1, kind="stable")[:, :MAX_SOURCES]
    close = sorted({(min(a, b), max(a, b)) for a in range(len(names)) for b in nearest[a] if rank[a, b] >= MIN_RANK})
    # The later of two columns is tried as the target first.
    return [(names[b], names[a]) for a, b in close] + [(names[a], names[b]) for a, b in close]


def _shift(x: Floats, values: Floats) -> float | None:
    """What part of a time all rows differ by; None where they do not agree."""
    both = np.isfinite(x) & np.isfinite(values)
    if both.sum() < MIN_ROWS or (np.isnan(x) & ~np.isnan(values)).any():
        return None
    apart = np.unique(values[both] - x[both])
    enough = len(np.unique(x[both])) >= MIN_DISTINCT // 2  # a quarter of the year has four
    return float(apart[0]) if enough and len(apart) == 1 else None
