"""How often the days of the week come."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from synthgan import SynthGAN, infer_schema, load
from synthgan.encoding import TableEncoder
from synthgan.encoding.temporal import TemporalEncoder
from synthgan.encoding.week import Week, week_of_state

N = 1200

weeks = st.builds(
    Week,
    st.lists(st.sampled_from([0.0, 0.5, 1.0, 3.0]), min_size=7, max_size=7).filter(any).map(tuple),
    st.integers(-10_000, 30_000),
)


def days_of(when: pd.Series) -> TemporalEncoder:
    frame = pd.DataFrame({"when": when, "x": np.arange(len(when)) % 5})
    encoder = TableEncoder.fit(frame, infer_schema(frame), min_rows=5).encoders["when"]
    assert isinstance(encoder, TemporalEncoder)
    return encoder


def dates(keep: tuple[float, ...], start: str = "2000-01-01", n_days: int = 7000) -> pd.Series:
    """Days of which those of the week are kept so often."""
    rng = np.random.default_rng(0)
    when = pd.Series(pd.Timestamp(start) + pd.to_timedelta(rng.integers(0, n_days, 20 * N), unit="D"))
    kept = when[rng.random(len(when)) < np.array(keep)[when.dt.dayofweek]]
    return kept.iloc[:N].reset_index(drop=True)


@given(weeks, st.integers(-500, 500), st.integers(1, 60))
def test_days_of_a_stretch_come_as_their_weights_say(week: Week, first: int, n_days: int) -> None:
    """Against the naive way: each day as often as its weight."""
    low, high = np.array([first - 0.5]), np.array([first + n_days - 0.5])
    inside = (np.arange(5000) + 0.5) / 5000
    place = week.spread(*(np.repeat(end, len(inside)) for end in (low, high)), inside)
    assert ((place >= 0) & (place < 1)).all()
    found = np.round(low + place * (high - low)).astype(int)
    every = first + np.arange(n_days)
    weight = np.array(week.weights)[pd.to_datetime(every + week.origin, unit="D").dayofweek]
    if not weight.any():
        weight = np.ones(n_days)
    share = (found == every[:, None]).mean(axis=1)
    np.testing.assert_allclose(share, weight / weight.sum(), atol=1e-3)


@given(weeks, st.integers(-500, 500))
def test_time_passes_by_the_day(week: Week, first: int) -> None:
    ends = first - 0.5 + np.arange(30.0)
    weight = np.array(week.weights)[pd.to_datetime(first + np.arange(29) + week.origin, unit="D").dayofweek]
    np.testing.assert_allclose(np.diff(week.passed(ends)), weight, atol=1e-6)
    with_weight = np.flatnonzero(weight)
    middle = first + with_weight.astype(float)
    np.testing.assert_allclose(week.reached(week.passed(middle)), middle, atol=1e-4)


def test_weights_are_those_of_the_table() -> None:
    keep = (1.0, 1.0, 1.0, 1.0, 0.5, 0.2, 0.0)
    found = days_of(dates(keep)).week
    assert found is not None
    weights = np.array(found.weights) / np.mean(found.weights[:4])
    np.testing.assert_allclose(weights, keep, atol=0.12)
    assert found.weights[6] == 0


def test_a_small_table_without_sundays_has_none_either() -> None:
    found = days_of(dates((1.0,) * 6 + (0.0,))[:130]).week
    assert found is not None
    assert found.weights[6] == 0
    assert min(found.weights[:6]) > 0.3
    assert days_of(dates((1.0,) * 7)[:130]).week is None


def test_days_that_come_alike_have_no_week() -> None:
    assert days_of(dates((1.0,) * 7)).week is None
    assert days_of(dates((1.0,) * 5 + (0.0,) * 2, n_days=20)).week is None, "each day is learned by itself"
    assert days_of(dates((0.0,) * 6 + (1.0,))).week is None, "a table of Sundays"


@pytest.fixture(scope="module")
def model(tmp_path_factory: pytest.TempPathFactory) -> SynthGAN:
    when = dates((1.0,) * 5 + (0.3, 0.0))
    frame = pd.DataFrame({"when": when, "weekday": when.dt.dayofweek, "x": np.random.default_rng(1).normal(size=N)})
    path = tmp_path_factory.mktemp("week") / "m.synthgan"
    SynthGAN(epochs=10, select=1, stand_ins=False, n_members=1, random_state=0).fit(frame).save(path)
    out = load(path)
    assert isinstance(out, SynthGAN)
    return out


@pytest.mark.parametrize("conditions", [None, {"when": ("2003-01-01", "2015-12-31")}])
def test_a_closed_day_is_not_sampled(model: SynthGAN, conditions: dict[str, tuple[str, str]] | None) -> None:
    rows = model.sample(4000, conditions=conditions, random_state=0)
    share = rows["when"].dt.dayofweek.value_counts(normalize=True).reindex(range(7), fill_value=0.0)
    assert share[6] == 0
    assert share[5] == pytest.approx(0.3 / 5.3, abs=0.02)
    assert share[:5].max() - share[:5].min() < 0.05
    assert (rows["weekday"] == rows["when"].dt.dayofweek).all()


def test_a_given_day_stays(model: SynthGAN) -> None:
    asked = pd.DataFrame({"when": pd.to_datetime(["2004-02-01", "2004-02-08", "2004-02-10"])})  # two Sundays
    pd.testing.assert_series_equal(model.sample(conditions=asked, random_state=0)["when"], asked["when"])


@pytest.mark.parametrize(
    "state", [[1.0] * 6, [0.0] * 7, [1e-300] * 7, *([1.0] * 6 + [odd] for odd in (-1, np.nan, 1e300))]
)
def test_weights_in_a_file_are_looked_at(state: list[float]) -> None:
    with pytest.raises(ValueError, match="seven weights"):
        week_of_state(state, 0)
