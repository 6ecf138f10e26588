"""Columns that never lie below another: found, and kept in order."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from synthgan import SynthGAN, infer_schema, load
from synthgan.encoding import TableEncoder
from synthgan.encoding.finding import with_gaps
from synthgan.encoding.gaps import find_gaps
from synthgan.errors import ConditionError

N = 600


def make(n: int = N) -> pd.DataFrame:
    stream = np.random.default_rng(0)
    kind = stream.choice(["short", "long"], n)
    start = pd.Series(pd.Timestamp("2022-01-01") + pd.to_timedelta(stream.integers(0, 700, n), unit="D"))
    end = start + pd.to_timedelta(stream.poisson(3, n) + 6 * (kind == "long"), unit="D")
    low = np.round(stream.normal(60, 15, n), 1)
    high = pd.Series(np.round(low + stream.gamma(2, 3, n), 1)).mask(stream.random(n) < 0.1)
    return pd.DataFrame(
        {"kind": kind, "start": start, "end": end, "low": low, "high": high, "any": stream.normal(size=n)}
    )


def found(frame: pd.DataFrame) -> list[str]:
    return [one.spec.name for one in find_gaps(frame, infer_schema(frame), [])]


def test_gaps_are_found_to_the_nearest_column_below() -> None:
    frame = make()
    assert found(frame) == ["high - low", "end - start"]
    assert found(frame.assign(end=frame["end"].where(frame.index != 7, frame["start"] - pd.Timedelta(days=1)))) == [
        "high - low"
    ]
    stream = np.random.default_rng(1)
    assert found(pd.DataFrame({"age": stream.integers(18, 90, N), "children": stream.integers(0, 9, N)})) == []
    assert found(pd.DataFrame({"a": stream.normal(0, 1, N), "b": stream.normal(99, 1, N)})) == [], "nothing to go wrong"
    assert found(frame.head(40)) == [], "few rows"


def test_a_gap_is_a_column_that_nobody_sees() -> None:
    frame = make()
    encoder = with_gaps(TableEncoder.fit(frame, infer_schema(frame)), frame)
    assert encoder.visible.names == list(frame.columns)
    assert encoder.hidden == ("high - low", "end - start")
    back = encoder.decode(encoder.encode(frame))
    pd.testing.assert_frame_equal(back, frame)
    days = (frame["end"] - frame["start"]).dt.days
    assert (encoder.whole(frame)["end - start"] == days).all()
    again = TableEncoder.from_state(encoder.schema, encoder.state())
    pd.testing.assert_frame_equal(again.decode(again.encode(frame)), frame)
    with pytest.raises(ValueError, match="hidden"):
        TableEncoder.from_state(encoder.schema, encoder.state() | {"hidden": ["kind"]})


@pytest.fixture(scope="module")
def model(tmp_path_factory: pytest.TempPathFactory) -> SynthGAN:
    path = tmp_path_factory.mktemp("gaps") / "m.synthgan"
    SynthGAN(epochs=60, hidden_dim=32, select=2, random_state=0).fit(make(), target="kind").save(path)
    out = load(path)
    assert isinstance(out, SynthGAN)
    return out


def in_order(rows: pd.DataFrame) -> bool:
    return bool((rows["end"] >= rows["start"]).all() and not (rows["high"] < rows["low"]).any())


def test_samples_are_in_order_and_as_far_apart_as_in_the_table(model: SynthGAN) -> None:
    assert model.formulas_ == ("high >= low", "end >= start")
    frame, rows = make(), model.sample(3000, random_state=0)
    assert list(rows.columns) == list(frame.columns)
    assert rows.dtypes.equals(frame.dtypes)
    assert in_order(rows)
    real, made = ((each["end"] - each["start"]).dt.days for each in (frame, rows))
    assert made.mean() == pytest.approx(real.mean(), abs=0.8)
    assert made.std() == pytest.approx(real.std(), rel=0.2)
    assert rows["high"].isna().mean() == pytest.approx(0.1, abs=0.06)
    assert model.n_features_in_ == frame.shape[1]


def test_conditions_on_either_side_stay_exact(model: SynthGAN) -> None:
    rows = model.sample(300, conditions={"end": ("2022-06-01", "2022-06-05"), "low": (50.0, 60.0)}, random_state=0)
    assert rows["end"].between("2022-06-01", "2022-06-05").all()
    assert rows["low"].between(50, 60).all()
    assert in_order(rows)
    rows = model.sample(300, conditions={"start": "2022-06-01", "high": 70.0}, random_state=0)
    assert set(rows["start"]) == {pd.Timestamp("2022-06-01")}
    assert set(rows["high"]) == {70.0}
    assert in_order(rows)
    wanted = make()[["end", "low"]].query("20 < low < 90").iloc[5:60].reset_index(drop=True)
    wanted = wanted[wanted["end"].between("2022-01-10", "2023-11-20")].reset_index(drop=True)
    rows = model.sample(conditions=wanted, random_state=0)
    pd.testing.assert_frame_equal(rows[["end", "low"]], wanted)
    assert in_order(rows)


def test_holes_are_filled_in_order(model: SynthGAN) -> None:
    frame = make()
    holes = frame.assign(end=frame["end"].where(frame.index % 2 == 0), low=frame["low"].where(frame.index % 3 > 0))
    filled = model.impute(holes, random_state=0)
    assert not filled.isna().any(axis=None)
    assert in_order(filled)
    kept = frame.index % 2 == 0
    assert filled["end"][kept].equals(frame["end"][kept])
    assert np.isfinite(model.score_samples(frame)).all()


def barely(frame: pd.DataFrame) -> SynthGAN:
    return SynthGAN(epochs=2, hidden_dim=8, select=1, random_state=0).fit(frame)


@pytest.mark.parametrize("column", ["ordered", "paid", "shipped"])
def test_chains_stay_in_order_whatever_is_given(column: str) -> None:
    stream = np.random.default_rng(3)
    frame = pd.DataFrame({"ordered": pd.Timestamp("2024-01-01") + pd.to_timedelta(stream.integers(0, 9**6, N), "min")})
    frame["paid"] = frame["ordered"] + pd.to_timedelta(stream.integers(1, 3000, N), "min")
    frame["shipped"] = frame["paid"] + pd.to_timedelta(stream.integers(1, 3000, N), "min")
    rows = barely(frame).sample(200, conditions={column: ("2024-06-01", "2024-06-10")}, random_state=1)
    assert rows[column].between("2024-06-01", "2024-06-10 23:59:59").all()
    assert (rows["shipped"] >= rows["paid"]).all()
    assert (rows["paid"] >= rows["ordered"]).all()


def test_zones_keep_their_hours() -> None:
    stream = np.random.default_rng(3)
    start = pd.Series(pd.Timestamp("2024-01-01") + pd.to_timedelta(stream.integers(0, 9**6, N), "min"))
    start = start.dt.tz_localize("Europe/Berlin", ambiguous=True, nonexistent="shift_forward")
    frame = pd.DataFrame({"start": start, "end": start + pd.to_timedelta(stream.integers(5, 300, N), "min")})
    model = barely(frame)
    assert model.formulas_ == ("end >= start",)
    twice = pd.Timestamp("2024-10-27 00:30", tz="UTC")  # half past two, for the first time
    assert set(model.sample(5, conditions={"end": twice}, random_state=1)["end"]) == {twice}
    assert barely(frame.assign(end=frame["end"].dt.tz_convert("America/New_York"))).formulas_ == ()


def test_names_of_gaps_do_not_collide() -> None:
    stream = np.random.default_rng(4)
    low, other = stream.integers(0, 40, N), stream.integers(100, 190, N)
    frame = pd.DataFrame(
        {0: low, 1: low + stream.integers(0, 5, N), "0": other, "1": other + stream.integers(0, 9, N), "1 - 0": "taken"}
    )
    model = barely(frame)
    assert model.formulas_ == ("[1] >= [0]", "'1' >= '0'")
    rows = model.sample(50, random_state=0)
    assert list(rows.columns) == list(frame.columns)
    with pytest.raises(ConditionError, match="no column '1 - 0 '"):
        model.sample(5, conditions={"1 - 0 ": 3.0})


def test_two_give_way_where_one_cannot() -> None:
    stream = np.random.default_rng(5)
    frame = pd.DataFrame({"low": stream.integers(0, 40, N) * 10})
    frame["high"] = frame["low"] + stream.integers(1, 30, N)
    filled = barely(frame).impute(frame.assign(low=np.nan), random_state=0)
    assert filled["high"].equals(frame["high"])
    assert (filled["high"] >= filled["low"]).all()
