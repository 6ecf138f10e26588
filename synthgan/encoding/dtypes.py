"""Between a column as the user's frame holds it and the plain values that encoders work on; dtypes come back."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from synthgan.encoding.cells import FloatArray, IntArray
from synthgan.encoding.temporal import ticks_of, ticks_to_datetime
from synthgan.errors import SchemaError
from synthgan.schema.marks import read_numbers, write_numbers
from synthgan.schema.table import ColumnKind, ColumnSpec, MissingKind
from synthgan.schema.times import format_times, parse_times

__all__ = [
    "dtype_named",
    "instant_of",
    "levels_to_column",
    "marks_of",
    "numbers_of",
    "numbers_to_column",
    "objects_to_column",
    "plain_column",
    "plain_numbers",
    "ticks_to_column",
    "wall_clock",
    "wall_ticks",
]

_MISSING: dict[MissingKind, Any] = {
    MissingKind.NAN: np.nan,
    MissingKind.NONE: None,
    MissingKind.NA: pd.NA,
    MissingKind.NAT: pd.NaT,
}


def dtype_named(name: str) -> np.dtype[Any] | pd.api.extensions.ExtensionDtype:
    """Return the dtype of which this is the ``str()``, in any version of pandas.

    ``"str"`` is what pandas 3 reads text as. Version 2.3 has that dtype too, but takes its name for numpy's; those
    before it hold such text as objects.

    Raises
    ------
    TypeError
        When pandas knows no such dtype.
    """
    if name != "str":
        return pd.api.types.pandas_dtype(name)
    try:
        return pd.StringDtype(na_value=np.nan)
    except TypeError:
        return np.dtype(object)


def numbers_of(values: pd.Series, spec: ColumnSpec) -> FloatArray:
    """Return a numeric column as float64, NaN for missing cells and for any words beside the numbers.

    Raises
    ------
    SchemaError
        For text that is no number, or an infinite value.
    """
    try:
        if spec.is_number_text and not pd.api.types.is_numeric_dtype(values.dtype):
            values = read_numbers(values)
        numbers: FloatArray = values.to_numpy(dtype=np.float64, na_value=np.nan, copy=True)
    except (TypeError, ValueError) as error:
        raise SchemaError(
            f"column {spec.name!r} is numeric, but holds other values ({error}); clean the column"
        ) from None
    if np.isinf(numbers).any():
        raise SchemaError(f"column {spec.name!r} holds infinite values; replace them by missing or a bound")
    return numbers


def plain_numbers(values: pd.Series, spec: ColumnSpec) -> FloatArray:
    """Return a column of numbers, or of points in time as wall-clock ticks, as float64; NaN for missing cells."""
    if spec.kind is not ColumnKind.DATETIME:
        return numbers_of(values, spec)
    ticks, missing = wall_ticks(values.reset_index(drop=True), spec)
    return np.where(missing, np.nan, ticks)


def plain_column(numbers: FloatArray, spec: ColumnSpec) -> pd.Series:
    """Turn what `plain_numbers` returns into a column, within its bounds."""
    if spec.kind is not ColumnKind.DATETIME:
        return numbers_to_column(numbers, spec)
    missing = np.isnan(numbers)
    ticks = np.where(missing, 0, numbers).round().astype(np.int64)
    return ticks_to_column(ticks, missing, spec, lambda instants: instants)


def marks_of(values: pd.Series, spec: ColumnSpec) -> IntArray:
    """Return which of its column's marks each cell holds, -1 for none."""
    if not spec.marks:
        return np.full(len(values), -1)
    return pd.Index(spec.marks, dtype=object).get_indexer(pd.Index(values, dtype=object)).astype(np.int64)


def wall_ticks(values: pd.Series, spec: ColumnSpec) -> tuple[IntArray, npt.NDArray[np.bool_]]:
    """Return a datetime column (text, naive or zoned) as wall-clock ticks and which cells are missing."""
    if spec.format is not None:
        try:
            values = pd.Series(parse_times(values, spec.format))
        except SchemaError as error:
            raise SchemaError(f"column {spec.name!r}: {error}") from None
    elif not pd.api.types.is_datetime64_any_dtype(values.dtype):
        try:
            values = pd.Series(pd.to_datetime(values))
        except (TypeError, ValueError) as error:
            raise SchemaError(f"column {spec.name!r} holds points in time, but {error}") from None
    if spec.tz is not None and values.dt.tz is not None:
        values = values.dt.tz_convert(spec.tz)
    return ticks_of(values)


def instant_of(stamp: pd.Timestamp, spec: ColumnSpec) -> int:
    """Return the tick (see `ticks_of`) of a point in time: in a zoned column in UTC, in any other on the wall clock."""
    if spec.tz is not None:
        stamp = _localized(pd.Series([stamp]), spec.tz).iloc[0] if stamp.tzinfo is None else stamp
        stamp = stamp.tz_convert("UTC")
    return int(np.datetime64(stamp.tz_localize(None), "us").astype(np.int64))


def wall_clock(instants: IntArray, spec: ColumnSpec) -> IntArray:
    """Turn ticks in UTC into ticks of the clocks on the wall of the column's zone, if it has one."""
    if spec.tz is None:
        return instants
    times = pd.Series(instants.astype("datetime64[us]")).dt.tz_localize("UTC").dt.tz_convert(spec.tz)
    return ticks_of(times)[0]


def numbers_to_column(numbers: FloatArray, spec: ColumnSpec, mark: IntArray | None = None) -> pd.Series:
    """Give numbers (float64, NaN for missing) the dtype of their column.

    Where it has marks, `mark` says which of them stands in place of a number (-1 for none); where nothing says so, the
    commonest does, unless cells may be missing.
    """
    missing = np.isnan(numbers)
    if spec.is_number_text:
        return _texts_to_column(numbers, spec, mark)
    dtype = dtype_named(spec.dtype)
    whole = spec.decimals == 0 and isinstance(spec.low, int)
    values: Any = numbers
    if pd.api.types.is_integer_dtype(dtype) or (pd.api.types.is_object_dtype(dtype) and whole):
        values = _whole(np.where(missing, 0 if spec.low is None else float(spec.low), np.rint(numbers)), spec)
    if pd.api.types.is_object_dtype(dtype):
        return objects_to_column(values.astype(object), missing, spec)
    if isinstance(dtype, pd.api.extensions.ExtensionDtype):
        return pd.Series(values).astype(dtype).mask(missing)
    if pd.api.types.is_integer_dtype(dtype) and missing.any():
        return pd.Series(values).astype("Int64").mask(missing)
    return pd.Series(values.astype(dtype))


def _texts_to_column(numbers: FloatArray, spec: ColumnSpec, mark: IntArray | None) -> pd.Series:
    missing = np.isnan(numbers)
    if mark is None:
        mark = np.where(missing & (spec.missing is None and bool(spec.marks)), 0, -1)
    texts = np.array([*(spec.marks or ()), None], dtype=object)[np.where(missing, mark, -1)]
    texts[~missing] = write_numbers(numbers[~missing], spec.format or "%g")
    return objects_to_column(texts, missing & (mark < 0), spec)


def ticks_to_column(
    ticks: IntArray, missing: npt.NDArray[np.bool_], spec: ColumnSpec, adjust: Callable[[IntArray], IntArray]
) -> pd.Series:
    """Give wall-clock ticks the dtype, zone and text format of their column, within its bounds.

    `adjust` has a last word on the points in time: on ticks in UTC where the column has a zone. Only those are exact,
    for a wall clock shows an hour twice when summer time ends.
    """
    if spec.tz is not None:
        ticks, _ = ticks_of(_localized(ticks_to_datetime(ticks, missing), spec.tz).dt.tz_convert("UTC"))
    # Bounds finer than a tick are rounded inwards.
    low = -math.inf if spec.low is None else instant_of(pd.Timestamp(str(spec.low)).ceil("us"), spec)
    high = math.inf if spec.high is None else instant_of(pd.Timestamp(str(spec.high)), spec)
    ticks = np.minimum(np.maximum(adjust(ticks), low), high).astype(np.int64)
    times = ticks_to_datetime(ticks, missing)
    if spec.tz is not None:
        times = times.dt.tz_localize("UTC").dt.tz_convert(spec.tz)
    if spec.format is not None:
        return objects_to_column(format_times(pd.DatetimeIndex(times), spec.format), missing, spec)
    return times.astype(spec.dtype)  # type: ignore[call-overload, no-any-return]


def levels_to_column(levels: npt.NDArray[np.object_], missing: npt.NDArray[np.bool_], spec: ColumnSpec) -> pd.Series:
    """Give levels (objects) the dtype of their column: categories and their order included."""
    if spec.dtype != "category":
        return objects_to_column(levels, missing, spec)
    categories = pd.Index(list(spec.levels or ()), dtype=dtype_named(spec.level_dtype or "object"))
    codes = np.where(missing, -1, pd.Index(categories, dtype=object).get_indexer(pd.Index(levels, dtype=object)))
    return pd.Series(pd.Categorical.from_codes(codes, categories=categories, ordered=spec.ordered))


def objects_to_column(values: npt.NDArray[np.object_], missing: npt.NDArray[np.bool_], spec: ColumnSpec) -> pd.Series:
    """Give Python objects the dtype of their column, and missing cells its way of being missing."""
    dtype = dtype_named(spec.dtype if spec.dtype != "category" else "object")
    out = values.astype(object)
    if pd.api.types.is_object_dtype(dtype):
        out[missing] = _MISSING[spec.missing or MissingKind.NAN]
        return pd.Series(out, dtype=object)
    out[missing] = None
    if isinstance(dtype, np.dtype) and dtype.kind in "iub" and missing.any():  # no place for a missing cell
        return pd.Series(out, dtype=object).astype("object" if dtype.kind == "b" else "float64")
    return pd.Series(out, dtype=object).astype(dtype)


def _localized(times: pd.Series, zone: str) -> pd.Series:
    """Read wall-clock times in a zone: one that summer time skips moves on, one that it repeats is the second."""
    flags = np.zeros(len(times), np.bool_)
    localized: pd.Series = times.dt.tz_localize(zone, ambiguous=flags, nonexistent="shift_forward")
    return localized


def _whole(numbers: FloatArray, spec: ColumnSpec) -> npt.NDArray[Any]:
    """Whole floats as integers inside the column's bounds, which floats beyond 2**53 may overstep by rounding."""
    low, high = (
        None if bound is None else math.floor(float(bound) if isinstance(bound, str) else bound)
        for bound in (spec.low, spec.high)
    )
    kind = np.uint64 if spec.dtype.lower() == "uint64" else np.int64
    info = np.iinfo(kind)
    low, high = info.min if low is None else low, info.max if high is None else high
    if not info.min <= low <= high <= info.max:  # Python integers of any size in a column of objects
        return np.array([min(max(int(number), low), high) for number in numbers], dtype=object)
    # The float nearest to the largest integer is out of its range, so clip one float below.
    clipped = np.clip(numbers, float(info.min), np.nextafter(float(info.max), 0)).astype(kind)
    return np.clip(clipped, kind(low), kind(high))
