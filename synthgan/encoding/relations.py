"""Which numbers lie near which others: a column often repeats another one, or follows it closely."""

from __future__ import annotations

import dataclasses
from collections.abc import Collection, Mapping, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from synthgan.encoding.cells import CellTable, IntArray
from synthgan.encoding.continuous import NumericEncoder

__all__ = ["MAX_SOURCES", "NOWHERE", "Relation", "find_relations", "relations_of_state"]

NOWHERE = -1
"""The anchor of a source cell that says nothing: missing, or on a single frequent value."""

MAX_SOURCES = 3
"""Relations of one target at most."""

MIN_SHARE, MIN_LIFT = 0.05, 3.0
"""A relation puts the target into the code of its anchor in this share of the rows at least, and so much more often
than by chance."""

MAX_CANDIDATES = 12
"""Sources that are looked at for one target."""

MIN_CODES = 8
MIN_EQUAL_SHARE, MIN_EQUAL_ROWS = 0.02, 20
"""Rows, and their share, in which two columns hold the same infrequent value before that gets a flag."""


@dataclasses.dataclass(frozen=True, slots=True, eq=False)
class Relation:
    """Where a target is to be expected by what a source holds.

    Parameters
    ----------
    target, source : int
        Blocks of numbers.
    code : ndarray of int64, shape (n_flat of the source,)
        The target's code where it is expected for each cell of the source, its *anchor*; `NOWHERE` for none.
    cell : ndarray of int64, shape (n_flat of the source,)
        The cell inside that code, or `NOWHERE`.
    same : bool
        Whether the anchor is the source's own value, as in columns of one unit; else it is the target's median.
    repeats : bool
        Whether the target often holds the very value of the source, so that a flag of its own says in which rows.
    """

    target: int
    source: int
    code: IntArray
    cell: IntArray
    same: bool
    repeats: bool

    def state(self) -> dict[str, Any]:
        """Return everything that is needed to rebuild the relation: arrays and plain values."""
        return {
            "target": self.target,
            "source": self.source,
            "code": self.code,
            "cell": self.cell,
            "same": self.same,
            "repeats": self.repeats,
        }

    @classmethod
    def from_state(cls, state: Mapping[str, Any], cells: Mapping[int, CellTable]) -> Relation:
        """Rebuild a relation between blocks of numbers, of which the cells are, from what a file holds.

        Raises
        ------
        ValueError, KeyError, TypeError, IndexError
            When it is of no relation between such blocks.
        """
        target, source = int(state["target"]), int(state["source"])
        code, cell, repeats = state["code"], state["cell"], bool(state["repeats"])
        if target not in cells or source not in cells or target == source or (repeats and not state["same"]):
            raise ValueError("a relation is between two numbers of the table")
        n_cells = np.append(cells[target].n_cells, 0)
        for part in (code, cell):
            if not isinstance(part, np.ndarray) or part.dtype != np.int64 or part.shape != cells[source].code.shape:
                raise ValueError("a relation has an anchor for each cell of its source")
        if not ((code >= NOWHERE) & (code < len(n_cells) - 1) & (cell >= NOWHERE)).all():
            raise ValueError("anchors are codes of the target")
        if not (cell < n_cells[code]).all():  # nowhere has no cells, and -1 is below none
            raise ValueError("anchors are cells of the target")
        return cls(target, source, code, cell, bool(state["same"]), repeats)


def relations_of_state(
    state: Sequence[Mapping[str, Any]], cells: Mapping[int, CellTable], whole: Collection[int]
) -> tuple[Relation, ...]:
    """Rebuild relations between the blocks of numbers, of which the cells are, from what a file holds.

    Blocks that hold a column's `whole` number may repeat others.

    Raises
    ------
    ValueError, KeyError, TypeError, IndexError
        When they are of no relations between such blocks.
    """
    relations = tuple(Relation.from_state(item, cells) for item in state)
    targets = [relation.target for relation in relations]
    if targets != sorted(targets) or any(targets.count(target) > MAX_SOURCES for target in set(targets)):
        raise ValueError(f"relations come target by target, {MAX_SOURCES} of each at most")
    if any(cells[target].max_cells == 1 for target in targets):
        raise ValueError("codes of a target have several cells")
    repeating = [frozenset((one.target, one.source)) for one in relations if one.repeats]
    if not set().union(*repeating).issubset(whole):
        raise ValueError("only numbers repeat others")
    if len(set(repeating)) < len(repeating):
        raise ValueError("of two columns one repeats the other")
    return relations


@dataclasses.dataclass(frozen=True, slots=True, eq=False)
class _Number:
    """A block of numbers in the rows to learn from."""

    encoder: NumericEncoder
    values: npt.NDArray[np.float64]
    code: IntArray = dataclasses.field(init=False)
    flat: IntArray = dataclasses.field(init=False)

    def __post_init__(self) -> None:
        code, position, _ = self.encoder.encode(self.values)
        flat, _ = self.encoder.cells.flatten(code, position)
        object.__setattr__(self, "code", code.astype(np.int64))
        object.__setattr__(self, "flat", flat)

    @property
    def n_codes(self) -> int:
        return self.encoder.cells.n_codes - (self.encoder.missing_code is not None)

    @property
    def wide(self) -> npt.NDArray[np.bool_]:
        """Whether a code stands for more than one value; shape (n_codes + missing,)."""
        interval = np.bincount(self.encoder.cells.code, self.encoder.interval) > 0
        return interval | (self.encoder.cells.n_cells > 1)


def find_relations(numbers: Mapping[int, tuple[NumericEncoder, npt.NDArray[np.float64]]]) -> list[Relation]:
    """Find for each block of numbers the others that tell best where it lies.

    Parameters
    ----------
    numbers : mapping of block to (encoder, values)
        Values are float64, shape (n_rows,), NaN for missing, the same rows in each.

    Returns
    -------
    list of Relation
        At most `MAX_SOURCES` of each target, those it repeats first, then the closest.
    """
    known = {
        block: _Number(encoder, values)
        for block, (encoder, values) in numbers.items()
        if encoder.cells.n_codes - (encoder.missing_code is not None) >= MIN_CODES
    }
    out = []
    for target, sources in _candidates(known).items():
        of = known[target]
        if of.encoder.cells.max_cells == 1:
            continue
        found = [
            max((_same(target, of, source, by), _median(target, of, source, by)), key=lambda pair: pair[0])
            for source, by in ((source, known[source]) for source in sources)
        ]
        # What is repeated goes first, so that a flag helps whichever of the two is drawn later.
        close = sorted((pair for pair in found if pair[0] > 0), key=lambda pair: (not pair[1].repeats, -pair[0]))
        out += [relation for _, relation in close[:MAX_SOURCES]]
    return out


def _candidates(known: Mapping[int, _Number]) -> dict[int, list[int]]:
    """The blocks whose codes rank rows most like each block's: looking at all pairs of a wide table takes long."""
    blocks = np.array(list(known))
    if len(blocks) < 2:
        return {}
    rank = np.abs(np.corrcoef([number.code for number in known.values()]))
    np.fill_diagonal(rank, -1.0)
    nearest = np.argsort(-np.nan_to_num(rank), axis=1, kind="stable")[:, : min(MAX_CANDIDATES, len(blocks) - 1)]
    return {int(block): blocks[others].tolist() for block, others in zip(blocks, nearest, strict=True)}


def _same(target: int, of: _Number, source: int, by: _Number) -> tuple[float, Relation]:
    """The source's own value as the anchor."""
    low, high = by.encoder.low, by.encoder.high
    code, position, _ = of.encoder.encode((low + high) / 2)
    flat, _ = of.encoder.cells.flatten(code, position)
    inside = (low <= of.encoder.high[-1]) & (high >= of.encoder.low[0])
    nothing = np.full(by.encoder.n_absent, NOWHERE)
    anchor = np.r_[np.where(inside & of.wide[code], code.astype(np.int64), NOWHERE), nothing]
    cell = np.r_[flat - of.encoder.cells.first[code], nothing]
    cell[anchor == NOWHERE] = NOWHERE
    return _closeness(of, by, anchor), Relation(target, source, anchor, cell, True, _repeats(of, by))


def _median(target: int, of: _Number, source: int, by: _Number) -> tuple[float, Relation]:
    """The median of the target's codes, given the source's code, as the anchor."""
    present = (of.code < of.n_codes) & (by.code < by.n_codes)
    anchor = np.full(by.encoder.cells.n_codes, NOWHERE)
    order = np.lexsort((of.code[present], by.code[present]))
    codes, bounds = of.code[present][order], np.searchsorted(by.code[present][order], np.arange(by.n_codes + 1))
    full = np.flatnonzero(np.diff(bounds) > 0)
    anchor[full] = codes[(bounds[full] + bounds[full + 1] - 1) // 2]
    anchor = np.where((anchor != NOWHERE) & of.wide[anchor], anchor, NOWHERE)[by.encoder.cells.code]
    return _closeness(of, by, anchor), Relation(target, source, anchor, np.full(len(anchor), NOWHERE), False, False)


def _closeness(of: _Number, by: _Number, anchor: IntArray) -> float:
    """Nats per row that the anchor's code gains over chance; 0 for a loose relation."""
    at = anchor[by.flat]
    told = at != NOWHERE
    share = float(np.mean(told & (at == of.code)))
    mass = np.bincount(of.code, minlength=of.encoder.cells.n_codes) / len(of.code)
    chance = float(np.where(told, mass[at], 0.0).mean())
    if share < MIN_SHARE or share < MIN_LIFT * chance:
        return 0.0
    return share * float(np.log(share / chance))


def _repeats(of: _Number, by: _Number) -> bool:
    equal = (of.values == by.values) & of.encoder.interval[of.flat] & by.encoder.interval[by.flat]
    return bool(equal.sum() >= max(MIN_EQUAL_ROWS, MIN_EQUAL_SHARE * len(equal)))
