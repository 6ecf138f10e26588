"""The two networks of CTGAN."""

from __future__ import annotations

import dataclasses
import itertools

import torch
from torch import Tensor, nn
from torch.nn import functional

from synthgan.encoding.vectors import VectorLayout
from synthgan.models.layers import Dropout, Linear
from synthgan.models.mlp import LEAK
from synthgan.models.vectors import draw_codes, harden, one_hot, relax

__all__ = ["CtganConfig", "CtganGenerator", "PacDiscriminator"]


@dataclasses.dataclass(frozen=True, slots=True)
class CtganConfig:
    """Sizes of CTGAN's generator.

    Parameters
    ----------
    noise_dim : int
        Length of the noise vector.
    widths : tuple of int
        Of the hidden layers.
    """

    noise_dim: int
    widths: tuple[int, ...]


class CtganGenerator(nn.Module):
    """Noise and a condition (one category of one column) to rows.

    Each hidden layer's ``relu(norm(linear(x)))`` is put beside its input.

    Parameters
    ----------
    layout : VectorLayout
        What rows are.
    config : CtganConfig
        Sizes.

    Attributes
    ----------
    shares : Tensor of float64, shape (condition width,)
        Where the shares of the categories in the table end (see `CodeDraw.by_count`), for sampling.
    """

    shares: Tensor

    def __init__(self, layout: VectorLayout, config: CtganConfig) -> None:
        super().__init__()
        self.layout, self.config = layout, config
        self.n_conditional = sum(layout.category)
        self.condition_dim = sum(size for size, own in zip(layout.sizes, layout.category, strict=True) if own)
        self.register_buffer("shares", torch.zeros(self.condition_dim, dtype=torch.float64))
        n_in = config.noise_dim + self.condition_dim
        self.linears, self.norms = nn.ModuleList(), nn.ModuleList()
        for width in config.widths:
            self.linears.append(Linear(n_in, width))
            self.norms.append(nn.BatchNorm1d(width))
            n_in += width
        self.out = Linear(n_in, layout.width)

    def forward(self, noise: Tensor, condition: Tensor) -> Tensor:
        """Return raw rows (n, width) of noise (n, noise_dim) and condition vectors (n, condition_dim)."""
        x = torch.cat([noise, condition], dim=1)
        for linear, norm in zip(self.linears, self.norms, strict=True):
            x = torch.cat([functional.relu(norm(linear(x).float())), x], dim=1)
        out: Tensor = self.out(x)
        return out.float()

    def conditions(self, n: int, stream: torch.Generator) -> Tensor:
        """Draw condition vectors (n, condition_dim): a column at random, and a category by its share of the table."""
        if not self.n_conditional:
            return torch.zeros(n, 0, device=self.shares.device)
        return one_hot(draw_codes(self.shares, self.n_conditional, n, stream), self.condition_dim)

    def draw(self, n: int, stream: torch.Generator, code: int | None = None) -> tuple[Tensor, Tensor]:
        """Draw the scalars and codes of `n` rows; all of them given the category `code` (of the conditions), or any."""
        conditions = self.conditions(n, stream)
        if code is not None:
            conditions = one_hot(torch.full((n,), code, device=conditions.device), self.condition_dim)
        noise = torch.randn(n, self.config.noise_dim, generator=stream, device=conditions.device)
        return harden(relax(self(noise, conditions), self.layout, stream, bounded=True), self.layout)


class PacDiscriminator(nn.Module):
    """Judges `pac` rows at a time, so that a lack of variety shows (PacGAN).

    Shape
    -----
    (n, n_in) -> (n / pac,); n is a multiple of `pac`.

    References
    ----------
    Lin, Khetan, Fanti, Oh 2018 (arXiv 1712.04086).
    """

    def __init__(self, n_in: int, widths: tuple[int, ...], pac: int, dropout: float = 0.5) -> None:
        super().__init__()
        self.pac = pac
        sizes = [n_in * pac, *widths]
        self.hidden = nn.ModuleList(Linear(a, b) for a, b in itertools.pairwise(sizes))
        self.dropout = Dropout(dropout)
        self.out = Linear(sizes[-1], 1)

    def forward(self, rows: Tensor) -> Tensor:
        """Return one score for each group of rows."""
        x = rows.reshape(len(rows) // self.pac, -1)
        for layer in self.hidden:
            x = self.dropout(functional.leaky_relu(layer(x), LEAK))
        score: Tensor = self.out(x)
        return score[:, 0].float()
