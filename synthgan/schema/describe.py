"""What one column is: its kind, with everything the encoding needs and the reason."""

from __future__ import annotations

import dataclasses
import re
from typing import Any, cast

import numpy as np
import numpy.typing as npt
import pandas as pd

from synthgan.errors import SchemaError
from synthgan.schema.column import Column, check_finite, families
from synthgan.schema.marks import MAX_DIGITS, find_marks, number_format
from synthgan.schema.numbers import decimals_of, step_of
from synthgan.schema.table import ColumnKind, ColumnSpec, MissingKind, Scalar
from synthgan.schema.text import MIN_ROWS_FOR_ID, describe_text
from synthgan.schema.times import resolution

__all__ = ["describe", "describe_category", "describe_marked", "describe_numbers", "describe_times", "scalars"]

_ID_NAME = re.compile(
    r"(^|[^a-z])(id|uuid|guid|identifier|index|idx|key|pk|row|rowid)$|^Unnamed: 0$",
    re.IGNORECASE,
)
_ID_CAMEL = re.compile(r"[a-z0-9](Id|ID)$")
_TIME_NAME = re.compile(
    r"(^|[^a-zA-Z])(year|month|week|day|hour|minute|second|date|time|age)s?([^a-zA-Z]|$)", re.IGNORECASE
)
_FEW_LEVELS = 20


def describe(column: Column) -> ColumnSpec:
    """Return what a column is taken for.

    Raises
    ------
    SchemaError
        When no kind describes it.
    """
    family = column.family()
    if family == "category":
        return describe_category(column)
    if column.present.empty:
        return column.spec(ColumnKind.CONSTANT, "every cell is missing", levels=())
    if family in ("int", "float"):
        check_finite(column)
    if column.missing is None and column.present.nunique() == 1:
        value = scalars(column.present.iloc[:1], family)[0]
        return column.spec(ColumnKind.CONSTANT, f"every cell is {value!r}", levels=(value,))
    match family:
        case "bool":
            return column.spec(ColumnKind.BOOLEAN, "holds true and false", levels=(False, True))
        case "int" | "float":
            return _describe_id(column, family) or describe_numbers(column, family)
        case "datetime":
            return describe_times(column)
        case _:
            return describe_marked(column) or describe_text(column)


def describe_category(column: Column) -> ColumnSpec:
    """Return what a column of dtype category is: its declared levels stay, seen or not."""
    dtype = cast(pd.CategoricalDtype, column.cells.dtype)
    levels = _category_levels(column, dtype.categories)
    fields = {"levels": levels, "level_dtype": str(dtype.categories.dtype), "ordered": bool(dtype.ordered)}
    if not levels:
        return column.spec(ColumnKind.CONSTANT, "a category without levels: every cell is missing", **fields)
    if len(levels) == 1 and column.missing is None:
        return column.spec(ColumnKind.CONSTANT, f"every cell is {levels[0]!r}, the one category", **fields)
    order = "ordered category" if dtype.ordered else "category"
    return column.spec(ColumnKind.CATEGORICAL, f"{order} dtype with {len(levels):,} declared levels", **fields)


def _category_levels(column: Column, categories: pd.Index[Any]) -> tuple[Scalar, ...]:
    kinds = {kind if isinstance(kind, str) else kind.__name__ for kind in families(categories)}
    if len(kinds) > 1 or not kinds <= {"text", "bool", "int", "float"}:
        raise SchemaError(
            f"column {column.name!r}: its categories are {', '.join(sorted(kinds))} objects; categories are all text, "
            "all numbers or all booleans. Convert them, e.g. with .cat.rename_categories(str)"
        )
    if kinds == {"float"} and not np.isfinite(categories.to_numpy(dtype=np.float64)).all():
        raise SchemaError(f"column {column.name!r}: an infinite category; rename or remove it")
    return scalars(pd.Series(categories), next(iter(kinds), "text"))


def describe_numbers(column: Column, family: str) -> ColumnSpec:
    """Return the grid and bounds of a column of numbers."""
    distinct = _distinct_numbers(column, family)
    decimals = 0 if family == "int" else decimals_of(distinct)
    if decimals is None:
        step, what = 1, "numbers on no decimal grid"
    else:
        step = step_of(distinct if family == "int" else np.rint(distinct * 10.0**decimals).astype(np.int64))
        what = "whole numbers" if decimals == 0 else f"numbers with {decimals} decimal{'s' if decimals > 1 else ''}"
        what += f" in steps of {step / 10**decimals:g}" if step > 1 else ""
    reason = f"{what}, {len(distinct):,} distinct"
    if len(distinct) <= _FEW_LEVELS:
        reason += ": learned one by one"
    low, high = distinct[[0, -1]].tolist()
    return column.spec(ColumnKind.NUMERIC, reason, decimals=decimals, step=step, low=low, high=high)


def describe_marked(column: Column, *, declared: bool = False) -> ColumnSpec | None:
    """Return what a column of text is that holds numbers and a few words; None where it is no such column.

    Unless it is `declared` to be one, it is none either where the numbers are names of the rows.
    """
    texts = column.present.astype(object)
    texts = texts[texts.str.strip() != ""]
    marks = find_marks(texts, 0) if declared else find_marks(texts)
    if marks is None:
        return None
    written = texts[~texts.isin(marks)]
    format = number_format(written.unique().tolist())
    try:
        numbers = pd.to_numeric(written)
    except ValueError:  # too large for any float
        return None
    if format.endswith("f"):  # what is written with more decimals than the others is read as they are
        numbers = numbers.round(int(format[2:-1]))
    among = dataclasses.replace(column, present=numbers)
    check_finite(among)
    family = "int" if among.present.dtype.kind in "iu" else "float"
    long = format == "%d" and written.str.len().max() > MAX_DIGITS  # a long fraction is only written badly
    if not declared and (long or _describe_id(among, family) is not None):
        return None
    found = describe_numbers(among, family)
    blank = None if len(texts) == len(column.present) else MissingKind.NAN
    return dataclasses.replace(
        found,
        reason=f"{found.reason}, as text beside a few words",
        missing=column.missing or blank,
        marks=marks,
        format=format,
    )


def _describe_id(column: Column, family: str) -> ColumnSpec | None:
    """Whole numbers that name the row, or None: all different, and a run, or evenly spaced by row, or named an id."""
    if family != "int" or len(column.present) < MIN_ROWS_FOR_ID or not column.present.is_unique:
        return None
    name = str(column.name)
    distinct = _distinct_numbers(column, family)
    low, high = distinct[0].item(), distinct[-1].item()
    if _ID_NAME.search(name) or _ID_CAMEL.search(name):
        reason = "every number is different and the name says id"
    elif _TIME_NAME.search(name):
        return None
    elif high - low + 1 == len(distinct):
        reason = "every number is different and they leave no gap: they count the rows"
    elif len(set(np.diff(column.present.to_numpy(dtype=distinct.dtype)).tolist())) == 1:
        reason = "the numbers count the rows in even steps"
    else:
        return None
    return column.spec(ColumnKind.ID, reason, decimals=0, low=low, high=high)


def describe_times(column: Column) -> ColumnSpec:
    """Return the zone, resolution and bounds of a column of datetimes."""
    times = pd.DatetimeIndex(column.present)
    try:
        known = pd.api.types.pandas_dtype(str(column.cells.dtype)) == column.cells.dtype
    except (TypeError, ValueError):
        known = False
    if not known:
        raise SchemaError(f"column {column.name!r}: time zone {times.tz!r} has no name; use .dt.tz_convert('UTC')")
    unit = resolution(times)
    return column.spec(
        ColumnKind.DATETIME,
        f"datetime dtype, multiples of 1 {unit}",
        tz=None if times.tz is None else str(times.tz),
        unit=unit,
        low=times.min().isoformat(),
        high=times.max().isoformat(),
    )


def _distinct_numbers(column: Column, family: str) -> npt.NDArray[Any]:
    """Return the distinct numbers in rising order, at the column's own precision."""
    values = column.present.to_numpy()
    if values.dtype == object:
        values = np.array(values.tolist()) if family == "int" else values.astype(np.float64)
    return np.unique(values)


def scalars(values: pd.Series[Any], family: str) -> tuple[Scalar, ...]:
    """Return values as plain Python scalars, datetimes as ISO text."""
    if family == "datetime":
        return tuple(time.isoformat() for time in values)
    cast = {"text": str, "bool": bool, "int": int, "float": float}[family]
    return tuple(cast(value) for value in values)
