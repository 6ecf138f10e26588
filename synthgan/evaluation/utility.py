"""Train on synthetic, test on real: how well models learnt from the synthetic rows work on real ones."""

from __future__ import annotations

import dataclasses
import math
import warnings
from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray
from sklearn.compose import make_column_transformer
from sklearn.exceptions import ConvergenceWarning
from sklearn.impute import SimpleImputer
from sklearn.linear_model import LogisticRegression, Ridge
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import OneHotEncoder, StandardScaler

from synthgan.errors import InputError
from synthgan.evaluation.boosting import Features, auc, classifier, regressor
from synthgan.evaluation.context import Context, Part
from synthgan.evaluation.estimate import Z95
from synthgan.evaluation.frames import Rows, Tables
from synthgan.evaluation.result import Metric
from synthgan.schema.table import ColumnName

__all__ = ["LEARNERS", "UTILITY_METRICS", "Fitted", "Task", "fit_and_score", "scaled_one_hot", "utility"]

Floats = NDArray[np.float64]

LEARNERS = ("boosted trees", "linear model")
UTILITY_METRICS = tuple(f"TSTR_{learner.replace(' ', '_')}" for learner in LEARNERS)
MAX_CLASSES = 20


@dataclasses.dataclass(frozen=True, slots=True)
class Task:
    """What is predicted.

    Parameters
    ----------
    target : column name
    regression : bool
        A number of more than 20 distinct values is regressed, anything else classified.
    """

    target: ColumnName
    regression: bool

    @classmethod
    def of(cls, tables: Tables, target: ColumnName) -> Task:
        """Read the task off the real rows.

        Raises
        ------
        InputError
            When there is no such column to predict, or it has a single value.
        """
        if target not in tables.names:
            why = "is an id or free text" if target in tables.ids else f"is not a column; there are {tables.names}"
            raise InputError(f"the target {target!r} {why}")
        values = tables.column(tables.real, target)
        distinct = np.unique(values[~np.isnan(values)] if target in tables.numeric else values[values > 0])
        if len(distinct) < 2:
            raise InputError(
                f"the target {target!r} has {len(distinct)} distinct values in the real rows; utility needs two"
            )
        if len(tables.names) < 2:
            raise InputError(f"the target {target!r} is the only column; utility needs another to predict it from")
        return cls(target, target in tables.numeric and len(distinct) > MAX_CLASSES)

    @property
    def chance(self) -> float:
        """The score of a constant prediction."""
        return 0.0 if self.regression else 0.5

    @property
    def score_name(self) -> str:
        """``"R2"`` or ``"AUC"`` (one against the rest, mean over classes)."""
        return "R2" if self.regression else "AUC"


@dataclasses.dataclass(frozen=True, slots=True)
class Fitted:
    """A learner's score on real rows.

    Parameters
    ----------
    value : float
    spread : float
        Standard error over the test rows.
    """

    value: float
    spread: float


def fit_and_score(
    tables: Tables, task: Task, learner: str, fit: Rows, test: Rows, *, n_trees: int, seed: int
) -> Fitted:
    """Fit `learner` on `fit` and score it on `test`.

    Rows whose target is missing are left out. A class that the fit rows lack is scored at 0.5.

    Parameters
    ----------
    tables : Tables
    task : Task
    learner : str
        One of `LEARNERS`.
    fit, test : Rows
    n_trees, seed : int

    Raises
    ------
    InputError
        When the test rows have a single class, or no rows are left.
    """
    features = Features(tables, leave_out=task.target)
    fit, test = (_with_target(tables, task.target, rows) for rows in (fit, test))
    if len(test) < 2:
        raise InputError(f"fewer than 2 test rows have a value of the target {task.target!r}")
    x, x_test = features(fit), features(test)
    y, y_test = tables.column(fit, task.target), tables.column(test, task.target)
    if task.regression:
        if len(fit) < 2:
            return Fitted(0.0, 0.0)
        scale = float(np.abs(y_test).max()) or 1.0  # R2 does not mind, and no square overflows
        y, y_test = y / scale, y_test / scale
        model: Any = (
            regressor(features.categorical, n_trees, seed)
            if learner == LEARNERS[0]
            else scaled_one_hot(features.categorical, Ridge())
        )
        return _r2(y_test, np.asarray(model.fit(x, y).predict(x_test), dtype=np.float64))
    if len(np.unique(y_test)) < 2:
        raise InputError(f"the test rows have one class of the target {task.target!r} only; utility needs two")
    if len(np.unique(y)) < 2:
        return Fitted(0.5, 0.0)
    if learner == LEARNERS[0]:
        model = classifier(features.categorical, n_trees, seed)
    else:
        model = scaled_one_hot(features.categorical, LogisticRegression(max_iter=300, tol=1e-3))
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ConvergenceWarning)  # a linear model that is nearly there will do
        model.fit(x, y)
    return _macro_auc(y_test, model.predict_proba(x_test), model.classes_)


def _with_target(tables: Tables, target: ColumnName, rows: Rows) -> Rows:
    values = tables.column(rows, target)
    return rows.take(~np.isnan(values) if target in tables.numeric else values > 0)


def scaled_one_hot(categorical: Sequence[bool], model: Any) -> Any:
    """Return numbers scaled and codes one-hot (at most 50 levels a column) before a linear model or a network.

    Parameters
    ----------
    categorical : sequence of bool
        Which columns of the matrix hold codes.
    model : unfitted scikit-learn estimator
    """
    numeric = [i for i, is_code in enumerate(categorical) if not is_code]
    codes = [i for i, is_code in enumerate(categorical) if is_code]
    impute = make_pipeline(
        SimpleImputer(strategy="median", add_indicator=True, keep_empty_features=True), StandardScaler()
    )
    one_hot = OneHotEncoder(handle_unknown="infrequent_if_exist", max_categories=50)
    return make_pipeline(make_column_transformer((impute, numeric), (one_hot, codes)), model)


def _r2(y: Floats, predicted: Floats) -> Fitted:
    variance = float(y.var())
    if variance == 0:
        raise InputError("the target has one value in the test rows; R2 is undefined")
    errors = (y - predicted) ** 2
    value = 1 - float(errors.mean()) / variance
    influence = (errors - (1 - value) * (y - y.mean()) ** 2) / variance
    return Fitted(value, math.sqrt(float(influence.var()) / len(y)))


def _macro_auc(y: NDArray[Any], probabilities: Floats, classes: NDArray[Any]) -> Fitted:
    present = np.unique(y)
    place = {label: i for i, label in enumerate(classes.tolist())}
    values, influences = [], []
    for label in present[:1] if len(present) == 2 and len(classes) == 2 else present:
        if label in place:
            value, influence = auc(y == label, probabilities[:, place[label]])
        else:
            value, influence = 0.5, np.zeros(len(y))
        values.append(value)
        influences.append(influence)
    total = np.mean(influences, axis=0)
    return Fitted(float(np.mean(values)), math.sqrt(float(total.var()) / len(y)))


def utility(context: Context, target: ColumnName) -> Part:
    """Score learners fitted on synthetic rows on real rows they never saw: TSTR, for each learner.

    The ceiling is the same learner fitted on real rows (TRTR), the floor one fitted on shuffled rows or chance, the
    better of the two. Without holdout rows a third of the real rows is the test set, which flatters the synthetic rows:
    they were made from it too.
    """
    tables, limits = context.tables, context.limits
    task = Task.of(tables, target)
    real, note = tables.real, f"{task.score_name} on holdout rows"
    if tables.holdout is not None:
        test = tables.holdout
    else:
        order = context.rng("utility/split").permutation(len(real))
        cut = len(real) // 3
        test, real = real.take(order[:cut]), real.take(order[cut:])
        note = f"{task.score_name} on a third of the real rows, for want of holdout rows: flatters the synthetic rows"
    test = context.draw(test, limits.utility, "utility/test")
    n = min(len(real), len(tables.synthetic), limits.utility)
    fits = {
        "real": context.draw(real, n, "utility/real"),
        "synthetic": context.draw(tables.synthetic, n, "utility/synthetic"),
        "shuffled": context.draw(context.shuffled, n, "utility/shuffled"),
    }
    metrics, bars = [], []
    for learner, name in zip(LEARNERS, UTILITY_METRICS, strict=True):
        found = {
            role: fit_and_score(tables, task, learner, rows, test, n_trees=limits.trees, seed=context.seed)
            for role, rows in fits.items()
        }
        it = found["synthetic"]
        half = Z95 * it.spread
        metrics.append(
            Metric(
                name,
                (),
                it.value,
                found["real"].value,
                max(found["shuffled"].value, task.chance),
                it.value - half,
                it.value + half,
                note,
            )
        )
        bars.append(
            {"learner": learner, "score": task.score_name} | {role: round(f.value, 4) for role, f in found.items()}
        )
    return Part(metrics, {"utility": {"target": target, "bars": bars}})
