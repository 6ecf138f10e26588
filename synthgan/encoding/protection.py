"""What few rows hold does not get into a model: rare categories, extreme values, sparsely filled intervals.

With ``min_rows = k`` every category, frequent value and interval that an encoder stores stands for at least k rows of
the table, and every bound is an average of at least k of its values.

- *Rare categories* are replaced, in proportion, by the column's other categories. Many different texts (names of jobs
  or towns, numbers of cases: `MANY_LEVELS`, `MANY_CELLS`) are replaced by one new category instead, because the others
  would come far too often; what is sampled of it is numbered (``"other-17"``). A column of rare categories only, where
  they are few or no text, becomes a column of missing cells. True and false stay: that a column has them says nothing
  about a row.
- *Words among numbers* that few rows hold are not learned: cells with them are missing.
- *Extremes*: a smallest (largest) value that fewer than k rows hold is replaced by the mean of the k smallest (largest)
  ones, and the values beyond it move there. Where rounding makes that mean the value of one to k - 1 rows, the next
  number inwards that is not takes its place, if there is one before the next k values. Bounds that a schema sets wider
  than the data are left as they are.
- *Intervals* with fewer rows are merged with a neighbour, and their outer ends, which would be values of the table, are
  moved inwards to round numbers.
- *Ids* are never stored; with protection on, neither are their largest and smallest.
"""

from __future__ import annotations

import dataclasses
import logging
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from synthgan.encoding.cells import FloatArray, IntArray
from synthgan.encoding.dtypes import marks_of, numbers_of, wall_ticks
from synthgan.errors import ConfigError
from synthgan.schema.table import ColumnKind, ColumnName, ColumnSpec, MissingKind, Schema

__all__ = ["Protected", "checked_min_rows", "protect", "wall_tick"]

logger = logging.getLogger(__name__)

MANY_LEVELS, MANY_CELLS = 20, 0.1
"""So many rare texts, in such a share of a column's cells, are a category of their own."""

GOLDEN = 0.6180339887498949
"""Multiples of it, modulo 1, spread as evenly as can be."""


@dataclasses.dataclass(frozen=True, slots=True, eq=False)
class Protected:
    """A table as it is learned.

    Parameters
    ----------
    frame : DataFrame
        With rare categories replaced.
    schema : Schema
        Without rare categories, and with bounds that no row can be told from.
    changes : dict of column label to str
        What was changed in each column, in words and counts.
    replaced : dict of column label to ndarray of bool, shape (n_rows,)
        In which rows a column's category was replaced, of columns of which any was.
    """

    frame: pd.DataFrame
    schema: Schema
    changes: dict[ColumnName, str] = dataclasses.field(default_factory=dict)
    replaced: dict[ColumnName, npt.NDArray[np.bool_]] = dataclasses.field(default_factory=dict)


def protect(frame: pd.DataFrame, schema: Schema, min_rows: int) -> Protected:
    """Take out of a table what fewer than `min_rows` rows hold.

    Parameters
    ----------
    frame : DataFrame of shape (n_rows, n_columns)
        Columns as in `schema`.
    schema : Schema
        What they are.
    min_rows : int
        1 changes nothing.

    Returns
    -------
    Protected

    Examples
    --------
    >>> from synthgan.schema import infer_schema
    >>> frame = pd.DataFrame({"town": ["Ulm"] * 9 + ["Bonn"], "size": [*range(9), 500]})
    >>> kept = protect(frame, infer_schema(frame), 5)
    >>> kept.schema["town"].levels, kept.schema["size"].low, kept.schema["size"].high
    (('Ulm',), 2, 105)
    """
    if min_rows <= 1:
        return Protected(frame, schema)
    columns, specs, changes, replaced = {}, [], {}, {}
    for spec in schema:
        column, new = frame[spec.name], spec
        if spec.kind is ColumnKind.CATEGORICAL and spec.levels:
            column, new, what = _without_rare(column, spec, min_rows)
            if what:
                replaced[spec.name] = _replaced(frame[spec.name], column)
        elif spec.kind is ColumnKind.NUMERIC:
            column, kept, few = _without_rare_marks(column, spec, min_rows)
            new, what = _narrowed(kept, np.sort(_present(numbers_of(column, kept))), min_rows)
            what = "; ".join(filter(None, (few, what)))
        elif spec.kind is ColumnKind.DATETIME:
            ticks, missing = wall_ticks(column.reset_index(drop=True), spec)
            new, what = _narrowed_times(spec, np.sort(ticks[~missing]), min_rows)
        elif spec.kind is ColumnKind.ID:
            new, what = dataclasses.replace(spec, low=None, high=None), ""
        else:
            what = ""
        if what:
            changes[spec.name] = what
        columns[spec.name] = column
        specs.append(new)
    for name, what in changes.items():
        logger.debug("column %r: %s", name, what)
    return Protected(pd.DataFrame(columns, columns=list(columns)), Schema(tuple(specs)), changes, replaced)


def checked_min_rows(value: Any) -> int:
    """Return a number of rows as an int.

    Raises
    ------
    ConfigError
        For what is no whole number from 0.
    """
    if isinstance(value, bool) or not isinstance(value, (int, np.integer)) or value < 0:
        raise ConfigError(f"protect_rare must be a whole number of rows from 0 (1 or 0: no protection); got {value!r}")
    return int(value)


def _present(numbers: FloatArray) -> FloatArray:
    return numbers[~np.isnan(numbers)]


def _replaced(before: pd.Series[Any], after: pd.Series[Any]) -> npt.NDArray[np.bool_]:
    """In which rows a value is another one, or none, shape (n_rows,)."""
    out = before.notna().to_numpy(copy=True)
    was, now = (column.astype(object).to_numpy()[out] for column in (before, after))
    out[out] = was != now
    return out


def _without_rare(column: pd.Series[Any], spec: ColumnSpec, min_rows: int) -> tuple[pd.Series[Any], ColumnSpec, str]:
    levels = np.empty(len(spec.levels or ()), dtype=object)
    levels[:] = spec.levels
    index = pd.Index(levels, dtype=object).get_indexer(pd.Index(column, dtype=object))
    counts = np.bincount(index[index >= 0], minlength=len(levels))
    rare = (counts > 0) & (counts < min_rows)
    if not rare.any():
        return column, spec, ""
    frequent = counts >= min_rows
    cells = np.flatnonzero((index >= 0) & rare[index])
    what = f"{int(rare.sum()):,} values in fewer than {min_rows} rows ({len(cells):,} rows) are not learned"
    many = rare.sum() >= MANY_LEVELS and len(cells) >= max(min_rows, MANY_CELLS * counts.sum())
    if many and _is_text(column, spec):
        return _with_other(column, spec, cells, rare, what)
    if not frequent.any():
        what += ", which are all it has: its cells will be missing"
        logger.warning("column %r: %s; protect_rare=1 would keep them", spec.name, what)
        gone = pd.Series(np.full(len(column), None, dtype=object), index=column.index, name=column.name)
        empty = dataclasses.replace(spec, kind=ColumnKind.CONSTANT, levels=(), reason="every value is rare")
        return gone, empty, what
    share = np.cumsum(np.where(frequent, counts, 0)) / counts[frequent].sum()
    places = (np.arange(1, len(cells) + 1) * GOLDEN) % 1.0
    values = column.astype(object).to_numpy(dtype=object, copy=True)
    values[cells] = levels[np.minimum(np.searchsorted(share, places, side="right"), len(levels) - 1)]
    kept = tuple(level for level, out in zip(spec.levels or (), rare, strict=True) if not out)
    dtype = column.dtype
    if isinstance(dtype, pd.CategoricalDtype):
        dtype = pd.CategoricalDtype([level for level in dtype.categories if level in set(kept)], dtype.ordered)
    new = pd.Series(values, index=column.index, name=column.name, dtype=object).astype(dtype)
    return new, dataclasses.replace(spec, levels=kept), what


def _without_rare_marks(
    column: pd.Series[Any], spec: ColumnSpec, min_rows: int
) -> tuple[pd.Series[Any], ColumnSpec, str]:
    """Have cells with a word be missing that stands in place of few numbers."""
    marks = spec.marks or ()
    held = marks_of(column, spec)
    counts = np.bincount(held[held >= 0], minlength=len(marks))
    few = counts < min_rows
    if not few.any():
        return column, spec, ""
    gone = (held >= 0) & few[held]
    kept = tuple(mark for mark, out in zip(marks, few, strict=True) if not out)
    values = column.astype(object).mask(gone)
    what = f"{int(few.sum())} words in fewer than {min_rows} rows ({int(gone.sum())} rows) are not learned"
    new = dataclasses.replace(
        spec, marks=kept or None, missing=spec.missing or MissingKind.NAN if gone.any() else spec.missing
    )
    return values.astype(column.dtype), new, what


def _is_text(column: pd.Series[Any], spec: ColumnSpec) -> bool:
    return not isinstance(column.dtype, pd.CategoricalDtype) and all(isinstance(own, str) for own in spec.levels or ())


def _with_other(
    column: pd.Series[Any], spec: ColumnSpec, cells: IntArray, rare: npt.NDArray[np.bool_], what: str
) -> tuple[pd.Series[Any], ColumnSpec, str]:
    """Have one new level stand for all rare ones, which are in these cells."""
    levels = spec.levels or ()
    other = "other"
    while other in levels:
        other += "_"
    values = column.astype(object).to_numpy(dtype=object, copy=True)
    values[cells] = other
    kept = tuple(level for level, out in zip(levels, rare, strict=True) if not out)
    new = pd.Series(values, index=column.index, name=column.name, dtype=object).astype(column.dtype)
    return new, dataclasses.replace(spec, levels=(*kept, other), other=other), f"{what}: '{other}-1' and so on"


def _narrowed(spec: ColumnSpec, values: FloatArray, min_rows: int) -> tuple[ColumnSpec, str]:
    """Draw in the bounds of numbers (sorted) that too few rows reach."""
    ends: dict[str, Any] = {}
    for name, at_end in (("low", values), ("high", values[::-1])):
        bound = getattr(spec, name)
        if bound is None or len(values) == 0 or float(bound) != at_end[0] or _reached(at_end, min_rows):
            continue
        end = float(at_end[:min_rows].mean())
        if spec.decimals is not None:
            unit = spec.step / 10.0**spec.decimals
            end = _unheld(round(end / unit), np.round(at_end / unit), min_rows) * unit
        ends[name] = int(end) if isinstance(bound, int) else round(end, 12) if spec.decimals is not None else end
    return _with_ends(spec, ends, min_rows)


def _narrowed_times(spec: ColumnSpec, ticks: IntArray, min_rows: int) -> tuple[ColumnSpec, str]:
    """Draw in the bounds of points in time (sorted wall-clock microseconds) that too few rows reach."""
    ends: dict[str, Any] = {}
    for name, at_end in (("low", ticks), ("high", ticks[::-1])):
        bound = getattr(spec, name)
        if bound is None or not len(ticks) or wall_tick(str(bound), spec) != at_end[0] or _reached(at_end, min_rows):
            continue
        # The new end stays among the points that the times are apart by, so that weeks stay weeks and hours hours.
        unit = max(int(np.gcd.reduce(ticks - ticks[0])), 1)
        steps = (at_end - at_end[0]) // unit
        middle = int(at_end[0]) + _unheld(round(float(steps[:min_rows].mean())), steps, min_rows) * unit
        ends[name] = pd.Timestamp(np.datetime64(middle, "us")).isoformat()
    return _with_ends(spec, ends, min_rows)


def wall_tick(text: str, spec: ColumnSpec) -> int:
    """Return an ISO text's wall-clock microseconds since 1970 in the column's zone."""
    stamp = pd.Timestamp(text)
    if stamp.tzinfo is not None:
        stamp = (stamp if spec.tz is None else stamp.tz_convert(spec.tz)).tz_localize(None)
    return int(np.datetime64(stamp, "us").astype(np.int64))


def _unheld(middle: int, at_end: npt.NDArray[Any], min_rows: int) -> int:
    """Return the next number from `middle` inwards that no row, or enough rows, hold; `middle` where there is none.

    Parameters
    ----------
    middle : int
        A number of units.
    at_end : ndarray, shape (n,)
        The values in units, from the end inwards.
    min_rows : int
        How many rows are enough.
    """
    if len(at_end) < 20 * min_rows:  # so small a table would lose too much of its range
        return middle
    last = int(at_end[2 * min_rows - 1])
    step = 1 if last >= middle else -1
    held, counts = np.unique(at_end, return_counts=True)
    few = set(held[counts < min_rows].tolist())
    return next((number for number in range(middle, last, step) if number not in few), middle)


def _reached(at_end: npt.NDArray[Any], min_rows: int) -> bool:
    """Whether enough rows hold the outermost value."""
    return len(at_end) >= min_rows and bool(at_end[min_rows - 1] == at_end[0])


def _with_ends(spec: ColumnSpec, ends: dict[str, Any], min_rows: int) -> tuple[ColumnSpec, str]:
    if not ends:
        return spec, ""
    which = " and ".join({"low": "smallest", "high": "largest"}[name] for name in ends)
    return dataclasses.replace(spec, **ends), f"its {which} values are replaced by the mean of {min_rows}"
