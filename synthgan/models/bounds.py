"""Codes and cells that an order of two columns leaves no room for."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import torch
from torch import Tensor

from synthgan.models.axis import CodeAxis
from synthgan.models.features import Rows
from synthgan.models.guides import Guide

__all__ = ["Bounds", "Room"]

NO_ROOM = -100.0
"""Added to the logits of what is out of order: after the clamp there is nothing less likely."""


class Room(NamedTuple):
    """What filled columns leave of the cells of others, for each target that is asked.

    Attributes
    ----------
    which : slice
        The targets.
    least, most : Tensor of int64, shape (n, G)
        First and last cell of the target that is possible, counted within its block.
    """

    which: slice
    least: Tensor
    most: Tensor


class Bounds(Guide[Room]):
    """Takes all room from codes and cells that are out of order with filled columns (see `synthgan.encoding.bounds`).

    Parameters
    ----------
    axis : CodeAxis
        With at least one bound.
    """

    def __init__(self, axis: CodeAxis) -> None:
        bounds, blocks = axis.layout.bounds, axis.layout.blocks
        super().__init__(axis, sorted({one.target for one in bounds}))
        self.of = tuple([k for k, one in enumerate(bounds) if one.target == at] for at in self.targets)
        self.is_least = [one.is_least for one in bounds]
        self.source = [one.source for one in bounds]
        for number, one in enumerate(bounds):
            self._constant(f"cell_{number}", torch.from_numpy(one.cell))
        for number, at in enumerate(self.targets):
            cells, absent = blocks[at].cells, blocks[at].missing_code
            free = np.arange(cells.n_codes) == (-1 if absent is None else absent)
            self._constant(f"code_of_{number}", torch.from_numpy(cells.code))
            self._constant(f"absent_{number}", torch.from_numpy(free))

    def look_up(self, rows: Rows, filled: Tensor, which: slice) -> Room:
        """Look up what is left of the targets' cells."""
        cells: dict[int, Tensor] = {}
        ends: list[tuple[Tensor, Tensor]] = []
        for number in range(which.start, which.stop):
            last = len(getattr(self, f"code_of_{number}")) - 1
            least = torch.zeros_like(rows.codes[:, 0])
            most = torch.full_like(least, last)
            for k in self.of[number]:
                at = self.source[k]
                if at not in cells:
                    cells[at] = self.axis.cell_of(rows.codes[:, at], rows.positions[:, at])
                end = getattr(self, f"cell_{k}")[cells[at]]
                if self.is_least[k]:
                    least = torch.maximum(least, end * filled[:, at])
                else:
                    most = torch.where(filled[:, at], torch.minimum(most, end), most)
            ends.append((least, most))
        return Room(which, *(torch.stack(parts, dim=1) for parts in zip(*ends, strict=True)))

    def forward(self, _: Tensor, room: Room, /) -> Tensor:
        """Return what is added to the logits of all codes: (n, T)."""
        pairs = enumerate(zip(room.least.t(), room.most.t(), strict=True))
        return self._spread([self._codes(number, least, most) for number, (least, most) in pairs])

    def block(self, _: Tensor, room: Room, /) -> Tensor:
        """Return what is added to the logits of the one block that is asked: (n, n_codes)."""
        return self._codes(room.which.start, room.least[:, 0], room.most[:, 0])

    def _codes(self, number: int, least: Tensor, most: Tensor) -> Tensor:
        code_of: Tensor = getattr(self, f"code_of_{number}")
        absent: Tensor = getattr(self, f"absent_{number}")
        code = torch.arange(len(absent), device=least.device)
        out = (code < code_of[least][:, None]) | (code > code_of[most][:, None])
        return NO_ROOM * (out & ~absent)

    def cells(self, _: Tensor, room: Room, /, codes: Tensor, blocks: tuple[int, ...]) -> Tensor:
        """Return what is added to the logits of the cells of `codes` (n, Q) in the Q `blocks`: (n, Q, M).

        The same to all cells of a code that holds no number, which says nothing.
        """

        def added(place: int, at: Tensor) -> Tensor:
            return NO_ROOM * ((at < room.least[:, place, None]) | (at > room.most[:, place, None]))

        return self._by_block(room.which, blocks, codes, added)
