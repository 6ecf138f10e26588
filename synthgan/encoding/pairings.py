"""Which levels of a category go with which of another, or with which numbers: a city with its country, its code."""

from __future__ import annotations

import dataclasses
import itertools
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from synthgan.encoding.cells import CellTable, FloatArray, IntArray

__all__ = ["Cells", "Pairing", "find_pairings", "pairings_of_state"]

MAX_SOURCES = 3
"""Sources of one target at most."""

MANY_LEVELS = 32
"""One of the two has more levels than this: what fewer have to do with each other a network learns."""

MIN_NATS = 0.25
"""What the source tells of the target at least, in nats per row."""

MAX_PAIRS = 500_000
"""Levels of the one times levels of the other at most."""

COARSE_CELLS = 16
"""Numbers in so many groups tell what a network learns of them as it is: what more they tell, they tell as names."""

PRIOR_ROWS = (0.03, 0.1, 0.3, 1.0, 3.0)
"""Weights, in rows, of the target's own shares beside the rows of a source's level: the likeliest is taken."""


@dataclasses.dataclass(frozen=True, slots=True, eq=False)
class Pairing:
    """How often levels of a source are seen with levels of a target.

    Parameters
    ----------
    target, source : int
        Blocks, one of categories at least.
    pairs : ndarray of int64, shape (n_pairs, 3)
        Flat cell of the source, flat cell of the target, and in how many rows they are seen together; of those that are
        seen often enough.
    source_rows : ndarray of int64, shape (n_flat of the source,)
        Rows of each cell of the source.
    target_rows : ndarray of int64, shape (n_flat of the target,)
        Rows of each cell of the target.
    prior_rows : float
        Weight of the target's shares among all rows, in rows.
    """

    target: int
    source: int
    pairs: IntArray
    source_rows: IntArray
    target_rows: IntArray
    prior_rows: float

    def shares(self) -> tuple[FloatArray, FloatArray]:
        """Shares of the target's cells: given each of the source's (n_flat of it, n_flat), and of all rows (n_flat,).

        Rows of pairs that are not kept, and the prior's, are spread as all rows are.
        """
        share = _shares(self.target_rows)
        seen = np.zeros((len(self.source_rows), len(share)))
        seen[self.pairs[:, 0], self.pairs[:, 1]] = self.pairs[:, 2]
        rest = self.source_rows - seen.sum(axis=1) + self.prior_rows
        return (seen + rest[:, None] * share) / (self.source_rows[:, None] + self.prior_rows), share

    def state(self) -> dict[str, Any]:
        """Return everything that is needed to rebuild the pairing: arrays and plain values."""
        return {field.name: getattr(self, field.name) for field in dataclasses.fields(self)}

    @classmethod
    def from_state(cls, state: Mapping[str, Any], cells: Mapping[int, CellTable]) -> Pairing:
        """Rebuild a pairing of two blocks, of which the cells are, from what a file holds.

        Raises
        ------
        ValueError, KeyError, TypeError
            When it is of no pairing of such blocks.
        """
        target, source, prior = int(state["target"]), int(state["source"]), float(state["prior_rows"])
        if target not in cells or source not in cells or target == source or not 0 < prior < np.inf:
            raise ValueError("a pairing is of two columns of the table")
        sizes = len(cells[source].code), len(cells[target].code)
        if sizes[0] * sizes[1] > MAX_PAIRS:
            raise ValueError(f"a pairing is of {MAX_PAIRS} pairs of levels at most")
        pairs, of_source, of_target = (state[name] for name in ("pairs", "source_rows", "target_rows"))
        for part, shape in ((pairs, (len(pairs), 3)), (of_source, sizes[:1]), (of_target, sizes[1:])):
            if not isinstance(part, np.ndarray) or part.dtype != np.int64 or part.shape != shape or (part < 0).any():
                raise ValueError("a pairing counts rows of the cells of two columns")
        if (pairs[:, :2] >= sizes).any() or len(np.unique(pairs[:, :2], axis=0)) < len(pairs):
            raise ValueError("pairs are of cells that are there, each once")
        if (np.bincount(pairs[:, 0], pairs[:, 2], sizes[0]) > of_source).any():
            raise ValueError("a level has no fewer rows than its pairs")
        return cls(target, source, pairs, of_source, of_target, prior)


def pairings_of_state(state: Sequence[Mapping[str, Any]], cells: Mapping[int, CellTable]) -> tuple[Pairing, ...]:
    """Rebuild pairings of blocks, of which the cells are, from what a file holds.

    Raises
    ------
    ValueError, KeyError, TypeError
        When it is of no pairings of such blocks.
    """
    pairings = tuple(Pairing.from_state(item, cells) for item in state)
    targets = [pairing.target for pairing in pairings]
    if targets != sorted(targets) or any(targets.count(target) > MAX_SOURCES for target in set(targets)):
        raise ValueError(f"pairings come target by target, {MAX_SOURCES} of each at most")
    if len({(pairing.target, pairing.source) for pairing in pairings}) < len(pairings):
        raise ValueError("two columns have one pairing")
    return pairings


@dataclasses.dataclass(frozen=True, slots=True, eq=False)
class Cells:
    """What rows hold in one block.

    Parameters
    ----------
    table : CellTable
        Its codes and cells.
    flat : ndarray of int64, shape (n_rows,)
        The flat cell of each row.
    ordered : bool
        Whether it holds numbers.
    """

    table: CellTable
    flat: IntArray
    ordered: bool

    @property
    def size(self) -> int:
        """Number of flat cells."""
        return len(self.table.code)

    @property
    def numbers(self) -> bool:
        """Whether these are numbers that have neighbours: a few are as good as names."""
        return self.ordered and self.size > COARSE_CELLS

    def coarse(self) -> Cells:
        """The same with neighbouring numbers together: what of them a network sees at a glance."""
        rows = np.bincount(self.flat, minlength=self.size)
        group = (np.cumsum(rows) - rows / 2) * COARSE_CELLS / max(len(self.flat), 1)
        of_cell = np.unique(group.astype(np.int64), return_inverse=True)[1].astype(np.int64)
        flat = of_cell[self.flat]
        return Cells(CellTable.from_counts(np.arange(of_cell.max() + 1), np.bincount(flat)), flat, ordered=True)


def find_pairings(blocks: Mapping[int, Cells], min_rows: int) -> tuple[Pairing, ...]:
    """Find for each block the others whose cells tell most of its own, where that is not seen from afar.

    Parameters
    ----------
    blocks : mapping of block to Cells
        The same rows in each; of two, one at least holds categories.
    min_rows : int
        Rows that a pair is seen in at least.

    Returns
    -------
    tuple of Pairing
        Target by target, at most `MAX_SOURCES` of each, the one that tells most first.
    """
    found: dict[int, list[tuple[float, Pairing]]] = {block: [] for block in sorted(blocks)}
    for (one, of), (other, by) in itertools.combinations(sorted(blocks.items()), 2):
        few, many = sorted((of.size, by.size))
        if few < 2 or many <= MANY_LEVELS or few * many > MAX_PAIRS or (of.numbers and by.numbers):
            continue
        for target, source, pair in ((one, other, (of, by)), (other, one, (by, of))):
            nats, pairing = _pairing(target, source, pair[0], pair[1], min_rows)
            seen = 0.0
            if (of.numbers or by.numbers) and nats >= MIN_NATS:
                coarse = [cells.coarse() if cells.numbers else cells for cells in pair]
                seen, _ = _pairing(target, source, coarse[0], coarse[1], min_rows)
            if nats - seen >= MIN_NATS:
                found[target].append((nats, pairing))
    best = [sorted(own, key=lambda pair: -pair[0])[:MAX_SOURCES] for own in found.values()]
    return tuple(pairing for own in best for _, pairing in own)


def _pairing(target: int, source: int, of: Cells, by: Cells, min_rows: int) -> tuple[float, Pairing]:
    """A pairing, and how many nats per row it tells."""
    source_rows, target_rows = (np.bincount(cells.flat, minlength=cells.size) for cells in (by, of))
    key, rows = np.unique(by.flat * of.size + of.flat, return_counts=True)
    pairs = np.stack([*np.divmod(key, of.size), rows], axis=1)
    kept = rows >= min_rows
    rest = source_rows - np.bincount(pairs[kept, 0], rows[kept], by.size)
    share, own_rest, own_rows = _shares(target_rows)[pairs[:, 1]], rest[pairs[:, 0]], source_rows[pairs[:, 0]]

    def nats(prior: float) -> float:
        """What the other rows say of each row."""
        told = (np.where(kept, rows - 1, 0) + (own_rest - ~kept + prior) * share) / (own_rows - 1 + prior)
        return float((rows * np.log(told / share)).sum() / len(of.flat))

    prior = max(PRIOR_ROWS, key=nats)
    return nats(prior), Pairing(target, source, pairs[kept], source_rows, target_rows, prior)


def _shares(rows: IntArray) -> FloatArray:
    """Shares of cells by their rows; those without rows get a pinch."""
    mass = rows + 1e-3
    shares: FloatArray = mass / mass.sum()
    return shares
