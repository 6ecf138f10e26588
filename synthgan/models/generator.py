"""The generator: any subset of the columns in, a distribution over every other column out."""

from __future__ import annotations

import dataclasses
import math

import torch
from torch import Tensor, nn
from torch.nn import functional

from synthgan.models.axis import CodeAxis
from synthgan.models.critic import Critic
from synthgan.models.features import POSITION_SCALE, Rows, features, n_features
from synthgan.models.layers import Linear, ResidualTrunk

__all__ = ["LOGIT_LIMIT", "CellHead", "Generator", "GeneratorConfig"]

LOGIT_LIMIT = 30.0
"""Logits are clamped to +-30, so that ``exp`` needs no shift by the maximum: e^30 is far inside float32."""


@dataclasses.dataclass(frozen=True, slots=True)
class GeneratorConfig:
    """Sizes of a generator.

    Parameters
    ----------
    hidden_dim : int
        Width of the trunk.
    n_layers : int
        Residual blocks of the trunk.
    cell_dim : int
        Width of the cell head's hidden layer, for each block with cells.
    noise_dim : int
        Length of the noise vector, which lets columns drawn in one pass depend on each other.
    dropout : float
        Share of the trunk's inner activations dropped in training.
    critic_trees, critic_depth : int
        Trees of the critic, and questions that each asks; without trees there is no critic.
    """

    hidden_dim: int = 512
    n_layers: int = 2
    cell_dim: int = 32
    noise_dim: int = 64
    dropout: float = 0.0
    critic_trees: int = 0
    critic_depth: int = 6


class CellHead(nn.Module):
    """Which cell of the drawn code: ``log p(cell) = W[code] + U relu(A h + E[code])``.

    One small hidden layer per block with cells, so that where a value lies inside its bin can depend on the whole row.
    W starts at the log shares of the training rows (-1e4 where a code has no such cell).

    Shape
    -----
    hidden (n, H), codes (n, Q) -> logits (n, Q, M), for the Q = len(which) blocks asked for.
    """

    def __init__(self, axis: CodeAxis, config: GeneratorConfig) -> None:
        super().__init__()
        blocks = [i for i, block in enumerate(axis.layout.blocks) if block.cells.max_cells > 1]
        self.blocks = tuple(blocks)
        self.dim = config.cell_dim
        self.project = Linear(config.hidden_dim, self.dim * max(len(blocks), 1))
        self.embed = nn.Parameter(torch.randn(len(axis.block_of), self.dim))
        self.out = nn.Parameter(torch.randn(len(blocks), self.dim, axis.layout.max_cells) / math.sqrt(self.dim))
        self.bias = nn.Parameter(axis.log_weight.clone())

    def forward(self, hidden: Tensor, codes: Tensor) -> Tensor:
        """Logits of the cells of `codes` (n, len(blocks)) in every block with cells."""
        lifted = self.project(hidden).float().view(len(hidden), len(self.blocks), self.dim)
        inner = functional.relu(lifted + self.embed[codes])
        scores = torch.einsum("nqd,qdm->nqm", inner, self.out)
        return scores + self.bias[codes]

    def one(self, hidden: Tensor, block: int, codes: Tensor) -> Tensor:
        """Logits (n, M) of the cells of `codes` (n,) in one block, at only its cost."""
        place = self.blocks.index(block)
        lifted = self.project(hidden, outputs=slice(place * self.dim, (place + 1) * self.dim)).float()
        inner = functional.relu(lifted + self.embed[codes])
        return inner @ self.out[place] + self.bias[codes]


class Generator(nn.Module):
    """Noise, the given columns and the mask of what is given in; logits of every code out.

    ``h0 = W [one-hot given, positions given, mask] + V z``; ``h = trunk(h0)``; ``logits = head(h)``. Because the first
    layer is linear in one-hots, the hidden state of a row with one more column given is the old one plus a row of W:
    that is what `fill` does, and what makes drawing column after column cheap.

    Neighbouring bins of a number mean nearly the same, which one-hot codes cannot say. So in training the weights of W
    and of the head pass through `CodeAxis.smooth`, and a gradient for one bin moves its neighbours too. `fold`
    multiplies the matrices out when training is over.

    Parameters
    ----------
    axis : CodeAxis
        The table's layout on the device.
    config : GeneratorConfig
        Sizes.

    Shape
    -----
    With n rows, B blocks, T codes, H = hidden_dim: rows (n, B), given (n, B), noise (n, noise_dim) -> hidden (n, H);
    hidden -> logits (n, T).
    """

    def __init__(self, axis: CodeAxis, config: GeneratorConfig) -> None:
        super().__init__()
        self.axis = axis
        self.config = config
        self.first = Linear(n_features(axis), config.hidden_dim)
        self.noise = Linear(config.noise_dim, config.hidden_dim)
        self.trunk = ResidualTrunk(config.hidden_dim, config.n_layers, config.dropout)
        self.head = Linear(config.hidden_dim, len(axis.block_of))
        self.cells = CellHead(axis, config)
        self.critic = Critic(axis, config.critic_trees, config.critic_depth) if config.critic_trees else None
        self.folded = False
        with torch.no_grad():
            self.head.weight.mul_(0.3)

    def start_from(self, counts: Tensor) -> None:
        """Start the logits at the marginals, ``head.bias = log((counts + 1/2) / n)``: counts (T,) are rows per code."""
        total = torch.zeros(len(self.axis.layout), device=counts.device).index_add_(0, self.axis.block_of, counts)
        with torch.no_grad():
            self.head.bias.copy_(torch.log((counts + 0.5) / total[self.axis.block_of]))

    def hidden(self, rows: Rows, given: Tensor, noise: Tensor | None) -> Tensor:
        """Hidden state of rows of which `given` blocks are known; no noise counts as zero noise."""
        inputs = features(self.axis, rows, given, self.first.compute_dtype)
        start = self.first(inputs, self.first_weight()).float()
        out: Tensor = self.trunk(self.add_noise(start, noise))
        return out

    def add_noise(self, start: Tensor, noise: Tensor | None) -> Tensor:
        """Add the noise's part to first-layer sums (n, H)."""
        return start if noise is None else start + self.noise(noise)

    def empty(self, n_rows: int) -> Tensor:
        """First-layer sums (n, H) of rows of which nothing is given."""
        return self.first.bias.float().expand(n_rows, -1).clone()

    def fill(self, start: Tensor, block: int, codes: Tensor, positions: Tensor, given: Tensor) -> Tensor:
        """First-layer sums after one more block: codes, positions and given (n,); rows not given stay as they are."""
        n_codes = len(self.axis.block_of)
        table = self.first_weight().t()
        place = ((positions - 0.5) * POSITION_SCALE)[:, None]
        step = (
            table[codes] + table[n_codes + self.axis.slope[codes]] * place + table[n_codes + self.axis.n_slopes + block]
        )
        return start + step * given[:, None]

    def logits(self, hidden: Tensor) -> Tensor:
        """Logits (n, T) of every code, float32, clamped."""
        logits: Tensor = self.head(hidden, self.head_weight())
        return logits.float().clamp(-LOGIT_LIMIT, LOGIT_LIMIT)

    def block_logits(self, hidden: Tensor, block: int) -> Tensor:
        """Logits (n, n_codes of the block), at only their cost once folded."""
        outputs = slice(*self.axis.bounds(block))
        logits: Tensor = self.head(hidden, self.head_weight(), outputs)
        return logits.float().clamp(-LOGIT_LIMIT, LOGIT_LIMIT)

    def first_weight(self) -> Tensor:
        """The first layer's weight (H, n_features), smoothed over neighbouring bins."""
        weight = self.first.weight
        if self.folded:
            return weight
        split = len(self.axis.block_of)
        return torch.cat([self.axis.smooth(weight[:, :split].t()).t(), weight[:, split:]], dim=1)

    def head_weight(self) -> Tensor:
        """The head's weight (T, H), smoothed over neighbouring bins."""
        return self.head.weight if self.folded else self.axis.smooth(self.head.weight)

    @torch.no_grad()
    def fold(self) -> None:
        """Multiply the smoothing into the weights, for good: sampling gets faster, and training cannot go on."""
        first, head = self.first_weight(), self.head_weight()
        self.first.weight.copy_(first)
        self.head.weight.copy_(head)
        self.folded = True

    def set_compute_dtype(self, dtype: torch.dtype) -> None:
        """Multiply in `dtype` from now on."""
        for module in self.modules():
            if isinstance(module, Linear):
                module.compute_dtype = dtype
