"""Numbers that follow from one other column, which are known as soon as that is drawn: a month from a date."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from synthgan.encoding import EncodedTable, TableEncoder
from synthgan.encoding.continuous import NumericEncoder
from synthgan.encoding.derived import PARTS, Derived

__all__ = ["Following"]


class Following:
    """Says where such blocks come in a column order, and what they hold.

    Rows are made to keep to all formulas when they are complete. A column that goes with one that follows (the name of
    a weekday with its number) would go with what was drawn in its place, and not with what follows. So what follows
    from one column does so right after it. A point in time that numbers are parts of comes before all else: it is drawn
    as one of some hundred stretches of time, which say nothing of a weekday.

    Parameters
    ----------
    encoder : TableEncoder
        Of the table.
    last : int, optional
        Block that is filled after all others, for which nothing can wait.

    Attributes
    ----------
    formulas : dict of int to Derived
        By the block that follows.
    sources : dict of int to tuple of int
        Blocks that it follows from.
    made : set of int
        All blocks that a formula makes: an end, from its start and the time between.
    """

    def __init__(self, encoder: TableEncoder, last: int | None = None) -> None:
        self.encoder = encoder
        self.made = {block for one in encoder.derived for block in encoder.layout.blocks_of(one.target)}
        self.formulas: dict[int, Derived] = {}
        self.sources: dict[int, tuple[int, ...]] = {}
        for one in encoder.derived:
            sources = tuple(encoder.layout.blocks_of(one.sources[0]))
            if len(one.sources) == 1 and last not in sources:
                (block,) = encoder.layout.blocks_of(one.target)
                self.formulas[block], self.sources[block] = one, sources

    def arranged(self, order: Sequence[int]) -> list[int]:
        """Put what follows right after what it follows from, and points in time before all others."""
        if not self.formulas:
            return list(order)
        of_times = (self.sources[block] for block, one in self.formulas.items() if one.function in PARTS)
        early = {block for sources in of_times for block in sources} - self.made
        out = sorted((block for block in order if block not in self.formulas), key=lambda block: block not in early)
        for block in (block for block in order if block in self.formulas):
            out.insert(max((out.index(own) + 1 for own in self.sources[block] if own in out), default=0), block)
        return out

    def values(
        self, block: int, table: EncodedTable
    ) -> tuple[npt.NDArray[np.bool_], npt.NDArray[np.uint8], npt.NDArray[np.float32]]:
        """In which rows a block follows, and its codes and positions, each of shape (n,).

        Of `table` the sources are read, and the block itself: what was drawn to be missing follows from nothing.
        """
        one = self.formulas[block]
        encoder, (source,) = self.encoder.encoders[one.target], one.sources
        assert isinstance(encoder, NumericEncoder)  # noqa: S101 - only numbers follow from one column
        found = one.values({source: self.encoder.column(table, source)}, self.encoder.schema)
        missing = np.isnan(encoder.decode(*self.encoder.block_values(table, block)))
        code, position, _ = encoder.encode(encoder.grid.snap(found))
        return np.isfinite(found) & ~missing, code, position
