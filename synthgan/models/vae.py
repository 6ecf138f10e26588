"""The variational autoencoder of TVAE."""

from __future__ import annotations

import dataclasses

import torch
from torch import Tensor, nn

from synthgan.encoding.vectors import VectorLayout
from synthgan.models.mlp import Mlp
from synthgan.models.textbook_losses import gaussian_nll
from synthgan.models.vectors import harden, relax, segment_cross_entropy

__all__ = ["Decoder", "DecoderConfig", "Encoder"]

MIN_LOG_SCALE = -4.6
"""Scalars are never taken for more exact than 0.01."""


@dataclasses.dataclass(frozen=True, slots=True)
class DecoderConfig:
    """Sizes of a decoder.

    Parameters
    ----------
    latent_dim : int
        Length of the latent vector.
    widths : tuple of int
        Of the hidden layers.
    """

    latent_dim: int
    widths: tuple[int, ...]


class Encoder(nn.Module):
    """Rows to a normal distribution of latent vectors.

    Shape
    -----
    rows (n, width) -> mean (n, latent_dim), log-variance (n, latent_dim)
    """

    def __init__(self, layout: VectorLayout, latent_dim: int, widths: tuple[int, ...]) -> None:
        super().__init__()
        self.net = Mlp(layout.width, widths, 2 * latent_dim)

    def forward(self, rows: Tensor) -> tuple[Tensor, Tensor]:
        """Return the posterior's mean and log-variance."""
        mean, log_variance = self.net(rows).chunk(2, dim=1)
        return mean, log_variance.clamp(-20, 10)


class Decoder(nn.Module):
    """Latent vectors to distributions of rows: normal scalars around a tanh, categorical codes.

    Shape
    -----
    latent (n, latent_dim) -> raw rows (n, width)
    """

    def __init__(self, layout: VectorLayout, config: DecoderConfig) -> None:
        super().__init__()
        self.layout, self.config = layout, config
        self.net = Mlp(config.latent_dim, config.widths, layout.width)
        self.log_scale = nn.Parameter(torch.full((layout.n_scalars,), -2.3))

    def forward(self, latent: Tensor) -> Tensor:
        """Return raw rows: scalars before their tanh, and logits."""
        raw: Tensor = self.net(latent)
        return raw

    def loss(self, latent: Tensor, rows: Tensor, codes: Tensor) -> Tensor:
        """Negative log-likelihood (nats) of rows, and of their codes, given their latent vectors: (n,)."""
        raw = self(latent)
        n = self.layout.n_scalars
        nll = gaussian_nll(rows[:, :n], torch.tanh(raw[:, :n]), self.log_scale.clamp(min=MIN_LOG_SCALE)).sum(dim=1)
        return nll + segment_cross_entropy(raw, codes, self.layout).sum(dim=1) if self.layout.sizes else nll

    def draw(self, n: int, stream: torch.Generator) -> tuple[Tensor, Tensor]:
        """Draw the scalars (n, n_scalars) and codes (n, n_segments) of `n` rows."""
        latent = torch.randn(n, self.config.latent_dim, generator=stream, device=self.log_scale.device)
        raw = self(latent)
        noise = torch.randn(n, self.layout.n_scalars, generator=stream, device=raw.device)
        scalars, codes = harden(relax(raw, self.layout, stream, bounded=True), self.layout)
        return scalars + noise * self.log_scale.clamp(min=MIN_LOG_SCALE).exp(), codes
