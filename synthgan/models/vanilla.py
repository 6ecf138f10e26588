"""The textbook's generator: noise through a plain network."""

from __future__ import annotations

import dataclasses

import torch
from torch import Tensor, nn

from synthgan.encoding.vectors import VectorLayout
from synthgan.models.mlp import Mlp
from synthgan.models.vectors import harden, relax

__all__ = ["VanillaConfig", "VanillaGenerator"]


@dataclasses.dataclass(frozen=True, slots=True)
class VanillaConfig:
    """Sizes of a textbook generator.

    Parameters
    ----------
    noise_dim : int
        Length of the noise vector.
    widths : tuple of int
        Of the hidden layers.
    activation : str
        ``"relu"`` or ``"leaky-relu"``.
    bounded : bool
        Whether scalars go through a tanh.
    """

    noise_dim: int
    widths: tuple[int, ...]
    activation: str
    bounded: bool


class VanillaGenerator(nn.Module):
    """Noise to rows.

    Shape
    -----
    noise (n, noise_dim) -> rows (n, width)
    """

    def __init__(self, layout: VectorLayout, config: VanillaConfig) -> None:
        super().__init__()
        self.layout, self.config = layout, config
        self.net = Mlp(config.noise_dim, config.widths, layout.width, config.activation)

    def forward(self, n: int, stream: torch.Generator) -> Tensor:
        """Draw `n` relaxed rows."""
        noise = torch.randn(n, self.config.noise_dim, generator=stream, device=self.net.out.weight.device)
        return relax(self.net(noise), self.layout, stream, bounded=self.config.bounded)

    def draw(self, n: int, stream: torch.Generator) -> tuple[Tensor, Tensor]:
        """Draw the scalars (n, n_scalars) and codes (n, n_segments) of `n` rows."""
        return harden(self(n, stream), self.layout)
