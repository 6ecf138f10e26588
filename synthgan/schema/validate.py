"""Checking that a table fits a schema."""

from __future__ import annotations

import pandas as pd

from synthgan.errors import SchemaError
from synthgan.schema.blanks import as_described
from synthgan.schema.column import Column, check_finite
from synthgan.schema.infer import column_labels
from synthgan.schema.marks import read_numbers
from synthgan.schema.table import ColumnKind, ColumnSpec, Schema
from synthgan.schema.text import quoted

__all__ = ["validate"]

_NUMBERS = {"int", "float"}
_PLAIN = {"text", "bool", "int", "float"}


def validate(frame: pd.DataFrame, schema: Schema) -> pd.DataFrame:
    """Return `frame` with the schema's columns in the schema's order.

    Parameters
    ----------
    frame : DataFrame of shape (n_rows, n_columns)
        May have its columns in another order, and categories that the schema does not list.
    schema : Schema
        What it should look like.

    Returns
    -------
    DataFrame of shape (n_rows, n_columns)

    Raises
    ------
    SchemaError
        For columns that are missing or that the schema does not know, or a column whose cells are of another type.

    Examples
    --------
    >>> from synthgan.schema import infer_schema
    >>> schema = infer_schema(pd.DataFrame({"a": [1, 2], "b": ["x", "y"]}))
    >>> validate(pd.DataFrame({"b": ["z"], "a": [3]}), schema).columns.tolist()
    ['a', 'b']
    """
    names = column_labels(frame)
    if extra := [name for name in names if name not in schema]:
        raise SchemaError(
            f"columns {quoted(extra)} are not in the schema, which has {quoted(schema.names, 20)}; drop them"
        )
    if absent := [name for name in schema.names if name not in names]:
        raise SchemaError(f"columns {quoted(absent)} are missing; the schema has {quoted(schema.names, 20)}")
    frame = as_described(frame[schema.names], schema)
    for spec in schema:
        _check(Column.of(spec.name, frame[spec.name]), spec)
    return frame


def _check(column: Column, spec: ColumnSpec) -> None:
    if spec.is_number_text and column.family() == "text":
        column = Column.of(spec.name, read_numbers(column.present))
    if column.present.empty:
        return
    family = column.family()
    if family in _NUMBERS:
        check_finite(column)
    if spec.kind is ColumnKind.CONSTANT or spec.kind.is_made_anew:
        return
    if family == "category":
        categories = column.present.cat.categories
        column = Column.of(spec.name, pd.Series(categories, dtype=categories.dtype))
        family = column.family()
    if family not in _allowed(spec):
        raise SchemaError(
            f"column {spec.name!r} is {spec.kind} with dtype {spec.dtype} in the schema, but holds {family} values "
            f"(dtype {column.cells.dtype}); convert it"
        )


def _allowed(spec: ColumnSpec) -> set[str]:
    """Return the families that a column's cells may have."""
    match spec.kind:
        case ColumnKind.NUMERIC:
            return _NUMBERS
        case ColumnKind.DATETIME:
            return {"text"} if spec.format else {"datetime"}
        case _:
            if not spec.levels:
                return _PLAIN
            if isinstance(spec.levels[0], str):
                return {"text"}
            # 1 and 1.0 are one level, and so are 1 and True: a column of integers with missing cells is read as floats
            return _NUMBERS | {"bool"}
