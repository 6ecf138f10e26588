"""Cells that hold nothing but spaces, in columns of numbers or points in time."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd

from synthgan.schema.marks import MAX_DIGITS, PLAIN_NUMBER
from synthgan.schema.table import ColumnKind, Schema
from synthgan.schema.times import find_format

__all__ = ["as_described", "read_blanks", "without_blanks"]


def without_blanks(column: pd.Series[Any]) -> pd.Series[Any]:
    """Read blank cells as missing where all other cells of a column of text are numbers, or points in time.

    Such columns come as text, because whoever wrote the file left a space where there was nothing to write. Numbers
    become numbers; points in time stay the texts that they are, and so do whole numbers that name the row: long ones,
    or all different. Other columns are returned as they are, blank cells included.

    Examples
    --------
    >>> without_blanks(pd.Series(["29.85", " ", "8"])).tolist(), without_blanks(pd.Series(["a", " "])).tolist()
    ([29.85, nan, 8.0], ['a', ' '])
    """
    if (found := _texts(column)) is None:
        return column
    texts, blank = found
    if not blank or not texts:
        return column
    present = column.mask(column.isin(blank))
    if _all_numbers(texts):
        whole = all("." not in text for text in texts)
        names = whole and (len(texts) == present.notna().sum() or max(map(len, texts)) > MAX_DIGITS)
        return present if names else pd.to_numeric(present.astype(object))
    return present if find_format(np.array(texts, dtype=object)) else column


def read_blanks(frame: pd.DataFrame) -> pd.DataFrame:
    """Return a table with each of its columns as `without_blanks` reads it."""
    new = {}
    for place in range(frame.shape[1]):
        column = frame.iloc[:, place]
        if (read := without_blanks(column)) is not column:
            new[place] = read
    if not new:
        return frame
    columns = [new.get(place, frame.iloc[:, place]) for place in range(frame.shape[1])]
    return pd.concat(columns, axis=1).set_axis(frame.columns, axis=1)


def as_described(frame: pd.DataFrame, schema: Schema) -> pd.DataFrame:
    """Return a table with numbers that are written as text read as such, where the schema says that they are numbers.

    Blank cells among them are missing, and so are those among the points in time that are text. Numbers beside which
    there are words, as the schema says, stay the texts that they are.
    """
    new = {}
    for spec in schema:
        kind = spec.kind if spec.name in frame else None
        if kind not in (ColumnKind.NUMERIC, ColumnKind.DATETIME, ColumnKind.ID):
            continue
        column = frame[spec.name]
        found = _texts(column) if isinstance(column, pd.Series) else None
        if found is None:
            continue
        numbers = kind is ColumnKind.NUMERIC and not spec.is_number_text
        if numbers and not _all_numbers(found[0]):
            continue
        present = column.mask(column.isin(found[1])) if found[1] else column
        new[spec.name] = pd.to_numeric(present.astype(object)) if numbers else present
    if not new:
        return frame
    out = frame.copy(deep=False)
    for name, cells in new.items():
        out[name] = cells
    return out


def _texts(column: pd.Series[Any]) -> tuple[list[str], list[str]] | None:
    """The different texts of a column, and those of them that are blank; None where it holds anything else."""
    dtype = column.dtype
    if not (pd.api.types.is_object_dtype(dtype) or isinstance(dtype, pd.StringDtype)):
        return None
    try:
        distinct = column.dropna().unique().tolist()
    except TypeError:  # cells that cannot be hashed are no text
        return None
    if not all(isinstance(cell, str) for cell in distinct):
        return None
    return [cell for cell in distinct if cell.strip()], [cell for cell in distinct if not cell.strip()]


def _all_numbers(texts: list[str]) -> bool:
    return all(map(PLAIN_NUMBER.fullmatch, texts))
