"""Nearest neighbours between tables, in blocks, so that memory does not grow with the rows."""

from __future__ import annotations

import dataclasses

import numpy as np
from numpy.typing import NDArray

from synthgan.evaluation.frames import Rows, Tables

__all__ = ["Points", "Space", "nearest"]

Floats = NDArray[np.float32]
Positions = NDArray[np.int64]

BLOCK_CELLS = 1 << 17  # distances held at once: they stay in the processor's cache


@dataclasses.dataclass(frozen=True, slots=True)
class Points:
    """Rows as points: `numbers` scaled, shape (p, n), float32; `codes`, shape (q, n), int32."""

    numbers: Floats
    codes: NDArray[np.int32]

    def __len__(self) -> int:
        return int(self.codes.shape[1])

    def without(self, column: int) -> Points:
        """Return the points without one column, counted over numbers and then codes."""
        p = len(self.numbers)
        if column < p:
            return Points(np.delete(self.numbers, column, axis=0), self.codes)
        return Points(self.numbers, np.delete(self.codes, column - p, axis=0))


class Space:
    """Gower's distance: ``sum |x - y| / range`` over numbers plus the number of codes that differ.

    The ranges are the real rows' for every table: were each reference scaled by its own range, two equally good
    references would differ by that alone. A missing number lies one range below the smallest.

    Parameters
    ----------
    tables : Tables
    """

    def __init__(self, tables: Tables) -> None:
        numbers = tables.real.numbers
        known = ~np.isnan(numbers)
        low = np.where(known, numbers, np.inf).min(axis=0)
        with np.errstate(
            over="ignore", invalid="ignore"
        ):  # a range past the largest float, or of no value, counts as 1
            span = np.where(known, numbers, -np.inf).max(axis=0) - low
        self._low = np.where(np.isfinite(low), low, 0.0)
        self._span = np.where(np.isfinite(span) & (span > 0), span, 1.0)

    def points(self, rows: Rows) -> Points:
        """Return `rows` as points."""
        with np.errstate(over="ignore"):
            scaled = (rows.numbers - self._low) / self._span
        scaled = np.where(np.isnan(scaled), -1.0, np.clip(scaled, -1e6, 1e6))
        return Points(
            np.ascontiguousarray(scaled.T, dtype=np.float32), np.ascontiguousarray(rows.codes.T, dtype=np.int32)
        )


def nearest(queries: Points, references: Points, k: int = 1) -> tuple[Floats, Positions]:
    """Return the distances to and positions of the `k` nearest references of each query.

    Parameters
    ----------
    queries, references : Points
        Over the same columns; at least `k` references.
    k : int

    Returns
    -------
    distances : ndarray of float32, shape (n_queries, k)
        From the nearest on.
    positions : ndarray of int64, shape (n_queries, k)

    Raises
    ------
    ValueError
        With fewer than `k` references.
    """
    if len(references) < k:
        raise ValueError(f"{k} nearest neighbours need as many reference rows; there are {len(references)}")
    block = max(1, BLOCK_CELLS // len(references))
    distances = np.empty((len(queries), k), dtype=np.float32)
    positions = np.empty((len(queries), k), dtype=np.int64)
    for start in range(0, len(queries), block):
        rows = slice(start, min(start + block, len(queries)))
        gaps = _distances(queries, references, rows)
        at = np.arange(len(gaps))
        for j in range(k):
            best = gaps.argmin(axis=1)
            distances[rows, j], positions[rows, j] = gaps[at, best], best
            gaps[at, best] = np.inf
    return distances, positions


def _distances(queries: Points, references: Points, rows: slice) -> Floats:
    n_rows = rows.stop - rows.start
    total = np.zeros((n_rows, len(references)), dtype=np.float32)
    gap = np.empty_like(total)
    for query, reference in zip(queries.numbers[:, rows], references.numbers, strict=True):
        np.subtract(query[:, None], reference, out=gap)
        np.abs(gap, out=gap)
        total += gap
    differ = np.zeros(total.shape, dtype=np.uint16)
    for query_codes, reference_codes in zip(queries.codes[:, rows], references.codes, strict=True):
        differ += query_codes[:, None] != reference_codes
    total += differ
    return total
