"""What a row may still hold, given what it holds already: what the table never has together is not drawn."""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor, nn

from synthgan.conditioning.pieces import Restriction
from synthgan.conditioning.space import DayDependent
from synthgan.encoding import TableEncoder
from synthgan.encoding.cells import CellTable, IntArray
from synthgan.encoding.zeros import coarse_cells
from synthgan.models.axis import CodeAxis
from synthgan.sampling.draws import Open

__all__ = ["Possible"]

Bools = npt.NDArray[np.bool_]


class _Target(NamedTuple):
    """What is known of one block.

    Attributes
    ----------
    partners : Tensor of int64, shape (K,)
        The other blocks, as places among all that are looked at.
    start : Tensor of int64, shape (K,)
        Row of `never` of each partner's first coarse cell.
    never : Tensor of float32, shape (1 + coarse cells of all partners, coarse cells)
        1 where the two do not occur together; nothing in the first row, which is of what is not filled.
    coarse : Tensor of int64, shape (n_flat,)
        Coarse cell of each cell.
    weights : Tensor of float32, shape (n_flat, n_codes)
        Share of its code's rows that a cell has.
    left : Tensor of float32, shape (n_flat,)
        1 for cells that conditions leave.
    """

    partners: Tensor
    start: Tensor
    never: Tensor
    coarse: Tensor
    weights: Tensor
    left: Tensor


class Possible:
    """Says which cells of a block are open to rows, by the coarse cells that they hold of others.

    Parameters
    ----------
    encoder : TableEncoder
        Its zeros, and what follows from them, are kept to.
    axis : CodeAxis
        Where its codes lie.
    restrictions : mapping of block to Restriction or DayDependent
        What conditions leave of blocks.

    Attributes
    ----------
    place : dict of int to int
        Blocks that there is anything to say of, and the place of each among them.
    """

    def __init__(
        self, encoder: TableEncoder, axis: CodeAxis, restrictions: Mapping[int, Restriction | DayDependent]
    ) -> None:
        self.axis, self.device = axis, axis.offsets.device
        blocks = sorted({block for zeros in encoder.all_zeros for block in (zeros.one, zeros.other)})
        self.place = {block: place for place, block in enumerate(blocks)}
        coarse = {block: coarse_cells(encoder.layout.blocks[block]) for block in blocks}
        never: dict[int, dict[int, Bools]] = {block: {} for block in blocks}
        for zeros in encoder.all_zeros:
            never[zeros.one][zeros.other], never[zeros.other][zeros.one] = zeros.never.T, zeros.never
        cells = {block: encoder.layout.blocks[block].cells for block in blocks}
        whole = {block: _whole(restrictions.get(block), cells[block]) for block in blocks}
        left = _left(coarse, never, whole)
        self.targets = [
            self._target(cells[at], coarse[at], never[at], whole[at] & left[at][coarse[at]]) for at in blocks
        ]

    def nothing(self, n_rows: int) -> Tensor:
        """What rows hold that hold nothing, int64, shape (n_rows, n looked at)."""
        return torch.full((n_rows, len(self.place)), -1, dtype=torch.int64, device=self.device)

    def held(self, block: int, codes: Tensor, positions: Tensor) -> Tensor:
        """Coarse cells of a block, of its codes on the common axis (n,) and positions (n,)."""
        return self.targets[self.place[block]].coarse[self.axis.cell_of(codes, positions)]

    def open(self, block: int, held: Tensor) -> Open:
        """Say what is open of a block.

        Where nothing is that conditions leave, the least impossible is: conditions are kept to in any case.

        Parameters
        ----------
        block : int
            One of `place`.
        held : Tensor of int64, shape (n, n looked at)
            Coarse cells that rows hold, -1 where a block is not filled.
        """
        own = self.targets[self.place[block]]
        partners = held.index_select(1, own.partners)
        rows = torch.where(partners < 0, 0, partners + own.start)
        against = nn.functional.embedding_bag(rows, own.never, mode="sum").index_select(1, own.coarse)
        against = torch.where(own.left > 0, against, torch.inf)
        is_open = against == against.min(dim=1, keepdim=True).values
        share = (is_open.float() @ own.weights) / (own.left @ own.weights).clamp(min=1e-30)
        return Open(share.log(), torch.where(is_open, 0.0, -torch.inf))

    def _target(self, cells: CellTable, coarse: IntArray, never: Mapping[int, Bools], left: Bools) -> _Target:
        table = np.concatenate([np.zeros((1, int(coarse[-1]) + 1), np.bool_), *never.values()])
        start = np.cumsum([1, *(len(part) for part in never.values())])[:-1]
        weights = nn.functional.one_hot(torch.from_numpy(cells.code)) * torch.from_numpy(cells.weight)[:, None]
        return _Target(
            torch.tensor([self.place[partner] for partner in never], device=self.device),
            torch.from_numpy(start).to(self.device),
            torch.from_numpy(table).float().to(self.device),
            torch.from_numpy(coarse).to(self.device),
            weights.float().to(self.device),
            torch.from_numpy(left).float().to(self.device),
        )


def _whole(found: Restriction | DayDependent | None, cells: CellTable) -> Bools:
    """Which cells conditions leave, whole or in part, shape (n_flat,)."""
    if not isinstance(found, Restriction):
        return np.ones(len(cells.code), np.bool_)
    count: Bools = found.count[cells.code, np.arange(len(cells.code)) - cells.first[cells.code]] > 0
    return count


def _left(
    coarse: Mapping[int, IntArray], never: Mapping[int, Mapping[int, Bools]], whole: Mapping[int, Bools]
) -> dict[int, Bools]:
    """Which coarse cells are left of each block: of those with a cell that conditions leave, those that go with others.

    Where conditions on two columns leave nothing that goes together, what they leave is left.
    """
    left = {block: np.bincount(coarse[block], own) > 0 for block, own in whole.items()}
    changed = True
    while changed:
        changed = False
        for block, partners in never.items():
            for partner, table in partners.items():
                fits = left[block] & ~table[left[partner]].all(axis=0)
                if fits.any() and (fits < left[block]).any():
                    left[block], changed = fits, True
    return left
