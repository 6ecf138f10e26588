"""Rows that are filled in one column order, a pass at a time."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor

from synthgan.conditioning.space import DayDependent
from synthgan.encoding import TableEncoder
from synthgan.encoding.continuous import NumericEncoder
from synthgan.encoding.temporal import TemporalEncoder
from synthgan.models.ensemble import Ensemble
from synthgan.models.features import Rows, rows_of, table_of
from synthgan.models.late import PassState
from synthgan.models.target import TargetTrees
from synthgan.sampling.draws import DeviceRestriction, draw_block
from synthgan.sampling.following import Following
from synthgan.sampling.possible import Possible
from synthgan.schema.table import ColumnName

__all__ = ["Part", "Task"]


@dataclasses.dataclass(frozen=True, slots=True, eq=False)
class Task:
    """What all parts of a sample have in common.

    Parameters
    ----------
    generator : Ensemble
        Folded, in eval mode.
    encoder : TableEncoder
        What its codes mean.
    restrictions : mapping of block to DeviceRestriction or DayDependent
        What blocks may hold.
    trees : TargetTrees or None
        What the target is drawn from, where it is not drawn like any other block.
    by_trees_alone : bool
        Whether that is all it is drawn from.
    following : Following
        What follows as soon as another column is drawn.
    weeks : mapping of block to TemporalEncoder
        Days of which some come more often than others in a week.
    possible : Possible
        What rows may still hold.
    """

    generator: Ensemble
    encoder: TableEncoder
    restrictions: Mapping[int, DeviceRestriction | DayDependent]
    trees: TargetTrees | None
    by_trees_alone: bool
    following: Following
    weeks: Mapping[int, TemporalEncoder]
    possible: Possible

    @property
    def draws_twice(self) -> bool:
        """Whether the target may be drawn among the others, and again when all of them are there."""
        return self.trees is not None and self.trees.drawn_twice

    def needs_network(self, group: list[int]) -> bool:
        """Whether a pass that fills these blocks asks the network."""
        return not self.by_trees_alone or self.trees is None or group != [self.trees.target]

    def allowed(self, block: int, rows: Rows) -> list[tuple[Tensor | None, DeviceRestriction]]:
        """What is allowed in which of the rows, as `draw_block` takes it."""
        found = self.restrictions.get(block)
        if found is None:
            return []
        if isinstance(found, DeviceRestriction):
            return [(None, found)]
        day = found.day_block
        encoder = self.encoder.encoders[self.encoder.layout.blocks[day].column]
        assert isinstance(encoder, TemporalEncoder)  # noqa: S101 - only datetimes have a day
        days, device = self._numbers(encoder.day, day, rows), rows.codes.device
        return [
            (torch.from_numpy(where).to(device), DeviceRestriction(restriction, device))
            for where, restriction in found.by_day(days)
        ]

    def _numbers(self, encoder: NumericEncoder, block: int, rows: Rows) -> npt.NDArray[np.float64]:
        local = (rows.codes[:, block] - self.generator.axis.offsets[block]).cpu().numpy()
        return encoder.decode(local, rows.positions[:, block].cpu().numpy())


class Part:
    """Rows on their way from what is given to whole ones.

    Parameters
    ----------
    task : Task
        What it has in common with others.
    rows : Rows
        They are filled in place.
    known : Tensor of bool, shape (n, B)
        Which blocks are given.
    given : list of int
        Blocks that are given in some rows.
    uniform : Tensor of float32 in [0, 1), shape (B, n, 3) or (B + 1, n, 3)
        Randomness for each block, as `draw_block` takes it, and for one that is filled again.
    groups : list of list of int
        Blocks to fill in each pass, in order; the target comes last, where it has trees, and may have come before.
    fixed : mapping of column label to ndarray of bool, shape (n,)
        In which rows columns that rules are about have a condition to keep.

    Attributes
    ----------
    sums : tuple of Tensor
        First-layer sums of what is filled. As long as nothing is, all rows are alike, and it is one row for all.
    """

    def __init__(
        self,
        task: Task,
        rows: Rows,
        known: Tensor,
        given: list[int],
        uniform: Tensor,
        groups: list[list[int]],
        fixed: Mapping[ColumnName, npt.NDArray[np.bool_]],
    ) -> None:
        self.task, self.rows, self.uniform, self.groups, self.fixed = task, rows, uniform, groups, fixed
        target = None if task.trees is None else task.trees.target
        self.twice = any(target in group for group in groups[:-1])
        self.of_target: tuple[Tensor, ...] = ()
        self.filled = known.clone()
        self.free = {block: ~known[:, block] for block in given}
        self.sums = task.generator.empty(1)
        self.held = task.possible.nothing(len(rows.codes))
        for block in given:
            self._note(block, known[:, block])
            self.sums = task.generator.fill(self.sums, block, *self._values(block), known[:, block])

    def forget_target(self) -> None:
        """Make a target unknown that is to be drawn again; others know of it."""
        if self.twice and self.task.trees is not None:
            target = self.task.trees.target
            self.sums = tuple(own - told for own, told in zip(self.sums, self.of_target, strict=True))
            self.filled[:, target] = ~self.free[target] if target in self.free else False

    def fill(self, place: int, states: tuple[PassState, ...]) -> None:
        """Fill the blocks of a pass, from the networks' states at its beginning."""
        generator, group, is_last = self.task.generator, self.groups[place], place == len(self.groups) - 1
        for block in group:
            self._draw(block, states, is_last=is_last)
            values, free = self._values(block), self.free.get(block)
            if block != group[-1]:
                states = generator.follow(states, block, *values, free)
            if not is_last:
                before, self.sums = self.sums, generator.fill(self.sums, block, *values, free)
                if self.twice and self.task.trees is not None and block == self.task.trees.target:
                    self.of_target = tuple(own - one for own, one in zip(self.sums, before, strict=True))

    def _draw(self, block: int, states: tuple[PassState, ...], *, is_last: bool) -> None:
        task, (codes, positions) = self.task, self.rows
        generator, trees, uniform = task.generator, task.trees, self.uniform[block]
        clues, own = generator.clues(self.rows, self.filled, block), None
        if trees is not None and block == trees.target and is_last:
            uniform = self.uniform[-1] if self.twice else uniform
            self._settle()
            network = generator.block_logits(states, block, clues) if states else self._no_logits(block)
            own = trees(generator.axis, self.rows, network)
        allowed = task.allowed(block, self.rows)
        is_open = task.possible.open(block, self.held) if block in task.possible.place else None
        code, position = draw_block(generator, states, block, uniform, allowed, clues, own, is_open)
        if (free := self.free.get(block)) is not None:
            code = torch.where(free, code, codes[:, block])
            position = torch.where(free, position, positions[:, block])
        codes[:, block], positions[:, block], self.filled[:, block] = code, position, True
        if not allowed and block in task.following.formulas:
            self._follow(block)
        if block in task.weeks:
            self._spread(block, allowed)
        self._note(block)

    def _note(self, block: int, where: Tensor | None = None) -> None:
        """Note what a filled block holds, in all rows or in some of them."""
        possible = self.task.possible
        if block in possible.place:
            held = possible.held(block, *self._values(block))
            place = possible.place[block]
            self.held[:, place] = held if where is None else torch.where(where, held, self.held[:, place])

    def _follow(self, block: int) -> None:
        """Replace what was drawn of a block by what follows, where the columns are there that it follows from."""
        following, axis = self.task.following, self.task.generator.axis
        told, *found = following.values(block, table_of(axis, self.rows))
        follows = torch.from_numpy(told).to(self.filled.device) & self.filled[:, following.sources[block]].all(dim=1)
        if (free := self.free.get(block)) is not None:
            follows &= free
        code, position = (torch.from_numpy(values).to(follows.device)[follows] for values in found)
        self.rows.codes[follows, block] = code.long() + axis.offsets[block]
        self.rows.positions[follows, block] = position

    def _spread(self, block: int, allowed: list[tuple[Tensor | None, DeviceRestriction]]) -> None:
        """Move days that were drawn inside a stretch of time to where the days of the week have them.

        Not those that were given, nor those of a stretch of which several pieces are allowed.
        """
        codes, positions = self._values(block)
        axis, encoder = self.task.generator.axis, self.task.weeks[block]
        local = codes - axis.offsets[block]
        cells = (positions * axis.n_cells[codes]).long()
        moves = self.free[block].clone() if block in self.free else torch.ones_like(local, dtype=torch.bool)
        ends = torch.zeros_like(positions), torch.ones_like(positions)
        for chosen, one in allowed:
            place = local, cells.clamp(max=one.count.shape[1] - 1)
            own = torch.ones_like(moves) if chosen is None else chosen
            moves &= ~own | (one.count[place] == 1)
            piece = one.first[place].clamp(max=len(one.start) - 1)
            ends = torch.where(own, one.start[piece], ends[0]), torch.where(own, one.stop[piece], ends[1])
        found = encoder.spread(local.cpu().numpy(), positions.cpu().numpy(), *(end.cpu().numpy() for end in ends))
        self.rows.positions[:, block] = torch.where(moves, torch.from_numpy(found).to(positions.device), positions)

    def _settle(self) -> None:
        """Make all but the target keep to the rules: it is to follow the rows as they will be."""
        axis, encoder, trees = self.task.generator.axis, self.task.encoder, self.task.trees
        if encoder.rules and trees is not None:
            target = encoder.layout.blocks[trees.target].column
            settled = encoder.settled(table_of(axis, self.rows), self.fixed, without=target)
            for own, new in zip(self.rows, rows_of(axis, settled), strict=True):
                own.copy_(new)
            for block in self.task.possible.place:
                self._note(block, self.filled[:, block])

    def _no_logits(self, block: int) -> Tensor:
        low, high = self.task.generator.axis.bounds(block)
        return torch.zeros(1, high - low, device=self.filled.device)

    def _values(self, block: int) -> tuple[Tensor, Tensor]:
        return self.rows.codes[:, block], self.rows.positions[:, block]
