"""Forests of what lines leave over, and the rows that lend cells."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
import pytest

from synthgan.rng import numpy_stream
from synthgan.training.donors import MIN_LEAF, Donors, _Leaves

Floats = npt.NDArray[np.floating]
Codes = npt.NDArray[np.uint8]


@pytest.mark.parametrize("ordered", [True, False])
def test_rows_come_from_a_leaf_of_a_random_tree(ordered: bool) -> None:
    """Against chances that are added up tree by tree."""
    rng = numpy_stream(5, "test")
    features = rng.normal(size=(120, 3)).astype(np.float32)
    answers = features[:, 0] + rng.normal(size=120) if ordered else (features[:, 0] > 0).astype(np.uint8)
    leaves = _Leaves(features, answers, rng, 40, ordered=ordered)
    query = rng.normal(size=(1, 3)).astype(np.float32)
    of_table, of_query = leaves.forest.apply(features), leaves.forest.apply(query)[0]
    chance = np.zeros(120)
    for tree, leaf in enumerate(of_query):
        inside = of_table[:, tree] == leaf
        # Each tree grew on rows drawn with replacement, and has so many in each leaf, some of them twice.
        assert leaves.forest.estimators_[tree].tree_.weighted_n_node_samples[leaf] >= MIN_LEAF
        chance += inside / inside.sum() / len(of_query)
    picked = leaves.of(np.repeat(query, 50_000, axis=0), rng)
    found = np.bincount(picked, minlength=120) / 50_000
    assert not found[chance == 0].any()
    np.testing.assert_allclose(found, chance, atol=5 * np.sqrt(chance.max() / 50_000))
    rows, donors = leaves.unseen(rng)
    seen = [set(own.tolist()) for own in leaves.forest.estimators_samples_]
    assert np.array_equal(np.bincount(rows, minlength=120), [sum(row not in own for own in seen) for row in range(120)])
    trees = [tree for tree in range(40) for row in range(120) if row not in seen[tree]]
    assert (of_table[rows, trees] == of_table[donors, trees]).all()
    assert not (rows == donors).any()


def drawn(
    codes: Codes, scores: Floats | None, features: Floats, query: list[float], n: int = 2000
) -> tuple[Donors, npt.NDArray[np.int64]]:
    """The donors of a table, and rows that they pick for `n` rows of the same features."""
    rng = numpy_stream(20, "test")
    donors = Donors(features.astype(np.float32), codes, scores, rng)
    return donors, donors.of(np.tile(np.array(query, np.float32), (n, 1)), rng)


def coarse(numbers: Floats, n_codes: int = 20) -> Codes:
    """Codes of quantile bins."""
    edges = np.quantile(numbers, np.arange(1, n_codes) / n_codes)
    return np.searchsorted(edges, numbers).astype(np.uint8)


def test_of_a_first_column_all_rows_are_donors() -> None:
    donors, picked = drawn(np.arange(30, dtype=np.uint8), np.arange(30.0), np.zeros((30, 0)), [], 3000)
    assert donors.leaves is None
    assert np.bincount(picked, minlength=30).min() > 50


def test_what_follows_a_line_is_drawn_around_it() -> None:
    """Of y = x + noise the donors' mean is right at any x, and their spread about, though few rows are near."""
    rng = numpy_stream(7, "test")
    x = rng.normal(size=300)
    y = 0.9 * x + np.sqrt(1 - 0.81) * rng.normal(size=300)
    for at in (-1.5, -0.5, 0.5, 1.5):
        donors, picked = drawn(coarse(y), y, x[:, None], [at])
        assert donors.moves
        assert y[picked].mean() == pytest.approx(0.9 * at, abs=0.2)
        assert y[picked].std() == pytest.approx(np.sqrt(1 - 0.81), abs=0.15)


def test_spread_that_differs_is_that_of_rows_alike() -> None:
    """The mean of y is on a line, but one kind of rows is near it and the other far."""
    rng = numpy_stream(8, "test")
    x, far = rng.normal(size=800), np.arange(800) % 2
    y = x + np.where(far, 1.0, 0.02) * rng.normal(size=800)
    donors, picked = drawn(coarse(y, 60), y, np.column_stack([x, far]), [0.3, 0.0])
    assert donors.moves
    assert y[picked].std() < 0.15
    _, picked = drawn(coarse(y, 60), y, np.column_stack([x, far]), [0.3, 1.0])
    assert y[picked].std() > 0.6


def test_numbers_that_leap_are_lent_as_they_are() -> None:
    """Half the rows have one of twelve values, by x; along a line they would come to lie between these."""
    rng = numpy_stream(12, "test")
    x, free = rng.random(800), rng.random(800) < 0.5
    y = np.where(free, rng.random(800) * 36, np.floor(12 * x) * 3 + 0.5)
    donors, picked = drawn(y.astype(np.uint8), y, np.column_stack([x, free]), [0.54, 0.0])
    assert not donors.moves
    assert (y[picked] == 18.5).mean() > 0.9


def test_what_no_line_follows_is_left_to_the_forest() -> None:
    """y is high in the middle of x, where a line knows nothing; a category tells by an exclusive or."""
    rng = numpy_stream(8, "test")
    x, z = rng.normal(size=(2, 600))
    y = np.where(np.abs(x) < 0.7, 8.0, 1.0) + rng.random(600)
    features = np.column_stack([x, z])
    high = [(y[drawn(coarse(y), y, features, [at, 0.0])[1]] > 5).mean() for at in (0.0, 1.5, -1.5)]
    assert high[0] > 0.9
    assert max(high[1:]) < 0.1
    kind = ((x > 0) ^ (z > 0)).astype(np.uint8)
    donors, picked = drawn(kind, None, features, [1.0, -1.0])
    assert not donors.moves
    assert kind[picked].mean() > 0.9
    assert kind[drawn(kind, None, features, [1.0, 1.0])[1]].mean() < 0.1


def test_a_category_that_follows_a_line_is_drawn_about_as_likely() -> None:
    rng = numpy_stream(13, "test")
    x = rng.normal(size=1500)
    kind = (rng.random(1500) < 1 / (1 + np.exp(-2 * x))).astype(np.uint8) * 3
    for at in (-1.0, 0.0, 1.0):
        _, picked = drawn(kind, None, x[:, None], [at], 20_000)
        assert (kind[picked] == 3).mean() == pytest.approx(1 / (1 + np.exp(-2 * at)), abs=0.15)


def test_a_category_that_all_rows_hold_is_lent() -> None:
    features = numpy_stream(9, "test").normal(size=(60, 2))
    assert drawn(np.zeros(60, np.uint8), None, features, [0.0, 0.0], 5)[1].shape == (5,)
    assert drawn(np.zeros(60, np.uint8), np.zeros(60), features, [0.0, 0.0], 5)[1].shape == (5,)


def test_of_very_many_classes_the_forest_is_left_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    rng = numpy_stream(11, "test")
    features, classes = rng.normal(size=(200, 2)), rng.integers(4, size=200).astype(np.uint8)
    assert drawn(classes, None, features, [0.0, 0.0])[0].guess is not None
    monkeypatch.setattr("synthgan.training.donors.MAX_WORK", 200 * 2 * 4 - 1)
    donors, _ = drawn(classes, None, features, [0.0, 0.0])
    assert donors.guess is None
    assert donors.leaves is not None
