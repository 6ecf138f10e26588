"""Columns that never lie below another one: an end and its start, a highest and a lowest price."""

from __future__ import annotations

import dataclasses
from collections.abc import Collection, Sequence

import numpy as np
import numpy.typing as npt
import pandas as pd

from synthgan.encoding.derived import Derived, in_order, new_label
from synthgan.encoding.orders import comparable, never_below
from synthgan.schema.infer import infer_schema
from synthgan.schema.table import ColumnKind, ColumnName, ColumnSpec, Schema

__all__ = ["Gap", "find_gaps"]

Floats = npt.NDArray[np.float64]

MOST_SPREAD = 0.4
"""Standard deviation of a gap, as a share of those of the two columns: further apart a network tells each by itself,
and rows are nearer to the table for it (weather in benchmarks/formulas.py, whose gap has 0.48)."""

UNITS = (86_400_000_000, 3_600_000_000, 60_000_000, 1_000_000, 1000, 1)
"""Ticks in a day, an hour, a minute, a second, a millisecond and a microsecond."""


@dataclasses.dataclass(frozen=True, slots=True)
class Gap:
    """A column of its own for how far one column lies above another: learned and drawn, but not shown.

    Parameters
    ----------
    formula : Derived
        The later column, as the sum of the earlier one and the gap.
    spec : ColumnSpec
        The gap's column.
    """

    formula: Derived
    spec: ColumnSpec


def find_gaps(frame: pd.DataFrame, schema: Schema, derived: Sequence[Derived]) -> list[Gap]:
    """Find the columns that lie close above another one in all rows in which both are there.

    Parameters
    ----------
    frame : DataFrame of shape (n_rows, n_columns)
        Columns as in `schema`.
    schema : Schema
        What they are.
    derived : sequence of Derived
        What is known to follow from others.

    Returns
    -------
    list of Gap
        Of each column at most one: to the column that is nearest.
    """
    out: list[Gap] = []
    for numbers in comparable(frame, schema):
        nearest: dict[ColumnName, tuple[float, ColumnName]] = {}
        for low, high, x, y in never_below(numbers):
            with np.errstate(all="ignore"):
                spread, least = float((y - x).std()), min(float(x.std()), float(y.std()))
            if 0 < spread <= MOST_SPREAD * least < np.inf and spread < nearest.get(high, (np.inf,))[0]:
                nearest[high] = spread, low
        for high, (_, low) in nearest.items():
            if high not in {one.target for one in derived}:
                gap = _gap(low, high, numbers, schema, {*schema.names, *(one.spec.name for one in out)})
                if in_order([*derived, *(one.formula for one in out), gap.formula]):
                    out.append(gap)
    return out


def _gap(
    low: ColumnName, high: ColumnName, numbers: dict[ColumnName, Floats], schema: Schema, taken: Collection[ColumnName]
) -> Gap:
    name, apart, unit = new_label(f"{high} - {low}", taken), numbers[high] - numbers[low], 1.0
    if schema[high].kind is ColumnKind.DATETIME:
        ticks = int(np.gcd.reduce(apart[np.isfinite(apart)].astype(np.int64)))
        unit = float(next(unit for unit in UNITS if ticks % unit == 0))
        apart = apart / unit
    digits = [schema[one].decimals for one in (low, high)]
    if None not in digits:
        apart = np.round(apart, max(one for one in digits if one is not None))
    spec = infer_schema(pd.DataFrame({name: apart}), {name: "numeric"})[name]
    return Gap(Derived(high, (low, name), "sum", weights=(1.0, unit)), spec)
