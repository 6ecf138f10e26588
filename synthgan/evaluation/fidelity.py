"""Fidelity: how much synthetic rows look like real ones, column by column, pair by pair, and all at once."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from synthgan.evaluation.associations import MAX_LEVELS, pairs
from synthgan.evaluation.chartdata import column_charts, pair_charts
from synthgan.evaluation.context import Context, Part
from synthgan.evaluation.detection import Detection, detect, null_spread
from synthgan.evaluation.estimate import Estimate, half_width, mean_estimate
from synthgan.evaluation.frames import Tables
from synthgan.evaluation.marginals import ks_complement, missing_similarity, tv_complement
from synthgan.evaluation.result import Metric

__all__ = ["DETECTION_METRICS", "detection", "equal_rows", "shapes", "trends"]

DETECTION_METRICS = ("C2ST_train", "C2ST_holdout", "C2ST_AUC_train", "C2ST_AUC_holdout")


def shapes(context: Context) -> Part:
    """Compare each column on its own: KSComplement, TVComplement, MissingValueSimilarity and their mean, ColumnShapes.

    The floor is 1: shuffling a column keeps its shape, so these metrics say nothing about how columns go together.
    """
    tables = context.tables
    found: list[Estimate] = []
    metrics = []
    for name in tables.names:
        real, synthetic = tables.column(tables.real, name), tables.column(tables.synthetic, name)
        if name in tables.numeric:
            label, estimate = "KSComplement", ks_complement(real, synthetic)
            if np.isnan(real).any() or np.isnan(synthetic).any():
                metrics.append(_metric("MissingValueSimilarity", missing_similarity(real, synthetic), 1.0, (name,)))
        else:
            label, estimate = "TVComplement", tv_complement(real, synthetic)
        found.append(estimate)
        metrics.append(_metric(label, estimate, 1.0, (name,)))
    return Part(
        [_metric("ColumnShapes", mean_estimate(found), 1.0), *metrics], {"columns": column_charts(context, metrics)}
    )


def trends(context: Context) -> Part:
    """Compare every pair of columns: CorrelationSimilarity, ContingencySimilarity and their mean, PairTrends."""
    tables, limit = context.tables, context.limits.pairs
    if len(tables.names) < 2:
        raise ValueError("pairs need two columns that are not ids")
    real = context.draw(tables.real, limit, "pairs/real")
    synthetic = context.draw(tables.synthetic, limit, "pairs/synthetic")
    found = pairs(tables, real, synthetic, context.draw(context.shuffled, limit, "pairs/shuffled"))
    mean = mean_estimate([pair.estimate for pair in found])
    floor = float(np.mean([pair.floor for pair in found]))
    note = f"r within the real range; numbers in real deciles, levels past the {MAX_LEVELS} most frequent as one"
    metrics = [_metric("PairTrends", mean, floor, note=note)]
    metrics += [_metric(pair.metric, pair.estimate, pair.floor, pair.columns) for pair in found]
    names = tables.names
    place = {name: i for i, name in enumerate(names)}
    grids = {key: np.eye(len(names)) for key in ("real", "synthetic", "score")}
    for pair in found:
        i, j = place[pair.columns[0]], place[pair.columns[1]]
        for key, value in (("real", pair.real), ("synthetic", pair.synthetic), ("score", pair.estimate.value)):
            grids[key][i, j] = grids[key][j, i] = round(value, 4)
    details: dict[str, Any] = {"pairs": pair_charts(context, metrics)}
    return Part(
        metrics,
        details | {"associations": {"columns": list(names)} | {key: grid.tolist() for key, grid in grids.items()}},
    )


def equal_rows(tables: Tables, limit: int) -> int:
    """Return how many rows of each table the detectors see."""
    held = [] if tables.holdout is None else [len(tables.holdout)]
    return min(len(tables.real), len(tables.synthetic), limit, *held)


def detection(context: Context) -> Part:
    """Let boosted trees tell synthetic from real: C2ST against the real rows and against the holdout rows.

    Equal numbers of rows everywhere, for a detector's power grows with them.
    """
    tables, limits = context.tables, context.limits
    n = equal_rows(tables, limits.detection)

    def run(left: Any, right: Any, importance: bool = False, min_scored: int = limits.scored) -> Detection:
        return detect(
            tables, left, right,
            max_rows=n, n_trees=limits.trees, seed=context.seed, importance=importance, min_scored=min_scored,
        )  # fmt: skip

    found = {"train": run(tables.real, tables.synthetic, importance=tables.holdout is None)}
    floor = run(tables.real, context.shuffled, min_scored=0)
    perfect = None
    if tables.holdout is not None:
        found["holdout"] = run(tables.holdout, tables.synthetic, importance=True)
        found["real"] = perfect = run(tables.real, tables.holdout)
    metrics = [metric for name in ("train", "holdout") for metric in _c2st(name, found.get(name), floor, perfect)]
    curves = {name: {"auc": round(it.auc, 4), "false": it.curve[0], "true": it.curve[1]} for name, it in found.items()}
    importance = found.get("holdout", found["train"]).importance
    ranked = sorted(importance.items(), key=lambda item: (-item[1], str(item[0])))
    return Part(
        metrics, {"roc": curves, "giveaways": [{"column": name, "drop": round(drop, 4)} for name, drop in ranked]}
    )


def _c2st(name: str, it: Detection | None, floor: Detection, perfect: Detection | None) -> list[Metric]:
    """Return score and AUC of one test; `perfect` is that of real rows against holdout rows, where there are some."""
    labels = f"C2ST_{name}", f"C2ST_AUC_{name}"
    if it is None:
        return [Metric(label, note="needs holdout rows: real rows that the generator never saw") for label in labels]
    if perfect is not None:
        ceiling, ceiling_auc, ceiling_spread = perfect.score, perfect.auc, perfect.spread
    else:  # the mean of min(1, 2 (1 - AUC)) when the AUC is normal around 1/2
        ceiling, ceiling_auc, ceiling_spread = 1 - math.sqrt(2 / math.pi) * null_spread(it.n_rows, it.n_rows), 0.5, 0.0
    low, high = it.score_interval(ceiling_spread)
    half = half_width(it.spread, ceiling_spread)
    auc_low, auc_high = max(0.0, it.auc - half), min(1.0, it.auc + half)
    note = "below 0.5: rows were copied" if name == "train" and it.auc < 0.5 - 3 * it.spread else ""
    return [
        Metric(labels[0], (), it.score, ceiling, floor.score, low, high, f"{it.n_rows} rows of each table"),
        Metric(labels[1], (), it.auc, ceiling_auc, floor.auc, auc_low, auc_high, note),
    ]


def _metric(name: str, estimate: Estimate, floor: float, columns: tuple[Any, ...] = (), note: str = "") -> Metric:
    low, high = estimate.interval()
    return Metric(name, columns, estimate.value, estimate.ceiling, floor, low, high, note)
