"""Levels that go with levels of other columns: looked up where a network would have to learn each pair."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import torch
from torch import Tensor, nn

from synthgan.encoding.cells import FloatArray, IntArray
from synthgan.encoding.pairings import Pairing
from synthgan.models.axis import CodeAxis
from synthgan.models.features import Rows
from synthgan.models.guides import Guide
from synthgan.models.layers import Linear

__all__ = ["Hints", "Pairings"]


class Hints(NamedTuple):
    """What filled columns say of others, for each target that is asked.

    Attributes
    ----------
    which : slice
        The targets.
    speaker : Tensor of int64, shape (n, G)
        The pairing whose source speaks: of those that are filled the one that tells most.
    rows : Tensor of int64, shape (n, G)
        Row of the target's tables, which is a cell of that source.
    told : Tensor of bool, shape (n, G)
        Whether any is filled.
    """

    which: slice
    speaker: Tensor
    rows: Tensor
    told: Tensor


class Pairings(Guide[Hints]):
    r"""What a cell of one column adds to the logits of another: how much likelier it makes each code, and a gate.

    .. math:: \Delta l_{c} = g(h) \log \frac{\hat p(c \mid s)}{\hat p(c)}, \qquad g(h) = 2 \sigma(w^\top h + b)

    for the codes c of a target and the cell s of its source, and the same for the cells inside a code. The shares are
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
    start: Tensor

    def __init__(self, axis: CodeAxis, hidden_dim: int) -> None:
        pairings, blocks = axis.layout.pairings, axis.layout.blocks
        super().__init__(axis, list(dict.fromkeys(pairing.target for pairing in pairings)))
        numbers = {at: [k for k, one in enumerate(pairings) if one.target == at] for at in self.targets}
        self.of = tuple(numbers[at] for at in self.targets)
        start = []
        for number, own in enumerate(self.of):
            sizes = [len(pairings[k].rest) for k in own]
            start += np.cumsum([0, *sizes[:-1]]).tolist()
            codes, cells = zip(
                *(_lifts(pairings[k], blocks[self.targets[number]].cells.code) for k in own), strict=True
            )
            self._constant(f"codes_{number}", torch.from_numpy(np.concatenate(codes)).float())
            self._constant(f"cells_{number}", torch.from_numpy(np.concatenate(cells)).float())
        # Numbers are on the device, to index by: a list would have to be copied there, which waits.
        self._constant("source", torch.tensor([pairing.source for pairing in pairings]))
        self._constant("start", torch.tensor(start))
        self.gate = Linear(hidden_dim, len(pairings))
        nn.init.zeros_(self.gate.weight)
        nn.init.zeros_(self.gate.bias)

    def look_up(self, rows: Rows, filled: Tensor, which: slice) -> Hints:
        """Look up who speaks, and what of."""
        found = []
        for own in self.of[which]:
            part = slice(own[0], own[-1] + 1)
            source = self.source[part]
            told = filled.index_select(1, source)
            speaker = told.to(torch.uint8).argmax(dim=1, keepdim=True)  # the first that is filled
            codes, positions = (values.gather(1, source[speaker]) for values in (rows.codes, rows.positions))
            cell = self.axis.cell_of(codes, positions) + self.start[part][speaker]
            found.append((speaker + own[0], cell, told.any(dim=1, keepdim=True)))
        return Hints(which, *(torch.cat(parts, dim=1) for parts in zip(*found, strict=True)))

    def forward(self, hidden: Tensor, hints: Hints, /) -> Tensor:
        """Return what is added to the logits of all codes: (n, T)."""
        scale = self._scale(hidden, hints)
        lifts = (getattr(self, f"codes_{number}") for number in range(len(self.targets)))
        return self._spread([own.index_select(0, hints.rows[:, k]) * scale[:, k, None] for k, own in enumerate(lifts)])

    def block(self, hidden: Tensor, hints: Hints, /) -> Tensor:
        """Return what is added to the logits of the one block that the hints are about: (n, n_codes)."""
        lifts: Tensor = getattr(self, f"codes_{hints.which.start}")
        return lifts.index_select(0, hints.rows[:, 0]) * self._scale(hidden, hints)

    def cells(self, hidden: Tensor, hints: Hints, /, codes: Tensor, blocks: tuple[int, ...]) -> Tensor:
        """Return what is added to the logits of the cells of `codes` (n, Q) in the Q `blocks`: (n, Q, M)."""
        scale = self._scale(hidden, hints)

        def added(place: int, at: Tensor) -> Tensor:
            lifts: Tensor = getattr(self, f"cells_{hints.which.start + place}")
            width = lifts.shape[1]
            found = lifts.flatten()[hints.rows[:, place, None] * width + at.clamp(max=width - 1)]
            return found * scale[:, place, None]

        return self._by_block(hints.which, blocks, codes, added)

    def _scale(self, hidden: Tensor, hints: Hints) -> Tensor:
        """How much each target's hint counts: (n, G)."""
        gate = 2 * torch.sigmoid(self.gate(hidden).float())
        scale: Tensor = gate.expand(len(hints.rows), -1).gather(1, hints.speaker) * hints.told
        return scale


def _lifts(pairing: Pairing, code_of: IntArray) -> tuple[FloatArray, FloatArray]:
    """Log of how much likelier a source's cell makes each code of the target, and each cell given its code."""
    shares, share = pairing.shares()
    member = np.eye(code_of[-1] + 1)[code_of]
    by_code, of_code = shares @ member, share @ member
    codes = np.log(by_code / of_code)
    return codes, np.log(shares / share) - codes[:, code_of]
