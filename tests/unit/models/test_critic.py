"""The critic: its score against a tree walked by hand, and what boosting learns."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
import torch

from synthgan.encoding import EncodedTable, TableEncoder
from synthgan.models import CodeAxis
from synthgan.models.critic import Critic
from synthgan.models.features import rows_of
from synthgan.rng import numpy_stream
from synthgan.schema import infer_schema
from synthgan.training.critic import fit_critic


def table(n: int, shift: float, stream: np.random.Generator) -> pd.DataFrame:
    x = stream.normal(size=n)
    return pd.DataFrame({"x": x, "y": stream.normal(size=n) + shift * x, "c": stream.choice(["a", "b", "c"], n)})


@pytest.fixture(scope="module")
def encoder() -> TableEncoder:
    frame = table(4000, 0.8, numpy_stream(0, "test"))
    return TableEncoder.fit(frame, infer_schema(frame))


def test_score_is_the_sum_of_leaves_and_margins(encoder: TableEncoder) -> None:
    axis = CodeAxis(encoder.layout)
    critic = Critic(axis, n_trees=7, depth=3)
    draw = torch.Generator().manual_seed(0)
    critic.bins.random_(0, 50, generator=draw)
    critic.block.random_(0, len(encoder.layout), generator=draw)
    critic.threshold.random_(0, 50, generator=draw)
    critic.leaf.normal_(generator=draw)
    critic.margin.normal_(generator=draw)
    rows = encoder.encode(table(50, 0.0, numpy_stream(1, "test")))
    codes, positions = rows_of(axis, rows)
    expected = []
    for code, position in zip(codes.tolist(), positions.double().tolist(), strict=True):
        cell = [
            min(int(p * int(axis.n_cells[k])), int(axis.n_cells[k]) - 1) for k, p in zip(code, position, strict=True)
        ]
        total = sum(float(critic.margin[k, m]) for k, m in zip(code, cell, strict=True))
        for tree in range(7):
            leaf = 0
            for question in range(3):
                block = int(critic.block[tree, question])
                leaf = 2 * leaf + int(
                    int(critic.bins[code[block], cell[block]]) > int(critic.threshold[tree, question])
                )
            total += float(critic.leaf[tree, leaf])
        expected.append(total)
    np.testing.assert_allclose(critic(axis, rows_of(axis, rows)).numpy(), expected, rtol=1e-5, atol=1e-5)


def test_the_critic_finds_a_missing_correlation(encoder: TableEncoder) -> None:
    """Table: y = 0.8 x + noise. Generated: independent, with y's own spread. The log ratio is known in closed form."""
    stream = numpy_stream(2, "test")
    axis = CodeAxis(encoder.layout)
    fakes = table(12_000, 0.0, stream).assign(y=lambda f: f["y"] * np.sqrt(1 + 0.8**2))
    real, fake = encoder.encode(table(4000, 0.8, stream)), encoder.encode(fakes)
    critic = Critic(axis, n_trees=120, depth=4)
    fit_critic(critic, axis, real, fake, stream, 8000, 4)
    fresh = fakes.sample(frac=1.0, random_state=0).iloc[:3000]
    score = critic(axis, rows_of(axis, encoder.encode(fresh))).numpy()
    x, y = fresh["x"].to_numpy(), fresh["y"].to_numpy()
    variance = 1 + 0.8**2
    truth = -0.5 * (y - 0.8 * x) ** 2 + 0.5 * y**2 / variance + 0.5 * np.log(variance)
    assert np.corrcoef(score, np.clip(truth, -4, 4))[0, 1] > 0.85


def test_margins_give_weighted_rows_the_tables_shares(encoder: TableEncoder) -> None:
    stream = numpy_stream(3, "test")
    axis = CodeAxis(encoder.layout)
    fakes = table(12_000, 0.8, stream)
    fakes["c"] = stream.choice(["a", "b", "c"], len(fakes), p=[0.6, 0.3, 0.1])
    critic = Critic(axis, n_trees=1, depth=1)
    real = encoder.encode(table(4000, 0.8, stream))
    fake = encoder.encode(fakes)
    fit_critic(critic, axis, real, fake, stream, 8000, 4)
    fresh = EncodedTable(fake.codes[8000:], fake.positions[8000:], fake.known[8000:])
    weight = np.exp(critic(axis, rows_of(axis, fresh)).double().numpy())
    found = np.bincount(fresh.codes[:, 2], weight / weight.sum())
    np.testing.assert_allclose(found, np.bincount(real.codes[:, 2]) / len(real), atol=0.01)


def test_the_critic_knows_the_tables_shares_of_its_leaves(encoder: TableEncoder) -> None:
    """Leaves of fewer than five rows are counted together. Trees that there was no time for have one leaf."""
    stream = numpy_stream(4, "test")
    axis = CodeAxis(encoder.layout)
    real, fake = encoder.encode(table(900, 0.8, stream)), encoder.encode(table(4000, 0.0, stream))
    for seconds in (np.inf, -1.0):
        critic = Critic(axis, n_trees=9, depth=6)
        fit_critic(critic, axis, real, fake, stream, 3000, 4, seconds)
        _, leaves = critic.judge(axis, rows_of(axis, real))
        for share, leaf in zip(critic.share.double().numpy(), leaves.numpy(), strict=True):
            counts = np.bincount(leaf, minlength=64)
            many = counts >= 5
            np.testing.assert_allclose(share[many], counts[many] / 900, rtol=1e-5)
            assert share[~many] == pytest.approx(counts[~many].mean() / 900, rel=1e-5)
