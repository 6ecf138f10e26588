"""Numbers that follow from one other column, as soon as that is drawn."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from synthgan import SynthGAN, infer_schema
from synthgan.encoding import TableEncoder
from synthgan.encoding.finding import with_derived
from synthgan.sampling.following import Following

N_ROWS = 900


@pytest.fixture(scope="module")
def days() -> pd.DataFrame:
    """Days of ten years with what hangs on them; of some rows the day is missing, and its parts with it."""
    rng = np.random.default_rng(0)
    when = pd.Series(pd.Timestamp("2010-01-01") + pd.to_timedelta(rng.integers(0, 3650, N_ROWS), unit="D"))
    known = when.where(rng.random(N_ROWS) > 0.1)
    frame = pd.DataFrame(
        {
            "name": when.dt.day_name(),
            "sold": (100 + 40 * (when.dt.dayofweek >= 5) + rng.normal(0, 5, N_ROWS)).round(1),
            "month": known.dt.month,
            "weekday": known.dt.dayofweek + 1,
            "when": known,
        }
    )
    frame["twice"] = (2 * frame["sold"]).where(rng.random(N_ROWS) > 0.2)
    return frame


@pytest.fixture(scope="module")
def model(days: pd.DataFrame) -> SynthGAN:
    return SynthGAN(epochs=300, n_members=1, select=1, random_state=0).fit(days)


@pytest.fixture(scope="module")
def encoder(days: pd.DataFrame) -> TableEncoder:
    return with_derived(TableEncoder.fit(days, infer_schema(days)), days)


def test_what_follows_comes_right_after_what_it_follows_from(encoder: TableEncoder) -> None:
    place = {name: encoder.layout.blocks_of(name)[0] for name in encoder.schema.names}
    following = Following(encoder)
    assert set(following.formulas) == {place["month"], place["weekday"], place["twice"]}
    for seed in range(20):
        order = np.random.default_rng(seed).permutation(len(place)).tolist()
        found = following.arranged(order)
        assert sorted(found) == sorted(order)
        assert found[0] == place["when"]
        assert {found[1], found[2]} == {place["month"], place["weekday"]}
        assert found[found.index(place["sold"]) + 1] == place["twice"]
        others = [place["name"], place["sold"]]  # at random, as they were
        assert sorted(others, key=found.index) == sorted(others, key=order.index)


def test_what_follows_from_a_column_that_is_there_comes_first(encoder: TableEncoder) -> None:
    place = {name: encoder.layout.blocks_of(name)[0] for name in encoder.schema.names}
    order = [place["name"], place["sold"], place["weekday"]]
    assert Following(encoder).arranged(order) == [place["weekday"], place["name"], place["sold"]]


def test_nothing_waits_for_the_block_that_comes_last(encoder: TableEncoder) -> None:
    place = {name: encoder.layout.blocks_of(name)[0] for name in encoder.schema.names}
    following = Following(encoder, last=place["sold"])
    assert place["twice"] not in following.formulas
    order = [place["twice"], place["name"]]
    assert following.arranged(order) == order


def test_values_are_those_of_the_formula(days: pd.DataFrame, encoder: TableEncoder) -> None:
    (block,) = encoder.layout.blocks_of("month")
    table = encoder.encode(days)
    told, code, position = Following(encoder).values(block, table)
    np.testing.assert_array_equal(told, days["when"].notna())
    np.testing.assert_array_equal(code[told], table.codes[told, block])
    assert position.dtype == np.float32


@pytest.mark.parametrize(("n_passes", "least"), [(None, 0.9), (1, 0.2)])
def test_names_of_weekdays_go_with_the_days(model: SynthGAN, n_passes: int | None, least: float) -> None:
    """They go with the weekday's number, which nearly tells them; by chance a seventh of them would."""
    rows = model.sample(2000, n_passes=n_passes, random_state=1).dropna(subset=["when", "month", "weekday"])
    assert len(rows) > 1500
    assert (rows["weekday"] == rows["when"].dt.dayofweek + 1).all()
    assert (rows["month"] == rows["when"].dt.month).all()
    assert (rows["name"] == rows["when"].dt.day_name()).mean() > least


def test_what_goes_with_a_part_goes_with_the_day(model: SynthGAN) -> None:
    rows = model.sample(2000, random_state=1).dropna(subset=["when"])
    weekend = rows["when"].dt.dayofweek >= 5
    assert rows.loc[weekend, "sold"].mean() - rows.loc[~weekend, "sold"].mean() == pytest.approx(40, abs=8)


def test_rows_without_a_day_have_no_parts(model: SynthGAN) -> None:
    """That is drawn, not computed: what does not follow is left as it was drawn."""
    rows = model.sample(2000, random_state=2)
    missing = rows["when"].isna()
    assert missing.mean() == pytest.approx(0.1, abs=0.04)
    assert rows.loc[missing, ["month", "weekday"]].isna().mean().min() > 0.9
    assert rows.loc[missing, "name"].nunique() == 7


def test_what_is_missing_by_itself_stays_so(model: SynthGAN) -> None:
    rows = model.sample(2000, random_state=5)
    assert rows["twice"].isna().mean() == pytest.approx(0.2, abs=0.05)
    known = rows.dropna(subset=["twice"])
    np.testing.assert_allclose(known["twice"], 2 * known["sold"])


def test_conditions_are_kept(model: SynthGAN) -> None:
    rows = model.sample(300, conditions={"when": ("2015-03-01", "2015-03-31")}, random_state=3)
    rows = rows.dropna(subset=["month", "weekday"])
    assert len(rows) > 250
    assert (rows["month"] == 3).all()
    assert (rows["weekday"] == rows["when"].dt.dayofweek + 1).all()
    assert (model.sample(300, conditions={"month": 3}, random_state=4)["month"] == 3).all()


def test_a_target_that_follows_needs_no_trees(days: pd.DataFrame) -> None:
    found = SynthGAN(epochs=2, select=1, random_state=0).fit(days, target="month")
    assert found.model_.generator.target is None  # type: ignore[union-attr]
    rows = found.sample(200, random_state=0).dropna(subset=["when", "month"])
    assert len(rows) > 100
    assert (rows["month"] == rows["when"].dt.month).all()
