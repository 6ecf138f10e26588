"""The one layer and the one trunk that the networks are made of."""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn import functional

__all__ = ["Dropout", "Linear", "ResidualTrunk", "relu_"]


class Dropout(nn.Module):
    """Dropout that draws from a stream of its own (`generator`), so that the global random state stays untouched."""

    generator: torch.Generator | None = None

    def __init__(self, rate: float) -> None:
        super().__init__()
        self.rate = rate

    def forward(self, input: Tensor) -> Tensor:
        """Zero a share `rate` of the entries and scale the others up; the identity in eval mode."""
        if not self.rate or not self.training:
            return input
        # A byte of a random 64-bit word decides on each entry: an eighth of the draws that floats would take.
        words = torch.empty(-(-input.numel() // 8), dtype=torch.int64, device=input.device)
        random = words.random_(-(2**63), None, generator=self.generator).view(torch.uint8)[: input.numel()]
        dropped = round(self.rate * 256)
        keep = (random >= dropped).view(input.shape)
        return input * keep * (256 / (256 - dropped))


class Linear(nn.Linear):
    """A linear layer that multiplies in `compute_dtype` while weights, and what is added to, stay float32.

    Shape
    -----
    (n, in_features) -> (n, out_features), of dtype `compute_dtype`.

    Examples
    --------
    >>> layer = Linear(3, 2)
    >>> layer.compute_dtype = torch.bfloat16
    >>> layer(torch.zeros(4, 3)).dtype
    torch.bfloat16
    """

    compute_dtype = torch.float32

    def forward(self, input: Tensor, weight: Tensor | None = None, outputs: slice | None = None) -> Tensor:
        """Return ``input @ weight.T + bias``: of some `outputs` only, and with another weight, where asked for."""
        dtype = self.compute_dtype
        matrix: Tensor = self.weight if weight is None else weight
        bias: Tensor | None = self.bias
        if outputs is not None:
            matrix, bias = matrix[outputs], None if bias is None else bias[outputs]
        return functional.linear(input.to(dtype), matrix.to(dtype), None if bias is None else bias.to(dtype))


def relu_(input: Tensor) -> Tensor:
    """Zero what is negative, in place where nothing is derived from it."""
    if input.requires_grad or input.dtype != torch.bfloat16:
        return functional.relu(input)
    input.view(torch.int16).clamp_(min=0)  # the sign is where a whole number has it, and those take a quarter as long
    return input


class ResidualTrunk(nn.Module):
    """Residual blocks ``h + W2 dropout(relu(W1 norm(h)))``, then ``relu(norm(h))``.

    The second layer of each block starts at zero, so the trunk starts as the identity.

    Shape
    -----
    (n, width) -> (n, width)
    """

    def __init__(self, width: int, depth: int, dropout: float) -> None:
        super().__init__()
        self.norms = nn.ModuleList(nn.LayerNorm(width) for _ in range(depth))
        self.inner = nn.ModuleList(Linear(width, width) for _ in range(depth))
        self.outer = nn.ModuleList(Linear(width, width) for _ in range(depth))
        self.last = nn.LayerNorm(width)
        self.dropout = Dropout(dropout)
        for layer in self.outer:
            for weight in layer.parameters():
                nn.init.zeros_(weight)

    def forward(self, hidden: Tensor, dtype: torch.dtype = torch.float32) -> Tensor:
        """Return the transformed hidden state, as `dtype`."""
        for norm, inner, outer in zip(self.norms, self.inner, self.outer, strict=True):
            # To add numbers of two formats takes longer than to convert one before.
            hidden = outer(self.dropout(relu_(inner(norm(hidden))))).float().add_(hidden)
        return relu_(self.last(hidden).to(dtype))
