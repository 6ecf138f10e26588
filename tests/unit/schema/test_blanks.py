"""Blank cells of numbers and times are missing; others are cells like any other."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from synthgan import SynthGAN, infer_schema
from synthgan.schema import ColumnKind
from synthgan.schema.blanks import blanks_as_missing

TEXTS = {
    "total": ["29.85", " ", "1889.5", "", None, "-3"] * 20,
    "whole": ["7", "  ", "11", "12", "5", "6"] * 20,
    "day": ["2020-01-05", " ", "2021-03-04", "2020-07-09", None, "2020-01-06"] * 20,
    "word": ["a", " ", "b", "", "c", "d"] * 20,
    "code": ["007", " ", "011", "3", "4", "5"] * 20,
    "number": [1.5, 2.5, 3.5, None, 4.5, 5.5] * 20,
}


@pytest.mark.parametrize("dtype", ["object", "string"])
def test_numbers_and_times(dtype: str) -> None:
    frame = pd.DataFrame(
        {name: pd.Series(cells, dtype=None if name == "number" else dtype) for name, cells in TEXTS.items()}
    )
    read = blanks_as_missing(frame)
    assert list(read) == list(frame)
    assert read["total"].dropna().unique().tolist() == [29.85, 1889.5, -3.0]
    assert read["total"].isna().sum() == 60
    assert read["whole"].dropna().unique().tolist() == [7, 11, 12, 5, 6]
    assert read["day"].dropna().unique().tolist() == ["2020-01-05", "2021-03-04", "2020-07-09", "2020-01-06"]
    for name in ("word", "code", "number"):
        pd.testing.assert_series_equal(read[name], frame[name])


def test_a_table_without_blanks_is_the_same_object() -> None:
    frame = pd.DataFrame({"x": ["1", "2"], "y": [1, 2], "z": [[1], [2]]})
    assert blanks_as_missing(frame) is frame


def test_a_bill_with_blanks_is_learned_as_a_number() -> None:
    """As in a well-known table of a telephone company's customers."""
    stream = np.random.default_rng(0)
    months = stream.integers(0, 70, 400)
    bill = np.where(months == 0, " ", np.round(months * 19.95, 2).astype(str))
    frame = pd.DataFrame({"months": months, "bill": bill, "kind": stream.choice(["a", "b"], 400)})
    assert infer_schema(frame)["bill"].kind is ColumnKind.NUMERIC
    model = SynthGAN(epochs=30, hidden_dim=32, random_state=0).fit(frame, schema=infer_schema(frame))
    rows = model.sample(500, random_state=0)
    assert rows["bill"].dtype == np.float64
    assert 0 < rows["bill"].isna().mean() < 0.2
    assert model.impute(frame)["bill"].notna().mean() >= (bill != " ").mean()
    assert np.isfinite(model.score_samples(frame.head(20))).all()
