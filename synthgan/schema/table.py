"""What a table is: the kind, dtype and domain of each column."""

from __future__ import annotations

import dataclasses
from collections import Counter
from collections.abc import Iterator, Mapping
from enum import StrEnum
from typing import Any

import pandas as pd

from synthgan.errors import SchemaError
from synthgan.schema.marks import MAX_MARKS, NUMBER_FORMATS, PLAIN_NUMBER, read_numbers

__all__ = ["ColumnKind", "ColumnName", "ColumnSpec", "MissingKind", "Scalar", "Schema"]

MANY_NUMBERS = 20
"""Levels that are numbers for each that is none, from which on the latter seem to be there by mistake."""

ColumnName = str | int
Scalar = str | int | float | bool


class ColumnKind(StrEnum):
    """What a column means, and so how it is learned.

    =========== =====================================================================
    numeric     numbers with an order and a distance; learned by quantiles
    categorical a limited set of levels, ordered or not
    boolean     two levels, true and false
    datetime    points in time; learned as day and time of day
    id          a name for the row: never learned, made anew when sampling
    constant    the same value in every row, or missing in every row
    text        free text: never learned, numbered when sampling (``"text-1"``)
    =========== =====================================================================
    """

    NUMERIC = "numeric"
    CATEGORICAL = "categorical"
    BOOLEAN = "boolean"
    DATETIME = "datetime"
    ID = "id"
    CONSTANT = "constant"
    TEXT = "text"

    @property
    def is_made_anew(self) -> bool:
        """Whether nothing of the cells is learned but whether they are missing: ids and free text."""
        return self in (ColumnKind.ID, ColumnKind.TEXT)


class MissingKind(StrEnum):
    """How a missing cell is written in a column of dtype object; other dtypes have one way only."""

    NAN = "nan"
    NONE = "none"
    NA = "na"
    NAT = "nat"


@dataclasses.dataclass(frozen=True, slots=True)
class ColumnSpec:
    """One column.

    Parameters
    ----------
    name : str or int
        The column's label.
    kind : ColumnKind
        What it means.
    dtype : str
        The pandas dtype that sampled rows get back, as ``str(dtype)``: ``"int64"``, ``"Int64"``, ``"category"``, ...
    reason : str
        Why `kind` was chosen: a sentence for `synthgan inspect`.
    missing : MissingKind or None
        How missing cells are written; None where the column had none.
    levels : tuple of scalars or None
        CATEGORICAL, BOOLEAN: the values seen or declared, in the dtype's order if it has one. CONSTANT: the one value,
        or ``()`` when every cell is missing.
    other : str or None
        CATEGORICAL: the one of the levels that stands for many rare texts, each in few rows (see `protect_rare`). Cells
        that are sampled of it are told apart by numbers: ``"other-1"``, ``"other-2"``, ...
    level_dtype : str or None
        The dtype of a ``category`` column's categories (``"object"``, ``"int64"``, ...).
    ordered : bool
        Whether the levels of a ``category`` column are ordered.
    decimals, step : int or None, int
        NUMERIC: values lie on the grid ``k * step / 10**decimals`` (k an integer); `decimals` None means no grid.
    low, high : float, int, str or None
        NUMERIC, DATETIME: smallest and largest value (datetimes as ISO text in the column's own zone).
        Sampled values stay inside.
    marks : tuple of str or None
        NUMERIC given as text: the words that stand in place of numbers (``"?"``), the commonest first. They are learned
        and sampled like any value.
    format : str or None
        DATETIME given as text: its strftime format. NUMERIC given as text: how numbers are written, ``"%d"``,
        ``"%.2f"``, or ``"%g"`` or ``"%r"`` for as short as can be, without and with ``.0``.
    tz : str or None
        DATETIME: its time zone.
    unit : str or None
        DATETIME: resolution of the values seen: ``"D"``, ``"h"``, ``"min"``, ``"s"``, ``"ms"``, ``"us"`` or ``"ns"``.
    """

    name: ColumnName
    kind: ColumnKind
    dtype: str
    reason: str = ""
    missing: MissingKind | None = None
    levels: tuple[Scalar, ...] | None = None
    other: str | None = None
    level_dtype: str | None = None
    ordered: bool = False
    decimals: int | None = None
    step: int = 1
    low: float | int | str | None = None
    high: float | int | str | None = None
    marks: tuple[str, ...] | None = None
    format: str | None = None
    tz: str | None = None
    unit: str | None = None

    @property
    def is_number_text(self) -> bool:
        """Whether the column holds numbers that are written as text, and may have marks beside them."""
        return self.kind is ColumnKind.NUMERIC and self.format is not None

    def warning(self) -> str:
        """Return what whoever fits such a column should know; nothing where it is learned."""
        if self.kind is ColumnKind.TEXT:
            return (
                f"column {self.name!r} is free text, which is not learned: it is sampled as text-1, text-2, ... Drop "
                "it, or declare it categorical"
            )
        words = [level for level in self.levels or () if isinstance(level, str) and not PLAIN_NUMBER.fullmatch(level)]
        many = len(self.levels or ()) >= MANY_NUMBERS * max(len(words), 1)
        if words and len(words) <= MAX_MARKS and many and self.reason != "declared":
            return (
                f"column {self.name!r} holds numbers, but {words[0]!r} too: all are learned as categories. Replace it, "
                "or declare the column an id or categorical"
            )
        return ""

    def to_dict(self) -> dict[str, Any]:
        """Return a JSON- and TOML-ready dict; fields at their default are left out."""
        out: dict[str, Any] = {}
        for field in dataclasses.fields(self):
            value = getattr(self, field.name)
            if value is not None and (field.default is dataclasses.MISSING or value != field.default):
                out[field.name] = list(value) if isinstance(value, tuple) else value
        return out | {"kind": str(self.kind)} | ({"missing": str(self.missing)} if self.missing else {})

    @classmethod
    def from_dict(cls, data: Mapping[str, Any]) -> ColumnSpec:
        """Rebuild a column from `to_dict`'s output.

        Raises
        ------
        SchemaError
            For a missing or unknown key, an unknown kind, or a value of the wrong type.
        """
        known = {field.name for field in dataclasses.fields(cls)}
        label = data.get("name", "?")
        if unknown := sorted(set(data) - known):
            raise SchemaError(f"column {label!r}: unknown schema keys {unknown}; known are {sorted(known)}")
        if absent := [key for key in ("name", "kind", "dtype") if key not in data]:
            raise SchemaError(f"column {label!r}: schema keys {absent} are required")
        for key, value in data.items():
            types = _TYPES.get(key, str)
            if value is not None and (not isinstance(value, types) or (isinstance(value, bool) and types is not bool)):
                raise SchemaError(f"column {label!r}: the schema's {key!r} cannot be {value!r}")
        values = dict(data)
        try:
            values["kind"] = ColumnKind(values["kind"])
            if values.get("missing") is not None:
                values["missing"] = MissingKind(values["missing"])
            if values.get("levels") is not None:
                values["levels"] = tuple(values["levels"])
                if odd := [level for level in values["levels"] if not isinstance(level, (str, int, float, bool))]:
                    raise ValueError(f"a level is text, a number or a truth value, not {odd[0]!r}")
            if values.get("marks") is not None:
                values["marks"] = _marks(tuple(values["marks"]), values["kind"], values.get("format"))
            if values["kind"] is ColumnKind.NUMERIC and values.get("format") is not None:
                _check_number_format(values["format"], values["dtype"])
        except (ValueError, TypeError) as error:
            raise SchemaError(f"column {label!r}: {error}") from None
        spec = cls(**values)
        spec.check_bounds()
        return spec

    def check_bounds(self) -> None:
        """Check that bounds and grid make sense for the kind.

        Raises
        ------
        SchemaError
            For bounds of another type or in the wrong order, or a grid that is none.
        """
        low, high = self.low, self.high
        if (self.decimals is not None and not 0 <= self.decimals <= 18) or self.step < 1:
            raise SchemaError(
                f"column {self.name!r}: decimals are 0 to 18 and step at least 1; got {self.decimals}, {self.step}"
            )
        if self.kind not in (ColumnKind.NUMERIC, ColumnKind.DATETIME):
            return
        texts = self.kind is ColumnKind.DATETIME
        if any(end is not None and isinstance(end, str) is not texts for end in (low, high)):
            wanted = "ISO texts" if texts else "numbers"
            raise SchemaError(
                f"column {self.name!r} is {self.kind}, so low and high are {wanted}; got {low!r}, {high!r}"
            )
        for end in (low, high):
            if texts and end is not None and _is_no_time(str(end)):
                raise SchemaError(f"column {self.name!r}: low and high are points in time; got {end!r}")
        if isinstance(low, (int, float)) and isinstance(high, (int, float)) and not low <= high:
            raise SchemaError(f"column {self.name!r}: low is {low!r}, which is not below high, {high!r}")


def _marks(marks: tuple[Any, ...], kind: ColumnKind, format: Any) -> tuple[str, ...]:
    if kind is not ColumnKind.NUMERIC or not format:
        raise ValueError("marks stand beside numbers, and need the format in which these are written")
    if not 0 < len(marks) <= MAX_MARKS or not all(isinstance(mark, str) and mark.strip() for mark in marks):
        raise ValueError(f"marks are 1 to {MAX_MARKS} words")
    if len(set(marks)) < len(marks) or read_numbers(pd.Series(marks, dtype=object)).notna().any():
        raise ValueError("marks are different words, and no numbers")
    return marks


def _check_number_format(format: str, dtype: str) -> None:
    if not NUMBER_FORMATS.fullmatch(format):
        raise ValueError(f"numbers are written as %d, %g, %r or %.2f, not {format!r}")
    if dtype not in ("object", "str") and not dtype.startswith("string"):
        raise ValueError(f"only text has a format for its numbers; the dtype is {dtype!r}")


def _is_no_time(text: str) -> bool:
    try:
        return bool(pd.isna(pd.Timestamp(text)))
    except (ValueError, OverflowError, TypeError):
        return True


_TYPES: dict[str, Any] = {
    "name": (str, int),
    "levels": (list, tuple),
    "marks": (list, tuple),
    "ordered": bool,
    "decimals": int,
    "step": int,
    "low": (str, int, float),
    "high": (str, int, float),
}
"""What a field of a schema file may be; text where nothing is said."""


@dataclasses.dataclass(frozen=True, slots=True)
class Schema:
    """The columns of a table, in order.

    Parameters
    ----------
    columns : tuple of ColumnSpec
        Names are unique.

    Raises
    ------
    SchemaError
        When a name occurs twice.
    """

    columns: tuple[ColumnSpec, ...]

    def __post_init__(self) -> None:
        names = [column.name for column in self.columns]
        if repeated := sorted(str(name) for name, count in Counter(names).items() if count > 1):
            raise SchemaError(f"column names must be unique; repeated: {repeated}. Rename or drop them")

    def __iter__(self) -> Iterator[ColumnSpec]:
        return iter(self.columns)

    def __len__(self) -> int:
        return len(self.columns)

    def __contains__(self, name: object) -> bool:
        return any(column.name == name for column in self.columns)

    def __getitem__(self, name: ColumnName) -> ColumnSpec:
        for column in self.columns:
            if column.name == name:
                return column
        raise SchemaError(f"no column {name!r} in the schema; it has {self.names}")

    @property
    def names(self) -> list[ColumnName]:
        """Column labels in table order."""
        return [column.name for column in self.columns]

    def of_kind(self, *kinds: ColumnKind) -> list[ColumnSpec]:
        """Return the columns of the given kinds, in table order."""
        return [column for column in self.columns if column.kind in kinds]

    def to_dict(self) -> dict[str, Any]:
        """Return a JSON- and TOML-ready dict."""
        return {"columns": [column.to_dict() for column in self.columns]}

    @classmethod
    def from_dict(cls, data: Mapping[str, Any]) -> Schema:
        """Rebuild a schema from `to_dict`'s output.

        Raises
        ------
        SchemaError
            When `data` does not describe a schema.
        """
        columns = data.get("columns")
        if not isinstance(columns, list) or not all(isinstance(item, Mapping) for item in columns):
            raise SchemaError("a schema is a table with one list, 'columns', of one entry per column")
        return cls(tuple(ColumnSpec.from_dict(item) for item in columns))
