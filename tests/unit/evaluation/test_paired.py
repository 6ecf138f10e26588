"""The inference of paired comparisons: right coverage, and no winner's curse."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.stats import ttest_1samp

from synthgan.errors import InputError
from synthgan.evaluation.paired import against_best, corrected_difference, holm


def test_without_shared_rows_it_is_the_t_interval() -> None:
    values = np.random.default_rng(0).normal(0.3, 1, 12)
    found, theirs = corrected_difference(values, 0.0), ttest_1samp(values, 0)
    low, high = theirs.confidence_interval()
    assert (found.low, found.high) == pytest.approx((low, high))
    assert 2 * min(found.p_better, found.p_worse) == pytest.approx(theirs.pvalue)


def test_nadeau_and_bengios_formula() -> None:
    values = [0.1, 0.3, 0.2, 0.4]
    found = corrected_difference(values, 1 / 3)  # two thirds to learn from: n_test / n_train = 1/2
    spread = np.sqrt(np.var(values, ddof=1) * (1 / 4 + 1 / 2))
    assert found.high - found.mean == pytest.approx(3.182446 * spread, rel=1e-5)


@pytest.mark.parametrize(("values", "share"), [([0.1], 0.5), ([0.1, 0.2], 1.0), ([[0.1, 0.2]], 0.5)])
def test_what_cannot_be_tested(values: list[float], share: float) -> None:
    with pytest.raises(InputError):
        corrected_difference(values, share)


def test_equal_folds_leave_no_doubt_and_no_differences_no_verdict() -> None:
    assert corrected_difference([0.0, 0.0], 0.5).p_better == 0.5
    assert corrected_difference([0.1, 0.1], 0.5).p_better == 0.0
    assert corrected_difference([-0.1, -0.1], 0.5).p_worse == 0.0


def test_the_best_of_several_equal_rivals_is_hardly_ever_beaten() -> None:
    """Picking the rival that looks worst, or best, and testing it alone would err far more often."""
    rng = np.random.default_rng(0)
    wins = misses = 0
    for _ in range(200):
        ours, others = rng.normal(size=10), rng.normal(size=(5, 10))
        _, found = against_best({str(i): (ours - other).tolist() for i, other in enumerate(others)}, 0.0)
        wins += found.p_better <= 0.025
        misses += not found.low <= 0 <= found.high
    assert wins <= 0.025 * 200 + 3
    assert misses <= 0.05 * 200 + 6


def test_a_clear_winner_is_found() -> None:
    rng = np.random.default_rng(0)
    name, found = against_best({"a": rng.normal(1, 0.3, 10).tolist(), "b": rng.normal(2, 0.3, 10).tolist()}, 0.1)
    assert name == "a"
    assert found.p_better < 0.01
    assert 0 < found.low < 1 < found.high


def test_holm() -> None:
    assert holm([0.01, 0.02, 0.03, 0.5]) == pytest.approx([0.04, 0.06, 0.06, 0.5])
    assert holm([]) == []
