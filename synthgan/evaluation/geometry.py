"""Precision and recall of the table as a cloud of points, in a space of the judge's own.

A row becomes the ranks of its numbers (their position in the real column, 0 to 1), a flag for each column with missing
numbers, and its codes one-hot; principal axes fitted on real rows keep at most 32 dimensions.
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from synthgan.evaluation.context import Context, Part
from synthgan.evaluation.estimate import Z95, half_width
from synthgan.evaluation.frames import Rows, Tables
from synthgan.evaluation.result import Metric

__all__ = ["GEOMETRY_METRICS", "Embedding", "alpha_beta", "density_coverage", "different_bins", "geometry"]

Floats = NDArray[np.float64]

GEOMETRY_METRICS = ("AlphaPrecision", "BetaRecall", "Density", "Coverage", "DifferentBins")
N_NEIGHBOURS = 5
N_DIMS = 32
N_LEVELS = 20
N_CELLS = 50
N_GROUPS = 10
LEVELS_OF_TYPICALITY = np.linspace(0, 1, 31)[1:]


class Embedding:
    """Rows to points, fitted on real rows.

    Parameters
    ----------
    tables : Tables
    real : Rows
        The rows to fit on.
    """

    def __init__(self, tables: Tables, real: Rows) -> None:
        self._sorted = [np.sort(column[~np.isnan(column)]) for column in real.numbers.T]
        self._flags = [bool(np.isnan(column).any()) for column in real.numbers.T]
        self._levels = [min(len(levels), N_LEVELS) + 1 for levels in tables.levels]
        raw = self._raw(real)
        self._mean = raw.mean(axis=0)
        _, _, axes = np.linalg.svd(raw - self._mean, full_matrices=False)
        self._axes = axes[:N_DIMS].T

    def __call__(self, rows: Rows) -> Floats:
        """Return points, shape (n, d) with d at most 32."""
        return np.asarray((self._raw(rows) - self._mean) @ self._axes)

    def _raw(self, rows: Rows) -> Floats:
        parts: list[Floats] = []
        for values, known, flag in zip(rows.numbers.T, self._sorted, self._flags, strict=True):
            if len(known):
                rank = (np.searchsorted(known, values, "left") + np.searchsorted(known, values, "right")) / (
                    2 * len(known)
                )
                parts.append(np.where(np.isnan(values), 0.5, rank)[:, None])
            if flag:
                parts.append(np.isnan(values)[:, None] * math.sqrt(0.5))
        for codes, size in zip(rows.codes.T, self._levels, strict=True):
            one_hot = np.zeros((len(rows), size))
            one_hot[np.arange(len(rows)), np.minimum(codes, size - 1)] = math.sqrt(0.5)
            parts.append(one_hot)
        return np.concatenate(parts, axis=1)


def geometry(context: Context) -> Part:
    """Measure AlphaPrecision, BetaRecall, Density, Coverage and DifferentBins.

    Equally many real, synthetic, control and shuffled rows; the controls are holdout rows, or without these other real
    rows. The standard error is over synthetic rows, by leaving out a tenth at a time.
    """
    tables, limit = context.tables, context.limits.geometry
    if tables.holdout is not None:
        n = min(len(tables.real), len(tables.synthetic), len(tables.holdout), limit)
        real, control = (
            context.draw(tables.real, n, "geometry/real"),
            context.draw(tables.holdout, n, "geometry/control"),
        )
    else:
        n = min(len(tables.real) // 2, len(tables.synthetic), limit)
        both = tables.real.sample(2 * n, context.rng("geometry/real"))
        real, control = both.take(np.arange(n)), both.take(np.arange(n, 2 * n))
    if n < 2 * N_NEIGHBOURS:
        raise ValueError(f"precision and recall need at least {2 * N_NEIGHBOURS} rows of each table; there are {n}")
    embed = Embedding(tables, real)
    centre = embed(real)
    radius = _knn_radius(centre)
    cells = centre[context.rng("geometry/cells").permutation(n)[:N_CELLS]]
    found = []
    for role, rows in (
        ("geometry/synthetic", tables.synthetic),
        ("geometry/ceiling", control),
        ("geometry/shuffled", context.shuffled),
    ):
        points = embed(context.draw(rows, n, role))
        found.append(
            [
                *alpha_beta(centre, points),
                *density_coverage(centre, points, radius),
                different_bins(centre, points, cells),
            ]
        )
    metrics = []
    for name, (value, spread), (top, ceiling_spread), (bottom, _) in zip(GEOMETRY_METRICS, *found, strict=True):
        half = half_width(spread, ceiling_spread)
        high = value + half if name == "Density" else min(1.0, value + half)  # density may pass 1
        metrics.append(Metric(name, (), value, top, bottom, max(0.0, value - half), high, f"{n} rows of each table"))
    return Part(metrics)


def alpha_beta(real: Floats, synthetic: Floats) -> list[tuple[float, float]]:
    """Return alpha-precision and beta-recall, each with its standard error over synthetic points.

    With ``P(a)`` the share of synthetic points inside the ball around the real mean that holds a share ``a`` of the
    real points, alpha-precision is ``1 - mean |P(a) - a| / mean a``. Beta-recall is the same for ``R(b)``, the share of
    real points whose nearest synthetic point is no further than their `N_NEIGHBOURS`-th real one and inside the
    synthetic ball of level ``b``.

    Differs from the paper: the balls lie in the judge's own embedding, not in a learnt one-class embedding.

    References
    ----------
    Alaa et al., "How faithful is your synthetic data?", ICML 2022.
    """
    levels = LEVELS_OF_TYPICALITY
    centre = real.mean(axis=0)
    radii = np.quantile(np.linalg.norm(real - centre, axis=1), levels)
    inside = np.linalg.norm(synthetic - centre, axis=1)[:, None] <= radii

    radius = _knn_radius(real)
    gaps, nearest = _nearest_by_group(real, synthetic)
    at, groups = np.arange(len(real)), _groups(len(synthetic))

    def precision(kept: NDArray[np.int64]) -> Floats:
        return np.asarray(inside[np.isin(groups, kept)].mean(axis=0))

    def recall(kept: NDArray[np.int64]) -> Floats:
        some = np.isin(groups, kept)
        own = np.linalg.norm(synthetic - synthetic[some].mean(axis=0), axis=1)
        best = kept[gaps[:, kept].argmin(axis=1)]
        reached = (gaps[at, best] <= radius)[:, None]
        return np.asarray((reached & (own[nearest[at, best]][:, None] <= np.quantile(own[some], levels))).mean(axis=0))

    return [_level_score(precision), _level_score(recall)]


def _level_score(curve: Callable[[NDArray[np.int64]], Floats]) -> tuple[float, float]:
    """Return ``1 - mean |curve - level| / mean level`` and its standard error.

    The signs of the gaps stay those of all points while groups are left out: a jackknife needs a smooth function.
    """
    levels = LEVELS_OF_TYPICALITY
    signs = np.sign(curve(np.arange(N_GROUPS)) - levels)
    return _jackknife(lambda kept: 1 - float((signs * (curve(kept) - levels)).mean() / levels.mean()))


def density_coverage(real: Floats, synthetic: Floats, radius: Floats) -> list[tuple[float, float]]:
    """Return density and coverage, each with its standard error over synthetic points.

    Density is the mean number of real points whose ball of `N_NEIGHBOURS` real neighbours holds a synthetic point, over
    `N_NEIGHBOURS`; coverage the share of real points whose ball holds any.

    References
    ----------
    Naeem et al., "Reliable fidelity and diversity metrics for generative models", ICML 2020.
    """
    held = np.zeros(len(synthetic))
    for block in _blocks(len(synthetic), len(real)):
        held[block] = (_squared(synthetic[block], real) <= radius**2).sum(axis=1) / N_NEIGHBOURS
    covered = _nearest_by_group(real, synthetic)[0] <= radius[:, None]
    return [
        _jackknife(lambda kept: float(held[np.isin(_groups(len(held)), kept)].mean())),
        _jackknife(lambda kept: float(covered[:, kept].any(axis=1).mean())),
    ]


def _groups(n_points: int) -> NDArray[np.int64]:
    return np.arange(n_points) * N_GROUPS // n_points


def _jackknife(metric: Callable[[NDArray[np.int64]], float]) -> tuple[float, float]:
    """Return `metric` of all groups of synthetic points, and its standard error from leaving each group out."""
    everyone = np.arange(N_GROUPS)
    without = np.array([metric(np.delete(everyone, group)) for group in everyone])
    return metric(everyone), math.sqrt((N_GROUPS - 1) * float(without.var()))


def different_bins(real: Floats, synthetic: Floats, cells: Floats) -> tuple[float, float]:
    """Return the share of bins whose share of rows differs at the 5 % level, and its standard error over bins.

    The bins are the regions nearest to each of the rows `cells`, drawn from the real rows; each is put to the
    two-sample test of equal shares. Real rows get about 0.05.

    References
    ----------
    Richardson and Weiss, "On GANs and GMMs", NeurIPS 2018 (with k-means for the bins).
    """
    n, m = len(real), len(synthetic)
    p, q = (np.bincount(_nearest(points, cells), minlength=len(cells)) / len(points) for points in (real, synthetic))
    pooled = (n * p + m * q) / (n + m)
    spread = np.sqrt(np.maximum(pooled * (1 - pooled), 1e-12) * (1 / n + 1 / m))
    differs = np.abs(p - q) > Z95 * spread
    share = float(differs.mean())
    return share, math.sqrt(max(share * (1 - share), 0.05 * 0.95) / len(cells))


def _knn_radius(points: Floats) -> Floats:
    """Return each point's distance to its `N_NEIGHBOURS`-th nearest other point."""
    out = np.empty(len(points))
    for block in _blocks(len(points), len(points)):
        gaps = _squared(points[block], points)
        out[block] = np.partition(gaps, N_NEIGHBOURS, axis=1)[:, N_NEIGHBOURS]
    return np.sqrt(out)


def _nearest(queries: Floats, references: Floats) -> NDArray[np.int64]:
    positions = np.empty(len(queries), dtype=np.int64)
    for block in _blocks(len(queries), len(references)):
        positions[block] = _squared(queries[block], references).argmin(axis=1)
    return positions


def _nearest_by_group(queries: Floats, references: Floats) -> tuple[Floats, NDArray[np.int64]]:
    """Return the distance to and the position of the nearest reference in each group, shape (n_queries, N_GROUPS)."""
    shape = (len(queries), N_GROUPS)
    gaps, positions = np.empty(shape), np.empty(shape, dtype=np.int64)
    starts = np.searchsorted(_groups(len(references)), np.arange(N_GROUPS + 1))
    for block in _blocks(len(queries), len(references)):
        squared = _squared(queries[block], references)
        for group, (start, stop) in enumerate(itertools.pairwise(starts.tolist())):
            part = squared[:, start:stop]
            positions[block, group] = part.argmin(axis=1) + start
            gaps[block, group] = part.min(axis=1)
    return np.sqrt(gaps), positions


def _squared(x: Floats, y: Floats) -> Floats:
    # Rounded, so that a point's distance to its own copy is zero whatever the order of the sum.
    gaps = (x * x).sum(axis=1)[:, None] - 2 * x @ y.T + (y * y).sum(axis=1)
    return np.asarray(np.maximum(np.round(gaps, 10), 0.0))


def _blocks(n_queries: int, n_references: int) -> list[slice]:
    size = max(1, 2_000_000 // max(n_references, 1))
    return [slice(start, start + size) for start in range(0, n_queries, size)]
