"""Drawing a code, a cell and a place inside it."""

from __future__ import annotations

from typing import NamedTuple

import torch
from torch import Tensor

from synthgan.conditioning.pieces import Restriction
from synthgan.models.ensemble import Ensemble
from synthgan.models.guides import Clues
from synthgan.models.late import PassState

__all__ = ["DeviceRestriction", "Open", "choose", "draw_block"]


class Open(NamedTuple):
    """What of a block is open in each of n rows.

    Attributes
    ----------
    codes : Tensor of float32, shape (n, n_codes)
        Added to the logits of its codes: the log of the share that is open of what conditions leave of each.
    cells : Tensor of float32, shape (n, n_flat)
        Added to the logits of its cells: 0 or ``-inf``.
    """

    codes: Tensor
    cells: Tensor


class DeviceRestriction:
    """A `Restriction` as float32 tensors on the generator's device."""

    def __init__(self, restriction: Restriction, device: torch.device) -> None:
        self.code_bonus = torch.from_numpy(restriction.code_bonus).float().to(device)
        self.cell_bonus = torch.from_numpy(restriction.cell_bonus).float().to(device)
        self.first = torch.from_numpy(restriction.first).to(device)
        self.count = torch.from_numpy(restriction.count).to(device)
        self.start = torch.from_numpy(restriction.start).float().to(device)
        self.stop = torch.from_numpy(restriction.stop).float().to(device)


def draw_block(
    generator: Ensemble,
    states: tuple[PassState, ...],
    block: int,
    uniform: Tensor,
    restrictions: list[tuple[Tensor | None, DeviceRestriction]],
    clues: Clues = (),
    logits: Tensor | None = None,
    is_open: Open | None = None,
) -> tuple[Tensor, Tensor]:
    """Draw one block of each row.

    Parameters
    ----------
    generator : Ensemble
        Folded, in eval mode.
    states : tuple of PassState
        What its members made of the columns filled so far, with one row where all are alike.
    block : int
        The block to draw.
    uniform : Tensor of float32 in [0, 1), shape (n, 3)
        The randomness: for the code, the cell, and the place inside.
    restrictions : list of (rows, DeviceRestriction)
        What is allowed, in which rows (bool (n,), None for all); a row in none of them is free.
    clues : Clues, optional
        What other blocks say of this one.
    logits : Tensor of float32, shape (n, n_codes of the block), optional
        Of its codes, where others than the generator say so.
    is_open : Open, optional
        What of it what rows hold already leaves open.

    Returns
    -------
    codes : Tensor of int64, shape (n,)
        On the common axis.
    positions : Tensor of float32, shape (n,)
    """
    axis = generator.axis
    offset, _ = axis.bounds(block)
    free = logits is None and not restrictions and is_open is None
    if logits is None:
        logits = generator.block_logits(states, block, clues)
    for chosen, allowed in restrictions:
        bent = logits + allowed.code_bonus
        logits = bent if chosen is None else torch.where(chosen[:, None], bent, logits)
    if is_open is not None:
        logits = logits + is_open.codes
    # The generator's own logits are limited, and need no shift.
    weights = torch.exp(logits) if free else torch.softmax(logits, dim=1)
    local = choose(weights, uniform[:, 0])
    codes = local + offset
    if not axis.layout.blocks[block].has_positions:
        return codes, torch.full_like(uniform[:, 2], 0.5)
    cells = torch.zeros_like(codes)
    if block in generator.cell_blocks:
        scores = generator.block_cell_logits(states, block, codes, clues)
        for chosen, allowed in restrictions:
            width = allowed.cell_bonus.shape[1]
            bent = scores.clone()
            bent[:, :width] += allowed.cell_bonus[local]
            scores = bent if chosen is None else torch.where(chosen[:, None], bent, scores)
        if is_open is not None:
            inner = axis.first_cell[codes, None] + torch.arange(scores.shape[1], device=codes.device)
            scores = scores + is_open.cells.gather(1, inner.clamp(max=is_open.cells.shape[1] - 1))
        cells = choose(torch.softmax(scores, dim=1), uniform[:, 1])
    interval = axis.interval.flatten().index_select(0, codes * axis.interval.shape[1] + cells)
    inside = torch.where(interval, uniform[:, 2], 0.5)
    for chosen, allowed in restrictions:
        placed = _place(allowed, local, cells, uniform[:, 2], interval)
        inside = placed if chosen is None else torch.where(chosen, placed, inside)
    return codes, ((cells + inside) / axis.n_cells.index_select(0, codes)).clamp_(max=1 - 1e-6)


def choose(weights: Tensor, uniform: Tensor) -> Tensor:
    """Inverse-CDF draw from each row of weights, or from the only one; an entry of weight zero is never chosen.

    A float32 below 1 is at most ``1 - 2**-24``, and its product with the total is rounded to less than the total, so
    that some entry's running sum exceeds it: the first to do so has a weight.
    """
    running = weights.cumsum(dim=1)
    wanted = uniform * running[:, -1]
    if len(running) == 1:
        chosen = torch.searchsorted(running[0], wanted, right=True)
    else:
        chosen = torch.searchsorted(running, wanted[:, None], right=True)[:, 0]
    return chosen.clamp_(max=weights.shape[1] - 1)


def _place(allowed: DeviceRestriction, local: Tensor, cells: Tensor, uniform: Tensor, interval: Tensor) -> Tensor:
    """A place inside one of the cell's pieces; the uniform draw picks the piece, and what is left of it the place."""
    cells = cells.clamp(max=allowed.count.shape[1] - 1)
    count = allowed.count[local, cells]
    scaled = uniform * count
    pick = torch.minimum(scaled.long(), (count - 1).clamp(min=0))
    piece = (allowed.first[local, cells] + pick).clamp(max=len(allowed.start) - 1)
    place = allowed.start[piece] + (scaled - pick) * (allowed.stop[piece] - allowed.start[piece])
    return torch.where(interval, place, 0.5)
