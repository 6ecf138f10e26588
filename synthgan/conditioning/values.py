"""The user's values as the encoders take them: levels, numbers, ticks."""

from __future__ import annotations

import datetime
import re
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from synthgan.encoding.categorical import CategoricalEncoder
from synthgan.encoding.continuous import NumericEncoder
from synthgan.encoding.dtypes import instant_of, wall_clock
from synthgan.encoding.table import ColumnEncoder
from synthgan.encoding.temporal import TICKS_PER_DAY, TemporalEncoder
from synthgan.errors import ConditionError, SchemaError
from synthgan.schema.table import ColumnSpec
from synthgan.schema.times import parse_times

__all__ = ["exact_values", "is_mark", "is_missing", "read_bounds", "read_instant"]

_ISO = re.compile(r"\d{4}-\d\d-\d\d")


def exact_values(spec: ColumnSpec, encoder: ColumnEncoder, values: pd.Series) -> npt.NDArray[Any]:
    """Check values (none missing) that rows must hold; return them as `TableEncoder.encode_plain` takes them.

    Raises
    ------
    ConditionError
        For a value the model does not know or the column cannot hold.
    """
    try:
        index, distinct = pd.factorize(values)
    except TypeError:  # not hashable
        raise ConditionError(f"column {spec.name!r}: {values.iloc[0]!r} is no value of a cell") from None
    if isinstance(encoder, CategoricalEncoder):
        plain = np.empty(len(distinct), object)
        known = {level: level for level in encoder.levels}
        plain[:] = [_level(spec, known, value) for value in distinct]
    elif isinstance(encoder, NumericEncoder):
        plain = np.array([_number(spec, encoder, value) for value in distinct], np.float64)
    else:
        plain = _times(spec, encoder, list(distinct))
    return plain[index]


def is_mark(spec: ColumnSpec, value: Any) -> bool:
    """Tell whether a user's value is a word that may stand in place of a column's numbers."""
    return isinstance(value, str) and value in (spec.marks or ())


def is_missing(value: Any) -> bool:
    """Tell whether a user's value stands for a missing cell: None, NaN, NA or NaT."""
    return bool(pd.api.types.is_scalar(value) and pd.isna(value))


def read_bounds(spec: ColumnSpec, low: Any, high: Any) -> tuple[float, float]:
    """Return the ends of a range as the column's dtype can hold them: rounding goes inwards.

    Raises
    ------
    ConditionError
        For an end that is no number.
    """
    kind = np.float32 if spec.dtype.lower() == "float32" else np.float64
    out = []
    for end, inwards in ((low, np.inf), (high, -np.inf)):
        if end is None:
            out.append(-inwards)
            continue
        exact = int(end) if isinstance(end, (int, np.integer)) else _float(spec, end)
        bound = kind(_float(spec, end))
        over = float(bound) < exact if inwards > 0 else float(bound) > exact
        out.append(float(np.nextafter(bound, kind(inwards)) if over else bound))
    return out[0], out[1]


def _level(spec: ColumnSpec, known: Mapping[Any, Any], value: Any) -> Any:
    """Return the level meant by `value`: the same object, or the only one written the same."""
    level = known.get(value)
    if level is not None and isinstance(level, bool) == isinstance(value, (bool, np.bool_)):
        return level
    alike = [level for level in known if str(level) == str(value)]
    if len(alike) == 1:
        return alike[0]
    held = ", ".join(map(repr, list(known)[:10])) + (f" and {len(known) - 10} more" if len(known) > 10 else "")
    raise ConditionError(f"column {spec.name!r} never held {value!r} in training; it held {held or 'nothing'}")


def _float(spec: ColumnSpec, value: Any) -> float:
    try:
        number = float(value)
    except (TypeError, ValueError):
        raise ConditionError(f"column {spec.name!r} holds numbers; {value!r} is none") from None
    if np.isnan(number):
        raise ConditionError(f"column {spec.name!r}: a bound cannot be missing; use None for an open end")
    return number


def _number(spec: ColumnSpec, encoder: NumericEncoder, value: Any) -> float:
    number = _float(spec, value)
    snapped = float(encoder.grid.snap(np.array([number]))[0])
    if isinstance(value, (int, np.integer)) and int(value) != int(number):
        raise ConditionError(
            f"column {spec.name!r}: whole numbers beyond 2**53 are learned only roughly; {value!r} cannot be given "
            "exactly. Give a range, or declare the column categorical"
        )
    if not abs(snapped - number) <= 1e-9 * max(1.0, abs(number)):
        grid = "" if encoder.grid.decimals is None else f", in steps of {2 * encoder.grid.half:g}"
        raise ConditionError(
            f"column {spec.name!r} runs from {spec.low} to {spec.high}{grid}; {value!r} cannot be sampled"
        )
    return snapped


def _times(spec: ColumnSpec, encoder: TemporalEncoder, values: Sequence[Any]) -> npt.NDArray[np.int64]:
    """Return the ticks of points in time that rows must hold."""
    ticks = np.array([read_instant(spec, value) for value in values], np.int64)
    fits = (ticks >= read_instant(spec, spec.low)) & (ticks <= read_instant(spec, spec.high))
    wall = wall_clock(ticks, spec)
    numbers = encoder.split(wall, np.zeros(len(wall), np.bool_))
    for part, number in zip(encoder.parts.values(), numbers, strict=True):
        fits &= part.grid.snap(number) == number
    if encoder.time is None:
        fits &= wall % TICKS_PER_DAY == encoder.midnight
    if not fits.all():
        raise ConditionError(
            f"column {spec.name!r} runs from {spec.low} to {spec.high} in steps of its own; "
            f"{values[int(np.argmin(fits))]!r} cannot be sampled"
        )
    return ticks


def read_instant(spec: ColumnSpec, value: Any, *, end_of_day: bool = False) -> int:
    """Return the tick (see `instant_of`) of a point in time; a bare date as the end of a range means the whole day.

    Raises
    ------
    ConditionError
        For what is no point in time.
    """
    stamp, bare = None, isinstance(value, datetime.date) and not isinstance(value, datetime.datetime)
    try:
        if isinstance(value, str) and spec.format is not None and not _ISO.match(value):
            stamp = parse_times([value], spec.format)[0]  # before pandas takes a day for a month
            bare = not re.search("%-?[HI]", spec.format)
        else:
            stamp = pd.Timestamp(value)
            bare = bare or (isinstance(value, str) and len(value) == len("2020-01-31") and bool(_ISO.match(value)))
    except (TypeError, ValueError, SchemaError):
        stamp = None
    if stamp is None or pd.isna(stamp):
        written = f", written as {spec.format} or as 2020-01-31" if spec.format else ""
        raise ConditionError(f"column {spec.name!r} holds points in time{written}; {value!r} is none")
    if bare and end_of_day:
        stamp = stamp.normalize() + pd.Timedelta(days=1) - pd.Timedelta(1, "us")
    return instant_of(stamp, spec)
