"""Several generators answer as one: the mean of their distributions."""

from __future__ import annotations

import math

import numpy as np
import pandas as pd
import pytest
import torch

from synthgan import SynthGAN, infer_schema
from synthgan.augmentation.generate import fresh
from synthgan.conditioning.masks import draw_known
from synthgan.encoding import EncodedTable, TableEncoder
from synthgan.encoding.finding import with_relations
from synthgan.errors import ConfigError
from synthgan.models import CodeAxis, Ensemble, GeneratorConfig
from synthgan.models.ensemble import mean_distribution
from synthgan.models.features import rows_of
from synthgan.sampling import log_likelihood
from synthgan.training.steps import hidden_likelihood


@pytest.fixture(scope="module")
def encoded(kinds: pd.DataFrame) -> tuple[TableEncoder, EncodedTable]:
    twins = kinds.assign(twin=kinds["height"])
    encoder = with_relations(TableEncoder.fit(twins, infer_schema(twins)), twins)
    assert encoder.relations
    return encoder, encoder.encode(twins)


@pytest.fixture(scope="module")
def three(encoded: tuple[TableEncoder, EncodedTable]) -> Ensemble:
    with torch.random.fork_rng():
        torch.manual_seed(0)
        ensemble = Ensemble(CodeAxis(encoded[0].layout), GeneratorConfig(hidden_dim=16, n_members=3))
        with torch.no_grad():
            for weight in ensemble.parameters():
                weight.add_(0.1 * torch.randn_like(weight))
    ensemble.fold()
    return ensemble.eval().requires_grad_(False)


def test_the_mean_of_distributions() -> None:
    logits = [torch.randn(5, 7, generator=torch.Generator().manual_seed(seed)).double() for seed in range(4)]
    mean = sum(torch.softmax(own, dim=1) for own in logits) / 4
    torch.testing.assert_close(torch.softmax(mean_distribution(logits), dim=1), mean)
    assert mean_distribution(logits[:1]) is logits[0]


def test_parts_begin_together_as_each_alone(three: Ensemble) -> None:
    stream = torch.Generator().manual_seed(2)
    blank = three.empty(1)
    some = [tuple(torch.randn(n, 16, generator=stream) for _ in three.members) for n in (2, 5, 40)]
    for parts in (some[:1], some, [blank], [blank, blank]):
        for part, states in zip(parts, three.begin_all(parts), strict=True):
            alone = three.begin(part)
            for state, own in zip(states, alone, strict=True):
                torch.testing.assert_close(state.hidden, own.hidden)
            for block in range(len(three.axis.layout)):
                torch.testing.assert_close(three.block_logits(states, block), three.block_logits(alone, block))


def test_the_loss_is_of_the_mean(three: Ensemble, encoded: tuple[TableEncoder, EncodedTable]) -> None:
    rows = rows_of(three.axis, encoded[1])
    known = draw_known(rows.codes, three.axis.flags, torch.Generator().manual_seed(1))
    nats, n_asked = 0.0, 0
    states = [member.read(rows, known) for member in three.members]
    for block in range(known.shape[1]):
        low, _ = three.axis.bounds(block)
        clues = three.clues(rows, known, block)
        code = rows.codes[:, block]
        shares = [
            torch.softmax(member.block_logits(state, block, clues).double(), dim=1)
            for member, state in zip(three.members, states, strict=True)
        ]
        likely = torch.stack(shares).mean(dim=0).gather(1, (code - low)[:, None])[:, 0]
        if block in three.cell_blocks:
            cell = torch.minimum(
                (rows.positions[:, block] * three.axis.n_cells[code]).long(), three.axis.n_cells[code] - 1
            )
            inside = [
                torch.softmax(member.block_cell_logits(state, block, code, clues).double(), dim=1)
                for member, state in zip(three.members, states, strict=True)
            ]
            likely = likely * torch.stack(inside).mean(dim=0).gather(1, cell[:, None])[:, 0]
        nats -= float(likely[~known[:, block]].log().sum())
        n_asked += int((~known[:, block]).sum())
    loss = sum(map(float, hidden_likelihood(three.members, rows, known)))
    assert loss == pytest.approx(nats / n_asked, rel=1e-4)
    alone = [sum(map(float, hidden_likelihood([member], rows, known))) for member in three.members]
    assert loss < np.mean(alone)  # Jensen: the mean of the distributions is never worse than they are on average


def test_rows_are_scored_by_the_mean(three: Ensemble, encoded: tuple[TableEncoder, EncodedTable]) -> None:
    """Of a single column, given nothing, the score is the log of the members' mean share."""
    encoder, table = encoded
    block = next(index for index, block in enumerate(encoder.layout.blocks) if block.cells.max_cells == 1)
    only = np.zeros_like(table.known)
    only[:, block] = True
    scores = log_likelihood(three, EncodedTable(table.codes, table.positions, only), 1, 0)
    states = zip(three.members, three.begin(three.empty(1)), strict=True)
    shares = [torch.softmax(member.block_logits(own, block)[0].double(), dim=0) for member, own in states]
    likely = torch.stack(shares).mean(dim=0)[table.codes[:, block].astype(int)]
    np.testing.assert_allclose(np.exp(scores), likely, rtol=1e-4)


def test_small_tables_get_several(kinds: pd.DataFrame) -> None:
    model = SynthGAN(epochs=1, hidden_dim=8, random_state=0).fit(kinds)
    members = model.model_.generator.members
    assert len(members) == 2
    assert not torch.equal(members[0].head.weight, members[1].head.weight)
    large = pd.DataFrame({"x": np.arange(2000) % 7})
    assert members_of(SynthGAN(), large) == 1
    assert members_of(SynthGAN(n_members=3), large) == 3
    assert members_of(SynthGAN(n_members=3.0, hidden_dim=np.int64(8)), large) == 3
    assert members_of(SynthGAN(adversarial_share=0.5), kinds) == 1
    with pytest.raises(ConfigError, match="n_members=2 and an adversarial_share"):
        SynthGAN(n_members=2, adversarial_share=0.5).fit(large.assign(x=1))  # said before there is anything to learn


def test_several_only_where_there_is_memory_for_them(kinds: pd.DataFrame) -> None:
    both, one = (SynthGAN(n_members=n_members).plan(kinds) for n_members in (2, 1))
    assert both.memory_bytes > one.memory_bytes
    assert both.estimated_seconds > one.estimated_seconds
    between = (both.memory_bytes + one.memory_bytes) / 2e6
    assert members_of(SynthGAN(max_megabytes=between), kinds) == 1
    assert SynthGAN(max_megabytes=between).plan(kinds).batch_size == both.batch_size  # rather than smaller batches
    assert members_of(SynthGAN(max_megabytes=between, n_members=2), kinds) == 2
    with pytest.raises(ConfigError, match="fewer n_members"):
        SynthGAN(max_megabytes=1, n_members=2).plan(kinds)


def members_of(model: SynthGAN, table: pd.DataFrame) -> int:
    return model.plan(table).generator_config.n_members


def test_augmentation_has_one_unless_asked() -> None:
    assert fresh(None, 0).get_params()["n_members"] == 1
    assert fresh(SynthGAN(), 0).get_params()["n_members"] == 1
    assert fresh(SynthGAN(n_members=4), 0).get_params()["n_members"] == 4


def test_every_member_learns() -> None:
    table = pd.DataFrame({"x": list("abcd") * 100, "y": list("efgh") * 100})
    model = SynthGAN(epochs=100, batch_size=100, hidden_dim=16, n_members=3, random_state=0).fit(table)
    encoded = model.model_.encoder.encode(table)
    unlearned = 2 * math.log(4)  # nats of a row; half of them once it is known that a column follows from the other
    for member in model.model_.generator.members:
        alone = Ensemble(member.axis, GeneratorConfig(hidden_dim=16, late_dim=32))
        alone.members[0].load_state_dict(member.state_dict())
        alone.members[0].folded = True
        assert -log_likelihood(alone.eval(), encoded, 2, 0).mean() < 0.75 * unlearned
