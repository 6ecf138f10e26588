"""Boosted symmetric trees against sums, questions and leaves worked out row by row."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import numpy.typing as npt
import pytest
import torch

from synthgan.rng import numpy_stream
from synthgan.training.boosting import RIDGE, Boosting, Sums, grow

N_BINS = 6


@pytest.fixture
def threads() -> Iterator[None]:
    before = torch.get_num_threads()
    yield
    torch.set_num_threads(before)


def rows(
    n: int, stream: np.random.Generator, n_scores: int = 1
) -> tuple[npt.NDArray[np.uint8], npt.NDArray[np.float64]]:
    """Bins (3, n) and both derivatives by each score (2, n_scores, n)."""
    bins = stream.integers(0, N_BINS, (3, n), dtype=np.uint8)
    return bins, np.stack([stream.normal(size=(n_scores, n)), stream.random((n_scores, n)) / 4])


def gain_of(leaf: npt.NDArray[np.int64], parts: npt.NDArray[np.float64]) -> float:
    sums = [parts[:, :, leaf == one].sum(axis=2) for one in np.unique(leaf)]
    return float(sum((slope**2 / (bend + RIDGE)).sum() for slope, bend in sums))


@pytest.mark.parametrize("n_scores", [1, 3])
@pytest.mark.parametrize("seed", range(5))
def test_each_question_is_the_best_of_all(seed: int, n_scores: int) -> None:
    bins, parts = rows(300, numpy_stream(seed, "test"), n_scores)
    sums, leaf = Sums(bins, *parts), np.zeros(300, np.int64)
    for question in range(3):
        gains = [[gain_of(2 * leaf + (column > at), parts) for at in range(N_BINS)] for column in bins]
        column, threshold = sums.best_question()
        assert gains[column][threshold] == pytest.approx(np.max(gains))
        sums.split(column, threshold, last=question == 2)
        leaf = 2 * leaf + (bins[column] > threshold)
    np.testing.assert_array_equal(sums.leaf, leaf)
    expected = [-s / (b + RIDGE) for s, b in (parts[:, :, leaf == k].sum(axis=2) for k in range(8))]
    np.testing.assert_allclose(sums.leaf_values(8), expected)


def test_the_larger_halves_sums_are_what_is_left() -> None:
    bins, parts = rows(500, numpy_stream(1, "test"), 2)
    sums = Sums(bins, *parts)
    for column, threshold in ((0, 0), (1, 4), (2, 2)):  # few rows above, few below, about half
        sums.split(column, threshold, last=False)
    for part, found in zip(parts.reshape(4, -1), sums.sums.numpy().reshape(4, 3, 8, -1), strict=True):
        for column in range(3):
            expected = np.zeros((8, sums.n_bins))
            np.add.at(expected, (sums.leaf, bins[column]), part)
            np.testing.assert_allclose(found[column], expected, atol=1e-12)


def test_a_tree_sees_only_its_rows_and_columns() -> None:
    bins, parts = rows(400, numpy_stream(7, "test"))
    columns, seen = np.array([0, 2]), np.arange(0, 400, 3)
    tree = grow(bins, columns, seen, *parts[:, :, seen], depth=4, rate=0.5)
    assert set(tree.block.tolist()) <= {0, 2}
    leaf = tree.leaf(bins)
    for one in np.unique(leaf[seen]):
        slope, bend = parts[:, 0, seen[leaf[seen] == one]].sum(axis=1)
        assert tree.value[one, 0] == pytest.approx(-0.5 * slope / (bend + RIDGE))


def boosting(stream: np.random.Generator) -> Boosting:
    """Of 2000 rows and twice as many generated ones: the first column differs, and how the other two go together."""
    bins = stream.integers(0, 32, (3, 6000), dtype=np.uint8)
    real = np.arange(6000) < 2000
    bins[0, real] = np.maximum(bins[0, real], stream.integers(0, 32, 2000))
    bins[2, real] = np.minimum(bins[1, real] + stream.integers(0, 6, 2000), 31)
    return Boosting(bins, real)


def loss(trees: Boosting) -> float:
    balance = np.where(trees.is_real, 1.0, 0.5)
    return float((balance * np.logaddexp(0, np.where(trees.is_real, -trees.score, trees.score))).sum() / 4000)


def test_trees_lower_the_loss_by_what_their_leaves_say() -> None:
    trees, stream, losses = boosting(numpy_stream(2, "test")), numpy_stream(3, "test"), [np.log(2)]
    for _ in range(40):
        before = trees.score.copy()
        block, threshold, value = trees.grow(4, stream)
        leaf = np.zeros(6000, np.int64)
        for asked, limit in zip(block, threshold, strict=True):
            leaf = 2 * leaf + (trees.bins[asked] > limit)
        np.testing.assert_allclose(trees.score - before, value[leaf, 0])
        losses.append(loss(trees))
    assert (np.diff(losses) < 0).all()
    assert losses[40] < 0.5


def test_nothing_to_tell_is_hardly_told() -> None:
    """Labels that are chance: a tree learns some of it by heart, but a score stays near even odds."""
    stream = numpy_stream(4, "test")
    trees = Boosting(stream.integers(0, 32, (3, 6000), dtype=np.uint8), np.arange(6000) < 2000)
    for _ in range(20):
        trees.grow(4, stream)
    assert np.abs(trees.score).mean() < 0.15


@pytest.mark.usefixtures("threads")
def test_threads_do_not_change_a_tree() -> None:
    """Large enough that torch divides the columns among threads."""
    found = []
    for n_threads in (1, 2):
        torch.set_num_threads(n_threads)
        bins = numpy_stream(5, "test").integers(0, 256, (20, 30_000), dtype=np.uint8)
        trees, stream = Boosting(bins, np.arange(30_000) < 12_000), numpy_stream(6, "test")
        found.append([np.concatenate([part.ravel() for part in trees.grow(6, stream)]) for _ in range(3)])
    np.testing.assert_array_equal(*found)
