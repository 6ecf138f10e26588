"""imbalanced-learn's and scikit-learn's own checks, and the sampler inside imbalanced-learn's pipeline."""

from __future__ import annotations

import subprocess
import sys
import warnings
from collections.abc import Callable
from typing import Any

import numpy as np
import pandas as pd
import pytest
from imblearn.pipeline import Pipeline
from imblearn.utils.estimator_checks import estimator_checks_generator
from sklearn.compose import make_column_transformer
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import cross_val_score
from sklearn.preprocessing import OneHotEncoder, StandardScaler
from sklearn.utils.estimator_checks import parametrize_with_checks

from synthgan import SynthGAN
from synthgan.augmentation import GANOverSampler, PriorCorrectedClassifier

SMALL = SynthGAN(epochs=1, hidden_dim=16, batch_size=500, select=1, random_state=0)
CHECKS = [
    check
    for _, check in estimator_checks_generator(GANOverSampler(generator=SMALL, choose_by="nothing", random_state=0))
]


def test_imbalanced_learn_has_checks_of_every_kind_for_it() -> None:
    assert len(CHECKS) >= 15


@pytest.mark.parametrize("check", CHECKS, ids=lambda check: check.func.__name__)
def test_imbalanced_learns_checks(check: Callable[[Any], None]) -> None:
    estimator = GANOverSampler(generator=SMALL, choose_by="nothing", random_state=0)
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", "classes of fewer than", UserWarning)
        check(estimator)


@parametrize_with_checks(
    [GANOverSampler(generator=SMALL, choose_by="nothing"), PriorCorrectedClassifier(LogisticRegression())]
)
def test_scikit_learns_checks(estimator: Any, check: Callable[[Any], None]) -> None:
    check(estimator)


def test_a_pipeline_resamples_the_training_rows_of_each_fold_only() -> None:
    seen: list[set[float]] = []

    class Watched(GANOverSampler):
        def fit_resample(self, X: pd.DataFrame, y: pd.Series) -> tuple[pd.DataFrame, pd.Series]:
            seen.append(set(X["key"]))
            return super().fit_resample(X, y)

    rng = np.random.default_rng(0)
    X = pd.DataFrame({"key": np.arange(120) / 7, "word": rng.choice(["a", "b"], 120), "gap": [1.0, np.nan, 3.0] * 40})
    y = pd.Series(np.where(np.arange(120) % 6 == 0, "rare", "common"))
    encode = make_column_transformer((StandardScaler(), ["key"]), (OneHotEncoder(), ["word"]))
    model = Pipeline(
        [
            ("more", Watched(generator=SMALL, choose_by="nothing", random_state=0)),
            ("encode", encode),
            ("fit", LogisticRegression()),
        ]
    )
    values = cross_val_score(model, X, y, cv=3, scoring="roc_auc", error_score="raise")
    assert np.isfinite(values).all()
    assert [len(keys) for keys in seen] == [80, 80, 80]  # never at prediction, never a test row
    assert seen[0] & seen[1] & seen[2] == set()


def test_the_sampler_does_without_imbalanced_learn() -> None:
    code = (
        "import sys; sys.modules['imblearn'] = None\n"
        "import numpy as np; from synthgan import SynthGAN; from synthgan.augmentation import GANOverSampler\n"
        "X, y = np.arange(60.0).reshape(-1, 2) % 11, np.repeat([0, 1], [20, 10])\n"
        "small = SynthGAN(epochs=1, hidden_dim=16)\n"
        "sampler = GANOverSampler(generator=small, choose_by='nothing', random_state=0)\n"
        "print(np.bincount(sampler.fit_resample(X, y)[1]))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert done.stdout.split() == ["[20", "20]"], done.stderr


@pytest.mark.parametrize("strategy", ["auto", "minority", "not minority", "not majority", "all", {"a": 40, "c": 31}])
def test_strategies_agree_with_imbalanced_learn(strategy: Any) -> None:
    from imblearn.utils import check_sampling_strategy

    y = np.repeat(["a", "b", "c"], [20, 40, 30])
    sampler = GANOverSampler(sampling_strategy=strategy).fit(np.zeros((90, 1)), y)
    theirs = check_sampling_strategy(strategy, y, "over-sampling")
    assert sampler.sampling_strategy_ == {str(label): int(count) for label, count in theirs.items()}
