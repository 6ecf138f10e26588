"""Tables in files: read and write by suffix, without changing what a cell says, and never half a file.

==================  =============================================================================
``.csv .csv.gz``    comma-separated, UTF-8, one header line
``.tsv .tsv.gz``    the same with tabs
``.parquet``        Parquet
``.feather``        Feather
``-``               CSV from standard input or to standard output
==================  =============================================================================
"""

from __future__ import annotations

import contextlib
import csv
import gzip
import os
import sys
import zlib
from collections import Counter
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import IO, cast

import pandas as pd
import pyarrow as pa
import pyarrow.feather
import pyarrow.parquet

from synthgan.errors import InputError
from synthgan.io.text import parse_text, without_formulas, write_text
from synthgan.io.whole import atomic_write, reason

__all__ = ["SUFFIXES", "read_table", "write_table"]

SUFFIXES = (".csv", ".csv.gz", ".tsv", ".tsv.gz", ".parquet", ".feather")

MAX_RATIO, MANY_BYTES = 250, 100_000_000
"""A packed table may unpack to so many times its size, or to so many bytes; more is an attack."""


def read_table(path: str | Path, *, columns: Sequence[str] | None = None) -> pd.DataFrame:
    """Read a table.

    In a text file, a column becomes ``int64`` (``Int64`` if cells are missing), ``float64``, ``bool`` (``object`` if
    cells are missing; ``True`` and ``False`` only, other spellings stay text), or text as ``object``. Numbers with
    leading zeros stay text: they are codes.

    Parameters
    ----------
    path : str or Path
        A file of a known suffix, or ``-`` for CSV from standard input.
    columns : sequence of str, optional
        Which columns to keep, in this order; all by default.

    Returns
    -------
    DataFrame of shape (n_rows, n_columns)
        At least one row, with a fresh index.

    Raises
    ------
    InputError
        For a file that is absent, unreadable, empty, damaged, of an unknown suffix, not UTF-8, without data rows, with
        rows of unequal length or with repeated column names; and for a column in `columns` that is not there.
    """
    name, suffix = _name_and_suffix(path)
    try:
        if suffix in (".parquet", ".feather"):
            reader = pyarrow.parquet.read_table if suffix == ".parquet" else pyarrow.feather.read_table
            frame = _from_arrow(reader(str(path)), name)
        else:
            frame = parse_text(_read_bytes(path, suffix), name, "\t" if ".tsv" in suffix else ",")
    except (OSError, EOFError, csv.Error, pa.ArrowException) as error:
        raise InputError(f"cannot read {name}: {reason(error)}") from None
    if not len(frame):
        raise InputError(f"{name} has no rows below its header; a table needs at least one")
    if columns is None:
        return frame
    if absent := [column for column in columns if column not in frame]:
        raise InputError(f"{name} has no column {absent}; it has {frame.columns.tolist()}")
    return frame[list(columns)]


def write_table(
    table: pd.DataFrame | Iterable[pd.DataFrame], path: str | Path, *, escape_formulas: bool = False
) -> None:
    """Write a table, whole or not at all. The index is left out.

    Parameters
    ----------
    table : DataFrame, or iterable of DataFrames of the same columns
        Batches of a text file are written as they come, so that a large table need not fit in memory.
    path : str or Path
        A file of a known suffix, or ``-`` for CSV to standard output.
    escape_formulas : bool
        Whether texts that a spreadsheet would run as a formula (they start with ``= + - @``, a tab or a carriage
        return, and are no numbers) get an apostrophe in front, column names too. It changes what the cells say, and
        applies to text files only.

    Raises
    ------
    InputError
        When the file cannot be written or its suffix is unknown.
    """
    name, suffix = _name_and_suffix(path)
    batches = [table] if isinstance(table, pd.DataFrame) else table
    if escape_formulas and suffix not in (".parquet", ".feather"):
        batches = map(without_formulas, batches)
    if name == "standard input":
        with contextlib.suppress(BrokenPipeError):  # `| head` has seen enough
            write_text(batches, sys.stdout.buffer, ",")
        return
    with atomic_write(path) as file:
        if suffix in (".parquet", ".feather"):
            _write_arrow(pd.concat(list(batches), ignore_index=True), file, suffix)
        elif suffix.endswith(".gz"):
            # No time stamp and no name inside: the same table gives the same bytes.
            with gzip.GzipFile("", "wb", fileobj=file, mtime=0) as packed:
                write_text(batches, packed, "\t" if ".tsv" in suffix else ",")
        else:
            write_text(batches, file, "\t" if ".tsv" in suffix else ",")


def _name_and_suffix(path: str | Path) -> tuple[str, str]:
    if str(path) == "-":
        return "standard input", ".csv"
    lower = Path(path).name.lower()
    if suffix := next((known for known in sorted(SUFFIXES, key=len, reverse=True) if lower.endswith(known)), None):
        return str(path), suffix
    raise InputError(
        f"{path}: unknown kind of table; the suffixes are {', '.join(SUFFIXES)}, and - for a stream of CSV"
    )


def _read_bytes(path: str | Path, suffix: str) -> bytes:
    if str(path) == "-":
        return sys.stdin.buffer.read()
    if not suffix.endswith(".gz"):
        return Path(path).read_bytes()
    most = max(MAX_RATIO * os.path.getsize(path), MANY_BYTES)
    try:
        with gzip.open(path) as file:
            data = file.read(most + 1)
    except zlib.error as error:
        raise InputError(f"cannot read {path}: it is damaged ({error})") from None
    if len(data) > most:
        raise InputError(f"{path} unpacks to more than {MAX_RATIO} times its size, which no table does")
    return data


def _from_arrow(table: pa.Table, name: str) -> pd.DataFrame:
    if repeated := sorted(label for label, count in Counter(table.column_names).items() if count > 1):
        raise InputError(f"column names must be unique; repeated: {repeated}. Rename or drop them")
    try:
        frame = cast(pd.DataFrame, table.to_pandas(date_as_object=False))
    except (ValueError, KeyError, TypeError, AttributeError) as error:  # JSON in the metadata says what pandas had
        raise InputError(f"cannot read {name}: its metadata for pandas are damaged ({reason(error)})") from None
    named = [label for label in frame.index.names if label is not None]
    return frame.reset_index(drop=not named)


def _write_arrow(frame: pd.DataFrame, file: IO[bytes], suffix: str) -> None:
    frame = frame.rename(columns=str)
    if suffix == ".parquet":
        frame.to_parquet(file, index=False)
    else:
        frame.to_feather(file)
