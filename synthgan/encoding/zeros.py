r"""Structural zeros: what never occurs together, such as a town in another country, or a value where none was measured.

Whether a table says so is a question of chance. That no row holds two things may be luck where few rows hold either of
them; so only that counts which would not happen by chance in any pair of columns, were they independent:

- *One pair of coarse cells* is never seen, though rows of it were to be expected: with M rows in which both columns are
  known, of which a and b hold the one and the other, no row holds both by a chance of :math:`\binom{M-a}{b} /
  \binom{M}{b}`. Pairs that are merely rare would be seen once or twice about as often as never (Good and Turing), so
  where such are seen too, none of the two columns' pairs counts.
- *Parts that never mix*, however few rows hold each of their cells: towns of one country. Draw a line between coarse
  cells of two columns that some row holds together, and the parts are what hangs together. One of m rows, of k cells of
  K in the one and l of L in the other, comes about by a chance of at most :math:`\binom{K}{k} \binom{L}{l} /
  \binom{M}{m}`.
"""

from __future__ import annotations

import dataclasses
import itertools
import math
from collections.abc import Collection, Mapping, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt
from scipy import sparse
from scipy.sparse.csgraph import connected_components
from scipy.special import gammaln

from synthgan.encoding.cells import FloatArray, IntArray
from synthgan.encoding.derived import written
from synthgan.encoding.layout import Block, TableLayout
from synthgan.schema.table import ColumnName

__all__ = ["Zeros", "coarse_cells", "find_zeros", "with_implied", "zeros_of_state"]

Bools = npt.NDArray[np.bool_]

MAX_PAIRS, MAX_ALL_PAIRS = 500_000, 4_000_000
"""Coarse cells of the one column times those of the other at most, and the sum of that over all pairs of columns."""

MOST_BLOCKS = 200
"""Of wider tables nothing is looked at: it would take minutes."""

MOST_CELLS = 2_000
"""Coarse cells, of the columns that have fewest, for which it is worked out what follows."""

LUCK = 0.01
"""Chance that a table of independent columns shows any zero."""

RARE_ROWS, MOST_RARE = 2, 0.1
"""Pairs are rare that so many rows hold; of those that are expected so many may be, for each that is never seen."""


@dataclasses.dataclass(frozen=True, slots=True, eq=False)
class Zeros:
    """Which coarse cells of two blocks no row holds together.

    Parameters
    ----------
    one, other : int
        The blocks, the first one first.
    never : ndarray of bool, shape (coarse cells of one, coarse cells of the other)
        Which pairs do not occur.
    """

    one: int
    other: int
    never: Bools

    def told(self, layout: TableLayout) -> str:
        """Say it in words."""
        blocks = [layout.blocks[at] for at in (self.one, self.other)]
        one, other = (written(block.column) for block in blocks)
        ways = ((one, other, blocks[1], ~self.never), (other, one, blocks[0], ~self.never.T))
        follows = [_is_function(may) for *_, may in ways]
        if all(follows):
            return f"{one} and {other} follow from each other"
        for (source, target, block, may), does in zip(ways, follows, strict=True):
            if does:
                return f"{target} follows from {source}"
            absent = int((block.cells.code == block.missing_code).sum())  # missing, or a word: the last ones
            parts = may[:, : may.shape[1] - absent], may[:, may.shape[1] - absent :]
            if absent and _is_function(np.stack([part.any(axis=1) for part in parts], axis=1)):
                return f"whether {target} is there follows from {source}"
        return f"{self.never.sum():,} of {self.never.size:,} pairs of {one} and {other} never occur"

    def state(self) -> dict[str, Any]:
        """Return everything that is needed to rebuild it: arrays and plain values."""
        return {"one": self.one, "other": self.other, "never": self.never}


def coarse_cells(block: Block) -> IntArray:
    """Number the coarse cells of a block, shape (n_flat,): those of its cells that are told apart here.

    They are its cells, where each of them is a single value, and else its codes; whatever stands in place of a number
    is always told apart.
    """
    n = len(block.cells.code)
    if not block.interval.any():
        return np.arange(n)
    absent = np.zeros(n, np.bool_) if block.missing_code is None else block.cells.code == block.missing_code
    return np.where(absent, block.n_codes + np.cumsum(absent) - 2, block.cells.code)


def find_zeros(layout: TableLayout, cells: IntArray, tied: Collection[frozenset[ColumnName]] = ()) -> tuple[Zeros, ...]:
    """Find what never occurs together.

    Parameters
    ----------
    layout : TableLayout
        What the cells are of.
    cells : ndarray of int64, shape (n_rows, n_blocks)
        The cell of each row in each block, -1 where it is not known. Flags and times of day are not looked at.
    tied : collection of frozenset of column label
        Pairs of columns of which one follows from the other anyway.
    """
    coarse = {at: coarse_cells(block) for at, block in enumerate(layout.blocks) if _is_told(block)}
    held = {at: np.where(cells[:, at] < 0, -1, own[cells[:, at]]) for at, own in coarse.items() if own[-1] > 0}
    sizes = {at: int(coarse[at][-1]) + 1 for at in held}
    pairs = [
        (one, other)
        for one, other in itertools.combinations(held, 2)
        if sizes[one] * sizes[other] <= MAX_PAIRS
        and frozenset((layout.blocks[one].column, layout.blocks[other].column)) not in tied
    ]
    if not pairs or len(held) > MOST_BLOCKS:
        return ()
    wanted = math.log(sum(sizes[one] * sizes[other] for one, other in pairs) / LUCK)
    found, left = [], MAX_ALL_PAIRS
    for one, other in pairs:
        rows = (held[one] >= 0) & (held[other] >= 0)
        key = held[one][rows] * sizes[other] + held[other][rows]
        never = _never(np.bincount(key, minlength=sizes[one] * sizes[other]).reshape(sizes[one], -1), wanted)
        if never.any() and never.size <= left:
            left -= never.size
            found.append(Zeros(one, other, never))
    return tuple(found)


def with_implied(zeros: Collection[Zeros]) -> tuple[Zeros, ...]:
    """Add what follows: two cells never occur together if each cell of a third column never does with one of them.

    So a row that is filled column by column does not come to a column that has no cell for it, or seldom.
    """
    found = {(one.one, one.other): one.never for one in zeros}
    sizes = {block: never.shape[pair.index(block)] for pair, never in found.items() for block in pair}
    blocks = sorted(sizes, key=lambda block: (sizes[block], block))
    ends = np.cumsum([0, *(sizes[block] for block in blocks)])
    part = {b: slice(low, high) for b, low, high in zip(blocks, ends, ends[1:], strict=False) if high <= MOST_CELLS}
    blocks = sorted(part)
    n_cells = max((own.stop for own in part.values()), default=0)
    may = np.ones((n_cells, n_cells), np.float32)
    for block in blocks:
        may[part[block], part[block]] = np.eye(sizes[block])
    for (one, other), never in found.items():
        if one in part and other in part:
            may[part[one], part[other]], may[part[other], part[one]] = ~never, ~never.T
    before = np.inf
    while (now := may.sum()) < before:
        before = now
        for block in blocks:
            may *= may[:, part[block]] @ may[part[block]] > 0
    pairs = {(one, other): may[part[one], part[other]] == 0 for one, other in itertools.combinations(blocks, 2)}
    found |= {pair: never for pair, never in pairs.items() if never.any()}
    return tuple(Zeros(*pair, never) for pair, never in sorted(found.items()))


def zeros_of_state(state: Sequence[Mapping[str, Any]], layout: TableLayout) -> tuple[Zeros, ...]:
    """Rebuild what `Zeros.state` returned of blocks of a layout.

    Raises
    ------
    ValueError, KeyError, TypeError
        When it is of none.
    """
    found = tuple(Zeros(item["one"], item["other"], item["never"]) for item in state)
    places = range(len(layout))
    for zeros in found:
        if type(zeros.one) is not int or type(zeros.other) is not int or not zeros.one < zeros.other:
            raise ValueError("zeros are of two columns, the first one first")
        blocks = [layout.blocks[at] for at in (zeros.one, zeros.other) if at in places]
        if len(blocks) < 2 or not all(map(_is_told, blocks)):
            raise ValueError("zeros are of two columns of the table")
        shape = tuple(int(coarse_cells(block)[-1]) + 1 for block in blocks)
        never = zeros.never
        if not isinstance(never, np.ndarray) or never.dtype != np.bool_ or never.shape != shape:
            raise ValueError("zeros are of pairs of two columns' cells")
    if len({(zeros.one, zeros.other) for zeros in found}) < len(found):
        raise ValueError("two columns have one table of zeros")
    return found


def _is_told(block: Block) -> bool:
    """Whether a block is looked at: flags change what numbers hold, and times of day are missing with their days."""
    return block.part not in ("repeats", "time")


def _is_function(may: Bools) -> bool:
    """Whether each row of a table of what may occur leaves one thing."""
    return bool((may.sum(axis=1) == 1).all())


def _never(rows: IntArray, wanted: float) -> Bools:
    """Which pairs do not occur, of a table of how many rows hold each, that would by a chance of exp(-wanted)."""
    of_one, of_other, n = rows.sum(axis=1), rows.sum(axis=0), int(rows.sum())
    most = n - of_one[:, None]
    with np.errstate(invalid="ignore"):
        luck = np.where(most >= of_other, _log_choose(most, of_other) - _log_choose(n, of_other), -np.inf)
    expected = luck <= -wanted
    rare = (expected & (rows > 0) & (rows <= RARE_ROWS)).sum()
    never = expected & (rows == 0)
    if rare > MOST_RARE * never.sum():
        never[:] = False
    return np.asarray(never | _apart(rows, wanted))


def _apart(rows: IntArray, wanted: float) -> Bools:
    """Which pairs are of different parts of two columns that never mix."""
    if _hang_together(rows > 0):  # nearly all columns do
        return np.zeros(rows.shape, np.bool_)
    (n_one, n_other), n = rows.shape, rows.sum()
    seen = sparse.coo_matrix(rows)
    graph = sparse.coo_matrix((np.ones(seen.nnz), (seen.row, n_one + seen.col)), shape=(n_one + n_other,) * 2)
    n_parts, part = connected_components(graph, directed=False)
    held, of_one, of_other = (
        np.bincount(part, weights, minlength=n_parts)
        for weights in (
            np.r_[rows.sum(axis=1), np.zeros(n_other)],
            np.r_[rows.any(axis=1), np.zeros(n_other)],
            np.r_[np.zeros(n_one), rows.any(axis=0)],
        )
    )
    ways = _log_choose(of_one.sum(), of_one) + _log_choose(of_other.sum(), of_other)
    sure = _log_choose(n, held) - ways >= wanted
    part = np.where(sure, np.arange(n_parts), -1)[part]  # the others may be one part
    known = np.r_[rows.any(axis=1), rows.any(axis=0)]
    apart: Bools = (part[:n_one, None] != part[n_one:]) & known[:n_one, None] & known[n_one:]
    return apart


def _hang_together(seen: Bools) -> bool:
    """Whether all cells of the first column that have rows are reached from one of them."""
    reached = np.zeros(len(seen), np.bool_)
    reached[seen.any(axis=1).argmax()] = True
    n_before = 0
    while (n_now := int(reached.sum())) > n_before:
        n_before = n_now
        reached |= seen[:, seen[reached].any(axis=0)].any(axis=1)
    return bool((reached >= seen.any(axis=1)).all())


def _log_choose(n: Any, k: Any) -> FloatArray:
    """Logarithm of a binomial coefficient."""
    found: FloatArray = gammaln(n + 1.0) - gammaln(k + 1.0) - gammaln(n - k + 1.0)
    return found
