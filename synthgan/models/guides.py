"""What filled blocks say of others, beside what a network makes of them."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Sequence
from typing import Generic, Protocol, TypeVar

import torch
from torch import Tensor, nn

from synthgan.models.axis import CodeAxis
from synthgan.models.features import Rows

__all__ = ["Clue", "Clues", "Guide"]


class Clue(Protocol):
    """What a guide has looked up of some rows."""

    @property
    def which(self) -> slice:
        """Of the guide's targets, those it was asked about."""


Clues = Sequence[Clue | None]
"""One for each guide of a generator, None where a guide has nothing to say of what is asked; empty for none at all."""

C = TypeVar("C", bound=Clue)


class Guide(nn.Module, ABC, Generic[C]):
    """Adds to the logits of some blocks what filled blocks say of them.

    What is said is looked up once (`look_up`) and the same for all generators of a table; how much it counts may be
    learned by each, from its hidden layer.

    Parameters
    ----------
    axis : CodeAxis
        Where codes lie; it is the generator's own.
    targets : sequence of int
        The block that each thing that can be said is about; those about one block come together.

    Shape
    -----
    With n rows, T codes, Q blocks asked and M cells of a code at most: hidden (n, H) -> (n, T) for all codes, (n, codes
    of the block) for the one block that was looked up, (n, Q, M) for cells.
    """

    def __init__(self, axis: CodeAxis, targets: Sequence[int]) -> None:
        super().__init__()
        self.axis = axis
        self.targets = tuple(targets)

    def which(self, block: int | None) -> slice | None:
        """Which of the targets are a block, None for none; all of them where no block is named."""
        if block is None:
            return slice(0, len(self.targets))
        if block not in self.targets:
            return None
        start = self.targets.index(block)
        return slice(start, start + self.targets.count(block))

    @abstractmethod
    def look_up(self, rows: Rows, filled: Tensor, which: slice) -> C:
        """Look up what rows hold, of which blocks are `filled` (n, B), about some of the targets."""

    @abstractmethod
    def forward(self, hidden: Tensor, clue: C, /) -> Tensor:
        """Return what is added to the logits of all codes: (n, T)."""

    @abstractmethod
    def block(self, hidden: Tensor, clue: C, /) -> Tensor:
        """Return what is added to the logits of the one block that the clue is about: (n, n_codes)."""

    @abstractmethod
    def cells(self, hidden: Tensor, clue: C, /, codes: Tensor, blocks: tuple[int, ...]) -> Tensor:
        """Return what is added to the logits of the cells of `codes` (n, Q) in the Q `blocks`: (n, Q, M).

        The blocks are all that have several cells, or the one that the clue is about.
        """

    def _constant(self, name: str, value: Tensor) -> None:
        self.register_buffer(name, value, persistent=False)  # rebuilt from the encoder, so not part of the weights

    def _spread(self, parts: Sequence[Tensor]) -> Tensor:
        """Put what is added to the codes of each target, (n, n_codes), where they lie among all codes: (n, T)."""
        out, end, like = [], 0, parts[0]
        for block, added in zip(self.targets, parts, strict=True):
            low, high = self.axis.bounds(block)
            out += [like.new_zeros(len(like), low - end), added]
            end = high
        return torch.cat([*out, like.new_zeros(len(like), len(self.axis.block_of) - end)], dim=1)

    def _by_block(
        self, which: slice, blocks: tuple[int, ...], codes: Tensor, added: Callable[[int, Tensor], Tensor]
    ) -> Tensor:
        """Stack what is `added` to the cells of codes (n, Q), block by block; nothing where one is not asked about.

        It is told the target's place among those of `which`, and the cells (n, M), counted within the block.
        """
        places = {block: place for place, block in enumerate(self.targets[which])}
        inner = torch.arange(self.axis.layout.max_cells, device=codes.device)
        cells = [self.axis.first_cell[codes[:, column], None] + inner for column in range(len(blocks))]
        parts = [
            added(places[block], own) if block in places else torch.zeros(own.shape, device=codes.device)
            for block, own in zip(blocks, cells, strict=True)
        ]
        return torch.stack(parts, dim=1)
