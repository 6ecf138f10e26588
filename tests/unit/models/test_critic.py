"""The critic: its score against a tree walked by hand, and what boosting learns."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
import torch

from synthgan.encoding import EncodedTable, TableEncoder
from synthgan.models import CodeAxis
from synthgan.models.critic import Critic, keep_probabilities
from synthgan.models.features import rows_of
from synthgan.models.trees import ROWS_AT_ONCE, cells_of, sum_of_leaves
from synthgan.rng import numpy_stream
from synthgan.schema import infer_schema
from synthgan.training.critic import fit_critic
from synthgan.training.leaves import _overlap, count_leaves, group_target


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


@pytest.mark.parametrize("n_rows", [0, 1, ROWS_AT_ONCE, ROWS_AT_ONCE + 1, 3 * ROWS_AT_ONCE])
def test_leaves_of_many_rows_are_those_of_whole_numbers(encoder: TableEncoder, n_rows: int) -> None:
    axis, draw = CodeAxis(encoder.layout), torch.Generator().manual_seed(1)
    critic = Critic(axis, n_trees=11, depth=8)
    critic.bins.random_(0, 256, generator=draw)
    critic.block.random_(0, len(encoder.layout), generator=draw)
    critic.threshold.random_(0, 256, generator=draw)
    critic.leaf.normal_(generator=draw)
    rows = rows_of(axis, encoder.encode(table(n_rows + 1, 0.0, numpy_stream(2, "test"))).take(slice(n_rows)))
    bins = critic.bins[rows.codes, cells_of(axis, rows)].long()
    wanted = torch.zeros(11, n_rows, dtype=torch.int64)
    for question in range(8):
        asked, threshold = critic.block[:, question].long(), critic.threshold[:, question].long()
        wanted = 2 * wanted + (bins[:, asked].t() > threshold[:, None])
    leaves = critic.leaves(axis, rows)
    assert torch.equal(leaves.long(), wanted)
    torch.testing.assert_close(sum_of_leaves(critic.leaf, leaves), critic.leaf.gather(1, wanted).sum(dim=0))


def test_the_critic_finds_a_missing_correlation(encoder: TableEncoder) -> None:
    """Table: y = 0.8 x + noise. Generated: independent, with y's own spread. The log ratio is known in closed form."""
    stream = numpy_stream(2, "test")
    axis = CodeAxis(encoder.layout)
    fakes = table(12_000, 0.0, stream).assign(y=lambda f: f["y"] * np.sqrt(1 + 0.8**2))
    real, fake = encoder.encode(table(4000, 0.8, stream)), encoder.encode(fakes)
    critic = fit_critic(axis, real, fake, 120, 4, stream, 8000, 4)
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
    real = encoder.encode(table(4000, 0.8, stream))
    fake = encoder.encode(fakes)
    critic = fit_critic(axis, real, fake, 1, 1, stream, 8000, 4)
    fresh = EncodedTable(fake.codes[8000:], fake.positions[8000:], fake.known[8000:])
    weight = np.exp(critic(axis, rows_of(axis, fresh)).double().numpy())
    found = np.bincount(fresh.codes[:, 2], weight / weight.sum())
    np.testing.assert_allclose(found, np.bincount(real.codes[:, 2]) / len(real), atol=0.01)


@pytest.fixture(scope="module")
def counted(encoder: TableEncoder) -> tuple[CodeAxis, Critic, EncodedTable, EncodedTable]:
    """A critic, rows of the table, and generated ones whose y is too narrow."""
    stream, axis = numpy_stream(4, "test"), CodeAxis(encoder.layout)
    real, fake = encoder.encode(table(900, 0.8, stream)), encoder.encode(table(5000, 0.0, stream))
    critic = fit_critic(axis, real, fake, 9, 6, stream, 3000, 4)
    fresh = fake.take(slice(3000, None))
    count_leaves(critic, axis, real, fresh, 4, 5)
    return axis, critic, real, fresh


def test_leaves_have_the_tables_shares_within_reach(
    counted: tuple[CodeAxis, Critic, EncodedTable, EncodedTable],
) -> None:
    """Shares are in proportion to the table's, but for those that chosen candidates cannot come near to."""
    axis, critic, real, fresh = counted
    score, offered_leaves = critic.judge(axis, rows_of(axis, fresh))
    chance = keep_probabilities(score.double().numpy(), 500)
    _, leaves = critic.judge(axis, rows_of(axis, real))
    for share, leaf, other in zip(critic.share.double().numpy(), leaves.numpy(), offered_leaves.numpy(), strict=True):
        alone = share > 0
        wanted = np.bincount(leaf, minlength=64)[alone] / 900
        offered = np.bincount(other, chance, 64)[alone] / 500
        near = share[alone] / np.clip(wanted, offered / 1.5, offered * 1.5)
        np.testing.assert_allclose(near, near[0], rtol=1e-5)
        assert 0.8 < near[0] < 1.25
        assert share.sum() <= 1 + 1e-6


def test_leaves_of_few_rows_are_counted_together(
    counted: tuple[CodeAxis, Critic, EncodedTable, EncodedTable],
) -> None:
    axis, critic, real, _ = counted
    _, leaves = critic.judge(axis, rows_of(axis, real))
    for share, leaf in zip(critic.share.numpy(), leaves.numpy(), strict=True):
        counts = np.bincount(leaf, minlength=64)
        assert (counts[share > 0] >= 5).all()
        assert counts[share == 0].sum() == 0 or counts[share == 0].sum() >= 5


def test_overlap_of_the_same_trees_is_one_and_of_strangers_small() -> None:
    """Differential: the eigenvalue by numpy, of the matrix written out."""
    stream = numpy_stream(5, "test")
    same = np.tile(stream.integers(0, 4, 300), (6, 1))
    assert _overlap(same, 4) == pytest.approx(1)
    for leaves in (stream.integers(0, 4, (6, 300)), np.r_[same[:3], stream.integers(0, 4, (3, 300))]):
        mean = np.zeros((300, 300))
        for leaf in leaves:
            is_leaf = np.eye(4)[leaf]
            mean += is_leaf / is_leaf.sum(axis=0) @ is_leaf.T / len(leaves)
        wanted = np.linalg.eigvalsh(mean - 1 / 300)[-1]
        assert _overlap(leaves, 4) == pytest.approx(wanted, rel=0.15)


def test_a_critic_without_time_has_one_tree(encoder: TableEncoder) -> None:
    stream, axis = numpy_stream(6, "test"), CodeAxis(encoder.layout)
    real, fake = encoder.encode(table(300, 0.8, stream)), encoder.encode(table(900, 0.0, stream))
    assert len(fit_critic(axis, real, fake, 9, 6, stream, 600, 4, -1.0).leaf) == 1


def kinds_of(rows: EncodedTable, axis: CodeAxis, target: int, n_leaves: int) -> tuple[Critic, np.ndarray]:
    critic = fit_critic(axis, rows, rows, 3, int(np.log2(n_leaves)), numpy_stream(7, "test"), len(rows) // 2, 4)
    leaves = critic.judge(axis, rows_of(axis, rows))[1]
    group_target(critic, axis, target, rows)
    kinds = critic.judge(axis, rows_of(axis, rows))[1]
    assert kinds.dtype == torch.uint8
    assert critic.share.shape == (3, n_leaves * critic.n_groups)
    group = critic.group[rows_of(axis, rows).codes[:, target]]
    np.testing.assert_array_equal(kinds.numpy(), leaves.numpy().astype(int) * critic.n_groups + group.numpy())
    return critic, group.numpy()


@pytest.mark.parametrize(
    ("shares", "n_leaves", "wanted"),
    [
        ([0.5, 0.3, 0.2], 64, [0, 1, 2]),
        ([0.02, 0.9, 0.03, 0.01, 0.04], 64, [3, 0, 2, 3, 1]),  # room for four: the commonest alone
        ([0.5, 0.3, 0.2], 128, [0, 1, 1]),
        ([0.5, 0.3, 0.2], 256, [0, 0, 0]),
    ],
)
def test_kinds_tell_the_targets_categories_apart(shares: list[float], n_leaves: int, wanted: list[int]) -> None:
    stream = numpy_stream(8, "test")
    names = [f"{chr(97 + place)}" for place in range(len(shares))]
    frame = pd.DataFrame({"x": stream.normal(size=3000), "kind": stream.choice(names, 3000, p=shares)})
    encoder = TableEncoder.fit(frame, infer_schema(frame))
    rows = encoder.encode(frame)
    target = next(at for at, block in enumerate(encoder.layout.blocks) if block.column == "kind")
    _, group = kinds_of(rows, CodeAxis(encoder.layout), target, n_leaves)
    assert group.tolist() == [wanted[names.index(name)] for name in frame["kind"]]


@pytest.mark.parametrize("heavy", [False, True])
def test_kinds_tell_small_numbers_from_large_ones(heavy: bool) -> None:
    stream = numpy_stream(9, "test")
    y = stream.normal(size=3000)
    frame = pd.DataFrame({"x": stream.normal(size=3000), "y": np.where(y < 1, -5.0, y) if heavy else y})
    encoder = TableEncoder.fit(frame, infer_schema(frame))
    critic, group = kinds_of(encoder.encode(frame), CodeAxis(encoder.layout), len(encoder.layout) - 1, 64)
    assert set(group) == set(range(critic.n_groups)) <= {0, 1}
    if not heavy:
        assert group.mean() == pytest.approx(0.5, abs=0.05)
        assert frame["y"][group == 0].max() <= frame["y"][group == 1].min()


def test_kinds_of_few_rows_are_counted_together(encoder: TableEncoder) -> None:
    """What a file tells of the table is what as many rows hold as are promised."""
    stream, axis = numpy_stream(10, "test"), CodeAxis(encoder.layout)
    real, fake = encoder.encode(table(900, 0.8, stream)), encoder.encode(table(5000, 0.0, stream))
    critic = fit_critic(axis, real, fake, 9, 6, stream, 3000, 4)
    group_target(critic, axis, 2, real)
    assert critic.n_groups == 3
    count_leaves(critic, axis, real, fake.take(slice(3000, None)), 4, 5)
    assert critic.counts_rows()
    _, kinds = critic.judge(axis, rows_of(axis, real))
    for share, kind in zip(critic.share.numpy(), kinds.numpy(), strict=True):
        counts = np.bincount(kind, minlength=192)
        assert (share > 0).any()
        assert (counts[share > 0] >= 5).all()
        assert counts[share == 0].sum() == 0 or counts[share == 0].sum() >= 5
