"""Conditions on parts of points in time."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
import pytest

from synthgan import SynthGAN
from synthgan.errors import ConditionError


@pytest.fixture(scope="module")
def model() -> SynthGAN:
    """Knows days of ten years, some of them missing, and an hour of each."""
    rng = np.random.default_rng(0)
    n_rows = 800
    seconds = rng.integers(0, 3650 * 86_400, n_rows)
    when = pd.Series(pd.Timestamp("2010-01-01") + pd.to_timedelta(seconds, unit="s")).where(rng.random(n_rows) > 0.1)
    frame = pd.DataFrame(
        {
            "when": when,
            "year": when.dt.year,
            "month": when.dt.month,
            "day": when.dt.day,
            "weekday": when.dt.dayofweek + 1,
            "hour": when.dt.hour,
            "x": rng.normal(size=n_rows),
        }
    )
    return SynthGAN(epochs=20, select=1, stand_ins=False, n_members=1, random_state=0).fit(frame)


@pytest.mark.parametrize(
    "conditions",
    [
        {"month": 3},
        {"month": {2, 3}, "weekday": 7},
        {"year": (2012, 2013), "weekday": {1, 2}},
        {"year": 2015, "month": (None, 3)},
        {"weekday": (6, None), "x": (0, None)},
    ],
)
def test_days_have_the_parts_that_are_asked_for(model: SynthGAN, conditions: dict[str, Any]) -> None:
    rows = model.sample(500, conditions=conditions, random_state=1)
    assert rows["when"].notna().all()
    parts = rows["when"].dt
    for name, found in {"year": parts.year, "month": parts.month, "weekday": parts.dayofweek + 1}.items():
        if name in conditions:
            assert (rows[name] == found).all()
            wanted = conditions[name]
            low, high = wanted if isinstance(wanted, tuple) else (None, None)
            fits = found.isin(wanted if isinstance(wanted, set) else [wanted]) | (low is not None) | (high is not None)
            assert fits.all()
            assert found.between(-np.inf if low is None else low, np.inf if high is None else high).all()
    assert rows["when"].dt.normalize().nunique() > 20, "no few days for all rows"


def test_months_come_as_in_the_table(model: SynthGAN) -> None:
    rows = model.sample(2000, conditions={"month": {1, 2, 7}}, random_state=2)
    share = rows["when"].dt.month.value_counts(normalize=True)
    np.testing.assert_allclose(share[[1, 2, 7]], 1 / 3, atol=0.12)


def test_a_part_that_may_be_missing_leaves_the_day_alone(model: SynthGAN) -> None:
    rows = model.sample(300, conditions={"month": {5, None}}, random_state=3)
    assert (rows["month"].isna() | (rows["month"] == 5)).all()


@pytest.mark.parametrize("when", [("2012-01-01", "2012-12-31"), ("2012-05-03 09:00", "2014-05-20 18:00")])
def test_a_day_with_a_condition_of_its_own_keeps_to_both(model: SynthGAN, when: tuple[str, str]) -> None:
    rows = model.sample(400, conditions={"month": 5, "when": when}, random_state=4)
    last = pd.Timestamp(when[1]) + (pd.Timedelta(days=1) if len(when[1]) == 10 else pd.Timedelta(0))
    assert rows["when"].between(when[0], last).all()
    assert (rows["month"] == 5).all()
    assert (rows["when"].dt.month == 5).all()


def test_a_day_that_is_given_stays(model: SynthGAN) -> None:
    rows = model.sample(3, conditions={"month": 5, "when": "2012-03-01 10:00:00"}, random_state=5)
    assert (rows["when"] == pd.Timestamp("2012-03-01 10:00")).all()
    assert (rows["month"] == 5).all(), "conditions go before formulas"


@pytest.mark.parametrize(
    "conditions", [{"month": 2, "day": {30, 31}}, {"month": 4, "when": ("2012-05-01", "2012-06-01")}]
)
def test_parts_that_no_day_has_are_refused(model: SynthGAN, conditions: dict[str, Any]) -> None:
    with pytest.raises(ConditionError, match="no day that column 'when' may hold has the 'month'"):
        model.sample(3, conditions=conditions)
