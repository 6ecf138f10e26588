"""Numbers that follow other numbers closely: sharp where a network is smooth."""

from __future__ import annotations

from typing import NamedTuple

import torch
from torch import Tensor, nn

from synthgan.models.axis import CodeAxis
from synthgan.models.features import Rows
from synthgan.models.layers import Linear

__all__ = ["Anchors", "Relations", "anchors_of"]

SURE = 0.8
"""What a raised flag adds at first, in units of `STEP`."""

STEP = 10.0
"""Nats per unit of the kernels' weights: they are few and shared, and may learn faster than a network's."""


class Anchors(NamedTuple):
    """Where sources say that their targets are.

    Attributes
    ----------
    codes, cells : Tensor of int64, shape (n, R)
        Expected code of the target, counted within its block, and cell of that code (-1 for none), for each relation.
    told : Tensor of bool, shape (n, R)
        Whether the source is filled, and says something.
    repeats : Tensor of bool, shape (n, R)
        Whether a flag, filled too, says that the target holds the source's very value.
    """

    codes: Tensor
    cells: Tensor
    told: Tensor
    repeats: Tensor


def anchors_of(axis: CodeAxis, rows: Rows, filled: Tensor, which: slice = slice(None)) -> Anchors:
    """Look the anchors of rows up; `filled` (n, B) says which blocks are filled, `which` which relations are asked."""
    source = axis.relation_source[which]
    codes = rows.codes[:, source]
    n_cells = axis.n_cells[codes]
    cells = torch.minimum((rows.positions[:, source] * n_cells).long(), n_cells - 1)
    place = ((codes - axis.offsets[source]) * axis.interval.shape[1] + cells).t()
    code, cell = (table[which].gather(1, place).t() for table in (axis.anchor_code, axis.anchor_cell))
    told = filled[:, source] & (code >= 0)
    flag = axis.relation_flag[which]
    block = flag.clamp(min=0)
    raised = filled[:, block] & (rows.codes[:, block] == axis.last[block]) & (flag >= 0)
    return Anchors(code.clamp(min=0), cell, told, told & raised)


class Relations(nn.Module):
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
    """

    def __init__(self, axis: CodeAxis, hidden_dim: int) -> None:
        super().__init__()
        n_relations, self.width = len(axis.relation_source), axis.relation_width
        self.kernel = nn.Parameter(torch.zeros(n_relations, 2 * self.width - 1))
        self.cell = nn.Parameter(torch.zeros(n_relations))
        self.sure = nn.Parameter(torch.full((n_relations,), SURE))
        self.gate = Linear(hidden_dim, n_relations)
        nn.init.zeros_(self.gate.weight)
        nn.init.zeros_(self.gate.bias)

    @torch.no_grad()
    def start_from(self, axis: CodeAxis, rows: Rows) -> None:
        """Start the kernels at the log of how much more often a distance is seen in `rows` than by chance.

        Sources of one target tell much the same: of k of them each starts at a share of ``1 / sqrt(k)``.
        """
        anchors = anchors_of(axis, rows, torch.ones_like(rows.codes, dtype=torch.bool))
        target = axis.relation_target
        codes = rows.codes[:, target] - axis.offsets[target]
        asked = anchors.told & ~anchors.repeats
        for place, block in enumerate(target.tolist()):
            few, told = (anchors.codes[asked[:, place], place], codes[asked[:, place], place])
            seen, chance = (
                torch.bincount(other - few + self.width - 1, minlength=self.kernel.shape[1]).float() + 1
                for other in (told, told.roll(1))
            )
            of_target = axis.relations_of[block]
            self.kernel[place] = (seen / chance).log() / (STEP * (of_target.stop - of_target.start) ** 0.5)

    def forward(self, axis: CodeAxis, hidden: Tensor, anchors: Anchors) -> Tensor:
        """Return what is added to the logits of all codes: (n, T)."""
        dtype = self.gate.compute_dtype
        scale = (2 * torch.sigmoid(self.gate(hidden).float()) * anchors.told).t().to(dtype)
        marks = torch.zeros(len(scale), self.width, len(hidden), dtype=dtype, device=hidden.device)
        marks = marks.scatter(1, anchors.codes.t()[:, None], scale[:, None])
        # Row c of a kernel's matrix holds k[c - a] for each anchor a.
        kernels = (STEP * self.kernel).to(dtype).unfold(1, self.width, 1).flip(2)
        added = torch.bmm(kernels, marks).flatten(0, 1)[axis.relation_rows].float()
        total = torch.zeros(len(axis.block_of), len(hidden), device=hidden.device)
        total = total.index_add(0, axis.relation_codes, added)
        at = axis.offsets[axis.relation_target, None] + anchors.codes.t()
        return total.scatter_add(0, at, STEP * self.sure[:, None] * anchors.repeats.t()).t()

    def block(self, hidden: Tensor, anchors: Anchors, which: slice, n_codes: int) -> Tensor:
        """Return what the relations `which` of one target add to its logits, (n, n_codes); `anchors` are theirs."""
        distance = torch.arange(n_codes, device=hidden.device) - anchors.codes.t()[:, :, None] + self.width - 1
        scale = 2 * torch.sigmoid(self.gate(hidden, outputs=which).float()) * anchors.told
        kernels = (STEP * self.kernel[which])[:, None, :].expand(-1, len(anchors.codes), -1).gather(2, distance)
        sure = (STEP * self.sure[which] * anchors.repeats).t()[:, :, None]
        return (kernels * scale.t()[:, :, None] + sure * (distance == self.width - 1)).sum(dim=0)

    def cells(self, scores: Tensor, place: Tensor, codes: Tensor, anchors: Anchors, which: slice) -> Tensor:
        """Favour the anchors' cells.

        Parameters
        ----------
        scores : Tensor of float32, shape (n, Q, M)
            Cell logits of the drawn codes of Q blocks.
        place : Tensor of int64, shape (R,)
            Which of them each relation is about.
        codes : Tensor of int64, shape (n, R)
            The drawn codes, counted within the target.
        anchors : Anchors
            Of the relations.
        which : slice
            The relations.
        """
        hit = anchors.told & (anchors.codes == codes) & (anchors.cells >= 0)
        bonus = STEP * (self.cell[which] + self.sure[which] * anchors.repeats) * hit
        index = place * scores.shape[2] + anchors.cells.clamp(min=0)
        added: Tensor = scores.flatten(1).scatter_add(1, index, bonus)
        return added.view(scores.shape)
