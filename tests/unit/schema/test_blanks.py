"""Blank cells of numbers and times are missing; others are cells like any other."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from synthgan import SynthGAN, augment, evaluate, infer_schema
from synthgan.schema import ColumnKind
from synthgan.schema.blanks import read_blanks, without_blanks

TEXTS = {
    "total": ["29.85", " ", "1889.5", "", None, "-3"] * 20,
    "whole": ["7", "  ", "11", "12", "5", "6"] * 20,
    "day": ["2020-01-05", " ", "2021-03-04", "2020-07-09", None, "2020-01-06"] * 20,
    "word": ["a", " ", "b", "", "c", "d"] * 20,
    "code": ["007", " ", "011", "3", "4", "5"] * 20,
    "phone": ["+49301", " ", "+49302", "3", "4", "5"] * 20,
    "endless": ["inf", " ", "1", "2", "3", "4"] * 20,
    "number": [1.5, 2.5, 3.5, None, 4.5, 5.5] * 20,
}


@pytest.mark.parametrize("dtype", ["object", "string"])
def test_numbers_and_times(dtype: str) -> None:
    kinds = {name: None if name == "number" else dtype for name in TEXTS}
    frame = pd.DataFrame({name: pd.Series(cells, dtype=kinds[name]) for name, cells in TEXTS.items()})
    read = read_blanks(frame)
    assert list(read) == list(frame)
    assert read["total"].dropna().unique().tolist() == [29.85, 1889.5, -3.0]
    assert read["total"].isna().sum() == 60
    assert read["whole"].dropna().unique().tolist() == [7, 11, 12, 5, 6]
    assert read["day"].dropna().unique().tolist() == ["2020-01-05", "2021-03-04", "2020-07-09", "2020-01-06"]
    for name in ("word", "code", "phone", "endless", "number"):
        pd.testing.assert_series_equal(read[name], frame[name])


def test_a_table_without_blanks_is_the_same_object() -> None:
    frame = pd.DataFrame({"x": ["1", "2"], "y": [1, 2], "z": [[1], [2]]})
    assert read_blanks(frame) is frame


def test_names_of_rows_stay_names() -> None:
    """A blank among card numbers does not make amounts of them."""
    cards = pd.Series([*(str(4929000000000000 + 7919 * k) for k in range(200)), " "])
    assert infer_schema(pd.DataFrame({"card": cards}))["card"].kind is ColumnKind.ID
    long = pd.Series([*(str(4929000000000000 + 7919 * (k % 50)) for k in range(200)), " "])
    assert without_blanks(long).dtype == object


def test_what_is_declared_stays_as_declared() -> None:
    frame = pd.DataFrame({"code": ["1", "2", " ", "3"] * 25, "x": range(100)})
    schema = infer_schema(frame, discrete_columns=["code"])
    assert schema["code"].levels == (" ", "1", "2", "3")
    for settings in ({"discrete_columns": ["code"]}, {"schema": schema}):
        model = SynthGAN(epochs=1, hidden_dim=8, random_state=0).fit(frame, **settings)
        assert set(model.sample(200, random_state=0)["code"]) <= {" ", "1", "2", "3"}
        assert np.isfinite(model.score_samples(frame.head(9))).all()


def bills() -> pd.DataFrame:
    """As in a well-known table of a telephone company's customers: who has just come has no bill yet."""
    stream = np.random.default_rng(0)
    months = stream.integers(0, 70, 400)
    bill = np.where(months == 0, " ", np.round(months * 19.95, 2).astype(str))
    return pd.DataFrame({"months": months, "bill": bill, "kind": stream.choice(["a", "b"], 400, p=[0.8, 0.2])})


@pytest.mark.parametrize("described", [True, False])
def test_a_bill_with_blanks_is_learned_as_a_number(described: bool) -> None:
    frame = bills()
    schema = infer_schema(frame)
    assert schema["bill"].kind is ColumnKind.NUMERIC
    model = SynthGAN(epochs=30, hidden_dim=32, random_state=0).fit(frame, schema=schema if described else None)
    rows = model.sample(500, random_state=0)
    assert rows["bill"].dtype == np.float64
    assert 0 < rows["bill"].isna().mean() < 0.2
    assert model.impute(frame)["bill"].dtype == np.float64
    assert model.impute(frame)["bill"].notna().all()
    assert np.isfinite(model.score_samples(frame.tail(20))).all()


def test_bills_everywhere_else() -> None:
    frame = bills()
    more = augment(frame, "kind", generator=SynthGAN(epochs=1, hidden_dim=8), random_state=0)
    assert more["bill"].dtype == np.float64
    report = evaluate(frame, frame.sample(frac=1, random_state=0), target="kind")
    assert next(metric.value for metric in report.headline if metric.name == "ColumnShapes") == pytest.approx(1.0)
