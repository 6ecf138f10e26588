"""Real, synthetic and holdout rows in one canonical form, so that no metric ever meets a dtype.

Everything is fitted on the real rows; `canonical` says what becomes of a cell. Columns are put in the order of their
names and rows in the order of a hash of their content, so that neither order can change a score.
"""

from __future__ import annotations

import dataclasses
import functools
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from synthgan.errors import InputError
from synthgan.evaluation.bins import decile_edges, extremes
from synthgan.evaluation.canonical import Codes, Floats, column_codes, column_hashes, column_numbers, row_keys
from synthgan.schema.blanks import as_described
from synthgan.schema.infer import infer_schema
from synthgan.schema.table import ColumnKind, ColumnName, Schema

__all__ = ["Rows", "Tables", "as_frame", "make_tables"]


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


@dataclasses.dataclass(frozen=True)
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

    @functools.cached_property
    def edges(self) -> dict[ColumnName, Floats]:
        """For each numeric column the inner edges of its bins: the real deciles (see `decile_edges`)."""
        return {name: decile_edges(self.column(self.real, name)) for name in self.numeric}

    @functools.cached_property
    def extremes(self) -> dict[ColumnName, tuple[float, float]]:
        """For each numeric column its smallest and largest real value."""
        return {name: extremes(self.column(self.real, name)) for name in self.numeric}

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
    described = infer_schema(real) if schema is None else schema
    frames = {role: as_described(frame, described) for role, frame in frames.items()}
    kinds = _kinds(real, described)
    order = sorted(real.columns, key=lambda name: (str(name), str(type(name))))
    number_kinds = (ColumnKind.NUMERIC, ColumnKind.DATETIME)
    numeric = [name for name in order if kinds[name] in number_kinds]
    ids = [name for name in order if kinds[name].is_made_anew]
    categorical = [name for name in order if kinds[name] not in number_kinds and name not in ids]
    if not numeric and not categorical:
        raise InputError(
            "every column is an id or free text, so there is nothing to compare; declare a column's kind in the schema"
        )

    levels, real_counts = [], []
    codes: dict[str, list[Codes]] = {role: [] for role in frames}
    for name in categorical:
        texts, n_real, columns = column_codes(
            {role: f[name] for role, f in frames.items()}, kinds[name] is ColumnKind.BOOLEAN
        )
        levels.append(texts)
        real_counts.append(n_real)
        for role, column in columns.items():
            codes[role].append(column)
    rows = {
        role: _rows(
            [column_numbers(frame[name], kinds[name]) for name in numeric],
            codes[role],
            [column_hashes(frame[name]) for name in ids],
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


def _kinds(real: pd.DataFrame, schema: Schema) -> dict[ColumnName, ColumnKind]:
    kinds = {column.name: column.kind for column in schema}
    for name, kind in kinds.items():
        # One and the same time in every row: as a level, its text would depend on how the table was written.
        if kind is ColumnKind.CONSTANT and name in real and pd.api.types.is_datetime64_any_dtype(real[name]):
            kinds[name] = ColumnKind.DATETIME
    if absent := [name for name in real.columns if name not in kinds]:
        raise InputError(
            f"the schema does not describe the columns {absent}; add them to it or drop them from the tables"
        )
    return kinds


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
