"""Probabilities that mean what they say, after the classes were rebalanced."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Self

import numpy as np
import numpy.typing as npt
from sklearn.base import BaseEstimator, ClassifierMixin, clone
from sklearn.utils import Tags, get_tags
from sklearn.utils.multiclass import check_classification_targets
from sklearn.utils.validation import check_array, check_is_fitted, column_or_1d

from synthgan.augmentation.scores import correct_prior
from synthgan.errors import InputError

__all__ = ["PriorCorrectedClassifier"]


class PriorCorrectedClassifier(ClassifierMixin, BaseEstimator):  # type: ignore[misc]
    """A classifier that learns from rebalanced rows and predicts for the classes as they really come.

    A classifier fitted on balanced rows believes that every class is as frequent as any other, and its probabilities
    are of that world. By Bayes' rule ``p'(k|x) ~ p(k|x) wanted(k) / learned(k)`` (Saerens, Latinne and Decaestecker,
    Neural Computation 14, 2002), where learned and wanted are the shares of the classes.

    Parameters
    ----------
    estimator : classifier with predict_proba
    resampler : object with fit_resample, optional
        Rebalances the training rows (`GANOverSampler`, or any of imbalanced-learn's).
    prior : mapping of class to share, optional
        What the classes' shares are where predictions are wanted; by default those of the `y` that `fit` gets.

    Attributes
    ----------
    estimator_ : classifier
        Fitted on the resampled rows.
    classes_ : ndarray, shape (n_classes,)
    learned_, wanted_ : ndarray of float64, shape (n_classes,)
        The shares before and after the correction.

    Examples
    --------
    >>> from sklearn.linear_model import LogisticRegression
    >>> X, y = np.arange(100.0).reshape(-1, 1) % 10, np.repeat([0, 1], [50, 50])
    >>> model = PriorCorrectedClassifier(LogisticRegression(), prior={0: 0.9, 1: 0.1}).fit(X, y)
    >>> model.predict_proba(X[:1]).round(2).tolist()
    [[0.9, 0.1]]
    """

    def __init__(
        self, estimator: Any = None, *, resampler: Any = None, prior: Mapping[Any, float] | None = None
    ) -> None:
        self.estimator = estimator
        self.resampler = resampler
        self.prior = prior

    def __sklearn_tags__(self) -> Tags:
        tags = super().__sklearn_tags__()
        if self.estimator is not None:
            inner = get_tags(self.estimator)
            tags.input_tags = inner.input_tags
            tags.classifier_tags = inner.classifier_tags
        return tags

    def fit(self, X: Any, y: Any) -> Self:
        """Resample, fit, and remember both sets of shares.

        Raises
        ------
        InputError
            When `prior` does not give each class of `y` a share above 0.
        """
        if y is None:
            raise InputError("requires y to be passed, but the target y is None")
        y = check_array(y, ensure_2d=False, dtype=None, input_name="y")
        check_classification_targets(y)
        before = column_or_1d(y, warn=True)
        rows, labels = (X, before) if self.resampler is None else clone(self.resampler).fit_resample(X, before)
        self.estimator_ = clone(self.estimator).fit(rows, labels)
        self.classes_: npt.NDArray[Any] = self.estimator_.classes_
        for name in ("n_features_in_", "feature_names_in_"):
            if hasattr(self.estimator_, name):
                setattr(self, name, getattr(self.estimator_, name))
        self.learned_ = self._shares(np.asarray(labels))
        self.wanted_ = self._shares(before) if self.prior is None else self._declared(self.prior)
        return self

    def predict_proba(self, X: Any) -> npt.NDArray[np.float64]:
        """Return corrected probabilities, shape (n, n_classes)."""
        check_is_fitted(self)
        return correct_prior(self.estimator_.predict_proba(X), self.learned_, self.wanted_)

    def predict(self, X: Any) -> npt.NDArray[Any]:
        """Return the likeliest classes, shape (n,)."""
        likeliest = self.predict_proba(X).argmax(axis=1)
        return np.asarray(self.classes_[likeliest])

    def _shares(self, y: npt.NDArray[Any]) -> npt.NDArray[np.float64]:
        return np.array([np.mean(y == label) for label in self.classes_.tolist()], dtype=np.float64)

    def _declared(self, prior: Mapping[Any, float]) -> npt.NDArray[np.float64]:
        shares = np.array([prior.get(label, 0.0) for label in self.classes_.tolist()], dtype=np.float64)
        if not (shares > 0).all() or len(prior) != len(shares):
            raise InputError(
                f"prior gives each class a share above 0; the classes are {self.classes_.tolist()}, and it says {prior}"
            )
        return np.asarray(shares / shares.sum(), dtype=np.float64)
