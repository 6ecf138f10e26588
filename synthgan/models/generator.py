"""The generator: any subset of the columns in, a distribution over every other column out."""

from __future__ import annotations

import dataclasses
from typing import Any

import torch
from torch import Tensor, nn

from synthgan.models.axis import CodeAxis
from synthgan.models.bounds import Bounds
from synthgan.models.cells import CellHead
from synthgan.models.features import POSITION_SCALE, Rows, features, n_features
from synthgan.models.guides import Clues, Guide
from synthgan.models.late import Late, PassState
from synthgan.models.layers import Linear, ResidualTrunk
from synthgan.models.pairings import Pairings
from synthgan.models.relations import Relations

__all__ = ["LOGIT_LIMIT", "MAX_MEMBERS", "Generator", "GeneratorConfig"]

LOGIT_LIMIT = 30.0
"""Logits are clamped to +-30, so that ``exp`` needs no shift by the maximum: e^30 is far inside float32."""

MAX_MEMBERS = 64
"""Generators of an ensemble at most: what is won by one more is soon nothing."""


@dataclasses.dataclass(frozen=True, slots=True)
class GeneratorConfig:
    """Sizes of an ensemble of generators, and of its critic.

    Parameters
    ----------
    hidden_dim : int
        Width of the trunk.
    n_layers : int
        Residual blocks of the trunk.
    cell_dim : int
        Width of the cell head's hidden layer, for each block with cells.
    late_dim : int
        Width of the layer that columns drawn within a pass enter at.
    dropout : float
        Share of the trunk's inner activations dropped in training.
    n_members : int
        Generators, all of these sizes, whose probabilities are averaged.
    critic_trees, critic_depth : int
        Trees of the critic, and questions that each asks; without trees there is no critic.
    critic_groups : int
        Groups of the target's codes that the critic tells apart when it counts rows.
    target, target_trees, target_depth : int
        The block that has trees of its own, how many, and questions that each asks.
    """

    hidden_dim: int = 512
    n_layers: int = 2
    cell_dim: int = 32
    late_dim: int = 256
    dropout: float = 0.0
    n_members: int = 1
    critic_trees: int = 0
    critic_depth: int = 6
    critic_groups: int = 1
    target: int = 0
    target_trees: int = 0
    target_depth: int = 6


class Generator(nn.Module):
    """The columns known, and the mask of which they are, in; logits of every code out.

    Columns known before a pass go through the whole network::

        h0 = W [one-hot known, positions known, mask]
        h = relu(norm(trunk(h0)))
        logits = head(h)

    and those drawn in it enter at a layer of their own, `Late`, which is trained when the network is finished: however
    many columns share a pass, each follows all before it, and the network loses nothing for it. W is linear in
    one-hots, so one more column is one more row of W: that is what `fill` does, and `follow` within a pass, and what
    makes drawing column after column cheap.

    Neighbouring bins of a number mean nearly the same, which one-hot codes cannot say. So in training the weights of W,
    the late layer and the head pass through `CodeAxis.smooth`, and a gradient for one bin moves its neighbours too.
    `fold` multiplies the matrices out when training is over.

    Parameters
    ----------
    axis : CodeAxis
        The table's layout on the device.
    config : GeneratorConfig
        Sizes.

    Shape
    -----
    With n rows, B blocks, T codes, H = hidden_dim: rows (n, B), known and drawn (n, B) -> a `PassState` (n, H);
    state -> logits (n, T).
    """

    def __init__(self, axis: CodeAxis, config: GeneratorConfig) -> None:
        super().__init__()
        self.axis = axis
        self.config = config
        self.first = Linear(n_features(axis), config.hidden_dim)
        self.trunk = ResidualTrunk(config.hidden_dim, config.n_layers, config.dropout)
        self.head = Linear(config.hidden_dim, len(axis.block_of))
        self.cells = CellHead(axis, config.hidden_dim, config.cell_dim)
        self.late = Late(axis, config.hidden_dim, config.late_dim, self.cells.project.out_features)
        self.relations = Relations(axis, config.hidden_dim) if axis.layout.relations else None
        self.pairings = Pairings(axis, config.hidden_dim) if axis.layout.pairings else None
        self.orders = Bounds(axis) if axis.layout.bounds else None
        guides = (self.relations, self.pairings, self.orders)
        self.guides: tuple[Guide[Any], ...] = tuple(guide for guide in guides if guide is not None)
        self.folded = self.masks_are_added = False
        with torch.no_grad():
            self.head.weight.mul_(0.3)

    def start_from(self, counts: Tensor) -> None:
        """Start the logits at the marginals, ``head.bias = log((counts + 1/2) / n)``: counts (T,) are rows per code."""
        total = torch.zeros(len(self.axis.layout), device=counts.device).index_add_(0, self.axis.block_of, counts)
        with torch.no_grad():
            self.head.bias.copy_(torch.log((counts + 0.5) / total[self.axis.block_of]))

    def start_relations(self, rows: Rows) -> None:
        """Start the relations at what `rows` of the table show."""
        if self.relations is not None:
            self.relations.start_from(rows)

    def read(self, rows: Rows, known: Tensor, drawn: Tensor | None = None) -> PassState:
        """State of rows of which some blocks are `known`, and others were `drawn` since: bool (n, B)."""
        inputs = features(self.axis, rows, known, self.first.compute_dtype)
        state = self.begin(self.first(inputs, self.smoothed(self.first)).float())
        if drawn is None:
            return state
        embed = self.late.embed
        inputs = features(self.axis, rows, drawn, embed.compute_dtype)
        return self.late.add(state, embed(inputs, self.smoothed(embed)).float())

    def begin(self, sums: Tensor) -> PassState:
        """Begin a pass: run the network on first-layer sums (n, H)."""
        return PassState(self.trunk(sums, self.head.compute_dtype))

    def empty(self, n_rows: int) -> Tensor:
        """First-layer sums (n, H) of rows of which nothing is known."""
        return self.first.bias.float().expand(n_rows, -1).clone()

    def fill(self, sums: Tensor, block: int, codes: Tensor, positions: Tensor, given: Tensor | None = None) -> Tensor:
        """First-layer sums after one more block: codes and positions (n,).

        Rows that are not `given` (n,) stay as they are; by default all are.
        """
        return self._weights_of(self.first, block, codes, positions, given).add_(sums)

    def follow(
        self, state: PassState, block: int, codes: Tensor, positions: Tensor, given: Tensor | None = None
    ) -> PassState:
        """A pass's state after one more block; as `fill`."""
        after = self.late.add(state, self._weights_of(self.late.embed, block, codes, positions, given))
        assert after.change is not None  # noqa: S101 - a column was added
        return after._replace(change=after.change.to(self.head.compute_dtype))

    def _weights_of(self, layer: Linear, block: int, codes: Tensor, positions: Tensor, given: Tensor | None) -> Tensor:
        """What one block adds to the sums of a layer that reads features: (n, width)."""
        axis, table = self.axis, self.smoothed(layer).t()
        n_codes = len(axis.block_of)
        rows = table.index_select(0, codes)
        if not self.masks_are_added:
            rows += table[n_codes + axis.n_slopes + block]
        if axis.layout.blocks[block].has_positions:
            place = ((positions - 0.5) * POSITION_SCALE)[:, None]
            rows.addcmul_(table.index_select(0, n_codes + axis.slope.index_select(0, codes)), place)
        return rows if given is None else rows.mul_(given[:, None])

    def clues(self, rows: Rows, filled: Tensor, block: int | None = None) -> Clues:
        """What filled blocks (n, B) of the rows say of others, or of one of them."""
        asked = [(guide, guide.which(block)) for guide in self.guides]
        return [None if which is None else guide.look_up(rows, filled, which) for guide, which in asked]

    def _guided(self, clues: Clues) -> list[tuple[Guide[Any], Any]]:
        """Guides that have a clue, and the clue."""
        pairs = zip(self.guides, clues, strict=False)  # without any clue there is none for any guide
        return [(guide, clue) for guide, clue in pairs if clue is not None]

    def logits(self, state: PassState, clues: Clues = ()) -> Tensor:
        """Logits (n, T) of every code, float32, clamped."""
        logits: Tensor = self.head(state.hidden, self.smoothed_out(self.head)).float()
        change = state.change
        if change is not None:
            logits = logits + self.late.head(change, self.smoothed_out(self.late.head)).float()
        for guide, clue in self._guided(clues):
            logits = logits + guide(state.hidden, clue)
        return logits.clamp(-LOGIT_LIMIT, LOGIT_LIMIT)

    def cell_logits(self, state: PassState, codes: Tensor, clues: Clues = ()) -> Tensor:
        """Logits (n, Q, M) of the cells of the codes (n, B) drawn, in the Q blocks with cells."""
        change = state.change
        added = None if change is None else self.late.cells(change).float()
        asked = codes[:, self.cells.places]
        scores: Tensor = self.cells(state.hidden, asked, added)
        for guide, clue in self._guided(clues):
            scores = scores + guide.cells(state.hidden, clue, asked, self.cells.blocks)
        return scores

    def block_logits(
        self,
        state: PassState,
        block: int,
        clues: Clues = (),
        weights: tuple[Tensor, Tensor] | None = None,
    ) -> Tensor:
        """Logits (n, n_codes of the block), at only their cost.

        `clues` are the block's; `weights` those of `out_weights`, for callers that ask for many blocks in turn.
        """
        part = slice(*self.axis.bounds(block))
        weight, late_weight = self.out_weights() if weights is None else weights
        asked = state.logits
        logits = self.head(state.hidden, weight, part).float() if asked is None else asked[:, part]
        change = state.change
        if change is not None:
            logits = logits + self.late.head(change, late_weight, part).float()
        for guide, clue in self._guided(clues):
            logits = logits + guide.block(state.hidden, clue)
        return logits.clamp(-LOGIT_LIMIT, LOGIT_LIMIT)

    def block_cell_logits(self, state: PassState, block: int, codes: Tensor, clues: Clues = ()) -> Tensor:
        """Logits (n, M) of the cells of `codes` (n,) in one block, at only its cost."""
        change = state.change
        added = None if change is None else self.late.cells(change, outputs=self.cells.outputs(block)).float()
        scores = self.cells.one(state.hidden, block, codes, added)
        for guide, clue in self._guided(clues):
            scores = scores + guide.cells(state.hidden, clue, codes[:, None], (block,))[:, 0]
        return scores

    def smoothed(self, layer: Linear) -> Tensor:
        """The weight (width, n_features) of a layer that reads features, smoothed over neighbouring bins."""
        weight = layer.weight
        if self.folded:
            return weight
        split = len(self.axis.block_of)
        return torch.cat([self.axis.smooth(weight[:, :split].t()).t(), weight[:, split:]], dim=1)

    def smoothed_out(self, layer: Linear) -> Tensor:
        """The weight (T, width) of a layer that writes codes, smoothed over neighbouring bins."""
        return layer.weight if self.folded else self.axis.smooth(layer.weight)

    def out_weights(self) -> tuple[Tensor, Tensor]:
        """The smoothed weights of the head, and of the late layer's."""
        return self.smoothed_out(self.head), self.smoothed_out(self.late.head)

    @torch.no_grad()
    def fold(self) -> None:
        """Multiply the smoothing into the weights, for good: sampling gets faster, and training cannot go on."""
        for layer in (self.first, self.late.embed):
            layer.weight.copy_(self.smoothed(layer))
        for layer in (self.head, self.late.head):
            layer.weight.copy_(self.smoothed_out(layer))
        self.folded = True

    @torch.no_grad()
    def add_masks(self) -> None:
        """Add the weights of each block's mask to those of its codes, one of which is always read with it.

        So `fill` and `follow` have a row less to add up.
        """
        first_mask = len(self.axis.block_of) + self.axis.n_slopes
        for layer in (self.first, self.late.embed):
            masks = layer.weight[:, first_mask:]
            layer.weight[:, : len(self.axis.block_of)] += masks[:, self.axis.block_of]
            masks.zero_()
        self.masks_are_added = True

    def set_compute_dtype(self, dtype: torch.dtype) -> None:
        """Multiply in `dtype` from now on."""
        for module in self.modules():
            if isinstance(module, Linear):
                module.compute_dtype = dtype
