"""Numbers that follow other numbers closely: sharp where a network is smooth."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor, nn

from synthgan.encoding.layout import TableLayout
from synthgan.encoding.relations import NOWHERE
from synthgan.models.axis import CodeAxis
from synthgan.models.features import Rows
from synthgan.models.guides import Guide
from synthgan.models.layers import Linear

__all__ = ["Anchors", "Relations"]

SURE = 0.8
"""What a raised flag adds at first, in units of `STEP`."""

STEP = 10.0
"""Nats per unit of the kernels' weights: they are few and shared, and may learn faster than a network's."""


class Anchors(NamedTuple):
    """Where sources say that their targets are.

    Attributes
    ----------
    which : slice
        The R relations that were asked about.
    codes, cells : Tensor of int64, shape (n, R)
        Expected code of the target, counted within its block, and cell of that code (-1 for none), for each relation.
    told : Tensor of bool, shape (n, R)
        Whether the source is filled, and says something.
    repeats : Tensor of bool, shape (n, R)
        Whether a flag, filled too, says that the target holds the source's very value.
    """

    which: slice
    codes: Tensor
    cells: Tensor
    told: Tensor
    repeats: Tensor


class Relations(Guide[Anchors]):
    r"""What anchors add to logits: a kernel over the distance from the anchor, and a gate.

    .. math:: \Delta l_{c} = \sum_r g_r(h) \, k_r[c - a_r], \qquad g_r(h) = 2 \sigma(w_r^\top h + b_r)

    for the codes c of the target and its relations r, where :math:`a_r` is the anchor's code; a constant for the
    anchor's cell; and one for that code and cell where a flag says that the two are equal. A copy mechanism (pointer
    networks, Vinyals et al. 2015, arXiv 1506.03134) for ordered codes: without it a network has to learn code by code
    that one column repeats another.

    Parameters
    ----------
    axis : CodeAxis
        With at least one relation.
    hidden_dim : int
        Width of the hidden layer h.

    Attributes
    ----------
    target, source : Tensor of int64, shape (R,)
        Blocks of the layout's relations.
    flag : Tensor of int64, shape (R,)
        The flag that says whether a relation's two columns hold the same number; -1 where they have none.
    anchor_code, anchor_cell : Tensor of int64, shape (R, most cells of a block)
        Anchors by the source's cell, counted within its block; -1 for none.
    place : Tensor of int64, shape (R,)
        Place of each relation's target among the blocks with several cells to a code.
    kernel_rows, kernel_codes : Tensor of int64, shape (V,)
        Of the codes of all targets side by side, each block as wide as the widest: which there are, and where they lie
        on the common axis.
    """

    target: Tensor
    source: Tensor
    flag: Tensor
    anchor_code: Tensor
    anchor_cell: Tensor
    place: Tensor
    kernel_rows: Tensor
    kernel_codes: Tensor

    def __init__(self, axis: CodeAxis, hidden_dim: int) -> None:
        layout = axis.layout
        super().__init__(axis, [relation.target for relation in layout.relations])
        targets, sources = self.targets, [relation.source for relation in layout.relations]
        n_relations, self.width = len(targets), max(layout.blocks[target].n_codes for target in targets)
        with_cells = np.cumsum([block.cells.max_cells > 1 for block in layout.blocks], dtype=np.int64) - 1
        pairs = [frozenset(layout.blocks[at].column for at in pair) for pair in zip(targets, sources, strict=True)]
        # A median is no value of the source: what repeats it does not lie there.
        shared = zip(pairs, layout.relations, strict=True)
        flags = [layout.flags.get(pair, -1) if one.same else -1 for pair, one in shared]
        rows = [self.width * place + np.arange(layout.blocks[at].n_codes) for place, at in enumerate(targets)]
        codes = [layout.offsets[at] + np.arange(layout.blocks[at].n_codes) for at in targets]
        # Numbers are on the device, to index by: a list would have to be copied there, which waits.
        self._constant("target", torch.tensor(targets))
        self._constant("source", torch.tensor(sources))
        self._constant("flag", torch.tensor(flags))
        self._constant("place", torch.from_numpy(with_cells[list(targets)]))
        self._constant("kernel_rows", torch.from_numpy(np.concatenate(rows)))
        self._constant("kernel_codes", torch.from_numpy(np.concatenate(codes)))
        for name, anchors in zip(("anchor_code", "anchor_cell"), _anchors(layout), strict=True):
            self._constant(name, torch.from_numpy(anchors))
        self.kernel = nn.Parameter(torch.zeros(n_relations, 2 * self.width - 1))
        self.cell = nn.Parameter(torch.zeros(n_relations))
        self.sure = nn.Parameter(torch.full((n_relations,), SURE))
        self.gate = Linear(hidden_dim, n_relations)
        nn.init.zeros_(self.gate.weight)
        nn.init.zeros_(self.gate.bias)

    @torch.no_grad()
    def start_from(self, rows: Rows) -> None:
        """Start the kernels at the log of how much more often a distance is seen in `rows` than by chance.

        Sources of one target tell much the same: of k of them each starts at a share of ``1 / sqrt(k)``.
        """
        anchors = self.look_up(rows, torch.ones_like(rows.codes, dtype=torch.bool), slice(0, len(self.targets)))
        codes = rows.codes[:, self.target] - self.axis.offsets[self.target]
        asked = anchors.told & ~anchors.repeats
        for place, block in enumerate(self.targets):
            few, told = (anchors.codes[asked[:, place], place], codes[asked[:, place], place])
            seen, chance = (
                torch.bincount(other - few + self.width - 1, minlength=self.kernel.shape[1]).float() + 1
                for other in (told, told.roll(1))
            )
            self.kernel[place] = (seen / chance).log() / (STEP * self.targets.count(block) ** 0.5)

    def look_up(self, rows: Rows, filled: Tensor, which: slice) -> Anchors:
        """Look up where the sources say that the targets are."""
        source = self.source[which]
        at = self.axis.cell_of(rows.codes[:, source], rows.positions[:, source]).t()
        code, cell = (table[which].gather(1, at).t() for table in (self.anchor_code, self.anchor_cell))
        told = filled[:, source] & (code >= 0)
        flag = self.flag[which]
        block = flag.clamp(min=0)
        raised = filled[:, block] & (rows.codes[:, block] == self.axis.last[block]) & (flag >= 0)
        return Anchors(which, code.clamp(min=0), cell, told, told & raised)

    def forward(self, hidden: Tensor, anchors: Anchors, /) -> Tensor:
        """Return what is added to the logits of all codes: (n, T)."""
        dtype = self.gate.compute_dtype
        scale = (2 * torch.sigmoid(self.gate(hidden).float()) * anchors.told).t().to(dtype)
        marks = torch.zeros(len(scale), self.width, len(hidden), dtype=dtype, device=hidden.device)
        marks = marks.scatter(1, anchors.codes.t()[:, None], scale[:, None])
        # Row c of a kernel's matrix holds k[c - a] for each anchor a.
        kernels = (STEP * self.kernel).to(dtype).unfold(1, self.width, 1).flip(2)
        added = torch.bmm(kernels, marks).flatten(0, 1)[self.kernel_rows].float()
        total = torch.zeros(len(self.axis.block_of), len(hidden), device=hidden.device)
        total = total.index_add(0, self.kernel_codes, added)
        at = self.axis.offsets[self.target, None] + anchors.codes.t()
        return total.scatter_add(0, at, STEP * self.sure[:, None] * anchors.repeats.t()).t()

    def block(self, hidden: Tensor, anchors: Anchors, /) -> Tensor:
        """Return what is added to the logits of the one block that the anchors are about: (n, n_codes)."""
        which = anchors.which
        n_codes = self.axis.layout.blocks[self.targets[which.start]].n_codes
        distance = torch.arange(n_codes, device=hidden.device) - anchors.codes.t()[:, :, None] + self.width - 1
        scale = 2 * torch.sigmoid(self.gate(hidden, outputs=which).float()) * anchors.told
        kernels = (STEP * self.kernel[which])[:, None, :].expand(-1, len(anchors.codes), -1).gather(2, distance)
        sure = (STEP * self.sure[which] * anchors.repeats).t()[:, :, None]
        return (kernels * scale.t()[:, :, None] + sure * (distance == self.width - 1)).sum(dim=0)

    def cells(self, _: Tensor, anchors: Anchors, /, codes: Tensor, blocks: tuple[int, ...]) -> Tensor:
        """Return what is added to the logits of the cells of `codes` (n, Q) in the Q `blocks`: (n, Q, M)."""
        which, n_cells = anchors.which, self.axis.layout.max_cells
        place = self.place[which] if len(blocks) > 1 else torch.zeros_like(self.place[which])
        local = codes.index_select(1, place) - self.axis.offsets[self.target[which]]
        hit = anchors.told & (anchors.codes == local) & (anchors.cells >= 0)
        bonus = STEP * (self.cell[which] + self.sure[which] * anchors.repeats) * hit
        index = place * n_cells + anchors.cells.clamp(min=0)
        added = torch.zeros(len(codes), len(blocks) * n_cells, device=codes.device).scatter_add(1, index, bonus)
        return added.view(len(codes), len(blocks), n_cells)


def _anchors(layout: TableLayout) -> npt.NDArray[np.int64]:
    """Anchors by the source's cell, (2, R, most cells of a block): codes and cells, padded."""
    n_cells = max(len(block.cells.code) for block in layout.blocks)
    anchors = np.full((2, len(layout.relations), n_cells), NOWHERE, np.int64)
    for place, relation in enumerate(layout.relations):
        anchors[:, place, : len(relation.code)] = relation.code, relation.cell
    return anchors
