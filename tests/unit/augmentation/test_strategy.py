"""How many rows of which class, which rows of a pool, and what the cheap rivals make."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from synthgan.augmentation.scores import correct_prior, decide, score, tune
from synthgan.augmentation.selection import choose_rows
from synthgan.augmentation.smote import smote_nc
from synthgan.augmentation.splits import make_folds, stratified_subset
from synthgan.augmentation.strategy import Recipe, proportional, rows_to_add
from synthgan.errors import ConfigError, InputError

COUNTS = {"a": 20, "b": 40, "c": 30}


@pytest.mark.parametrize(
    ("strategy", "added"),
    [
        ("auto", {"a": 20, "c": 10}),
        ("not majority", {"a": 20, "c": 10}),
        ("minority", {"a": 20}),
        ("not minority", {"b": 0, "c": 10}),
        ("all", {"a": 20, "b": 0, "c": 10}),
        ({"a": 25}, {"a": 5}),
        (lambda y: {"c": 31}, {"c": 1}),
    ],
)
def test_every_spelling(strategy: Any, added: dict[str, int]) -> None:
    assert rows_to_add(strategy, COUNTS, None) == added


@pytest.mark.parametrize(
    ("strategy", "error", "match"),
    [
        ("majority", ConfigError, "leaves the largest class alone"),
        ("most", ConfigError, "unknown"),
        (0.5, InputError, "two classes only"),
        ({"d": 50}, InputError, "y has not"),
        ({"a": 5}, InputError, "removes no rows"),
        ({"a": 50.0}, ConfigError, "numbers of rows"),
        (None, ConfigError, "sampling_strategy is"),
    ],
)
def test_bad_spellings(strategy: Any, error: type[Exception], match: str) -> None:
    with pytest.raises(error, match=match):
        rows_to_add(strategy, COUNTS, None)


@given(st.lists(st.integers(1, 1000), min_size=1, max_size=6), st.floats(0.01, 5))
def test_proportional_counts_add_up(counts: list[int], ratio: float) -> None:
    added = proportional(dict(enumerate(counts)), ratio)
    assert sum(added.values()) == round(ratio * sum(counts))
    assert all(abs(added[i] - ratio * count) <= 1 for i, count in enumerate(counts))


def test_recipes() -> None:
    assert Recipe.read("balance").counts({0: 3, 1: 5}) == {0: 2, 1: 0}
    assert Recipe.read("0.5 by density") == Recipe("0.5 by density", 0.5, "density")
    assert Recipe.read("labelled 2").labelled
    for text in ("labelled", "-1", "balance by luck", "labelled 2 by hard", "nan"):
        with pytest.raises(ConfigError, match="a recipe is"):
            Recipe.read(text)


def test_rows_are_chosen_by_weight_and_in_exact_numbers() -> None:
    y = np.repeat([0, 1], 50)
    weight = np.tile([1.0, 0.0], 50)
    kept = choose_rows(weight, y, {0: 25, 1: 10}, 0)
    assert np.bincount(y[kept]).tolist() == [25, 10]
    assert weight[kept].min() == 1.0
    assert len(set(kept.tolist())) == 35
    assert choose_rows(None, y, {1: 2}, 0).tolist() == [50, 51]


@given(st.integers(0, 10_000), st.integers(12, 60))
def test_folds_are_disjoint_stratified_and_paired_over_sizes(seed: int, n: int) -> None:
    y = (np.arange(n) % 4 == 0).astype(np.int64)
    folds = make_folds(y, [6, None], 1, 2, 1000, seed)
    assert len(folds) == 4
    for fold in folds:
        assert not set(fold.train) & set(fold.test)
        assert len(fold.train) == (6 if fold.n_rows else n - len(fold.test))
        assert 1 <= y[fold.train].sum() <= len(fold.train) // 2
    assert folds[0].test.tolist() == folds[1].test.tolist()
    assert sorted([*folds[1].test, *folds[3].test]) == list(range(n))


def test_a_subset_has_each_class_s_share() -> None:
    y = np.repeat([0, 1], [90, 10])
    kept = stratified_subset(y, 20, np.random.default_rng(0))
    assert np.bincount(y[kept]).tolist() == [18, 2]


def test_smote_interpolates_between_rows_of_the_class() -> None:
    rng = np.random.default_rng(0)
    x = np.column_stack([rng.normal(size=(40, 2)), rng.integers(0, 3, 40)])
    y = np.repeat([0, 1], [30, 10])
    x[y == 1, :2] += 10
    x[y == 1, 2] = 2
    x[35, 0] = np.nan
    new, labels = smote_nc(x, y, [False, False, True], {0: 0, 1: 200}, rng)
    assert labels.tolist() == [1] * 200
    assert set(new[:, 2]) == {2}
    own = x[y == 1]
    assert np.nanmin(own[:, 1]) <= new[:, 1].min() <= new[:, 1].max() <= np.nanmax(own[:, 1])
    between = [
        any(
            np.allclose((new[i, :2] - a) * (b - a)[::-1], ((new[i, :2] - a) * (b - a)[::-1])[::-1], atol=1e-9)
            for a in own[:, :2]
            for b in own[:, :2]
        )
        for i in range(0, 200, 20)
        if not np.isnan(new[i, 0])
    ]
    assert all(between)


def test_smote_repeats_the_only_row_of_a_class() -> None:
    x, y = np.array([[1.0], [2.0], [9.0]]), np.array([0, 0, 1])
    new, _ = smote_nc(x, y, [False], {0: 0, 1: 3}, np.random.default_rng(0))
    assert new.tolist() == [[9.0]] * 3


def test_smote_s_new_numbers_are_distributed_as_imbalanced_learn_s() -> None:
    from imblearn.over_sampling import SMOTE
    from scipy.stats import ks_2samp

    rng = np.random.default_rng(1)
    x = rng.normal(size=(300, 2))
    x /= x[:40].std(axis=0)  # theirs does not scale
    y = np.repeat([1, 0], [40, 260])
    theirs = SMOTE(sampling_strategy={1: 2040}, random_state=0).fit_resample(x, y)[0][300:]
    ours, _ = smote_nc(x, y, [False, False], {1: 2000}, rng)
    assert all(ks_2samp(ours[:, j], theirs[:, j]).pvalue > 1e-3 for j in range(2))


def test_prior_correction_undoes_rebalancing() -> None:
    """Two normal classes: Bayes' probabilities under balanced shares become those under the true ones."""
    x = np.linspace(-3, 3, 50)
    likelihood = np.column_stack([np.exp(-((x + 1) ** 2) / 2), np.exp(-((x - 1) ** 2) / 2)])

    def posterior(shares: np.ndarray) -> np.ndarray:
        joint = likelihood * shares
        return joint / joint.sum(axis=1, keepdims=True)

    even, true = np.array([0.5, 0.5]), np.array([0.9, 0.1])
    np.testing.assert_allclose(correct_prior(posterior(even), even, true), posterior(true), atol=1e-6)


def test_perfect_and_useless_predictions() -> None:
    y = np.tile([0, 0, 0, 1], 25)
    shares = np.array([0.75, 0.25])
    perfect = np.eye(2)[y]
    found = score(y, perfect, perfect, shares, tune(y, perfect, shares, 1), 1)
    assert (found["average_precision"], found["roc_auc"], found["f1"], found["balanced_accuracy"]) == (1, 1, 1, 1)
    assert found["brier"] == 0
    assert found["log_loss"] == pytest.approx(0.0010005, abs=1e-6)
    flat = np.tile(shares, (100, 1))
    found = score(y, flat, flat, shares, tune(y, flat, shares, 1), 1)
    assert found["roc_auc"] == 0.5
    assert found["average_precision"] == pytest.approx(0.25)
    assert found["calibration_error"] == pytest.approx(0, abs=0.06)


def test_the_tuned_threshold_is_the_best_one() -> None:
    rng = np.random.default_rng(0)
    p = rng.random(200)
    y = (rng.random(200) < p * 0.4).astype(np.int64)
    both = np.column_stack([1 - p, p])
    shares = np.bincount(y) / 200
    best = tune(y, both, shares, 1).f1

    def f1(option: float) -> float:
        chosen = decide(both, shares, 1, option)
        return 2 * float((chosen * y).sum()) / float(chosen.sum() + y.sum())

    assert f1(best) == pytest.approx(max(f1(option) for option in np.linspace(0, 0.99, 500)), abs=1e-9)
