"""The discriminator tells whether a row, as far as it is shown, comes from the table."""

from __future__ import annotations

import dataclasses

from torch import Tensor, nn
from torch.nn import functional

from synthgan.models.axis import CodeAxis
from synthgan.models.features import n_features
from synthgan.models.layers import Linear

__all__ = ["Discriminator", "DiscriminatorConfig"]


@dataclasses.dataclass(frozen=True, slots=True)
class DiscriminatorConfig:
    """Sizes of a discriminator.

    Parameters
    ----------
    hidden_dim : int
        Width of its layers.
    n_layers : int
        Hidden layers.
    """

    hidden_dim: int = 512
    n_layers: int = 3


class Discriminator(nn.Module):
    """A plain leaky-relu network on the features of the shown blocks and the mask of those that were given.

    Without normalisation layers, because the gradient penalties R1 and R2 are about the gradient for one row.

    Shape
    -----
    features (n, n_features), given (n, B) -> scores (n,); large means real.
    """

    def __init__(self, axis: CodeAxis, config: DiscriminatorConfig) -> None:
        super().__init__()
        width = config.hidden_dim
        self.first = Linear(n_features(axis), width)
        self.given = Linear(len(axis.layout), width)
        self.inner = nn.ModuleList(Linear(width, width) for _ in range(config.n_layers - 1))
        self.score = Linear(width, 1)

    def forward(self, shown: Tensor, given: Tensor) -> Tensor:
        """Return one score per row."""
        hidden: Tensor = functional.leaky_relu(self.first(shown) + self.given(given), 0.2)
        for layer in self.inner:
            hidden = functional.leaky_relu(layer(hidden), 0.2)
        score: Tensor = self.score(hidden)
        return score[:, 0].float()
