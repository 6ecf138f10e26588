"""Tables and settings that cannot be fitted: the right error, with the column's name in it."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
import pytest

from synthgan import Schema, SynthGAN, infer_schema
from synthgan.errors import ConfigError, InputError, SchemaError, SynthganError

N = 40
GOOD = pd.DataFrame({"x": np.arange(N) % 7, "y": ["a", "b"] * (N // 2)})

TABLES: list[tuple[Any, type[SynthganError], str]] = [
    (pd.DataFrame(), InputError, "0"),
    (pd.DataFrame({"x": []}), InputError, "0"),
    (GOOD.head(1), InputError, "1"),
    (GOOD.iloc[:, :0], InputError, "column"),
    (pd.DataFrame(np.zeros((5, 2)), columns=["same", "same"]), SchemaError, "'same'"),
    (GOOD.assign(bad=[np.inf] + [1.5] * (N - 1)), SchemaError, "'bad'"),
    (GOOD.assign(bad=pd.Series([1, "two"] * (N // 2), dtype=object)), SchemaError, "'bad'"),
    (GOOD.assign(bad=[*pd.date_range("2020", periods=N - 1).strftime("%Y-%m-%d"), "soon"]), SchemaError, "'bad'"),
    (GOOD.assign(bad=[[1]] * N), SchemaError, "'bad'"),
    (GOOD.assign(bad=[{"a": 1}] * N), SchemaError, "'bad'"),
    (GOOD.assign(bad=[1 + 1j, 2] * (N // 2)), SchemaError, "'bad'"),
    (GOOD.assign(bad=pd.to_timedelta(np.arange(N), unit="h")), SchemaError, "'bad'"),
    (GOOD.assign(bad=[b"x", b"y"] * (N // 2)), SchemaError, "'bad'"),
    (GOOD.assign(bad=pd.period_range("2020", periods=N, freq="D")), SchemaError, "'bad'"),
    (GOOD.rename(columns={"x": ("a", "b")}), SchemaError, "('a', 'b')"),
    (GOOD.rename(columns={"x": None}), SchemaError, "None"),
    ("table.csv", InputError, ""),
    (None, InputError, ""),
    (5, InputError, ""),
]


@pytest.mark.parametrize(("table", "kind", "word"), TABLES)
def test_tables(table: Any, kind: type[SynthganError], word: str) -> None:
    with pytest.raises(kind) as caught:
        SynthGAN(epochs=1, hidden_dim=8).fit(table)
    assert word in str(caught.value)


OPTIONS: list[tuple[dict[str, Any], type[SynthganError], str]] = [
    ({"target": "z"}, SchemaError, "'z'"),
    ({"discrete_columns": ["z"]}, SchemaError, "'z'"),
    ({"schema": {"z": "numeric"}}, SchemaError, "'z'"),
    ({"schema": {"x": "color"}}, SchemaError, "'x'"),
    ({"schema": {"y": "numeric"}}, SchemaError, "'y'"),
    ({"schema": {"x": {"colour": 1}}}, SchemaError, "'x'"),
    ({"schema": {"y": {"levels": ["a"]}}}, SchemaError, "'y'"),
    ({"schema": infer_schema(GOOD[["x"]])}, SchemaError, "'y'"),
    ({"schema": infer_schema(GOOD.assign(z=1))}, SchemaError, "'z'"),
    ({"schema": infer_schema(GOOD.assign(x="a"))}, SchemaError, "'x'"),
    ({"schema": infer_schema(GOOD.assign(y=["a", "c"] * (N // 2)))}, SchemaError, "'y'"),
    ({"schema": infer_schema(GOOD), "discrete_columns": ["x"]}, InputError, "discrete_columns"),
    ({"schema": Schema(())}, SchemaError, "'x'"),
]


@pytest.mark.parametrize(("options", "kind", "word"), OPTIONS)
def test_options(options: dict[str, Any], kind: type[SynthganError], word: str) -> None:
    with pytest.raises(kind) as caught:
        SynthGAN(epochs=1, hidden_dim=8).fit(GOOD, **options)
    assert word in str(caught.value)


@pytest.mark.parametrize(
    "cells", [pd.to_datetime(["2020-01-01", "2021-01-02"] * (N // 2)), [True, False] * (N // 2), [0.5, 1.5] * (N // 2)]
)
def test_ids_are_text_or_whole_numbers(cells: Any) -> None:
    with pytest.raises(SchemaError, match="'bad'"):
        SynthGAN(epochs=1, hidden_dim=8).fit(GOOD.assign(bad=cells), schema={"bad": "id"})


PARAMETERS: list[tuple[str, Any]] = [
    *[("epochs", value) for value in (0, -1, 1.5, "10", True, np.nan)],
    *[("batch_size", value) for value in (0, None, 2.5, "all")],
    *[("generator_lr", value) for value in (-0.1, 2, "fast", None, np.nan)],
    *[("discriminator_lr", value) for value in (-0.1, 2, None)],
    *[("discriminator_steps", value) for value in (0, 1.5, None)],
    *[("adversarial_share", value) for value in (-0.1, 1, None)],
    *[("hidden_dim", value) for value in (0, -4, 2.5, "wide", True)],
    *[("n_members", value) for value in (0, 65, 1.5, "many", True)],
    *[("stand_ins", value) for value in (0, 1.0, "yes")],
    *[("max_seconds", value) for value in (-1, "soon", np.nan)],
    *[("device", value) for value in ("gpu", "cuda:99", "meta", 3, None)],
    *[("random_state", value) for value in (-1, "seed", 1.5)],
]


@pytest.mark.parametrize(("name", "value"), PARAMETERS)
def test_hyper_parameters(name: str, value: Any) -> None:
    model = SynthGAN(**{"epochs": 1, "hidden_dim": 8, name: value})  # stored as it is, and looked at by fit
    assert model.get_params()[name] is value
    with pytest.raises(ConfigError, match=name):
        model.fit(GOOD)
    assert not hasattr(model, "model_")


@pytest.mark.parametrize("batch_size", [1, 3, 40, 10**6])
def test_any_batch_size_works(batch_size: int) -> None:
    rows = SynthGAN(epochs=1, hidden_dim=8, batch_size=batch_size, random_state=0).fit(GOOD).sample(5, random_state=0)
    assert len(rows) == 5


@pytest.mark.parametrize("n", [2, 3, 5, 11])
def test_a_few_rows_are_enough(n: int) -> None:
    table = GOOD.head(n)
    rows = SynthGAN(epochs=2, hidden_dim=8, random_state=0).fit(table).sample(20, random_state=0)
    assert rows.dtypes.equals(table.dtypes)
    assert rows["x"].between(table["x"].min(), table["x"].max()).all()


def test_one_column_is_enough() -> None:
    for name in GOOD:
        rows = SynthGAN(epochs=2, hidden_dim=8, random_state=0).fit(GOOD[[name]]).sample(20, random_state=0)
        assert set(rows[name]) <= set(GOOD[name])


def test_the_table_is_left_as_it_was() -> None:
    table = GOOD.assign(z=pd.Categorical(GOOD["y"]), t=pd.Timestamp("2020-01-01")).set_index(GOOD.index + 5)
    before = table.copy(deep=True)
    model = SynthGAN(epochs=1, hidden_dim=8, random_state=0).fit(table)
    model.impute(table, random_state=0)
    model.score_samples(table)
    pd.testing.assert_frame_equal(table, before)
