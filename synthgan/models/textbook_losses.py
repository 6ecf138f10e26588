r"""The losses that textbooks teach, each with its equation and source: pure functions of scores.

Scores are the discriminator's outputs before any sigmoid, large for real. With :math:`\sigma` the sigmoid,
:math:`-\log \sigma(s)` is ``softplus(-s)`` and :math:`-\log(1 - \sigma(s))` is ``softplus(s)``.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Callable

import torch
from torch import Tensor
from torch.nn import functional

from synthgan.models.losses import relativistic_discriminator, relativistic_generator

__all__ = ["LOSSES", "AdversarialLoss", "gaussian_kl", "gaussian_nll", "gradient_penalty"]


@dataclasses.dataclass(frozen=True, slots=True)
class AdversarialLoss:
    """A discriminator's and a generator's loss, both of the scores of real and of generated rows.

    Parameters
    ----------
    discriminator, generator : callable
        From scores of real and of generated rows, both (n,), to a scalar.
    penalty : float
        Weight of the gradient penalty that the loss is meant to be used with.
    """

    discriminator: Callable[[Tensor, Tensor], Tensor]
    generator: Callable[[Tensor, Tensor], Tensor]
    penalty: float = 0.0


def cross_entropy(real: Tensor, fake: Tensor) -> Tensor:
    r"""Binary cross-entropy of the discriminator, :math:`-\log \sigma(D(x)) - \log(1 - \sigma(D(G(z))))`.

    References
    ----------
    Goodfellow et al. 2014 (arXiv 1406.2661), equation 1.
    """
    return functional.softplus(-real).mean() + functional.softplus(fake).mean()


def minimax(_: Tensor, fake: Tensor) -> Tensor:
    r"""The generator's side of equation 1, :math:`\log(1 - \sigma(D(G(z))))`: its gradient vanishes where D is sure."""
    return -functional.softplus(fake).mean()


def non_saturating(_: Tensor, fake: Tensor) -> Tensor:
    r"""The same paper's remedy, :math:`-\log \sigma(D(G(z)))`: the gradient is largest where D is sure."""
    return functional.softplus(-fake).mean()


def wasserstein(real: Tensor, fake: Tensor) -> Tensor:
    r"""The critic's loss, :math:`D(G(z)) - D(x)`, minus an estimate of the Wasserstein distance.

    References
    ----------
    Arjovsky, Chintala, Bottou 2017 (arXiv 1701.07875).
    """
    return fake.mean() - real.mean()


def minus_score(_: Tensor, fake: Tensor) -> Tensor:
    r"""The generator's loss against a critic or a margin, :math:`-D(G(z))`."""
    return -fake.mean()


def hinge(real: Tensor, fake: Tensor) -> Tensor:
    r"""Margins for both sides, :math:`\max(0, 1 - D(x)) + \max(0, 1 + D(G(z)))`.

    References
    ----------
    Lim, Ye 2017 (arXiv 1705.02894).
    """
    return functional.relu(1 - real).mean() + functional.relu(1 + fake).mean()


LOSSES = {
    "minimax": AdversarialLoss(cross_entropy, minimax),
    "non-saturating": AdversarialLoss(cross_entropy, non_saturating),
    "wgan-gp": AdversarialLoss(wasserstein, minus_score, penalty=10.0),
    "hinge": AdversarialLoss(hinge, minus_score),
    "relativistic": AdversarialLoss(relativistic_discriminator, relativistic_generator),
}
"""The losses by name."""


def gradient_penalty(score: Callable[[Tensor], Tensor], real: Tensor, fake: Tensor, mix: Tensor) -> Tensor:
    r"""How far the score's slope between real and generated rows is from one.

    .. math:: E \left(\lVert \nabla D(\hat x) \rVert_2 - 1\right)^2, \quad \hat x = u x + (1 - u) G(z)

    Parameters
    ----------
    score : callable
        From rows (n, d) to scores (m,); the norm is taken over the ``n / m`` rows that a score is about.
    real, fake : Tensor of float32, shape (n, d)
        The ends.
    mix : Tensor of float32, shape (m,)
        Where between them, in [0, 1]; rows that are judged together share it.

    References
    ----------
    Gulrajani et al. 2017 (arXiv 1704.00028).
    """
    together = mix.repeat_interleave(len(real) // len(mix))[:, None]
    between = (together * real + (1 - together) * fake).detach().requires_grad_(True)
    (gradient,) = torch.autograd.grad(score(between).sum(), between, create_graph=True)
    slope: Tensor = torch.linalg.vector_norm(gradient.reshape(len(mix), -1), dim=1)
    return (slope - 1).square().mean()


def gaussian_nll(x: Tensor, mean: Tensor, log_scale: Tensor) -> Tensor:
    r"""Negative log-density of a normal distribution, :math:`(x-\mu)^2 / 2\sigma^2 + \log\sigma` and a constant."""
    return 0.5 * ((x - mean) * torch.exp(-log_scale)).square() + log_scale


def gaussian_kl(mean: Tensor, log_variance: Tensor) -> Tensor:
    r"""Divergence of a row's posterior from the standard normal, per row: (n, d) -> (n,).

    .. math:: \tfrac12 \sum_j \left(\mu_j^2 + \sigma_j^2 - \log \sigma_j^2 - 1\right)

    References
    ----------
    Kingma, Welling 2013 (arXiv 1312.6114), appendix B.
    """
    return 0.5 * (mean.square() + log_variance.exp() - log_variance - 1).sum(dim=1)
