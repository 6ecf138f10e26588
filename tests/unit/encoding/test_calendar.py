"""Parts of points in time that other columns go with."""

from __future__ import annotations

import dataclasses

import numpy as np
import pandas as pd
import pytest

from synthgan import SynthGAN, infer_schema, load
from synthgan.encoding import TableEncoder, protect
from synthgan.encoding.finding import learned_encoder, with_calendar

N = 1500


def dates(n_days: int, n_rows: int = N) -> pd.Series:
    days = np.random.default_rng(0).integers(0, n_days, n_rows)
    return pd.Series(pd.Timestamp("2008-02-03") + pd.to_timedelta(days, unit="D"))


def hidden(**columns: object) -> tuple[object, ...]:
    frame = pd.DataFrame(columns)
    return with_calendar(TableEncoder.fit(frame, infer_schema(frame)), frame).hidden


def test_a_part_is_found_where_a_column_goes_with_it() -> None:
    rng, when = np.random.default_rng(1), dates(4000)
    noise = rng.normal(size=N)
    weekend, winter = when.dt.dayofweek >= 5, when.dt.month.isin([12, 1, 2])
    assert hidden(when=when, sold=noise + weekend) == ("dayofweek(when)",)
    assert hidden(when=when, heat=noise + 2 * winter) == ("month(when)",)
    assert hidden(when=when, open=np.where(weekend & (noise < 1), "no", "yes")) == ("dayofweek(when)",)
    assert hidden(when=when, paid=noise + 2 * (when.dt.day > 25)) == ("day(when)",)
    both = noise + 2 * weekend + 2 * winter
    assert hidden(when=when, sold=both) == ("dayofweek(when)", "month(when)")
    assert hidden(when=when.mask(noise > 1), sold=both) == ("dayofweek(when)", "month(when)"), "some days are missing"


def test_nothing_is_found_where_nothing_goes_with_a_part() -> None:
    rng, when = np.random.default_rng(2), dates(4000)
    trend = (when - when.min()).dt.days / 1000
    assert hidden(when=when, x=rng.normal(size=N), y=rng.integers(0, 30, N)) == ()
    assert hidden(when=when, x=trend + rng.normal(size=N)) == (), "what changes with the years"
    assert hidden(when=when) == ()
    assert hidden(x=rng.normal(size=N), y=rng.normal(size=N)) == ()


def test_few_days_are_told_apart_as_they_are() -> None:
    when = dates(14)
    assert hidden(when=when, sold=np.random.default_rng(3).normal(size=N) + 3 * (when.dt.dayofweek >= 5)) == ()


def test_a_part_that_a_column_holds_is_not_made_again() -> None:
    when = dates(4000)
    sold = np.random.default_rng(4).normal(size=N) + 3 * (when.dt.dayofweek >= 5)
    frame = pd.DataFrame({"when": when, "day": when.dt.dayofweek + 1, "sold": sold})
    found = learned_encoder(protect(frame, infer_schema(frame), 1), 1)
    assert found.hidden == ()
    assert found.rules.told() == ("day = dayofweek(when) + 1",)


@pytest.fixture(scope="module")
def sales() -> pd.DataFrame:
    when = dates(4000)
    sold = np.random.default_rng(5).normal(100, 5, N) + 40 * (when.dt.dayofweek >= 5)
    return pd.DataFrame({"dayofweek(when)": np.arange(N) % 7, "when": when, "sold": sold.round(1)})


@pytest.fixture(scope="module")
def model(sales: pd.DataFrame, tmp_path_factory: pytest.TempPathFactory) -> SynthGAN:
    path = tmp_path_factory.mktemp("calendar") / "m.synthgan"
    SynthGAN(epochs=100, select=1, stand_ins=False, n_members=1, random_state=0).fit(sales).save(path)
    out = load(path)
    assert isinstance(out, SynthGAN)
    return out


def weekends_sell_more(rows: pd.DataFrame) -> float:
    weekend = rows["when"].dt.dayofweek >= 5
    return float(rows.loc[weekend, "sold"].mean() - rows.loc[~weekend, "sold"].mean())


def test_the_week_is_kept_and_not_shown(model: SynthGAN, sales: pd.DataFrame) -> None:
    """Without its own column the weekday would hardly tell: a stretch of time has all of them."""
    assert model.model_.encoder.hidden == ("dayofweek(when) ",), "a label that no column has"
    assert model.formulas_ == ()
    assert model.plan(sales).n_columns == 3
    rows = model.sample(3000, random_state=0)
    assert rows.dtypes.equals(sales.dtypes)
    assert weekends_sell_more(rows) == pytest.approx(40, abs=6)


def test_conditions_and_imputation_know_the_week(model: SynthGAN, sales: pd.DataFrame) -> None:
    inside = sales["when"].between("2009-01-01", "2018-01-01")  # the table's ends are not the model's
    asked = sales.loc[inside, ["when"]].iloc[:600]
    given = model.sample(conditions=asked, random_state=1)
    pd.testing.assert_series_equal(given["when"], asked["when"].reset_index(drop=True))
    assert weekends_sell_more(given) == pytest.approx(40, abs=6)
    holes = sales.iloc[:600].assign(sold=np.nan)
    filled = model.impute(holes, random_state=2)
    assert weekends_sell_more(filled) == pytest.approx(40, abs=6)


def test_an_encoder_is_rebuilt_from_its_state(sales: pd.DataFrame) -> None:
    encoder = learned_encoder(protect(sales, infer_schema(sales), 5), 5)
    again = TableEncoder.from_state(encoder.schema, encoder.state())
    assert again.hidden == encoder.hidden == ("dayofweek(when) ",)
    assert again.derived == encoder.derived
    table, other = encoder.encode(sales), again.encode(sales)
    np.testing.assert_array_equal(table.codes, other.codes)
    pd.testing.assert_frame_equal(again.decode(other), encoder.decode(table))
    loose = dataclasses.replace(encoder, derived=())
    with pytest.raises(ValueError, match="hidden"):
        TableEncoder.from_state(loose.schema, loose.state())
