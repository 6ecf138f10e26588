"""The training loop: stand-ins, likelihood, the columns of a pass, the adversarial game; then the best weights."""

from __future__ import annotations

import contextlib
import logging
import math
from collections.abc import Callable, Generator, Iterator, Mapping
from typing import Any, Literal

import torch
from torch import Tensor

from synthgan.training.legs import Legs
from synthgan.training.progress import Progress, StepReport
from synthgan.training.record import Record
from synthgan.training.state import TrainState
from synthgan.training.steps import adversarial_step, likelihood_step, pass_step, stand_in_step

__all__ = ["StepReport", "Training", "train"]

logger = logging.getLogger(__name__)

WARMUP_STEPS = 100
PATIENCE = 10
"""Held-out scores without an improvement before the learning rate is annealed."""

STAND_IN_SECONDS = 0.3
"""Share of the seconds that the stage of the stand-ins takes at most."""

PASS_SECONDS, PASS_RATE = 0.15, 4.0
"""The stage of the late layer: its share of the seconds, and its rate as a multiple of the generator's."""

_switches: Any = torch.utils.deterministic  # its attributes are made when it is imported, unseen by type checkers

Stage = Literal["stand-ins", "likelihood", "anneal", "passes", "adversarial", "done"]


def train(state: TrainState) -> Generator[StepReport]:
    """Train `state` in place, reporting every few steps; stop by not asking for the next report.

    Yields
    ------
    StepReport

    Raises
    ------
    DivergedError
        When the loss stops being finite, three recoveries notwithstanding.
    """
    steps = Training(state).steps()
    try:
        for report in steps:
            if report is not None:
                yield report
    finally:
        steps.close()


class Training:
    """One training of a `TrainState`, step by step; it can be put down between any two steps and taken up again.

    Stand-ins, where there are any, are learned alone first, and later beside the table, but not in the game.
    The likelihood stage runs at a constant rate until two thirds of its steps are done, or longer where that pays, or
    until the held-out likelihood stops improving, then anneals the rate to zero. Of the weights of the last step and
    those of the best held-out likelihood the latter are kept where they are clearly better (`NO_WORSE`). On that
    network, which stays as it is, the late layer learns to follow the columns of a pass. The adversarial stage, where
    configured, moves everything again. At the end (or when the caller closes the iterator) the generator holds the
    averaged weights.

    Parameters
    ----------
    state : TrainState
        What is trained.
    """

    def __init__(self, state: TrainState) -> None:
        self.state = state
        config, n_rows = state.config, len(state.train)
        self.n_adversarial = config.n_adversarial(n_rows)
        self.n_likelihood = config.n_steps(n_rows) - self.n_adversarial
        self.n_passes = config.n_late(n_rows) if len(state.generator.axis.layout) > 1 else 0
        self.n_stand_ins = 0 if state.stand_ins is None else config.n_stand_ins(n_rows)
        self.n_steps = self.n_stand_ins + self.n_likelihood + self.n_passes + self.n_adversarial
        self.record = Record(state, self.n_steps, self.n_steps - self.n_stand_ins)
        self.legs = Legs(self.record, self.n_likelihood, config.n_most(n_rows) - self.n_adversarial)

    @property
    def progress(self) -> Progress:
        """Where training stands."""
        return self.record.progress

    @property
    def step(self) -> int:
        """Steps taken."""
        return self.state.step

    @property
    def over(self) -> bool:
        """Whether all stages are done; the weights are ready once `steps` has ended."""
        return self.progress.stage == "done"

    @property
    def seconds(self) -> float:
        """Seconds of training so far, those before a resumption included."""
        return self.record.seconds

    def state_dict(self) -> dict[str, Any]:
        """Return all that the next step depends on: nested dicts and lists of tensors (not copied) and plain values."""
        return self.record.state_dict()

    def load_state_dict(self, saved: Mapping[str, Any]) -> None:
        """Go on from where `state_dict` was taken; see `Record.load_state_dict`."""
        self.record.load_state_dict(saved)

    def steps(self) -> Generator[StepReport | None]:
        """Take the steps; between any two of them the caller has its turn, every few with a report.

        Raises
        ------
        DivergedError
            When the loss stops being finite, three recoveries notwithstanding.
        """
        try:
            yield from self._stand_in_stage()
            yield from self._likelihood_stage()
            yield from self._anneal_stage()
            yield from self._pass_stage()
            yield from self._adversarial_stage()
        finally:
            self._finish()

    def _stand_in_stage(self) -> Generator[StepReport | None]:
        """The stand-ins, at a rate that is lowered over the second half."""
        progress, state = self.progress, self.state
        if progress.stage != "stand-ins":
            return
        budget, report = STAND_IN_SECONDS * self._likelihood_budget(), None
        while self.n_stand_ins and (share := self._spent(self.n_stand_ins, budget)) < 1:
            self._take(stand_in_step, min((state.step + 1) / WARMUP_STEPS, 2 * (1 - share), 1.0))
            yield self.record.report("stand-ins")
        if self.n_stand_ins:
            state.settle()
            report = self.record.report("stand-ins", force=True)
        progress.began_table = state.step
        self._enter("likelihood")
        if report is not None:
            yield report

    def _likelihood_stage(self) -> Generator[StepReport | None]:
        """Constant rate until nothing improves."""
        progress, state = self.progress, self.state
        if progress.stage != "likelihood":
            return
        late = 2 / 3 * self._likelihood_budget()
        while self.legs.go_on() and progress.n_worse < PATIENCE and not self._late(late):
            self._take(likelihood_step, min(1.0, (state.step - progress.began + 1) / WARMUP_STEPS))
            yield self.record.report("likelihood", total=self._total(max(3 * self.legs.end // 2, self.n_likelihood)))
        if progress.n_worse >= PATIENCE:
            logger.info("held-out likelihood stopped improving at step %d", progress.best_step)
        if progress.best_step and progress.n_worse:
            state.restore(self.record.best_snapshot)
        self._enter("anneal")

    def _anneal_stage(self) -> Generator[StepReport | None]:
        """Lower the rate to zero, from the best weights."""
        progress, state = self.progress, self.state
        if progress.stage != "anneal":
            return
        n_steps = max((progress.began - progress.began_table) // 2, 1)
        total = self._total(progress.began - progress.began_table + n_steps)
        while (share := self._spent(n_steps, self._likelihood_budget())) < 1:
            self._take(likelihood_step, 1 - share)
            yield self.record.report("anneal", total=total)
        report = self.record.report("anneal", force=True, total=self._total(state.step - progress.began_table))
        self.record.keep_last()
        self._go_on("passes")
        yield report

    def _pass_stage(self) -> Generator[StepReport | None]:
        """The late layer, on the averaged best weights of the others."""
        progress, state = self.progress, self.state
        if progress.stage != "passes":
            return
        state.train_late(only=True)
        n_passes = self._n_passes(progress.began - progress.began_table)
        total = progress.began + n_passes + self.n_adversarial
        if state.step == progress.began:
            self.record.validate()  # an untrained late layer is what there is to beat
        budget = self._budget()
        while n_passes and (share := self._spent(n_passes, budget)) < 1:
            done = state.step - progress.began
            self._take(pass_step, PASS_RATE * min((done + 1) / WARMUP_STEPS, 2 * (1 - share), 1.0))
            yield self.record.report("passes", total=total)
        report = self.record.report("passes", force=True, total=state.step + self.n_adversarial)
        self.record.keep_last()
        state.train_late(only=False)
        self._go_on("adversarial" if self.n_adversarial else "done")
        yield report

    def _n_passes(self, n_likelihood: int) -> int:
        """Steps of the late layer after so many of the networks: more where those were more."""
        return self.n_passes * max(n_likelihood, self.n_likelihood) // max(self.n_likelihood, 1)

    def _total(self, n_likelihood: int) -> int:
        """Steps in all, with so many on the table's likelihood."""
        return self.progress.began_table + n_likelihood + self._n_passes(n_likelihood) + self.n_adversarial

    def _go_on(self, stage: Stage) -> None:
        """Enter a stage that starts from the averaged best weights."""
        if stage != "done":
            self.state.restore(self.record.best_snapshot)
            self.state.settle()
        self._enter(stage)

    def _adversarial_stage(self) -> Generator[StepReport | None]:
        """The game on top of the likelihood, from the best weights, at rates that anneal over the second half."""
        progress, state = self.progress, self.state
        if progress.stage != "adversarial":
            return
        total = progress.began + self.n_adversarial
        while (done := state.step - progress.began) < self.n_adversarial and not self._late(state.config.max_seconds):
            rate = min(1.0, 2 * (1 - done / self.n_adversarial)) * progress.rate_scale
            _set_rate(state.generator_optimizer, 0.5 * rate * state.config.generator_lr)
            _set_rate(state.discriminator_optimizer, rate * state.config.discriminator_lr)
            with _repeatable(state.device):
                losses = adversarial_step(state)
            self.record.add(zip(("likelihood", "discriminator", "generator"), losses, strict=True))
            yield self.record.report("adversarial", total=total)
        report = self.record.report("adversarial", force=True, total=total)
        self.record.best_snapshot = state.snapshot()
        self._enter("done")
        yield report

    def _finish(self) -> None:
        """Leave the averaged best weights in the generator, ready to sample."""
        self.state.restore(self.record.best_snapshot)
        self.state.swap_average()
        self.state.generator.eval()
        self.state.detach_streams()

    def _enter(self, stage: Stage) -> None:
        progress = self.progress
        progress.stage, progress.began, progress.began_seconds = stage, self.state.step, self.seconds

    def _spent(self, n_steps: int, budget: float) -> float:
        """Share of a stage of `n_steps` that is over, by steps or by the seconds until `budget` is."""
        share = (self.state.step - self.progress.began) / n_steps
        began = self.progress.began_seconds
        return share if math.isinf(budget) else max(share, (self.seconds - began) / max(budget - began, 1e-9))

    def _take(self, step: Callable[[TrainState], Tensor], rate: float) -> None:
        """Take one step on the likelihood at `rate`, as a multiple of the generator's."""
        _set_rate(self.state.generator_optimizer, rate * self.progress.rate_scale * self.state.config.generator_lr)
        with _repeatable(self.state.device):
            loss = step(self.state)
        self.record.add([("likelihood", loss)])

    def _likelihood_budget(self) -> float:
        return (1 - PASS_SECONDS) * self._budget()

    def _budget(self) -> float:
        """Seconds for all but the adversarial stage."""
        limit = self.state.config.max_seconds
        return math.inf if limit is None else limit * (1 - self.state.config.adversarial_share)

    def _late(self, limit: float | None) -> bool:
        return limit is not None and self.seconds > limit


@contextlib.contextmanager
def _repeatable(device: torch.device) -> Iterator[None]:
    """Have torch add gradients of shared rows in one order, however many threads there are; only CPUs always can."""
    before, warns = torch.are_deterministic_algorithms_enabled(), torch.is_deterministic_algorithms_warn_only_enabled()
    fills = _switches.fill_uninitialized_memory
    if device.type == "cpu":
        torch.use_deterministic_algorithms(True)
        _switches.fill_uninitialized_memory = False  # a debugging aid: nothing here reads such memory
    try:
        yield
    finally:
        torch.use_deterministic_algorithms(before, warn_only=warns)
        _switches.fill_uninitialized_memory = fills


def _set_rate(optimizer: torch.optim.Optimizer, rate: float) -> None:
    for group in optimizer.param_groups:
        group["lr"] = rate
