"""What all synthesizers share: reading tables, the course of a fit, checks, files."""

from __future__ import annotations

import logging
import os
from abc import ABC, abstractmethod
from collections.abc import Callable, Collection, Iterator, Mapping
from typing import Any, ClassVar, Self, cast

import numpy as np
import pandas as pd
import torch
from sklearn.base import BaseEstimator
from sklearn.utils import Tags
from torch import Tensor, nn

from synthgan.encoding import Protected, TableEncoder, checked_min_rows, protect
from synthgan.errors import ArchiveError, ConfigError, DivergedError, InputError, NotFittedError, SchemaError
from synthgan.persistence import read_archive, write_archive
from synthgan.rng import RandomState, resolve_seed
from synthgan.schema import ColumnName, Schema, complete_schema, infer_schema, validate
from synthgan.schema.blanks import as_described
from synthgan.synthesizers.card import model_card
from synthgan.synthesizers.checkpoints import Checkpoints, identity
from synthgan.synthesizers.course import Course
from synthgan.synthesizers.fitted import FittedModel, check_sizes, from_members, model_name, to_members
from synthgan.synthesizers.frames import as_frame, fingerprint_of, joined
from synthgan.synthesizers.job import FitJob, Run
from synthgan.synthesizers.memory import memory_errors
from synthgan.synthesizers.protocol import Callback, ConditionsLike
from synthgan.training import Alarm, StepReport
from synthgan.training.device import resolve_device

__all__ = ["TableSynthesizer"]

logger = logging.getLogger(__name__)


class TableSynthesizer(BaseEstimator, ABC):  # type: ignore[misc]
    """Base of the synthesizers: a subclass says how its network is trained, drawn from, and rebuilt from a file.

    Subclasses take ``device``, ``random_state`` and ``verbose`` among the parameters of ``__init__``.
    """

    registry: ClassVar[dict[str, type[TableSynthesizer]]] = {}
    """Every synthesizer by the name that its files carry."""

    validation_name: ClassVar[str] = "held-out score"
    """What the reports' `validation` is."""

    device: str
    random_state: RandomState
    verbose: int
    protect_rare: int = 5
    """Rows that whatever is stored of the table has to stand for at least (see `synthgan.encoding.protection`)."""

    model_: FittedModel
    schema_: Schema
    target_: ColumnName | None
    history_: pd.DataFrame
    seed_: int
    interrupted_: bool
    alarms_: list[Alarm]

    def __init_subclass__(cls, **kwargs: Any) -> None:
        super().__init_subclass__(**kwargs)
        TableSynthesizer.registry[cls.__name__] = cls

    def __sklearn_tags__(self) -> Tags:
        tags = super().__sklearn_tags__()
        tags.input_tags.allow_nan = True
        tags.input_tags.categorical = True
        tags.input_tags.string = True
        tags.non_deterministic = False
        return tags

    # --- what a subclass adds

    @abstractmethod
    def _check_parameters(self) -> None:
        """Raise `ConfigError` for a parameter out of range."""

    encoder_type: ClassVar[type[TableEncoder]] = TableEncoder
    """What turns the table into what the network sees, and back."""

    def _fit_encoder(self, shown: Protected) -> TableEncoder:
        """Fit the encoder of a table."""
        return TableEncoder.fit(shown.frame, shown.schema, min_rows=self.protect_rare)

    @abstractmethod
    def _start(self, job: FitJob) -> Run:
        """Build networks for a table with at least one learned column."""

    @abstractmethod
    def sample_batches(
        self,
        n_samples: int | None = None,
        *,
        conditions: ConditionsLike = None,
        class_counts: Mapping[Any, int] | None = None,
        random_state: RandomState = None,
    ) -> Iterator[pd.DataFrame]:
        """Draw the same rows as `sample`, in batches of constant memory.

        Yields
        ------
        DataFrame
        """

    @classmethod
    @abstractmethod
    def _network(
        cls, config: Mapping[str, Any], encoder: TableEncoder, weights: Mapping[str, Tensor], device: torch.device
    ) -> nn.Module:
        """Rebuild a trained network, ready to sample; `ArchiveError` where the weights do not fit."""

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
        stop: Callable[[], bool] | None = None,
        checkpoint: str | os.PathLike[str] | None = None,
        checkpoint_every: int = 100,
        resume: bool = False,
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
            The column that models will be trained to predict: what `class_counts` will be about, and what `SynthGAN`
            gives trees of its own.
        callback : callable, optional
            Called with each `StepReport`; returning True ends training.
        stop : callable, optional
            Asked after each step; returning True ends training.
        checkpoint : path, optional
            A folder to put the training down in while it runs, and when it ends early.
        checkpoint_every : int, default=100
            Steps from one checkpoint to the next.
        resume : bool, default=False
            Go on from the newest checkpoint in the folder; from the start where there is none. On the same machine,
            with the same versions and number of threads, the model is bit by bit the one that an uninterrupted fit
            gives, unless `max_seconds` is set.

        Returns
        -------
        Self
            Fitted.

        Raises
        ------
        SchemaError
            For a table that cannot be described, or an unknown `target`.
        ConfigError
            For a parameter out of range; for a checkpoint of other settings, or one in the way.
        InputError
            For a checkpoint of another table, or one that cannot be written.
        OutOfMemoryError
            When there is not enough memory.
        DivergedError
            When training breaks down beyond recovery. Where it had got anywhere, the model holds the best weights.
        """
        self._check_parameters()
        device = resolve_device(self.device)
        checkpoints = None if checkpoint is None else Checkpoints(checkpoint, checkpoint_every, resume)
        seed = resolve_seed(self.random_state)
        if self.random_state is None and checkpoints is not None and checkpoints.seed is not None:
            seed = checkpoints.seed
        frame, found = self._described(X, discrete_columns, schema)
        if target is not None and target not in found:
            raise SchemaError(f"the target {target!r} is not a column of the table; it has {found.names}")
        for spec in found:
            if warning := spec.warning():
                logger.warning(warning)
        fingerprint = fingerprint_of(frame)
        shown = protect(frame, found, checked_min_rows(self.protect_rare))
        job = FitJob(shown.frame, self._fit_encoder(shown), seed, device, target)
        course = Course(callback, stop, self._log, checkpoints)
        self.alarms_ = []
        try:
            network = None
            if len(job.encoder.layout):  # else nothing but constants and ids: rows can be made without a network
                with memory_errors("training", "lower batch_size or hidden_dim, or set max_megabytes (--max-memory)"):
                    run = self._start(job)
                    about = identity(type(self).__name__, self.get_params(), seed, fingerprint, found, device)
                    course.follow(run.steps, run.training, about)
                    network = run.network()
        except DivergedError as error:
            if not error.kept:
                raise
            self._finish_fit(FittedModel(job.encoder, run.network(), target, fingerprint, len(frame)), seed, course)
            raise
        self._finish_fit(FittedModel(job.encoder, network, target, fingerprint, len(frame)), seed, course)
        return self

    def _finish_fit(self, model: FittedModel, seed: int, course: Course) -> None:
        self.seed_ = seed
        self.interrupted_ = course.interrupted
        self.history_ = pd.DataFrame(course.history)
        self._set_fitted(model)

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
        found = infer_schema(frame, schema, discrete_columns)
        return as_described(frame, found), found

    def _log(self, report: StepReport) -> None:
        if self.verbose and report.validation is not None:
            logger.info(
                "step %d of %d (%s): %s %.4f, best %.4f, %.0f s",
                report.step, report.n_steps, report.phase, self.validation_name, report.validation, report.best,
                report.seconds,
            )  # fmt: skip

    # --- sampling

    def sample(
        self,
        n_samples: int | None = None,
        *,
        conditions: ConditionsLike = None,
        class_counts: Mapping[Any, int] | None = None,
        random_state: RandomState = None,
    ) -> pd.DataFrame:
        """Draw synthetic rows.

        Parameters
        ----------
        n_samples : int, optional
            Rows to draw; by default the sum of the class counts, or else as many as were fitted.
        conditions : mapping, optional
            What every row must hold: for a column a value, a set or list of values, or a ``(low, high)`` range.
        class_counts : mapping of value to int, optional
            Exactly so many rows of each value of the fit's `target`, in this order.
        random_state : int, numpy Generator, RandomState or None, default=None
            Seed. ``sample(10, random_state=s)`` is the head of ``sample(100, random_state=s)``.

        Returns
        -------
        DataFrame of shape (n_samples, n_columns)
            Columns, dtypes, categories and kinds of missing values as in the fitted table.

        Raises
        ------
        ConditionError
            For a condition that the model cannot keep to; names the column.
        NotFittedError
            Before `fit`.
        """
        return joined(
            self.sample_batches(n_samples, conditions=conditions, class_counts=class_counts, random_state=random_state)
        )

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
        manifest, state, weights = to_members(type(self).__name__, model, params, self.seed_, self.history_)
        n_weights = sum(weight.numel() for weight in weights.values())
        card = model_card(manifest, self.schema_, self.history_, n_weights)
        write_archive(path, manifest, state, weights, card)

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
            For a file that is missing, damaged, foreign, of a newer format, or of another kind of model
            (`synthgan.load` takes any).
        """
        where = resolve_device(device)
        manifest, state, weights = read_archive(path)
        found = model_name(manifest)
        if cls is TableSynthesizer:
            if found not in cls.registry:
                raise ArchiveError(f"{os.fspath(path)!r} holds a {found}, which this version does not know; upgrade")
            chosen = cast(type[Self], cls.registry[found])
        elif found == cls.__name__:
            chosen = cls
        else:
            raise ArchiveError(f"{os.fspath(path)!r} holds a {found}, not a {cls.__name__}; use synthgan.load(path)")

        def rebuilt(config: Mapping[str, Any], encoder: TableEncoder) -> nn.Module:
            check_sizes(config, encoder, weights)
            return chosen._network(config, encoder, weights, where)

        model, params, seed, history = from_members(manifest, state, chosen.encoder_type, rebuilt)
        if unknown := sorted(set(params) - set(chosen._get_param_names())):
            raise ArchiveError(f"{os.fspath(path)!r} has unknown parameters {unknown}; upgrade synthgan")
        out = chosen(**{**params, "device": device})
        try:
            out._check_parameters()
        except ConfigError as error:
            raise ArchiveError(f"{os.fspath(path)!r} holds parameters that no model has: {error}") from None
        out.seed_, out.interrupted_, out.history_, out.alarms_ = seed, False, history, []
        out._set_fitted(model)
        return out

    @property
    def info_(self) -> dict[str, Any]:
        """What the model is and was made from, as plain values."""
        model = self._fitted()
        facts = {"model": type(self).__name__, **model.summary()}
        return facts | {"parameters": self.get_params(), "seed": self.seed_}

    # --- inside

    def _set_fitted(self, model: FittedModel) -> None:
        self.model_ = model
        self.schema_ = model.encoder.visible
        self.target_ = model.target
        names = self.schema_.names
        self.n_features_in_ = len(names)
        if all(isinstance(name, str) for name in names):
            self.feature_names_in_ = np.array(names, dtype=object)

    def _fitted(self) -> FittedModel:
        if not hasattr(self, "model_"):
            name = type(self).__name__
            raise NotFittedError(f"this {name} is not fitted; call fit(table) or {name}.load(path) first")
        return self.model_
