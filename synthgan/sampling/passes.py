"""How many columns are drawn in one run of the whole network."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from synthgan.encoding.layout import Block

__all__ = ["DEFAULT_PASSES", "passes_of", "split_passes"]

DEFAULT_PASSES = 8
"""Runs of the whole network for a row: twice as many take up to half as long again, and rows are no nearer to the
table; of rows drawn in half as many, models learn less (benchmarks/passes.py)."""


def split_passes(order: Sequence[int], n_passes: int | None) -> list[list[int]]:
    """Divide blocks, in the order they are drawn in, among passes of about equal size.

    Examples
    --------
    >>> split_passes([4, 0, 3, 1, 2], 2)
    [[4, 0, 3], [1, 2]]
    """
    parts = np.array_split(np.array(order, int), min(n_passes or DEFAULT_PASSES, max(len(order), 1)))
    return [part.tolist() for part in parts if len(part)]


def passes_of(blocks: Sequence[Block], order: Sequence[int], n_passes: int | None) -> list[list[int]]:
    """Blocks to fill in each pass, in the order given but for flags, which come first, and times, which follow days."""
    flags = [block for block in order if blocks[block].repeated is not None]
    rest = [block for block in order if blocks[block].repeated is None]
    for place, block in enumerate(rest):
        if blocks[block].part == "time" and block - 1 in rest[place:]:
            day = rest.index(block - 1)
            rest[place], rest[day] = block - 1, block
    first, *others = split_passes(rest, n_passes) or [[]]
    return [group for group in (flags + first, *others) if group]
