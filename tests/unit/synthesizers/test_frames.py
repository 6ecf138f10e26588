"""Tables of every make become the same DataFrame."""

from __future__ import annotations

import datetime as dt

import numpy as np
import pandas as pd
import polars as pl
import pyarrow as pa
import pytest
import scipy.sparse

from synthgan import SynthGAN
from synthgan.errors import InputError
from synthgan.synthesizers.frames import as_frame


@pytest.fixture
def polars_table() -> pl.DataFrame:
    n = 60
    return pl.DataFrame(
        {
            "text": ["a", None, "b"] * (n // 3),
            "day": [dt.date(2020, 1, 1), None, dt.date(2020, 1, 3)] * (n // 3),
            "time": [dt.datetime(2020, 1, 1, 3), None, dt.datetime(2021, 5, 1, 4)] * (n // 3),
            "bool": [True, False] * (n // 2),
            "maybe": [True, None, False] * (n // 3),
            "big": [2**60 + 1, None, 5] * (n // 3),
            "small": pl.Series([1, 2, 3] * (n // 3), dtype=pl.UInt8),
            "float": [1.5, None, 2.25] * (n // 3),
            "enum": pl.Series(["x", None, "y"] * (n // 3), dtype=pl.Enum(["y", "x"])),
        }
    )


WANTED = {
    "text": "object",
    "day": "datetime64[ms]",
    "time": "datetime64[us]",
    "bool": "bool",
    "maybe": "boolean",
    "big": "Int64",
    "small": "uint8",
    "float": "float64",
    "enum": "category",
}


@pytest.mark.parametrize("make", ["polars", "arrow"])
def test_arrow_columns_keep_their_types(polars_table: pl.DataFrame, make: str) -> None:
    frame = as_frame(polars_table if make == "polars" else polars_table.to_arrow())
    assert frame.dtypes.astype(str).to_dict() == WANTED
    assert frame["big"].iloc[0] == 2**60 + 1
    assert frame["big"].isna().sum() == 20
    assert frame["enum"].cat.categories.tolist() == ["y", "x"]
    assert frame["enum"].cat.ordered


@pytest.mark.parametrize("make", ["polars", "arrow"])
def test_a_fit_on_arrow_columns_gives_them_back(polars_table: pl.DataFrame, make: str) -> None:
    table = polars_table if make == "polars" else polars_table.to_arrow()
    rows = SynthGAN(epochs=1, hidden_dim=8, random_state=0).fit(table).sample(200, random_state=0)
    assert rows.dtypes.astype(str).to_dict() == WANTED
    assert rows.drop(columns=["bool", "small"]).isna().any().all()
    assert not rows[["bool", "small"]].isna().any().any()
    assert set(rows["text"].dropna()) <= {"a", "b"}


def test_arrow_with_a_pandas_index_drops_it() -> None:
    frame = pd.DataFrame({"a": pd.array([1, None], dtype="Int64")}, index=["x", "y"])
    out = as_frame(pa.Table.from_pandas(frame))
    assert out.columns.tolist() == ["a"]
    assert out.index.tolist() == [0, 1]
    assert str(out["a"].dtype) == "Int64"


def test_arrays_and_lists_get_numbered_columns() -> None:
    assert as_frame(np.arange(6).reshape(3, 2)).columns.tolist() == [0, 1]
    frame = as_frame([[1, "a", None], [2, "b", 0.5]])
    assert frame.dtypes.astype(str).tolist() == ["int64", "object", "float64"]
    assert frame[1].tolist() == ["a", "b"]


@pytest.mark.parametrize(
    ("table", "word"),
    [
        (np.zeros(5), "2D array"),
        (np.zeros((2, 2, 2)), "dim 3"),
        (np.zeros((5, 0)), "0 feature"),
        ([[1, 2], [3]], "inhomogeneous|2D"),
        ([], "2D"),
        (np.array([[1j, 2], [3, 4]]), "omplex"),
        (scipy.sparse.csr_array(np.eye(3)), "parse"),
        ("a,b", "2D|scalar"),
        (None, "2D|scalar"),
        (pd.DataFrame({"a": [1]}), "n_samples=1"),
        (pd.DataFrame({"a": []}), "n_samples=0"),
    ],
)
def test_what_is_no_table_is_refused(table: object, word: str) -> None:
    with pytest.raises(InputError, match=word):
        as_frame(table)
