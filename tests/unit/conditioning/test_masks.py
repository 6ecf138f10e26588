"""Which columns are known at a training step."""

from __future__ import annotations

import pytest
import torch

from synthgan.conditioning.masks import MOST_DOUBLINGS, NOTHING_GIVEN, draw_known, draw_pass

N_ROWS, N_BLOCKS = 40_000, 6
CODES = torch.zeros(N_ROWS, N_BLOCKS)
NO_FLAGS = torch.zeros(N_BLOCKS, dtype=torch.bool)


def stream() -> torch.Generator:
    return torch.Generator().manual_seed(0)


def test_every_number_of_known_blocks_is_equally_likely() -> None:
    known = draw_known(CODES, NO_FLAGS, stream())
    shares = torch.bincount(known.sum(1), minlength=N_BLOCKS + 1) / N_ROWS
    even = (1 - NOTHING_GIVEN) / (N_BLOCKS + 1)
    # Rows with all blocks known get one taken away.
    wanted = torch.tensor([NOTHING_GIVEN + even, *[even] * (N_BLOCKS - 2), 2 * even, 0.0])
    torch.testing.assert_close(shares, wanted, rtol=0, atol=0.01)
    torch.testing.assert_close(known.float().mean(0), known.float().mean().expand(N_BLOCKS), rtol=0, atol=0.01)


def test_the_blocks_of_a_pass_are_those_since_it_began() -> None:
    known, drawn = draw_pass(CODES, NO_FLAGS, stream())
    assert not (known & drawn).any()
    assert not (known | drawn).all(1).any()
    # With one pass nothing is known when it begins: P is 1 in a quarter of the rows, and half of those with P = 2 ...
    first = NOTHING_GIVEN + (1 - NOTHING_GIVEN) * sum(0.5**k for k in range(MOST_DOUBLINGS + 1)) / (MOST_DOUBLINGS + 1)
    # ... and blocks that happen to have times after the pass began.
    assert first < (~known.any(1)).float().mean() < first + 0.12


def test_samples_begin_with_the_flags() -> None:
    flags = torch.arange(N_BLOCKS) >= 3
    known = draw_known(CODES, flags, stream())
    others = known[:, :3].any(1)
    assert known[others][:, 3:].all(1).float().mean() > 0.6
    assert (~known[others][:, 3:]).any(1).float().mean() > 0.1  # values may be given where flags are not
    alone = known[:, 3:].all(1) & ~known[:, :3].any(1)
    assert alone.float().mean() > 0.1


@pytest.mark.parametrize("n_blocks", [1, 2])
def test_something_is_always_asked_for(n_blocks: int) -> None:
    codes, flags = torch.zeros(1000, n_blocks), torch.arange(n_blocks) == 1
    assert not draw_known(codes, flags, stream()).all(1).any()
    known, drawn = draw_pass(codes, flags, stream())
    assert not (known | drawn).all(1).any()
