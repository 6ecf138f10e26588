"""Tables at the edge of what a table can be: they are fitted, sampled, filled and scored like any other."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
import pytest

from synthgan import SynthGAN

N = 60
RNG = np.random.default_rng(0)

ODD: dict[str, Any] = {
    "half precision": RNG.normal(size=N).astype("float16"),
    "a category without a cell": pd.Categorical([None] * N, categories=["x", "y"]),
    "times out of the nanoseconds' reach": np.array(
        ["1500-01-01", "9999-12-31", "2000-05-05T10:11:12"] * (N // 3), dtype="datetime64[ms]"
    ),
    "text of such times": ["0001-01-01", "9999-12-31", None] * (N // 3),
    "nanoseconds": pd.date_range("2020-01-01", periods=N, freq="ns"),
    "one time, to the nanosecond": np.full(N, pd.Timestamp("2020-01-01 10:00:00.123456789")),
    "huge numbers": RNG.normal(size=N) * 1e300,
    "numbers close to zero": RNG.normal(size=N) * 1e-310,
    "huge and tiny": [1e308, 5e-324, 0.0] * (N // 3),
    "arrow numbers": pd.array([1, None, 7] * (N // 3), dtype="int64[pyarrow]"),
    "arrow ids": pd.array(RNG.permutation(N), dtype="int64[pyarrow]"),
    "small ids": np.arange(N, dtype="uint8") + 190,
    "texts with odd signs": ["", " ", "\n", '"', "ä", "日本", "a,b", "NA", "None", "nan"] * (N // 10),
    "level names": ["True", "False", "1", "1.0", "01"] * (N // 5),
}


@pytest.mark.parametrize("name", ODD)
def test_an_odd_column(name: str) -> None:
    table = pd.DataFrame({name: ODD[name], "x": np.arange(N) % 5})
    model = SynthGAN(epochs=1, hidden_dim=8, random_state=0).fit(table)
    rows = model.sample(300, random_state=0)
    assert rows.dtypes.equals(table.dtypes)
    present = table[name].dropna()
    if not (model.schema_[name].kind == "id" or present.empty or isinstance(table[name].dtype, pd.CategoricalDtype)):
        assert rows[name].dropna().min() >= present.min()
        assert rows[name].dropna().max() <= present.max()
    assert model.impute(table, random_state=0).dtypes.equals(table.dtypes)
    assert np.isfinite(model.score_samples(table)).all()


def test_ids_wrap_where_their_dtype_ends() -> None:
    table = pd.DataFrame({"row_id": np.arange(N, dtype="uint8") + 190, "x": np.arange(N) % 5})
    rows = SynthGAN(epochs=1, hidden_dim=8, random_state=0).fit(table).sample(600, random_state=0)
    assert rows["row_id"].dtype == np.uint8
    assert rows["row_id"].nunique() == 256


def test_the_string_dtype_that_pandas_is_moving_to() -> None:
    with pd.option_context("future.infer_string", True):
        table = pd.DataFrame({"s": ["a", "b", None] * 20, "t": ["2020-01-01", "2020-02-03", None] * 20, "x": range(N)})
        table["c"] = table["s"].astype("category")
        model = SynthGAN(epochs=1, hidden_dim=8, random_state=0).fit(table)
        rows = model.sample(100, conditions={"s": "a"}, random_state=0)
        assert rows.dtypes.equals(table.dtypes)
        assert (rows["s"] == "a").all()
        assert not model.impute(table, random_state=0).isna().any().any()
