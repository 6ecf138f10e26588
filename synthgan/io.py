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
import io
import os
import re
import secrets
import stat
import sys
import zlib
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import IO, Any, cast

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.csv
import pyarrow.feather
import pyarrow.parquet

from synthgan.errors import InputError

__all__ = [
    "MISSING_WORDS",
    "SUFFIXES",
    "atomic_write",
    "check_writable",
    "read_table",
    "remove_leftovers",
    "write_table",
]

SUFFIXES = (".csv", ".csv.gz", ".tsv", ".tsv.gz", ".parquet", ".feather")
MISSING_WORDS = ("", "NA", "N/A", "n/a", "<NA>", "NaN", "nan", "-nan", "-NaN", "NULL", "null", "None", "#N/A", "#NA")
"""Cells of a text file that are read as missing (and written as nothing)."""

MAX_RATIO, MANY_BYTES = 250, 100_000_000
"""A packed table may unpack to so many times its size, or to so many bytes; more is an attack."""

_INTEGER = r"^[+-]?\d+$"
_NUMBER = r"^[+-]?((\d+\.?\d*|\.\d+)([eE][+-]?\d+)?|(?i:inf|infinity))$"
_LEADING_ZERO = r"^[+-]?0\d"


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
            frame = _parse_text(_read_bytes(path, suffix), name, "\t" if ".tsv" in suffix else ",")
    except (OSError, EOFError, csv.Error, pa.ArrowException) as error:
        raise InputError(f"cannot read {name}: {_reason(error)}") from None
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
        batches = map(_without_formulas, batches)
    if name == "standard input":
        with contextlib.suppress(BrokenPipeError):  # `| head` has seen enough
            _write_text(batches, sys.stdout.buffer, ",")
        return
    with atomic_write(path) as file:
        if suffix in (".parquet", ".feather"):
            _write_arrow(pd.concat(list(batches), ignore_index=True), file, suffix)
        elif suffix.endswith(".gz"):
            # No time stamp and no name inside: the same table gives the same bytes.
            with gzip.GzipFile("", "wb", fileobj=file, mtime=0) as packed:
                _write_text(batches, packed, "\t" if ".tsv" in suffix else ",")
        else:
            _write_text(batches, file, "\t" if ".tsv" in suffix else ",")


@contextlib.contextmanager
def atomic_write(path: str | Path) -> Iterator[IO[bytes]]:
    """Open a file that appears under its name only when all of it has been written.

    Raises
    ------
    InputError
        When it cannot be created or written. Whatever goes wrong, nothing is left behind and an older file stays as it
        was.

    Examples
    --------
    >>> import tempfile
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     with atomic_write(Path(folder) / "a.txt") as file:
    ...         _ = file.write(b"whole")
    ...     (Path(folder) / "a.txt").read_text()
    'whole'
    """
    target = Path(os.path.realpath(path))
    with _as_input_error(path):
        special = target.exists() and not stat.S_ISREG(target.stat().st_mode)
        if special:  # a device or a pipe has no half-written state, and must not be replaced
            with target.open("wb") as file:
                yield file
            return
        temporary = _temporary(target)
        try:
            with temporary.open("xb") as file:
                if target.exists():
                    os.chmod(temporary, stat.S_IMODE(target.stat().st_mode))
                yield file
                file.flush()
                os.fsync(file.fileno())
            temporary.replace(target)
            _sync_folder(target.parent)
        finally:
            temporary.unlink(missing_ok=True)


def check_writable(path: str | Path) -> None:
    """Find out before a long computation that its result could not be written.

    Raises
    ------
    InputError
        When a file of that name could not be created.
    """
    target = Path(os.path.realpath(path))
    with _as_input_error(path):
        if target.is_dir():
            raise IsADirectoryError(None, "it is a directory")
        if not target.exists():
            probe = _temporary(target)
            probe.touch(exist_ok=False)
            probe.unlink()
        elif not os.access(target, os.W_OK):
            raise PermissionError(None, "no permission")


def remove_leftovers(folder: Path, name: re.Pattern[str]) -> None:
    """Remove what `atomic_write` left in a folder when its process was killed, of files whose name matches `name`."""
    for entry in folder.glob(".*.tmp"):
        if (match := _TEMPORARY.fullmatch(entry.name)) and name.fullmatch(match[1]):
            entry.unlink(missing_ok=True)


def _temporary(target: Path) -> Path:
    return target.with_name(f".{target.name[:100]}.{secrets.token_hex(4)}.tmp")


_TEMPORARY = re.compile(r"\.(.*)\.[0-9a-f]{8}\.tmp")


def _sync_folder(folder: Path) -> None:
    """Make a change of names last through a power cut; where folders cannot be opened (Windows), renames do already."""
    with contextlib.suppress(PermissionError):
        handle = os.open(folder, os.O_RDONLY)
        try:
            os.fsync(handle)
        finally:
            os.close(handle)


@contextlib.contextmanager
def _as_input_error(path: str | Path) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        raise InputError(f"cannot write {path}: {_reason(error)}") from None


def _name_and_suffix(path: str | Path) -> tuple[str, str]:
    if str(path) == "-":
        return "standard input", ".csv"
    lower = Path(path).name.lower()
    if suffix := next((known for known in sorted(SUFFIXES, key=len, reverse=True) if lower.endswith(known)), None):
        return str(path), suffix
    raise InputError(
        f"{path}: unknown kind of table; the suffixes are {', '.join(SUFFIXES)}, and - for a stream of CSV"
    )


def _reason(error: Exception) -> str:
    text = error.strerror if isinstance(error, OSError) and error.strerror else str(error)
    return text.strip().splitlines()[0][:300] if text.strip() else type(error).__name__


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


def _parse_text(data: bytes, name: str, separator: str) -> pd.DataFrame:
    if not data.strip():
        raise InputError(f"{name} is empty; a table needs a header line and at least one row")
    if b"\0" in data:
        raise InputError(f"{name} holds NUL bytes, so it is not UTF-8 text; convert it, or name it by what it is")
    try:
        data.decode("utf-8")
    except UnicodeDecodeError as error:
        line = data.count(b"\n", 0, error.start) + 1
        raise InputError(
            f"{name} is not UTF-8 text (line {line}); convert it, e.g. with iconv -f latin1 -t utf-8"
        ) from None
    table = pyarrow.csv.read_csv(
        pa.BufferReader(data),
        # One block: a column's type must not depend on where a block ends, nor a quoted line break.
        read_options=pyarrow.csv.ReadOptions(block_size=max(len(data), 1 << 20) + 1, use_threads=False),
        parse_options=pyarrow.csv.ParseOptions(delimiter=separator, newlines_in_values=True),
        convert_options=pyarrow.csv.ConvertOptions(
            null_values=list(MISSING_WORDS), strings_can_be_null=True, column_types=_all_text(data, separator)
        ),
    )
    _check_header(table.column_names, name, separator)
    return pd.DataFrame(
        {label or f"Unnamed: {i}": _typed(table.column(i)) for i, label in enumerate(table.column_names)}
    )


def _all_text(data: bytes, separator: str) -> dict[str, pa.DataType]:
    """Ask for text in every column: what becomes of it is decided in `_typed`."""
    text = io.TextIOWrapper(io.BytesIO(data), encoding="utf-8-sig", newline="")
    header = next((row for row in csv.reader(text, delimiter=separator) if row), [])
    return dict.fromkeys(header, pa.string())


def _check_header(labels: list[str], name: str, separator: str) -> None:
    if repeated := sorted(label for label, count in Counter(labels).items() if count > 1):
        raise InputError(f"{name}: column names must be unique; repeated: {repeated}. Rename or drop them")
    if len(labels) == 1 and separator == "," and (other := next((s for s in ";\t|" if s in labels[0]), None)):
        raise InputError(
            f"{name} has one column, {labels[0][:60]!r}: it seems to be separated by {other!r}. Convert it to commas, "
            "or name a file with tabs .tsv"
        )


def _typed(column: pa.ChunkedArray) -> pd.Series[Any]:
    """Give a column of text the narrowest type that loses nothing."""
    present = column.drop_null()
    if not len(present):
        return pd.Series(np.full(len(column), np.nan))
    has_missing = len(present) < len(column)
    words = pc.unique(present).to_pylist() if len(pc.unique(present.slice(0, 100))) <= 2 else []
    if words and set(words) <= {"True", "False"}:
        return _objects(pc.equal(column, "True")) if has_missing else _series(pc.equal(column, "True"))
    trimmed = pc.utf8_trim_whitespace(column)
    if _all_match(trimmed, _NUMBER) and not pc.any(pc.match_substring_regex(trimmed, _LEADING_ZERO)).as_py():
        number = pc.replace_substring_regex(trimmed, r"^\+", "")
        if not _all_match(trimmed, _INTEGER):
            return _series(number.cast(pa.float64()))
        for kind, nullable in ((pa.int64(), pd.Int64Dtype()), (pa.uint64(), pd.UInt64Dtype())):
            try:
                integers = number.cast(kind)
            except pa.ArrowInvalid:  # too large
                continue
            return _series(integers, types_mapper={kind: nullable}.get) if has_missing else _series(integers)
    return _objects(column)


def _series(column: pa.ChunkedArray, **options: Any) -> pd.Series[Any]:
    return cast("pd.Series[Any]", column.to_pandas(**options))


def _objects(column: pa.ChunkedArray) -> pd.Series[Any]:
    cells = _series(column).astype(object)
    return cells.where(cells.notna(), np.nan)


def _all_match(column: pa.ChunkedArray, pattern: str) -> bool:
    return bool(pc.all(pc.match_substring_regex(column, pattern)).as_py())


def _from_arrow(table: pa.Table, name: str) -> pd.DataFrame:
    if repeated := sorted(label for label, count in Counter(table.column_names).items() if count > 1):
        raise InputError(f"column names must be unique; repeated: {repeated}. Rename or drop them")
    try:
        frame = cast(pd.DataFrame, table.to_pandas(date_as_object=False))
    except (ValueError, KeyError, TypeError, AttributeError) as error:  # JSON in the metadata says what pandas had
        raise InputError(f"cannot read {name}: its metadata for pandas are damaged ({_reason(error)})") from None
    named = [label for label in frame.index.names if label is not None]
    return frame.reset_index(drop=not named)


def _write_text(batches: Iterable[pd.DataFrame], file: IO[bytes] | gzip.GzipFile, separator: str) -> None:
    for i, batch in enumerate(batches):
        text = batch.to_csv(index=False, header=i == 0, sep=separator, lineterminator="\n")
        file.write(text.encode())
    file.flush()


def _without_formulas(frame: pd.DataFrame) -> pd.DataFrame:
    texts = [kind == object or isinstance(kind, (pd.StringDtype, pd.CategoricalDtype)) for kind in frame.dtypes]  # noqa: E721
    columns = [
        frame.iloc[:, i].astype(object).map(_without_formula) if text else frame.iloc[:, i]
        for i, text in enumerate(texts)
    ]
    out = pd.concat(columns, axis=1) if columns else frame
    return out.set_axis([_without_formula(label) for label in frame.columns], axis=1)


def _without_formula(cell: Any) -> Any:
    risky = isinstance(cell, str) and cell[:1] in ("=", "+", "-", "@", "\t", "\r") and not re.match(_NUMBER, cell)
    return f"'{cell}" if risky else cell


def _write_arrow(frame: pd.DataFrame, file: IO[bytes], suffix: str) -> None:
    frame = frame.rename(columns=str)
    if suffix == ".parquet":
        frame.to_parquet(file, index=False)
    else:
        frame.to_feather(file)
