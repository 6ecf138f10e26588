"""The conditional tabular GAN behind scikit-learn's manners: fit, sample, impute, score, save, load."""

from __future__ import annotations

import dataclasses
import hashlib
import logging
import os
from collections.abc import Callable, Collection, Iterator, Mapping
from typing import Any, Self

import numpy as np
import numpy.typing as npt
import pandas as pd
from sklearn.base import BaseEstimator
from sklearn.utils import Tags

from synthgan.conditioning.space import Conditions, ConditionSpace
from synthgan.encoding import TableEncoder
from synthgan.errors import ArchiveError, ConditionError, ConfigError, InputError, NotFittedError, SchemaError
from synthgan.models import CodeAxis
from synthgan.persistence import read_archive, write_archive
from synthgan.rng import RandomState, resolve_seed
from synthgan.sampling import Sampler, log_likelihood
from synthgan.schema import ColumnKind, ColumnName, Schema, complete_schema, infer_schema, validate
from synthgan.synthesizers.fitted import FittedModel, from_members, to_members
from synthgan.synthesizers.frames import as_frame, fill_holes
from synthgan.synthesizers.plan import FitPlan, make_plan
from synthgan.training import StepReport, TrainingConfig, new_state, train
from synthgan.training.device import compute_dtype, resolve_device

__all__ = ["SynthGAN"]

logger = logging.getLogger(__name__)

Callback = Callable[[StepReport], bool | None]
ConditionsLike = Mapping[ColumnName, Any] | pd.DataFrame | None


class SynthGAN(BaseEstimator):  # type: ignore[misc]
    """A conditional GAN for tables of mixed types.

    Parameters
    ----------
    epochs : int or None, default=None
        Passes over the training rows at most. None lets the size of the table decide; training ends earlier when rows
        held out from it stop being predicted better.
    batch_size : int, default=1000
        Rows per training step. Any positive number; a smaller table is one batch.
    generator_lr : float, default=1e-3
        Highest learning rate of the generator.
    discriminator_lr : float, default=5e-4
        Highest learning rate of the discriminator.
    discriminator_steps : int, default=1
        Discriminator steps per generator step in the adversarial stage.
    adversarial_share : float, default=0.0
        Share of the training steps, from 0 to 0.95, in which generator and discriminator play against each other,
        after the likelihood stage. It serves sampling in few passes.
    hidden_dim : int or None, default=None
        Width of the generator; None lets the size of the table decide.
    max_seconds : float or None, default=None
        Seconds of training at most.
    device : str, default="auto"
        ``"auto"``, ``"cpu"``, ``"cuda"`` or ``"cuda:N"``.
    random_state : int, numpy Generator, RandomState or None, default=None
        Seed of the training; the global random state is neither read nor changed.
    verbose : int, default=0
        1 logs progress at level INFO to the logger ``"synthgan"``.

    Attributes
    ----------
    schema_ : Schema
        What the columns are.
    target_ : str, int or None
        The column that `class_counts` are about.
    history_ : DataFrame
        One row per report of the training loop: step, seconds, phase, losses, held-out likelihood.
    seed_ : int
        The seed that `random_state` gave.
    interrupted_ : bool
        Whether training was cut short by Ctrl-C or by the callback; the model is usable all the same.
    n_features_in_ : int
        Number of columns.
    feature_names_in_ : ndarray of str
        Column labels, where all are strings.

    Examples
    --------
    >>> import pandas as pd
    >>> frame = pd.DataFrame({"size": ["S", "M", "L"] * 20, "price": [1.5, 2.5, 4.0] * 20})
    >>> model = SynthGAN(epochs=5, random_state=0).fit(frame)
    >>> model.sample(2, conditions={"size": "M"})["size"].tolist()
    ['M', 'M']
    """

    def __init__(
        self,
        *,
        epochs: int | None = None,
        batch_size: int = 1000,
        generator_lr: float = 1e-3,
        discriminator_lr: float = 5e-4,
        discriminator_steps: int = 1,
        adversarial_share: float = 0.0,
        hidden_dim: int | None = None,
        max_seconds: float | None = None,
        device: str = "auto",
        random_state: RandomState = None,
        verbose: int = 0,
    ) -> None:
        self.epochs = epochs
        self.batch_size = batch_size
        self.generator_lr = generator_lr
        self.discriminator_lr = discriminator_lr
        self.discriminator_steps = discriminator_steps
        self.adversarial_share = adversarial_share
        self.hidden_dim = hidden_dim
        self.max_seconds = max_seconds
        self.device = device
        self.random_state = random_state
        self.verbose = verbose

    def __sklearn_tags__(self) -> Tags:
        tags = super().__sklearn_tags__()
        tags.input_tags.allow_nan = True
        tags.input_tags.categorical = True
        tags.input_tags.string = True
        tags.non_deterministic = False
        return tags

    # --- fitting

    def fit(
        self,
        X: Any,
        y: Any = None,  # noqa: ARG002 - scikit-learn's signature
        *,
        discrete_columns: Collection[ColumnName] | None = None,
        schema: Schema | Mapping[ColumnName, Any] | None = None,
        target: ColumnName | None = None,
        callback: Callback | None = None,
    ) -> Self:
        """Learn the joint distribution of a table.

        Parameters
        ----------
        X : DataFrame, polars DataFrame, pyarrow Table or array of shape (n_rows, n_columns)
            The table, its target column included. Any mix of numbers, categories, booleans, datetimes and ids, with
            missing cells.
        y : None
            Ignored; the target is a column like the others.
        discrete_columns : collection of column labels, optional
            Columns of numbers that are names of categories.
        schema : Schema or mapping, optional
            What the columns are, or what to override in `infer_schema`'s guesses (column label to kind or to fields).
        target : column label, optional
            The column that `class_counts` will be about.
        callback : callable, optional
            Called with each `StepReport`; returning True ends training.

        Returns
        -------
        SynthGAN
            Itself, fitted.

        Raises
        ------
        SchemaError
            For a table that cannot be described, or an unknown `target`.
        ConfigError
            For a parameter out of range.
        DivergedError
            When training breaks down beyond recovery.
        """
        config = self._training_config()
        device = resolve_device(self.device)
        seed = resolve_seed(self.random_state)
        frame, found = self._described(X, discrete_columns, schema)
        if target is not None and target not in found:
            raise SchemaError(f"the target {target!r} is not a column of the table; it has {found.names}")
        encoder = TableEncoder.fit(frame, found)
        plan = make_plan(len(frame), encoder.layout, config, self.hidden_dim, device)
        history: list[dict[str, Any]] = []
        interrupted = False
        if len(encoder.layout):
            axis = CodeAxis(encoder.layout).to(device)
            table = encoder.encode(frame)
            state = new_state(
                table, axis, config, plan.generator_config, plan.discriminator_config, seed, compute_dtype(device)
            )
            steps = train(state)
            try:
                for report in steps:
                    history.append(_flat(report))
                    self._log(report)
                    if callback is not None and callback(report):
                        interrupted = True
                        break
            except KeyboardInterrupt:
                interrupted = True
                logger.warning("interrupted at step %d; the best weights so far are kept", state.step)
            finally:
                steps.close()
            generator = state.generator
            generator.fold()
        else:  # nothing but constants and ids: rows can be made without a network
            generator = None
        self.seed_ = seed
        self.interrupted_ = interrupted
        self.history_ = pd.DataFrame(history)
        self._set_fitted(FittedModel(encoder, generator, target, _fingerprint(frame), len(frame)))
        return self

    def plan(self, X: Any, *, schema: Schema | Mapping[ColumnName, Any] | None = None) -> FitPlan:
        """Tell what `fit` would do: steps, width, memory.

        Parameters
        ----------
        X : table
            As for `fit`.
        schema : Schema or mapping, optional
            As for `fit`.

        Returns
        -------
        FitPlan
        """
        frame, found = self._described(X, None, schema)
        layout = TableEncoder.fit(frame, found).layout
        return make_plan(len(frame), layout, self._training_config(), self.hidden_dim, resolve_device(self.device))

    # --- sampling

    def sample(
        self,
        n_samples: int | None = None,
        *,
        conditions: ConditionsLike = None,
        class_counts: Mapping[Any, int] | None = None,
        n_passes: int | None = None,
        random_state: RandomState = None,
    ) -> pd.DataFrame:
        """Draw synthetic rows.

        Parameters
        ----------
        n_samples : int, optional
            Rows to draw; by default one per row of a frame of conditions, the sum of the class counts, or else as
            many as were fitted.
        conditions : mapping or DataFrame, optional
            What every row must hold. A mapping gives for a column a value, a set or list of values, or a ``(low,
            high)`` range of numbers or times (None for an open end; None or NaN as the value means missing). A
            DataFrame gives partial rows: one row is drawn for each, in order, with the cells that are not missing as
            they are.
        class_counts : mapping of value to int, optional
            Exactly so many rows of each value of the fit's `target`, in this order.
        n_passes : int, optional
            Runs of the network in which the columns of a row are filled; by default one for each column, the most
            faithful. Columns with a set or range to keep to are filled one by one before the others, which follow them.
        random_state : int, numpy Generator, RandomState or None, default=None
            Seed. ``sample(10, random_state=s)`` is the head of ``sample(100, random_state=s)``.

        Returns
        -------
        DataFrame of shape (n_samples, n_columns)
            Columns, dtypes, categories and kinds of missing values as in the fitted table.

        Raises
        ------
        ConditionError
            For a condition that no row can satisfy; names the column and what is known of it.
        NotFittedError
            Before `fit`.
        """
        parts = list(
            self.sample_batches(
                n_samples,
                conditions=conditions,
                class_counts=class_counts,
                n_passes=n_passes,
                random_state=random_state,
            )
        )
        return pd.concat(parts, ignore_index=True) if len(parts) != 1 else parts[0]

    def sample_batches(
        self,
        n_samples: int | None = None,
        *,
        conditions: ConditionsLike = None,
        class_counts: Mapping[Any, int] | None = None,
        n_passes: int | None = None,
        random_state: RandomState = None,
    ) -> Iterator[pd.DataFrame]:
        """Draw the same rows as `sample`, in batches of constant memory.

        Yields
        ------
        DataFrame
        """
        model = self._fitted()
        if n_passes is not None and (not isinstance(n_passes, (int, np.integer)) or n_passes < 1):
            raise ConfigError(f"n_passes must be a whole number from 1, or None; got {n_passes!r}")
        n_rows, wanted = self._read_conditions(model, n_samples, conditions, class_counts)
        seed = resolve_seed(random_state)
        return self._batches(model, n_rows, wanted, seed, n_passes)

    def impute(self, X: Any, *, random_state: RandomState = None) -> pd.DataFrame:
        """Fill the missing cells of a table by draws given the row's other cells.

        Parameters
        ----------
        X : table
            With the fitted columns. Values never seen in training are kept and not used.
        random_state : int, numpy Generator, RandomState or None, default=None
            Seed of the draws.

        Returns
        -------
        DataFrame
            The same cells where they were not missing, and the same dtypes. Ids, and columns that were missing in every
            fitted row, stay as they are.
        """
        model = self._fitted()
        frame = validate(as_frame(X, min_rows=1), model.encoder.schema)
        wanted = ConditionSpace(model.encoder).for_imputation(frame)
        drawn = pd.concat(self._batches(model, len(frame), wanted, resolve_seed(random_state), None), ignore_index=True)
        columns = {
            spec.name: frame[spec.name]
            if spec.kind is ColumnKind.ID
            else fill_holes(frame[spec.name], drawn[spec.name])
            for spec in model.encoder.schema
        }
        return pd.DataFrame(columns, columns=list(columns))

    def score_samples(self, X: Any, *, n_orders: int = 4) -> npt.NDArray[np.float64]:
        """Return a log-likelihood per row, by the chain rule averaged over random column orders.

        Parameters
        ----------
        X : table
            With the fitted columns.
        n_orders : int, default=4
            Column orders to average over; more orders, less noise.

        Returns
        -------
        ndarray of float64, shape (n_rows,)
            Nats. Numbers count by the probability of their quantile cell, so scores compare rows of one model, not
            models.
        """
        model = self._fitted()
        frame = validate(as_frame(X, min_rows=1), model.encoder.schema)
        if model.generator is None:
            return np.zeros(len(frame))
        sampler = self._sampler(model)
        return log_likelihood(sampler.generator, model.encoder.encode(frame), n_orders, 0)

    # --- files

    def save(self, path: str | os.PathLike[str]) -> None:
        """Write the model to one file of JSON and safetensors: no training rows, nothing that can execute.

        Raises
        ------
        NotFittedError, InputError
            Before `fit`; when the file cannot be written.
        """
        model = self._fitted()
        params = {key: value for key, value in self.get_params().items() if key != "random_state"}
        manifest, state, weights = to_members(model, params, self.seed_, self.history_)
        write_archive(path, manifest, state, weights)

    @classmethod
    def load(cls, path: str | os.PathLike[str], *, device: str = "auto") -> Self:
        """Read a model written by `save`; it samples the same rows for the same seed.

        Parameters
        ----------
        path : path
            The model file.
        device : str, default="auto"
            Where to sample.

        Raises
        ------
        ArchiveError
            For a file that is missing, damaged, foreign or of a newer format.
        """
        where = resolve_device(device)
        model, params, seed, history = from_members(*read_archive(path), where, compute_dtype(where))
        if unknown := sorted(set(params) - set(cls._get_param_names())):
            raise ArchiveError(f"{os.fspath(path)!r} has unknown parameters {unknown}; upgrade synthgan")
        out = cls(**{**params, "device": device})
        out.seed_, out.interrupted_, out.history_ = seed, False, history
        out._set_fitted(model)
        return out

    @property
    def info_(self) -> dict[str, Any]:
        """What the model is and was made from, as plain values."""
        model = self._fitted()
        return model.summary() | {"parameters": self.get_params(), "seed": self.seed_}

    # --- inside

    def _training_config(self) -> TrainingConfig:
        names = {field.name for field in dataclasses.fields(TrainingConfig)}
        return TrainingConfig(**{key: value for key, value in self.get_params().items() if key in names})

    def _described(
        self, X: Any, discrete_columns: Collection[ColumnName] | None, schema: Schema | Mapping[ColumnName, Any] | None
    ) -> tuple[pd.DataFrame, Schema]:
        frame = as_frame(X)
        if isinstance(schema, Schema):
            if discrete_columns:
                raise InputError(
                    "give discrete_columns or a whole schema, not both; the schema says what each column is"
                )
            frame = validate(frame, schema)
            return frame, complete_schema(frame, schema)
        return frame, infer_schema(frame, schema, discrete_columns)

    def _set_fitted(self, model: FittedModel) -> None:
        self.model_ = model
        self.schema_ = model.encoder.schema
        self.target_ = model.target
        names = model.encoder.schema.names
        self.n_features_in_ = len(names)
        if all(isinstance(name, str) for name in names):
            self.feature_names_in_ = np.array(names, dtype=object)

    def _fitted(self) -> FittedModel:
        if not hasattr(self, "model_"):
            raise NotFittedError("this SynthGAN is not fitted; call fit(table) or SynthGAN.load(path) first")
        return self.model_

    def _sampler(self, model: FittedModel) -> Sampler:
        assert model.generator is not None  # noqa: S101 - callers have looked
        return Sampler(model.generator, model.encoder)

    def _read_conditions(
        self,
        model: FittedModel,
        n_samples: int | None,
        conditions: ConditionsLike,
        class_counts: Mapping[Any, int] | None,
    ) -> tuple[int, Conditions]:
        space = ConditionSpace(model.encoder)
        if isinstance(conditions, pd.DataFrame) or hasattr(conditions, "to_arrow"):
            if class_counts is not None:
                raise ConditionError(
                    "class counts go with a mapping of conditions, not with a frame: put the target in the frame"
                )
            wanted = space.from_frame(as_frame(conditions, min_rows=0))
        else:
            wanted = space.from_mapping({} if conditions is None else conditions)
        if class_counts is not None:
            if model.target is None:
                raise ConditionError(
                    "class counts are about the target, and this model was fitted without one: fit(..., target=...)"
                )
            wanted = space.with_counts(wanted, model.target, class_counts)
        n_rows = len(wanted.row_of) if wanted.row_of is not None else model.n_rows
        if n_samples is None:
            return n_rows, wanted
        if isinstance(n_samples, bool) or not isinstance(n_samples, (int, np.integer)) or n_samples < 0:
            raise ConfigError(f"n_samples must be a whole number from 0; got {n_samples!r}")
        if wanted.row_of is not None and n_samples != n_rows:
            raise ConditionError(
                f"the conditions ask for {n_rows} rows, and n_samples for {n_samples}; leave n_samples out"
            )
        return int(n_samples), wanted

    def _batches(
        self, model: FittedModel, n_rows: int, wanted: Conditions, seed: int, n_passes: int | None
    ) -> Iterator[pd.DataFrame]:
        if not n_rows or model.generator is None:
            yield model.encoder.decode(model.blank(n_rows))
            return
        for start, rows in self._sampler(model).chunks(n_rows, wanted, seed, n_passes):
            yield model.encoder.decode(rows, start, wanted.adjust(start))

    def _log(self, report: StepReport) -> None:
        if self.verbose and report.validation is not None:
            logger.info(
                "step %d of %d (%s): held-out nats per column %.4f, best %.4f, %.0f s",
                report.step, report.n_steps, report.phase, report.validation, report.best, report.seconds,
            )  # fmt: skip


def _flat(report: StepReport) -> dict[str, Any]:
    plain = dataclasses.asdict(report)
    return {key: value for key, value in plain.items() if key != "losses"} | report.losses


def _fingerprint(frame: pd.DataFrame) -> str:
    """Hash of the table's content: tells whether two models were fitted on the same rows, without holding any."""
    rows = pd.util.hash_pandas_object(frame, index=False).to_numpy()
    return hashlib.sha256(np.ascontiguousarray(rows).tobytes()).hexdigest()
