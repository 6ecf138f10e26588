"""What the reference models share: tables as vectors, and conditions by drawing and throwing away."""

from __future__ import annotations

import dataclasses
from abc import abstractmethod
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, ClassVar, Protocol, cast

import numpy as np
import pandas as pd
import torch
from torch import Tensor, nn

from synthgan.conditioning.space import ConditionSpace
from synthgan.encoding import Protected, TableEncoder
from synthgan.encoding.modes import FitModes
from synthgan.encoding.vectors import VectorEncoder, VectorLayout, VectorTable
from synthgan.errors import ConditionError, ConfigError
from synthgan.rng import RandomState, numpy_stream, resolve_seed, torch_stream
from synthgan.schema import ColumnName
from synthgan.synthesizers.base import TableSynthesizer
from synthgan.synthesizers.fitted import FittedModel, check_weights
from synthgan.synthesizers.job import FitJob, Run
from synthgan.synthesizers.matching import matches
from synthgan.synthesizers.protocol import ConditionsLike
from synthgan.synthesizers.wanted import check_n_samples
from synthgan.training.adversarial import SplitRows, split_rows
from synthgan.training.config import check_number
from synthgan.training.monitor import Monitor
from synthgan.training.rounds import Game, play

__all__ = ["AdversarialSynthesizer", "VectorSynthesizer", "check_choice", "check_widths"]

CHUNK_ROWS = 2048
MAX_CHUNKS = 50
"""Chunks without a row that keeps to the conditions, after which sampling gives up."""


class Drawing(Protocol):
    """A network that rows can be drawn from."""

    def draw(self, n: int, stream: torch.Generator) -> tuple[Tensor, Tensor]:
        """Draw scalars and codes of `n` rows."""
        ...


@dataclasses.dataclass(kw_only=True, eq=False, repr=False)
class VectorSynthesizer(TableSynthesizer):
    """Base of the reference models, whose networks see rows as vectors of scalars and one-hot codes.

    Conditions are kept by rejection: rows are drawn until enough of them satisfy. The models are dataclasses only so
    that each parameter is written down once: fields are the keyword arguments that scikit-learn wants to see.
    """

    encoder_type: ClassVar[type[TableEncoder]] = VectorEncoder
    validation_name = "distance from held-out rows"

    epochs: int = 300
    batch_size: int = 500
    max_seconds: float | None = None
    device: str = "auto"
    random_state: RandomState = None
    verbose: int = 0

    # --- what a subclass adds

    @abstractmethod
    def _modes(self) -> FitModes:
        """Return how numbers are scaled."""

    @abstractmethod
    def _game(self, table: SplitRows, seed: int) -> tuple[nn.Module, Game]:
        """Build the network that rows will be drawn from, and what trains it."""

    @classmethod
    @abstractmethod
    def _blank(cls, layout: VectorLayout, config: Mapping[str, Any]) -> nn.Module:
        """Build the network that rows are drawn from, with weights to be filled in."""

    def _draw(self, network: nn.Module, n: int, stream: torch.Generator, code: int | None) -> tuple[Tensor, Tensor]:  # noqa: ARG002 - CTGAN looks at it
        """Draw scalars and codes of `n` rows; `code` is the wanted category, for those who can ask for it."""
        return cast(Drawing, network).draw(n, stream)

    # --- fitting

    def _check_parameters(self) -> None:
        check_number("epochs", self.epochs, 1, np.inf, whole=True)
        check_number("batch_size", self.batch_size, 1, np.inf, whole=True)
        check_number("max_seconds", self.max_seconds, 0, np.inf, optional=True)

    def _fit_encoder(self, shown: Protected) -> VectorEncoder:
        return VectorEncoder.fit_vectors(shown.frame, shown.schema, self._modes(), self.protect_rare)

    def _start(self, job: FitJob) -> Run:
        encoder = cast(VectorEncoder, job.encoder)
        rows = encoder.to_vectors(job.frame, numpy_stream(job.seed, "modes"))
        table = split_rows(rows, encoder.vectors, job.seed, job.device)
        with torch.random.fork_rng(devices=[]):  # torch's initialisers draw from the global state: lend it, put it back
            torch.manual_seed(torch_stream(job.seed, "weights").initial_seed())
            network, game = self._game(table, job.seed)
        monitor = Monitor()
        self.alarms_ = monitor.alarms
        n_steps = self.epochs * -(-len(table) // min(self.batch_size, len(table)))
        return Run(play(game, n_steps, self.max_seconds, monitor), lambda: network)

    @classmethod
    def _network(
        cls, config: Mapping[str, Any], encoder: TableEncoder, weights: Mapping[str, Tensor], device: torch.device
    ) -> nn.Module:
        layout = cast(VectorEncoder, encoder).vectors
        plain = {name: tuple(value) if isinstance(value, list) else value for name, value in config.items()}
        with torch.device("meta"):
            check_weights(weights, cls._blank(layout, plain).state_dict())
        with torch.random.fork_rng(devices=[]):
            network = cls._blank(layout, plain)
        network.load_state_dict(dict(weights))
        return network.to(device).eval()

    # --- sampling

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
        model = self._fitted()
        wanted = self._read_conditions(model, conditions)
        counts = self._read_counts(model, wanted, class_counts)
        seed = resolve_seed(random_state)
        if counts is None:
            n_rows = model.n_rows if n_samples is None else check_n_samples(n_samples)
            return self._renumbered(model, [(n_rows, wanted, seed)])
        total = sum(counts.values())
        if n_samples is not None and check_n_samples(n_samples) != total:
            raise ConditionError(f"the class counts ask for {total} rows, and n_samples for {n_samples}; leave it out")
        seeds = np.random.SeedSequence(seed).generate_state(len(counts), np.uint64) >> np.uint64(1)
        parts = zip(counts.items(), seeds, strict=True)
        return self._renumbered(
            model, [(n, {**wanted, cast(Any, model.target): label}, int(own)) for (label, n), own in parts]
        )

    def _read_conditions(self, model: FittedModel, conditions: ConditionsLike) -> dict[ColumnName, Any]:
        if conditions is None:
            return {}
        if not isinstance(conditions, Mapping):
            raise ConditionError(
                f"{type(self).__name__} takes conditions that are the same for all rows, as a mapping; use SynthGAN "
                "for a frame of partial rows"
            )
        ConditionSpace(model.encoder).from_mapping(conditions)  # the same words for what cannot be
        return dict(conditions)

    def _read_counts(
        self, model: FittedModel, wanted: Mapping[ColumnName, Any], counts: Mapping[Any, int] | None
    ) -> dict[Any, int] | None:
        if counts is None:
            return None
        if model.target is None:
            raise ConditionError(
                "class counts are about the target, and this model was fitted without one: fit(..., target=...)"
            )
        space = ConditionSpace(model.encoder)
        space.with_counts(space.from_mapping(wanted), model.target, counts)
        return {label: int(n) for label, n in counts.items() if n}

    def _renumbered(
        self, model: FittedModel, parts: list[tuple[int, dict[ColumnName, Any], int]]
    ) -> Iterator[pd.DataFrame]:
        """Draw part after part; ids go on over all of them."""
        done = 0
        for n_rows, wanted, seed in parts:
            for table in self._chunks(model, n_rows, wanted, seed):
                yield cast(VectorEncoder, model.encoder).from_vectors(table, done)
                done += len(table)
        if not done:
            yield model.encoder.decode(model.blank(0))

    def _chunks(
        self, model: FittedModel, n_rows: int, wanted: Mapping[ColumnName, Any], seed: int
    ) -> Iterator[VectorTable]:
        """Draw whole chunks, each with its stream, and keep the rows that satisfy, so that row i is always the same."""
        encoder = cast(VectorEncoder, model.encoder)
        keeps = matches(encoder, wanted)
        code = self._asked(encoder, wanted)
        left, barren, index = n_rows, 0, 0
        while left:
            table = self._chunk(model, CHUNK_ROWS, seed, index, code)
            index += 1
            if wanted:
                kept = np.flatnonzero(keeps(encoder.from_vectors(table)))
                table = VectorTable(table.scalars[kept], table.codes[kept])
            barren = 0 if len(table) else barren + 1
            if barren == MAX_CHUNKS:
                raise ConditionError(
                    f"{type(self).__name__} keeps to conditions by drawing rows and throwing others away, and found "
                    f"{n_rows - left} of {n_rows} rows with {dict(wanted)!r} in {index * CHUNK_ROWS:,}; loosen the "
                    "conditions, or use SynthGAN, which is given them"
                )
            if len(table):
                table = VectorTable(table.scalars[:left], table.codes[:left])
                left -= len(table)
                yield table

    @torch.no_grad()
    def _chunk(self, model: FittedModel, n: int, seed: int, index: int, code: int | None) -> VectorTable:
        if model.generator is None:
            return VectorTable(np.zeros((n, 0), np.float32), np.zeros((n, 0), np.int64))
        device = next(model.generator.parameters()).device
        scalars, codes = self._draw(model.generator, n, torch_stream(seed, "sample", index, device), code)
        return VectorTable(scalars.cpu().numpy(), codes.cpu().numpy())

    def _asked(self, encoder: VectorEncoder, wanted: Mapping[ColumnName, Any]) -> int | None:  # noqa: ARG002
        """Return the category that the network can be asked for; most cannot be asked for any."""
        return None


@dataclasses.dataclass(kw_only=True, eq=False, repr=False)
class AdversarialSynthesizer(VectorSynthesizer):
    """Base of the reference models that are a generator and a discriminator."""

    noise_dim: int = 128
    generator_dims: Sequence[int] = (256, 256)
    discriminator_dims: Sequence[int] = (256, 256)
    generator_lr: float = 2e-4
    discriminator_lr: float = 2e-4
    discriminator_steps: int = 1

    max_lr: ClassVar[float] = 1.0

    def _check_parameters(self) -> None:
        super()._check_parameters()
        check_number("noise_dim", self.noise_dim, 1, np.inf, whole=True)
        check_widths("generator_dims", self.generator_dims)
        check_widths("discriminator_dims", self.discriminator_dims)
        check_number("generator_lr", self.generator_lr, 0, self.max_lr)
        check_number("discriminator_lr", self.discriminator_lr, 0, self.max_lr)
        check_number("discriminator_steps", self.discriminator_steps, 1, np.inf, whole=True)


def check_widths(name: str, widths: Any) -> tuple[int, ...]:
    """Return the widths of hidden layers; `ConfigError` for what is no sequence of whole numbers from 1."""
    found = tuple(widths) if isinstance(widths, (tuple, list)) else None
    if found is None or not all(isinstance(n, (int, np.integer)) and not isinstance(n, bool) and n > 0 for n in found):
        raise ConfigError(f"{name} must be a sequence of whole numbers from 1, one a hidden layer; got {widths!r}")
    return tuple(int(n) for n in found)


def check_choice(name: str, value: Any, choices: tuple[str, ...]) -> None:
    """Raise `ConfigError` unless `value` is one of `choices`."""
    if value not in choices:
        raise ConfigError(f"{name} must be one of {', '.join(choices)}; got {value!r}")
