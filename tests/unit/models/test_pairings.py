"""What levels say of other columns is what was counted, whether one block is asked or all of them."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pandas as pd
import pytest
import torch

from synthgan import infer_schema
from synthgan.encoding import EncodedTable, TableEncoder
from synthgan.encoding.finding import with_likeness, with_pairings
from synthgan.models import Generator
from synthgan.models.features import Rows, rows_of


def shops(n: int = 8000) -> pd.DataFrame:
    """Towns (more than there are codes) in countries, and a number that stands for the town as well."""
    rng = np.random.default_rng(0)
    town = rng.choice(300, n)
    return pd.DataFrame(
        {
            "town": [f"town {k}" for k in town],
            "country": [f"country {k % 9}" for k in town],
            "code": (town * 7919) % 300 * 100,
            "size": rng.normal(size=n),
        }
    )


@pytest.fixture(scope="module")
def encoded() -> tuple[TableEncoder, EncodedTable]:
    frame = shops()
    encoder = with_pairings(with_likeness(TableEncoder.fit(frame, infer_schema(frame)), frame), frame, 5)
    assert {(one.target, one.source) for one in encoder.pairings} == {(0, 1), (0, 2), (1, 0), (1, 2), (2, 0), (2, 1)}
    assert encoder.encoders["town"].is_shared
    return encoder, encoder.encode(frame.head(300))


@pytest.fixture
def generator(
    shaken_generator: Callable[[TableEncoder], Generator], encoded: tuple[TableEncoder, EncodedTable]
) -> Generator:
    return shaken_generator(encoded[0])


@pytest.fixture
def rows(generator: Generator, encoded: tuple[TableEncoder, EncodedTable]) -> Rows:
    return rows_of(generator.axis, encoded[1])


def test_blocks_alone_are_the_same_as_all_together(generator: Generator, rows: Rows) -> None:
    filled = torch.rand(rows.codes.shape, generator=torch.Generator().manual_seed(1)) < 0.5
    state = generator.read(rows, filled)
    clues = generator.clues(rows, filled)
    logits, cells = generator.logits(state, clues), generator.cell_logits(state, rows.codes, clues)
    assert not torch.allclose(logits, generator.logits(state), atol=0.5)
    assert not torch.allclose(cells, generator.cell_logits(state, rows.codes), atol=0.5)
    for block in range(rows.codes.shape[1]):
        low, high = generator.axis.bounds(block)
        own = generator.clues(rows, filled, block)
        assert (list(own) == [None]) == (block == 3)
        torch.testing.assert_close(generator.block_logits(state, block, own), logits[:, low:high])
    for place, block in enumerate(generator.cells.blocks):
        own = generator.clues(rows, filled, block)
        one = generator.block_cell_logits(state, block, rows.codes[:, block], own)
        # beyond the cells that a code has, what is said does not matter
        there = torch.arange(cells.shape[2]) < generator.axis.n_cells[rows.codes[:, block], None]
        torch.testing.assert_close(one[there], cells[:, place][there])


def test_what_is_added_is_the_log_of_how_much_likelier_a_cell_gets(
    generator: Generator, rows: Rows, encoded: tuple[TableEncoder, EncodedTable]
) -> None:
    encoder, table = encoded
    pairings = generator.pairings
    assert pairings is not None
    torch.nn.init.zeros_(pairings.gate.weight)
    torch.nn.init.zeros_(pairings.gate.bias)
    flat = [encoder.layout.blocks[block].cells.flatten(*encoder.block_values(table, block))[0] for block in range(3)]
    hidden = torch.zeros(1, 16)
    filled = torch.ones(rows.codes.shape, dtype=torch.bool)
    filled[::2, 0] = False
    for target in range(3):
        own = [one for one in encoder.pairings if one.target == target]
        which = pairings.which(target)
        assert which is not None
        hints = pairings.look_up(rows, filled, which)
        added = pairings.block(hidden, hints).double().numpy()
        inner = pairings.cells(hidden, hints, rows.codes[:, [target]], (target,))[:, 0].double().numpy()
        cells = encoder.layout.blocks[target].cells
        for row in range(0, 300, 7):
            source = next(one for one in own if filled[row, one.source])
            shares, share = source.shares()
            given = shares[flat[source.source][row]]
            by_code, of_code = np.bincount(cells.code, given), np.bincount(cells.code, share)
            np.testing.assert_allclose(added[row], np.log(by_code / of_code), atol=1e-5)
            code = int(table.codes[row, target])
            there = cells.code == code
            wanted = np.log(given[there] / by_code[code]) - np.log(share[there] / of_code[code])
            np.testing.assert_allclose(inner[row, : there.sum()], wanted, atol=1e-5)


def test_nothing_filled_says_nothing(generator: Generator, rows: Rows) -> None:
    filled = torch.zeros(rows.codes.shape, dtype=torch.bool)
    filled[:, 3] = True
    state = generator.read(rows, filled)
    assert torch.equal(generator.logits(state, generator.clues(rows, filled)), generator.logits(state))
