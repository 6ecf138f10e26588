"""Relations, pairs of levels and orders in one table: each adds what it knows, to all codes as to one block."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pandas as pd
import pytest
import torch

from synthgan import infer_schema
from synthgan.encoding import TableEncoder
from synthgan.encoding.finding import with_orders, with_pairings, with_relations
from synthgan.models import Generator
from synthgan.models.bounds import Bounds
from synthgan.models.features import Rows, rows_of
from synthgan.models.pairings import Pairings
from synthgan.models.relations import Relations


def bills(n: int = 3000) -> pd.DataFrame:
    """Years that are never above the age, towns in countries, and payments near the bill, often equal to it."""
    stream = np.random.default_rng(0)
    age, town = stream.integers(20, 70, n), stream.integers(0, 60, n)
    bill = stream.gamma(2.0, 50.0, n).round(1)
    return pd.DataFrame(
        {
            "age": age,
            "years": (stream.random(n) * (age - 18)).astype(int),
            "town": [f"town {k}" for k in town],
            "country": [f"country {k // 6}" for k in town],
            "bill": bill,
            "paid": np.where(stream.random(n) < 0.3, bill, bill * stream.uniform(0.97, 1.03, n)).round(1),
        }
    )


@pytest.fixture(scope="module")
def encoder() -> TableEncoder:
    frame = bills()
    found = with_relations(TableEncoder.fit(frame, infer_schema(frame)), frame)
    found = with_orders(with_pairings(found, frame), frame)
    assert found.layout.relations
    assert found.layout.pairings
    assert found.layout.bounds
    return found


@pytest.fixture
def generator(shaken_generator: Callable[[TableEncoder], Generator], encoder: TableEncoder) -> Generator:
    return shaken_generator(encoder)


@pytest.fixture
def rows(generator: Generator, encoder: TableEncoder) -> Rows:
    return rows_of(generator.axis, encoder.encode(bills().head(300)))


def filled_in(rows: Rows) -> torch.Tensor:
    return torch.rand(rows.codes.shape, generator=torch.Generator().manual_seed(1)) < 0.5


def test_a_guide_knows_which_of_its_targets_a_block_is(generator: Generator, encoder: TableEncoder) -> None:
    relations = generator.relations
    assert relations is not None
    targets = [relation.target for relation in encoder.relations]
    assert relations.which(None) == slice(0, len(targets))
    for block in range(len(encoder.layout)):
        which = relations.which(block)
        assert ([] if which is None else targets[which]) == [block] * targets.count(block)


def test_blocks_alone_are_the_same_as_all_together(generator: Generator, rows: Rows) -> None:
    filled = filled_in(rows)
    state = generator.read(rows, filled)
    clues = generator.clues(rows, filled)
    logits, cells = generator.logits(state, clues), generator.cell_logits(state, rows.codes, clues)
    n_guided = 0
    for block in range(rows.codes.shape[1]):
        low, high = generator.axis.bounds(block)
        own = generator.clues(rows, filled, block)
        n_guided += sum(clue is not None for clue in own)
        torch.testing.assert_close(generator.block_logits(state, block, own), logits[:, low:high])
        if block in generator.cells.blocks:
            one = generator.block_cell_logits(state, block, rows.codes[:, block], own)
            torch.testing.assert_close(one, cells[:, generator.cells.blocks.index(block)])
    assert n_guided >= 5  # two numbers that are close, two that are in order, and a country


def test_what_guides_say_adds_up(generator: Generator, rows: Rows) -> None:
    filled = filled_in(rows)
    state = generator.read(rows, filled)
    assert [type(guide) for guide in generator.guides] == [Relations, Pairings, Bounds]
    clues = generator.clues(rows, filled)
    alone = [[clue if place == own else None for own, clue in enumerate(clues)] for place in range(3)]
    without = generator.logits(state)
    added = [generator.logits(state, own) - without for own in alone]
    assert all(part.abs().max() > 0.1 for part in added)
    limited = (without + sum(added)).clamp(-30, 30)
    torch.testing.assert_close(generator.logits(state, clues), limited, rtol=1e-4, atol=1e-4)
    assert torch.equal(generator.logits(state, ()), without)
