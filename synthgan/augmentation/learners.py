"""The classifiers that augmentation should help, and the matrix they are fed."""

from __future__ import annotations

import dataclasses
import warnings
from collections.abc import Mapping
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from sklearn.ensemble import HistGradientBoostingClassifier, RandomForestClassifier
from sklearn.exceptions import ConvergenceWarning
from sklearn.linear_model import LogisticRegression
from sklearn.neural_network import MLPClassifier
from sklearn.utils.validation import has_fit_parameter

from synthgan.errors import InputError
from synthgan.evaluation.canonical import column_codes, column_numbers
from synthgan.evaluation.utility import scaled_one_hot
from synthgan.schema import ColumnKind, ColumnName, infer_schema

__all__ = ["COMMITTEE", "LEARNERS", "Matrices", "Training", "committee", "encode", "predict", "with_labels"]

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]

LEARNERS = ("logistic regression", "random forest", "boosted trees", "neural network")
"""scikit-learn's defaults, the same for every arm: logistic regression and a network with one layer of 100 units on
scaled numbers and one-hot codes, 100 random trees, histogram boosting."""

COMMITTEE = LEARNERS[:3]
"""Whose mean probability labels generated rows."""

MAX_CODE = 254  # scikit-learn's limit for a categorical feature; rarer levels share one code
LARGEST = 1e30  # float32 inside scikit-learn's trees


@dataclasses.dataclass(frozen=True, slots=True)
class Training:
    """What one arm lets the learner see.

    Parameters
    ----------
    x : ndarray of float64, shape (n, p)
    y : ndarray of int64, shape (n,)
    weight : ndarray of float64, shape (n,), optional
    """

    x: Floats
    y: Ints
    weight: Floats | None = None

    def shares(self, n_classes: int) -> Floats:
        """Return the (weighted) share of each class, shape (n_classes,)."""
        counts = np.bincount(self.y, weights=self.weight, minlength=n_classes)
        return np.asarray(counts / counts.sum(), dtype=np.float64)


@dataclasses.dataclass(frozen=True, slots=True)
class Matrices:
    """Tables as float matrices over the same features, encoded by the training rows.

    Parameters
    ----------
    x : dict of role to ndarray of float64, shape (n, p)
        Numbers (missing: NaN), then codes (missing: 0).
    categorical : list of bool, length p
    """

    x: dict[str, Floats]
    categorical: list[bool]


def encode(frames: Mapping[str, pd.DataFrame], target: ColumnName) -> Matrices:
    """Encode tables as the rows of ``frames["real"]`` say; other tables' unseen levels get codes that no real row has.

    Raises
    ------
    InputError
        When no column but the target can be learned from.
    """
    real = frames["real"].drop(columns=target)
    kinds = {spec.name: spec.kind for spec in infer_schema(real)}
    unusable = (ColumnKind.ID, ColumnKind.TEXT, ColumnKind.CONSTANT)
    numbers = [n for n, kind in kinds.items() if kind in (ColumnKind.NUMERIC, ColumnKind.DATETIME)]
    codes = [n for n, kind in kinds.items() if n not in numbers and kind not in unusable]
    if not numbers and not codes:
        raise InputError(f"no column but ids, texts and constants to predict {target!r} from; a classifier needs one")
    columns: dict[str, list[NDArray[Any]]] = {role: [] for role in frames}
    for name in numbers:
        for role, frame in frames.items():
            columns[role].append(np.clip(column_numbers(frame[name], kinds[name]), -LARGEST, LARGEST))
    for name in codes:
        found = column_codes({role: f[name] for role, f in frames.items()}, kinds[name] is ColumnKind.BOOLEAN)[2]
        for role, values in found.items():
            columns[role].append(np.minimum(values, MAX_CODE))
    x = {role: np.column_stack(parts).astype(np.float64) for role, parts in columns.items()}
    return Matrices(x, [False] * len(numbers) + [True] * len(codes))


def predict(
    learner: str, training: Training, tests: Floats, categorical: list[bool], n_classes: int, seed: int
) -> Floats:
    """Fit a learner and return its probabilities, shape (n_tests, n_classes); a class it never saw has 0.

    Raises
    ------
    InputError
        When the learner cannot take weights and the arm has some.
    """
    classes = np.unique(training.y)
    out = np.zeros((len(tests), n_classes))
    if len(classes) == 1:
        out[:, classes[0]] = 1.0
        return out
    model = _model(learner, categorical, seed % 2**31)
    options: dict[str, Any] = {}
    if training.weight is not None:
        last = getattr(model, "steps", [("", model)])[-1]
        if not has_fit_parameter(last[1], "sample_weight"):
            raise InputError(f"the {learner} of this scikit-learn takes no sample weights")
        options = {f"{last[0]}__sample_weight" if last[0] else "sample_weight": training.weight}
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ConvergenceWarning)  # the same budget for every arm
        model.fit(training.x, training.y, **options)
        out[:, classes] = model.predict_proba(tests)
    return out


def committee(training: Training, rows: Floats, categorical: list[bool], n_classes: int, seed: int) -> Floats:
    """Return the committee's mean probabilities for `rows`, shape (n_rows, n_classes)."""
    votes = [predict(learner, training, rows, categorical, n_classes, seed) for learner in COMMITTEE]
    return np.asarray(np.mean(votes, axis=0), dtype=np.float64)


def with_labels(training: Training, rows: Floats, probabilities: Floats) -> Training:
    """Add each row once for each class that it may have, weighted by how likely that is.

    Differs from plain self-training: no label is drawn or rounded, so a doubtful row teaches doubt.
    """
    at, codes = np.nonzero(probabilities > 0.01)
    weight = np.ones(len(training.y)) if training.weight is None else training.weight
    return Training(
        np.concatenate([training.x, rows[at]]),
        np.concatenate([training.y, codes]),
        np.concatenate([weight, probabilities[at, codes]]),
    )


def _model(learner: str, categorical: list[bool], seed: int) -> Any:
    if learner == "logistic regression":
        return scaled_one_hot(categorical, LogisticRegression(max_iter=300, tol=1e-3))
    if learner == "random forest":
        return RandomForestClassifier(n_estimators=100, random_state=seed)
    if learner == "boosted trees":
        return HistGradientBoostingClassifier(categorical_features=categorical, random_state=seed)
    if learner == "neural network":
        return scaled_one_hot(categorical, MLPClassifier(random_state=seed))
    raise InputError(f"unknown learner {learner!r}; there are {', '.join(LEARNERS)}")
