"""Levels of categories that go with levels of others: looked up where a network would have to learn each pair."""

from __future__ import annotations

import itertools
from typing import NamedTuple

import numpy as np
import torch
from torch import Tensor, nn

from synthgan.encoding.cells import FloatArray, IntArray
from synthgan.encoding.pairings import Pairing
from synthgan.models.axis import CodeAxis
from synthgan.models.features import Rows
from synthgan.models.layers import Linear

__all__ = ["Hints", "Pairings"]


class Hints(NamedTuple):
    """What filled categories say of others, for each pairing that is asked.

    Attributes
    ----------
    which : slice
        The pairings.
    cells : Tensor of int64, shape (n, P)
        Flat cell of the source.
    told : Tensor of bool, shape (n, P)
        Whether the source is filled, and none that says more of the same target.
    """

    which: slice
    cells: Tensor
    told: Tensor


class Pairings(nn.Module):
    r"""What the level of one category adds to the logits of another: how much likelier it makes each, and a gate.

    .. math:: \Delta l_{c} = g(h) \log \frac{\hat p(c \mid s)}{\hat p(c)}, \qquad g(h) = 2 \sigma(w^\top h + b)

    for the codes c of a target and the level s of its source, and the same for the cells inside a code. The shares are
    counted (see `Pairing`), only the gate is learned. Of several sources that are filled, the one that tells most
    speaks: that others say the same would count twice.

    Parameters
    ----------
    axis : CodeAxis
        With at least one pairing.
    hidden_dim : int
        Width of the hidden layer h.
    """

    source: Tensor
    first: Tensor
    place: Tensor

    def __init__(self, axis: CodeAxis, hidden_dim: int) -> None:
        super().__init__()
        pairings, blocks = axis.layout.pairings, axis.layout.blocks
        targets = [pairing.target for pairing in pairings]
        self.targets = tuple(targets)
        self.of = {at: slice(targets.index(at), targets.index(at) + targets.count(at)) for at in targets}
        first = np.concatenate([block.cells.first for block in blocks])
        # On the device, to index by: a list would have to be copied there, which waits.
        sources = torch.tensor([pairing.source for pairing in pairings])
        self.register_buffer("source", sources, persistent=False)
        self.register_buffer("first", torch.from_numpy(first), persistent=False)
        self.register_buffer("place", torch.arange(axis.layout.max_cells), persistent=False)
        for number, pairing in enumerate(pairings):
            codes, cells = _lifts(pairing, blocks[pairing.target].cells.code)
            self.register_buffer(f"codes_{number}", torch.from_numpy(codes).float(), persistent=False)
            self.register_buffer(f"cells_{number}", torch.from_numpy(cells).float(), persistent=False)
        self.gate = Linear(hidden_dim, len(pairings))
        nn.init.zeros_(self.gate.weight)
        nn.init.zeros_(self.gate.bias)

    def which(self, block: int | None) -> slice | None:
        """Which pairings are about a block, None for none; or all of them."""
        return slice(0, len(self.targets)) if block is None else self.of.get(block)

    def hints(self, axis: CodeAxis, rows: Rows, filled: Tensor, which: slice) -> Hints:
        """Look up what rows hold; `filled` (n, B) says which blocks are filled."""
        source = self.source[which]
        codes = rows.codes.index_select(1, source)
        n_cells = axis.n_cells[codes]
        cell = torch.minimum((rows.positions.index_select(1, source) * n_cells).long(), n_cells - 1)
        told = list(filled.index_select(1, source).unbind(1))
        for target in set(self.targets[which]):
            own = self.of[target]
            for better, number in itertools.combinations(range(own.start - which.start, own.stop - which.start), 2):
                told[number] = told[number] & ~told[better]
        return Hints(which, self.first[codes] + cell, torch.stack(told, dim=1))

    def forward(self, axis: CodeAxis, hidden: Tensor, hints: Hints) -> Tensor:
        """Return what is added to the logits of all codes: (n, T)."""
        parts, end = [], 0
        scale = self._scale(hidden, hints)
        for block, which in self.of.items():
            start, stop = axis.bounds(block)
            parts += [scale.new_zeros(len(scale), start - end), self._added("codes", scale, hints, which)]
            end = stop
        return torch.cat([*parts, scale.new_zeros(len(scale), len(axis.block_of) - end)], dim=1)

    def block(self, hidden: Tensor, hints: Hints) -> Tensor:
        """Return what is added to the logits of the one block that the hints are about: (n, n_codes)."""
        return self._added("codes", self._scale(hidden, hints), hints, hints.which)

    def cells(self, hidden: Tensor, hints: Hints, codes: Tensor, places: tuple[int, ...]) -> Tensor:
        """Return what is added to the logits of the cells of `codes` (n, Q) in the blocks `places`: (n, Q, M)."""
        scale = self._scale(hidden, hints)
        added = []
        for column, block in enumerate(places):
            which = self.of.get(block)
            if which is None or which.start < hints.which.start or which.stop > hints.which.stop:
                added.append(scale.new_zeros(len(scale), len(self.place)))
                continue
            at = self.first[codes[:, column], None] + self.place
            added.append(self._added("cells", scale, hints, which, at))
        return torch.stack(added, dim=1)

    def _scale(self, hidden: Tensor, hints: Hints) -> Tensor:
        gate: Tensor = self.gate(hidden, outputs=hints.which).float()
        return 2 * torch.sigmoid(gate) * hints.told

    def _added(self, kind: str, scale: Tensor, hints: Hints, which: slice, at: Tensor | None = None) -> Tensor:
        """The lifts of one target by all its sources, of all codes or of some cells `at` (n, M): each row has one."""
        total: Tensor | int = 0
        for number in range(which.start, which.stop):
            place = number - hints.which.start
            lifts: Tensor = getattr(self, f"{kind}_{number}")
            source = hints.cells[:, place]
            rows = lifts.index_select(0, source)
            if at is not None:
                rows = rows.gather(1, at.clamp(max=lifts.shape[1] - 1))
            total = total + rows * scale[:, place, None]
        assert isinstance(total, Tensor)  # noqa: S101 - a target has a source
        return total


def _lifts(pairing: Pairing, code_of: IntArray) -> tuple[FloatArray, FloatArray]:
    """Log of how much likelier a source's cell makes each code of the target, and each cell given its code."""
    shares, share = pairing.shares()
    member = np.eye(code_of[-1] + 1)[code_of]
    by_code, of_code = shares @ member, share @ member
    codes = np.log(by_code / of_code)
    return codes, np.log(shares / share) - codes[:, code_of]
