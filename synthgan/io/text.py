"""Tables as delimited text: every cell is read as text first, then each column gets the narrowest type that fits."""

from __future__ import annotations

import csv
import gzip
import io
import re
from collections import Counter
from collections.abc import Iterable
from typing import IO, Any, cast

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.csv

from synthgan.errors import InputError

__all__ = ["MISSING_WORDS", "parse_text", "without_formulas", "write_text"]

MISSING_WORDS = ("", "NA", "N/A", "n/a", "<NA>", "NaN", "nan", "-nan", "-NaN", "NULL", "null", "None", "#N/A", "#NA")
"""Cells of a text file that are read as missing (and written as nothing)."""

_LAST = "(end of the table)"
"""First cell of a line that is put below a table with quotes, and taken away again."""

_INTEGER = r"^[+-]?\d+$"
_NUMBER = r"^[+-]?((\d+\.?\d*|\.\d+)([eE][+-]?\d+)?|(?i:inf|infinity))$"
_LEADING_ZERO = r"^[+-]?0\d"


def parse_text(data: bytes, name: str, separator: str) -> pd.DataFrame:
    """Read a table from the content of a file; `name` is what messages call it.

    Raises
    ------
    InputError, csv.Error, pyarrow.ArrowException
        For what is no such table.
    """
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
    table = _all_text(data, name, separator)
    _check_header(table.column_names, name, separator)
    return pd.DataFrame(
        {label or f"Unnamed: {i}": _typed(table.column(i)) for i, label in enumerate(table.column_names)}
    )


def write_text(batches: Iterable[pd.DataFrame], file: IO[bytes] | gzip.GzipFile, separator: str) -> None:
    """Write frames of the same columns below one header line."""
    for i, batch in enumerate(batches):
        text = batch.to_csv(index=False, header=i == 0, sep=separator, lineterminator="\n")
        file.write(text.encode())
    file.flush()


def without_formulas(frame: pd.DataFrame) -> pd.DataFrame:
    """Return the table with an apostrophe before every text that a spreadsheet would run as a formula."""
    texts = [kind == object or isinstance(kind, (pd.StringDtype, pd.CategoricalDtype)) for kind in frame.dtypes]  # noqa: E721
    columns = [
        frame.iloc[:, i].astype(object).map(_without_formula) if text else frame.iloc[:, i]
        for i, text in enumerate(texts)
    ]
    out = pd.concat(columns, axis=1) if columns else frame
    return out.set_axis([_without_formula(label) for label in frame.columns], axis=1)


def _all_text(data: bytes, name: str, separator: str) -> pa.Table:
    """Read every column as text: what becomes of it is decided in `_typed`."""
    text = io.TextIOWrapper(io.BytesIO(data), encoding="utf-8-sig", newline="")
    header = next((row for row in csv.reader(text, delimiter=separator) if row), [])
    # A quote that is never closed swallows all that follows without a word: here that is a line too much.
    marked = b'"' in data
    if marked:
        data = b"".join([data, b"\n", _LAST.encode(), separator.encode() * (len(header) - 1)])
    try:
        table = pyarrow.csv.read_csv(
            pa.BufferReader(data),
            # One block: a column's type must not depend on where a block ends, nor a quoted line break.
            read_options=pyarrow.csv.ReadOptions(block_size=max(len(data), 1 << 20) + 1, use_threads=False),
            parse_options=pyarrow.csv.ParseOptions(delimiter=separator, newlines_in_values=True),
            convert_options=pyarrow.csv.ConvertOptions(
                null_values=list(MISSING_WORDS),
                strings_can_be_null=True,
                column_types=dict.fromkeys(header, pa.string()),
            ),
        )
    except pa.ArrowInvalid as error:
        if marked and _LAST in str(error):  # the row that it stands in is too short
            raise _open_quote(name) from None
        raise
    if not marked:
        return table
    if not table.num_rows or table.column(0)[-1].as_py() != _LAST:
        raise _open_quote(name)
    return table.slice(0, table.num_rows - 1)


def _open_quote(name: str) -> InputError:
    return InputError(
        f"{name}: a quote is opened and never closed, so all that follows would be one cell. Either the file is cut "
        'short, or a cell begins with a quote that is meant as one: write it as """so"'
    )


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


def _without_formula(cell: Any) -> Any:
    risky = isinstance(cell, str) and cell[:1] in ("=", "+", "-", "@", "\t", "\r") and not re.match(_NUMBER, cell)
    return f"'{cell}" if risky else cell
