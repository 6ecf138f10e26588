"""Rows, batch by batch: columns are filled one after another, or several at a time."""

from __future__ import annotations

import copy
from collections.abc import Iterator

import numpy as np
import torch

from synthgan.conditioning.pieces import Restriction
from synthgan.conditioning.space import Conditions, DayDependent
from synthgan.encoding import EncodedTable, TableEncoder
from synthgan.models.axis import CodeAxis
from synthgan.models.ensemble import Ensemble
from synthgan.models.features import Rows, rows_of
from synthgan.models.late import PassState
from synthgan.models.layers import Linear
from synthgan.rng import numpy_stream, torch_stream
from synthgan.sampling.choice import Choice
from synthgan.sampling.draws import DeviceRestriction
from synthgan.sampling.parts import Part, Task
from synthgan.sampling.passes import passes_of

__all__ = ["CHUNK_ROWS", "Sampler", "batches", "inference_copy"]

CHUNK_ROWS = 4096
"""Rows, or candidates for rows, whose random numbers are drawn together: always whole chunks, each with its streams, so
row i is the same in any sample of a seed."""


SLICE_ROWS = 1024
"""Rows, or candidates, that are filled together, in a column order of their own: many enough that each call pays. An
order has errors of its own, which the mixture of many averages out (benchmarks/orders.py)."""

FIRST_SLICE_ROWS = 64
"""The same among the first `SLICE_ROWS`: small samples have several orders too, and go through the network together."""


NO_TARGET = -1
"""In place of the block that is drawn last, where none has trees of its own."""


class Sampler:
    """Draws encoded rows from a trained generator.

    Parameters
    ----------
    generator : Ensemble
        Trained; it is copied, folded and put into eval mode.
    encoder : TableEncoder
        What its codes mean.
    """

    def __init__(self, generator: Ensemble, encoder: TableEncoder) -> None:
        self.generator = inference_copy(generator)
        self.encoder = encoder
        self.device = generator.axis.offsets.device
        self.n_blocks = len(encoder.layout)
        trees = generator.target
        self.target = NO_TARGET if trees is None else trees.target

    def chunks(
        self, n_rows: int, conditions: Conditions, seed: int, n_passes: int | None = None, n_candidates: int = 1
    ) -> Iterator[tuple[int, EncodedTable]]:
        """Draw `n_rows` rows in chunks.

        Parameters
        ----------
        n_rows : int
            Rows in all.
        conditions : Conditions
            What is given and allowed.
        seed : int
            Names the random streams.
        n_passes : int, optional
            Runs of the whole network in which all columns are filled, `DEFAULT_PASSES` by default. Columns with a set
            or a range to keep to take a run each before those.
        n_candidates : int
            Rows to draw for each row that is kept, from 1 (no choice); the critic says how likely each is kept.

        Yields
        ------
        start, rows : int, EncodedTable
            Number of the first row, and the rows.
        """
        first = self._restricted(conditions)
        if self.target in first and not conditions.binds(self.encoder.layout, self.target):
            first.remove(self.target)
        task = self._task(conditions, first)
        choice = Choice(self.generator, conditions, draws_target=self.target in first) if n_candidates > 1 else None
        chunk_rows = max(CHUNK_ROWS // n_candidates, 1)
        for start in range(0, n_rows, chunk_rows):
            stop = start + chunk_rows
            given = _repeated(conditions.given(start, stop), n_candidates)
            kept = min(chunk_rows, n_rows - start)
            n_drawn = kept if n_candidates == 1 else len(given)
            rows = self._chunk(task, given, first, seed, start // chunk_rows, n_passes, n_drawn)
            if choice is not None:
                stream = numpy_stream(seed, "select", start // chunk_rows)
                rows = choice.among(rows, given.known, conditions.group(start, stop), stream)
            yield start, _to_table(self.generator.axis, Rows(rows.codes[:kept], rows.positions[:kept]))

    def _task(self, conditions: Conditions, first: list[int]) -> Task:
        restrictions = {
            block: found if isinstance(found, DayDependent) else DeviceRestriction(found, self.device)
            for block, found in conditions.restrictions.items()
        }
        trees = None if self.target in first else self.generator.target
        alone = trees is not None and not trees.reads_network
        return Task(self.generator, self.encoder, restrictions, trees, alone)

    @torch.no_grad()
    def _chunk(
        self,
        task: Task,
        given: EncodedTable,
        first: list[int],
        seed: int,
        index: int,
        n_passes: int | None,
        n_drawn: int,
    ) -> Rows:
        """Draw a chunk; what comes after the first `n_drawn` rows need not be filled."""
        axis = self.generator.axis
        known = torch.from_numpy(given.known).to(self.device)
        codes, positions = (values.t().contiguous().t() for values in rows_of(axis, given))  # columns are filled
        stream = torch_stream(seed, "sample", index, self.device)
        uniform = torch.rand(self.n_blocks, 3, len(codes), generator=stream, device=self.device).transpose(1, 2)
        some_given = np.flatnonzero(given.known.any(axis=0)).tolist()
        wanted = [block for block in range(self.n_blocks) if not given.known[:, block].all()]
        ahead = [[block] for block in first if block in wanted]
        rest = [block for block in wanted if block not in first and block != self.target]
        last = [block for block in wanted if block not in first and block == self.target]
        orders = numpy_stream(seed, "column order", index)
        for batch in batches(n_drawn, first=index == 0):
            parts = []
            for part in batch:
                order = [*orders.permutation(rest).tolist(), *last]
                groups = ahead + passes_of(self.encoder.layout.blocks, order, n_passes)
                rows = Rows(codes[part], positions[part])
                parts.append(Part(task, rows, known[part], some_given, uniform[:, part], groups))
            self._complete(task, parts)
        return Rows(codes, positions)

    def _complete(self, task: Task, parts: list[Part]) -> None:
        """Fill parts, in place; a pass has as many blocks in each, if others."""
        for place, group in enumerate(parts[0].groups):
            states: list[tuple[PassState, ...]] = [()] * len(parts)
            if task.needs_network(group):
                states = self.generator.begin_all([part.sums for part in parts])
            for part, own in zip(parts, states, strict=True):
                part.fill(place, own)

    @torch.no_grad()
    def _restricted(self, conditions: Conditions) -> list[int]:
        """Blocks with a restriction, the one that keeps least of its probability first.

        They are drawn before the free ones, which would else know nothing of the condition: a draw keeps to its own
        restriction, and follows those of the blocks before it. Numbers that only may not be missing come last of them,
        after the flags, which say which of them repeat others.
        """
        layout = self.encoder.layout
        states = self.generator.begin(self.generator.empty(1))
        kept = {}
        for block, found in conditions.restrictions.items():
            if not isinstance(found, DayDependent):
                share = torch.log_softmax(self.generator.block_logits(states, block)[0].double().cpu(), dim=0)
                kept[block] = float(torch.logsumexp(share + torch.from_numpy(found.code_bonus), dim=0))
        values = {block for block in kept if layout.blocks[block].part == "value"}
        loose = {block for block in values if not conditions.binds(layout, block)}
        out: list[int] = []
        for block in sorted(kept, key=lambda block: (block in loose, kept[block])):
            if block in loose and not loose.intersection(out):
                out += layout.flags.values()
            times = [time for time, found in conditions.restrictions.items() if _follows(found, block)]
            out += [block, *times]
        return out


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


def _repeated(table: EncodedTable, times: int) -> EncodedTable:
    shape = (times, 1)
    return EncodedTable(np.tile(table.codes, shape), np.tile(table.positions, shape), np.tile(table.known, shape))


def _to_table(axis: CodeAxis, rows: Rows) -> EncodedTable:
    codes = (rows.codes - axis.offsets).to(torch.uint8).cpu().numpy()
    return EncodedTable(codes, rows.positions[:, axis.positioned].cpu().numpy(), np.ones(codes.shape, np.bool_))


def _follows(found: Restriction | DayDependent, day: int) -> bool:
    return isinstance(found, DayDependent) and found.day_block == day


def inference_copy(generator: Ensemble) -> Ensemble:
    """Return a folded copy in eval mode, its matrices stored in the compute dtype.

    Not so those that read features: their sums are kept in float32, because they are added to column after column.
    """
    out = copy.deepcopy(generator).eval().requires_grad_(False)
    if not out.folded:
        out.fold()
    for member in out.members:
        member.add_masks()
        read = (member.first, member.late.embed)
        for module in member.modules():
            if isinstance(module, Linear) and module not in read:
                module.weight.data = module.weight.data.to(module.compute_dtype)
                if module.bias is not None:
                    module.bias.data = module.bias.data.to(module.compute_dtype)
        # Columns of these matrices are added up: they are laid out so that each is one piece of memory.
        for layer in read:
            layer.weight.data = layer.weight.data.t().contiguous().t()
    return out
