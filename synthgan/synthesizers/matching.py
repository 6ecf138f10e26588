"""Which rows satisfy conditions: for models that can only draw and look."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Set
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from synthgan.conditioning.values import exact_values, is_mark, is_missing, read_bounds, read_instant
from synthgan.encoding import TableEncoder
from synthgan.encoding.cells import FloatArray
from synthgan.encoding.dtypes import numbers_of, wall_clock, wall_ticks
from synthgan.schema import ColumnKind, ColumnName, ColumnSpec

__all__ = ["matches"]

Keeps = Callable[[pd.DataFrame], npt.NDArray[np.bool_]]


def matches(encoder: TableEncoder, conditions: Mapping[ColumnName, Any]) -> Keeps:
    """Return a function that tells which rows of a frame satisfy conditions (which have been checked).

    Parameters
    ----------
    encoder : TableEncoder
        Of the fitted table.
    conditions : mapping
        For a column a value, None for missing, a set or list of values, or a ``(low, high)`` range.

    Examples
    --------
    >>> from synthgan.schema import infer_schema
    >>> frame = pd.DataFrame({"age": [31, 47, 25], "city": ["Ulm", None, "Bonn"]})
    >>> keeps = matches(TableEncoder.fit(frame, infer_schema(frame)), {"age": (30, None), "city": {"Ulm", None}})
    >>> keeps(frame).tolist()
    [True, True, False]
    """
    tests = {
        name: _test(encoder, name, wanted)
        for name, wanted in conditions.items()
        if encoder.schema[name].kind is not ColumnKind.CONSTANT
    }

    def keeps(frame: pd.DataFrame) -> npt.NDArray[np.bool_]:
        kept = np.ones(len(frame), np.bool_)
        for name, test in tests.items():
            kept &= test(frame[name])
        return kept

    return keeps


def _test(encoder: TableEncoder, name: ColumnName, wanted: Any) -> Callable[[pd.Series], npt.NDArray[np.bool_]]:
    spec = encoder.schema[name]
    if isinstance(wanted, tuple):
        low, high = _ends(spec, *wanted)
        return lambda column: _within(_numbers(column, spec), low, high)
    values = list(wanted) if isinstance(wanted, (Set, list)) else [wanted]
    present = [value for value in values if not is_missing(value)]
    missing = len(present) < len(values)
    marks = [value for value in present if is_mark(spec, value)]
    present = [value for value in present if not is_mark(spec, value)]
    none = np.zeros(0, np.int64 if spec.kind is ColumnKind.DATETIME else object)
    known = exact_values(spec, encoder.encoders[name], pd.Series(present, dtype=object)) if present else none
    if spec.kind is ColumnKind.DATETIME:
        known = wall_clock(known.astype(np.int64), spec).astype(np.float64)

    def test(column: pd.Series) -> npt.NDArray[np.bool_]:
        cells = pd.Series(_numbers(column, spec)) if known.dtype != object else _levels(column, spec)
        return (cells.isin(known.tolist()) | column.isin(marks) | (column.isna() & missing)).to_numpy(np.bool_)

    return test


def _levels(column: pd.Series, spec: ColumnSpec) -> pd.Series:
    """Levels, without the numbers that tell the cells of one that stands for many apart."""
    if spec.other is None:
        return column
    is_other = column.astype("string").str.fullmatch(re.escape(spec.other) + r"-\d+").fillna(False)
    return column.mask(is_other.to_numpy(np.bool_), spec.other)


def _numbers(column: pd.Series, spec: ColumnSpec) -> FloatArray:
    """Numbers, or times as wall-clock ticks; NaN for missing."""
    if spec.kind is not ColumnKind.DATETIME:
        return numbers_of(column, spec)
    ticks, missing = wall_ticks(column, spec)
    return np.where(missing, np.nan, ticks.astype(np.float64))


def _ends(spec: ColumnSpec, low: Any, high: Any) -> tuple[float, float]:
    if spec.kind is not ColumnKind.DATETIME:
        return read_bounds(spec, low, high)
    first = None if low is None else read_instant(spec, low)
    last = None if high is None else read_instant(spec, high, end_of_day=True)
    walls = [None if tick is None else float(wall_clock(np.array([tick]), spec)[0]) for tick in (first, last)]
    return -np.inf if walls[0] is None else walls[0], np.inf if walls[1] is None else walls[1]


def _within(numbers: FloatArray, low: float, high: float) -> npt.NDArray[np.bool_]:
    found: npt.NDArray[np.bool_] = (numbers >= low) & (numbers <= high)
    return found
