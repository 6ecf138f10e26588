"""What becomes of a cell: numbers, codes and hashes that do not depend on how a table was stored.

Numbers become float64 (missing: NaN), datetimes seconds since 2000, all other columns integer codes (0: missing; 1, 2,
...: levels, the most frequent real level first). ``'1'``, ``1`` and ``1.0`` are one level. Levels that only the
synthetic or the holdout rows have get codes after the real ones.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from synthgan.schema.table import ColumnKind

__all__ = [
    "EPOCH",
    "Codes",
    "Floats",
    "column_codes",
    "column_hashes",
    "column_numbers",
    "level_text",
    "row_keys",
]

Floats = NDArray[np.float64]
Codes = NDArray[np.int64]

EPOCH = pd.Timestamp("2000-01-01", tz="UTC")
_TRUTH = {"1": "True", "0": "False", "true": "True", "false": "False"}


def column_numbers(series: pd.Series[Any], kind: ColumnKind) -> Floats:
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


def column_codes(columns: Mapping[str, pd.Series[Any]], boolean: bool) -> tuple[tuple[str, ...], int, dict[str, Codes]]:
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


def column_hashes(series: pd.Series[Any]) -> NDArray[np.uint64]:
    """Return one 64-bit hash a cell, shape (n,): for ids, of which only equality matters."""
    codes, uniques = pd.factorize(series.astype(object))
    texts = np.array(["", *(level_text(value) for value in uniques)], dtype=object)
    return np.asarray(pd.util.hash_array(texts)[codes + 1], dtype=np.uint64)


def row_keys(numbers: Floats, codes: Codes) -> NDArray[np.uint64]:
    """Return one 64-bit hash a row, shape (n,): equal rows have equal ones, others but once in 2**64."""
    numbers = np.where(np.isnan(numbers), np.nan, numbers + 0.0)  # one NaN, one zero
    keys = np.zeros(len(numbers), dtype=np.uint64)
    for column in [*np.ascontiguousarray(numbers.T).view(np.uint64), *codes.T.astype(np.uint64)]:
        keys = _mix(keys ^ _mix(column))
    return keys


def level_text(value: Any) -> str:
    """Return a level as text, so that ``1``, ``1.0`` and ``'1'`` agree."""
    if isinstance(value, (bool, np.bool_)):
        return str(bool(value))
    if isinstance(value, (float, np.floating)):
        return str(int(value)) if float(value).is_integer() else repr(float(value))
    return str(value)


def _mix(x: NDArray[np.uint64]) -> NDArray[np.uint64]:
    """Steele, Lea and Flood's splitmix64 finaliser (2014)."""
    x = x + np.uint64(0x9E3779B97F4A7C15)
    x = (x ^ (x >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    x = (x ^ (x >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    return x ^ (x >> np.uint64(31))
