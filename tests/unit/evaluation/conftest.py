"""A table with strong joint structure, its holdout, and honest and dishonest stand-ins for a generator."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import numpy as np
import pandas as pd
import pytest
from threadpoolctl import threadpool_limits

MakeTable = Callable[..., pd.DataFrame]


def draw_table(n_rows: int, seed: int) -> pd.DataFrame:
    """Rows of one source: `plan` drives `x`, `x` drives `y`, both drive `churn`; `amount` is mostly zero or missing."""
    rng = np.random.default_rng(seed)
    plan = rng.choice(["free", "basic", "pro"], n_rows, p=[0.6, 0.3, 0.1])
    x = np.select([plan == "free", plan == "basic"], [0.0, 3.0], 6.0) + rng.normal(size=n_rows)
    y = 0.9 * x + 0.4 * rng.normal(size=n_rows)
    amount = np.where(rng.random(n_rows) < 0.5, 0.0, np.round(np.exp(y / 3), 2))
    return pd.DataFrame(
        {
            "x": x,
            "plan": plan,
            "y": y,
            "amount": np.where(rng.random(n_rows) < 0.1, np.nan, amount),
            "since": pd.Timestamp("2020-01-01") + pd.to_timedelta(np.round(40 * x + 400), unit="D"),
            "churn": np.where(y + rng.normal(size=n_rows) > 1.5, "yes", "no"),
        }
    )


def shuffle_columns(frame: pd.DataFrame, seed: int = 0) -> pd.DataFrame:
    rng = np.random.default_rng(seed)
    return pd.DataFrame({name: frame[name].to_numpy()[rng.permutation(len(frame))] for name in frame})


@pytest.fixture(autouse=True, scope="session")
def one_thread() -> Iterator[None]:
    """Tiny tables: a second thread only waits for the first."""
    with threadpool_limits(limits=1, user_api="openmp"):
        yield


@pytest.fixture(scope="session")
def make_table() -> MakeTable:
    return draw_table


@pytest.fixture(scope="session")
def shuffle() -> Callable[..., pd.DataFrame]:
    return shuffle_columns


@pytest.fixture(scope="session")
def real() -> pd.DataFrame:
    return draw_table(500, 1)


@pytest.fixture(scope="session")
def holdout() -> pd.DataFrame:
    return draw_table(500, 2)


@pytest.fixture(scope="session")
def fresh() -> pd.DataFrame:
    """What a perfect generator would sample."""
    return draw_table(500, 3)
