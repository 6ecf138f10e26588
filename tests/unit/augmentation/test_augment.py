"""Tables with generated rows: real rows untouched, exact counts, types in and out."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
import pytest
from sklearn.linear_model import LogisticRegression

from synthgan import SynthGAN
from synthgan.augmentation import GANOverSampler, PriorCorrectedClassifier, augment
from synthgan.errors import ConfigError, InputError

from .conftest import Resampler, noise_table

SMALL = SynthGAN(epochs=2, hidden_dim=16)


def test_real_rows_come_first_and_untouched(mixed_table: pd.DataFrame) -> None:
    more = augment(mixed_table, "plan", choose_by="nothing", generator=SMALL, random_state=0)
    n = len(mixed_table)
    pd.testing.assert_frame_equal(more[:n].drop(columns="synthetic"), mixed_table)
    assert more["synthetic"].tolist() == [False] * n + [True] * (len(more) - n)
    assert more["plan"].value_counts().nunique() == 1
    assert more.drop(columns="synthetic").dtypes.equals(mixed_table.dtypes)


def test_classes_of_a_few_rows_get_exact_counts_and_a_warning() -> None:
    table = noise_table(120, 0)
    table.loc[:2, "y"] = "tiny"
    table.loc[3:12, "y"] = "ten"
    with pytest.warns(UserWarning, match=r"too small to learn from: 'tiny' \(3 real, 50 synthetic\)"):
        more = augment(table, "y", strategy={"tiny": 50, "ten": 7, "no": 0}, generator=SMALL, random_state=0)
    assert more[more["synthetic"]]["y"].value_counts().to_dict() == {"tiny": 50, "ten": 7}


def test_proportional_and_labelled_rows(resampler: Resampler) -> None:
    table = noise_table(90, 0)
    more = augment(table, "y", strategy="proportional", ratio=0.5, generator=resampler, random_state=0, marker=None)
    assert list(more.columns) == list(table.columns)
    assert more[90:]["y"].value_counts().to_dict() == {"no": 32, "yes": 13}
    soft = augment(table, "y", strategy="labelled", ratio=1, generator=resampler, random_state=0)
    assert soft["weight"][:90].tolist() == [1.0] * 90
    assert soft["weight"][90:].sum() == pytest.approx(90, abs=1)
    assert soft["weight"].between(0, 1).all()


def test_rare_ranges_of_a_number_are_filled(resampler: Resampler) -> None:
    rng = np.random.default_rng(0)
    table = pd.DataFrame({"x": rng.normal(size=500), "y": np.round(rng.exponential(size=500), 2)})
    more = augment(table, "y", generator=resampler, random_state=0)
    new = more[more["synthetic"]]
    assert len(new) > 0
    assert new["y"].median() > table["y"].quantile(0.8)
    assert new["y"].max() <= table["y"].max()


def test_rows_without_a_target_stay(resampler: Resampler) -> None:
    table = noise_table(90, 0)
    table.loc[:9, "y"] = None
    more = augment(table, "y", generator=resampler, choose_by="nothing", random_state=0)
    assert more["y"].isna().sum() == 10
    assert more["y"].value_counts().nunique() == 1


@pytest.mark.parametrize(
    ("options", "error", "match"),
    [
        ({"target": "z"}, InputError, "'z' is not a column"),
        ({"marker": "word"}, InputError, "already has a column 'word'"),
        ({"strategy": "more"}, ConfigError, "strategy is"),
        ({"strategy": {"maybe": 3}}, InputError, "no classes"),
        ({"strategy": {"yes": -3}}, ConfigError, "not below 0"),
        ({"ratio": 0}, ConfigError, "ratio lies"),
        ({"choose_by": "best"}, ConfigError, "choose_by is one of"),
        ({"target": "key", "strategy": "labelled"}, ConfigError, "is a number"),
    ],
)
def test_bad_requests(resampler: Resampler, options: dict[str, Any], error: type[Exception], match: str) -> None:
    with pytest.raises(error, match=match):
        augment(noise_table(60, 0), options.pop("target", "y"), **{"generator": resampler} | options)


@pytest.mark.parametrize("choose_by", ["labels", "density", "hard", "nothing"])
def test_every_selection_keeps_exact_counts(choose_by: Any, resampler: Resampler) -> None:
    table = noise_table(80, 0)
    X, y = table.drop(columns="y"), table["y"]
    X_new, y_new = GANOverSampler(choose_by=choose_by, generator=resampler, random_state=0).fit_resample(X, y)
    assert y_new.value_counts().to_dict() == {"no": 56, "yes": 56}
    pd.testing.assert_frame_equal(X_new[:80], X)


def test_label_selection_prefers_rows_that_look_like_their_class(resampler: Resampler) -> None:
    """A generator that mislabels a fifth of its rows: most of those are left out."""
    rng = np.random.default_rng(0)
    x = np.concatenate([rng.normal(-2, 1, 150), rng.normal(2, 1, 50)])
    y = pd.Series(np.repeat(["no", "yes"], [150, 50]))

    class Sloppy(Resampler):
        def sample(self, n_samples: Any = None, **options: Any) -> pd.DataFrame:
            rows = super().sample(n_samples, **options)
            wrong = np.arange(len(rows)) % 5 == 0
            rows.loc[wrong, "x"] = -2.0
            return rows

    sampler = GANOverSampler(generator=Sloppy(), random_state=0)
    kept = sampler.fit_resample(pd.DataFrame({"x": x}), y)[0]["x"][200:]
    plain = sampler.set_params(choose_by="nothing").fit_resample(pd.DataFrame({"x": x}), y)[0]["x"][200:]
    assert (plain == -2.0).mean() == pytest.approx(0.2)
    assert (kept == -2.0).mean() < 0.05


def test_prior_corrected_probabilities_are_calibrated_after_balancing(resampler: Resampler) -> None:
    rng = np.random.default_rng(0)
    x = rng.normal(size=(4000, 1))
    y = (rng.random(4000) < 1 / (1 + np.exp(3 - x[:, 0]))).astype(int)
    sampler = GANOverSampler(generator=resampler, choose_by="nothing", random_state=0)
    model = PriorCorrectedClassifier(LogisticRegression(), resampler=sampler).fit(x, y)
    balanced = LogisticRegression().fit(*sampler.fit_resample(x, y))
    assert balanced.predict_proba(x)[:, 1].mean() > 0.3
    assert model.predict_proba(x)[:, 1].mean() == pytest.approx(y.mean(), abs=0.01)
    with pytest.raises(InputError, match="a share above 0"):
        PriorCorrectedClassifier(LogisticRegression(), prior={0: 1.0}).fit(x, y)
