"""Everything that changes while training."""

from __future__ import annotations

import copy
import dataclasses
import math
from collections.abc import Callable, Iterable, Mapping
from typing import Any

import torch
from torch import Tensor, nn

from synthgan.encoding import EncodedTable, TableEncoder
from synthgan.models import CodeAxis, Discriminator, DiscriminatorConfig, Ensemble, GeneratorConfig
from synthgan.models.layers import Dropout
from synthgan.rng import torch_stream
from synthgan.training.batches import Batches, DeviceTable
from synthgan.training.config import TrainingConfig
from synthgan.training.recorded import Recorded, can_record
from synthgan.training.standins import STAND_INS, draw_stand_ins

__all__ = ["Snapshot", "TrainState", "new_state"]

ADAM_BETAS = (0.5, 0.99)

MAX_FIRST_ROWS = 20_000
"""Rows that relations start from."""

FOREST_SECONDS = 0.1
"""Share of `max_seconds` after which forests begin no other order."""

_SETTINGS = ("eps", "weight_decay", "amsgrad", "maximize", "capturable", "differentiable", "fused")

_PARTS = (
    "generator", "discriminator", "generator_optimizer", "discriminator_optimizer", "batches", "stand_in_batches",
)  # fmt: skip
"""Parts of a `TrainState` that know how to save themselves."""


@dataclasses.dataclass(frozen=True, slots=True, eq=False)
class Snapshot:
    """The generator at some step: weights and their averages, and the optimiser's state."""

    tensors: list[Tensor]
    optimizer: dict[str, Any]

    def finite(self) -> bool:
        """Whether every weight is a number; waits for the device."""
        return bool(torch.stack([tensor.isfinite().all() for tensor in self.tensors]).all())


@dataclasses.dataclass
class TrainState:
    """Networks, optimisers, averages, random streams and the best weights so far.

    Parameters
    ----------
    config : TrainingConfig
        Settings.
    generator, discriminator : Module
        What is trained; both own the same axis.
    train, held_out : DeviceTable
        Rows to learn from, and rows to watch.
    streams : dict of str to torch.Generator
        Random streams: ``"order"`` (of rows), ``"given"`` (masks), ``"noise"``, ``"dropout"``, and ``"passes"``
        (on the host).
    stand_ins : DeviceTable or None
        Rows that the networks learn first, and later beside those of the table (see `draw_stand_ins`).

    Attributes
    ----------
    pool : DeviceTable
        The rows to learn from, and the stand-ins after them.
    records : bool
        Whether work is recorded and replayed: wherever the device can.
    recording : tuple or None
        A name, and the work of that name.
    code_share : Tensor of float32, shape (T,)
        Share of the training rows that hold each code.
    average : list of Tensor
        The generator's weights, averaged over the steps.
    """

    config: TrainingConfig
    generator: Ensemble
    discriminator: Discriminator
    train: DeviceTable
    held_out: DeviceTable
    streams: dict[str, torch.Generator]
    stand_ins: DeviceTable | None = None
    pool: DeviceTable = dataclasses.field(init=False)
    records: bool = dataclasses.field(init=False)
    recording: tuple[object, Recorded] | None = None
    code_share: Tensor = dataclasses.field(init=False)
    average: list[Tensor] = dataclasses.field(init=False)
    generator_optimizer: torch.optim.Adam = dataclasses.field(init=False)
    discriminator_optimizer: torch.optim.Adam = dataclasses.field(init=False)
    step: int = 0
    average_began: int = 0
    batches: Batches = dataclasses.field(init=False)
    stand_in_batches: Batches = dataclasses.field(init=False)

    def __post_init__(self) -> None:
        self.pool = self.train if self.stand_ins is None else self.train.joined(self.stand_ins)
        self.records = can_record(self.device)
        counts = self.train.counts()
        self.generator.start_from(counts)
        first = torch.arange(min(len(self.train), MAX_FIRST_ROWS), device=self.device)
        self.generator.start_relations(self.train.rows(first))
        self.code_share = counts / max(len(self.train), 1)
        self.average = [weight.detach().clone() for weight in self.generator.parameters()]
        self.generator_optimizer = _adam(self.generator, self.config.generator_lr)
        self.discriminator_optimizer = _adam(self.discriminator, self.config.discriminator_lr)
        size, stream = self.config.batch_size, self.streams["order"]
        self.batches = Batches(len(self.train), size, stream)
        self.stand_in_batches = Batches(0 if self.stand_ins is None else len(self.stand_ins), size, stream)

    def next_index(self, *, of_table: bool = True) -> Tensor:
        """Return the next batch, by number in the pool: rows of the table and as many stand-ins, or only stand-ins."""
        index = [next(self.batches)] if of_table else []
        if self.stand_ins is not None:
            beside = next(self.stand_in_batches)
            index.append(len(self.train) + (beside[: len(index[0])] if index else beside))
        return index[0] if len(index) == 1 else torch.cat(index)

    def replayed(self, name: object, work: Callable[[Tensor], Tensor], given: Tensor) -> Tensor:
        """Do work on a tensor: by a recording where the device can, made anew where the last one has another name."""
        if not self.records:
            return work(given)
        if self.recording is None or self.recording[0] != name:
            self.recording = None  # its memory, and the gradients in it, are given back first
            streams = [stream for stream in self.streams.values() if stream.device.type == given.device.type]
            self.recording = name, Recorded(work, given, streams)
        return self.recording[1](given)

    @property
    def device(self) -> torch.device:
        """Where the tensors are."""
        return self.generator.axis.offsets.device

    def update_average(self) -> None:
        """Move the averaged weights towards the current ones; the decay ramps up from 0.1 over the first steps."""
        n_averaged = self.step - self.average_began
        decay = min(self.config.ema_decay, (1 + n_averaged) / (10 + n_averaged))
        weights = [weight.detach() for weight in self.generator.parameters()]
        torch._foreach_lerp_(self.average, weights, 1 - decay)

    def detach_streams(self) -> None:
        """Take the random streams out of the generator, which can then be copied, and forget what draws from them."""
        self.recording = None
        for module in self.generator.modules():
            if isinstance(module, Dropout):
                module.generator = None

    @torch.no_grad()
    def swap_average(self) -> None:
        """Exchange the generator's weights with the averaged ones."""
        for weight, mean in zip(self.generator.parameters(), self.average, strict=True):
            kept = weight.detach().clone()
            weight.copy_(mean)
            mean.copy_(kept)

    @torch.no_grad()
    def settle(self) -> None:
        """Go on from the averaged weights, with a new average."""
        for weight, mean in zip(self.generator.parameters(), self.average, strict=True):
            weight.copy_(mean)
        self.average_began = self.step

    def train_late(self, only: bool) -> None:
        """Have only the late layers learn, on the finished networks; or all. What was recorded was of others."""
        self.recording = None
        self.generator.requires_grad_(not only)
        for member in self.generator.members:
            member.late.requires_grad_(True)
        self.generator.train(not only)

    def snapshot(self) -> Snapshot:
        """Copy the generator's weights, their averages and the optimiser's moments."""
        tensors = [tensor.detach().clone() for tensor in (*self.generator.parameters(), *self.average)]
        return Snapshot(tensors, copy.deepcopy(self.generator_optimizer.state_dict()))

    @torch.no_grad()
    def restore(self, snapshot: Snapshot) -> None:
        """Go back to a snapshot."""
        copy_all((*self.generator.parameters(), *self.average), snapshot.tensors)
        self.generator_optimizer.load_state_dict(copy.deepcopy(snapshot.optimizer))

    def state_dict(self) -> dict[str, Any]:
        """Return everything that training changes: nested dicts and lists of tensors (not copied) and plain values."""
        parts = {name: getattr(self, name).state_dict() for name in _PARTS}
        streams = {name: stream.get_state() for name, stream in self.streams.items()}
        return {
            **parts,
            "average": list(self.average),
            "streams": streams,
            "step": self.step,
            "average_began": self.average_began,
        }

    @torch.no_grad()
    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        """Go on from where `state_dict` was taken, bit by bit the same; the networks have the same sizes.

        Raises
        ------
        KeyError, ValueError, RuntimeError, TypeError
            When the state is of other networks, or incomplete.
        """
        for name in _PARTS:
            getattr(self, name).load_state_dict(state[name])
        check_moments(self.generator_optimizer)
        check_moments(self.discriminator_optimizer)
        copy_all(self.average, state["average"])
        for name, stream in self.streams.items():
            stream.set_state(state["streams"][name].cpu())
        self.step, self.average_began = int(state["step"]), int(state["average_began"])


def new_state(
    table: EncodedTable,
    axis: CodeAxis,
    config: TrainingConfig,
    generator_config: GeneratorConfig,
    discriminator_config: DiscriminatorConfig,
    seed: int,
    compute_dtype: torch.dtype,
    *,
    encoder: TableEncoder | None = None,
) -> TrainState:
    """Build networks with seeded weights and set some rows aside.

    Parameters
    ----------
    table : EncodedTable
        All rows; `n_held_out` of them are not trained on.
    axis : CodeAxis
        The table's layout, on the device to train on.
    config, generator_config, discriminator_config
        Settings and sizes.
    seed : int
        Names the random streams.
    compute_dtype : torch.dtype
        What matrices are multiplied in.
    encoder : TableEncoder, optional
        Of the table, where stand-ins are to be drawn from the rows that are not set aside.
    """
    device = axis.offsets.device
    with torch.random.fork_rng(devices=[]):  # torch's initialisers draw from the global state: lend it, put it back
        torch.manual_seed(torch_stream(seed, "weights").initial_seed())
        generator = Ensemble(axis, generator_config)
        discriminator = Discriminator(axis, discriminator_config)
    generator.set_compute_dtype(compute_dtype)
    streams = {name: torch_stream(seed, name, device=device) for name in ("order", "given", "noise", "dropout")}
    streams["passes"] = torch_stream(seed, "passes")
    for module in generator.modules():
        if isinstance(module, Dropout):
            module.generator = streams["dropout"]
    shuffled = torch.randperm(len(table), generator=torch_stream(seed, "held out")).numpy()
    cut = n_held_out(len(table))
    learned, held_out = table.take(shuffled[cut:]), table.take(shuffled[:cut])
    stand = None
    if encoder is not None:
        seconds = math.inf if config.max_seconds is None else FOREST_SECONDS * config.max_seconds
        drawn = draw_stand_ins(encoder, learned, STAND_INS, seed, seconds)
        stand = DeviceTable(drawn, axis)
    networks = generator.to(device), discriminator.to(device)
    return TrainState(config, *networks, DeviceTable(learned, axis), DeviceTable(held_out, axis), streams, stand)


def n_held_out(n_rows: int) -> int:
    """Rows set aside to watch the likelihood of: 5 %, at least 50 or a fifth of a small table, at most 2000.

    Examples
    --------
    >>> [n_held_out(n) for n in (2, 50, 1000, 32_000, 300_000)]
    [0, 10, 50, 1600, 2000]
    """
    return min(max(n_rows // 20, min(n_rows // 5, 50)), 2000)


@torch.no_grad()
def copy_all(tensors: Iterable[Tensor], kept: Iterable[Tensor]) -> None:
    """Copy tensors one by one; ValueError where shape or dtype differ, which `copy_` would make up for."""
    for tensor, other in zip(tensors, kept, strict=True):
        if tensor.shape != other.shape or tensor.dtype != other.dtype:
            raise ValueError(f"a tensor of {tuple(other.shape)} in place of one of {tuple(tensor.shape)}")
        tensor.copy_(other)


def check_moments(optimizer: torch.optim.Adam) -> None:
    """Raise ValueError where an optimiser, just loaded, does not fit its weights: its step would not look."""
    for group in optimizer.param_groups:
        if tuple(group["betas"]) != ADAM_BETAS or any(group[key] != optimizer.defaults[key] for key in _SETTINGS):
            raise ValueError("other settings of the optimiser")
        for weight in group["params"]:
            state = optimizer.state.get(weight)
            if state is None:
                continue
            moments = [state["exp_avg"], state["exp_avg_sq"]]
            if any(moment.shape != weight.shape or moment.dtype != weight.dtype for moment in moments):
                raise ValueError("moments of the optimiser that are not of its weights")
            if state["step"].dtype != torch.float32 or state["step"].dim():
                raise ValueError("the optimiser's number of steps is no number")


def _adam(module: nn.Module, rate: float) -> torch.optim.Adam:
    return torch.optim.Adam(module.parameters(), lr=rate, betas=ADAM_BETAS, fused=True)
