"""Which levels of a category go with which of another, or with which numbers: a city with its country, its code."""

from __future__ import annotations

import dataclasses
import itertools
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from synthgan.encoding.cells import CellTable, FloatArray, IntArray

__all__ = ["Cells", "Pairing", "find_pairings", "pairings_of_state"]

MAX_SOURCES = 3
"""Sources of one target at most."""

MANY_LEVELS = 32
"""One of the two has more levels than this: what fewer have to do with each other a network learns."""

MIN_NATS = 0.25
"""What the source tells of the target at least, in nats per row."""

MIN_KEPT = 2 / 3
"""Share of what all pairs tell that the pairs of enough rows tell at least: else what is left out would be held for
what there is not."""

MAX_PAIRS, MAX_ALL_PAIRS = 500_000, 4_000_000
"""Levels of the one times levels of the other at most, and the sum of that over all pairings."""

MAX_ROWS = 2**40
"""Rows that a file may speak of."""

FIRST_LOOK = 20_000
"""Rows in which what tells nothing is recognised."""

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
    rest : ndarray of int64, shape (n_flat of the source,)
        Rows of each cell of the source that hold other pairs.
    target_rows : ndarray of int64, shape (n_flat of the target,)
        Rows of each cell of the target.
    prior_rows : float
        Weight of the target's shares among all rows, in rows.

    Notes
    -----
    All numbers of rows are multiples of the fewest that count, as statistical offices publish them: so none that is
    left out can be found by subtracting others.
    """

    target: int
    source: int
    pairs: IntArray
    rest: IntArray
    target_rows: IntArray
    prior_rows: float

    def shares(self) -> tuple[FloatArray, FloatArray]:
        """Shares of the target's cells: given each of the source's (n_flat of it, n_flat), and of all rows (n_flat,).

        Rows of other pairs, and the prior's, are spread as all rows are.
        """
        share = _shares(self.target_rows)
        seen = np.zeros((len(self.rest), len(share)))
        seen[self.pairs[:, 0], self.pairs[:, 1]] = self.pairs[:, 2]
        rest = (self.rest + self.prior_rows)[:, None]
        return (seen + rest * share) / (seen.sum(axis=1, keepdims=True) + rest), share

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
        target, source, prior = state["target"], state["source"], state["prior_rows"]
        if type(target) is not int or type(source) is not int or not {target, source} <= set(cells):
            raise ValueError("a pairing is of two columns of the table")
        if target == source or prior not in PRIOR_ROWS:
            raise ValueError("a pairing is of two columns of the table, with one of the usual priors")
        sizes = len(cells[source].code), len(cells[target].code)
        if sizes[0] * sizes[1] > MAX_PAIRS:
            raise ValueError(f"a pairing is of {MAX_PAIRS} pairs of levels at most")
        pairs, rest, target_rows = (state[name] for name in ("pairs", "rest", "target_rows"))
        for part, shape in ((pairs, (len(pairs), 3)), (rest, sizes[:1]), (target_rows, sizes[1:])):
            if not isinstance(part, np.ndarray) or part.dtype != np.int64 or part.shape != shape:
                raise ValueError("a pairing counts rows of the cells of two columns")
            if (part < 0).any() or (part > MAX_ROWS).any():
                raise ValueError("a pairing counts rows of a table")
        if (pairs[:, :2] >= sizes).any() or len(np.unique(pairs[:, :2], axis=0)) < len(pairs):
            raise ValueError("pairs are of cells that are there, each once")
        return cls(target, source, pairs, rest, target_rows, float(prior))


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
    if sum(len(pairing.rest) * len(pairing.target_rows) for pairing in pairings) > MAX_ALL_PAIRS:
        raise ValueError(f"pairings are of {MAX_ALL_PAIRS} pairs of levels at most")
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
    missing_code : int or None
        The code of missing cells.
    """

    table: CellTable
    flat: IntArray
    ordered: bool
    missing_code: int | None = None

    @property
    def size(self) -> int:
        """Number of flat cells."""
        return len(self.table.code)

    @property
    def numbers(self) -> bool:
        """Whether these are numbers that have neighbours: a few are as good as names."""
        return self.ordered and self.size > COARSE_CELLS

    def some(self) -> Cells:
        """The same of some rows."""
        return dataclasses.replace(self, flat=self.flat[:: -(-len(self.flat) // FIRST_LOOK)])

    def coarse(self) -> Cells:
        """The same with neighbouring numbers together: what of them a network sees at a glance."""
        rows = np.bincount(self.flat, minlength=self.size)
        group = ((np.cumsum(rows) - rows / 2) * COARSE_CELLS / max(len(self.flat), 1)).astype(np.int64)
        if self.missing_code is not None:
            absent = self.table.code == self.missing_code
            group[absent] = COARSE_CELLS + np.arange(absent.sum())
        of_cell = np.unique(group, return_inverse=True)[1].astype(np.int64)
        flat = of_cell[self.flat]
        table = CellTable.from_counts(np.arange(of_cell.max() + 1), np.bincount(flat, minlength=of_cell.max() + 1))
        return Cells(table, flat, ordered=True)


def find_pairings(blocks: Mapping[int, Cells], min_rows: int) -> tuple[Pairing, ...]:
    """Find for each block the others whose cells tell most of its own, where that is not seen from afar.

    Parameters
    ----------
    blocks : mapping of block to Cells
        The same rows in each.
    min_rows : int
        Rows that a pair is seen in at least, and that all counts are multiples of.

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
            if _Counts.of(pair[0].some(), pair[1].some(), 1).best()[0] < MIN_NATS / 2:
                continue
            counts = _Counts.of(pair[0], pair[1], min_rows)
            nats, prior = counts.best()
            if nats >= MIN_NATS and _is_news(nats, pair[0], pair[1], min_rows):
                found[target].append((nats, _pairing(target, source, counts, prior)))
    best = [pair for own in found.values() for pair in sorted(own, key=lambda pair: -pair[0])[:MAX_SOURCES]]
    left, kept = MAX_ALL_PAIRS, set()
    for _, pairing in sorted(best, key=lambda pair: -pair[0]):
        size = len(pairing.rest) * len(pairing.target_rows)
        if size <= left:
            left -= size
            kept.add(pairing)
    return tuple(pairing for _, pairing in best if pairing in kept)


def _is_news(nats: float, of: Cells, by: Cells, min_rows: int) -> bool:
    """Whether pairs that tell so much of a target tell most of what there is, and what is not seen by other means."""
    if nats < MIN_KEPT * _Counts.of(of, by, 1).best()[0]:
        return False
    if not (of.numbers or by.numbers):
        return True
    afar = [cells.coarse() if cells.numbers else cells for cells in (of, by)]
    return nats - _Counts.of(afar[0], afar[1], min_rows).best()[0] >= MIN_NATS


def _pairing(target: int, source: int, counts: _Counts, prior: float) -> Pairing:
    pairs, unit = counts.pairs[counts.kept], max(counts.min_rows, 1)
    pairs[:, 2] = _rounded(pairs[:, 2], unit)
    return Pairing(target, source, pairs, counts.rest // unit * unit, _rounded(counts.target_rows, unit), prior)


@dataclasses.dataclass(frozen=True, slots=True, eq=False)
class _Counts:
    """Rows of pairs: all pairs that occur (n, 3), which are kept, and of each cell of the source how many are not."""

    pairs: IntArray
    kept: npt.NDArray[np.bool_]
    rest: IntArray
    source_rows: IntArray
    target_rows: IntArray
    min_rows: int

    @classmethod
    def of(cls, of: Cells, by: Cells, min_rows: int) -> _Counts:
        """Count the rows of a target's and a source's cells."""
        key, rows = np.unique(by.flat * of.size + of.flat, return_counts=True)
        pairs = np.stack([*np.divmod(key, of.size), rows], axis=1)
        kept = rows >= min_rows
        source_rows, target_rows = (np.bincount(cells.flat, minlength=cells.size) for cells in (by, of))
        rest = source_rows - np.bincount(pairs[kept, 0], rows[kept], by.size).astype(np.int64)
        return cls(pairs, kept, rest, source_rows, target_rows, min_rows)

    def best(self) -> tuple[float, float]:
        """Nats per row that the pairs that are kept tell, each row by all others, and the prior that does best."""
        source, target, rows = self.pairs.T
        share = _shares(self.target_rows)[target]
        # Without one of its rows, a pair of just enough is none.
        pair = np.where(self.kept & (rows > self.min_rows), rows - 1, 0)
        rest = self.rest[source] + np.where(self.kept, rows, 0) - pair - 1

        def nats(prior: float) -> float:
            others = pair + (rest + prior) * share
            return float(rows @ np.log(others / (self.source_rows[source] - 1 + prior) / share) / rows.sum())

        return max((nats(prior), prior) for prior in PRIOR_ROWS)


def _rounded(rows: IntArray, unit: int) -> IntArray:
    """The nearest multiples of a unit."""
    nearest: IntArray = (rows + unit // 2) // unit * unit
    return nearest


def _shares(rows: IntArray) -> FloatArray:
    """Shares of cells by their rows; those without rows get a pinch."""
    mass = rows + 1e-3
    shares: FloatArray = mass / mass.sum()
    return shares
