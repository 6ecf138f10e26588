"""Which blocks are given at a training step."""

from __future__ import annotations

import torch
from torch import Tensor

__all__ = ["MOST_DOUBLINGS", "NOTHING_GIVEN", "draw_known", "draw_pass"]

MOST_DOUBLINGS = 2
"""The late layer prepares for 1, 2, 4, ... passes, up to 2 to the power of this."""

NOTHING_GIVEN = 0.1
"""Share of the training rows that are learned with nothing given: the start of every unconditional sample."""

FLAGS_FIRST, FLAGS_WITHIN = 0.75, 0.15
"""In this share of the rows the times of flags are all early, below the second number: samples begin with the flags,
and what is random in all blocks alike would hardly ever know them all and little else."""

N_DRAWS = 5
"""Random numbers of a row beside those of its blocks."""


def draw_known(codes: Tensor, flags: Tensor, generator: torch.Generator) -> Tensor:
    """Draw the known blocks of each row: none, or each with a rate drawn evenly for the row; never all of them.

    The rate makes every number of known blocks equally likely, which is what filling a row column by column meets.

    Parameters
    ----------
    codes : Tensor, shape (n_rows, n_blocks)
        Says for which rows, and where.
    flags : Tensor of bool, shape (n_blocks,)
        Blocks that sampling begins with.
    generator : torch.Generator
        Randomness.

    Returns
    -------
    Tensor of bool, shape (n_rows, n_blocks)
    """
    return _filled(codes, flags, generator)[0]


def draw_pass(codes: Tensor, flags: Tensor, generator: torch.Generator) -> tuple[Tensor, Tensor]:
    """Draw which blocks of each row are known before a pass, and which were drawn in it; never all of them.

    Blocks are filled at times as in `draw_known`, of which this takes the parameters. A sampler of P passes begins one
    at 0, 1/P, 2/P, ...: what was filled before the last beginning is known, what was filled since is drawn. Each row
    has a P of its own out of 1, 2, 4, ...

    Returns
    -------
    known, drawn : Tensor of bool, shape (n_rows, n_blocks)
    """
    filled, time, now, even = _filled(codes, flags, generator)
    passes = 2.0 ** (even * (MOST_DOUBLINGS + 1)).floor()
    known = filled & (time < (now * passes).floor() / passes)
    return known, filled & ~known


def _filled(codes: Tensor, flags: Tensor, generator: torch.Generator) -> tuple[Tensor, Tensor, Tensor, Tensor]:
    """Blocks whose time has come, never all of a row; the times, the time that it is, and a number even on [0, 1)."""
    (n_rows, n_blocks), device = codes.shape, codes.device
    draws = torch.rand(n_rows, n_blocks + N_DRAWS, generator=generator, device=device)
    nothing, now, spared, early, even = draws[:, :N_DRAWS].t()[:, :, None]
    time = draws[:, N_DRAWS:]
    time = torch.where(flags & (early < FLAGS_FIRST), FLAGS_WITHIN * time, time)
    now = torch.where(nothing < NOTHING_GIVEN, 0.0, now)
    filled = time < now
    asked = (spared * n_blocks).long()  # this block is asked for when all were filled
    full = filled.all(dim=1, keepdim=True)
    return filled.scatter(1, asked, filled.gather(1, asked) & ~full), time, now, even
