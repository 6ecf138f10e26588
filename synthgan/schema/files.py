"""Schemas in files: TOML for people, JSON for programs."""

from __future__ import annotations

import json
import math
import tomllib
from pathlib import Path
from typing import Any

from synthgan.errors import InputError, SchemaError
from synthgan.io import atomic_write
from synthgan.schema.table import Schema

__all__ = ["read_schema", "write_schema"]

_HEAD = """\
# The columns of a table, as synthgan sees them. Edit what is wrong and pass the file to `synthgan fit --schema`.
# kind: numeric, categorical, boolean, datetime, id (made anew, never learned), constant, or text (which fit refuses:
# drop the column or make it an id).
"""
_ESCAPES = {"\\": "\\\\", '"': '\\"', "\n": "\\n", "\t": "\\t", "\r": "\\r"}


def read_schema(path: str | Path) -> Schema:
    """Read a schema from a ``.toml`` or ``.json`` file.

    Raises
    ------
    InputError
        When the file cannot be read, or its suffix is another one.
    SchemaError
        When its content is not a schema.
    """
    path = Path(path)
    suffix = _suffix(path)
    try:
        text = path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise InputError(f"cannot read the schema {path}: {error}") from None
    try:
        data = tomllib.loads(text) if suffix == ".toml" else json.loads(text)
    except ValueError as error:  # both decoders' errors are ValueErrors
        raise SchemaError(f"the schema {path} is not valid {suffix[1:].upper()}: {error}") from None
    if not isinstance(data, dict):
        raise SchemaError(f"the schema {path} is not a table with one list, 'columns'")
    return Schema.from_dict(data)


def write_schema(schema: Schema, path: str | Path) -> None:
    """Write a schema to a ``.toml`` or ``.json`` file, whole or not at all.

    Raises
    ------
    InputError
        When the file cannot be written, or its suffix is another one.
    SchemaError
        For text that UTF-8 cannot hold (a lone surrogate).
    """
    path = Path(path)
    if _suffix(path) == ".toml":
        text = to_toml(schema)
    else:
        text = json.dumps(schema.to_dict(), indent=2, ensure_ascii=False) + "\n"
    try:
        data = text.encode()
    except UnicodeEncodeError as error:
        raise SchemaError(f"the schema holds text that is not valid Unicode, so no file can: {error}") from None
    with atomic_write(path) as file:
        file.write(data)


def to_toml(schema: Schema) -> str:
    r"""Return a schema as TOML text.

    Examples
    --------
    >>> from synthgan.schema.table import ColumnKind, ColumnSpec
    >>> print(to_toml(Schema((ColumnSpec("x", ColumnKind.CONSTANT, "int64", levels=(1,)),))).split("\n\n", 1)[1])
    [[columns]]
    name = "x"
    kind = "constant"
    dtype = "int64"
    levels = [1]
    <BLANKLINE>
    """
    tables = []
    for column in schema.to_dict()["columns"]:
        lines = "".join(f"{key} = {_toml_value(value)}\n" for key, value in column.items())
        tables.append(f"[[columns]]\n{lines}")
    return _HEAD + "\n" + "\n".join(tables)


def _suffix(path: Path) -> str:
    suffix = path.suffix.lower()
    if suffix not in (".toml", ".json"):
        raise InputError(f"a schema file ends in .toml or .json; got {path.name!r}")
    return suffix


def _toml_value(value: Any) -> str:
    if isinstance(value, list):
        return "[" + ", ".join(map(_toml_value, value)) + "]"
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, float):
        return repr(value) if math.isfinite(value) else {math.inf: "inf", -math.inf: "-inf"}.get(value, "nan")
    if isinstance(value, int):
        return str(value)
    return '"' + "".join(_escape(character) for character in value) + '"'


def _escape(character: str) -> str:
    if character in _ESCAPES:
        return _ESCAPES[character]
    # TOML allows no control characters inside a text.
    return f"\\u{ord(character):04x}" if character < " " or character == "\x7f" else character
