"""Which blocks are given at a training step."""

from __future__ import annotations

import torch
from torch import Tensor

__all__ = ["MOST_DOUBLINGS", "NOTHING_GIVEN", "draw_known", "draw_pass"]

MOST_DOUBLINGS = 3
"""The late layer prepares for 1, 2, 4, ... passes, up to 2 to the power of this."""

NOTHING_GIVEN = 0.1
"""Share of the training rows that are learned with nothing given: the start of every unconditional sample."""


def draw_known(codes: Tensor, generator: torch.Generator) -> Tensor:
    """Draw the known blocks of each row: none, or each with a rate drawn evenly for the row; never all of them.

    The rate makes every number of known blocks equally likely, which is what filling a row column by column meets.

    Parameters
    ----------
    codes : Tensor, shape (n_rows, n_blocks)
        Says for which rows, and where.
    generator : torch.Generator
        Randomness.

    Returns
    -------
    Tensor of bool, shape (n_rows, n_blocks)
    """
    draws = torch.rand(codes.shape[0], codes.shape[1] + 3, generator=generator, device=codes.device)
    return _filled(draws[:, 3:], draws[:, :3])[0]


def draw_pass(codes: Tensor, generator: torch.Generator) -> tuple[Tensor, Tensor]:
    """Draw which blocks of each row are known before a pass, and which were drawn in it; never all of them.

    Blocks have times as in `draw_known`. A sampler of P passes begins one at 0, 1/P, 2/P, ...: what was filled before
    the last beginning is known, what was filled since is drawn. Each row has a P of its own out of 1, 2, 4, ...

    Returns
    -------
    known, drawn : Tensor of bool, shape (n_rows, n_blocks)
    """
    draws = torch.rand(codes.shape[0], codes.shape[1] + 4, generator=generator, device=codes.device)
    time = draws[:, 4:]
    filled, now = _filled(time, draws[:, :3])
    passes = 2.0 ** (draws[:, 3:4] * (MOST_DOUBLINGS + 1)).floor()
    known = filled & (time < (now * passes).floor() / passes)
    return known, filled & ~known


def _filled(time: Tensor, draws: Tensor) -> tuple[Tensor, Tensor]:
    """Blocks (n, B) whose time has come, never all of a row, and the time that it is in each row (n, 1)."""
    now = torch.where(draws[:, :1] < NOTHING_GIVEN, 0.0, draws[:, 1:2])
    filled = time < now
    spared = (draws[:, 2:3] * time.shape[1]).long()  # this block is asked for when all were filled
    full = filled.all(dim=1, keepdim=True)
    return filled.scatter(1, spared, filled.gather(1, spared) & ~full), now
