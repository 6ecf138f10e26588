"""The plain multilayer perceptron."""

from __future__ import annotations

import itertools
from collections.abc import Sequence

from torch import Tensor, nn
from torch.nn import functional

__all__ = ["ACTIVATIONS", "LEAK", "Mlp"]

ACTIVATIONS = ("relu", "leaky-relu")
LEAK = 0.2
"""Slope of the leaky relu below zero."""


class Mlp(nn.Module):
    """Linear layers with an activation between them.

    Parameters
    ----------
    n_in, widths, n_out : int, sequence of int, int
        Sizes of the input, of the hidden layers and of the output.
    activation : str
        ``"relu"`` or ``"leaky-relu"``.

    Shape
    -----
    (n, n_in) -> (n, n_out)

    Examples
    --------
    >>> import torch
    >>> Mlp(100, (256, 256), 2)(torch.zeros(5, 100)).shape
    torch.Size([5, 2])
    """

    def __init__(self, n_in: int, widths: Sequence[int], n_out: int, activation: str = "relu") -> None:
        super().__init__()
        sizes = [n_in, *widths]
        self.hidden = nn.ModuleList(nn.Linear(a, b) for a, b in itertools.pairwise(sizes))
        self.out = nn.Linear(sizes[-1], n_out)
        self.slope = LEAK if activation == "leaky-relu" else 0.0

    def forward(self, x: Tensor) -> Tensor:
        """Return the output layer's values."""
        for layer in self.hidden:
            x = functional.leaky_relu(layer(x), self.slope)
        out: Tensor = self.out(x)
        return out
