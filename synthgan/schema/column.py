"""One column under inspection: its cells, which of them are missing and how, and what Python types they hold."""

from __future__ import annotations

import dataclasses
import datetime
import decimal
from typing import Any

import numpy as np
import pandas as pd

from synthgan.errors import SchemaError
from synthgan.schema.table import ColumnKind, ColumnName, ColumnSpec, MissingKind

__all__ = ["Column", "Family", "check_finite", "families", "missing_kind"]

Family = str
"""What the cells of a column are: ``"text"``, ``"bool"``, ``"int"``, ``"float"``, ``"datetime"``, ``"category"``."""

_WAYS_OUT = {
    datetime.date: "convert it with pd.to_datetime",
    datetime.time: "convert it to text or to seconds",
    datetime.timedelta: "convert it to seconds, e.g. with .dt.total_seconds()",
    bytes: "decode it to text",
    decimal.Decimal: "convert it with .astype(float)",
}


@dataclasses.dataclass(frozen=True, slots=True)
class Column:
    """A column of the frame being described.

    Parameters
    ----------
    name : str or int
        Its label.
    cells : Series of shape (n_rows,)
        All cells.
    present : Series of shape (n_present,)
        The cells that are not missing.
    missing : MissingKind or None
        How the missing cells are written; None where there are none.
    """

    name: ColumnName
    cells: pd.Series[Any]
    present: pd.Series[Any]
    missing: MissingKind | None

    @classmethod
    def of(cls, name: ColumnName, cells: pd.Series[Any]) -> Column:
        """Split `cells` into present and missing ones."""
        return cls(name, cells, cells.dropna(), missing_kind(cells))

    def spec(self, kind: ColumnKind, reason: str, **fields: Any) -> ColumnSpec:
        """Return a `ColumnSpec` of this column's name, dtype and way of missing."""
        return ColumnSpec(self.name, kind, str(self.cells.dtype), reason, self.missing, **fields)

    def family(self) -> Family:
        """Return what the present cells are.

        Raises
        ------
        SchemaError
            When they are of several Python types, or of one that no kind covers.
        """
        dtype = self.cells.dtype
        if isinstance(dtype, pd.CategoricalDtype):
            return "category"
        if isinstance(dtype, pd.SparseDtype):
            raise SchemaError(f"column {self.name!r} is sparse; make it dense with .sparse.to_dense()")
        if pd.api.types.is_bool_dtype(dtype):
            return "bool"
        if pd.api.types.is_integer_dtype(dtype):
            return "int"
        if pd.api.types.is_float_dtype(dtype):
            return "float"
        if isinstance(dtype, pd.DatetimeTZDtype) or pd.api.types.is_datetime64_dtype(dtype):
            return "datetime"
        if pd.api.types.is_object_dtype(dtype) or pd.api.types.is_string_dtype(dtype):
            return self._object_family()
        raise SchemaError(
            f"column {self.name!r}: dtype {dtype} has no kind here; numbers, text, booleans, categories and "
            "datetimes have. Convert or drop it"
        )

    def _object_family(self) -> Family:
        kinds = families(self.present)
        if odd := [kind for kind in kinds if not isinstance(kind, str)]:
            way_out = next((way for base, way in _WAYS_OUT.items() if issubclass(odd[0], base)), "convert or drop it")
            raise SchemaError(
                f"column {self.name!r} holds Python {odd[0].__name__} objects, which have no kind; {way_out}"
            )
        if len(kinds) > 1:
            raise SchemaError(
                f"column {self.name!r} mixes Python types ({', '.join(sorted(map(str, kinds)))}); a column has one. "
                "Convert it, e.g. with .astype(str) or pd.to_numeric"
            )
        return str(next(iter(kinds), "text"))


def families(cells: pd.Series[Any] | pd.Index[Any]) -> set[Family | type]:
    """Return the families of the Python objects in `cells`; a type that belongs to none stands for itself."""
    return {_family_of(kind) for kind in set(map(type, cells))}


def _family_of(kind: type) -> Family | type:
    if issubclass(kind, str):
        return "text"
    if issubclass(kind, (bool, np.bool_)):
        return "bool"
    if issubclass(kind, (int, np.integer)) and not kind.__name__.startswith("timedelta"):
        return "int"
    if issubclass(kind, (float, np.floating)):
        return "float"
    return kind


def missing_kind(cells: pd.Series[Any]) -> MissingKind | None:
    """Return how most missing cells of a column are written, or None where it has none.

    Examples
    --------
    >>> missing_kind(pd.Series(["a", None, None], dtype=object))
    <MissingKind.NONE: 'none'>
    """
    absent = cells[cells.isna()]
    if absent.empty:
        return None
    if pd.api.types.is_object_dtype(cells.dtype):
        counts = {
            MissingKind.NONE: sum(cell is None for cell in absent),
            MissingKind.NA: sum(cell is pd.NA for cell in absent),
            MissingKind.NAT: sum(cell is pd.NaT for cell in absent),
        }
        counts[MissingKind.NAN] = len(absent) - sum(counts.values())
        return max(counts, key=lambda kind: counts[kind])
    if isinstance(cells.dtype, pd.CategoricalDtype):
        return MissingKind.NAN
    written: object = cells.dtype.na_value if isinstance(cells.dtype, pd.api.extensions.ExtensionDtype) else None
    if written is pd.NA:
        return MissingKind.NA
    return MissingKind.NAT if pd.api.types.is_datetime64_any_dtype(cells.dtype) else MissingKind.NAN


def check_finite(column: Column) -> None:
    """Refuse infinite numbers.

    Raises
    ------
    SchemaError
        When a cell is infinite.
    """
    infinite = np.isinf(column.present.to_numpy(dtype=np.float64))
    if infinite.any():
        raise SchemaError(
            f"column {column.name!r}: {int(infinite.sum()):,} infinite values; numbers must be finite. Replace them, "
            f"e.g. frame[{column.name!r}].replace([np.inf, -np.inf], np.nan)"
        )
