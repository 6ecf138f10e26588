"""What the charts draw, as plain lists: binned shares only, never a row, and no count from 1 to 4."""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from synthgan.evaluation.associations import Side
from synthgan.evaluation.canonical import EPOCH
from synthgan.evaluation.context import Context
from synthgan.evaluation.frames import Tables
from synthgan.evaluation.result import Metric
from synthgan.schema.table import ColumnName

__all__ = ["SMALLEST_COUNT", "column_charts", "pair_charts"]

Floats = NDArray[np.float64]
Codes = NDArray[np.int64]

SMALLEST_COUNT = 5
N_BINS = 24
N_LEVELS = 12
N_PAIR_LEVELS = 8
N_PAIRS = 12


def column_charts(context: Context, metrics: Sequence[Metric]) -> list[dict[str, Any]]:
    """Return one chart a column, the worst column first.

    Parameters
    ----------
    context : Context
    metrics : sequence of Metric
        Those of `fidelity.shapes`.

    Returns
    -------
    list of dict
        ``column, kind, metric, value, ceiling, labels, real, synthetic``: shares by bin or level; None where fewer than
        5 rows (but some) fell in.
    """
    tables = context.tables
    out = []
    for metric in metrics:
        if metric.name not in ("KSComplement", "TVComplement") or metric.value is None or metric.ceiling is None:
            continue
        (name,) = metric.columns
        real, synthetic = tables.column(tables.real, name), tables.column(tables.synthetic, name)
        if name in tables.numeric:
            labels, left, right = _number_bars(tables, name, real, synthetic)
        else:
            labels, left, right = _level_bars(tables, name, real, synthetic)
        kind = "category" if name in tables.categorical else "datetime" if name in tables.datetimes else "number"
        out.append(
            {"column": name, "kind": kind, "metric": metric.name, "value": metric.value, "ceiling": metric.ceiling}
            | {"labels": labels, "real": _shares(left), "synthetic": _shares(right)}
        )
    return sorted(out, key=lambda chart: (chart["value"] - chart["ceiling"], str(chart["column"])))


def pair_charts(context: Context, metrics: Sequence[Metric]) -> list[dict[str, Any]]:
    """Return the worst twelve pairs as two-way tables.

    Parameters
    ----------
    context : Context
    metrics : sequence of Metric
        Those of `fidelity.trends`.

    Returns
    -------
    list of dict
        ``columns, metric, value, ceiling, x, y, real, synthetic``: labels of both axes and shares by cell.
    """
    tables = context.tables
    found = [m for m in metrics if len(m.columns) == 2 and m.value is not None and m.ceiling is not None]
    worst = sorted(found, key=lambda m: (m.value - m.ceiling, str(m.columns)))[:N_PAIRS]  # type: ignore[operator]
    sides = {"real": Side.of(tables, tables.real), "synthetic": Side.of(tables, tables.synthetic)}
    out = []
    for metric in worst:
        x, y = metric.columns
        (x_labels, x_codes), (y_labels, y_codes) = (_axis(tables, name, sides) for name in (x, y))
        chart: dict[str, Any] = {
            "columns": [x, y],
            "metric": metric.name,
            "value": metric.value,
            "ceiling": metric.ceiling,
            "x": x_labels,
            "y": y_labels,
        }
        for role in sides:
            cells = np.bincount(y_codes[role] * len(x_labels) + x_codes[role], minlength=len(x_labels) * len(y_labels))
            chart[role] = [_shares(row, int(cells.sum())) for row in cells.reshape(len(y_labels), len(x_labels))]
        out.append(chart)
    return out


def _number_bars(tables: Tables, name: ColumnName, real: Floats, synthetic: Floats) -> tuple[list[str], Codes, Codes]:
    known = real[~np.isnan(real)]
    if not len(known):
        left, right = (np.array([np.isnan(v).sum(), (~np.isnan(v)).sum()]) for v in (real, synthetic))
        return ["missing", "present"], left, right
    values, counts = np.unique(known, return_counts=True)
    values = values[counts >= SMALLEST_COUNT]
    if 2 <= len(values) <= N_BINS and counts[counts < SMALLEST_COUNT].sum() < 0.05 * len(known):
        edges, labels = (values[1:] + values[:-1]) / 2, [_text(tables, name, v) for v in values]
    else:
        low, high = np.quantile(known, [0.01, 0.99])  # the ends would be single rows' values
        n_bins = min(N_BINS, round(2 * len(known) ** (1 / 3)) + 1)
        edges = np.linspace(low, high, n_bins - 1) if high > low else np.array([low])
        texts = [_text(tables, name, edge) for edge in edges]
        labels = [
            f"under {texts[0]}",
            *(f"{a} to {b}" for a, b in itertools.pairwise(texts)),
            f"{texts[-1]} or more",
        ]
    left, right = (
        np.append(
            np.bincount(np.searchsorted(edges, column[~np.isnan(column)], side="right"), minlength=len(labels)),
            np.isnan(column).sum(),
        )
        for column in (real, synthetic)
    )
    labels = [*labels, "missing"]
    first = int(left[0] + right[0] == 0)  # nothing below the first percentile: it is the smallest value
    last = len(labels) - int(left[-1] + right[-1] == 0)
    return labels[first:last], left[first:last], right[first:last]


def _level_bars(tables: Tables, name: ColumnName, real: Codes, synthetic: Codes) -> tuple[list[str], Codes, Codes]:
    place = tables.categorical.index(name)
    texts, n_real = tables.levels[place], tables.n_real_levels[place]
    counts = [np.bincount(codes, minlength=len(texts) + 1) for codes in (real, synthetic)]
    shown = int((counts[0][1 : min(n_real, N_LEVELS) + 1] >= SMALLEST_COUNT).sum())  # codes are in order of frequency
    labels = [*texts[:shown], "other levels", "levels unseen in the real rows", "missing"]
    left, right = (
        np.array([*c[1 : shown + 1], c[shown + 1 : n_real + 1].sum(), c[n_real + 1 :].sum(), c[0]]) for c in counts
    )
    keep = np.ones(len(labels), dtype=bool)
    keep[shown:] = (left + right)[shown:] > 0
    return [label for label, kept in zip(labels, keep, strict=True) if kept], left[keep], right[keep]


def _axis(tables: Tables, name: ColumnName, sides: dict[str, Side]) -> tuple[list[str], dict[str, Codes]]:
    """Return the labels of a column's bins and each table's codes in them; bins that nobody fell in are left out."""
    codes = {role: side.bins[name] for role, side in sides.items()}
    if name in tables.numeric:
        labels = ["missing", *_bin_labels(tables, name, tables.edges[name])]
    else:
        place = tables.categorical.index(name)
        counts = np.bincount(codes["real"], minlength=tables.n_real_levels[place] + 1)
        shown = int((counts[1 : min(tables.n_real_levels[place], N_PAIR_LEVELS) + 1] >= SMALLEST_COUNT).sum())
        codes = {role: np.minimum(column, shown + 1) for role, column in codes.items()}
        labels = ["missing", *tables.levels[place][:shown], "other"]
    used = np.zeros(len(labels), dtype=bool)
    for column in codes.values():
        used |= np.bincount(column, minlength=len(labels)) > 0
    new = np.cumsum(used) - 1
    return [label for label, is_used in zip(labels, used, strict=True) if is_used], {
        role: new[c] for role, c in codes.items()
    }


def _bin_labels(tables: Tables, name: ColumnName, edges: Floats) -> list[str]:
    if not len(edges):
        return ["any"]
    texts = [_text(tables, name, edge) for edge in edges]
    # A bin between neighbouring floats holds one value, and an edge right after it is "over" that value.
    after = [False, *(np.nextafter(a, np.inf) == b for a, b in itertools.pairwise(edges))]
    starts = [f"over {text}" if is_after else text for text, is_after in zip(texts, after, strict=True)]
    inner = [texts[i] if after[i + 1] else f"{starts[i]} to under {texts[i + 1]}" for i in range(len(texts) - 1)]
    first = f"{texts[0]} or less" if np.nextafter(tables.extremes[name][0], np.inf) == edges[0] else f"under {texts[0]}"
    return [first, *inner, starts[-1] if after[-1] else f"{starts[-1]} or more"]


def _shares(counts: Codes, total: int | None = None) -> list[float | None]:
    total = int(counts.sum()) if total is None else total
    return [None if 0 < count < SMALLEST_COUNT else round(float(count) / max(total, 1), 5) for count in counts]


def _text(tables: Tables, name: ColumnName, value: float) -> str:
    """Return a bin edge as short text: a date, or a number of four digits."""
    if name in tables.datetimes:
        return (EPOCH + pd.Timedelta(seconds=round(value))).strftime("%Y-%m-%d")
    if name in tables.integers and float(value).is_integer() and abs(value) < 1e7:
        return str(int(value))
    short = f"{value:.4g}"
    return f"{float(short):.0f}" if 1e4 <= abs(value) < 1e9 else short
