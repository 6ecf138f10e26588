"""Small tables whose structure must be learned: the shapes that generators are known to lose."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from sklearn.datasets import make_moons

from synthgan import SynthGAN


def learned(table: pd.DataFrame, n: int = 4000, **settings: Any) -> pd.DataFrame:
    """Rows of the networks alone: no critic makes up for what they have not learned."""
    usual = {"epochs": 100, "batch_size": 250, "hidden_dim": 64, "select": 1, "random_state": 0}
    return SynthGAN(**usual | settings).fit(table).sample(n, random_state=1)


@pytest.mark.slow
def test_a_line_is_a_line() -> None:
    x = np.random.default_rng(0).normal(size=1000)
    rows = learned(pd.DataFrame({"x": x, "y": x}))
    assert np.corrcoef(rows["x"], rows["y"])[0, 1] > 0.93
    assert (rows["x"] - rows["y"]).abs().median() < 0.15


@pytest.mark.slow
def test_two_moons_stay_apart() -> None:
    points, moon = make_moons(1000, noise=0.05, random_state=0)
    rows = learned(pd.DataFrame({"x": points[:, 0], "y": points[:, 1], "moon": moon == 1}), epochs=200)
    centre = np.where(rows["moon"], 1.0, 0.0), np.where(rows["moon"], 0.5, 0.0)
    radius = np.hypot(rows["x"] - centre[0], rows["y"] - centre[1])
    assert abs(radius.median() - 1) < 0.05
    assert ((radius - 1).abs() < 0.25).mean() > 0.85
    side = np.where(rows["moon"], rows["y"] < 0.5 + 0.25, rows["y"] > -0.25)
    assert side.mean() > 0.95


def test_a_rare_category_keeps_its_share() -> None:
    rng = np.random.default_rng(0)
    kind = rng.choice(["common", "usual", "rare"], 3000, p=[0.69, 0.30, 0.01])
    table = pd.DataFrame({"kind": kind, "x": rng.normal(size=3000) + 3 * (kind == "rare")})
    rows = learned(table, 20_000, epochs=40)
    real, made = (table["kind"] == "rare").mean(), (rows["kind"] == "rare").mean()
    assert 0.6 * real < made < 1.6 * real
    assert abs(rows.loc[rows["kind"] == "rare", "x"].mean() - 3) < 0.8


def test_exclusive_or() -> None:
    rng = np.random.default_rng(0)
    a, b = rng.integers(0, 2, (2, 1000)).astype(bool)
    rows = learned(pd.DataFrame({"a": a, "b": b, "c": a ^ b}), epochs=100)
    assert (rows["c"] == (rows["a"] ^ rows["b"])).mean() > 0.97
    # No two columns tell of each other.
    for one, two in (("a", "b"), ("a", "c"), ("b", "c")):
        assert abs(np.corrcoef(rows[one], rows[two])[0, 1]) < 0.1


def test_missing_cells_follow_the_row() -> None:
    rng = np.random.default_rng(0)
    kind = rng.choice(["asked", "never"], 1000)
    x = np.where((kind == "never") | (rng.random(1000) < 0.1), np.nan, rng.normal(size=1000))
    rows = learned(pd.DataFrame({"kind": kind, "x": x}), epochs=100)
    share = rows["x"].isna().groupby(rows["kind"]).mean()
    assert share["never"] > 0.97
    assert 0.04 < share["asked"] < 0.18


def test_conditions_are_learned_not_just_kept() -> None:
    rng = np.random.default_rng(0)
    x = rng.integers(0, 10, 1000)
    table = pd.DataFrame({"x": x, "y": x * 10 + rng.integers(0, 5, 1000)})
    model = SynthGAN(epochs=100, batch_size=250, hidden_dim=64, random_state=0).fit(table)
    for n_passes in (None, 1):
        for low, high in ((0, 2), (7, 9)):
            y = model.sample(1000, conditions={"x": (low, high)}, n_passes=n_passes, random_state=0)["y"]
            assert y.between(low * 10, high * 10 + 5).mean() > 0.9
    y = model.sample(1000, conditions={"x": {0, 9}}, random_state=0)["y"]
    assert (y.between(0, 5) | y.between(90, 95)).mean() > 0.9


@pytest.mark.parametrize("n_passes", [1, 2, 4])
def test_the_adversarial_stage_on_every_kind_of_column(kinds: pd.DataFrame, n_passes: int) -> None:
    model = SynthGAN(adversarial_share=0.5, epochs=3, batch_size=20, hidden_dim=16, random_state=0)
    model.fit(kinds, target="text")
    assert "adversarial" in set(model.history_["phase"])
    conditions = {"age": (30, 40), "oText": None, "hour": ("2020-03-02", "2020-03-20"), "ints": {1, 3}}
    rows = model.sample(500, conditions=conditions, n_passes=n_passes, random_state=0)
    assert rows.dtypes.equals(kinds.dtypes)
    assert rows["age"].between(30, 40).all()
    assert rows["oText"].isna().all()
    assert rows["hour"].between("2020-03-02", "2020-03-20 23:59:59").all()
    assert rows["ints"].isin([1, 3]).all()
    assert np.isfinite(model.score_samples(kinds)).all()


@pytest.mark.slow
def test_the_adversarial_stage_does_not_unlearn() -> None:
    rng = np.random.default_rng(0)
    kind = rng.choice(["a", "b", "c"], 1000, p=[0.6, 0.3, 0.1])
    table = pd.DataFrame({"kind": kind, "x": pd.Series(kind).map({"a": 0, "b": 5, "c": 9}) + rng.integers(0, 2, 1000)})
    rows = learned(table, adversarial_share=0.4, epochs=100)
    assert (rows["kind"].value_counts(normalize=True) - table["kind"].value_counts(normalize=True)).abs().max() < 0.06
    low = rows["kind"].map({"a": 0, "b": 5, "c": 9})
    assert rows["x"].between(low, low + 1).mean() > 0.9


@pytest.mark.slow
def test_levels_come_with_those_they_belong_to(tmp_path: Path) -> None:
    rng = np.random.default_rng(0)
    town = rng.choice(400, 6000)
    frame = pd.DataFrame(
        {
            "town": [f"town {k}" for k in town],
            "country": [f"country {k % 23}" for k in town],
            "postcode": 10_000 + (town * 7919) % 400 * 30,
            "spent": np.round(rng.lognormal(3, 1, len(town)), 2),
        }
    )
    model = SynthGAN(epochs=60, select=1, hidden_dim=64, random_state=0).fit(frame)
    model.save(tmp_path / "model.synthgan")
    rows = model.sample(4000, random_state=1)
    again = SynthGAN.load(tmp_path / "model.synthgan").sample(200, random_state=1)
    pd.testing.assert_frame_equal(again, rows.head(200))
    number = rows["town"].str.removeprefix("town ").astype(int)
    assert (rows["country"] == "country " + (number % 23).astype(str)).mean() > 0.99
    assert (rows["postcode"] == 10_000 + (number * 7919) % 400 * 30).mean() > 0.99
    given = model.sample(500, conditions={"country": "country 5"}, random_state=2)
    assert set(given["country"]) == {"country 5"}
    assert (given["town"].str.removeprefix("town ").astype(int) % 23 == 5).mean() > 0.99
