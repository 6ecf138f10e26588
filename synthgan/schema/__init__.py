"""What a table is, how to guess it, and how to keep it in a file."""

from synthgan.schema.infer import infer_schema
from synthgan.schema.table import ColumnKind, ColumnName, ColumnSpec, MissingKind, Scalar, Schema

__all__ = ["ColumnKind", "ColumnName", "ColumnSpec", "MissingKind", "Scalar", "Schema", "infer_schema"]
