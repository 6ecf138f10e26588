"""Real, synthetic and holdout rows in one canonical form, so that no metric ever meets a dtype.

Everything is fitted on the real rows: numbers become float64 (missing: NaN), datetimes seconds since 2000, all other
columns integer codes (0: missing; 1, 2, ...: levels, the most frequent real level first). ``'1'``, ``1`` and ``1.0``
are one level. Levels that only the synthetic or the holdout rows have get codes after the real ones. Columns are put in
the order of their names and rows in the order of a hash of their content, so that neither order can change a score.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from synthgan.errors import InputError
from synthgan.schema.infer import infer_schema
from synthgan.schema.table import ColumnKind, ColumnName, Schema

__all__ = ["Rows", "Tables", "as_frame", "make_tables"]

Floats = NDArray[np.float64]
Codes = NDArray[np.int64]

EPOCH = pd.Timestamp("2000-01-01", tz="UTC")
_TRUTH = {"1": "True", "0": "False", "true": "True", "false": "False"}


@dataclasses.dataclass(frozen=True, slots=True)
class Rows:
    """Rows in canonical form.

    Parameters
    ----------
    numbers : ndarray of float64, shape (n, p)
        The numeric columns; NaN where missing.
    codes : ndarray of int64, shape (n, q)
        The categorical columns; 0 where missing.
    ids : ndarray of uint64, shape (n, r)
        Hashes of the id columns, which no metric but uniqueness looks at.
    keys : ndarray of uint64, shape (n,)
        One hash a row over `numbers` and `codes`: equal rows have equal keys.
    """

    numbers: Floats
    codes: Codes
    ids: NDArray[np.uint64]
    keys: NDArray[np.uint64]

    def __len__(self) -> int:
        return len(self.keys)

    def take(self, index: NDArray[Any]) -> Rows:
        """Return the rows at `index` (positions or a mask)."""
        return Rows(self.numbers[index], self.codes[index], self.ids[index], self.keys[index])

    def sample(self, n_rows: int, rng: np.random.Generator) -> Rows:
        """Return `n_rows` rows drawn without replacement, or all of them in a new order when there are fewer."""
        return self.take(rng.permutation(len(self))[:n_rows])

    def shuffled(self, rng: np.random.Generator) -> Rows:
        """Return as many rows with each column shuffled on its own: right margins, nothing joint."""
        numbers = rng.permuted(self.numbers, axis=0)
        codes = rng.permuted(self.codes, axis=0)
        return Rows(numbers, codes, self.ids, row_keys(numbers, codes))


@dataclasses.dataclass(frozen=True, slots=True)
class Tables:
    """The tables to compare, over the same columns.

    Parameters
    ----------
    numeric, categorical, ids : tuple of column names
        The columns of `Rows.numbers`, `Rows.codes` and `Rows.ids`, in that order.
    datetimes : frozenset of column names
        Those among `numeric` that hold seconds since 2000.
    levels : tuple of tuple of str
        Text of the levels of each categorical column: level ``code - 1``.
    n_real_levels : tuple of int
        How many of these levels the real rows have: codes above it are unseen in the real rows.
    integers : frozenset of column names
        Those among `numeric` whose real values are all whole numbers.
    real, synthetic : Rows
    holdout : Rows or None
    """

    numeric: tuple[ColumnName, ...]
    categorical: tuple[ColumnName, ...]
    ids: tuple[ColumnName, ...]
    datetimes: frozenset[ColumnName]
    integers: frozenset[ColumnName]
    levels: tuple[tuple[str, ...], ...]
    n_real_levels: tuple[int, ...]
    real: Rows
    synthetic: Rows
    holdout: Rows | None

    @property
    def names(self) -> list[ColumnName]:
        """Numeric, then categorical column names: the order of features and of distances."""
        return [*self.numeric, *self.categorical]

    def column(self, rows: Rows, name: ColumnName) -> NDArray[Any]:
        """Return one column of `rows`: float64 numbers or int64 codes."""
        if name in self.numeric:
            return rows.numbers[:, self.numeric.index(name)]
        return rows.codes[:, self.categorical.index(name)]


def as_frame(table: Any, role: str) -> pd.DataFrame:
    """Return `table` as a DataFrame, checked for what every metric needs.

    Parameters
    ----------
    table : DataFrame, or any table with a ``to_pandas`` method (polars, pyarrow)
    role : str
        What the table is, for messages: ``"real"``, ``"synthetic"``, ``"holdout"``.

    Raises
    ------
    InputError
        When it is no table, has fewer than 2 rows, or repeats a column name.
    """
    frame = _to_pandas(table, role)
    if repeated := sorted({str(name) for name in frame.columns[frame.columns.duplicated()]}):
        raise InputError(f"column names must be unique; the {role} table repeats {repeated}. Rename or drop them")
    if len(frame) < 2:
        raise InputError(f"at least 2 rows are needed to judge a table; the {role} table has {len(frame)}")
    if not len(frame.columns):
        raise InputError(f"the {role} table has no columns")
    return frame


def _to_pandas(table: Any, role: str) -> pd.DataFrame:
    if isinstance(table, pd.DataFrame):
        return table
    frame = table.to_pandas() if hasattr(table, "to_pandas") else None
    if not isinstance(frame, pd.DataFrame):
        raise InputError(
            f"the {role} rows must be a table (a pandas, polars or pyarrow frame); got {type(table).__name__}"
        )
    return frame


def make_tables(
    real: pd.DataFrame, synthetic: pd.DataFrame, holdout: pd.DataFrame | None = None, schema: Schema | None = None
) -> Tables:
    """Put the tables into canonical form, fitted on the real rows.

    Parameters
    ----------
    real, synthetic : DataFrame
    holdout : DataFrame, optional
        Real rows that the generator never saw.
    schema : Schema, optional
        What the real columns are; inferred when absent.

    Raises
    ------
    InputError
        When the tables have different columns, or none that can be judged.
    """
    frames = {"real": real, "synthetic": synthetic} | ({"holdout": holdout} if holdout is not None else {})
    for role, frame in frames.items():
        _check_columns(real, frame, role)
    schema = infer_schema(real) if schema is None else schema
    kinds = {column.name: column.kind for column in schema}
    for name, kind in kinds.items():
        # One and the same time in every row: as a level, its text would depend on how the table was written.
        if kind is ColumnKind.CONSTANT and name in real and pd.api.types.is_datetime64_any_dtype(real[name]):
            kinds[name] = ColumnKind.DATETIME
    if absent := [name for name in real.columns if name not in kinds]:
        raise InputError(
            f"the schema does not describe the columns {absent}; add them to it or drop them from the tables"
        )
    order = sorted(real.columns, key=lambda name: (str(name), str(type(name))))
    number_kinds = (ColumnKind.NUMERIC, ColumnKind.DATETIME)
    id_kinds = (ColumnKind.ID, ColumnKind.TEXT)
    numeric = [name for name in order if kinds[name] in number_kinds]
    ids = [name for name in order if kinds[name] in id_kinds]
    categorical = [name for name in order if kinds[name] not in number_kinds + id_kinds]
    if not numeric and not categorical:
        raise InputError(
            "every column is an id or free text, so there is nothing to compare; declare a column's kind in the schema"
        )

    levels, real_counts = [], []
    codes: dict[str, list[Codes]] = {role: [] for role in frames}
    for name in categorical:
        texts, n_real, columns = _encode(
            {role: f[name] for role, f in frames.items()}, kinds[name] is ColumnKind.BOOLEAN
        )
        levels.append(texts)
        real_counts.append(n_real)
        for role, column in columns.items():
            codes[role].append(column)
    rows = {
        role: _rows(
            [_numbers(frame[name], kinds[name]) for name in numeric],
            codes[role],
            [_hashes(frame[name]) for name in ids],
            len(frame),
        )
        for role, frame in frames.items()
    }
    datetimes = frozenset(name for name in numeric if kinds[name] is ColumnKind.DATETIME)
    whole = (rows["real"].numbers == np.floor(rows["real"].numbers)) | np.isnan(rows["real"].numbers)
    return Tables(
        numeric=tuple(numeric),
        categorical=tuple(categorical),
        ids=tuple(ids),
        datetimes=datetimes,
        integers=frozenset(name for name, is_whole in zip(numeric, whole.all(axis=0), strict=True) if is_whole),
        levels=tuple(levels),
        n_real_levels=tuple(real_counts),
        real=rows["real"],
        synthetic=rows["synthetic"],
        holdout=rows.get("holdout"),
    )


def _check_columns(real: pd.DataFrame, frame: pd.DataFrame, role: str) -> None:
    if lacking := [name for name in real.columns if name not in frame.columns]:
        raise InputError(f"the {role} table must have the real table's columns; it lacks {lacking}")
    if extra := [name for name in frame.columns if name not in real.columns]:
        raise InputError(
            f"the {role} table must have the real table's columns; {extra} are not among them: drop them first"
        )


def _rows(numbers: list[Floats], codes: list[Codes], ids: list[NDArray[np.uint64]], n_rows: int) -> Rows:
    number_matrix = np.column_stack(numbers) if numbers else np.empty((n_rows, 0))
    code_matrix = np.column_stack(codes) if codes else np.empty((n_rows, 0), dtype=np.int64)
    id_matrix = np.column_stack(ids) if ids else np.empty((n_rows, 0), dtype=np.uint64)
    keys = row_keys(number_matrix, code_matrix)
    return Rows(number_matrix, code_matrix, id_matrix, keys).take(np.argsort(keys, kind="stable"))


def row_keys(numbers: Floats, codes: Codes) -> NDArray[np.uint64]:
    """Return one 64-bit hash a row, shape (n,): equal rows have equal ones, others but once in 2**64."""
    numbers = np.where(np.isnan(numbers), np.nan, numbers + 0.0)  # one NaN, one zero
    keys = np.zeros(len(numbers), dtype=np.uint64)
    for column in [*np.ascontiguousarray(numbers.T).view(np.uint64), *codes.T.astype(np.uint64)]:
        keys = _mix(keys ^ _mix(column))
    return keys


def _mix(x: NDArray[np.uint64]) -> NDArray[np.uint64]:
    """Steele, Lea and Flood's splitmix64 finaliser (2014)."""
    x = x + np.uint64(0x9E3779B97F4A7C15)
    x = (x ^ (x >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    x = (x ^ (x >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    return x ^ (x >> np.uint64(31))


def _numbers(series: pd.Series[Any], kind: ColumnKind) -> Floats:
    """Return numbers or datetimes as float64; what cannot be read as such counts as missing, and so does infinity."""
    if kind is ColumnKind.DATETIME:
        if pd.api.types.is_datetime64_any_dtype(series):
            times = series.dt.tz_localize("UTC") if series.dt.tz is None else series.dt.tz_convert("UTC")
        else:
            text = series.astype(object).where(series.notna(), None)
            times = pd.to_datetime(text, errors="coerce", utc=True, format="mixed")
        return np.asarray((times - EPOCH).dt.total_seconds(), dtype=np.float64)
    if not pd.api.types.is_numeric_dtype(series):
        series = pd.to_numeric(series.astype(object), errors="coerce")
    values = series.to_numpy(dtype=np.float64, na_value=np.nan)
    return np.where(np.isfinite(values), values, np.nan)


def _hashes(series: pd.Series[Any]) -> NDArray[np.uint64]:
    codes, uniques = pd.factorize(series.astype(object))
    texts = np.array(["", *(level_text(value) for value in uniques)], dtype=object)
    return np.asarray(pd.util.hash_array(texts)[codes + 1], dtype=np.uint64)


def level_text(value: Any) -> str:
    """Return a level as text, so that ``1``, ``1.0`` and ``'1'`` agree."""
    if isinstance(value, (bool, np.bool_)):
        return str(bool(value))
    if isinstance(value, (float, np.floating)):
        return str(int(value)) if float(value).is_integer() else repr(float(value))
    return str(value)


def _encode(columns: Mapping[str, pd.Series[Any]], boolean: bool) -> tuple[tuple[str, ...], int, dict[str, Codes]]:
    """Return the levels' texts, how many of them are real, and the codes of each table."""
    coded: dict[str, tuple[Codes, list[str]]] = {}
    for role, series in columns.items():
        codes, uniques = pd.factorize(series)
        texts = [level_text(value) for value in uniques]
        coded[role] = codes, [_TRUTH.get(text, text) for text in texts] if boolean else texts
    real_codes, real_texts = coded["real"]
    counts: dict[str, int] = {}
    for text, count in zip(
        real_texts, np.bincount(real_codes[real_codes >= 0], minlength=len(real_texts)), strict=True
    ):
        counts[text] = counts.get(text, 0) + int(count)
    present = sorted((text for text in counts if counts[text]), key=lambda text: (-counts[text], text))
    unseen = sorted({text for _, texts in coded.values() for text in texts} - set(present))
    place = {text: i + 1 for i, text in enumerate([*present, *unseen])}
    columns_out = {
        role: np.array([0, *(place[text] for text in texts)], dtype=np.int64)[codes + 1]
        for role, (codes, texts) in coded.items()
    }
    return (*present, *unseen), len(present), columns_out
