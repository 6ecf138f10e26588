"""Classifier two-sample test: how well boosted trees tell synthetic rows from real ones."""

from __future__ import annotations

import dataclasses
import math

import numpy as np
from numpy.typing import NDArray
from sklearn.metrics import roc_curve
from sklearn.model_selection import StratifiedKFold

from synthgan.errors import InputError
from synthgan.evaluation.boosting import Features, auc, classifier
from synthgan.evaluation.estimate import half_width
from synthgan.evaluation.frames import Rows, Tables
from synthgan.rng import numpy_stream
from synthgan.schema.table import ColumnName

__all__ = ["Detection", "detect", "null_spread"]

N_FOLDS = 3
MIN_ROWS = 10
# DeLong's standard error takes the scores for independent; out of fold they share the rows they were learnt from.
# Real against real (40 draws of Adult, 1,500 rows) their AUC spreads 1.3 times as much.
SHARED_ROWS = 1.3


@dataclasses.dataclass(frozen=True, slots=True)
class Detection:
    """What the test found.

    Parameters
    ----------
    auc : float
        Out-of-fold area under the ROC curve: 0.5 cannot tell, 1 always can. Under 0.5 where rows were copied: a row's
        twin in the other table pulls it to the wrong side.
    spread : float
        Standard error of `auc`, as if it came from one division into folds.
    n_rows : int
        Rows taken from each table.
    curve : tuple of two lists of float
        False and true positive rates, thinned to 60 points.
    importance : dict of column name to float
        How much the AUC falls when the column is shuffled among held-out rows; empty unless asked for.
    """

    auc: float
    spread: float
    n_rows: int
    curve: tuple[list[float], list[float]]
    importance: dict[ColumnName, float]

    @property
    def score(self) -> float:
        """``min(1, 2 (1 - AUC))``: 1 cannot tell, 0 always can."""
        return min(1.0, 2 * (1 - self.auc))

    def score_interval(self, ceiling_spread: float = 0.0) -> tuple[float, float]:
        """95 % interval of `score`, given the standard error of the AUC it is held against."""
        half = 2 * half_width(self.spread, ceiling_spread)
        centre = 2 * (1 - self.auc)
        return max(0.0, min(1.0, centre - half)), max(0.0, min(1.0, centre + half))


def null_spread(n: int, m: int) -> float:
    """Return the standard deviation of the AUC when both samples have one distribution, ``sqrt((n+m+1)/(12nm))``."""
    return math.sqrt((n + m + 1) / (12 * n * m))


def detect(
    tables: Tables,
    real: Rows,
    synthetic: Rows,
    *,
    max_rows: int,
    n_trees: int,
    seed: int,
    importance: bool = False,
    min_scored: int = 0,
) -> Detection:
    """Let boosted trees tell `synthetic` from `real`, three-fold, out of fold.

    The AUC of one division of 230 rows into folds is off by 0.03 for the division alone. Where fewer than `min_scored`
    rows are scored, the test is therefore done again, with other rows where there are more and with other folds, until
    so many are; the AUC is the mean.

    Parameters
    ----------
    tables : Tables
        Gives the columns.
    real, synthetic : Rows
        Equal numbers are drawn from both.
    max_rows : int
        At most this many from each.
    n_trees, seed : int
    importance : bool
        Whether to measure what gives the synthetic rows away.
    min_scored : int
        Rows to score at least, over all repetitions.

    Raises
    ------
    InputError
        With fewer than 10 rows on a side.

    References
    ----------
    Lopez-Paz and Oquab, "Revisiting classifier two-sample tests", ICLR 2017.
    """
    n = min(len(real), len(synthetic), max_rows)
    if n < MIN_ROWS:
        raise InputError(f"a detector needs at least {MIN_ROWS} rows of each table; there are {n}")
    rng = numpy_stream(seed, "evaluation/detect")
    found = [
        _cross_validated(tables, real.sample(n, rng), synthetic.sample(n, rng), n_trees, (seed + k) % 2**32, importance)
        for k in range(max(1, round(min_scored / (2 * n))))
    ]
    return Detection(
        auc=float(np.mean([it.auc for it in found])),
        spread=float(np.mean([it.spread for it in found])),
        n_rows=n,
        curve=(found[0].curve[0], np.mean([it.curve[1] for it in found], axis=0).round(4).tolist()),
        importance={name: float(np.mean([it.importance[name] for it in found])) for name in found[0].importance},
    )


def _cross_validated(
    tables: Tables, real: Rows, synthetic: Rows, n_trees: int, seed: int, importance: bool
) -> Detection:
    n = len(real)
    features = Features(tables)
    x = np.concatenate([features(real), features(synthetic)])
    y = np.repeat([False, True], n)
    score = np.empty(2 * n)
    drops: dict[ColumnName, float] = {}
    folds = StratifiedKFold(N_FOLDS, shuffle=True, random_state=seed)
    for k, (fit, test) in enumerate(folds.split(x, y)):
        model = classifier(features.categorical, n_trees, seed).fit(x[fit], y[fit])
        score[test] = model.predict_proba(x[test])[:, 1]
        if importance and k == 0:
            drops = _importance(model, features, x[test], y[test], score[test], numpy_stream(seed, "evaluation/drop"))
    value, influence = auc(y, score)
    spread = SHARED_ROWS * max(math.sqrt(float(influence.var()) / (2 * n)), 1 / (2 * n))
    return Detection(value, spread, n, _thin_curve(y, score), drops)


def _importance(
    model: object,
    features: Features,
    x: NDArray[np.float64],
    y: NDArray[np.bool_],
    score: NDArray[np.float64],
    rng: np.random.Generator,
) -> dict[ColumnName, float]:
    base, _ = auc(y, score)
    drops = {}
    for name, places in features.of_column.items():
        shuffled = x.copy()
        shuffled[:, places] = x[rng.permutation(len(x))][:, places]
        drops[name] = base - auc(y, model.predict_proba(shuffled)[:, 1])[0]  # type: ignore[attr-defined]
    return drops


def _thin_curve(
    y: NDArray[np.bool_], score: NDArray[np.float64], n_points: int = 60
) -> tuple[list[float], list[float]]:
    false_rate, true_rate, _ = roc_curve(y, score)
    grid = np.linspace(0, 1, n_points)
    return [round(float(v), 4) for v in grid], [round(float(v), 4) for v in np.interp(grid, false_rate, true_rate)]
