"""One step of each game: the likelihood of hidden columns, and generator against discriminator."""

from __future__ import annotations

import torch
from torch import Tensor

from synthgan.conditioning.masks import draw_known, draw_pass
from synthgan.models.discriminator import Discriminator
from synthgan.models.features import Rows
from synthgan.models.generator import Generator
from synthgan.models.losses import (
    block_cross_entropy,
    cell_cross_entropy,
    moment_matching,
    relativistic_discriminator,
    relativistic_generator,
    squared_gradient,
)
from synthgan.training.game import play
from synthgan.training.state import TrainState

__all__ = ["adversarial_step", "hidden_likelihood", "likelihood_step", "pass_step"]

PENALTY_EVERY = 4
"""R1 and R2 are taken every so many discriminator steps, with the weight that makes up for it (lazy regularisation)."""


def hidden_likelihood(
    generator: Generator, rows: Rows, known: Tensor, drawn: Tensor | None = None
) -> tuple[Tensor, Tensor]:
    """Mean negative log-probability of the codes, and of the cells, of the blocks neither known nor drawn.

    Both are sums over hidden blocks divided by their number, so that their sum is nats per hidden block.

    Returns
    -------
    codes, cells : Tensor of float32, scalar
    """
    axis = generator.axis
    state = generator.read(rows, known, drawn)
    filled = known if drawn is None else known | drawn
    asked = ~filled
    n_asked = asked.sum().clamp(min=1)
    anchors = generator.anchors(rows, filled)
    codes = (block_cross_entropy(generator.logits(state, anchors), rows.codes, axis.membership) * asked).sum() / n_asked
    blocks = generator.cells.blocks
    if not blocks:
        return codes, torch.zeros_like(codes)
    n_cells = axis.n_cells[rows.codes[:, blocks]]
    cells = torch.minimum((rows.positions[:, blocks] * n_cells).long(), n_cells - 1)
    losses = cell_cross_entropy(generator.cell_logits(state, rows.codes, anchors), cells)
    return codes, (losses * asked[:, blocks]).sum() / n_asked


def likelihood_step(state: TrainState) -> Tensor:
    """Take one step on the likelihood of hidden columns; returns the loss, still on the device."""
    loss = _likelihood_loss(state)
    _update(state, loss)
    return loss.detach()


def pass_step(state: TrainState) -> Tensor:
    """Take one step on the likelihood of columns that follow others of their pass; returns the loss."""
    rows = state.train.rows(next(state.batches))
    codes, cells = hidden_likelihood(
        state.generator, rows, *draw_pass(rows.codes, state.generator.axis.flags, state.streams["given"])
    )
    _update(state, codes + cells)
    return (codes + cells).detach()


def adversarial_step(state: TrainState) -> tuple[Tensor, Tensor, Tensor]:
    """Take the discriminator's steps, then one step of the generator on the game, the moments and the likelihood.

    Returns
    -------
    likelihood, discriminator, generator : Tensor of float32, scalar
        The losses, still on the device.
    """
    for _ in range(state.config.discriminator_steps):
        discriminator_loss = _discriminator_step(state)
    real, fake, given, shown, probabilities = play(state)
    with torch.no_grad():
        real_score = state.discriminator(real, given)
    game = relativistic_generator(real_score, state.discriminator(fake, given))
    n_codes = len(state.generator.axis.block_of)
    moments = moment_matching(probabilities, real[:, :n_codes], _moment_weight(state, shown))
    likelihood = _likelihood_loss(state)
    _update(state, likelihood + game + state.config.moment_weight * moments)
    return likelihood.detach(), discriminator_loss, game.detach()


def _likelihood_loss(state: TrainState) -> Tensor:
    rows = state.train.rows(next(state.batches))
    codes, cells = hidden_likelihood(
        state.generator, rows, draw_known(rows.codes, state.generator.axis.flags, state.streams["given"])
    )
    return codes + cells


def _update(state: TrainState, loss: Tensor) -> None:
    state.generator_optimizer.zero_grad(set_to_none=True)
    loss.backward()  # type: ignore[no-untyped-call]
    state.generator_optimizer.step()
    state.update_average()


def _discriminator_step(state: TrainState) -> Tensor:
    with torch.no_grad():
        real, fake, given, _, _ = play(state)
    discriminator: Discriminator = state.discriminator
    loss = relativistic_discriminator(discriminator(real, given), discriminator(fake, given))
    total = loss
    if state.step % PENALTY_EVERY == 0:
        penalty = sum(squared_gradient(lambda x: discriminator(x, given), inputs) for inputs in (real, fake))
        total = loss + 0.5 * PENALTY_EVERY * state.config.gradient_penalty * penalty
    state.discriminator_optimizer.zero_grad(set_to_none=True)
    total.backward()  # type: ignore[no-untyped-call]
    state.discriminator_optimizer.step()
    return loss.detach()


def _moment_weight(state: TrainState, shown: Tensor) -> Tensor:
    """``1 / (p_a p_b + 1e-3)`` for pairs of codes of different shown blocks, 0 for the others: shape (T, T)."""
    axis = state.generator.axis
    share = state.code_share
    weight = 1.0 / (share[:, None] * share[None, :] + 1e-3)
    seen = shown[axis.block_of].float()
    other = (axis.block_of[:, None] != axis.block_of[None, :]).float()
    return weight * other * seen[:, None] * seen[None, :]
