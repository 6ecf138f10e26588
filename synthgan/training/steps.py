"""One step of each game: the likelihood of hidden columns, and generator against discriminator."""

from __future__ import annotations

import torch
from torch import Tensor

from synthgan.conditioning.masks import draw_given, draw_split
from synthgan.models.discriminator import Discriminator
from synthgan.models.features import POSITION_SCALE, Rows, features
from synthgan.models.generator import Generator
from synthgan.models.losses import (
    block_cross_entropy,
    cell_cross_entropy,
    moment_matching,
    relativistic_discriminator,
    relativistic_generator,
    squared_gradient,
)
from synthgan.training.state import TrainState

__all__ = ["adversarial_step", "hidden_likelihood", "likelihood_step"]

PENALTY_EVERY = 4
"""R1 and R2 are taken every so many discriminator steps, with the weight that makes up for it (lazy regularisation)."""

PASSES = (1, 2, 4)
"""Numbers of passes the adversarial stage trains for."""


def hidden_likelihood(generator: Generator, rows: Rows, given: Tensor) -> tuple[Tensor, Tensor]:
    """Mean negative log-probability of the codes, and of the cells, of the blocks that are not given.

    Both are sums over hidden blocks divided by their number, so that their sum is nats per hidden block.

    Returns
    -------
    codes, cells : Tensor of float32, scalar
    """
    axis = generator.axis
    hidden = generator.hidden(rows, given, None)
    asked = ~given
    n_asked = asked.sum().clamp(min=1)
    codes = (block_cross_entropy(generator.logits(hidden), rows.codes, axis.membership) * asked).sum() / n_asked
    blocks = generator.cells.blocks
    if not blocks:
        return codes, torch.zeros_like(codes)
    drawn = rows.codes[:, blocks]
    n_cells = axis.n_cells[drawn]
    cells = torch.minimum((rows.positions[:, blocks] * n_cells).long(), n_cells - 1)
    losses = cell_cross_entropy(generator.cells(hidden, drawn), cells)
    return codes, (losses * asked[:, blocks]).sum() / n_asked


def likelihood_step(state: TrainState) -> Tensor:
    """Take one step on the likelihood of hidden columns; returns the loss, still on the device."""
    loss = _likelihood_loss(state)
    _update(state, loss)
    return loss.detach()


def adversarial_step(state: TrainState) -> tuple[Tensor, Tensor, Tensor]:
    """Take the discriminator's steps, then one step of the generator on the game, the moments and the likelihood.

    Returns
    -------
    likelihood, discriminator, generator : Tensor of float32, scalar
        The losses, still on the device.
    """
    for _ in range(state.config.discriminator_steps):
        discriminator_loss = _discriminator_step(state)
    real, fake, given, shown, probabilities = _play(state)
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
    given = draw_given(rows.codes, state.streams["given"])
    codes, cells = hidden_likelihood(state.generator, rows, given)
    return codes + cells


def _update(state: TrainState, loss: Tensor) -> None:
    state.generator_optimizer.zero_grad(set_to_none=True)
    loss.backward()  # type: ignore[no-untyped-call]
    state.generator_optimizer.step()
    state.update_average()


def _discriminator_step(state: TrainState) -> Tensor:
    with torch.no_grad():
        real, fake, given, _, _ = _play(state)
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


def _play(state: TrainState) -> tuple[Tensor, Tensor, Tensor, Tensor, Tensor]:
    """Hide some blocks of real rows and let the generator fill some of them in one pass.

    Returns
    -------
    real, fake : Tensor of float32, shape (n, n_features)
        The rows as far as they are shown, with the real and with the generated completion.
    given : Tensor of float32, shape (n, B)
        The blocks that were given.
    shown : Tensor of bool, shape (B,)
        The blocks given or filled.
    probabilities : Tensor of float32, shape (n, T)
        Of the filled blocks' codes; one-hot where given.
    """
    generator, axis = state.generator, state.generator.axis
    rows = state.train.rows(next(state.batches))
    n_rows, n_blocks = rows.codes.shape
    n_passes = min(PASSES[state.step % len(PASSES)], n_blocks)
    before, filled = draw_split(n_blocks, n_passes, state.streams["given"], state.device)
    given, shown = before.expand(n_rows, -1), before | filled
    real = features(axis, rows, shown.expand(n_rows, -1), torch.float32)
    noise = torch.randn(n_rows, generator.config.noise_dim, generator=state.streams["noise"], device=state.device)
    hidden = generator.hidden(rows, given, noise)
    fake, probabilities = _draw(state, hidden, real, before, filled)
    return real, fake, given.float(), shown, probabilities


def _draw(state: TrainState, hidden: Tensor, real: Tensor, before: Tensor, filled: Tensor) -> tuple[Tensor, Tensor]:
    """Draw the filled blocks with straight-through gradients: ``hard + p - p.detach()``."""
    generator, axis = state.generator, state.generator.axis
    n_codes, n_slopes = len(axis.block_of), axis.n_slopes
    weight = torch.exp(generator.logits(hidden))
    total = weight @ axis.membership
    probabilities = weight / total[:, axis.block_of]
    running = weight.detach().cumsum(1)
    ends = total.detach().cumsum(1)
    uniform = torch.rand(total.shape, generator=state.streams["noise"], device=state.device)
    wanted = ends - total.detach() * uniform
    codes = torch.searchsorted(running, wanted)
    codes = torch.minimum(torch.maximum(codes, axis.offsets), axis.last)
    hard = torch.zeros_like(weight).scatter_(1, codes, 1.0)
    of_filled = filled[axis.block_of].float()
    of_before = before[axis.block_of].float()
    one_hot = (hard + probabilities - probabilities.detach()) * of_filled + real[:, :n_codes] * of_before
    places = _places(state, hidden, codes)
    slopes = torch.zeros(len(real), n_slopes, device=state.device)
    slopes = slopes.scatter_add(1, axis.slope[codes], places * filled.float())
    kept = real[:, n_codes : n_codes + n_slopes]
    slope_before = torch.zeros(n_slopes, device=state.device).index_put((axis.slope,), of_before)
    fake = torch.cat([one_hot, slopes + kept * slope_before, real[:, n_codes + n_slopes :]], dim=1)
    return fake, probabilities * of_filled + real[:, :n_codes] * of_before


def _places(state: TrainState, hidden: Tensor, codes: Tensor) -> Tensor:
    """Centred positions (n, B) of the drawn codes, straight-through in the cells; 0 in blocks without positions."""
    generator, axis = state.generator, state.generator.axis
    shape = codes.shape
    inside = torch.rand(shape, generator=state.streams["noise"], device=state.device)
    n_cells = axis.n_cells[codes]
    cells = torch.zeros(shape, device=state.device)
    blocks = generator.cells.blocks
    if blocks:
        drawn = codes[:, blocks]
        p = torch.softmax(generator.cells(hidden, drawn), dim=-1)
        uniform = torch.rand(drawn.shape, generator=state.streams["noise"], device=state.device)
        hard = (p.detach().cumsum(-1) < uniform[..., None]).sum(-1).clamp(max=axis.interval.shape[1] - 1)
        soft = (p * torch.arange(p.shape[-1], device=state.device)).sum(-1)
        cells[:, blocks] = hard + soft - soft.detach()
    index = torch.minimum(cells.detach().long(), n_cells - 1)
    inside = torch.where(axis.interval[codes, index], inside, 0.5)
    return ((cells + inside) / n_cells - 0.5) * POSITION_SCALE


def _moment_weight(state: TrainState, shown: Tensor) -> Tensor:
    """``1 / (p_a p_b + 1e-3)`` for pairs of codes of different shown blocks, 0 for the others: shape (T, T)."""
    axis = state.generator.axis
    share = state.code_share
    weight = 1.0 / (share[:, None] * share[None, :] + 1e-3)
    seen = shown[axis.block_of].float()
    other = (axis.block_of[:, None] != axis.block_of[None, :]).float()
    return weight * other * seen[:, None] * seen[None, :]
