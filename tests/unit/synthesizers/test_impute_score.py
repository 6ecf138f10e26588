"""Filling missing cells, and the likelihood of rows."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from synthgan import SynthGAN
from synthgan.errors import SchemaError
from synthgan.schema import ColumnKind


def punched(table: pd.DataFrame, share: float = 0.3) -> pd.DataFrame:
    """The table with more missing cells, in dtypes that can hold them."""
    rng = np.random.default_rng(5)
    wide = {name: "float64" for name in table if table[name].dtype == "int64"} | {"bool": object}
    return table.astype(wide).mask(rng.random(table.shape) < share)


def test_impute_fills_every_hole_and_keeps_every_cell(barely: SynthGAN, kinds: pd.DataFrame) -> None:
    table = punched(kinds)
    filled = barely.impute(table, random_state=0)
    assert filled.dtypes.drop(["none"]).equals(table.dtypes.drop(["none"]))
    for spec in barely.schema_:
        cells, before = filled[spec.name], table[spec.name]
        kept = before.notna()
        assert cells[kept].astype(object).equals(before[kept].astype(object)), spec.name
        if spec.kind is ColumnKind.ID or spec.name in ("empty", "none"):
            assert cells.isna().equals(before.isna())
        else:
            assert not cells.isna().any(), spec.name
    assert filled.equals(barely.impute(table, random_state=0))
    assert not filled.equals(barely.impute(table, random_state=1))


def test_impute_fills_with_what_the_columns_hold(barely: SynthGAN, kinds: pd.DataFrame) -> None:
    filled = barely.impute(punched(kinds), random_state=0)
    assert filled["age"].between(18, 89).all()
    assert (filled["age"] % 1 == 0).all()
    assert set(filled["text"]) <= set(kinds["text"])
    assert set(filled["bool"]) <= {True, False}
    assert filled["zulu"].str.fullmatch(r"2021-\d\d-\d\dT\d\d:\d\d:\d\dZ").all()
    assert (filled["country"] == "DE").all()


def test_impute_keeps_what_it_never_saw(barely: SynthGAN, kinds: pd.DataFrame) -> None:
    table = kinds.head(6).copy()
    table["category"] = pd.Categorical(["new", None, "a", None, "b", "new"], categories=["new", "a", "b"])
    table["oText"] = ["z", None, "x", "y", None, None]
    table["age"] = [200.0, np.nan, 20, 30, 40, 50]
    table["row_id"] = 5
    filled = barely.impute(table, random_state=0)
    assert filled["category"].tolist()[0] == "new"
    assert not filled["category"].isna().any()
    assert filled["oText"].tolist()[0] == "z"
    assert filled["age"].tolist()[0] == 200
    assert (filled["row_id"] == 5).all()


def test_impute_takes_a_single_row_and_columns_in_any_order(barely: SynthGAN, kinds: pd.DataFrame) -> None:
    row = kinds.head(1)[kinds.columns[::-1]].copy()
    row["price"] = np.nan
    filled = barely.impute(row, random_state=0)
    assert filled.columns.tolist() == kinds.columns.tolist()
    assert filled["price"].notna().all()


def test_impute_whole_columns(barely: SynthGAN, kinds: pd.DataFrame) -> None:
    table = kinds.assign(age=None, text=None, berlin=pd.NaT, ints=None)
    filled = barely.impute(table, random_state=0)
    names = ["age", "text", "berlin", "ints"]
    assert filled[names].dtypes.equals(kinds[names].dtypes)
    assert not filled[names].isna().any().any()


@pytest.mark.parametrize(
    ("change", "word"),
    [
        (lambda table: table.drop(columns="age"), "'age'"),
        (lambda table: table.assign(more=1), "'more'"),
        (lambda table: table.assign(age="old"), "'age'"),
        (lambda table: table.assign(price=np.inf), "'price'"),
        (lambda table: table.assign(zulu="yesterday"), "'zulu'"),
        (lambda table: table.assign(text=1.5), "'text'"),
    ],
)
def test_a_table_of_another_make_is_refused(barely: SynthGAN, kinds: pd.DataFrame, change, word: str) -> None:
    for call in (barely.impute, barely.score_samples):
        with pytest.raises(SchemaError, match=word):
            call(change(kinds))


def test_scores_are_the_same_each_time_and_finite(barely: SynthGAN, kinds: pd.DataFrame) -> None:
    scores = barely.score_samples(kinds)
    assert scores.shape == (len(kinds),)
    assert scores.dtype == np.float64
    assert np.isfinite(scores).all()
    assert (scores < 0).all()
    assert np.array_equal(scores, barely.score_samples(kinds))
    # The score of a row is its own, up to the rounding of a product with other rows beside it.
    np.testing.assert_allclose(barely.score_samples(kinds.iloc[[7]]), scores[[7]], rtol=1e-5)


def test_rows_score_above_rows_with_shuffled_columns() -> None:
    rng = np.random.default_rng(0)
    kind = rng.choice(["a", "b", "c"], 600)
    number = pd.Series(kind).map({"a": 1, "b": 5, "c": 9}) + rng.integers(0, 2, 600)
    table = pd.DataFrame({"kind": kind, "number": number})
    model = SynthGAN(epochs=300, hidden_dim=32, select=1, random_state=0).fit(table)
    shuffled = table.assign(number=rng.permutation(table["number"]))
    assert model.score_samples(table).mean() > model.score_samples(shuffled).mean() + 1
