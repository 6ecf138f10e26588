"""Conditions and class counts as people type them, turned into what `SynthGAN.sample` takes.

===================  ===============================================================
``income=>50K``      exactly this value (split at the first ``=`` that ends a column's name)
``city=Ulm|Bonn``    one of these
``age=18..30``       from 18 to 30, both included; ``18..`` and ``..30`` are open
``time=2020-05-01``  that day, if the column also has times of day
``city=``            missing
===================  ===============================================================

A value that is a level of the column is taken as it stands, even if it contains ``|`` or ``..``.
"""

from __future__ import annotations

import difflib
import re
from collections.abc import Sequence
from typing import Any, cast

import pandas as pd

from synthgan.errors import ConditionError
from synthgan.schema import ColumnKind, ColumnSpec, Scalar, Schema
from synthgan.schema.times import parse_times

__all__ = ["Condition", "parse_class_counts", "parse_where"]

Condition = Any
"""A value, None for missing, a set of these, or a (low, high) tuple."""

_DATE_ONLY = re.compile(r"\d{4}-\d\d-\d\d")
_COUNT = re.compile(r"(.+?)=(\d+)(?:,|$)", re.DOTALL)
_TRUTH = {"true": True, "false": False, "yes": True, "no": False, "1": True, "0": False}


def parse_where(texts: Sequence[str], schema: Schema) -> dict[str | int, Condition]:
    """Turn ``--where`` texts into conditions.

    Parameters
    ----------
    texts : sequence of str
        Each ``column=condition``; a column occurs at most once.
    schema : Schema
        The model's columns.

    Returns
    -------
    dict of column label to Condition

    Raises
    ------
    ConditionError
        For a text that is none of the forms above, an unknown column, or a value that the column cannot hold.

    Examples
    --------
    >>> from synthgan.schema import infer_schema
    >>> schema = infer_schema(pd.DataFrame({"age": [18, 90], "income": ["<=50K", ">50K"]}))
    >>> parse_where(["income=<=50K", "age=..30"], schema)
    {'income': '<=50K', 'age': (None, 30)}
    """
    conditions: dict[str | int, Condition] = {}
    for text in texts:
        column, literal = _split(text, schema)
        if column.name in conditions:
            raise ConditionError(
                f"--where names {str(column.name)!r} twice; write {column.name}=a|b for several values"
            )
        conditions[column.name] = _condition(column, literal)
    return conditions


def parse_class_counts(text: str, column: ColumnSpec) -> dict[Scalar, int]:
    """Turn ``label=count,label=count`` into a dict; labels may contain ``=`` and ``,``.

    Raises
    ------
    ConditionError
        For another form, or a label that the column does not have.

    Examples
    --------
    >>> from synthgan.schema import infer_schema
    >>> parse_class_counts(">50K=5,<=50K=7", infer_schema(pd.DataFrame({"y": ["<=50K", ">50K"]}))["y"])
    {'>50K': 5, '<=50K': 7}
    """
    counts: dict[Scalar, int] = {}
    end = 0
    while match := _COUNT.match(text, end):
        label = _value(column, match[1].strip())
        if label in counts:
            raise ConditionError(f"--class-counts names {match[1]!r} twice")
        counts[label] = int(match[2])
        end = match.end()
    if end < len(text) or not counts:
        raise ConditionError(f"--class-counts is label=count,label=count; cannot read {text[end:]!r}")
    return counts


def _split(text: str, schema: Schema) -> tuple[ColumnSpec, str]:
    columns = {str(column.name): column for column in schema}
    cuts = [i for i, character in enumerate(text) if character == "="]
    if not cuts:
        raise ConditionError(f"--where is column=value, column=a|b or column=low..high; got {text!r}")
    for cut in cuts:
        if column := columns.get(text[:cut].strip()):
            return column, text[cut + 1 :].strip()
    name = text[: cuts[0]].strip()
    raise ConditionError(f"--where: no column {name!r} in the model{_hint(name, list(columns))}")


def _condition(column: ColumnSpec, literal: str) -> Condition:
    known = _levels(column)
    if literal in known:
        return known[literal]
    if literal == "":
        return None
    if "|" in literal:
        return {_value(column, part.strip()) if part.strip() else None for part in literal.split("|")}
    if ".." in literal:
        low, _, high = literal.partition("..")
        return _range(column, low.strip(), high.strip())
    if column.kind is ColumnKind.DATETIME and _DATE_ONLY.fullmatch(literal) and column.unit != "D":
        return _range(column, literal, literal)
    return _value(column, literal)


def _range(column: ColumnSpec, low: str, high: str) -> Condition:
    if column.kind in (ColumnKind.NUMERIC, ColumnKind.DATETIME):
        read = _number if column.kind is ColumnKind.NUMERIC else _time
        ends = (read(column, low) if low else None, read(column, high) if high else None)
        if low and high and _comparable(ends[0]) > _comparable(ends[1]):
            raise ConditionError(f"--where: the range {low}..{high} of {str(column.name)!r} ends before it begins")
        return ends
    if column.kind is not ColumnKind.CATEGORICAL or not column.ordered or not column.levels:
        raise ConditionError(
            f"column {str(column.name)!r} is {column.kind} without an order, so it has no range {low}..{high}; "
            f"write {column.name}=a|b{_hint(low, list(_levels(column)))}"
        )
    ordered = list(column.levels)
    first = ordered.index(_value(column, low)) if low else 0
    last = ordered.index(_value(column, high)) if high else len(ordered) - 1
    if first > last:
        raise ConditionError(f"--where: the range {low}..{high} of {str(column.name)!r} ends before it begins")
    return set(ordered[first : last + 1])


def _comparable(end: Any) -> Any:
    return pd.Timestamp(end) if isinstance(end, str) else end


def _value(column: ColumnSpec, text: str) -> Any:
    """Turn one literal into a value of the column's own type."""
    if column.kind is ColumnKind.NUMERIC:
        return text if text in (column.marks or ()) else _number(column, text)
    if column.kind is ColumnKind.DATETIME:
        return _time(column, text)
    known = _levels(column)
    if text in known:
        return known[text]
    if column.kind is ColumnKind.BOOLEAN:
        known = {word: level for word, truth in _TRUTH.items() for level in column.levels or () if _is(level, truth)}
        if text.lower() in known:
            return known[text.lower()]
    if not known:  # an id, or a constant that is always missing: the library says why not
        return text
    raise ConditionError(f"column {str(column.name)!r} has no value {text!r}{_hint(text, list(known))}")


def _is(level: Scalar, truth: bool) -> bool:
    return level is truth if isinstance(level, bool) else str(level).lower() == str(truth).lower()


def _levels(column: ColumnSpec) -> dict[str, Scalar]:
    """Return the column's levels by how people write them; 1.0 is also written 1."""
    levels = column.levels or ()
    short = {str(int(level)): level for level in levels if isinstance(level, float) and level.is_integer()}
    return short | {str(level): level for level in levels}


def _number(column: ColumnSpec, text: str) -> int | float:
    for kind in (int, float):
        try:
            number = kind(text)
        except ValueError:
            continue
        if number == number and abs(number) != float("inf"):
            return number
    raise ConditionError(f"column {str(column.name)!r} is numeric; {text!r} is no number")


def _time(column: ColumnSpec, text: str) -> pd.Timestamp | str:
    """Read a time in the column's own format or in ISO's; a bare ISO date stays text, which means the whole day."""
    if _DATE_ONLY.fullmatch(text) and pd.notna(pd.to_datetime(text, errors="coerce")):
        return text
    readings: list[Any] = [pd.to_datetime(text, format="ISO8601", errors="coerce")]
    if column.format:
        readings.insert(0, parse_times([text], column.format, errors="coerce")[0])
    for time in readings:
        if pd.notna(time):
            return cast(pd.Timestamp, time)
    raise ConditionError(
        f"column {str(column.name)!r} is a datetime; cannot read {text!r}, write e.g. 2020-12-31T18:30"
    )


def _hint(text: str, known: list[str], limit: int = 8) -> str:
    """Say what was meant, or what there is."""
    if close := difflib.get_close_matches(text, known, n=3, cutoff=0.6):
        return "; did you mean " + " or ".join(map(repr, close)) + "?"
    if not known:
        return ""
    more = f" and {len(known) - limit:,} more" if len(known) > limit else ""
    return "; it has " + ", ".join(map(repr, known[:limit])) + more
