"""Which blocks are given at a training step."""

from __future__ import annotations

import torch
from torch import Tensor

__all__ = ["NOTHING_GIVEN", "PASSES", "draw_known"]

PASSES = (1, 2, 4, 8, 1000, 1000, 1000, 1000)
"""Numbers of passes that training prepares for, half of the rows for a thousand: then every column has one of its own,
which is what the whole network learns most from."""

NOTHING_GIVEN = 0.1
"""Share of the training rows that are learned with nothing given: the start of every unconditional sample."""


def draw_known(codes: Tensor, generator: torch.Generator) -> tuple[Tensor, Tensor]:
    """Draw which blocks of each row are known before a pass, and which were drawn in it; never all of them.

    Each block gets a time, even on [0, 1), at which it is filled, and each row the time that it is now: zero in some
    rows, else even on [0, 1). That makes every number of filled blocks equally likely, which is what filling a row
    column by column meets. A sampler of P passes begins one at 0, 1/P, 2/P, ...: what was filled before the last
    beginning is known, what was filled since is drawn. Each row has a P of its own out of `PASSES`.

    Parameters
    ----------
    codes : Tensor, shape (n_rows, n_blocks)
        Says for which rows, and where.
    generator : torch.Generator
        Randomness.

    Returns
    -------
    known, drawn : Tensor of bool, shape (n_rows, n_blocks)
    """
    (n_rows, n_blocks), device = codes.shape, codes.device
    draws = torch.rand(n_rows, n_blocks + 4, generator=generator, device=device)
    now = torch.where(draws[:, :1] < NOTHING_GIVEN, 0.0, draws[:, 1:2])
    passes = torch.tensor(PASSES, device=device)[(draws[:, 3:4] * len(PASSES)).long()]
    time = draws[:, 4:]
    filled = time < now
    spared = (draws[:, 2:3] * n_blocks).long()  # this block is asked for when all were filled
    full = filled.all(dim=1, keepdim=True)
    filled = filled.scatter(1, spared, filled.gather(1, spared) & ~full)
    known = filled & (time < (now * passes).floor() / passes)
    return known, filled & ~known
