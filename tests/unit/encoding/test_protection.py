"""What fewer rows hold than asked for is in no encoder, no schema and no file."""

from __future__ import annotations

import json
import logging
import zipfile
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from synthgan import CTGAN, TVAE, Synthesizer, SynthGAN, VanillaGAN, infer_schema, load
from synthgan.encoding import TableEncoder, protect
from synthgan.encoding.continuous import NumericEncoder
from synthgan.encoding.grid import Grid
from synthgan.errors import ConditionError, ConfigError

N = 400


def sensitive() -> pd.DataFrame:
    """Rows with something in every column that one row, or a few, could be told by."""
    rng = np.random.default_rng(0)
    town = rng.choice(["Ulm", "Bonn"], N).astype(object)
    town[:3], town[3] = "Hintertupfing", "Oberammergau"
    salary = np.round(rng.lognormal(10, 0.4, N), 2)
    salary[7] = 98_765_432.1
    day = pd.Timestamp("2020-01-06") + pd.to_timedelta(7 * rng.integers(5, 90, N), unit="D")
    day = day.to_numpy().copy()
    day[11] = np.datetime64("1931-04-06")
    return pd.DataFrame(
        {
            "town": town,
            "level": pd.Categorical(np.where(np.arange(N) < 2, "odd", town == "Ulm"), ["odd", "True", "False", "none"]),
            "salary": salary,
            "weight": rng.normal(size=N),
            "age": np.where(np.arange(N) == 5, 117, rng.integers(18, 80, N)),
            "day": day,
            "stamp": (pd.Timestamp("2021-01-01") + pd.to_timedelta(rng.integers(0, 10**7, N), unit="s")).strftime(
                "%Y-%m-%d %H:%M:%S"
            ),
            "customer_id": rng.permutation(np.arange(5_000_001, 5_000_001 + N)),
            "code": [f"K{number:07d}" for number in rng.permutation(10**6)[:N]],
            "flag": np.arange(N) == 9,
        }
    )


@pytest.fixture(scope="module")
def table() -> pd.DataFrame:
    return sensitive()


@pytest.fixture(scope="module")
def model(table: pd.DataFrame) -> SynthGAN:
    return SynthGAN(epochs=1, hidden_dim=8, random_state=0).fit(table)


@pytest.fixture(scope="module", params=["SynthGAN", "CTGAN", "TVAE", "VanillaGAN"])
def any_model(request: pytest.FixtureRequest, model: SynthGAN, table: pd.DataFrame) -> Synthesizer:
    small: dict[str, Synthesizer] = {
        "CTGAN": CTGAN(epochs=1, generator_dims=(8,), discriminator_dims=(8,), random_state=0),
        "TVAE": TVAE(epochs=1, random_state=0),
        "VanillaGAN": VanillaGAN(epochs=1, output="tanh", random_state=0),
    }
    return small[request.param].fit(table) if request.param in small else model


def test_no_rare_text_is_in_the_file(any_model: Synthesizer, table: pd.DataFrame, tmp_path: Path) -> None:
    any_model.save(tmp_path / "m.synthgan")
    content = (tmp_path / "m.synthgan").read_bytes()
    rare = ["Hintertupfing", "Oberammergau", '"odd"', "98765432", "1931-04"]
    assert [text for text in (*rare, *table["code"], *table["stamp"]) if text.encode() in content] == []
    assert b"Ulm" in content  # the scan finds what is there


def test_no_number_that_few_rows_hold_is_in_the_file(
    any_model: Synthesizer, table: pd.DataFrame, tmp_path: Path
) -> None:
    any_model.save(tmp_path / "m.synthgan")
    with zipfile.ZipFile(tmp_path / "m.synthgan") as file:
        arrays, state = file.read("arrays.safetensors"), json.loads(file.read("state.json"))
    written = json.dumps(state)
    for name in ("salary", "weight", "customer_id"):
        counts = table[name].value_counts()
        rare = counts.index[counts < 5].to_numpy()
        held = [number for number in rare if np.float64(number).tobytes() in arrays or f"{number!r}" in written]
        assert held == [], name
    clock = pd.to_datetime(table["stamp"])
    for end in (clock - clock.dt.normalize()).dt.total_seconds().agg(["min", "max"]):
        assert np.float64(1e6 * end).tobytes() not in arrays
        assert f"{1e6 * end}" not in written


def test_everything_stored_stands_for_enough_rows(table: pd.DataFrame) -> None:
    kept = protect(table, infer_schema(table), 5)
    encoder = TableEncoder.fit(kept.frame, kept.schema, min_rows=5)
    coded = encoder.encode(kept.frame)
    for place, block in enumerate(encoder.layout.blocks):
        positioned = encoder.layout.positioned
        position = coded.positions[:, positioned.index(place)] if block.has_positions else np.full(N, 0.5)
        flat, _ = block.cells.flatten(coded.codes[:, place], position)
        counts = np.bincount(flat, minlength=len(block.cells.code))
        if block.column != "flag":  # rounding the ends of intervals moved a row or two next door
            assert counts.min() >= 3, block.column


def test_the_table_stays_what_it_was(table: pd.DataFrame, model: SynthGAN) -> None:
    before = sensitive()
    pd.testing.assert_frame_equal(table, before)
    rows = model.sample(500, random_state=0)
    assert set(rows["town"]) == {"Ulm", "Bonn"}
    assert rows["level"].cat.categories.tolist() == ["True", "False", "none"]
    assert set(rows["level"]) == {"True", "False"}
    assert rows.drop(columns="level").dtypes.equals(table.drop(columns="level").dtypes)
    assert rows["day"].dt.dayofweek.eq(0).all(), "weeks stay weeks"
    assert rows["day"].min() > pd.Timestamp("1990-01-01")
    assert rows["salary"].max() < 98_765_432.1
    assert rows["age"].between(18, 116).all()
    assert not set(rows["customer_id"]) & set(table["customer_id"])


def test_rare_values_cannot_be_asked_for(model: SynthGAN) -> None:
    for condition in ({"town": "Oberammergau"}, {"salary": 98_765_432.1}, {"day": "1931-04-06"}):
        with pytest.raises(ConditionError, match=next(iter(condition))):
            model.sample(3, conditions=condition)


@pytest.mark.parametrize("off", [0, 1])
def test_it_can_be_switched_off(table: pd.DataFrame, off: int) -> None:
    model = SynthGAN(epochs=1, hidden_dim=8, random_state=0, protect_rare=off).fit(table)
    assert model.schema_ == infer_schema(table)
    assert set(model.sample(3, conditions={"town": "Oberammergau"})["town"]) == {"Oberammergau"}


@pytest.mark.parametrize("wrong", [-1, 2.5, "5", None, True])
def test_the_number_of_rows_is_checked(table: pd.DataFrame, wrong: Any) -> None:
    with pytest.raises(ConfigError, match="protect_rare"):
        SynthGAN(epochs=1, hidden_dim=8, protect_rare=wrong).fit(table)


def test_a_column_of_rare_categories_only_is_given_up_with_a_warning(caplog: pytest.LogCaptureFixture) -> None:
    frame = pd.DataFrame({"x": np.arange(30) % 4, "name": [f"name {k // 2}" for k in range(30)]})
    with caplog.at_level(logging.WARNING, "synthgan"):
        model = SynthGAN(epochs=1, hidden_dim=8, random_state=0).fit(frame)
    assert "'name'" in caplog.text
    assert "protect_rare=1" in caplog.text
    rows = model.sample(10, random_state=0)
    assert rows["name"].isna().all()
    assert rows["name"].dtype == object
    assert model.impute(frame)["name"].equals(frame["name"])


def jobs(dtype: str = "object") -> pd.DataFrame:
    """A third of the rows hold one of two jobs, the others one of sixty, in three rows each; some have none."""
    x = np.arange(270) % 3
    names = np.where(
        x == 0, np.where(np.arange(270) % 2, "nurse", "other"), [f"expert in {k // 4}" for k in range(270)]
    )
    name = pd.Series(names.astype(object)).mask(np.arange(270) % 27 == 5)
    return pd.DataFrame({"x": x, "job": name.astype(dtype)})


@pytest.mark.parametrize("dtype", ["object", "string"])
@pytest.mark.parametrize("kind", [SynthGAN, CTGAN])
def test_many_rare_texts_are_numbered(kind: type[Synthesizer], dtype: str, tmp_path: Path) -> None:
    """The frequent ones keep their shares, no rare one comes back, and no two cells are alike."""
    frame = jobs(dtype)
    model = kind(epochs=40, random_state=0).fit(frame)
    model.save(tmp_path / "jobs.synthgan")
    assert b"expert" not in json.dumps(model.schema_.to_dict()).encode()
    spec = load(tmp_path / "jobs.synthgan").schema_["job"]
    assert (spec.other, spec.levels) == ("other_", ("nurse", "other", "other_"))
    rows = load(tmp_path / "jobs.synthgan").sample(5000, random_state=1)
    assert rows["job"].dtype == frame["job"].dtype
    made = rows["job"][rows["job"].notna() & ~rows["job"].isin(["nurse", "other"])]
    assert made.is_unique
    assert made.str.fullmatch(r"other_-[0-9]+").all()
    if kind is SynthGAN:
        assert len(made) / len(rows) == pytest.approx((frame["x"] > 0).mean() - frame["job"].isna().mean(), abs=0.05)
        assert rows["job"].isna().mean() == pytest.approx(frame["job"].isna().mean(), abs=0.03)
    assert made.iloc[0] == f"other_-{made.index[0] + 1}"


def test_the_same_rare_text_comes_to_the_same_row() -> None:
    model = SynthGAN(epochs=1, hidden_dim=8, random_state=0).fit(jobs())
    whole = model.sample(5000, random_state=2)
    pd.testing.assert_frame_equal(pd.concat(model.sample_batches(5000, random_state=2), ignore_index=True), whole)
    asked = model.sample(20, conditions={"job": "other_"}, random_state=0)["job"]
    assert asked.tolist() == [f"other_-{row + 1}" for row in range(20)]


@pytest.mark.parametrize("kind", [SynthGAN, CTGAN])
def test_rare_texts_can_be_asked_for_and_scored(kind: type[Synthesizer]) -> None:
    frame = jobs()
    model = kind(epochs=30, random_state=0).fit(frame, target="job")
    rows = model.sample(conditions={"x": {1, 2}}, class_counts={"other_": 4, "nurse": 2}, random_state=0)["job"]
    assert rows.str.startswith("other_-").sum() == 4
    assert (rows == "nurse").sum() == 2
    if isinstance(model, SynthGAN):
        rare = frame[frame["job"].astype(str).str.startswith("expert")].head(5)
        np.testing.assert_allclose(model.score_samples(rare), model.score_samples(rare.assign(job="other_")))
        assert model.impute(rare)["job"].tolist() == rare["job"].tolist()


def test_few_rare_texts_become_frequent_ones() -> None:
    frame = pd.DataFrame({"town": ["Ulm"] * 50 + ["Bonn"] * 30 + [f"town {k}" for k in range(19)]})
    spec = protect(frame, infer_schema(frame), 5).schema["town"]
    assert (spec.other, spec.levels) == (None, ("Bonn", "Ulm"))


def test_bounds_that_a_schema_sets_wider_are_kept() -> None:
    frame = pd.DataFrame({"x": np.arange(100) * 7 % 50, "y": pd.date_range("2020-01-01", periods=100)})
    schema = infer_schema(frame, {"x": {"low": -5, "high": 200}, "y": {"high": "2021-01-01T00:00:00"}})
    kept = protect(frame, schema, 5).schema
    assert (kept["x"].low, kept["x"].high) == (-5, 200)
    assert (kept["y"].low, kept["y"].high) == ("2020-01-03T00:00:00", "2021-01-01T00:00:00")


def test_the_mean_of_extremes_is_not_by_chance_what_few_rows_hold() -> None:
    ages = np.array([75, 75, 74, 74, 74, 74, 70, 68, 68, 67, *np.arange(20, 66).repeat(5)])
    days = pd.Timestamp("2020-01-01") + pd.to_timedelta(ages, unit="D")
    frame = pd.DataFrame({"age": ages, "day": days})
    kept = protect(frame, infer_schema(frame), 5).schema
    assert (kept["age"].low, kept["age"].high) == (20, 73), "74 is the mean, and the age of four"
    assert kept["day"].high == (pd.Timestamp("2020-01-01") + pd.Timedelta(days=73)).isoformat()


@given(
    st.lists(st.floats(-1e6, 1e6) | st.integers(-3, 3).map(float), min_size=1, max_size=200),
    st.integers(2, 9),
    st.sampled_from([None, 0, 2]),
)
def test_cells_hold_enough_rows_whatever_the_numbers(numbers: list[float], min_rows: int, decimals: int | None) -> None:
    values = np.array(numbers)
    grid = Grid(decimals, 1, values.min(), values.max()) if decimals is not None else Grid(None, 1)
    values = grid.snap(values)
    encoder = NumericEncoder.fit(values, grid, 8, min_rows)
    code, position, known = encoder.encode(values)
    flat, _ = encoder.cells.flatten(code, position)
    counts = np.bincount(flat, minlength=len(encoder.low))
    assert known.all()
    assert (encoder.low <= encoder.high).all()
    assert (encoder.high[:-1] <= encoder.low[1:]).all()
    # Rounding of interval ends may move a few rows at an end to the neighbour.
    assert len(counts) == 1 or counts.sum() >= min_rows * len(counts)
    assert set(np.unique(encoder.cells.code)) == set(range(encoder.cells.n_codes))
    decoded = encoder.decode(code, position)
    assert (decoded >= values.min()).all()
    assert (decoded <= values.max()).all()
