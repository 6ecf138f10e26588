"""Rows that forests draw in place of a small table's."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
import torch

from synthgan import SynthGAN, infer_schema
from synthgan.augmentation.generate import fresh
from synthgan.encoding import EncodedTable, TableEncoder
from synthgan.errors import ConfigError
from synthgan.models import CodeAxis, DiscriminatorConfig, GeneratorConfig
from synthgan.rng import numpy_stream
from synthgan.training import TrainingConfig, TrainState, new_state
from synthgan.training.standins import draw_stand_ins, why_no_stand_ins


def table(n: int, seed: int = 0) -> pd.DataFrame:
    """Numbers that follow each other, a category by the sign of one of them, and holes."""
    rng = numpy_stream(seed, "test")
    x = rng.normal(size=n)
    y = np.where(rng.random(n) < 0.1, np.nan, x + 0.3 * rng.normal(size=n))
    kind = np.where(x > 0, "above", np.where(rng.random(n) < 0.2, "far", "below"))
    return pd.DataFrame({"x": x, "kind": kind, "y": y, "even": rng.random(n)})


def encoded(frame: pd.DataFrame) -> tuple[TableEncoder, EncodedTable]:
    encoder = TableEncoder.fit(frame, infer_schema(frame))
    return encoder, encoder.encode(frame)


@pytest.fixture(scope="module")
def drawn() -> pd.DataFrame:
    encoder, rows = encoded(table(400))
    return encoder.decode(draw_stand_ins(encoder, rows, 20_000, seed=1))


def test_stand_ins_are_like_the_table(drawn: pd.DataFrame) -> None:
    real = table(400)
    assert len(drawn) == 20_000
    assert drawn.dtypes.equals(real.dtypes)
    shares = [frame["kind"].value_counts(normalize=True).sort_index() for frame in (real, drawn)]
    np.testing.assert_allclose(shares[1], shares[0], atol=0.03)
    assert drawn["y"].isna().mean() == pytest.approx(real["y"].isna().mean(), abs=0.03)
    assert drawn["x"].quantile([0.1, 0.5, 0.9]).to_numpy() == pytest.approx(
        real["x"].quantile([0.1, 0.5, 0.9]).to_numpy(), abs=0.15
    )
    assert drawn[["x", "y"]].corr().iloc[0, 1] == pytest.approx(real[["x", "y"]].corr().iloc[0, 1], abs=0.1)
    assert abs(drawn[["x", "even"]].corr().iloc[0, 1] - real[["x", "even"]].corr().iloc[0, 1]) < 0.08
    assert ((drawn["kind"] == "above") == (drawn["x"] > 0)).mean() > 0.95


def nearly_one_line(n: int, noise: float) -> pd.DataFrame:
    """Numbers each of which tells the others but for some noise."""
    rng = numpy_stream(9, "test")
    x = rng.normal(size=n)
    return pd.DataFrame({name: k * x + noise * rng.normal(size=n) for k, name in enumerate("abc", 1)})


@pytest.mark.parametrize(
    "frame", [table(400), nearly_one_line(300, 1e-4), nearly_one_line(300, 1e-2), nearly_one_line(300, 0.1)]
)
def test_no_row_of_the_table_stands_for_itself(frame: pd.DataFrame) -> None:
    """Cells are lent one by one, each by one of many rows; a copy of the table would be found."""
    encoder, rows = encoded(frame)

    def cells(table: EncodedTable, blocks: slice) -> list[tuple[float, ...]]:
        both = np.concatenate([table.codes[:, blocks], table.positions[:, blocks]], axis=1)
        return [tuple(row) for row in both.tolist()]

    def share(other: EncodedTable, blocks: slice) -> float:
        held = set(cells(rows, blocks))
        return float(np.mean([row in held for row in cells(other, blocks)]))

    drawn = draw_stand_ins(encoder, rows, 5000, seed=1)
    assert share(rows.take(np.arange(100)), slice(None)) == 1
    assert share(drawn, slice(None)) < 0.05
    assert share(drawn, slice(0, 1)) == 1
    assert share(drawn, slice(0, 3)) < 0.25


def test_a_rule_is_kept_and_what_is_out_of_the_question_is_no_warning() -> None:
    """A category that follows from a number: what lines say of it overflows, and may not be heard."""
    rng = numpy_stream(15, "test")
    score = rng.normal(size=1500)
    frame = pd.DataFrame({"score": score, "passed": np.where(score > 0.6, "yes", "no"), "x": rng.normal(size=1500)})
    encoder, rows = encoded(frame)
    drawn = encoder.decode(draw_stand_ins(encoder, rows, 4000, seed=0))
    assert ((drawn["passed"] == "yes") == (drawn["score"] > 0.6)).mean() > 0.99


def test_stand_ins_follow_the_seed() -> None:
    encoder, rows = encoded(table(100))
    one, again, other = (draw_stand_ins(encoder, rows, 200, seed).codes for seed in (3, 3, 4))
    assert np.array_equal(one, again)
    assert not np.array_equal(one, other)


def test_without_seconds_there_are_as_many_and_they_are_soon_there() -> None:
    encoder, rows = encoded(table(100))
    assert len(draw_stand_ins(encoder, rows, 150, seed=0, max_seconds=0.0)) == 150


def test_seconds_are_kept_with_forests() -> None:
    model = SynthGAN(max_seconds=3, random_state=0).fit(table(300))
    history = model.history_
    assert {"stand-ins", "anneal", "passes"} <= set(history["phase"])
    assert history["seconds"].iloc[-1] < 8
    assert len(model.sample(10)) == 10


def test_a_category_of_its_own_in_nearly_every_row() -> None:
    rng = numpy_stream(8, "test")
    frame = pd.DataFrame({"x": rng.normal(size=60), "word": [f"w{i % 50}" for i in range(60)]})
    model = SynthGAN(stand_ins=True, epochs=1, protect_rare=1, random_state=0)
    assert len(model.fit(frame, schema={"word": "categorical"}).sample(5)) == 5


@pytest.mark.parametrize("n_rows", [50, 1999])
def test_sizes_at_the_ends(n_rows: int) -> None:
    model = SynthGAN(stand_ins=True, epochs=1, select=1, hidden_dim=8, random_state=0).fit(table(n_rows))
    assert "stand-ins" in set(model.history_["phase"])


def test_memory_allows_for_stand_ins() -> None:
    frame = table(1999)
    full = SynthGAN(n_members=1).plan(frame)
    limit = 0.9 * full.memory_bytes / 1e6
    less, asked = (SynthGAN(n_members=1, stand_ins=wish, max_megabytes=limit).plan(frame) for wish in (None, True))
    assert full.stand_ins
    assert not less.stand_ins  # nobody asked for them
    assert less.batch_size == full.batch_size
    assert asked.stand_ins
    assert asked.batch_size < full.batch_size
    assert max(less.memory_bytes, asked.memory_bytes) <= 1e6 * limit
    assert SynthGAN(batch_size=10**6).plan(frame).memory_bytes == SynthGAN(batch_size=20_000).plan(frame).memory_bytes


def test_augmentation_does_without() -> None:
    assert fresh(None, 0).get_params()["stand_ins"] is False
    assert fresh(SynthGAN(stand_ins=True), 0).get_params()["stand_ins"] is True


def training_state(*, stand_ins: bool) -> TrainState:
    encoder, rows = encoded(table(300))
    sizes = GeneratorConfig(hidden_dim=8), DiscriminatorConfig(8, 1)
    config = TrainingConfig(batch_size=100)
    return new_state(
        rows, CodeAxis(encoder.layout), config, *sizes, 0, torch.float32, encoder=encoder if stand_ins else None
    )


def test_held_out_rows_lend_nothing() -> None:
    state = training_state(stand_ins=True)
    assert state.stand_ins is not None
    cells = [
        {(code, place) for code, place in zip(rows.codes[:, 0].tolist(), rows.positions[:, 0].tolist(), strict=True)}
        for rows in (state.stand_ins.table(), state.train.table(), state.held_out.table())
    ]
    assert cells[0] <= cells[1]
    assert len(cells[2]) == 50
    assert not cells[0] & cells[2]


def test_stand_ins_are_learned_alone_or_beside_the_table() -> None:
    state = training_state(stand_ins=True)
    alone, both = (state.pool.rows(state.next_index(of_table=of_table)) for of_table in (False, True))
    assert len(alone.codes) == 100
    assert len(both.codes) == len(both.positions) == 200
    held = {tuple(row) for row in state.train.rows(torch.arange(250)).positions.tolist()}
    of_table = [tuple(row) in held for row in both.positions.tolist()]
    assert all(of_table[:100])
    assert sum(of_table[100:]) < 10
    assert len(training_state(stand_ins=False).next_index()) == 100


def test_which_tables_have_stand_ins() -> None:
    plans = [SynthGAN(**given).plan(table(n)) for n, given in [(200, {}), (200, {"epochs": 5}), (2000, {}), (49, {})]]
    assert [plan.stand_ins for plan in plans] == [True, False, False, False]
    assert SynthGAN(stand_ins=True, epochs=5).plan(table(200)).stand_ins
    assert not SynthGAN(stand_ins=False).plan(table(200)).stand_ins
    with_them, without = (SynthGAN(stand_ins=wanted).plan(table(200)) for wanted in (True, False))
    assert with_them.n_steps == without.n_steps + 300
    assert with_them.memory_bytes > without.memory_bytes


def test_columns_that_repeat_each_other_have_none() -> None:
    rng = numpy_stream(7, "test")
    bill = rng.gamma(2, 1000, 400).round(2)
    frame = pd.DataFrame({"bill": bill, "paid": np.where(rng.random(400) < 0.4, bill, rng.gamma(2, 500, 400).round(2))})
    model = SynthGAN()
    assert not model.plan(frame).stand_ins
    with pytest.raises(ConfigError, match=r"stand_ins.*'bill' and 'paid'"):
        SynthGAN(stand_ins=True).fit(frame)


def test_too_small_and_too_wide() -> None:
    encoder, _ = encoded(table(60))
    assert "49 rows" in why_no_stand_ins(encoder.layout, 49)
    assert why_no_stand_ins(encoder.layout, 50) == ""
    one, _ = encoded(table(60)[["x"]])
    assert "columns" in why_no_stand_ins(one.layout, 60)


@pytest.mark.slow
def test_few_rows_are_learned_better_with_stand_ins() -> None:
    """Rows never seen are likelier: where y is high depends on two numbers together, which nets learn slowly."""

    def blocks(n: int, seed: int) -> pd.DataFrame:
        rng = numpy_stream(seed, "test")
        a, b, c = rng.random((3, n))
        y = np.where((a > 0.5) & (b > 0.3), 2.0, np.where(c > 0.6, 1.0, 0.0)) + 0.15 * rng.normal(size=n)
        return pd.DataFrame({"a": a, "b": b, "c": c, "y": y, "noise": rng.normal(size=n)})

    unseen = blocks(2000, 1)
    scores = [
        SynthGAN(stand_ins=wanted, random_state=0).fit(blocks(300, 0)).score_samples(unseen).mean()
        for wanted in (True, False)
    ]
    assert scores[0] > scores[1] + 0.05
