"""The common form of every learned column: a list of cells, grouped into codes.

A *cell* is the smallest thing the model draws: one category, one number, or an interval of numbers in which values
are spread evenly. A *code* is one cell, or a run of up to `MAX_CELLS` neighbouring cells. The generator first draws a
code, then a cell inside it, then (for an interval) a place inside the cell. So a frequent value is a code of its own,
a continuous column is 64 codes of 16 cells, a rare category shares a code with others, and all of them are learned by
the same network.

In an encoded table a cell of code ``k`` is the *position* ``(cell + u) / n_cells[k]`` in ``[0, 1)``, with ``u`` the
place inside the cell (0.5 for a cell that is a single value).
"""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from typing import Any

import numpy as np
import numpy.typing as npt

__all__ = ["MAX_CELLS", "MAX_CODES", "CellTable", "FloatArray", "IntArray"]

FloatArray = npt.NDArray[np.float64]
IntArray = npt.NDArray[np.int64]

MAX_CODES = 256
"""Codes of one block fit one byte."""

MAX_CELLS = 16
"""Cells of a code that stands for numbers; a code of rare categories may hold more where there are very many."""


@dataclasses.dataclass(frozen=True, slots=True)
class CellTable:
    """Codes and cells of one block.

    Parameters
    ----------
    code : ndarray of int64, shape (n_flat,)
        The code of each cell; cells of a code are neighbours, codes ascend from 0 without gaps.
    weight : ndarray of float64, shape (n_flat,)
        Share of the code's training rows that lie in the cell; sums to one within each code.
    """

    code: IntArray
    weight: FloatArray

    @classmethod
    def from_counts(cls, code: IntArray, counts: npt.ArrayLike) -> CellTable:
        """Build the table from the number of training rows in each cell (cells without rows get a pinch)."""
        mass = np.asarray(counts, np.float64) + 1e-3
        return cls(code, mass / np.bincount(code, mass)[code])

    @classmethod
    def from_state(cls, state: Mapping[str, Any]) -> CellTable:
        """Rebuild the table from arrays of a file, which may hold anything.

        Raises
        ------
        ValueError, KeyError, TypeError
            When they are no codes and weights.
        """
        code, weight = state["code"], state["weight"]
        if not (_is_array(code, np.int64) and _is_array(weight, np.float64) and len(code) == len(weight) > 0):
            raise ValueError("the codes and weights of cells are two arrays of one length")
        if code[0] != 0 or not np.isin(np.diff(code), (0, 1)).all() or code[-1] >= MAX_CODES:
            raise ValueError(f"codes of cells ascend from 0 without gaps to {MAX_CODES - 1} at most")
        if not (weight > 0).all() or not np.allclose(np.bincount(code, weight), 1.0):
            raise ValueError("the weights of a code's cells are positive and sum to 1")
        return cls(code, weight)

    @property
    def n_codes(self) -> int:
        """Number of codes."""
        return int(self.code[-1]) + 1

    @property
    def n_cells(self) -> IntArray:
        """Number of cells of each code, shape (n_codes,)."""
        return np.bincount(self.code)

    @property
    def first(self) -> IntArray:
        """Flat index of each code's first cell, shape (n_codes,)."""
        return np.searchsorted(self.code, np.arange(self.n_codes))

    @property
    def max_cells(self) -> int:
        """Cells of the richest code."""
        return int(self.n_cells.max())

    def locate(
        self, flat: IntArray, inside: FloatArray | float = 0.5
    ) -> tuple[npt.NDArray[np.uint8], npt.NDArray[np.float32]]:
        """Turn flat cell indices (and the place inside the cell, in [0, 1]) into codes and positions."""
        code = self.code[flat]
        cell = flat - self.first[code]
        position = (cell + np.clip(inside, 0.0, 1 - 1e-6)) / self.n_cells[code]
        return code.astype(np.uint8), position.astype(np.float32)

    def flatten(self, code: npt.NDArray[Any], position: npt.NDArray[Any]) -> tuple[IntArray, FloatArray]:
        """Turn codes and positions back into flat cell indices and the place inside the cell."""
        index = code.astype(np.int64)
        n_cells = self.n_cells[index]
        scaled = position.astype(np.float64) * n_cells
        cell = np.minimum(scaled.astype(np.int64), n_cells - 1)
        return self.first[index] + cell, scaled - cell


def _is_array(value: Any, dtype: type) -> bool:
    return isinstance(value, np.ndarray) and value.ndim == 1 and value.dtype == dtype
