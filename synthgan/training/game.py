"""What the discriminator is shown: real rows, and the same rows with some columns drawn by the generator."""

from __future__ import annotations

from typing import NamedTuple

import torch
from torch import Tensor
from torch.nn import functional

from synthgan.models.features import POSITION_SCALE, Rows, features
from synthgan.models.generator import Generator
from synthgan.models.guides import Clues
from synthgan.models.late import PassState
from synthgan.training.state import TrainState

__all__ = ["Round", "play", "player_of"]

PASSES = (1, 2, 4)
"""Numbers of passes the game is played for, in turn."""


class Round(NamedTuple):
    """One batch of the game.

    Attributes
    ----------
    real, fake : Tensor of float32, shape (n, n_features)
        Rows as far as they are shown, with the real and with the generated completion.
    given : Tensor of float32, shape (n, B)
        The blocks that were known before the pass.
    shown : Tensor of bool, shape (B,)
        The blocks known, or drawn in the pass.
    probabilities : Tensor of float32, shape (n, T)
        Of the drawn blocks' codes; one-hot where known.
    """

    real: Tensor
    fake: Tensor
    given: Tensor
    shown: Tensor
    probabilities: Tensor


def player_of(state: TrainState) -> Generator:
    """Return the generator that plays: an ensemble of one, because its members would have to play together."""
    (player,) = state.generator.members
    return player


def play(state: TrainState) -> Round:
    """Hide some blocks of real rows, and let the generator draw one pass of them as `sample` does.

    Codes are drawn one after another, each following the ones before it, with straight-through gradients,
    ``hard + p - p.detach()``; places inside codes carry none.
    """
    axis, device = state.generator.axis, state.device
    rows = state.train.rows(next(state.batches))
    n_rows, n_blocks = rows.codes.shape
    before, drawn = _pass(n_blocks, min(PASSES[state.step % len(PASSES)], n_blocks), state.streams["passes"])
    known, shown = torch.zeros(2, n_blocks, dtype=torch.bool)
    known[before] = shown[before] = True
    shown[drawn] = True
    known, shown = (blocks.to(device, non_blocking=True) for blocks in (known, shown))
    real = features(axis, rows, shown.expand(n_rows, -1), torch.float32)
    soft, probabilities, completed = _draw(state, rows, known.expand(n_rows, -1), drawn)
    hard = features(axis, completed, shown.expand(n_rows, -1), torch.float32)
    n_codes = len(axis.block_of)
    parts, seen = [], []
    for block in range(n_blocks):
        codes = slice(*axis.bounds(block))
        parts.append(soft.get(block, hard[:, codes]))
        seen.append(probabilities.get(block, hard[:, codes]))
    fake = torch.cat([*parts, hard[:, n_codes:]], dim=1)
    return Round(real, fake, known.expand(n_rows, -1).float(), shown, torch.cat(seen, dim=1))


def _pass(n_blocks: int, n_passes: int, stream: torch.Generator) -> tuple[list[int], list[int]]:
    """Draw one pass of a sampler of `n_passes`: the blocks filled before it, and those it fills, in order."""
    order = torch.randperm(n_blocks, generator=stream).tolist()
    chosen = int(torch.randint(n_passes, (1,), generator=stream))
    start, stop = (n_blocks * place // n_passes for place in (chosen, chosen + 1))
    return order[:start], order[start:stop]


def _draw(
    state: TrainState, rows: Rows, known: Tensor, drawn: list[int]
) -> tuple[dict[int, Tensor], dict[int, Tensor], Rows]:
    """Draw blocks: by block the straight-through one-hots and the probabilities, and the completed rows."""
    generator, axis, stream = player_of(state), state.generator.axis, state.streams["noise"]
    codes, positions, filled = rows.codes.clone(), rows.positions.clone(), known.clone()
    first, embed = generator.smoothed(generator.first), generator.smoothed(generator.late.embed)
    out = generator.out_weights()
    inputs = features(axis, rows, known, generator.first.compute_dtype)
    pass_state = generator.begin(generator.first(inputs, first).float())
    uniform = torch.rand(len(drawn), 3, len(codes), generator=stream, device=codes.device)
    soft, probabilities = {}, {}
    for place, block in enumerate(drawn):
        low, high = axis.bounds(block)
        clues = generator.clues(Rows(codes, positions), filled, block)
        p = torch.softmax(generator.block_logits(pass_state, block, clues, out), dim=1)
        local = _choose(p.detach(), uniform[place, 0])
        hard = functional.one_hot(local, high - low).float()
        soft[block], probabilities[block] = hard + p - p.detach(), p
        codes[:, block] = local + low
        with torch.no_grad():
            positions[:, block] = _position(generator, pass_state, block, codes[:, block], uniform[place, 1:], clues)
        filled[:, block] = True
        step = soft[block] @ embed[:, low:high].t() + _rest(generator, embed, block, codes, positions)
        pass_state = generator.late.add(pass_state, step)
    return soft, probabilities, Rows(codes, positions)


def _choose(p: Tensor, uniform: Tensor) -> Tensor:
    return (p.cumsum(1) < uniform[:, None]).sum(1).clamp(max=p.shape[1] - 1)


def _position(
    generator: Generator, state: PassState, block: int, codes: Tensor, uniform: Tensor, clues: Clues
) -> Tensor:
    axis = generator.axis
    cells = torch.zeros_like(codes)
    if block in generator.cells.blocks:
        scores = generator.block_cell_logits(state, block, codes, clues)
        cells = _choose(torch.softmax(scores, dim=1), uniform[0])
    cells = torch.minimum(cells, axis.n_cells[codes] - 1)
    return (cells + torch.where(axis.interval[codes, cells], uniform[1], 0.5)) / axis.n_cells[codes]


def _rest(generator: Generator, embed: Tensor, block: int, codes: Tensor, positions: Tensor) -> Tensor:
    """What a drawn block adds to the pass's state beside its one-hot: its place, and the mask."""
    axis = generator.axis
    n_codes = len(axis.block_of)
    place = ((positions[:, block] - 0.5) * POSITION_SCALE)[:, None]
    table = embed.t()
    return table[n_codes + axis.slope[codes[:, block]]] * place + table[n_codes + axis.n_slopes + block]
