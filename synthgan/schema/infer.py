"""From a table to its schema: a guess for every column, each with its reason."""

from __future__ import annotations

import dataclasses
import re
from collections.abc import Collection, Mapping
from typing import Any, cast

import numpy as np
import numpy.typing as npt
import pandas as pd

from synthgan.errors import SchemaError
from synthgan.schema.column import Column, check_finite, families
from synthgan.schema.numbers import decimals_of, step_of
from synthgan.schema.table import ColumnKind, ColumnName, ColumnSpec, Scalar, Schema
from synthgan.schema.text import MIN_ROWS_FOR_ID, describe_text, describe_text_times, quoted
from synthgan.schema.times import find_format, resolution

__all__ = ["Override", "column_labels", "infer_schema"]

Override = str | ColumnKind | Mapping[str, Any]

_ID_NAME = re.compile(
    r"(^|[^a-z])(id|uuid|guid|identifier|index|idx|key|pk|row|rowid)$|^Unnamed: 0$",
    re.IGNORECASE,
)
_ID_CAMEL = re.compile(r"[a-z0-9](Id|ID)$")
_TIME_NAME = re.compile(
    r"(^|[^a-zA-Z])(year|month|week|day|hour|minute|second|date|time|age)s?([^a-zA-Z]|$)", re.IGNORECASE
)
_FEW_LEVELS = 20


def infer_schema(
    frame: pd.DataFrame,
    overrides: Mapping[ColumnName, Override] | None = None,
    discrete_columns: Collection[ColumnName] | None = None,
) -> Schema:
    """Describe every column of a table.

    Parameters
    ----------
    frame : DataFrame of shape (n_rows, n_columns)
        At least one row and one column; labels are unique and are strings or integers.
    overrides : mapping of column label to str, ColumnKind or mapping, optional
        What the caller knows better: a kind (``"categorical"``), or fields of `ColumnSpec` (``{"decimals": 2, "low":
        0}``), with or without a ``"kind"``.
    discrete_columns : collection of column labels, optional
        Columns whose values are names, not amounts; short for the override ``"categorical"``.

    Returns
    -------
    Schema
        One `ColumnSpec` per column in table order; ``reason`` says why each kind was chosen.

    Raises
    ------
    SchemaError
        For an empty table, a repeated or unusable label, a column that no kind describes (infinite numbers, mixed
        Python types, ...), an override that the column contradicts, or one for a column that is not there.

    Examples
    --------
    >>> frame = pd.DataFrame({"age": [31, 47, 25], "city": ["Ulm", None, "Bonn"], "code": [1, 2, 1]})
    >>> schema = infer_schema(frame, discrete_columns=["code"])
    >>> [str(column.kind) for column in schema]
    ['numeric', 'categorical', 'categorical']
    >>> schema["age"].low, schema["age"].high, schema["city"].levels
    (25, 47, ('Bonn', 'Ulm'))
    """
    names = column_labels(frame)
    if not len(frame):
        raise SchemaError("a table needs at least one row; this one has none")
    wanted: dict[ColumnName, Override] = dict.fromkeys(discrete_columns or (), ColumnKind.CATEGORICAL)
    wanted |= overrides or {}
    if unknown := [name for name in wanted if name not in names]:
        raise SchemaError(f"no column {quoted(unknown)} to declare a kind for; the table has {quoted(names, 20)}")
    specs = []
    for position, name in enumerate(names):
        column = Column.of(name, frame.iloc[:, position])
        specs.append(_overridden(column, wanted[name]) if name in wanted else _infer(column))
    return Schema(tuple(specs))


def column_labels(frame: pd.DataFrame) -> list[ColumnName]:
    """Return the labels of a frame as Python strings and integers.

    Raises
    ------
    SchemaError
        For a frame without columns, a repeated label, or a label of another type.
    """
    if not frame.shape[1]:
        raise SchemaError("a table needs at least one column; this one has none")
    names: list[ColumnName] = []
    for label in cast(list[object], frame.columns.tolist()):
        if isinstance(label, bool) or not isinstance(label, (str, int)):
            raise SchemaError(
                f"column labels are strings or integers; got {label!r}. Rename it, e.g. with frame.columns = [...]"
            )
        names.append(label)
    if repeated := [name for name, count in pd.Series(names, dtype=object).value_counts().items() if count > 1]:
        raise SchemaError(f"column names must be unique; repeated: {quoted(repeated)}. Rename or drop them")
    return names


def _infer(column: Column) -> ColumnSpec:
    family = column.family()
    if family == "category":
        return _describe_category(column)
    if column.present.empty:
        return column.spec(ColumnKind.CONSTANT, "every cell is missing", levels=())
    if family in ("int", "float"):
        check_finite(column)
    if column.missing is None and column.present.nunique() == 1:
        value = _scalars(column.present.iloc[:1], family)[0]
        return column.spec(ColumnKind.CONSTANT, f"every cell is {value!r}", levels=(value,))
    match family:
        case "bool":
            return column.spec(ColumnKind.BOOLEAN, "holds true and false", levels=(False, True))
        case "int" | "float":
            return _describe_id(column, family) or _describe_numbers(column, family)
        case "datetime":
            return _describe_times(column)
        case _:
            return describe_text(column)


def _describe_category(column: Column) -> ColumnSpec:
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
    return _scalars(pd.Series(categories), next(iter(kinds), "text"))


def _describe_numbers(column: Column, family: str) -> ColumnSpec:
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


def _describe_times(column: Column) -> ColumnSpec:
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


def _overridden(column: Column, override: Override) -> ColumnSpec:
    fields = dict(override) if isinstance(override, Mapping) else {"kind": override}
    try:
        kind = ColumnKind(fields.pop("kind")) if "kind" in fields else None
    except ValueError:
        kinds = ", ".join(ColumnKind)
        raise SchemaError(f"column {column.name!r}: unknown kind {str(override)!r}; the kinds are {kinds}") from None
    spec = _infer(column) if kind is None else _declared(column, kind, fields.get("format"))
    if not fields:
        return spec
    return ColumnSpec.from_dict(dataclasses.replace(spec, reason="declared").to_dict() | fields)


def _declared(column: Column, kind: ColumnKind, format: str | None) -> ColumnSpec:
    family = column.family()
    if family in ("int", "float"):
        check_finite(column)
    if kind in (ColumnKind.ID, ColumnKind.TEXT):
        return column.spec(kind, "declared")
    if column.present.empty or kind is ColumnKind.CONSTANT:
        spec = _infer(column)
        if spec.kind is not ColumnKind.CONSTANT and kind is ColumnKind.CONSTANT:
            raise SchemaError(
                f"column {column.name!r} was declared constant, but its values differ; declare another kind"
            )
        return spec
    described = _declared_values(column, family, kind, format)
    if described is None:
        raise SchemaError(
            f"column {column.name!r} was declared {kind}, but holds {_values_of(family)}; convert it or declare "
            "another kind"
        )
    return dataclasses.replace(described, reason="declared")


def _declared_values(column: Column, family: str, kind: ColumnKind, format: str | None) -> ColumnSpec | None:
    if kind is ColumnKind.NUMERIC and family in ("int", "float"):
        return _describe_numbers(column, family)
    if kind is ColumnKind.CATEGORICAL and family == "category":
        return _describe_category(column)
    if kind is ColumnKind.DATETIME and family == "datetime":
        return _describe_times(column)
    if kind is ColumnKind.DATETIME and family == "text":
        distinct = column.present.unique().astype(object)
        found = format or find_format(distinct)
        return describe_text_times(column, found, distinct) if found else None
    if kind is ColumnKind.BOOLEAN and family == "bool":
        return column.spec(kind, "", levels=(False, True))
    if kind in (ColumnKind.CATEGORICAL, ColumnKind.BOOLEAN) and family not in ("datetime", "category"):
        levels = _scalars(pd.Series(column.present.unique()).sort_values(), family)
        if kind is ColumnKind.CATEGORICAL or len(levels) == 2:
            return column.spec(kind, "", levels=levels)
    return None


def _distinct_numbers(column: Column, family: str) -> npt.NDArray[Any]:
    """Return the distinct numbers in rising order, at the column's own precision."""
    values = column.present.to_numpy()
    if values.dtype == object:
        values = np.array(values.tolist()) if family == "int" else values.astype(np.float64)
    return np.unique(values)


def _scalars(values: pd.Series[Any], family: str) -> tuple[Scalar, ...]:
    if family == "datetime":
        return tuple(time.isoformat() for time in values)
    cast = {"text": str, "bool": bool, "int": int, "float": float}[family]
    return tuple(cast(value) for value in values)


def _values_of(family: str) -> str:
    names = {"int": "whole numbers", "float": "numbers", "bool": "booleans", "datetime": "datetimes"}
    return names.get(family, "a category dtype" if family == "category" else "text")
