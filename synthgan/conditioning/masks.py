"""Which blocks are given at a training step."""

from __future__ import annotations

import torch
from torch import Tensor

__all__ = ["NOTHING_GIVEN", "draw_given", "draw_split"]

NOTHING_GIVEN = 0.1
"""Share of the training rows that are learned with nothing given: the start of every unconditional sample."""


def draw_given(codes: Tensor, generator: torch.Generator) -> Tensor:
    """Draw the given blocks of each row: none, or each with a rate drawn evenly for the row; never all of them.

    `codes` (n_rows, n_blocks) says for which rows, and where. The rate makes every number of given blocks equally
    likely, which is what filling a row column by column meets.

    Returns
    -------
    Tensor of bool, shape (n_rows, n_blocks)
    """
    (n_rows, n_blocks), device = codes.shape, codes.device
    draws = torch.rand(n_rows, n_blocks + 3, generator=generator, device=device)
    rate = torch.where(draws[:, :1] < NOTHING_GIVEN, 0.0, draws[:, 1:2])
    given = draws[:, 3:] < rate
    spared = (draws[:, 2:3] * n_blocks).long()  # this block is asked for when all were given
    full = given.all(dim=1, keepdim=True)
    return given.scatter(1, spared, given.gather(1, spared) & ~full)


def draw_split(n_blocks: int, n_passes: int, generator: torch.Generator, device: torch.device) -> tuple[Tensor, Tensor]:
    """Draw one pass of a sampler of `n_passes` passes: the blocks filled before it, and the blocks it fills.

    Returns
    -------
    before, filled : Tensor of bool, shape (n_blocks,)
    """
    order = torch.rand(n_blocks, generator=generator, device=device).argsort()
    group = torch.arange(n_blocks, device=device) * n_passes // n_blocks
    chosen = (torch.rand(1, generator=generator, device=device) * n_passes).long()
    before, filled = torch.zeros(2, n_blocks, dtype=torch.bool, device=device)
    return before.index_put((order,), group < chosen), filled.index_put((order,), group == chosen)
