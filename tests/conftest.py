"""What every test shares: one thread, a small Hypothesis budget, and a table with every kind of column."""

from __future__ import annotations

import os

# Small work on several OpenMP threads is a hundred times slower as soon as the machine has something else to do.
os.environ.setdefault("OMP_NUM_THREADS", "1")

import numpy as np
import pandas as pd
import pytest
from hypothesis import HealthCheck, settings

settings.register_profile(
    "quick", max_examples=50, deadline=None, derandomize=True, suppress_health_check=[HealthCheck.too_slow]
)
settings.register_profile("thorough", max_examples=1000, deadline=None)
settings.load_profile(os.environ.get("HYPOTHESIS_PROFILE", "quick"))


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
