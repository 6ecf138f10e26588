"""Parts of points in time that other columns go with: what is sold on Saturdays, and heating in winter.

A point in time is learned as one of some hundred stretches of time, and a place in it. That says when in the years, but
not which day of the week. Where other columns go with that, it is a column of its own: learned, and drawn from right
after the point in time that it follows from, but not shown.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator

import numpy as np
import numpy.typing as npt
import pandas as pd

from synthgan.encoding.derived import Derived, new_label, part_of
from synthgan.encoding.encoded import EncodedTable
from synthgan.encoding.layout import TableLayout
from synthgan.schema.table import ColumnKind, ColumnName, Schema

__all__ = ["find_calendar"]

Ints = npt.NDArray[np.int64]

CALENDAR = ("dayofweek", "month", "day")
"""What is looked at, of `PARTS`: the rest is told by the month, or by the time of day, which has a block of its own."""

MOST_TOLD = 0.8
"""Share of rows in which a part is the likeliest one of their stretch of time: with more it need not be told apart."""

MIN_ASSOCIATION, MIN_DEVIATIONS = 0.1, 6.0
"""Cramér's V, corrected for its bias, and standard deviations of chi-squared beyond chance, from which a column goes
with a part."""

GROUPS = 8
"""Groups of a column's codes, of about as many rows each, or its most frequent ones and the rest."""


def find_calendar(
    frame: pd.DataFrame, table: EncodedTable, layout: TableLayout, schema: Schema, derived: Collection[Derived]
) -> list[Derived]:
    """Find the parts of points in time that other columns go with, and that no column holds.

    Parameters
    ----------
    frame, table : DataFrame and EncodedTable of n_rows rows
        The rows, as they are and encoded.
    layout : TableLayout
        What the codes mean.
    schema : Schema
        What the columns are.
    derived : collection of Derived
        What is known to follow from others.

    Returns
    -------
    list of Derived
        Their targets are labels that no column has.
    """
    out: list[Derived] = []
    told = {(one.sources[0], one.function) for one in derived}
    groups = list(_groups(table, layout, {one.target for one in derived}))
    for spec in schema.of_kind(ColumnKind.DATETIME):
        if not layout.blocks_of(spec.name):
            continue
        day = table.codes[:, layout.blocks_of(spec.name)[0]].astype(np.int64)
        for name in CALENDAR:
            part = part_of(frame[spec.name], spec, name)
            known = np.isfinite(part)
            if (spec.name, name) in told or not known.any():
                continue
            _, values = np.unique(part[known], return_inverse=True)
            if _is_told(day[known], values) or not any(_go_together(values, group[known]) for group in groups):
                continue
            out.append(Derived(new_label(f"{name}({spec.name})", schema.names), (spec.name,), name))
    return out


def _groups(table: EncodedTable, layout: TableLayout, follow: Collection[ColumnName]) -> Iterator[Ints]:
    """The group of each row in each column but points in time, flags, and what follows anyway."""
    for place, block in enumerate(layout.blocks):
        if block.part == "value" and block.column not in follow:
            mass = np.bincount(table.codes[:, place], minlength=block.n_codes)
            if block.ordered:
                group = GROUPS * (mass.cumsum() - 0.5 * mass) / len(table)
            else:
                group = np.argsort(np.argsort(-mass, kind="stable"), kind="stable")
            yield np.minimum(group.astype(np.int64), GROUPS - 1)[table.codes[:, place]]


def _is_told(day: Ints, part: Ints) -> bool:
    """Whether stretches of time tell a part of it."""
    counts = _counts(day, part)
    return bool(counts.max(axis=1).sum() > MOST_TOLD * len(day))


def _go_together(part: Ints, group: Ints) -> bool:
    counts = _counts(part, group)
    n, (r, c) = counts.sum(), counts.shape
    if min(r, c) < 2:
        return False
    expected = counts.sum(axis=1, keepdims=True) * counts.sum(axis=0) / n
    chi, free = float((np.square(counts - expected) / expected).sum()), (r - 1) * (c - 1)
    strength = max(chi - free, 0.0) / n / (min(r, c) - 1)
    return bool(chi > free + MIN_DEVIATIONS * (2 * free) ** 0.5 and strength > MIN_ASSOCIATION**2)


def _counts(a: Ints, b: Ints) -> npt.NDArray[np.float64]:
    """Rows of each pair of small numbers, without numbers that there are none of."""
    n = int(b.max()) + 1
    counts = np.bincount(a * n + b, minlength=(int(a.max()) + 1) * n).reshape(-1, n)
    return counts[counts.any(axis=1)][:, counts.any(axis=0)].astype(np.float64)
