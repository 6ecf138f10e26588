"""Columns of text: true/false words, datetimes, names of rows, free text, or categories."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from synthgan.errors import SchemaError
from synthgan.schema.column import Column
from synthgan.schema.table import ColumnKind, ColumnSpec
from synthgan.schema.times import find_format, find_strays, parse_times, resolution, zone_of_format

__all__ = ["MIN_ROWS_FOR_ID", "describe_text", "describe_text_times", "quoted"]

MIN_ROWS_FOR_ID = 20
"""In fewer rows, all values being different says nothing."""

_MAX_ID_LENGTH = 64
_FREE_TEXT_SHARE = 0.9
_MAX_STRAY_WORDS = 10
_TRUTH = (("false", "true"), ("False", "True"), ("FALSE", "TRUE"))


def describe_text(column: Column) -> ColumnSpec:
    """Return what a column of strings is.

    Raises
    ------
    SchemaError
        For a column of datetimes in which a few cells hold something else.
    """
    counts = column.present.value_counts()
    distinct = counts.index.to_numpy(dtype=object)
    if words := next((pair for pair in _TRUTH if set(pair) == set(distinct)), None):
        return column.spec(ColumnKind.BOOLEAN, f"holds only the words {words[0]} and {words[1]}", levels=words)
    if format := find_format(distinct):
        return describe_text_times(column, format, distinct)
    _check_stray_dates(column, distinct)
    longest, spaced = max(map(len, distinct)), float(np.mean([" " in text.strip() for text in distinct]))
    share = len(distinct) / len(column.present)
    if len(column.present) >= MIN_ROWS_FOR_ID:
        if share == 1 and spaced == 0 and longest <= _MAX_ID_LENGTH:
            return column.spec(ColumnKind.ID, "every text is different and none has a space: a name for the row")
        if share >= _FREE_TEXT_SHARE and (spaced >= 0.5 or longest > _MAX_ID_LENGTH):
            reason = (
                f"{len(distinct):,} of {len(column.present):,} texts are different, with spaces or long: free text, "
                "which is not learned; drop the column, or declare it an id or categorical"
            )
            return column.spec(ColumnKind.TEXT, reason)
    return column.spec(
        ColumnKind.CATEGORICAL,
        f"text with {_count(len(distinct), 'distinct value')}",
        levels=tuple(sorted(map(str, distinct))),
    )


def describe_text_times(column: Column, format: str, distinct: npt.NDArray[np.object_]) -> ColumnSpec:
    """Return a DATETIME column given as text in `format`."""
    times = parse_times(distinct, format)
    ambiguous = "%m/%d" in format or "%-m/%-d" in format
    note = " (month first: declare the format if it is day first)" if ambiguous else ""
    return column.spec(
        ColumnKind.DATETIME,
        f"datetimes written as {format}{note}",
        format=format,
        tz=zone_of_format(format),
        unit=resolution(times),
        low=times.min().isoformat(),
        high=times.max().isoformat(),
    )


def _check_stray_dates(column: Column, distinct: npt.NDArray[np.object_]) -> None:
    found = find_strays(distinct)
    if found is None or len(found[1]) > _MAX_STRAY_WORDS:
        return
    raise SchemaError(
        f"column {column.name!r} holds datetimes written as {found[0]}, but for {quoted(found[1])}, which are none or "
        "lie beyond the years 1678 to 2261. Make these cells missing, or declare the column categorical"
    )


def quoted(values: Any, limit: int = 5) -> str:
    """List up to `limit` values for a message.

    Examples
    --------
    >>> quoted(["?", "n/a"]), quoted(range(9))
    ("'?', 'n/a'", '0, 1, 2, 3, 4 and 4 more')
    """
    values = list(values)
    more = f" and {len(values) - limit} more" if len(values) > limit else ""
    return ", ".join(map(repr, values[:limit])) + more


def _count(number: int, noun: str) -> str:
    return f"{number:,} {noun}{'' if number == 1 else 's'}"
