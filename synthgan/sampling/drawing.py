"""The chunks of one sample: columns are filled one after another, or several at a time."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator, Mapping
from typing import NamedTuple

import numpy as np
import numpy.typing as npt
import torch

from synthgan.encoding import EncodedTable
from synthgan.models.features import Rows, rows_of, table_of
from synthgan.models.late import PassState
from synthgan.rng import numpy_stream, torch_stream
from synthgan.sampling.parts import Part, Task
from synthgan.sampling.passes import passes_of
from synthgan.schema.table import ColumnName

__all__ = ["Asked", "Drawing", "batches"]

SLICE_ROWS = 1024
"""Rows, or candidates, that are filled together, in a column order of their own: many enough that each call pays. An
order has errors of its own, which the mixture of many averages out (benchmarks/orders.py)."""

FIRST_SLICE_ROWS = 64
"""The same among the first `SLICE_ROWS`: small samples have several orders too, and go through the network together."""


class Asked(NamedTuple):
    """A chunk that is wanted.

    Attributes
    ----------
    chunk : int
        Its number, which names its random streams.
    given : EncodedTable
        What is given of its rows.
    n_drawn : int
        What comes after so many rows need not be filled.
    fixed : mapping of column label to ndarray of bool
        In which rows columns that rules are about have a condition to keep.
    """

    chunk: int
    given: EncodedTable
    n_drawn: int
    fixed: Mapping[ColumnName, npt.NDArray[np.bool_]]


@dataclasses.dataclass(frozen=True, slots=True, eq=False)
class Drawing:
    """Draws the chunks of one sample, each by itself: in any order, or in several processes.

    Parameters
    ----------
    task : Task
        The generator, and what blocks may hold.
    first : list of int
        Blocks that are filled before all others, in this order.
    last : int
        Block that is filled after all others, if it is none of those; in every other batch it may be among them as
        well. Or `NO_TARGET`.
    seed : int
        Names the random streams.
    n_passes : int or None
        Runs of the whole network in which the others are filled.
    """

    task: Task
    first: list[int]
    last: int
    seed: int
    n_passes: int | None

    @torch.no_grad()
    def __call__(self, asked: Asked) -> EncodedTable:
        """Draw a chunk."""
        axis, given, n_blocks = self.task.generator.axis, asked.given, len(self.task.encoder.layout)
        device = axis.offsets.device
        known = torch.from_numpy(given.known).to(device)
        codes, positions = (values.t().contiguous().t() for values in rows_of(axis, given))  # columns are filled
        stream = torch_stream(self.seed, "sample", asked.chunk, device)
        wanted = [block for block in range(n_blocks) if not given.known[:, block].all()]
        last = [block for block in wanted if block not in self.first and block == self.last]
        twice = last if self.n_passes is None and self.task.draws_twice and len(wanted) > 1 else []
        uniform = torch.rand(n_blocks + len(twice), 3, len(codes), generator=stream, device=device).transpose(1, 2)
        some_given = np.flatnonzero(given.known.any(axis=0)).tolist()
        ahead = [[block] for block in self.first if block in wanted]
        rest = [block for block in wanted if block not in self.first and block not in last]
        # What several others make up shall not be what these are drawn from, and then overwritten.
        encoder = self.task.encoder
        totals = [one.target for one in encoder.derived if len(one.sources) > 1]
        told = {block for name in totals for block in encoder.layout.blocks_of(name)}
        orders = numpy_stream(self.seed, "column order", asked.chunk)
        for number, batch in enumerate(batches(asked.n_drawn, first=asked.chunk == 0)):
            again = twice if number % 2 == 0 else []
            blocks = rest + again
            free, overwritten = ([block for block in blocks if (block in told) == own] for own in (False, True))
            parts = []
            for part in batch:
                order = [*orders.permutation(free).tolist(), *orders.permutation(overwritten).tolist()]
                order = [*self.task.following.arranged(order), *(() if again else last)]
                groups = ahead + passes_of(encoder.layout.blocks, order, self.n_passes) + [again] * bool(again)
                rows = Rows(codes[part], positions[part])
                fixed = {name: where[part] for name, where in asked.fixed.items()}
                parts.append(Part(self.task, rows, known[part], some_given, uniform[:, part], groups, fixed))
            self._complete(parts)
        return table_of(axis, Rows(codes, positions))

    def _complete(self, parts: list[Part]) -> None:
        """Fill parts, in place; a pass has as many blocks in each, if others."""
        for place, group in enumerate(parts[0].groups):
            if place == len(parts[0].groups) - 1:
                for part in parts:
                    part.forget_target()
            states: list[tuple[PassState, ...]] = [()] * len(parts)
            if self.task.needs_network(group):
                states = self.task.generator.begin_all([part.sums for part in parts])
            for part, own in zip(parts, states, strict=True):
                part.fill(place, own)


def batches(n_rows: int, *, first: bool) -> Iterator[list[slice]]:
    """Cover so many rows of a chunk by batches of slices, whole ones; a sample's `first` begins with short ones.

    Examples
    --------
    >>> [[(part.start, part.stop) for part in batch] for batch in batches(200, first=True)]
    [[(0, 64)], [(64, 128)], [(128, 192), (192, 256)]]
    """
    start = 0
    while start < n_rows:
        n = FIRST_SLICE_ROWS if first and start < SLICE_ROWS else SLICE_ROWS
        stop = start + min(max(start, n), SLICE_ROWS)  # few rows shall not wait for many
        yield [slice(at, at + n) for at in range(start, stop, n)]
        start = stop
