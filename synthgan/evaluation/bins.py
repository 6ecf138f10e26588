"""Bins of a number, from its real values."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

__all__ = ["decile_edges", "extremes"]

Floats = NDArray[np.float64]

N_BINS = 10


def decile_edges(values: Floats) -> Floats:
    """Return the inner bin edges of a real column: its distinct deciles.

    A value that a tenth of the cells share (a zero-inflated column's zero) gets a bin of its own, and the other cells
    their quintiles: the deciles alone would put a column of 95 % zeros into one bin.
    """
    values = values[~np.isnan(values)]
    if not len(values):
        return np.empty(0)
    distinct, counts = np.unique(values, return_counts=True)
    spike = distinct[counts.argmax()]
    if counts.max() < 0.1 * len(values) or len(distinct) == 1:
        edges = np.quantile(values, np.arange(1, N_BINS) / N_BINS, method="higher")
    else:
        rest = np.quantile(values[values != spike], [0.2, 0.4, 0.6, 0.8], method="higher")
        edges = np.array([*rest, spike, np.nextafter(spike, np.inf)])
    edges = np.unique(edges)
    return np.asarray(edges[edges > distinct[0]])


def extremes(values: Floats) -> tuple[float, float]:
    """Return the smallest and the largest value; minus and plus infinity where there is none."""
    known = values[~np.isnan(values)]
    return (float(known.min()), float(known.max())) if len(known) else (-np.inf, np.inf)
