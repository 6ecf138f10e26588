"""One step of each game: the likelihood of hidden columns, and generator against discriminator."""

from __future__ import annotations

from collections.abc import Callable, Iterable

import torch
from torch import Tensor

from synthgan.conditioning.masks import draw_known, draw_pass
from synthgan.models.discriminator import Discriminator
from synthgan.models.ensemble import log_mean
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
from synthgan.training.game import play, player_of
from synthgan.training.state import TrainState

__all__ = ["adversarial_step", "hidden_likelihood", "likelihood_step", "pass_step", "stand_in_step"]

Loss = Callable[[TrainState, Generator, Tensor], Tensor]
"""The loss of one member on some rows, given by their numbers in the pool."""

PENALTY_EVERY = 4
"""R1 and R2 are taken every so many discriminator steps, with the weight that makes up for it (lazy regularisation)."""


def hidden_likelihood(
    networks: Iterable[Generator], rows: Rows, known: Tensor, drawn: Tensor | None = None
) -> tuple[Tensor, Tensor]:
    """Mean negative log-probability of the codes, and of the cells, of the blocks neither known nor drawn.

    Both are sums over hidden blocks divided by their number, so that their sum is nats per hidden block. Of several
    networks of one table it is the mean of their distributions that is asked.

    Returns
    -------
    codes, cells : Tensor of float32, scalar
    """
    networks = list(networks)
    filled = known if drawn is None else known | drawn
    asked = ~filled
    n_asked = asked.sum().clamp(min=1)
    losses = [_losses(network, rows, known, drawn, filled) for network in networks]
    codes, cells = (-log_mean([-nats for nats in parts]) for parts in zip(*losses, strict=True))
    of_cells = asked[:, networks[0].cells.places]
    return (codes * asked).sum() / n_asked, (cells * of_cells).sum() / n_asked


def _losses(
    network: Generator, rows: Rows, known: Tensor, drawn: Tensor | None, filled: Tensor
) -> tuple[Tensor, Tensor]:
    """Nats of each code (n, B), and of each cell (n, Q)."""
    axis, places = network.axis, network.cells.places
    state = network.read(rows, known, drawn)
    clues = network.clues(rows, filled)
    codes = block_cross_entropy(network.logits(state, clues), rows.codes, axis.membership)
    if not len(places):
        return codes, codes.new_zeros(len(codes), 0)
    n_cells = axis.n_cells[rows.codes[:, places]]
    cells = torch.minimum((rows.positions[:, places] * n_cells).long(), n_cells - 1)
    return codes, cell_cross_entropy(network.cell_logits(state, rows.codes, clues), cells)


def likelihood_step(state: TrainState) -> Tensor:
    """Take one step on the likelihood of hidden columns; returns the loss, still on the device.

    Every member learns from a batch of its own, and the loss is the mean over the members.
    """
    return _step(state, _hidden_loss)


def stand_in_step(state: TrainState) -> Tensor:
    """Take one step on the likelihood of hidden columns of stand-ins alone; as `likelihood_step`."""
    return _step(state, _hidden_loss, of_table=False)


def pass_step(state: TrainState) -> Tensor:
    """Take one step on the likelihood of columns that follow others of their pass; as `likelihood_step`."""
    return _step(state, _pass_loss)


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
    likelihood = _hidden_loss(state, player_of(state), state.next_index())
    _set_gradients(state, [likelihood + game + state.config.moment_weight * moments])
    _move(state)
    return likelihood.detach(), discriminator_loss, game.detach()


def _hidden_loss(state: TrainState, member: Generator, index: Tensor) -> Tensor:
    rows = state.pool.rows(index)
    known = draw_known(rows.codes, member.axis.flags, state.streams["given"])
    codes, cells = hidden_likelihood([member], rows, known)
    return codes + cells


def _pass_loss(state: TrainState, member: Generator, index: Tensor) -> Tensor:
    rows = state.pool.rows(index)
    known, drawn = draw_pass(rows.codes, member.axis.flags, state.streams["given"])
    codes, cells = hidden_likelihood([member], rows, known, drawn)
    return codes + cells


def _step(state: TrainState, loss_of: Loss, *, of_table: bool = True) -> Tensor:
    """Take a step on the mean of the members' losses, each of rows of its own; returns it."""
    members = state.generator.members
    index = torch.stack([state.next_index(of_table=of_table) for _ in members])

    def gradients(index: Tensor) -> Tensor:
        # Each loss is made when the one before is done with.
        return _set_gradients(state, (loss_of(state, *own) for own in zip(members, index, strict=True)))

    loss = state.replayed((loss_of, index.shape), gradients, index)
    _move(state)
    return loss


def _set_gradients(state: TrainState, losses: Iterable[Tensor]) -> Tensor:
    """Set the generator's gradients to those of the sum of losses; returns their mean."""
    state.generator_optimizer.zero_grad(set_to_none=True)
    values = []
    for loss in losses:
        loss.backward()  # type: ignore[no-untyped-call]
        values.append(loss.detach())
    return torch.stack(values).mean()


def _move(state: TrainState) -> None:
    """Move the generator by its gradients, and the averaged weights after it."""
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
