"""Any table a user may hold as a DataFrame."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
from sklearn.utils.validation import check_array

from synthgan.errors import InputError
from synthgan.synthesizers.memory import memory_errors

__all__ = ["MIN_ROWS", "as_frame", "fill_holes", "fingerprint_of", "joined"]

MIN_ROWS = 2

_NULLABLE: dict[Any, pd.api.extensions.ExtensionDtype] = {
    pa.bool_(): pd.BooleanDtype(),
    pa.int8(): pd.Int8Dtype(),
    pa.int16(): pd.Int16Dtype(),
    pa.int32(): pd.Int32Dtype(),
    pa.int64(): pd.Int64Dtype(),
    pa.uint8(): pd.UInt8Dtype(),
    pa.uint16(): pd.UInt16Dtype(),
    pa.uint32(): pd.UInt32Dtype(),
    pa.uint64(): pd.UInt64Dtype(),
}
"""What columns with nulls become that plain pandas would turn into floats or objects."""


def as_frame(table: Any, *, min_rows: int = MIN_ROWS) -> pd.DataFrame:
    """Return a DataFrame of the same content, with a fresh index.

    Parameters
    ----------
    table : DataFrame, polars DataFrame, pyarrow Table, ndarray or nested list
        Two-dimensional. Arrays and lists get the column labels 0, 1, ...
    min_rows : int
        Rows it must have.

    Raises
    ------
    InputError
        For anything else, for too few rows, and for arrays that scikit-learn would refuse too (sparse, complex, 1-D).

    Examples
    --------
    >>> as_frame([[1, "a"], [2, None]]).dtypes.astype(str).tolist()
    ['int64', 'object']
    """
    if isinstance(table, pd.DataFrame):
        frame = table.reset_index(drop=True)
    elif isinstance(table, pa.Table):
        frame = _from_arrow(table)
    elif hasattr(table, "to_arrow"):  # polars
        frame = _from_arrow(table.to_arrow())
    else:
        frame = _from_array(table)
    if len(frame) < min_rows:
        raise InputError(
            f"a table needs at least {min_rows} row{'s' if min_rows > 1 else ''}; got n_samples={len(frame)}"
        )
    return frame


def fill_holes(column: pd.Series[Any], filling: pd.Series[Any]) -> pd.Series[Any]:
    """Return `column` with its missing cells taken from `filling`, row by row; its dtype stays where it can hold them.

    Examples
    --------
    >>> fill_holes(pd.Series([1.0, None]), pd.Series([5, 6])).tolist()
    [1.0, 6.0]
    """
    holes = column.isna()
    if not holes.any():
        return column
    if holes.all():  # a column without a cell has whatever dtype its reader gave it
        return filling
    new = filling[holes]
    if isinstance(column.dtype, pd.CategoricalDtype):
        known = column.cat.categories
        column = column.cat.add_categories([level for level in new.dropna().unique() if level not in known])
    out = column.copy()
    out[holes] = new.astype(column.dtype)
    return out


def _from_arrow(table: pa.Table) -> pd.DataFrame:
    frame: pd.DataFrame = table.to_pandas(date_as_object=False).reset_index(drop=True)
    for name, column in zip(table.column_names, table.columns, strict=True):
        if column.null_count and column.type in _NULLABLE and name in frame:
            frame[name] = column.to_pandas(types_mapper=_NULLABLE.get)
    return frame


def _from_array(table: Any) -> pd.DataFrame:
    # A list may hold a type per column; as an array of numbers or of text it would have one for all.
    cells = np.array(table, dtype=object) if isinstance(table, list) and _is_rectangle(table) else table
    try:
        array = check_array(cells, dtype=None, ensure_all_finite=False, ensure_min_samples=0)
    except (TypeError, ValueError) as error:
        raise InputError(str(error)) from None
    frame = pd.DataFrame(array)
    return frame.infer_objects() if array.dtype == object else frame


def _is_rectangle(rows: list[Any]) -> bool:
    return all(isinstance(row, (list, tuple)) for row in rows) and len({len(row) for row in rows}) == 1


def joined(parts: Iterator[pd.DataFrame]) -> pd.DataFrame:
    """Return batches of rows as one frame."""
    with memory_errors("so many rows", "take them in batches: sample_batches, or synthgan sample --out"):
        frames = list(parts)
        return pd.concat(frames, ignore_index=True) if len(frames) != 1 else frames[0]


def fingerprint_of(frame: pd.DataFrame) -> str:
    """Hash of the table's content: tells whether two models were fitted on the same rows, without holding any."""
    rows = pd.util.hash_pandas_object(frame, index=False).to_numpy()
    return hashlib.sha256(np.ascontiguousarray(rows).tobytes()).hexdigest()
