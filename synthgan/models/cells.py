"""Which cell of a drawn code."""

from __future__ import annotations

import math

import torch
from torch import Tensor, nn
from torch.nn import functional

from synthgan.models.axis import CodeAxis
from synthgan.models.layers import Linear

__all__ = ["CellHead"]


class CellHead(nn.Module):
    """Which cell of the drawn code: ``log p(cell) = W[code] + U relu(A h + E[code])``.

    One small hidden layer per block with cells, so that where a value lies inside its bin can depend on the whole row.
    W starts at the log shares of the training rows (-1e4 where a code has no such cell).

    Shape
    -----
    hidden (n, H), codes (n, Q) -> logits (n, Q, M), for the Q = len(which) blocks asked for.
    """

    places: Tensor

    def __init__(self, axis: CodeAxis, hidden_dim: int, dim: int) -> None:
        super().__init__()
        blocks = [i for i, block in enumerate(axis.layout.blocks) if block.cells.max_cells > 1]
        self.blocks = tuple(blocks)
        # The same on the device, to index by: a list would have to be copied there, which waits.
        self.register_buffer("places", torch.tensor(blocks, dtype=torch.int64), persistent=False)
        self.dim = dim
        self.project = Linear(hidden_dim, dim * max(len(blocks), 1))
        self.embed = nn.Parameter(torch.randn(len(axis.block_of), dim))
        self.out = nn.Parameter(torch.randn(len(blocks), dim, axis.layout.max_cells) / math.sqrt(dim))
        self.bias = nn.Parameter(axis.log_weight.clone())

    def forward(self, hidden: Tensor, codes: Tensor, added: Tensor | None = None) -> Tensor:
        """Logits of the cells of `codes` (n, len(blocks)) in every block with cells; `added` goes to A h."""
        lifted = self.project(hidden).float() if added is None else self.project(hidden).float() + added
        lifted = lifted.view(len(hidden), len(self.blocks), self.dim)
        inner = functional.relu(lifted + self.embed[codes])
        scores = torch.einsum("nqd,qdm->nqm", inner, self.out)
        return scores + self.bias[codes]

    def outputs(self, block: int) -> slice:
        """Which outputs of A are one block's."""
        place = self.blocks.index(block)
        return slice(place * self.dim, (place + 1) * self.dim)

    def one(self, hidden: Tensor, block: int, codes: Tensor, added: Tensor | None = None) -> Tensor:
        """Logits (n, M) of the cells of `codes` (n,) in one block, at only its cost."""
        place = self.blocks.index(block)
        lifted = self.project(hidden, outputs=self.outputs(block)).float()
        if added is not None:
            lifted = lifted + added
        inner = functional.relu(lifted + self.embed.index_select(0, codes))
        return torch.addmm(self.bias.index_select(0, codes), inner, self.out[place])
