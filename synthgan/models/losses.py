"""Losses and penalties: pure functions of tensors, each with its equation and source."""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import Tensor
from torch.nn import functional

__all__ = [
    "block_cross_entropy",
    "cell_cross_entropy",
    "moment_matching",
    "relativistic_discriminator",
    "relativistic_generator",
    "squared_gradient",
]


def block_cross_entropy(logits: Tensor, codes: Tensor, membership: Tensor) -> Tensor:
    r"""Negative log-probability of each block's code.

    .. math:: -\log p_b = \log \sum_{t \in b} e^{l_t} - l_{c_b}

    Parameters
    ----------
    logits : Tensor of float32, shape (n, T)
        Bounded (see `LOGIT_LIMIT`), so that the sum needs no shift.
    codes : Tensor of int64, shape (n, B)
        The true code of each block on the common axis.
    membership : Tensor of float32, shape (T, B)
        One where a code belongs to a block.

    Returns
    -------
    Tensor of float32, shape (n, B)
    """
    return torch.log(torch.exp(logits) @ membership) - logits.gather(1, codes)


def cell_cross_entropy(logits: Tensor, cells: Tensor) -> Tensor:
    """Negative log-probability of each code's cell: logits (n, Q, M) and cells (n, Q) -> (n, Q)."""
    return functional.cross_entropy(logits.flatten(0, 1), cells.flatten(), reduction="none").view(cells.shape)


def relativistic_discriminator(real: Tensor, fake: Tensor) -> Tensor:
    r"""Relativistic pairing loss of the discriminator, ``mean softplus(D(fake) - D(real))``.

    Row ``i`` of both comes from the same given columns: the question is which of the two *completions* is real.

    References
    ----------
    Jolicoeur-Martineau 2018 (arXiv 1807.00734); Huang et al. 2024 (arXiv 2501.05441), who pair it with R1 + R2.
    """
    return functional.softplus(fake - real).mean()


def relativistic_generator(real: Tensor, fake: Tensor) -> Tensor:
    """Relativistic pairing loss of the generator: `relativistic_discriminator` with the parts exchanged."""
    return functional.softplus(real - fake).mean()


def squared_gradient(score: Callable[[Tensor], Tensor], inputs: Tensor) -> Tensor:
    r"""Mean squared norm of the score's gradient, :math:`E\,\lVert \nabla_x D(x) \rVert^2`.

    R1 with real inputs, R2 with generated ones.

    References
    ----------
    Mescheder, Geiger, Nowozin 2018 (arXiv 1801.04406).
    """
    inputs = inputs.detach().requires_grad_(True)
    (gradient,) = torch.autograd.grad(score(inputs).sum(), inputs, create_graph=True)
    return gradient.float().square().sum(dim=1).mean()


def moment_matching(probabilities: Tensor, real: Tensor, weight: Tensor) -> Tensor:
    r"""Distance of second moments between generated probabilities and real one-hots.

    .. math:: \sum_{a,b} w_{ab} \left(\frac{P^\top P - X^\top X}{n}\right)_{ab}^2

    The generator is told directly which pairs of codes occur too often or too rarely together; taken on probabilities
    rather than draws it has little variance, and it keeps the adversarial game from collapsing.

    Parameters
    ----------
    probabilities, real : Tensor of float32, shape (n, T)
        Generated probabilities (one-hot where given) and real one-hots of the same rows.
    weight : Tensor of float32, shape (T, T)
        Usually ``1 / (p_a p_b + 1e-3)`` over codes of different blocks, 0 inside a block.

    Returns
    -------
    Tensor of float32, scalar
    """
    difference = (probabilities.t() @ probabilities - real.t() @ real) / len(real)
    return (weight * difference.square()).sum()
