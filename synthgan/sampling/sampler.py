"""Rows, chunk by chunk: drawn, and chosen."""

from __future__ import annotations

import copy
import itertools
from collections.abc import Iterator

import numpy as np
import torch

from synthgan.conditioning.pieces import Restriction
from synthgan.conditioning.space import Conditions, DayDependent
from synthgan.encoding import EncodedTable, TableEncoder
from synthgan.encoding.temporal import TemporalEncoder
from synthgan.models.ensemble import Ensemble
from synthgan.models.features import rows_of, table_of
from synthgan.models.layers import Linear
from synthgan.rng import numpy_stream
from synthgan.sampling.choice import Choice
from synthgan.sampling.drawing import Asked, Drawing
from synthgan.sampling.draws import DeviceRestriction
from synthgan.sampling.following import Following
from synthgan.sampling.parts import Task
from synthgan.sampling.possible import Possible
from synthgan.sampling.processes import beside, mapped

__all__ = ["CHUNK_ROWS", "Sampler", "inference_copy"]

CHUNK_ROWS = 4096
"""Rows, or candidates for rows, whose random numbers are drawn together: always whole chunks, each with its streams, so
row i is the same in any sample of a seed."""


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
        trees = generator.target
        self.target = NO_TARGET if trees is None else trees.target

    def chunks(
        self,
        n_rows: int,
        conditions: Conditions,
        seed: int,
        n_passes: int | None = None,
        n_candidates: int = 1,
        n_jobs: int = 1,
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
        n_jobs : int
            Processes that draw, on processors; rows are chosen in this one.

        Yields
        ------
        start, rows : int, EncodedTable
            Number of the first row, and the rows.
        """
        first = self._restricted(conditions)
        if self.target in first and not conditions.binds(self.encoder.layout, self.target):
            first.remove(self.target)
        drawing = Drawing(self._task(conditions, first), first, self.target, seed, n_passes)
        choice = Choice(self.generator, conditions, draws_target=self.target in first) if n_candidates > 1 else None
        chunk_rows, axis = max(CHUNK_ROWS // n_candidates, 1), self.generator.axis
        starts = range(0, n_rows, chunk_rows)

        def asked() -> Iterator[Asked]:
            for number, start in enumerate(starts):
                given = _repeated(conditions.given(start, start + chunk_rows), n_candidates)
                n_drawn = min(len(given), n_rows - start) if n_candidates == 1 else len(given)
                fixed = conditions.fixed(self.encoder, start, start + chunk_rows) if self.encoder.rules else {}
                yield Asked(number, given, n_drawn, {name: np.tile(own, n_candidates) for name, own in fixed.items()})

        n_jobs = n_jobs if len(starts) > 1 and self.device.type == "cpu" else 1
        work, own = itertools.tee(asked())
        pools = map(drawing, work) if n_jobs < 2 else mapped(drawing, work, n_jobs)
        for start, one, pool in zip(starts, own, pools, strict=True):
            if self.encoder.rules:  # the critic shall see rows as they will be
                pool = self.encoder.settled(pool, one.fixed)
            rows = pool
            if choice is not None:
                stream, group = numpy_stream(seed, "select", one.chunk), conditions.group(start, start + chunk_rows)
                with beside(n_jobs):
                    rows = table_of(axis, choice.among(rows_of(axis, pool), one.given.known, group, stream))
            yield start, rows.take(slice(n_rows - start))

    def _task(self, conditions: Conditions, first: list[int]) -> Task:
        restrictions = {
            block: found if isinstance(found, DayDependent) else DeviceRestriction(found, self.device)
            for block, found in conditions.restrictions.items()
        }
        trees = None if self.target in first else self.generator.target
        alone = trees is not None and not trees.reads_network
        following = Following(self.encoder, None if trees is None else trees.target)
        weeks = {
            self.encoder.layout.blocks_of(name)[0]: encoder
            for name, encoder in self.encoder.encoders.items()
            if isinstance(encoder, TemporalEncoder) and encoder.week is not None
        }
        possible = Possible(self.encoder, self.generator.axis, conditions.restrictions)
        return Task(self.generator, self.encoder, restrictions, trees, alone, following, weeks, possible)

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


def _repeated(table: EncodedTable, times: int) -> EncodedTable:
    shape = (times, 1)
    return EncodedTable(np.tile(table.codes, shape), np.tile(table.positions, shape), np.tile(table.known, shape))


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
