"""Numbers that hold the very value of another column: which columns get a flag, and what a flag does."""

from __future__ import annotations

import dataclasses
from collections import Counter
from collections.abc import Mapping, Sequence
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from synthgan.encoding.continuous import NumericEncoder
from synthgan.encoding.relations import Relation
from synthgan.schema.table import ColumnName

__all__ = ["Numbers", "flag", "one_way", "repeated"]

Bools = npt.NDArray[np.bool_]


class Numbers(NamedTuple):
    """A column of numbers, as values and as codes.

    Attributes
    ----------
    encoder : NumericEncoder
    values : ndarray of float64, shape (n,)
        NaN for missing.
    codes, positions : ndarray of uint8 and float32, shape (n,)
        What they are encoded as.
    """

    encoder: NumericEncoder
    values: npt.NDArray[np.float64]
    codes: npt.NDArray[np.uint8]
    positions: npt.NDArray[np.float32]

    @property
    def infrequent(self) -> Bools:
        """Whether each lies in an interval: a frequent value is a code or cell of its own, and needs no flag."""
        flat, _ = self.encoder.cells.flatten(self.codes, self.positions)
        inside: Bools = self.encoder.interval[flat]
        return inside


def one_way(relations: Sequence[Relation], numbers: set[int]) -> tuple[Relation, ...]:
    """Have one column of a pair repeat the other, not both each other; only blocks of `numbers` repeat at all.

    The one with fewer ties to other columns, or else the later one, takes the value of the other.
    """
    ties = Counter(one.target for one in relations if not one.repeats)
    repeating = [one for one in relations if one.repeats and {one.target, one.source} <= numbers]
    kept: dict[frozenset[int], Relation] = {}
    for one in sorted(repeating, key=lambda one: (ties[one.target], -one.target)):
        kept.setdefault(frozenset((one.target, one.source)), one)
    chosen = set(map(id, kept.values()))
    return tuple(one if id(one) in chosen else dataclasses.replace(one, repeats=False) for one in relations)


def flag(one: Numbers, other: Numbers) -> npt.NDArray[np.uint8]:
    """Code of the flag of two columns: whether they hold the same infrequent number."""
    same: Bools = (one.values == other.values) & one.infrequent & other.infrequent
    return same.astype(np.uint8)


def repeated(
    columns: Mapping[ColumnName, Numbers],
    raised: Mapping[tuple[ColumnName, ColumnName], Bools],
    fixed: Mapping[ColumnName, Bools],
) -> dict[ColumnName, npt.NDArray[np.float64]]:
    """Let columns take the values of others where a flag says so.

    A column takes another's value once, and only where its own lies in a neighbouring code: what was drawn after it
    goes by what it was. The other may have taken its value itself, so that three columns come out equal.

    Parameters
    ----------
    columns : mapping of column label to Numbers
        What was drawn.
    raised : mapping of (target, source) to ndarray of bool, shape (n,)
        The flags: the target takes the source's value, or the other way round where the target is fixed.
    fixed : mapping of column label to ndarray of bool, shape (n,)
        The rows in which a column keeps what it holds; a column that is not there keeps it in none.

    Returns
    -------
    dict of column label to ndarray of float64, shape (n,)
    """
    values = {name: column.values for name, column in columns.items()}
    done = {name: np.zeros(len(column.values), np.bool_) for name, column in columns.items()}
    for pair, flagged in raised.items():
        nowhere = np.zeros(len(flagged), np.bool_)
        for target, source in (pair, pair[::-1]):
            encoder = columns[target].encoder
            taken = encoder.grid.snap(values[source])  # the target's own decimals and bounds
            rows = flagged & ~done[target] & encoder.near(values[target], taken) & ~fixed.get(target, nowhere)
            values[target] = np.where(rows, taken, values[target])
            # Both keep what they hold now, or a later flag would undo this one.
            done |= {name: done[name] | rows for name in pair}
    return values
