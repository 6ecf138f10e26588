"""Any table a user may hold as a DataFrame."""

from __future__ import annotations

from typing import Any

import pandas as pd
from sklearn.utils.validation import check_array

from synthgan.errors import InputError

__all__ = ["MIN_ROWS", "as_frame"]

MIN_ROWS = 2


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
    InputError, ValueError, TypeError
        For anything else, for too few rows, and for arrays scikit-learn would refuse too (sparse, complex, 1-D).
    """
    if isinstance(table, pd.DataFrame):
        frame = table.reset_index(drop=True)
    elif hasattr(table, "to_pandas"):  # polars, pyarrow and whoever follows them
        frame = table.to_pandas().reset_index(drop=True)
    else:
        array = check_array(table, dtype=None, ensure_all_finite=False, ensure_min_samples=0)
        frame = pd.DataFrame(array)
        if array.dtype == object:
            frame = frame.infer_objects()
    if len(frame) < min_rows:
        raise InputError(f"a table needs at least {min_rows} rows to learn from; got n_samples={len(frame)}")
    return frame
