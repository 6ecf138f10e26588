"""Losses in float64 against values worked out by hand."""

from __future__ import annotations

import math

import pytest
import torch
from torch import Tensor

from synthgan.models.losses import (
    block_cross_entropy,
    cell_cross_entropy,
    moment_matching,
    relativistic_discriminator,
    relativistic_generator,
    squared_gradient,
)

CLOSE = 1e-12


def wide(values: object) -> Tensor:
    return torch.tensor(values, dtype=torch.float64)


def test_block_cross_entropy() -> None:
    # Two blocks: codes 0, 1 and codes 2, 3, 4.
    logits = wide([[0.0, math.log(3), 0.0, 0.0, 0.0], [math.log(4), 0.0, math.log(2), 0.0, math.log(5)]])
    membership = wide([[1, 0], [1, 0], [0, 1], [0, 1], [0, 1]])
    codes = torch.tensor([[1, 2], [1, 4]])
    wanted = wide([[math.log(4 / 3), math.log(3)], [math.log(5), math.log(8 / 5)]])
    assert torch.allclose(block_cross_entropy(logits, codes, membership), wanted, rtol=0, atol=CLOSE)


def test_block_cross_entropy_is_a_probability() -> None:
    logits = torch.randn(1, 5, dtype=torch.float64, generator=torch.Generator().manual_seed(0)).expand(3, -1)
    membership = wide([[1, 0], [1, 0], [0, 1], [0, 1], [0, 1]])
    losses = block_cross_entropy(logits, torch.tensor([[0, 2], [1, 3], [1, 4]]), membership)
    assert torch.exp(-losses[:, 1]).sum().item() == pytest.approx(1, abs=CLOSE)
    assert torch.exp(-losses[:2, 0]).sum().item() == pytest.approx(1, abs=CLOSE)


def test_cell_cross_entropy() -> None:
    logits = wide([[[0.0, math.log(3)], [math.log(9), 0.0]]])
    losses = cell_cross_entropy(logits, torch.tensor([[0, 0]]))
    assert torch.allclose(losses, wide([[math.log(4), math.log(10 / 9)]]), rtol=0, atol=CLOSE)


def test_cells_that_do_not_exist_take_no_probability() -> None:
    losses = cell_cross_entropy(wide([[[0.0, 0.0, -1e4]]]), torch.tensor([[1]]))
    assert losses.item() == pytest.approx(math.log(2), abs=CLOSE)


def test_relativistic_losses() -> None:
    real, fake = wide([2.0, 0.0]), wide([0.0, 0.0])
    lost, won = math.log1p(math.exp(2)), math.log1p(math.exp(-2))
    assert relativistic_discriminator(real, fake).item() == pytest.approx((won + math.log(2)) / 2, abs=CLOSE)
    assert relativistic_generator(real, fake).item() == pytest.approx((lost + math.log(2)) / 2, abs=CLOSE)


def test_relativistic_losses_look_at_differences_only() -> None:
    real, fake = wide([0.3, -1.2, 4.0]), wide([1.0, 0.5, -2.0])
    for loss in (relativistic_discriminator, relativistic_generator):
        assert loss(real + 7, fake + 7).item() == pytest.approx(loss(real, fake).item(), abs=CLOSE)
    # At a tie the two pull on the generated score with equal force, in opposite directions.
    score = wide([0.0]).requires_grad_(True)
    (up,) = torch.autograd.grad(relativistic_generator(wide([0.0]), score), score)
    (down,) = torch.autograd.grad(relativistic_discriminator(wide([0.0]), score), score)
    assert (up.item(), down.item()) == (-0.5, 0.5)


def test_squared_gradient() -> None:
    weight = wide([1.0, -2.0, 0.5])
    inputs = wide([[1.0, 0.0, 2.0], [0.0, 3.0, -1.0]])
    assert squared_gradient(lambda x: x @ weight, inputs).item() == pytest.approx(5.25, abs=CLOSE)
    # D(x) = |x|^2 / 2 has gradient x: mean of 5 and 10
    assert squared_gradient(lambda x: x.square().sum(1) / 2, inputs).item() == pytest.approx(7.5, abs=1e-6)


def test_squared_gradient_can_be_learned_from() -> None:
    slope = wide(3.0).requires_grad_(True)
    penalty = squared_gradient(lambda x: slope * x[:, 0], wide([[1.0], [2.0]]))
    (gradient,) = torch.autograd.grad(penalty, slope)
    assert (penalty.item(), gradient.item()) == (9.0, 6.0)


def test_moment_matching() -> None:
    # Real rows hold codes (0, 2) and (1, 3); the generated ones hold (0, 3) and (1, 2).
    real = wide([[1, 0, 1, 0], [0, 1, 0, 1]])
    fake = wide([[1, 0, 0, 1], [0, 1, 1, 0]])
    between = wide([[0, 0, 1, 1], [0, 0, 1, 1], [1, 1, 0, 0], [1, 1, 0, 0]])
    # Each of the four pairs, counted both ways, is off by a half: 8 * 0.25
    assert moment_matching(fake, real, between).item() == pytest.approx(2.0, abs=CLOSE)
    assert moment_matching(fake, real, 3 * between).item() == pytest.approx(6.0, abs=CLOSE)
    assert moment_matching(real, real, between).item() == 0.0
    assert moment_matching(real[[1, 0]], real, between).item() == 0.0  # the order of rows does not matter
    half = wide([[0.5, 0.5, 0.5, 0.5]] * 2)
    assert moment_matching(half, real, between).item() == pytest.approx(8 * 0.25**2, abs=CLOSE)
