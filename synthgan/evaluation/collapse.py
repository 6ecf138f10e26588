"""Coverage: whether the synthetic table reaches all that the real one holds, or the generator has collapsed."""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

from synthgan.evaluation.associations import Side
from synthgan.evaluation.context import Context, Part
from synthgan.evaluation.frames import Rows, Tables
from synthgan.evaluation.result import Metric
from synthgan.schema.table import ColumnName

__all__ = ["COLUMN_COVERAGE_METRICS", "column_coverage", "duplicates", "rarest_class"]

Codes = NDArray[np.int64]

COLUMN_COVERAGE_METRICS = ("CategoryCoverage", "RangeCoverage", "EntropyRatio")
N_PARTS = 10
MIN_CLASS_ROWS = 50
T95 = 2.26  # Student's t with 9 degrees of freedom


def column_coverage(context: Context) -> Part:
    """Measure CategoryCoverage, RangeCoverage and EntropyRatio: for each column, and their means over columns.

    CategoryCoverage is the share of real levels that occur, RangeCoverage the part of the real range from the first to
    the last percentile that the synthetic rows span, EntropyRatio the entropy over the real one (numbers by deciles).
    The ceiling is what as many holdout rows reach, else a resample of the real rows; the interval comes from tenths of
    the synthetic rows.
    """
    tables = context.tables
    real = Side.of(tables, tables.real)
    rng = context.rng("coverage/ceiling")
    if tables.holdout is None:
        synthetic = tables.synthetic
        ceiling = tables.real.take(rng.integers(0, len(tables.real), len(synthetic)))
    else:
        n = min(len(tables.synthetic), len(tables.holdout))
        synthetic = context.draw(tables.synthetic, n, "coverage/synthetic")
        ceiling = context.draw(tables.holdout, n, "coverage/holdout")
    parts = np.array_split(rng.permutation(len(synthetic)), N_PARTS)
    found = [
        _by_column(tables, real, Side.of(tables, rows), rows)
        for rows in (synthetic, ceiling, *(synthetic.take(part) for part in parts if len(part)))
    ]
    columns_of: dict[tuple[str, ColumnName | None], list[tuple[str, ColumnName]]] = {}
    for label in COLUMN_COVERAGE_METRICS:
        keys = [key for key in found[0] if key[0] == label]
        if keys:
            columns_of[label, None] = keys
    columns_of |= {key: [key] for key in found[0]}
    metrics = []
    for (label, name), keys in columns_of.items():
        value, top, *others = (float(np.mean([values[key] for key in keys])) for values in found)
        # Twice: the ceiling is a sample of the same size.
        half = T95 * math.sqrt(2) * float(np.std(others)) / math.sqrt(len(others))
        high = value + half if label == "EntropyRatio" else min(1.0, value + half)  # a ratio may pass 1
        columns = () if name is None else (name,)
        metrics.append(Metric(label, columns, value, top, 1.0, max(0.0, value - half), high))
    return Part(metrics)


def _by_column(tables: Tables, real: Side, side: Side, rows: Rows) -> dict[tuple[str, ColumnName], float]:
    """Return (metric, column) -> value for the columns where the real rows have values."""
    out = {}
    for name in tables.names:
        if name in tables.numeric:
            label, value = "RangeCoverage", _range_coverage(real.numbers[name], side.numbers[name])
        else:
            label = "CategoryCoverage"
            value = _category_coverage(tables.n_real_levels[tables.categorical.index(name)], tables.column(rows, name))
        if value is not None:
            out[label, name] = value
        entropy = _entropy(real.bins[name])
        if entropy > 0:
            out["EntropyRatio", name] = _entropy(side.bins[name]) / entropy
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
    if not n_levels:
        raise ValueError(f"the target {target!r} has no value in the real rows")
    n_rows = int((codes == n_levels).sum())  # codes are in order of frequency
    if n_rows < MIN_CLASS_ROWS:
        raise ValueError(
            f"the rarest class of {target!r} has {n_rows} real rows; under {MIN_CLASS_ROWS} its share is chance"
        )
    real = n_rows / len(codes)
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


def _category_coverage(n_real_levels: int, other: Codes) -> float | None:
    if not n_real_levels:
        return None
    return float((np.bincount(other, minlength=n_real_levels + 1)[1 : n_real_levels + 1] > 0).mean())


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
