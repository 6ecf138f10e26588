"""What lines tell of the columns of a small table, each guessed from those before it."""

from __future__ import annotations

import functools
import warnings
from collections.abc import Callable
from typing import Any

import numpy as np
import numpy.typing as npt
from scipy.special import ndtri
from sklearn.exceptions import ConvergenceWarning
from sklearn.linear_model import LogisticRegression, Ridge, RidgeCV
from sklearn.model_selection import KFold

from synthgan.encoding import BlockFeatures, EncodedTable, TableLayout

__all__ = ["MANY_CLASSES", "BlockColumns", "Guess", "normal_scores"]

Singles = npt.NDArray[np.float32]
Doubles = npt.NDArray[np.float64]

PENALTIES = np.logspace(-1, 3, 9)
"""Ridge penalties, of which the one is taken that tells rows best that were left out."""

FOLDS, ITERATIONS, LEAST_LOG = 10, 40, -7.0
"""Parts of the table, each told from the others; steps of a logistic regression; the least that it says, which is also
what it says of a class that it has not seen."""

MANY_CLASSES = "The number of unique classes"
"""What scikit-learn warns of: nearly every row may hold a category of its own."""

FAR_OUT = 5.0
"""Standard deviations from the mean: a column with numbers beyond is not laid along a line as it is."""

ATOM = 0.1
"""Share of the rows from which a single value, or what is missing, has a feature of its own beside the number's, as it
does not lie on a line with the rest."""


def normal_scores(values: npt.NDArray[Any], among: npt.NDArray[Any]) -> Doubles:
    """Where values lie among others, as quantiles of the normal distribution; equal values have the middle of theirs.

    Examples
    --------
    >>> normal_scores(np.array([3.0, 5.0, 9.0]), np.array([3.0, 5.0, 9.0])).round(2).tolist()
    [-0.97, 0.0, 0.97]
    """
    ordered = np.sort(among)
    rank = (np.searchsorted(ordered, values, "left") + np.searchsorted(ordered, values, "right")) / 2
    scores: Doubles = ndtri(np.clip(rank, 0.5, len(among) - 0.5) / len(among))
    return scores


class BlockColumns:
    """A block as features that a line can follow: a number by where it lies, a category as yes or no for each code.

    Parameters
    ----------
    layout : TableLayout
        Of the tables.
    table : EncodedTable
        Rows that say where numbers lie, and which codes are frequent.
    numbers : ndarray of float64, shape (n,)
        What the table's cells of the block are as numbers, NaN where they are none.
    block : int
        Which block.

    Attributes
    ----------
    codes : ndarray of uint8, shape (n,)
        Of the table's cells.
    scores : ndarray of float64, shape (n,), or None
        Where numbers lie: by their own standard deviations from the mean, or where some are missing or far out
        (`FAR_OUT`), by their normal scores. None for a category.
    """

    def __init__(self, layout: TableLayout, table: EncodedTable, numbers: Doubles, block: int) -> None:
        self.block, self.codes = block, table.codes[:, block]
        self.features = BlockFeatures(layout, table, block)
        self.scores: Doubles | None = None
        if layout.blocks[block].ordered:
            places = self.features.of(table)[:, 0]
            self.scores = _standardised(numbers)
            if not np.abs(self.scores).max() <= FAR_OUT:  # nor where some are no numbers
                self.scores = normal_scores(places, places)
            order = np.argsort(places, kind="stable")
            self.known = places[order], self.scores[order]
            single = [code for code in np.unique(self.codes) if len(np.unique(places[self.codes == code])) == 1]
            self.atoms = np.array([code for code in single if np.mean(self.codes == code) >= ATOM], np.uint8)

    def of(self, rows: EncodedTable) -> Singles:
        """Features of rows whose cells are the table's, shape (n, k)."""
        features = self.features.of(rows)
        if self.scores is None:
            return features
        scores = np.interp(features[:, 0], *self.known)
        return np.column_stack([scores, rows.codes[:, self.block, None] == self.atoms]).astype(np.float32)


def _standardised(numbers: Doubles) -> Doubles:
    """Deviations from the mean in standard deviations; 0 where all are alike."""
    with np.errstate(over="ignore", invalid="ignore"):
        small = numbers / max(float(np.abs(numbers).max()), np.finfo(np.float64).tiny)  # squares might be too large
        spread = small.std()
    scores: Doubles = (small - small.mean()) / (spread if spread != 0 else 1.0)
    return scores


class Guess:
    """A linear model of answers: ridge regression of a number, logistic regression of classes.

    Parameters
    ----------
    features : ndarray, shape (n, k)
    answers : ndarray, shape (n,)
        Numbers where they are `ordered`, else classes, two at least.
    seed : int
        Divides the rows into folds.

    Attributes
    ----------
    left_out : ndarray of float64, shape (n, m)
        What is said of each row, as by a call, by a model of the rows outside its fold. (Folds of one row each would
        give the answer away: by how much the guess for a row lies off that of all rows, to the other side.)
    """

    def __init__(self, features: Singles, answers: npt.NDArray[Any], seed: int, *, ordered: bool) -> None:
        self.classes = None if ordered else np.unique(answers)
        kind: Callable[[], Any] = functools.partial(LogisticRegression, C=0.5, max_iter=ITERATIONS)
        if ordered:
            kind = functools.partial(Ridge, RidgeCV(PENALTIES).fit(features, answers).alpha_)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", ConvergenceWarning)  # it is near enough
            warnings.filterwarnings("ignore", MANY_CLASSES, UserWarning)
            self.model = kind().fit(features, answers)
            self.left_out = self(features)
            for others, fold in KFold(FOLDS, shuffle=True, random_state=seed).split(features):
                if not ordered and (answers[others] == answers[others[0]]).all():
                    self.left_out[fold] = np.where(self.classes == answers[others[0]], 0.0, LEAST_LOG)
                    continue
                self.left_out[fold] = self._said(kind().fit(features[others], answers[others]), features[fold])

    def __call__(self, features: Singles) -> Doubles:
        """Guess numbers, shape (n, 1), or logarithms of the classes' probabilities, `LEAST_LOG` at least, (n, m)."""
        return self._said(self.model, features)

    def _said(self, model: Any, features: Singles) -> Doubles:
        if self.classes is None:
            numbers: Doubles = model.predict(features)[:, None].astype(np.float64)
            return numbers
        out = np.full((len(features), len(self.classes)), LEAST_LOG)
        with np.errstate(divide="ignore"):  # of what is out of the question
            out[:, np.searchsorted(self.classes, model.classes_)] = model.predict_log_proba(features)
        return out.clip(min=LEAST_LOG)
