"""The discriminator: does this row, as far as it is shown, come from the table?"""

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
        sizes = [n_features(axis) + len(axis.layout)] + [config.hidden_dim] * config.n_layers
        self.layers = nn.ModuleList(Linear(size, width) for size, width in zip(sizes, sizes[1:], strict=False))
        self.score = Linear(config.hidden_dim, 1)
        for layer in self.layers:
            nn.init.kaiming_normal_(layer.weight, a=0.2)
            nn.init.zeros_(layer.bias)

    def forward(self, shown: Tensor, given: Tensor) -> Tensor:
        """Return one score per row."""
        first = self.layers[0]
        split = shown.shape[1]
        # The two inputs meet in one layer; its weight is cut rather than the inputs joined, which would copy them.
        hidden = functional.linear(shown, first.weight[:, :split].to(shown.dtype)) + functional.linear(
            given.to(shown.dtype), first.weight[:, split:].to(shown.dtype), first.bias.to(shown.dtype)
        )
        hidden = functional.leaky_relu(hidden, 0.2)
        for layer in self.layers[1:]:
            hidden = functional.leaky_relu(layer(hidden), 0.2)
        return self.score(hidden)[:, 0].float()
