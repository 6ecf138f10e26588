"""The classifiers that augmentation should help, and the matrix they are fed."""

from __future__ import annotations

import dataclasses
import warnings
from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from sklearn.ensemble import HistGradientBoostingClassifier, RandomForestClassifier
from sklearn.exceptions import ConvergenceWarning
from sklearn.linear_model import LogisticRegression
from sklearn.neural_network import MLPClassifier
from sklearn.utils.validation import has_fit_parameter

from synthgan.augmentation.scores import log_losses
from synthgan.augmentation.splits import stratified_parts
from synthgan.errors import InputError
from synthgan.evaluation.canonical import column_codes, column_numbers
from synthgan.evaluation.utility import scaled_one_hot
from synthgan.rng import numpy_stream
from synthgan.schema import ColumnKind, infer_schema

__all__ = [
    "COMMITTEE",
    "LEARNERS",
    "Committee",
    "Matrices",
    "Training",
    "encode",
    "fit",
    "possible_classes",
    "with_labels",
]

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]

LEARNERS = ("logistic regression", "random forest", "boosted trees", "neural network")
"""scikit-learn's defaults, the same for every arm: logistic regression and a network with one layer of 100 units on
scaled numbers and one-hot codes, 100 random trees, histogram boosting."""

COMMITTEE = LEARNERS[:3]
"""Who labels generated rows."""

_STEPS = 4
WEIGHTS: Floats = np.array(
    [(i, j, _STEPS - i - j) for i in range(_STEPS + 1) for j in range(_STEPS + 1 - i)], dtype=np.float64
)
WEIGHTS /= _STEPS

LEAST_POSSIBLE = 0.01
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


def encode(frames: Mapping[str, pd.DataFrame]) -> Matrices:
    """Encode features as the rows of ``frames["real"]`` say; unseen levels of others get codes that no real row has.

    Ids, texts and constants are left out; when there is nothing else, the matrices have no columns.
    """
    kinds = {spec.name: spec.kind for spec in infer_schema(frames["real"])}
    unusable = (ColumnKind.ID, ColumnKind.TEXT, ColumnKind.CONSTANT)
    numbers = [n for n, kind in kinds.items() if kind in (ColumnKind.NUMERIC, ColumnKind.DATETIME)]
    codes = [n for n, kind in kinds.items() if n not in numbers and kind not in unusable]
    columns: dict[str, list[NDArray[Any]]] = {role: [] for role in frames}
    for name in numbers:
        for role, frame in frames.items():
            columns[role].append(np.clip(column_numbers(frame[name], kinds[name]), -LARGEST, LARGEST))
    for name in codes:
        found = column_codes({role: f[name] for role, f in frames.items()}, kinds[name] is ColumnKind.BOOLEAN)[2]
        for role, values in found.items():
            columns[role].append(np.minimum(values, MAX_CODE))
    x = {
        role: np.column_stack([np.empty((len(frames[role]), 0)), *parts]).astype(np.float64)
        for role, parts in columns.items()
    }
    return Matrices(x, [False] * len(numbers) + [True] * len(codes))


def fit(
    learner: str, training: Training, categorical: list[bool], n_classes: int, seed: int
) -> Callable[[Floats], Floats]:
    """Fit a learner and return its probabilities as a function of rows; a class it never saw has 0.

    Raises
    ------
    InputError
        When the learner cannot take weights and the arm has some.
    """
    classes = np.unique(training.y)
    model = _model(learner, categorical, seed % 2**31)
    options: dict[str, Any] = {}
    if training.weight is not None:
        last = getattr(model, "steps", [("", model)])[-1]
        if not has_fit_parameter(last[1], "sample_weight"):
            raise InputError(f"the {learner} of this scikit-learn takes no sample weights")
        options = {f"{last[0]}__sample_weight" if last[0] else "sample_weight": training.weight}
    if len(classes) > 1:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", ConvergenceWarning)  # the same budget for every arm
            model.fit(training.x, training.y, **options)

    def probabilities(rows: Floats) -> Floats:
        out = np.zeros((len(rows), n_classes))
        if len(rows):
            out[:, classes] = model.predict_proba(rows) if len(classes) > 1 else 1.0
        return out

    return probabilities


class Committee:
    """Classifiers that vote on the classes of generated rows, with weights that serve unseen real rows well.

    The weights lie halfway between equal ones and those, on a grid over the simplex, under which the mean of the
    members' probabilities has the least log-loss on rows that they did not learn from, by 3-fold cross-validation on
    the training rows (stacking: Wolpert, Neural Networks 5, 1992; Breiman, Machine Learning 24, 1996). Halfway, because
    on a few hundred rows the best weights are partly luck.

    Parameters
    ----------
    training : Training
        Real rows.
    categorical : list of bool
    n_classes, seed : int

    Attributes
    ----------
    weights : ndarray of float64, shape (n_members,)
    """

    def __init__(self, training: Training, categorical: list[bool], n_classes: int, seed: int) -> None:
        parts = stratified_parts(training.y, 3, numpy_stream(seed, "gain/committee"))
        votes = np.zeros((len(COMMITTEE), len(training.y), n_classes))
        for number in range(3):
            learn, rest = parts != number, parts == number
            part = Training(training.x[learn], training.y[learn])
            for i, learner in enumerate(COMMITTEE):
                votes[i, rest] = fit(learner, part, categorical, n_classes, seed)(training.x[rest])
        losses = [float(log_losses(training.y, np.tensordot(w, votes, 1)).mean()) for w in WEIGHTS]
        self.weights: Floats = (WEIGHTS[int(np.argmin(losses))] + 1 / len(COMMITTEE)) / 2
        self._members = [
            (weight, fit(learner, training, categorical, n_classes, seed))
            for weight, learner in zip(self.weights.tolist(), COMMITTEE, strict=True)
        ]

    def __call__(self, rows: Floats) -> Floats:
        """Return the weighted mean probabilities, shape (n_rows, n_classes)."""
        return np.asarray(sum(weight * member(rows) for weight, member in self._members), dtype=np.float64)


def with_labels(training: Training, rows: Floats, probabilities: Floats) -> Training:
    """Add each row once for each class that it may have, weighted by how likely that is.

    Differs from plain self-training: no label is drawn or rounded, so a doubtful row teaches doubt.
    """
    at, codes, certainty = possible_classes(probabilities)
    weight = np.ones(len(training.y)) if training.weight is None else training.weight
    return Training(
        np.concatenate([training.x, rows[at]]),
        np.concatenate([training.y, codes]),
        np.concatenate([weight, certainty]),
    )


def possible_classes(probabilities: Floats) -> tuple[Ints, Ints, Floats]:
    """Return rows, classes and probabilities of all classes of over one per cent, row by row."""
    at, codes = np.nonzero(probabilities > LEAST_POSSIBLE)
    return at, codes, probabilities[at, codes]


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
