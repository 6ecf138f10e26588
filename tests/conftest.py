"""What every test shares: one thread, a small Hypothesis budget, and a table with every kind of column."""

from __future__ import annotations

import os

# Small work on several OpenMP threads is a hundred times slower as soon as the machine has something else to do.
os.environ.setdefault("OMP_NUM_THREADS", "1")

from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
import pytest
from hypothesis import HealthCheck, settings

settings.register_profile(
    "quick", max_examples=50, deadline=None, derandomize=True, suppress_health_check=[HealthCheck.too_slow]
)
settings.register_profile("thorough", max_examples=1000, deadline=None)
settings.load_profile(os.environ.get("HYPOTHESIS_PROFILE", "quick"))

if TYPE_CHECKING:
    from synthgan import SynthGAN


@pytest.fixture
def mixed_table() -> pd.DataFrame:
    """200 rows with a column of every kind, some with missing cells, where amount follows plan."""
    rng = np.random.default_rng(0)
    n = 200
    plan = rng.choice(["free", "basic", "pro"], n, p=[0.6, 0.3, 0.1])
    amount = np.round(np.select([plan == "free", plan == "basic"], [0.0, 9.5], 49.0) + rng.random(n), 2)
    return pd.DataFrame(
        {
            "user_id": [f"u{i:04d}" for i in range(n)],
            "age": pd.array(np.where(rng.random(n) < 0.1, None, rng.integers(18, 90, n)), dtype="Int64"),
            "plan": pd.Series(plan, dtype=object),
            "amount": amount,
            "city": pd.Series(np.where(rng.random(n) < 0.2, None, rng.choice(["Ulm", "Bonn"], n)), dtype=object),
            "size": pd.Categorical(rng.choice(["S", "L"], n), categories=["S", "M", "L"], ordered=True),
            "active": rng.random(n) < 0.7,
            "joined": pd.Timestamp("2021-03-01") + pd.to_timedelta(rng.integers(0, 700, n), unit="D"),
            "country": "DE",
            "empty": np.full(n, np.nan),
        }
    )


def every_kind(n: int = 300) -> pd.DataFrame:
    """`n` rows of columns of every kind and dtype, with and without missing cells."""
    rng = np.random.default_rng(1)

    def holes(values: object, dtype: object, share: float = 0.15) -> pd.Series:
        cells = pd.Series(values, dtype=object)
        return cells.mask(rng.random(n) < share, None).astype(dtype)

    times = pd.Series(pd.Timestamp("2020-02-28 21:00") + pd.to_timedelta(rng.integers(0, 4000, n), unit="h"))
    seconds = pd.Series(pd.Timestamp("2021-05-01") + pd.to_timedelta(rng.integers(0, 10**7, n), unit="s"))
    return pd.DataFrame(
        {
            "age": rng.integers(18, 90, n),
            "steps": rng.integers(0, 400, n) * 25,
            "price": np.round(rng.lognormal(2, 1, n), 2),
            "height": rng.normal(170, 10, n),
            "small": rng.normal(size=n).astype("float32"),
            "spiked": np.where(rng.random(n) < 0.6, 0.0, np.round(rng.lognormal(8, 2, n), 1)),
            "holes": holes(np.round(rng.normal(size=n), 3), "float64"),
            "Int": holes(rng.integers(-5, 2000, n), "Int64"),
            "Float": holes(rng.normal(size=n), "Float64"),
            "bool": rng.random(n) < 0.3,
            "Bool": holes(rng.random(n) < 0.3, "boolean"),
            "oBool": holes(rng.random(n) < 0.3, "object"),
            "text": rng.choice(["red", "green", "blue", "rare"], n, p=[0.5, 0.3, 0.17, 0.03]).astype(object),
            "oText": holes(rng.choice(["x", "y"], n), "object"),
            "string": holes(rng.choice(["ja", "nein"], n), "string"),
            "category": holes(rng.choice(["a", "b"], n), pd.CategoricalDtype(["b", "unused", "a"])),
            "ordered": pd.Categorical(rng.choice(["S", "L"], n), categories=["S", "M", "L"], ordered=True),
            "ints": pd.Categorical(rng.choice([3, 1, 2], n), categories=[3, 1, 2]),
            "many": [f"shop {number}" for number in np.minimum(rng.zipf(1.3, n), 9999)],
            "date": times.dt.normalize(),
            "hour": holes(times, "datetime64[ns]"),
            "second": seconds.astype("datetime64[us]"),
            "berlin": holes(
                times.dt.tz_localize("UTC").dt.tz_convert("Europe/Berlin"), "datetime64[ns, Europe/Berlin]"
            ),
            "day_text": times.dt.strftime("%d.%m.%Y"),
            "zulu": holes(seconds.dt.strftime("%Y-%m-%dT%H:%M:%SZ"), "object"),
            "user_id": [f"u{number:05d}" for number in rng.permutation(n)],
            "row_id": np.arange(1000, 1000 + n),
            "some_id": holes([f"{number:x}" for number in rng.integers(16**7, 16**8, n)], "object"),
            "country": "DE",
            "version": 3,
            "empty": np.full(n, np.nan),
            "none": pd.Series([None] * n, dtype=object),
        }
    )


@pytest.fixture(scope="session")
def kinds() -> pd.DataFrame:
    """A table with a column of every kind and dtype; not to be changed."""
    return every_kind()


@pytest.fixture(scope="session")
def barely(kinds: pd.DataFrame) -> SynthGAN:
    """A model of `kinds` that saw every row once: what holds for it does not depend on training."""
    import torch

    from synthgan import SynthGAN

    torch.set_num_threads(1)
    return SynthGAN(epochs=1, hidden_dim=16, protect_rare=1, random_state=0).fit(kinds, target="text")
