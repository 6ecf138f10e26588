"""Categories as codes: frequent levels one each, rare ones several to a code."""

from __future__ import annotations

import dataclasses
from collections.abc import Hashable, Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd

from synthgan.encoding.cells import MAX_CELLS, MAX_CODES, CellTable, IntArray

__all__ = ["CategoricalEncoder"]

MAX_OWN_CODES = 128
"""Levels beyond this many (by frequency) share codes."""


@dataclasses.dataclass(frozen=True, slots=True)
class CategoricalEncoder:
    """A column of levels: the most frequent have a code each, the others share codes, and missing is a last code.

    Parameters
    ----------
    levels : tuple
        The levels seen in training, most frequent first; level ``i`` is cell ``i``.
    cells : CellTable
        Codes of those cells, and a last one for missing where `missing` is true.
    missing : bool
        Whether the column has a code for missing.
    """

    levels: tuple[Hashable, ...]
    cells: CellTable
    missing: bool

    @classmethod
    def fit(cls, index: IntArray, levels: Sequence[Hashable]) -> CategoricalEncoder:
        """Order the levels by frequency. `index` (int, shape (n_rows,)) points into `levels`, -1 for missing."""
        counts = np.bincount(index[index >= 0], minlength=len(levels))
        order = np.argsort(-counts, kind="stable")
        order = order[counts[order] > 0]
        code = _share(len(order))
        mass = counts[order]
        n_missing = int((index < 0).sum())
        if n_missing:
            code, mass = np.append(code, code.max(initial=-1) + 1), np.append(mass, n_missing)
        return cls(tuple(levels[i] for i in order), CellTable.from_counts(code, mass), n_missing > 0)

    @property
    def missing_code(self) -> int | None:
        """The code of missing cells, or None."""
        return self.cells.n_codes - 1 if self.missing else None

    def encode(self, values: pd.Series) -> tuple[Any, Any, Any]:
        """Return codes (uint8), positions (float32) and which cells are known (bool), each of shape (n_rows,).

        A level never seen in training, or a missing value in a column that had none, is not known.
        """
        flat = pd.Index(self.levels, dtype=object).get_indexer(pd.Index(values, dtype=object))
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


def _share(n_levels: int) -> IntArray:
    """Code of each level, most frequent first: one each up to `MAX_OWN_CODES`, the rest in even groups."""
    own = min(n_levels, MAX_OWN_CODES)
    rest = n_levels - own
    room = MAX_CODES - 1 - own  # one code is kept for missing
    groups = min(room, -(-rest // MAX_CELLS))
    shared = own + np.arange(rest) * groups // max(rest, 1)
    return np.concatenate([np.arange(own, dtype=np.int64), shared.astype(np.int64)])
