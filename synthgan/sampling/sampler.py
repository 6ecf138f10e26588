"""Rows, batch by batch: columns are filled one after another, or several at a time."""

from __future__ import annotations

import copy
from collections.abc import Iterator

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor

from synthgan.conditioning.pieces import Restriction
from synthgan.conditioning.space import Conditions, DayDependent
from synthgan.encoding import EncodedTable, TableEncoder
from synthgan.encoding.continuous import NumericEncoder
from synthgan.encoding.temporal import TemporalEncoder
from synthgan.models.axis import CodeAxis
from synthgan.models.ensemble import Ensemble
from synthgan.models.features import Rows, rows_of
from synthgan.models.layers import Linear
from synthgan.rng import numpy_stream, torch_stream
from synthgan.sampling.choice import Choice
from synthgan.sampling.draws import DeviceRestriction, draw_block
from synthgan.sampling.passes import passes_of

__all__ = ["CHUNK_ROWS", "Sampler", "inference_copy", "slices"]

CHUNK_ROWS = 4096
"""Rows, or candidates for rows, whose random numbers are drawn together: always whole chunks, each with its streams, so
row i is the same in any sample of a seed."""


SLICE_ROWS = 1024
"""Rows, or candidates, that go through the network together, in a column order of their own: many enough that each call
pays. An order has errors of its own, which the mixture of many averages out (benchmarks/orders.py)."""

FIRST_SLICE_ROWS = 64
"""The same among the first `SLICE_ROWS`: small samples have several orders too."""


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
        restrictions = {
            block: found if isinstance(found, DayDependent) else DeviceRestriction(found, self.device)
            for block, found in conditions.restrictions.items()
        }
        first = self._restricted(conditions)
        if self.target in first and not conditions.binds(self.encoder.layout, self.target):
            first.remove(self.target)
        choice = Choice(self.generator, conditions, draws_target=self.target in first) if n_candidates > 1 else None
        chunk_rows = max(CHUNK_ROWS // n_candidates, 1)
        for start in range(0, n_rows, chunk_rows):
            stop = start + chunk_rows
            given = _repeated(conditions.given(start, stop), n_candidates)
            kept = min(chunk_rows, n_rows - start)
            n_drawn = kept if n_candidates == 1 else len(given)
            rows = self._chunk(given, restrictions, first, seed, start // chunk_rows, n_passes, n_drawn)
            if choice is not None:
                stream = numpy_stream(seed, "select", start // chunk_rows)
                rows = choice.among(rows, given.known, conditions.group(start, stop), stream)
            yield start, _to_table(self.generator.axis, Rows(rows.codes[:kept], rows.positions[:kept]))

    @torch.no_grad()
    def _chunk(
        self,
        given: EncodedTable,
        restrictions: dict[int, DeviceRestriction | DayDependent],
        first: list[int],
        seed: int,
        index: int,
        n_passes: int | None,
        n_drawn: int,
    ) -> Rows:
        """Draw a chunk; what comes after the first `n_drawn` rows need not be filled."""
        axis = self.generator.axis
        known = torch.from_numpy(given.known).to(self.device)
        codes, positions = rows_of(axis, given)
        stream = torch_stream(seed, "sample", index, self.device)
        uniform = torch.rand(self.n_blocks, len(codes), 3, generator=stream, device=self.device)
        wanted = [block for block in range(self.n_blocks) if not given.known[:, block].all()]
        ahead = [[block] for block in first if block in wanted]
        rest = [block for block in wanted if block not in first and block != self.target]
        last = [block for block in wanted if block not in first and block == self.target]
        orders = numpy_stream(seed, "column order", index)
        for part in slices(n_drawn, first=index == 0):
            order = [*orders.permutation(rest).tolist(), *last]
            groups = ahead + passes_of(self.encoder.layout.blocks, order, n_passes)
            rows = Rows(codes[part], positions[part])
            self._complete(rows, known[part], uniform[:, part], groups, restrictions, by_trees=bool(last))
        return Rows(codes, positions)

    def _complete(
        self,
        rows: Rows,
        known: Tensor,
        uniform: Tensor,
        groups: list[list[int]],
        restrictions: dict[int, DeviceRestriction | DayDependent],
        *,
        by_trees: bool,
    ) -> None:
        """Draw what is not known of rows, in place: block after block of each group, a pass for each group.

        The very last block is the target, drawn `by_trees` of its own, or like any other.
        """
        generator, (codes, positions) = self.generator, rows
        some_known = known.any(dim=0).tolist()
        # As long as nothing is known, all rows are alike: the network runs for one of them.
        sums, filled = generator.empty(1), known.clone()
        for block, some in enumerate(some_known):
            if some:
                sums = generator.fill(sums, block, codes[:, block], positions[:, block], known[:, block])
        for group in groups:
            trees = generator.target if by_trees and group is groups[-1] else None
            alone = trees is not None and not trees.reads_network and len(group) == 1
            states = () if alone else generator.begin(sums)
            for block in group:
                allowed = self._allowed(restrictions.get(block), codes, positions)
                anchors, own = generator.anchors(rows, filled, block), None
                if trees is not None and block == self.target:
                    network = generator.block_logits(states, block, anchors) if trees.reads_network else None
                    own = trees(generator.axis, rows, network)
                code, position = draw_block(generator, states, block, uniform[block], allowed, anchors, own)
                free = ~known[:, block] if some_known[block] else None
                codes[:, block] = code if free is None else torch.where(free, code, codes[:, block])
                positions[:, block] = position if free is None else torch.where(free, position, positions[:, block])
                filled[:, block] = True
                if block != group[-1]:
                    states = generator.follow(states, block, codes[:, block], positions[:, block], free)
                if group is not groups[-1]:
                    sums = generator.fill(sums, block, codes[:, block], positions[:, block], free)

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

    def _allowed(
        self, found: DeviceRestriction | DayDependent | None, codes: Tensor, positions: Tensor
    ) -> list[tuple[Tensor | None, DeviceRestriction]]:
        if found is None:
            return []
        if isinstance(found, DeviceRestriction):
            return [(None, found)]
        day = found.day_block
        encoder = self.encoder.encoders[self.encoder.layout.blocks[day].column]
        assert isinstance(encoder, TemporalEncoder)  # noqa: S101 - only datetimes have a day
        days = self._numbers(encoder.day, day, codes, positions)
        return [
            (torch.from_numpy(rows).to(self.device), DeviceRestriction(restriction, self.device))
            for rows, restriction in found.by_day(days)
        ]

    def _numbers(
        self, encoder: NumericEncoder, block: int, codes: Tensor, positions: Tensor
    ) -> npt.NDArray[np.float64]:
        local = (codes[:, block] - self.generator.axis.offsets[block]).cpu().numpy()
        return encoder.decode(local, positions[:, block].cpu().numpy())


def slices(n_rows: int, *, first: bool) -> Iterator[slice]:
    """Slices, the last of them whole, that cover so many rows of a chunk; a sample's `first` begins with short ones.

    Examples
    --------
    >>> [(part.start, part.stop) for part in slices(70, first=True)]
    [(0, 64), (64, 128)]
    """
    start = 0
    while start < n_rows:
        n = FIRST_SLICE_ROWS if first and start < SLICE_ROWS else SLICE_ROWS
        yield slice(start, start + n)
        start += n


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
