"""How round numbers are."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from synthgan.encoding.grid import Grid, Rounding, find_rounding
from synthgan.rng import numpy_stream

roundings = st.builds(Rounding, st.integers(0, 3), st.sampled_from([1, 2, 5]), st.sampled_from([0.1, 0.6, 0.97, 1.0]))


@given(roundings, st.floats(-50, 50), st.floats(0.004, 40))
def test_places_and_numbers_of_a_stretch_are_each_others_inverse(rounding: Rounding, low: float, width: float) -> None:
    part = np.linspace(0.0, 1.0, 301)
    low, high = np.full(301, low), np.full(301, low + width)
    numbers = rounding.numbers(low, high, part)
    assert (np.diff(numbers) >= 0).all()
    assert ((numbers >= low) & (numbers <= high)).all()
    least, most = (rounding.below(low, high, numbers, of_value) for of_value in (0.0, 1.0))
    assert (least <= part + 1e-6).all()
    assert (most >= part - 1e-6).all()
    single = ~rounding.is_round(numbers)
    np.testing.assert_allclose(most[single], least[single])


@given(roundings, st.integers(-30, 30), st.integers(1, 20))
def test_round_numbers_come_as_often_as_they_should(rounding: Rounding, first: int, many: int) -> None:
    """A stretch of `many` units: all of them come alike, and the others in between."""
    low, high = (first - 0.5) * rounding.unit, (first + many - 0.5) * rounding.unit
    part = (np.arange(4000) + 0.5) / 4000
    numbers = rounding.numbers(np.full(4000, low), np.full(4000, high), part)
    is_round = rounding.is_round(numbers)
    assert is_round.mean() == pytest.approx(rounding.share, abs=0.01)
    values, counts = np.unique(numbers[is_round].round(9), return_counts=True)
    assert len(values) == many
    assert np.ptp(counts) <= 2
    if rounding.share < 1:
        assert np.abs(np.sort(numbers[~is_round]) - np.linspace(low, high, (~is_round).sum())).max() < rounding.unit


def test_where_all_are_round_no_other_comes() -> None:
    part = np.linspace(0, 1, 10_001)
    for unit, low, high in ((1, 0.5, 100.5), (1, 1e6, 1.1e6), (50, 1000.0, 90_000.0)):
        numbers = Rounding(0, unit, 1.0).numbers(np.full(len(part), low), np.full(len(part), high), part)
        assert Rounding(0, unit, 1.0).is_round(numbers).all()


def test_most_have_fewer_decimals() -> None:
    rng = numpy_stream(0, "test")
    numbers = rng.gamma(3, 2, 3000)
    numbers = np.where(rng.random(3000) < 0.9, numbers.round(2), numbers.round(4))
    found = find_rounding(*np.unique(numbers, return_counts=True), Grid(4), 5)
    assert found is not None
    assert (found.decimals, found.step) == (2, 1)
    assert found.share == pytest.approx(0.9, abs=0.03)
    off = find_rounding(*np.unique(np.r_[numbers.round(2), 0.1234], return_counts=True), Grid(4), 5)
    assert off == Rounding(2, 1, 1.0)  # that one row has more is not stored


def test_people_round_to_fifties_and_floats_to_cents() -> None:
    rng = numpy_stream(1, "test")
    pay = np.where(rng.random(2000) < 0.6, 50 * rng.integers(20, 2000, 2000), rng.integers(1000, 100_000, 2000))
    found = find_rounding(*np.unique(pay.astype(float), return_counts=True), Grid(0), 5)
    assert found is not None
    assert (found.decimals, found.step) == (0, 50)
    prices = np.r_[rng.random(500).round(2), rng.random(100)]
    found = find_rounding(*np.unique(prices, return_counts=True), Grid(), 5)
    assert found is not None
    assert (found.decimals, found.step, round(found.share, 2)) == (2, 1, 0.83)


def test_what_is_as_round_as_by_chance_is_left_alone() -> None:
    rng = numpy_stream(2, "test")
    for grid, numbers in (
        (Grid(0), rng.integers(0, 10_000, 3000).astype(float)),
        (Grid(2), rng.normal(size=3000).round(2)),
        (Grid(), rng.normal(size=3000)),
        (Grid(2, step=5), (20 * rng.normal(size=3000)).round() / 20),
        (Grid(4), rng.random(30).round(2)),  # few rows
        (Grid(0), 1.6e12 + rng.integers(0, 10**9, 2000)),  # times in milliseconds
        (Grid(0), 1e16 + 2 * rng.integers(0, 10**9, 2000)),
        (Grid(2), (rng.random(2000) * 9e9).round(2)),
        (Grid(), rng.uniform(1e4, 1e5, 2000)),
        (Grid(), 1000 + 1e-3 * rng.normal(size=2000)),
        (Grid(), 1e-12 * rng.normal(size=2000)),
        (Grid(), 1e-310 * rng.normal(size=2000)),
        (Grid(), 1e300 * rng.normal(size=2000)),
    ):
        assert find_rounding(*np.unique(numbers, return_counts=True), grid, 5) is None


@pytest.mark.parametrize(("decimals", "step", "share"), [(-1, 1, 0.5), (2, 0, 0.5), (2, 1, 0.0), (2, 1, 1.5)])
def test_what_is_no_rounding_is_refused(decimals: int, step: int, share: float) -> None:
    with pytest.raises(ValueError, match="no rounding"):
        Rounding.from_state({"decimals": decimals, "step": step, "share": share})
