"""A drop-in for imbalanced-learn's over-samplers whose new rows are generated, not copied or interpolated."""

from __future__ import annotations

import dataclasses
from typing import Any, Self

import numpy as np
import numpy.typing as npt
import pandas as pd
from scipy import sparse
from sklearn.base import BaseEstimator, OneToOneFeatureMixin
from sklearn.preprocessing import label_binarize
from sklearn.utils import InputTags, Tags, column_or_1d
from sklearn.utils.multiclass import check_classification_targets, type_of_target
from sklearn.utils.validation import check_consistent_length

from synthgan.augmentation.generate import ClassRows, Generator, warn_of_small_classes
from synthgan.augmentation.selection import Selection, draw_chosen
from synthgan.augmentation.strategy import Strategy, rows_to_add
from synthgan.errors import InputError
from synthgan.rng import RandomState, resolve_seed
from synthgan.synthesizers.frames import as_frame

__all__ = ["GANOverSampler"]


@dataclasses.dataclass(slots=True)
class _InputTags(InputTags):  # type: ignore[misc]
    dataframe: bool = True


@dataclasses.dataclass(slots=True)
class _SamplerTags:
    sample_indices: bool = False


@dataclasses.dataclass(slots=True)
class _Tags(Tags):  # type: ignore[misc]
    """scikit-learn's tags with imbalanced-learn's additions, without importing imbalanced-learn."""

    sampler_tags: _SamplerTags | None = None


class GANOverSampler(OneToOneFeatureMixin, BaseEstimator):  # type: ignore[misc]
    """Over-sample small classes with rows of a generator fitted on all classes.

    Follows imbalanced-learn's protocol, so that it goes where SMOTE goes: ``fit_resample``, and as a step of
    ``imblearn.pipeline.Pipeline``, where it works on the training rows of each fold alone. imbalanced-learn itself is
    not needed.

    Parameters
    ----------
    sampling_strategy : float, str, dict or callable, default="auto"
        As in imbalanced-learn. A float, for two classes: rows of the small class over rows of the large one,
        afterwards. ``"minority"``, ``"not minority"``, ``"not majority"``, ``"all"``, or ``"auto"`` (the same as
        ``"not majority"``): which classes are brought to the size of the largest. A dict: class to rows afterwards. A
        callable: takes `y` and returns such a dict.
    choose_by : {"labels", "density", "hard", "nothing"}, default="labels"
        How the rows of a class are chosen among four times as many, see `selection_weights`.
    generator : estimator, optional
        An unfitted synthesizer; `SynthGAN` without a critic when absent. It is copied and never changed; a SynthGAN
        has one generator, and no stand-ins, unless its `n_members` and `stand_ins` say otherwise.
    random_state : int, numpy Generator, RandomState or None, default=None
        Seed of training and sampling.

    Attributes
    ----------
    sampling_strategy_ : dict of label to int
        Rows added to each class.
    n_features_in_ : int
        Number of columns.
    feature_names_in_ : ndarray of str
        Column labels, where all are strings.

    See Also
    --------
    augment : The same for a whole table, target included; regression targets too.

    Examples
    --------
    >>> import numpy as np, pandas as pd
    >>> from synthgan import SynthGAN
    >>> X = pd.DataFrame({"size": ["S", "M", "L", "L"] * 15, "price": np.arange(60) / 4})
    >>> y = pd.Series(["rare"] * 12 + ["common"] * 48)
    >>> sampler = GANOverSampler(generator=SynthGAN(epochs=2), random_state=0)
    >>> X_new, y_new = sampler.fit_resample(X, y)
    >>> y_new.value_counts().to_dict()
    {'rare': 48, 'common': 48}
    >>> X_new[:60].equals(X)
    True
    """

    _estimator_type = "sampler"
    _sampling_type = "over-sampling"

    def __init__(
        self,
        *,
        sampling_strategy: Strategy = "auto",
        choose_by: Selection = "labels",
        generator: Generator | None = None,
        random_state: RandomState = None,
    ) -> None:
        self.sampling_strategy = sampling_strategy
        self.choose_by = choose_by
        self.generator = generator
        self.random_state = random_state

    def __sklearn_tags__(self) -> Tags:
        tags = super().__sklearn_tags__()
        inputs = _InputTags(sparse=True, categorical=True, string=True, allow_nan=True)
        tags.target_tags.required = True
        return _Tags(
            estimator_type="sampler",
            target_tags=tags.target_tags,
            transformer_tags=None,
            classifier_tags=None,
            regressor_tags=None,
            input_tags=inputs,
            sampler_tags=_SamplerTags(),
        )

    def fit(self, X: Any, y: Any) -> Self:
        """Check the input and read the strategy; the generator is fitted in `fit_resample`.

        Parameters
        ----------
        X, y
            As for `fit_resample`.

        Raises
        ------
        InputError, ConfigError
            As for `fit_resample`.
        """
        self._read(X, y)
        return self

    def fit_resample(self, X: Any, y: Any) -> tuple[Any, Any]:
        """Add generated rows.

        Parameters
        ----------
        X : DataFrame, array, sparse matrix or list of lists, shape (n, p)
            Numbers, categories, booleans and times, with missing cells.
        y : Series, DataFrame, array or list, shape (n,), (n, 1) or (n, n_classes)
            Classes; in the last form one-hot.

        Returns
        -------
        tuple
            `X` and `y` with the new rows after the real ones, which are as they were, in the types that came in (polars
            and pyarrow tables become DataFrames).

        Raises
        ------
        InputError
            When there is one class only, `y` holds no classes or misses some, or the strategy does not fit them.
        ConfigError
            For an unknown strategy.

        Warns
        -----
        UserWarning
            When a class of fewer than 10 rows is generated.
        """
        frame, target = self._read(X, y)
        wanted = self.sampling_strategy_
        seed = resolve_seed(self.random_state)
        if not sum(wanted.values()):
            return _restore_rows(X, frame, frame[:0]), target.restore(np.empty(0, dtype=np.int64))
        warn_of_small_classes(target.counts, wanted)
        code_of = {label: code for code, label in enumerate(target.labels)}
        model = ClassRows(self.generator, frame, target.codes, seed)
        counts = {code_of[label]: count for label, count in wanted.items()}
        rows, codes = draw_chosen(model, frame, target.codes, counts, self.choose_by, seed)
        return _restore_rows(X, frame, rows), target.restore(codes)

    def _read(self, X: Any, y: Any) -> tuple[pd.DataFrame, _Target]:
        if y is None:
            raise InputError("requires y to be passed, but the target y is None")
        target = _Target(y)
        frame = as_frame(_dense(X))
        check_consistent_length(frame, target.codes)
        self.n_features_in_ = frame.shape[1]
        self.__dict__.pop("feature_names_in_", None)  # of an earlier fit
        if all(isinstance(name, str) for name in frame.columns):
            self.feature_names_in_ = np.array(frame.columns, dtype=object)
        self.sampling_strategy_ = rows_to_add(self.sampling_strategy, target.counts, target.flat)
        return frame, target


class _Target:
    """The classes of `y` as codes, and the way back to the type it came in."""

    def __init__(self, y: Any) -> None:
        self._given = y
        kind = type_of_target(y, input_name="y")
        self._one_hot = kind == "multilabel-indicator"
        cells = np.asarray(y)
        if self._one_hot:
            if (cells.sum(axis=1) > 1).any():
                raise InputError(
                    "y has several classes in a row. Multilabel and multioutput targets are not supported."
                )
            self.flat = cells.argmax(axis=1)
        elif kind.startswith(("multiclass-multioutput", "continuous-multioutput")):
            raise InputError(f"y is {kind}. Multilabel and multioutput targets are not supported.")
        else:
            check_classification_targets(y)
            self.flat = column_or_1d(y if isinstance(y, (pd.Series, np.ndarray)) else cells, warn=False)
        if pd.isna(self.flat).any():
            raise InputError("y has missing classes; drop those rows first")
        codes, labels = pd.factorize(self.flat, sort=True)
        self.codes: npt.NDArray[np.int64] = codes.astype(np.int64)
        self.labels: list[Any] = list(labels)

    @property
    def counts(self) -> dict[Any, int]:
        return dict(zip(self.labels, np.bincount(self.codes, minlength=len(self.labels)).tolist(), strict=True))

    def restore(self, new: npt.NDArray[np.int64]) -> Any:
        """Return the given `y` with classes of new rows after it."""
        given = self._given
        added = np.asarray(self.labels)[new] if self.labels else np.empty(0)
        if self._one_hot:
            added = (
                label_binarize(added, classes=self.labels) if len(new) else np.empty((0, np.asarray(given).shape[1]))
            )
        if isinstance(given, pd.Series):
            tail = pd.Series(added, dtype=given.dtype, name=given.name)
            return pd.concat([given, tail], ignore_index=True)
        if isinstance(given, pd.DataFrame):
            table = pd.DataFrame(added.reshape(len(new), -1), columns=given.columns).astype(given.dtypes)
            return pd.concat([given, table], ignore_index=True)
        cells = np.asarray(given)
        flat = cells if self._one_hot else self.flat
        joined = np.concatenate([flat, added.astype(cells.dtype)])
        return joined.tolist() if isinstance(given, list) else joined


def _is_sparse(table: Any) -> bool:
    return bool(sparse.issparse(table))


def _dense(table: Any) -> Any:
    """Return a table without sparse parts."""
    if _is_sparse(table):
        return table.toarray()
    if isinstance(table, pd.DataFrame):
        packed = {name: dtype.subtype for name, dtype in table.dtypes.items() if isinstance(dtype, pd.SparseDtype)}
        return table.astype(packed) if packed else table
    return table


def _restore_rows(given: Any, frame: pd.DataFrame, new: pd.DataFrame) -> Any:
    """Return `given` with new rows after it, in its own type."""
    if isinstance(given, list):
        return [*(list(row) for row in given), *new.to_numpy(dtype=object).tolist()]
    if _is_sparse(given):
        return sparse.vstack([given, sparse.csr_matrix(new.to_numpy(dtype=given.dtype))], format=given.format)
    if isinstance(given, np.ndarray):
        return np.concatenate([given, new.to_numpy(dtype=given.dtype)])
    source = given if isinstance(given, pd.DataFrame) else frame
    return pd.concat([source, new.astype(source.dtypes)], ignore_index=True)
