"""From a table to its schema: a guess for every column, each with its reason."""

from __future__ import annotations

import dataclasses
from collections.abc import Collection, Mapping
from typing import Any, cast

import pandas as pd

from synthgan.errors import SchemaError
from synthgan.schema.blanks import as_described, without_blanks
from synthgan.schema.column import Column, check_finite
from synthgan.schema.describe import (
    describe,
    describe_category,
    describe_marked,
    describe_numbers,
    describe_times,
    scalars,
)
from synthgan.schema.table import ColumnKind, ColumnName, ColumnSpec, Schema
from synthgan.schema.text import describe_text_times, quoted
from synthgan.schema.times import find_format

__all__ = ["Override", "column_labels", "complete_schema", "infer_schema"]

Override = str | ColumnKind | Mapping[str, Any]

_FIELDS = {
    ColumnKind.NUMERIC: ("low", "high", "marks", "format"),
    ColumnKind.CATEGORICAL: ("levels", "ordered"),
    ColumnKind.BOOLEAN: ("levels",),
    ColumnKind.DATETIME: ("low", "high", "format", "tz"),
    ColumnKind.CONSTANT: ("levels",),
}
"""What a person says about a column of each kind; the rest follows from its cells."""


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
        cells = frame.iloc[:, position]
        column = Column.of(name, cells if name in wanted else without_blanks(cells))
        specs.append(_overridden(column, wanted[name]) if name in wanted else describe(column))
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


def complete_schema(frame: pd.DataFrame, schema: Schema) -> Schema:
    """Fill in from a table what its schema leaves open, as after an edit that changed a column's kind.

    Parameters
    ----------
    frame : DataFrame
        With the schema's columns.
    schema : Schema
        Complete, or with categories without levels, or numbers and datetimes without bounds.

    Returns
    -------
    Schema
        With everything that was given, and the rest as `infer_schema` finds it for columns of those kinds.

    Raises
    ------
    SchemaError
        When a column cannot be of the kind that the schema gives it.

    Examples
    --------
    >>> schema = Schema((ColumnSpec("code", ColumnKind.CATEGORICAL, "int64", low=1, high=3),))
    >>> complete_schema(pd.DataFrame({"code": [3, 1, 1]}), schema)["code"].levels
    (1, 3)
    """
    names, frame = column_labels(frame), as_described(frame, schema)
    return Schema(tuple(_complete(spec, frame) if spec.name in names else spec for spec in schema))


def _complete(spec: ColumnSpec, frame: pd.DataFrame) -> ColumnSpec:
    fields = _FIELDS.get(spec.kind, ())
    if all(getattr(spec, field) is not None for field in fields if field in ("levels", "low", "high")):
        return spec
    column = Column.of(spec.name, frame[spec.name])
    found = _declared(column, spec.kind, spec.format)
    given = {field: getattr(spec, field) for field in fields if getattr(spec, field)}
    return dataclasses.replace(found, **given, dtype=spec.dtype, missing=spec.missing or found.missing)


def _overridden(column: Column, override: Override) -> ColumnSpec:
    fields = dict(override) if isinstance(override, Mapping) else {"kind": override}
    try:
        kind = ColumnKind(fields.pop("kind")) if "kind" in fields else None
    except ValueError:
        kinds = ", ".join(ColumnKind)
        raise SchemaError(f"column {column.name!r}: unknown kind {str(override)!r}; the kinds are {kinds}") from None
    spec = describe(column) if kind is None else _declared(column, kind, fields.get("format"))
    if not fields:
        return spec
    return ColumnSpec.from_dict(dataclasses.replace(spec, reason="declared").to_dict() | fields)


def _declared(column: Column, kind: ColumnKind, format: str | None) -> ColumnSpec:
    family = column.family()
    if family in ("int", "float"):
        check_finite(column)
    if kind is ColumnKind.TEXT and family != "text":
        raise SchemaError(f"column {column.name!r} was declared text, but holds {family} values; declare another kind")
    if kind.is_made_anew:
        return column.spec(kind, "declared")
    if column.present.empty or kind is ColumnKind.CONSTANT:
        spec = describe(column)
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
        return describe_numbers(column, family)
    if kind is ColumnKind.NUMERIC and family == "text":
        return describe_marked(column, declared=True)
    if kind is ColumnKind.CATEGORICAL and family == "category":
        return describe_category(column)
    if kind is ColumnKind.DATETIME and family == "datetime":
        return describe_times(column)
    if kind is ColumnKind.DATETIME and family == "text":
        distinct = column.present.unique().astype(object)
        found = format or find_format(distinct)
        return describe_text_times(column, found, distinct) if found else None
    if kind is ColumnKind.BOOLEAN and family == "bool":
        return column.spec(kind, "", levels=(False, True))
    if kind in (ColumnKind.CATEGORICAL, ColumnKind.BOOLEAN) and family not in ("datetime", "category"):
        levels = scalars(pd.Series(column.present.unique()).sort_values(), family)
        if kind is ColumnKind.CATEGORICAL or len(levels) == 2:
            return column.spec(kind, "", levels=levels)
    return None


def _values_of(family: str) -> str:
    names = {"int": "whole numbers", "float": "numbers", "bool": "booleans", "datetime": "datetimes"}
    return names.get(family, "a category dtype" if family == "category" else "text")
