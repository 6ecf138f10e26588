"""Scores of class probabilities on rows that nobody learned from, and thresholds tuned on other rows."""

from __future__ import annotations

import dataclasses

import numpy as np
from numpy.typing import NDArray
from sklearn.metrics import average_precision_score

from synthgan.evaluation.boosting import auc

__all__ = ["Decision", "correct_prior", "log_losses", "score", "tune"]

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]

LEAST_PROBABILITY = 1e-3
EXPONENTS = np.linspace(0.0, 1.0, 9)
N_BINS = 10


@dataclasses.dataclass(frozen=True, slots=True)
class Decision:
    """How probabilities become classes, tuned once for each score.

    Parameters
    ----------
    f1, balanced_accuracy : float
        Two classes: the threshold of the positive one. More classes: the power of its training share that each class's
        probability is divided by, from 0 (the likeliest class) to 1 (the class that gains most on its share).
    """

    f1: float
    balanced_accuracy: float


def correct_prior(probabilities: Floats, learned: Floats, wanted: Floats) -> Floats:
    """Return probabilities for the class shares `wanted` of a model that learned from the shares `learned`.

    Bayes' rule, ``p'(k|x) ~ p(k|x) wanted(k) / learned(k)`` (Saerens, Latinne and Decaestecker, Neural Computation 14,
    2002). A class that was not learned stays at 0.

    Parameters
    ----------
    probabilities : ndarray of float64, shape (n, n_classes)
    learned, wanted : ndarray of float64, shape (n_classes,)

    Examples
    --------
    >>> correct_prior(np.array([[0.5, 0.5]]), np.array([0.5, 0.5]), np.array([0.9, 0.1])).round(2).tolist()
    [[0.9, 0.1]]
    """
    weight = np.divide(wanted, learned, out=np.zeros(len(wanted)), where=learned > 0)
    # A model may be certain of what the correction rules out; then it knows nothing, and the shares are all there is.
    bent = probabilities * weight + 1e-12 * wanted
    return np.asarray(bent / bent.sum(axis=1, keepdims=True), dtype=np.float64)


def tune(y: Ints, probabilities: Floats, shares: Floats, positive: int) -> Decision:
    """Return the decisions that score best on these rows.

    Parameters
    ----------
    y : ndarray of int64, shape (n,)
    probabilities : ndarray of float64, shape (n, n_classes)
    shares : ndarray of float64, shape (n_classes,)
        Of the classes among real training rows.
    positive : int
        With two classes, the one whose F1 counts.
    """
    if len(shares) == 2:
        p = np.unique(probabilities[:, positive])
        options = np.unique((p[1:] + p[:-1]) / 2) if len(p) > 1 else np.array([0.5])
        options = options[:: max(1, len(options) // 200)]
    else:
        options = EXPONENTS
    found = [_decided(y, decide(probabilities, shares, positive, option), len(shares), positive) for option in options]
    f1, balanced = (np.array(scores) for scores in zip(*found, strict=True))
    return Decision(float(options[np.argmax(f1)]), float(options[np.argmax(balanced)]))


def decide(probabilities: Floats, shares: Floats, positive: int, option: float) -> Ints:
    """Return the classes that a threshold (two classes) or a power of the shares (more) gives, shape (n,)."""
    if len(shares) == 2:
        return np.where(probabilities[:, positive] > option, positive, 1 - positive).astype(np.int64)
    return np.asarray(np.argmax(probabilities / np.maximum(shares, 1e-9) ** option, axis=1), dtype=np.int64)


def log_losses(y: Ints, probabilities: Floats) -> Floats:
    """Return each row's negative log-probability of its class, shape (n,); no probability counts as less than 0.001."""
    p = np.clip(probabilities[np.arange(len(y)), y], LEAST_PROBABILITY, 1 - LEAST_PROBABILITY)
    return np.asarray(-np.log(p), dtype=np.float64)


def score(
    y: Ints, probabilities: Floats, uncorrected: Floats, shares: Floats, decision: Decision, positive: int
) -> dict[str, float]:
    """Return every metric on test rows.

    Parameters
    ----------
    y : ndarray of int64, shape (n,)
    probabilities, uncorrected : ndarray of float64, shape (n, n_classes)
        With the prior corrected, and as the learner gave them; only the scores at 0.5 are of the latter.
    shares : ndarray of float64, shape (n_classes,)
    decision : Decision
        Tuned on other rows.
    positive : int
    """
    n_classes = len(shares)
    true = np.eye(n_classes)[y]
    at_half = decide(uncorrected, shares, positive, 0.5 if n_classes == 2 else 0.0)
    f1 = _decided(y, decide(probabilities, shares, positive, decision.f1), n_classes, positive)[0]
    balanced = _decided(y, decide(probabilities, shares, positive, decision.balanced_accuracy), n_classes, positive)[1]
    half_f1, half_balanced = _decided(y, at_half, n_classes, positive)
    ranked = [positive] if n_classes == 2 else [k for k in range(n_classes) if 0 < true[:, k].sum() < len(y)]
    return {
        "average_precision": _mean([float(average_precision_score(true[:, k], probabilities[:, k])) for k in ranked]),
        "roc_auc": _mean([auc(true[:, k] > 0, probabilities[:, k])[0] for k in ranked]),
        "log_loss": float(log_losses(y, probabilities).mean()),
        "brier": float(((probabilities - true) ** 2).sum(axis=1).mean()),
        "calibration_error": _calibration_error(true, probabilities, positive),
        "f1": f1,
        "balanced_accuracy": balanced,
        "f1_at_half": half_f1,
        "balanced_accuracy_at_half": half_balanced,
    }


def _decided(y: Ints, chosen: Ints, n_classes: int, positive: int) -> tuple[float, float]:
    """Return F1 (of the positive class, or the mean over classes) and balanced accuracy."""
    table = np.bincount(y * n_classes + chosen, minlength=n_classes**2).reshape(n_classes, n_classes)
    hits, present = np.diag(table), table.sum(axis=1) > 0
    f1 = 2 * hits / np.maximum(table.sum(axis=0) + table.sum(axis=1), 1)
    recall = hits / np.maximum(table.sum(axis=1), 1)
    return float(f1[positive] if n_classes == 2 else f1[present].mean()), float(recall[present].mean())


def _calibration_error(true: Floats, probabilities: Floats, positive: int) -> float:
    """Return how far claimed and true shares lie apart in ten equally full bins: of the positive class, or of all."""
    if true.shape[1] == 2:
        claimed, came = probabilities[:, positive], true[:, positive]
    else:
        claimed, came = probabilities.ravel(), true.ravel()
    order = np.argsort(claimed, kind="stable")
    parts = [part for part in np.array_split(order, N_BINS) if len(part)]
    return sum(len(part) * abs(float(claimed[part].mean() - came[part].mean())) for part in parts) / len(order)


def _mean(values: list[float]) -> float:
    return float(np.mean(values))
