"""The conditional tabular GAN behind scikit-learn's manners: fit, sample, impute, score, save, load."""

from __future__ import annotations

import dataclasses
import functools
import time
from collections.abc import Iterator, Mapping
from typing import Any, cast

import numpy as np
import numpy.typing as npt
import pandas as pd
import torch
from torch import Tensor, nn

from synthgan.conditioning.space import Conditions, ConditionSpace
from synthgan.encoding import Protected, TableEncoder, TableLayout, checked_min_rows, protect
from synthgan.encoding.finding import learned_encoder
from synthgan.errors import ConfigError
from synthgan.models import CodeAxis, Ensemble
from synthgan.rng import RandomState, resolve_seed
from synthgan.sampling import Sampler, log_likelihood
from synthgan.sampling.processes import check_jobs
from synthgan.schema import ColumnName, Schema, validate
from synthgan.synthesizers.base import TableSynthesizer
from synthgan.synthesizers.finish import Finish
from synthgan.synthesizers.fitted import FittedModel
from synthgan.synthesizers.frames import as_frame, fill_holes, joined
from synthgan.synthesizers.job import FitJob, Run
from synthgan.synthesizers.plan import FitPlan, check_members, check_stand_ins, make_plan
from synthgan.synthesizers.protocol import ConditionsLike
from synthgan.synthesizers.rebuild import rebuilt_ensemble
from synthgan.synthesizers.targeted import target_block
from synthgan.synthesizers.wanted import check_select, read_select, read_wanted
from synthgan.training import Training, TrainingConfig, new_state
from synthgan.training.device import compute_dtype, resolve_device

__all__ = ["SynthGAN"]


class SynthGAN(TableSynthesizer):
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
    select : int, default=8
        Candidates that `sample` draws for each row, of which the critic keeps one (see there). 1 trains no critic: fit
        and sampling are faster, and the rows less faithful. Tables of fewer than 500 rows get no critic.
    hidden_dim : int or None, default=None
        Width of the generator; None lets the size of the table decide.
    n_members : int or None, default=None
        Generators, 64 at most, that are trained side by side, and whose probabilities are averaged: rows never seen are
        likelier under several, and fit and sampling take as many times as long. None means 2 for tables of fewer than
        2,000 rows, and 1 for larger ones, where there is an adversarial stage, or where `max_megabytes` are not enough
        for 2.
    stand_ins : bool or None, default=None
        Whether the networks first learn rows that linear models and forests draw, column after column, and then both
        these and the table's, as long as held-out rows are likelier for it: from few rows those guess better. None
        means tables of 50 to 1,999 rows, but for those whose columns repeat each other's numbers exactly, or are more
        than 100, and where `epochs` are not set.
    max_seconds : float or None, default=None
        Seconds of training at most; a quarter of them is kept for the target's trees and the critic.
    max_megabytes : float or None, default=None
        Memory that training may take beside the program and the table. Where it is not enough for `batch_size`, there
        are no stand-ins unless asked for, and then batches are smaller.
    protect_rare : int, default=5
        What fewer rows hold is neither learned nor stored: rare categories are replaced by others of their column,
        extreme values by the mean of so many, and intervals are merged. 1 or 0 keeps everything.
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
        The column that `class_counts` are about; categories and numbers have trees of their own.
    formulas_ : tuple of str
        Formulas and orders that all rows of the fitted table keep to (``"total = net + tax"``, ``"end >= start"``).
    exclusions_ : tuple of str
        Of which columns some values never occur together, in the fitted table and in sampled rows (``"country follows
        from town"``).
    history_ : DataFrame
        One row per report of the training loop: step, seconds, phase, losses, held-out likelihood.
    seed_ : int
        The seed that `random_state` gave.
    alarms_ : list of Alarm
        The troubles that training ran into, with advice; empty in a loaded model (`history_` still tells of them).
    interrupted_ : bool
        Whether training was cut short by Ctrl-C or by the callback; the model is usable all the same, without a critic
        and without trees for the target.
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

    validation_name = "held-out nats per column"

    def __init__(
        self,
        *,
        epochs: int | None = None,
        batch_size: int = 1000,
        generator_lr: float = 1e-3,
        discriminator_lr: float = 5e-4,
        discriminator_steps: int = 1,
        adversarial_share: float = 0.0,
        select: int = 8,
        hidden_dim: int | None = None,
        n_members: int | None = None,
        stand_ins: bool | None = None,
        max_seconds: float | None = None,
        max_megabytes: float | None = None,
        protect_rare: int = 5,
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
        self.select = select
        self.hidden_dim = hidden_dim
        self.n_members = n_members
        self.stand_ins = stand_ins
        self.max_seconds = max_seconds
        self.max_megabytes = max_megabytes
        self.protect_rare = protect_rare
        self.device = device
        self.random_state = random_state
        self.verbose = verbose

    # --- fitting

    def _check_parameters(self) -> None:
        self._training_config()
        check_select(self.select)
        check_members(self.n_members, self.adversarial_share)
        check_stand_ins(self.stand_ins)

    def _fit_encoder(self, shown: Protected) -> TableEncoder:
        """An encoder that knows all on which the sizes of the networks depend."""
        return learned_encoder(shown, checked_min_rows(self.protect_rare))

    def _start(self, job: FitJob) -> Run:
        began, layout = time.monotonic(), job.encoder.layout
        plan = self._plan(len(job.frame), layout, job.device)
        table = job.encoder.encode(job.frame)
        target, least = target_block(layout, job.target, len(table)), checked_min_rows(self.protect_rare)
        finish = Finish(job.encoder, table, job.seed, self.select, least, target, self.max_seconds)
        batch, seconds = plan.batch_size, finish.training_seconds
        training = Training(
            new_state(
                table,
                CodeAxis(layout).to(job.device),
                dataclasses.replace(self._training_config(), batch_size=batch, max_seconds=seconds),
                plan.generator_config,
                plan.discriminator_config,
                job.seed,
                compute_dtype(job.device),
                encoder=job.encoder if plan.stand_ins else None,
            )
        )
        training.progress.seconds_before = time.monotonic() - began  # forests have had their share
        self.alarms_ = training.record.monitor.alarms
        return Run(training.steps(), functools.partial(finish.complete, training), training)

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
        shown = protect(frame, found, checked_min_rows(self.protect_rare))
        encoder = self._fit_encoder(shown)
        plan = self._plan(len(frame), encoder.layout, resolve_device(self.device))
        return dataclasses.replace(plan, n_columns=plan.n_columns - len(encoder.hidden))

    def _plan(self, n_rows: int, layout: TableLayout, device: torch.device) -> FitPlan:
        config = self._training_config()
        wishes = self.hidden_dim, device, self.max_megabytes, self.n_members, self.stand_ins
        return make_plan(n_rows, layout, config, *wishes)

    # --- sampling

    def sample(
        self,
        n_samples: int | None = None,
        *,
        conditions: ConditionsLike = None,
        class_counts: Mapping[Any, int] | None = None,
        n_passes: int | None = None,
        select: int | None = None,
        n_jobs: int = 1,
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
            Runs of the whole network in which the columns of a row are filled; by default 8, or one for each column
            where there are fewer. Fewer are faster and less faithful. Columns with a set or range to keep to are filled
            one by one before the others, which follow them.
        select : int, optional
            Candidates to draw for each row. The critic, trained to tell generated rows from the table's, says how much
            likelier each is to be real than generated, and rows are kept in proportion to that, and such that the
            sample stays in step with the table: its shares vary less than those of independent rows. By default as
            many as the model was made for, or 1 (no choice, independent rows) where `n_passes` is given.
        n_jobs : int, default=1
            Processes that draw side by side on the processor's cores; -1 means one per core. They take seconds to start
            and some 400 MB each, and go on waiting for more work for a minute. The rows are the same, but for what
            another number of threads does to sums. A GPU draws alone.
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
        return joined(
            self.sample_batches(
                n_samples,
                conditions=conditions,
                class_counts=class_counts,
                n_passes=n_passes,
                select=select,
                n_jobs=n_jobs,
                random_state=random_state,
            )
        )

    def sample_batches(
        self,
        n_samples: int | None = None,
        *,
        conditions: ConditionsLike = None,
        class_counts: Mapping[Any, int] | None = None,
        n_passes: int | None = None,
        select: int | None = None,
        n_jobs: int = 1,
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
        n_candidates = read_select(model, select, self.select if n_passes is None else 1)
        n_rows, wanted = read_wanted(model, n_samples, conditions, class_counts)
        seed = resolve_seed(random_state)
        return self._batches(model, n_rows, wanted, seed, n_passes, n_candidates, check_jobs(n_jobs))

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
            The same cells where they were not missing, and the same dtypes. Ids, free text, and columns
            that were missing in every fitted row, stay as they are.
        """
        model = self._fitted()
        frame = validate(as_frame(X, min_rows=1), model.encoder.visible)
        wanted = ConditionSpace(model.encoder).for_imputation(frame)
        seed = resolve_seed(random_state)
        drawn = pd.concat(self._batches(model, len(frame), wanted, seed, None, 1), ignore_index=True)
        columns = {
            spec.name: frame[spec.name] if spec.kind.is_made_anew else fill_holes(frame[spec.name], drawn[spec.name])
            for spec in model.encoder.visible
        }
        given = {spec.name: frame[spec.name].notna().to_numpy() for spec in model.encoder.visible}
        gaps = {name: pd.Series(np.nan, frame.index) for name in model.encoder.hidden}
        # To the cells as they are given, not as they are coded.
        kept = model.encoder.kept(columns | gaps, given, {}, bounded=False)
        columns |= {name: fill_holes(frame[name], filling) for name, filling in kept.items() if name in columns}
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
            Nats, by the networks alone. Numbers count by the probability of their quantile cell, so scores compare rows
            of one model, not models.
        """
        model = self._fitted()
        frame = validate(as_frame(X, min_rows=1), model.encoder.visible)
        if model.generator is None:
            return np.zeros(len(frame))
        sampler = self._sampler(model)
        return log_likelihood(sampler.generator, model.encoder.encode(frame), n_orders, 0)

    @property
    def formulas_(self) -> tuple[str, ...]:
        """Formulas and orders that all rows of the fitted table keep to, and sampled ones where conditions let them."""
        return self._fitted().encoder.rules.told()

    @property
    def exclusions_(self) -> tuple[str, ...]:
        """What never occurs together in the fitted table, nor in rows that are sampled, for each two columns."""
        return self._fitted().encoder.exclusions()

    # --- inside

    def _training_config(self) -> TrainingConfig:
        names = {field.name for field in dataclasses.fields(TrainingConfig)}
        return TrainingConfig(**{key: value for key, value in self.get_params().items() if key in names})

    @classmethod
    def _network(
        cls, config: Mapping[str, Any], encoder: TableEncoder, weights: Mapping[str, Tensor], device: torch.device
    ) -> nn.Module:
        return rebuilt_ensemble(config, encoder, weights, device)

    def _sampler(self, model: FittedModel) -> Sampler:
        return Sampler(cast(Ensemble, model.generator), model.encoder)

    def _batches(
        self,
        model: FittedModel,
        n_rows: int,
        wanted: Conditions,
        seed: int,
        n_passes: int | None,
        select: int,
        n_jobs: int = 1,
    ) -> Iterator[pd.DataFrame]:
        if not n_rows or model.generator is None:
            yield model.encoder.decode(model.blank(n_rows))
            return
        for start, rows in self._sampler(model).chunks(n_rows, wanted, seed, n_passes, select, n_jobs):
            fixed = wanted.fixed(model.encoder, start, start + len(rows))
            yield model.encoder.decode(rows, start, wanted.adjust(start), fixed)
