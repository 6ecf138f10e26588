"""The two ways through the generator agree: whole rows at once, and column after column."""

from __future__ import annotations

import copy
from collections.abc import Callable

import pandas as pd
import pytest
import torch

from synthgan import infer_schema
from synthgan.encoding import EncodedTable, TableEncoder
from synthgan.encoding.finding import with_relations
from synthgan.models import Generator
from synthgan.models.features import rows_of
from synthgan.models.layers import relu_
from synthgan.models.relations import Anchors


@pytest.fixture(scope="module")
def encoded(kinds: pd.DataFrame) -> tuple[TableEncoder, EncodedTable]:
    twins = kinds.assign(twin=kinds["height"], near=kinds["height"] + 0.01)
    encoder = with_relations(TableEncoder.fit(twins, infer_schema(twins)), twins)
    assert len(encoder.relations) >= 6
    return encoder, encoder.encode(twins)


@pytest.fixture
def generator(
    shaken_generator: Callable[[TableEncoder], Generator], encoded: tuple[TableEncoder, EncodedTable]
) -> Generator:
    return shaken_generator(encoded[0])


@pytest.fixture(params=[False, True], ids=["as trained", "masks added"])
def filling(generator: Generator, request: pytest.FixtureRequest) -> Generator:
    out = copy.deepcopy(generator)
    if request.param:
        out.fold()
        out.add_masks()
        out.add_masks()  # nothing is left to add
    return out


def test_filling_column_by_column_is_filling_at_once(
    filling: Generator, generator: Generator, encoded: tuple[TableEncoder, EncodedTable]
) -> None:
    rows = rows_of(generator.axis, encoded[1])
    given = torch.rand(rows.codes.shape, generator=torch.Generator().manual_seed(1)) < 0.5
    sums = generator.empty(len(given))
    for block in range(given.shape[1]):
        sums = filling.fill(sums, block, rows.codes[:, block], rows.positions[:, block], given[:, block])
    torch.testing.assert_close(filling.begin(sums).hidden, generator.read(rows, given).hidden, rtol=1e-4, atol=1e-4)


def test_following_column_by_column_is_following_at_once(
    filling: Generator, generator: Generator, encoded: tuple[TableEncoder, EncodedTable]
) -> None:
    rows = rows_of(generator.axis, encoded[1])
    time = torch.rand(rows.codes.shape, generator=torch.Generator().manual_seed(1))
    known, drawn = time < 0.3, (time >= 0.3) & (time < 0.6)
    sums = generator.empty(len(time))
    for block in range(time.shape[1]):
        sums = filling.fill(sums, block, rows.codes[:, block], rows.positions[:, block], known[:, block])
    state = filling.begin(sums)
    for block in range(time.shape[1]):
        state = filling.follow(state, block, rows.codes[:, block], rows.positions[:, block], drawn[:, block])
    at_once, without = generator.read(rows, known, drawn), generator.read(rows, known)
    torch.testing.assert_close(state.change, at_once.change, rtol=1e-4, atol=1e-4)
    for made in (generator.logits, lambda state: generator.cell_logits(state, rows.codes)):
        torch.testing.assert_close(made(state), made(at_once), rtol=1e-3, atol=1e-3)
        assert not torch.allclose(made(state), made(without), atol=0.1)


def test_nothing_drawn_changes_nothing(generator: Generator, encoded: tuple[TableEncoder, EncodedTable]) -> None:
    rows = rows_of(generator.axis, encoded[1])
    known = torch.rand(rows.codes.shape, generator=torch.Generator().manual_seed(1)) < 0.5
    none = torch.zeros_like(known)
    assert torch.equal(
        generator.logits(generator.read(rows, known, none)), generator.logits(generator.read(rows, known))
    )


def test_what_is_not_given_is_not_seen(generator: Generator, encoded: tuple[TableEncoder, EncodedTable]) -> None:
    rows = rows_of(generator.axis, encoded[1])
    given = torch.zeros(rows.codes.shape, dtype=torch.bool)
    hidden = generator.read(rows, given).hidden
    assert torch.equal(hidden, hidden[:1].expand_as(hidden))


def test_blocks_alone_are_the_same_as_all_together(
    generator: Generator, encoded: tuple[TableEncoder, EncodedTable]
) -> None:
    rows = rows_of(generator.axis, encoded[1])
    filled = torch.rand(rows.codes.shape, generator=torch.Generator().manual_seed(1)) < 0.7
    known = filled & (torch.rand(rows.codes.shape, generator=torch.Generator().manual_seed(2)) < 0.5)
    state = generator.read(rows, known, filled & ~known)
    clues = generator.clues(rows, filled)
    (anchors,) = clues
    assert isinstance(anchors, Anchors)
    assert anchors.told.any()
    logits = generator.logits(state, clues)
    assert not torch.allclose(logits, generator.logits(state), atol=0.5)
    blocks = generator.cells.blocks
    cells = generator.cell_logits(state, rows.codes, clues)
    assert not torch.allclose(cells, generator.cell_logits(state, rows.codes), atol=0.5)
    for place, block in enumerate(blocks):
        low, high = generator.axis.bounds(block)
        own = generator.clues(rows, filled, block)
        torch.testing.assert_close(generator.block_logits(state, block, own), logits[:, low:high])
        one = generator.block_cell_logits(state, block, rows.codes[:, block], own)
        torch.testing.assert_close(one[:, : cells.shape[2]], cells[:, place, : one.shape[1]])


def test_folding_changes_nothing(generator: Generator, encoded: tuple[TableEncoder, EncodedTable]) -> None:
    rows = rows_of(generator.axis, encoded[1])
    drawn = torch.rand(rows.codes.shape, generator=torch.Generator().manual_seed(1)) < 0.5
    before = generator.logits(generator.read(rows, ~drawn, drawn))
    generator.fold()
    torch.testing.assert_close(generator.logits(generator.read(rows, ~drawn, drawn)), before, rtol=1e-4, atol=1e-4)


@pytest.mark.parametrize("dtype", [torch.float32, torch.bfloat16])
def test_what_is_negative_is_zero(dtype: torch.dtype) -> None:
    numbers = torch.cat([10 * torch.randn(1000, generator=torch.Generator().manual_seed(0)), torch.tensor([0.0, -0.0])])
    numbers = torch.cat([numbers, torch.tensor([torch.inf, -torch.inf, 1e-40, -1e-40])]).to(dtype)
    assert torch.equal(relu_(numbers.clone()), torch.relu(numbers))
    learned = numbers.clone().requires_grad_()
    relu_(learned * 1).sum().backward()
    assert learned.grad is not None
    assert torch.equal(learned.grad, (numbers > 0).to(dtype))
