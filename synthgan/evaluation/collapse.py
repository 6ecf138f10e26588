"""Coverage: whether the synthetic table reaches all that the real one holds, or the generator has collapsed."""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

from synthgan.evaluation.associations import Side
from synthgan.evaluation.context import Context, Part
from synthgan.evaluation.frames import Rows
from synthgan.evaluation.result import Metric
from synthgan.schema.table import ColumnName

__all__ = ["COLUMN_COVERAGE_METRICS", "column_coverage", "duplicates", "rarest_class"]

Codes = NDArray[np.int64]

COLUMN_COVERAGE_METRICS = ("CategoryCoverage", "RangeCoverage", "EntropyRatio")


def column_coverage(context: Context) -> Part:
    """Measure CategoryCoverage, RangeCoverage and EntropyRatio: for each column, and their means over columns.

    CategoryCoverage is the share of real levels that occur, RangeCoverage the part of the real range from the first to
    the last percentile that the synthetic rows span, EntropyRatio the entropy over the real one (numbers by deciles).
    The ceiling is what as many holdout rows reach as the synthetic table has, else a resample of the real rows.
    """
    tables = context.tables
    real, synthetic = Side.of(tables, tables.real), Side.of(tables, tables.synthetic)
    rng = context.rng("coverage/ceiling")
    ceiling_rows = tables.real.take(rng.integers(0, len(tables.real), len(tables.synthetic)))
    if tables.holdout is not None:
        ceiling_rows = tables.holdout.take(rng.integers(0, len(tables.holdout), len(tables.synthetic)))
    ceiling = Side.of(tables, ceiling_rows)
    metrics = []
    for name in tables.names:
        if name in tables.numeric:
            value, top = (_range_coverage(real.numbers[name], side.numbers[name]) for side in (synthetic, ceiling))
            label = "RangeCoverage"
        else:
            value, top = (
                _category_coverage(tables.column(tables.real, name), tables.column(rows, name))
                for rows in (tables.synthetic, ceiling_rows)
            )
            label = "CategoryCoverage"
        if value is not None:
            metrics.append(Metric(label, (name,), value, top, 1.0))
        entropy = _entropy(real.bins[name])
        if entropy > 0:
            ratios = [_entropy(side.bins[name]) / entropy for side in (synthetic, ceiling)]
            metrics.append(Metric("EntropyRatio", (name,), ratios[0], ratios[1], 1.0))
    return Part([*_means(metrics), *metrics])


def _means(metrics: list[Metric]) -> list[Metric]:
    """Return the mean over columns of each metric, with the interval of a mean over columns."""
    out = []
    for label in COLUMN_COVERAGE_METRICS:
        found = [m for m in metrics if m.name == label]
        if found:
            values = np.array([m.value for m in found], dtype=np.float64)
            half = 1.96 * float(values.std()) / math.sqrt(len(values))
            value, top = float(values.mean()), float(np.mean([m.ceiling for m in found if m.ceiling is not None]))
            cap = 1.0 if label != "EntropyRatio" else math.inf  # a ratio may pass 1
            high = min(cap, value + half)
            out.append(
                Metric(
                    label,
                    (),
                    value,
                    top,
                    1.0,
                    max(0.0, value - half),
                    high,
                    f"mean of {len(found)} columns; the interval is over columns",
                )
            )
    return out


def duplicates(context: Context) -> Part:
    """Count rows that occur more than once: DuplicateRate, beside that of equally many real rows."""
    tables = context.tables
    real = tables.real if tables.holdout is None else tables.holdout
    n = min(len(real), len(tables.synthetic))
    value = _duplicate_rate(context.draw(tables.synthetic, n, "duplicates/synthetic"))
    control = _duplicate_rate(context.draw(real, n, "duplicates/real"))
    half = 1.96 * math.sqrt(max(value * (1 - value), 1 / n) / n)
    return Part(
        [
            Metric(
                "DuplicateRate",
                (),
                value,
                control,
                1.0,
                max(0.0, value - half),
                min(1.0, value + half),
                f"among {n} rows",
            )
        ]
    )


def rarest_class(context: Context, target: ColumnName) -> Part:
    """Measure RarestClass: the share of the target's rarest class over its real share, at most 1."""
    tables = context.tables
    if target not in tables.categorical:
        raise ValueError(f"the target {target!r} is no category, so it has no rarest class")
    codes = tables.column(tables.real, target)
    n_levels = tables.n_real_levels[tables.categorical.index(target)]
    real = float((codes == n_levels).mean())  # codes are in order of frequency
    other = tables.real if tables.holdout is None else tables.holdout
    value, control = (
        min(1.0, float((tables.column(rows, target) == n_levels).mean()) / real) for rows in (tables.synthetic, other)
    )
    half = 1.96 * math.sqrt(real * (1 - real) * (1 / len(codes) + 1 / len(tables.synthetic))) / real
    label = tables.levels[tables.categorical.index(target)][n_levels - 1]
    return Part(
        [
            Metric(
                "RarestClass",
                (),
                value,
                control,
                1.0,
                max(0.0, value - half),
                min(1.0, value + half),
                f"{target} = {label}",
            )
        ]
    )


def _duplicate_rate(rows: Rows) -> float:
    return 1 - len(np.unique(rows.keys)) / len(rows)


def _category_coverage(real: Codes, other: Codes) -> float | None:
    levels = np.unique(real[real > 0])
    return float(np.isin(levels, other).mean()) if len(levels) else None


def _range_coverage(real: NDArray[np.float64], other: NDArray[np.float64]) -> float | None:
    real, other = real[~np.isnan(real)], other[~np.isnan(other)]
    if not len(real):
        return None
    low, high = np.quantile(real, [0.01, 0.99])
    if not len(other):
        return 0.0
    if high == low:
        return float((other == low).any())
    span = min(high, float(other.max())) - max(low, float(other.min()))
    return max(0.0, float(span / (high - low)))


def _entropy(codes: Codes) -> float:
    shares = np.bincount(codes) / len(codes)
    shares = shares[shares > 0]
    return float(-(shares * np.log(shares)).sum())
