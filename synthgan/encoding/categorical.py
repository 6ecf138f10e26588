"""Categories as codes: frequent levels one each, rare ones several to a code."""

from __future__ import annotations

import dataclasses
from collections.abc import Hashable, Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd

from synthgan.encoding.cells import MAX_CODES, CellTable, IntArray

__all__ = ["MAX_LEVEL_CODES", "CategoricalEncoder"]

MAX_LEVEL_CODES = MAX_CODES - 1
"""Codes of levels: one is kept for missing. Where levels are more than that, some share a code."""


@dataclasses.dataclass(frozen=True, slots=True)
class CategoricalEncoder:
    """A column of levels: the most frequent have a code each, others may share codes, and missing is a last code.

    Parameters
    ----------
    levels : tuple
        The levels seen in training, code by code; level ``i`` is cell ``i``.
    cells : CellTable
        Codes of those cells, and a last one for missing where `missing` is true.
    missing : bool
        Whether the column has a code for missing.
    """

    levels: tuple[Hashable, ...]
    cells: CellTable
    missing: bool

    @classmethod
    def fit(cls, index: IntArray, levels: Sequence[Hashable], order: IntArray | None = None) -> CategoricalEncoder:
        """Give codes to the levels that occur.

        Parameters
        ----------
        index : ndarray of int64, shape (n_rows,)
            Points into `levels`, -1 for missing.
        levels : sequence
            What cells may hold.
        order : ndarray of int64, shape (n_levels,), optional
            The levels such that neighbours may well share a code; by default the most frequent come first.
        """
        counts = np.bincount(index[index >= 0], minlength=len(levels))
        frequent = np.argsort(-counts, kind="stable")
        ranked, code = _share(frequent[counts[frequent] > 0], counts, order)
        mass = counts[ranked]
        n_missing = int((index < 0).sum())
        if n_missing:
            code, mass = np.append(code, code.max(initial=-1) + 1), np.append(mass, n_missing)
        return cls(tuple(levels[i] for i in ranked), CellTable.from_counts(code, mass), n_missing > 0)

    @property
    def missing_code(self) -> int | None:
        """The code of missing cells, or None."""
        return self.cells.n_codes - 1 if self.missing else None

    @property
    def is_shared(self) -> bool:
        """Whether some levels share a code."""
        return self.cells.max_cells > 1

    def index_of(self, values: pd.Series) -> IntArray:
        """Return which of the levels the values are, -1 for any other or missing: int64, shape (n_rows,)."""
        return pd.Index(self.levels, dtype=object).get_indexer(pd.Index(values, dtype=object)).astype(np.int64)

    def encode(self, values: pd.Series) -> tuple[Any, Any, Any]:
        """Return codes (uint8), positions (float32) and which cells are known (bool), each of shape (n_rows,).

        A level never seen in training, or a missing value in a column that had none, is not known.
        """
        flat = self.index_of(values)
        missing = values.isna().to_numpy()
        if self.missing:
            flat = np.where(missing, len(self.levels), flat)
        known = flat >= 0
        code, position = self.cells.locate(np.where(known, flat, 0))
        return code, position, known

    def decode(self, code: Any, position: Any) -> IntArray:
        """Return indices into `levels` (int64), -1 for missing."""
        flat, _ = self.cells.flatten(code, position)
        flat[flat >= len(self.levels)] = -1
        return flat

    def state(self) -> dict[str, Any]:
        """Return everything needed to rebuild the encoder: arrays and plain values."""
        return {
            "levels": list(self.levels),
            "code": self.cells.code,
            "weight": self.cells.weight,
            "missing": self.missing,
        }

    @classmethod
    def from_state(cls, state: Mapping[str, Any]) -> CategoricalEncoder:
        """Rebuild an encoder from `state`.

        Raises
        ------
        ValueError, KeyError, TypeError
            When it is of no encoder.
        """
        cells, levels, missing = CellTable.from_state(state), tuple(state["levels"]), bool(state["missing"])
        if len(levels) != len(cells.code) - missing or len(set(levels)) != len(levels):
            raise ValueError("every cell has one level, and no level has two")
        return cls(levels, cells, missing)


def _share(frequent: IntArray, counts: IntArray, order: IntArray | None) -> tuple[IntArray, IntArray]:
    """The levels, code by code, and the code of each: its own where there are codes enough, or it fills a fair share.

    The others share the codes that are left, in even groups of neighbours in `order`.
    """
    alone = np.full(len(frequent), len(frequent) <= MAX_LEVEL_CODES)
    alone |= counts[frequent] * MAX_LEVEL_CODES >= counts.sum()
    own, shared = frequent[alone], frequent[~alone]
    if order is not None:
        shared = order[np.isin(order, shared)]
    groups = len(own) + np.arange(len(shared)) * min(MAX_LEVEL_CODES - len(own), len(shared)) // max(len(shared), 1)
    return np.r_[own, shared], np.r_[np.arange(len(own)), groups]
