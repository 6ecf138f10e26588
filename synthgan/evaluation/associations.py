"""Pair trends: how any two columns go together."""

from __future__ import annotations

import dataclasses
import itertools
import math

import numpy as np
from numpy.typing import NDArray

from synthgan.evaluation.estimate import Estimate
from synthgan.evaluation.frames import Rows, Tables
from synthgan.evaluation.marginals import tv_complement
from synthgan.schema.table import ColumnName

__all__ = ["MAX_LEVELS", "Pair", "Side", "correlation_similarity", "cramers_v", "pairs"]

Floats = NDArray[np.float64]
Codes = NDArray[np.int64]

MAX_LEVELS = 50


@dataclasses.dataclass(frozen=True, slots=True)
class Pair:
    """Two columns compared.

    Parameters
    ----------
    columns : tuple of two column names
    metric : str
        ``"CorrelationSimilarity"`` or ``"ContingencySimilarity"``.
    estimate : Estimate
    floor : float
        The same for the shuffled table.
    real, synthetic : float
        Strength of the association in [0, 1]: ``|r|``, or Cramer's V of the two-way table.
    """

    columns: tuple[ColumnName, ColumnName]
    metric: str
    estimate: Estimate
    floor: float
    real: float
    synthetic: float


@dataclasses.dataclass(frozen=True, slots=True)
class Side:
    """One table's columns as the pair metrics read them.

    Parameters
    ----------
    numbers : dict of column name to ndarray of float64
        The numeric columns, drawn into the real column's range: one outlier would set Pearson's r on its own.
    bins : dict of column name to ndarray of int64
        Every column as codes: numbers by the deciles of the real column (0: missing), levels past the
        `MAX_LEVELS` most frequent real ones as one.
    sizes : dict of column name to int
        How many codes each column has.
    """

    numbers: dict[ColumnName, Floats]
    bins: dict[ColumnName, Codes]
    sizes: dict[ColumnName, int]

    @classmethod
    def of(cls, tables: Tables, rows: Rows) -> Side:
        """Read `rows`; the bin edges are the real column's, open at both ends."""
        numbers, bins, sizes = {}, {}, {}
        for name in tables.names:
            values = tables.column(rows, name)
            if name in tables.numeric:
                edges = tables.edges[name]
                numbers[name] = np.clip(values, *tables.extremes[name])
                bins[name] = np.where(np.isnan(values), 0, np.searchsorted(edges, values, side="right") + 1)
                sizes[name] = len(edges) + 2
            else:
                bins[name] = np.minimum(values, MAX_LEVELS + 1)
                sizes[name] = min(len(tables.levels[tables.categorical.index(name)]), MAX_LEVELS + 1) + 1
        return cls(numbers, bins, sizes)


def correlation_similarity(
    real: tuple[Floats, Floats], synthetic: tuple[Floats, Floats]
) -> tuple[Estimate, float, float] | None:
    """Return ``1 - |r_real - r_synthetic| / 2`` (Pearson, over complete rows) and both correlations.

    Parameters
    ----------
    real, synthetic : pair of ndarray of float64
        The two columns of each table; NaN where missing.

    Returns
    -------
    tuple of (Estimate, float, float) or None
        None when the real correlation does not exist (a constant column); a synthetic one that does not exist counts as
        0.
    """
    left, right = _correlation(*real), _correlation(*synthetic)
    if left is None:
        return None
    r, influence_r = left
    s, influence_s = (0.0, np.zeros(len(synthetic[0]))) if right is None else right
    sign = -0.5 * np.sign(r - s)
    # Mean of |difference| of two such samples: a folded normal whose spread the real rows' influences give.
    noise = math.sqrt(2 / math.pi * float(influence_r.var()) * (1 / len(real[0]) + 1 / len(synthetic[0])))
    estimate = Estimate(1 - abs(r - s) / 2, 1 - noise / 2, sign * influence_r, -sign * influence_s).folded()
    return estimate, r, s


def _correlation(x: Floats, y: Floats) -> tuple[float, Floats] | None:
    """Return Pearson's r and its influences, or None for a constant column."""
    complete = ~(np.isnan(x) | np.isnan(y))
    if complete.sum() < 2:
        return None
    u, v = _standard(x[complete]), _standard(y[complete])
    if u is None or v is None:
        return None
    r = min(1.0, max(-1.0, float((u / math.sqrt(len(u))) @ (v / math.sqrt(len(v))))))
    influence = np.zeros(len(x))
    influence[complete] = (u * v - r / 2 * (u * u + v * v)) / complete.mean()
    return r, influence


def _standard(x: Floats) -> Floats | None:
    """Return `x` with mean 0 and variance 1, or None when it has one value: then only rounding is left of it."""
    largest = float(np.abs(x).max())
    x = x / largest if largest > 0 else x  # so that no square overflows
    x = x - x.mean()
    norm = math.sqrt(x @ x / len(x))
    return x / norm if norm > 1e-12 else None


def pairs(tables: Tables, real: Rows, synthetic: Rows, shuffled: Rows) -> list[Pair]:
    """Compare every pair of columns.

    Parameters
    ----------
    tables : Tables
        Gives the columns and the real rows whose deciles are the bin edges.
    real, synthetic, shuffled : Rows
        The rows to compare; the shuffled ones give the floor.

    Returns
    -------
    list of Pair
        Two numeric columns are compared by correlation, all others by their two-way table.
    """
    a, b, c = (Side.of(tables, rows) for rows in (real, synthetic, shuffled))
    return [_pair(x, y, a, b, c) for x, y in itertools.combinations(tables.names, 2)]


def _pair(x: ColumnName, y: ColumnName, real: Side, synthetic: Side, shuffled: Side) -> Pair:
    if x in real.numbers and y in real.numbers:
        both = (real.numbers[x], real.numbers[y])
        found = correlation_similarity(both, (synthetic.numbers[x], synthetic.numbers[y]))
        floor = correlation_similarity(both, (shuffled.numbers[x], shuffled.numbers[y]))
        if found is not None and floor is not None:
            estimate, r, s = found
            return Pair((x, y), "CorrelationSimilarity", estimate, floor[0].value, abs(r), abs(s))
    size = real.sizes[y]
    cells, others, mixed = (side.bins[x] * size + side.bins[y] for side in (real, synthetic, shuffled))
    total = real.sizes[x] * size
    p, q, f = (np.bincount(c, minlength=total) / len(c) for c in (cells, others, mixed))
    estimate = tv_complement(cells, others)
    shape = (real.sizes[x], size)
    floor_value = 1 - 0.5 * float(np.abs(p - f).sum())
    return Pair(
        (x, y), "ContingencySimilarity", estimate, floor_value, cramers_v(p.reshape(shape)), cramers_v(q.reshape(shape))
    )


def cramers_v(table: Floats) -> float:
    """Return Cramer's V of a two-way table of shares, 0 when a margin has one level."""
    rows, columns = table.sum(axis=1), table.sum(axis=0)
    table = table[rows > 0][:, columns > 0]
    if min(table.shape) < 2:
        return 0.0
    expected = np.outer(rows[rows > 0], columns[columns > 0])
    chi2 = float(((table - expected) ** 2 / expected).sum())
    return min(1.0, math.sqrt(chi2 / (min(table.shape) - 1)))
