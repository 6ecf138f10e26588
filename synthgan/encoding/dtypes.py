"""Between a column as the user's frame holds it and the plain values the encoders work on; dtypes go out as they came in."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from synthgan.encoding.cells import FloatArray, IntArray
from synthgan.encoding.temporal import ticks_of, ticks_to_datetime
from synthgan.errors import SchemaError
from synthgan.schema.table import ColumnKind, ColumnSpec, MissingKind
from synthgan.schema.times import format_times, parse_times

__all__ = ["levels_to_column", "numbers_of", "numbers_to_column", "objects_to_column", "ticks_to_column", "wall_ticks"]

_MISSING: dict[MissingKind, Any] = {
    MissingKind.NAN: np.nan,
    MissingKind.NONE: None,
    MissingKind.NA: pd.NA,
    MissingKind.NAT: pd.NaT,
}


def numbers_of(values: pd.Series, spec: ColumnSpec) -> FloatArray:
    """Return a numeric column as float64, NaN for missing.

    Raises
    ------
    SchemaError
        For text that is no number, or an infinite value.
    """
    try:
        numbers = values.astype(object).where(values.notna(), np.nan).astype(np.float64).to_numpy(copy=True)
    except (TypeError, ValueError) as error:
        raise SchemaError(
            f"column {spec.name!r} is numeric, but holds other values ({error}); clean the column"
        ) from None
    if np.isinf(numbers).any():
        raise SchemaError(f"column {spec.name!r} holds infinite values; replace them by missing or a bound")
    return numbers


def wall_ticks(values: pd.Series, spec: ColumnSpec) -> tuple[IntArray, npt.NDArray[np.bool_]]:
    """Return a datetime column (text, naive or zoned) as wall-clock ticks and which cells are missing."""
    if spec.format is not None:
        values = pd.Series(parse_times(values, spec.format))
    elif not pd.api.types.is_datetime64_any_dtype(values.dtype):
        try:
            values = pd.Series(pd.to_datetime(values))
        except (TypeError, ValueError) as error:
            raise SchemaError(f"column {spec.name!r} holds points in time, but {error}") from None
    if spec.tz is not None and values.dt.tz is not None:
        values = values.dt.tz_convert(spec.tz)
    return ticks_of(values)


def numbers_to_column(numbers: FloatArray, spec: ColumnSpec) -> pd.Series:
    """Give numbers (float64, NaN for missing) the dtype of their column."""
    missing = np.isnan(numbers)
    dtype = pd.api.types.pandas_dtype(spec.dtype)
    whole = spec.decimals == 0 and isinstance(spec.low, int)
    values: Any = numbers
    if pd.api.types.is_integer_dtype(dtype) or (pd.api.types.is_object_dtype(dtype) and whole):
        info = np.iinfo(np.int64)
        # The float nearest to the int64 limit is out of its range, so clip one float below.
        values = np.clip(np.where(missing, 0, np.rint(numbers)), info.min, np.nextafter(float(info.max), 0)).astype(
            np.int64
        )
    if pd.api.types.is_object_dtype(dtype):
        return objects_to_column(values.astype(object), missing, spec)
    if isinstance(dtype, pd.api.extensions.ExtensionDtype):
        return pd.Series(values).astype(dtype).mask(missing)
    if pd.api.types.is_integer_dtype(dtype) and missing.any():
        return pd.Series(values).astype("Int64").mask(missing)
    return pd.Series(values.astype(dtype))


def ticks_to_column(ticks: IntArray, missing: npt.NDArray[np.bool_], spec: ColumnSpec) -> pd.Series:
    """Give wall-clock ticks the dtype, zone and text format of their column, within its bounds."""
    times = ticks_to_datetime(ticks, missing)
    bounds = [pd.Timestamp(str(bound)) for bound in (spec.low, spec.high)]
    low, high = (bound.tz_localize(None) if bound.tzinfo else bound for bound in bounds)
    times = times.clip(low.as_unit("us"), high.as_unit("us"))
    if spec.tz is not None:  # a wall-clock time that summer time skips moves on; one that it repeats is the second
        flags = np.zeros(len(times), bool)
        times = times.dt.tz_localize(spec.tz, ambiguous=flags, nonexistent="shift_forward")
    if spec.format is not None:
        return objects_to_column(format_times(pd.DatetimeIndex(times), spec.format), missing, spec)
    return times.astype(spec.dtype)  # type: ignore[call-overload, no-any-return]


def levels_to_column(levels: npt.NDArray[np.object_], missing: npt.NDArray[np.bool_], spec: ColumnSpec) -> pd.Series:
    """Give levels (objects) the dtype of their column: categories and their order included."""
    if spec.dtype != "category":
        return objects_to_column(levels, missing, spec)
    categories = pd.Index(list(spec.levels or ()), dtype=spec.level_dtype or "object")
    codes = np.where(missing, -1, pd.Index(categories.astype(object)).get_indexer(pd.Index(levels, dtype=object)))
    return pd.Series(pd.Categorical.from_codes(codes, categories=categories, ordered=spec.ordered))


def objects_to_column(values: npt.NDArray[np.object_], missing: npt.NDArray[np.bool_], spec: ColumnSpec) -> pd.Series:
    """Give Python objects the dtype of their column, and missing cells its way of being missing."""
    dtype = pd.api.types.pandas_dtype(spec.dtype if spec.dtype != "category" else "object")
    out = values.astype(object)
    if pd.api.types.is_object_dtype(dtype):
        out[missing] = _MISSING[spec.missing or MissingKind.NAN]
        return pd.Series(out, dtype=object)
    out[missing] = None
    if (
        not isinstance(dtype, pd.api.extensions.ExtensionDtype)
        and missing.any()
        and spec.kind is not ColumnKind.DATETIME
    ):
        return pd.Series(out, dtype=object).astype("float64" if dtype.kind in "iufb" else "object")
    return pd.Series(out, dtype=object).astype(dtype)
