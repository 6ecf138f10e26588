"""The judge's own learners: what they are fed, and areas under curves with their sampling error."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from scipy.stats import rankdata
from sklearn.ensemble import HistGradientBoostingClassifier, HistGradientBoostingRegressor

from synthgan.evaluation.frames import Rows, Tables
from synthgan.schema.table import ColumnName

__all__ = ["Features", "auc", "classifier", "regressor"]

Floats = NDArray[np.float64]

LARGEST = 1e150  # its square is still a float
MAX_CODES = 254  # scikit-learn's limit for a categorical feature, less one for the rest


class Features:
    """Rows as one float matrix for boosted trees.

    Numbers go in as they are, codes as categories. Of a column of more than 254 levels the most frequent real ones stay
    categories; a second feature holds its code, which ranks the levels by their frequency in the real rows.

    Parameters
    ----------
    tables : Tables
    leave_out : column name, optional
        The target of a supervised task.
    """

    def __init__(self, tables: Tables, leave_out: ColumnName | None = None) -> None:
        keep_number = [i for i, name in enumerate(tables.numeric) if name != leave_out or leave_out is None]
        keep_code = [i for i, name in enumerate(tables.categorical) if name != leave_out or leave_out is None]
        self._wide = [i for i in keep_code if len(tables.levels[i]) > MAX_CODES - 1]
        self._numbers, self._codes = keep_number, keep_code
        n_numbers = len(keep_number)
        self.categorical: list[bool] = [False] * n_numbers + [True] * len(keep_code) + [False] * len(self._wide)
        #: For each column the features that hold it.
        self.of_column: dict[ColumnName, list[int]] = {tables.numeric[i]: [at] for at, i in enumerate(keep_number)}
        for at, i in enumerate(keep_code):
            self.of_column[tables.categorical[i]] = [n_numbers + at]
        for at, i in enumerate(self._wide):
            self.of_column[tables.categorical[i]].append(n_numbers + len(keep_code) + at)

    def __call__(self, rows: Rows) -> Floats:
        """Return the matrix, shape (n, n_features)."""
        codes = np.minimum(rows.codes[:, self._codes], MAX_CODES)
        numbers = np.clip(rows.numbers[:, self._numbers], -LARGEST, LARGEST)
        return np.column_stack([numbers, codes, rows.codes[:, self._wide]]).astype(np.float64)


def classifier(categorical: list[bool], n_trees: int, seed: int) -> HistGradientBoostingClassifier:
    """Return an unfitted boosted-tree classifier: depth 6, rate 0.1, L2 1, no early stopping."""
    return HistGradientBoostingClassifier(**_settings(categorical, n_trees, seed))


def regressor(categorical: list[bool], n_trees: int, seed: int) -> HistGradientBoostingRegressor:
    """Return an unfitted boosted-tree regressor with the same settings."""
    return HistGradientBoostingRegressor(**_settings(categorical, n_trees, seed))


def _settings(categorical: list[bool], n_trees: int, seed: int) -> dict[str, object]:
    return {
        "max_iter": n_trees,
        "max_depth": 6,
        "max_leaf_nodes": 64,
        "min_samples_leaf": 5,
        "learning_rate": 0.1,
        "l2_regularization": 1.0,
        "early_stopping": False,
        "categorical_features": categorical if any(categorical) else None,
        "random_state": seed % 2**32,
    }


def auc(positive: NDArray[np.bool_], score: Floats) -> tuple[float, Floats]:
    """Return the area under the ROC curve and each row's influence on it (DeLong's placements).

    Parameters
    ----------
    positive : ndarray of bool, shape (n,)
        Both classes must occur.
    score : ndarray of float64, shape (n,)

    Returns
    -------
    tuple of float and ndarray of float64, shape (n,)
        The standard error is ``sqrt(influence.var() / n)``.

    Examples
    --------
    >>> value, _ = auc(np.array([False, True, True]), np.array([0.1, 0.4, 0.3]))
    >>> value
    1.0
    """
    n = len(score)
    n_one = int(positive.sum())
    n_zero = n - n_one
    ranks = rankdata(score)
    placement = np.empty(n)
    placement[positive] = (ranks[positive] - rankdata(score[positive])) / n_zero
    placement[~positive] = 1 - (ranks[~positive] - rankdata(score[~positive])) / n_one
    value = float(placement[positive].mean())
    share = np.where(positive, n_one / n, n_zero / n)
    return value, (placement - value) / share
