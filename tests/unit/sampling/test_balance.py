"""Samples in step with the table."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import numpy.typing as npt
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from synthgan import SynthGAN
from synthgan.rng import numpy_stream
from synthgan.sampling.balance import MEMORY, STEP, Balance
from synthgan.sampling.selection import chances, resample_groups

Floats = npt.NDArray[np.float64]

SHARE = np.array([[0.5, 0.3, 0.15, 0.05], [0.25, 0.25, 0.25, 0.25]])


def leaves_of(n: int, stream: np.random.Generator, share: Floats = SHARE) -> npt.NDArray[np.uint8]:
    return np.stack([stream.choice(share.shape[1], n, p=own) for own in share]).astype(np.uint8)


def drawn(balance: Balance | None, n_chunks: int, seed: int) -> npt.NDArray[np.uint8]:
    """Leaves of chosen rows: 100 of 400 candidates a chunk, whose leaves have the shares, with equal weights."""
    out = []
    for chunk in range(n_chunks):
        stream = numpy_stream(seed, "test", chunk)
        leaves, group = leaves_of(400, stream), np.zeros(100, np.int64)
        weight = np.zeros(400)
        kept = (
            resample_groups(weight, group, stream) if balance is None else balance.choose(weight, leaves, group, stream)
        )
        out.append(leaves[:, kept])
    return np.concatenate(out, axis=1)


@settings(max_examples=40, deadline=None)
@given(st.integers(1, 200), st.integers(1, 5), st.booleans(), st.integers(0, 2**31))
def test_each_row_takes_a_candidate_of_its_group_once(n_rows: int, k: int, of_table: bool, seed: int) -> None:
    stream = numpy_stream(seed, "test")
    group = stream.integers(0, 4, n_rows)
    leaves = leaves_of(k * n_rows, stream)
    kept = Balance(SHARE, 1.0, of_table=of_table).choose(stream.normal(size=k * n_rows), leaves, group, stream)
    assert len(set(kept.tolist())) == n_rows
    assert group[kept % n_rows].tolist() == group.tolist()


def test_the_first_step_is_a_plain_choice() -> None:
    """Nothing has been drawn yet: there is no surplus."""
    weight, group = numpy_stream(0, "test").normal(size=4 * STEP), np.zeros(STEP, np.int64)
    leaves = leaves_of(4 * STEP, numpy_stream(1, "test"))
    kept = Balance(SHARE, 1.0, of_table=True).choose(weight, leaves, group, numpy_stream(2, "test"))
    assert kept.tolist() == resample_groups(weight, group, numpy_stream(2, "test")).tolist()


@pytest.mark.parametrize("of_table", [True, False])
def test_the_surplus_is_what_was_drawn_less_what_was_expected(of_table: bool) -> None:
    stream = numpy_stream(3, "test")
    balance, expected = Balance(SHARE, 1.0, of_table=of_table), np.zeros(SHARE.shape)
    leaves, weight = leaves_of(3 * STEP, stream), stream.normal(size=3 * STEP)
    group = np.arange(STEP) % 2
    kept = balance.choose(weight, leaves, group, stream)
    for tree in range(2):
        for leaf in range(4):
            held = (leaves[tree, kept] == leaf).sum()
            wanted = STEP * SHARE[tree, leaf] if of_table else chances(weight, group)[leaves[tree] == leaf].sum()
            expected[tree, leaf] = held - wanted
    np.testing.assert_allclose(balance.surplus.reshape(SHARE.shape), expected, atol=1e-9)


def test_chances_are_how_often_each_is_chosen() -> None:
    weight, group = np.log([1.0, 2.0, 3.0, 4.0, 10.0, 1.0, 1.0, 2.0]), np.array([0, 0, 0, 1])
    wanted = chances(weight, group)
    # Rows 0 to 2 share candidates 0, 1, 2, 4, 5 and 6; that of weight 10 would have more than a chance of one.
    np.testing.assert_allclose(wanted, [1 / 4, 2 / 4, 3 / 4, 4 / 6, 1.0, 1 / 4, 1 / 4, 2 / 6])
    counts = np.zeros(8)
    for round_ in range(4000):
        counts[resample_groups(weight, group, numpy_stream(4, "test", round_))] += 1
    np.testing.assert_allclose(counts / 4000, wanted, atol=0.03)  # standard error at most .008


@pytest.mark.parametrize("of_table", [True, False])
def test_shares_vary_less_than_those_of_independent_rows(of_table: bool) -> None:
    """Of 3,000 independent rows a leaf of a half has 1,500 give or take 27."""
    plain, even = (
        [
            np.bincount(drawn(Balance(SHARE, 1.0, of_table=of_table) if balanced else None, 30, seed)[0], minlength=4)
            for seed in range(12)
        ]
        for balanced in (False, True)
    )
    off = [np.sqrt(np.square(np.array(counts) - 3000 * SHARE[0]).mean()) for counts in (plain, even)]
    assert off[1] < 0.5 * off[0]


def test_of_the_table_rows_have_its_shares_and_else_the_weighted_ones() -> None:
    """Candidates hold .5 of a leaf that the table holds .4 of; their weights say nothing of it."""
    table = np.array([[0.4, 0.4, 0.15, 0.05], SHARE[1]])
    assert (drawn(Balance(table, 1.0, of_table=True), 40, 0)[0] == 0).mean() == pytest.approx(0.4, abs=0.01)
    assert (drawn(Balance(table, 1.0, of_table=False), 40, 0)[0] == 0).mean() == pytest.approx(0.5, abs=0.01)


def test_shares_that_are_not_known_change_nothing() -> None:
    """As in a model file of the time before there were any: steps are plain choices."""
    blank = drawn(Balance(np.zeros(SHARE.shape), 1.0, of_table=True), 5, 0)
    assert blank.tolist() == drawn(Balance(np.zeros(SHARE.shape), 1.0, of_table=False), 5, 0).tolist()
    balance = Balance(np.zeros(SHARE.shape), 1.0, of_table=True)
    drawn_with(balance, 40)
    np.testing.assert_allclose(balance.surplus, 0, atol=1e-9)


def drawn_with(balance: Balance, n_chunks: int, share: Floats = SHARE) -> npt.NDArray[np.uint8]:
    """Leaves of rows of which the candidates have a share of their own."""
    out = []
    for chunk in range(n_chunks):
        stream = numpy_stream(9, "test", chunk)
        leaves = leaves_of(8 * 64, stream, share)
        out.append(leaves[:, balance.choose(np.zeros(8 * 64), leaves, np.zeros(64, np.int64), stream)])
    return np.concatenate(out, axis=1)


@pytest.mark.parametrize("n_trees", [2, 50])
def test_steps_do_not_swing(n_trees: int) -> None:
    """A surplus is taken back, not turned into a lack: so many rows in a row vary no more than independent ones.

    All trees ask the same, in effect one question about halves: their push adds up in full.
    """
    half = np.tile([[0.5, 0.5]], (n_trees, 1))
    balance, rows = Balance(half, 1.0, of_table=True), []
    for chunk in range(60):
        stream = numpy_stream(10, "test", chunk)
        leaves = np.tile(stream.integers(0, 2, 8 * 64, np.uint8), (n_trees, 1))
        rows.append(leaves[0, balance.choose(np.zeros(8 * 64), leaves, np.zeros(64, np.int64), stream)])
    found = np.concatenate(rows)
    for n in (16, 64, 128):
        counts = found.reshape(-1, n).sum(axis=1)
        assert counts.std() < np.sqrt(n / 4)
    assert found.reshape(-1, 128).sum(axis=1).std() < 0.5 * np.sqrt(32)


def test_what_candidates_cannot_have_is_forgotten() -> None:
    """The table has a leaf that no candidate comes to: the lack of it grows to a bound, and no further."""
    balance = Balance(np.array([[0.4, 0.3, 0.3], [0.4, 0.3, 0.3]]), 1.0, of_table=True)
    found = drawn_with(balance, 100, np.array([[0.6, 0.4, 0.0], [0.6, 0.4, 0.0]]))
    early, late = found[0, :1000], found[0, -1000:]
    assert abs(np.mean(early == 0) - np.mean(late == 0)) < 0.05
    assert balance.surplus.min() > -STEP * 0.3 / (1 - MEMORY)


def test_balance_does_not_outweigh_the_critic() -> None:
    """The table is half of a leaf whose candidates are all but impossible: however many are missing, few are taken."""
    balance, kept = Balance(np.array([[0.5, 0.5]]), 1.0, of_table=True), []
    for chunk in range(150):
        stream = numpy_stream(11, "test", chunk)
        leaves = stream.integers(0, 2, (1, 8 * 64), np.uint8)
        chosen = balance.choose(np.where(leaves[0] == 0, -8.0, 0.0), leaves, np.zeros(64, np.int64), stream)
        kept.append(leaves[0, chosen])
    assert np.mean(np.concatenate(kept[:10]) == 0) < 0.02
    assert np.mean(np.concatenate(kept[-10:]) == 0) < 0.02


def test_leaves_without_a_share_are_counted_as_one() -> None:
    """One of them is never drawn; what the other has is right for both."""
    balance = Balance(np.array([[0.5, 0.0, 0.0, 0.3]]), 1.0, of_table=True)
    found = drawn_with(balance, 60, np.array([[0.5, 0.2, 0.0, 0.3]]))
    np.testing.assert_allclose(np.bincount(found[0], minlength=4) / found.size, [0.5, 0.2, 0, 0.3], atol=0.01)
    assert np.abs(balance.surplus).max() < 20


@pytest.fixture(scope="module")
def model() -> SynthGAN:
    rng = numpy_stream(0, "frame")
    x = rng.normal(size=4000)
    frame = pd.DataFrame({"x": x.round(3), "kind": np.where(x > 0.5, "up", "down"), "c": rng.choice(list("abc"), 4000)})
    return SynthGAN(epochs=10, hidden_dim=32, random_state=0).fit(frame)


def test_samples_of_a_model_vary_less_than_independent_rows(model: SynthGAN) -> None:
    """The share of a third of 3,000 independent rows has a standard deviation of .0086."""
    shares = [(model.sample(3000, random_state=seed)["c"] == "a").mean() for seed in range(8)]
    assert np.std(shares) < 0.0086 / 2


def test_short_samples_vary_no_more_than_independent_rows(model: SynthGAN) -> None:
    shares = [(model.sample(128, random_state=seed)["c"] == "a").mean() for seed in range(30)]
    assert np.std(shares) < 1.2 * np.sqrt(2 / 9 / 128)


def test_small_samples_are_heads_of_large_ones(model: SynthGAN) -> None:
    long = model.sample(1500, random_state=1)
    for n in (1, 63, 65, 513):
        pd.testing.assert_frame_equal(long.head(n), model.sample(n, random_state=1))


def test_a_saved_model_knows_the_shares(model: SynthGAN, tmp_path: Path) -> None:
    model.save(tmp_path / "m.synthgan")
    again = SynthGAN.load(tmp_path / "m.synthgan", device="cpu")
    pd.testing.assert_frame_equal(again.sample(700, random_state=2), model.sample(700, random_state=2))
    critic = again.model_.generator.critic
    assert (critic.share.sum(dim=1) > 0.5).all()
    assert 0 < float(critic.overlap) < 1


def test_labels_of_like_rows_vary_less_than_independent_ones() -> None:
    """Labels are noise here: of 1,500 rows of each side of x, the share of a fair coin has a deviation of .0129."""
    rng = numpy_stream(1, "frame")
    frame = pd.DataFrame({"x": rng.normal(size=4000).round(3), "label": rng.choice(["no", "yes"], 4000)})
    model = SynthGAN(epochs=10, hidden_dim=32, random_state=0).fit(frame, target="label")
    critic = model.model_.generator.critic
    assert critic.n_groups == 2
    above = []
    for seed in range(10):
        rows = model.sample(3000, random_state=seed)
        above.append((rows["label"][rows["x"] > 0] == "yes").mean())
    assert np.std(above) < 0.0129 / 2
