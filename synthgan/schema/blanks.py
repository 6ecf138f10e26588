"""Cells that hold nothing but spaces, in columns of numbers or points in time."""

from __future__ import annotations

import re
from collections.abc import Collection
from typing import Any

import numpy as np
import pandas as pd

from synthgan.schema.table import ColumnName
from synthgan.schema.times import find_format

__all__ = ["blanks_as_missing"]

_LEADING_ZERO = re.compile(r"\s*[+-]?0\d")


def blanks_as_missing(frame: pd.DataFrame, numbers: Collection[ColumnName] = ()) -> pd.DataFrame:
    """Read blank cells as missing where all other cells of their column are numbers, or points in time.

    Such columns come as text, because whoever wrote the file left a space where there was nothing to write. Numbers
    become numbers; points in time stay the texts that they are. Other columns are left as they are, blank cells
    included, and so are numbers with leading zeros.

    Parameters
    ----------
    frame : DataFrame
        Left as it is; returned where nothing is read anew.
    numbers : collection of column labels
        Columns that are known to be numbers: they are read as such without a blank cell too.

    Examples
    --------
    >>> blanks_as_missing(pd.DataFrame({"total": ["29.85", " ", "8"], "word": ["a", " ", "b"]})).to_dict("list")
    {'total': [29.85, nan, 8.0], 'word': ['a', ' ', 'b']}
    """
    new = {}
    for place, (name, dtype) in enumerate(frame.dtypes.items()):
        if pd.api.types.is_object_dtype(dtype) or isinstance(dtype, pd.StringDtype):
            column = frame.iloc[:, place]
            filled = _filled(column, known=name in numbers)
            if filled is not column:
                new[place] = filled
    if not new:
        return frame
    columns = [new.get(place, frame.iloc[:, place]) for place in range(frame.shape[1])]
    return pd.concat(columns, axis=1).set_axis(frame.columns, axis=1)


def _filled(column: pd.Series[Any], *, known: bool) -> pd.Series[Any]:
    try:
        distinct = column.dropna().unique()
    except TypeError:  # cells that cannot be hashed are no text
        return column
    texts = [cell for cell in distinct if isinstance(cell, str) and cell.strip()]
    blank = [cell for cell in distinct if isinstance(cell, str) and not cell.strip()]
    if not (blank or known) or not texts or len(texts) + len(blank) < len(distinct):
        return column
    present = column.mask(column.isin(blank))
    numbers = pd.to_numeric(pd.Series(texts, dtype=object), errors="coerce")
    if numbers.notna().all() and not any(map(_LEADING_ZERO.match, texts)):
        return pd.to_numeric(present.astype(object))
    return present if find_format(np.array(texts, dtype=object)) else column
