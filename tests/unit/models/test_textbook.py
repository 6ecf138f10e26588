"""The textbook's losses against their equations, and the parts that vectors are generated with."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from torch import nn

from synthgan.encoding.vectors import VectorLayout
from synthgan.models.ctgan import CtganConfig, CtganGenerator, PacDiscriminator
from synthgan.models.mlp import Mlp
from synthgan.models.textbook_losses import LOSSES, gaussian_kl, gaussian_nll, gradient_penalty
from synthgan.models.vanilla import VanillaConfig, VanillaGenerator
from synthgan.models.vectors import CodeDraw, harden, relax, segment_cross_entropy, to_rows

LAYOUT = VectorLayout(2, (3, 1, 4), (True, False, True))


def sigmoid(x: np.ndarray) -> np.ndarray:
    return 1 / (1 + np.exp(-x))


@pytest.mark.parametrize("name", list(LOSSES))
def test_losses_are_their_equations(name: str) -> None:
    rng = np.random.default_rng(0)
    r, f = rng.normal(size=8), rng.normal(size=8)
    bce = -np.log(sigmoid(r)).mean() - np.log(1 - sigmoid(f)).mean()
    expected = {
        "minimax": (bce, np.log(1 - sigmoid(f)).mean()),
        "non-saturating": (bce, -np.log(sigmoid(f)).mean()),
        "wgan-gp": (f.mean() - r.mean(), -f.mean()),
        "hinge": (np.maximum(0, 1 - r).mean() + np.maximum(0, 1 + f).mean(), -f.mean()),
        "relativistic": (-np.log(sigmoid(r - f)).mean(), -np.log(sigmoid(f - r)).mean()),
    }[name]
    real, fake = torch.from_numpy(r), torch.from_numpy(f)
    found = (float(LOSSES[name].discriminator(real, fake)), float(LOSSES[name].generator(real, fake)))
    assert found == pytest.approx(expected, abs=1e-12)


@pytest.mark.parametrize("name", list(LOSSES))
def test_each_side_wants_the_opposite(name: str) -> None:
    real = torch.zeros(4, dtype=torch.float64, requires_grad=True)
    fake = torch.zeros(4, dtype=torch.float64, requires_grad=True)
    down = torch.autograd.grad(LOSSES[name].discriminator(real, fake), (real, fake))
    up = torch.autograd.grad(LOSSES[name].generator(real, fake), fake)[0]
    assert (down[0] < 0).all()
    assert (down[1] > 0).all()
    assert (up < 0).all()


def test_minimax_says_nothing_where_the_discriminator_is_sure() -> None:
    score = torch.full((1,), -20.0, requires_grad=True)
    (saturated,) = torch.autograd.grad(LOSSES["minimax"].generator(score, score), score)
    (steady,) = torch.autograd.grad(LOSSES["non-saturating"].generator(score, score), score)
    assert abs(float(saturated)) < 1e-8
    assert abs(float(steady)) > 0.99


@pytest.mark.parametrize("pac", [1, 5])
def test_the_gradient_penalty_of_a_plane(pac: int) -> None:
    slope = torch.randn(3 * pac, generator=torch.Generator().manual_seed(0), dtype=torch.float64)
    real, fake = torch.randn(2, 10, 3, dtype=torch.float64, generator=torch.Generator().manual_seed(1))
    mix = torch.linspace(0, 1, 10 // pac, dtype=torch.float64)

    def score(rows: torch.Tensor) -> torch.Tensor:
        return rows.reshape(-1, 3 * pac) @ slope

    assert float(gradient_penalty(score, real, fake, mix)) == pytest.approx((float(slope.norm()) - 1) ** 2)


def test_the_divergence_and_the_likelihood_are_torchs() -> None:
    generator = torch.Generator().manual_seed(0)
    mean, log_variance, x = torch.randn(3, 6, 4, generator=generator, dtype=torch.float64)
    posterior = torch.distributions.Normal(mean, torch.exp(0.5 * log_variance))
    prior = torch.distributions.Normal(torch.zeros_like(mean), torch.ones_like(mean))
    expected = torch.distributions.kl_divergence(posterior, prior).sum(dim=1)
    torch.testing.assert_close(gaussian_kl(mean, log_variance), expected)
    nll = gaussian_nll(x, mean, 0.5 * log_variance) + 0.5 * np.log(2 * np.pi)
    torch.testing.assert_close(nll, -posterior.log_prob(x))


def test_rows_and_back() -> None:
    scalars, codes = torch.tensor([[0.1, -0.2], [0.3, 0.4]]), torch.tensor([[2, 0, 3], [0, 0, 1]])
    rows = to_rows(scalars, codes, LAYOUT)
    assert rows.shape == (2, LAYOUT.width)
    assert rows.sum(dim=1).tolist() == pytest.approx([2.9, 3.7])
    back = harden(rows, LAYOUT)
    assert torch.equal(back[0], scalars)
    assert torch.equal(back[1], codes)


def test_relaxed_segments_are_draws_from_the_softmax() -> None:
    logits = torch.log(torch.tensor([0.7, 0.2, 0.1]))
    raw = torch.zeros(20_000, LAYOUT.width)
    raw[:, 2:5] = logits
    raw[:, 0] = 3.0
    rows = relax(raw, LAYOUT, torch.Generator().manual_seed(0), bounded=True)
    torch.testing.assert_close(rows[:, 0], torch.full((20_000,), np.tanh(3.0), dtype=torch.float32))
    for start, stop in ((2, 5), (5, 6), (6, 10)):
        torch.testing.assert_close(rows[:, start:stop].sum(dim=1), torch.ones(20_000))
    share = torch.bincount(harden(rows, LAYOUT)[1][:, 0]) / 20_000
    assert (share - torch.tensor([0.7, 0.2, 0.1])).abs().max() < 0.015
    unbounded = relax(raw, LAYOUT, torch.Generator().manual_seed(0), bounded=False)
    assert float(unbounded[0, 0]) == 3.0


def test_segment_cross_entropy_is_torchs() -> None:
    raw = torch.randn(6, LAYOUT.width, generator=torch.Generator().manual_seed(0))
    codes = torch.tensor([[k % 3, 0, k % 4] for k in range(6)])
    found = segment_cross_entropy(raw, codes, LAYOUT)
    for k, (start, stop) in enumerate(((2, 5), (5, 6), (6, 10))):
        expected = nn.functional.cross_entropy(raw[:, start:stop], codes[:, k], reduction="none")
        torch.testing.assert_close(found[:, k], expected)


def test_training_by_sampling() -> None:
    rng = np.random.default_rng(0)
    codes = torch.from_numpy(
        np.stack([rng.choice(3, 5000, p=[0.9, 0.09, 0.01]), np.zeros(5000, int), rng.integers(0, 4, 5000)], axis=1)
    )
    chooser = CodeDraw(codes, LAYOUT)
    stream = torch.Generator().manual_seed(0)
    code = chooser.codes(40_000, stream)
    share = torch.bincount(code, minlength=7) / 40_000
    counts = np.log1p(np.bincount(codes[:, 0].numpy()))
    # Half of the draws are of each column of levels, and within it by the logarithm of the counts.
    np.testing.assert_allclose(share[:3], counts / counts.sum() / 2, atol=0.01)
    assert float(share[3:].sum()) == pytest.approx(0.5, abs=0.01)
    held = codes[chooser.rows(code, stream)]
    asked = torch.where(code < 3, held[:, 0], held[:, 2] + 3)
    assert torch.equal(asked, code)
    raw = torch.randn(40_000, LAYOUT.width, generator=stream)
    expected = segment_cross_entropy(raw, held, LAYOUT)
    torch.testing.assert_close(
        chooser.cross_entropy(raw, code), torch.where(code < 3, expected[:, 0], expected[:, 2]), atol=1e-5, rtol=1e-5
    )
    own = chooser.code_of(codes, stream)
    assert torch.equal(torch.where(own < 3, codes[:, 0], codes[:, 2] + 3), own)


def test_the_discriminator_judges_groups() -> None:
    discriminator = PacDiscriminator(4, (8,), pac=5).eval()
    rows = torch.randn(20, 4, generator=torch.Generator().manual_seed(0))
    scores = discriminator(rows)
    assert scores.shape == (4,)
    changed = rows.clone()
    changed[7] += 1
    assert (discriminator(changed) != scores).tolist() == [False, True, False, False]


def test_every_setting_reaches_its_network() -> None:
    relu, leaky = Mlp(1, (8,), 1, "relu"), Mlp(1, (8,), 1, "leaky-relu")
    leaky.load_state_dict(relu.state_dict())
    x = torch.linspace(-3, 3, 9)[:, None]
    assert not torch.equal(relu(x), leaky(x))
    sizes = [tuple(weight.shape) for weight in Mlp(7, (5, 3), 2).parameters()]
    assert sizes == [(5, 7), (5,), (3, 5), (3,), (2, 3), (2,)]
    stream = torch.Generator().manual_seed(0)
    bounded = VanillaGenerator(LAYOUT, VanillaConfig(4, (8,), "relu", bounded=True))
    nn.init.constant_(bounded.net.out.bias, 5.0)
    assert bounded.draw(50, stream)[0].abs().max() <= 1
    generator = CtganGenerator(LAYOUT, CtganConfig(6, (8, 9)))
    assert [layer.in_features for layer in generator.linears] == [6 + 7, 6 + 7 + 8]
    assert generator.out.in_features == 6 + 7 + 8 + 9
