"""What a table is, how to guess it, how to check a table against it, and how to keep it in a file."""

from synthgan.schema.files import read_schema, write_schema
from synthgan.schema.infer import complete_schema, infer_schema
from synthgan.schema.table import ColumnKind, ColumnName, ColumnSpec, MissingKind, Scalar, Schema
from synthgan.schema.validate import validate

__all__ = [
    "ColumnKind",
    "ColumnName",
    "ColumnSpec",
    "MissingKind",
    "Scalar",
    "Schema",
    "complete_schema",
    "infer_schema",
    "read_schema",
    "validate",
    "write_schema",
]
