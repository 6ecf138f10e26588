"""Quick stand-ins for a generator: what is tested here is what augmentation does with one."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar, Self

import numpy as np
import pandas as pd
import pytest
from sklearn.base import BaseEstimator


class Resampler(BaseEstimator):
    """A generator that copies training rows; remembers what every copy of it was fitted on."""

    seen: ClassVar[list[pd.DataFrame]] = []

    def __init__(self, random_state: int | None = None) -> None:
        self.random_state = random_state

    def fit(self, X: pd.DataFrame, y: Any = None, *, target: Any = None) -> Self:
        self.rows_, self.target_ = X.reset_index(drop=True), target
        Resampler.seen.append(X)
        return self

    def sample(
        self,
        n_samples: int | None = None,
        *,
        conditions: Mapping[Any, Any] | None = None,
        class_counts: Mapping[Any, int] | None = None,
        random_state: int | None = None,
    ) -> pd.DataFrame:
        rng = np.random.default_rng(random_state)
        if class_counts is None:
            pool = self.rows_
            if conditions is not None:
                ((name, (low, high)),) = conditions.items()
                pool = pool[pool[name].between(low, high)]
            return pool.iloc[rng.integers(len(pool), size=n_samples)].reset_index(drop=True)
        labels = self.rows_[self.target_].to_numpy()
        picks = [rng.choice(np.flatnonzero(labels == label), size=n) for label, n in class_counts.items()]
        return self.rows_.iloc[np.concatenate(picks)].reset_index(drop=True)


@pytest.fixture
def resampler() -> Resampler:
    Resampler.seen.clear()
    return Resampler()


def noise_table(n: int, seed: int, share: float = 0.3) -> pd.DataFrame:
    """A table whose target has nothing to do with the rest; `key` tells rows apart."""
    rng = np.random.default_rng(seed)
    return pd.DataFrame(
        {
            "key": rng.permutation(n) + rng.random(n) / 2,
            "x": rng.normal(size=n),
            "word": rng.choice(["a", "b", "c"], n),
            "y": rng.permutation(np.where(np.arange(n) < share * n, "yes", "no")),
        }
    )


@pytest.fixture
def noise() -> pd.DataFrame:
    return noise_table(90, 0)
