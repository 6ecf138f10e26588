"""The training loop: likelihood, then the adversarial game, then the best weights."""

from __future__ import annotations

import dataclasses
import logging
import math
import time
from collections.abc import Generator, Iterator
from typing import Literal

import torch
from torch import Tensor

from synthgan.conditioning.masks import draw_given
from synthgan.errors import DivergedError
from synthgan.models.features import Rows
from synthgan.rng import torch_stream
from synthgan.training.state import TrainState
from synthgan.training.steps import adversarial_step, hidden_likelihood, likelihood_step

__all__ = ["StepReport", "train"]

logger = logging.getLogger(__name__)

WARMUP_STEPS = 100
REPORT_EVERY = 20
PATIENCE = 4
"""Held-out scores without an improvement before the learning rate is annealed."""

MAX_RECOVERIES = 3
HELD_OUT_MASKS = 2000
"""Held-out rows are repeated, each time with other columns hidden, up to about this many."""

Phase = Literal["likelihood", "anneal", "adversarial"]


@dataclasses.dataclass(frozen=True, slots=True)
class StepReport:
    """What the caller of `train` is told every few steps.

    Parameters
    ----------
    step, n_steps : int
        Steps taken, and steps at most.
    seconds : float
        Since training began.
    phase : str
        ``"likelihood"``, ``"anneal"`` or ``"adversarial"``.
    losses : dict of str to float
        Mean losses since the last report: ``"likelihood"`` (nats per hidden column), ``"discriminator"``,
        ``"generator"``.
    validation : float or None
        Held-out nats per hidden column of the averaged weights, when just measured.
    best : float
        Lowest `validation` so far.
    """

    step: int
    n_steps: int
    seconds: float
    phase: Phase
    losses: dict[str, float]
    validation: float | None
    best: float


def train(state: TrainState) -> Generator[StepReport]:
    """Train `state` in place, reporting every few steps; stop by not asking for the next report.

    The likelihood stage runs at a constant rate until two thirds of its steps are done or the held-out likelihood stops
    improving, then anneals the rate to zero. The adversarial stage, where configured, follows. At the end (or when the
    caller closes the iterator) the generator holds the averaged weights of the best held-out likelihood, or after an
    adversarial stage the averaged weights of its last step.

    Yields
    ------
    StepReport

    Raises
    ------
    DivergedError
        When the loss stops being finite, three recoveries notwithstanding.
    """
    run = _Run(state)
    try:
        yield from run.likelihood_stage()
        yield from run.adversarial_stage()
    finally:
        run.finish()


class _Run:
    """The bookkeeping of one call of `train`."""

    def __init__(self, state: TrainState) -> None:
        self.state = state
        config = state.config
        self.start = time.monotonic()
        self.n_steps = config.n_steps(len(state.train))
        self.n_adversarial = round(config.adversarial_share * self.n_steps)
        self.n_likelihood = self.n_steps - self.n_adversarial
        self.evaluate_every = max(self.n_steps // 40, 10)
        self.best = math.inf
        self.best_step = 0
        self.best_snapshot = state.snapshot()
        self.recoveries = 0
        self.rate_scale = 1.0
        self.sums: dict[str, Tensor] = {}
        self.n_summed = 0
        self.held_out = _held_out_questions(state)

    def likelihood_stage(self) -> Iterator[StepReport]:
        """Constant rate until nothing improves, then anneal from the best weights."""
        state = self.state
        limit = max(2 * self.n_likelihood // 3, 1)
        since_best = 0
        while state.step < limit and not self._late(2 / 3 * self._likelihood_budget()):
            self._one_likelihood_step(min(1.0, (state.step + 1) / WARMUP_STEPS))
            if report := self._report("likelihood"):
                yield report
                if report.validation is not None:
                    since_best = 0 if self.best_step == state.step else since_best + 1
                    if since_best >= PATIENCE:
                        logger.info("held-out likelihood stopped improving at step %d", self.best_step)
                        break
        n_anneal = max(state.step // 2, 1)
        began, seconds = state.step, self._seconds()
        if self.best_step and since_best:
            self.state.restore(self.best_snapshot)
        for done in range(n_anneal):
            share = done / n_anneal
            if state.config.max_seconds is not None:
                share = max(share, (self._seconds() - seconds) / max(self._likelihood_budget() - seconds, 1e-9))
            if share >= 1:
                break
            self._one_likelihood_step(1 - share)
            if report := self._report("anneal", total=began + n_anneal + self.n_adversarial):
                yield report
        if report := self._report("anneal", force=True, total=state.step + self.n_adversarial):
            yield report

    def adversarial_stage(self) -> Iterator[StepReport]:
        """The game on top of the likelihood, from the best weights, at rates that anneal over the second half."""
        if not self.n_adversarial:
            return
        state = self.state
        self.state.restore(self.best_snapshot)
        total = state.step + self.n_adversarial
        for done in range(self.n_adversarial):
            if self._late(1.0):
                break
            rate = min(1.0, 2 * (1 - done / self.n_adversarial))
            _set_rate(state.generator_optimizer, 0.5 * rate * self.rate_scale * state.config.generator_lr)
            _set_rate(state.discriminator_optimizer, rate * self.rate_scale * state.config.discriminator_lr)
            self._sum(zip(("likelihood", "discriminator", "generator"), adversarial_step(state), strict=True))
            if report := self._report("adversarial", total=total):
                yield report
        if report := self._report("adversarial", force=True, total=total):
            yield report
        self.best_snapshot = state.snapshot()

    def finish(self) -> None:
        """Leave the averaged best weights in the generator, ready to sample."""
        self.state.restore(self.best_snapshot)
        self.state.swap_average()
        self.state.generator.eval()
        self.state.detach_streams()

    def _one_likelihood_step(self, rate: float) -> None:
        _set_rate(self.state.generator_optimizer, rate * self.rate_scale * self.state.config.generator_lr)
        self._sum([("likelihood", likelihood_step(self.state))])

    def _sum(self, losses: Iterator[tuple[str, Tensor]] | list[tuple[str, Tensor]]) -> None:
        for name, loss in losses:
            self.sums[name] = self.sums[name] + loss if name in self.sums else loss
        self.n_summed += 1
        self.state.step += 1

    def _report(self, phase: Phase, *, force: bool = False, total: int | None = None) -> StepReport | None:
        step = self.state.step
        evaluate = force or step % self.evaluate_every == 0
        if not evaluate and step % REPORT_EVERY:
            return None
        losses = {name: float(value) / max(self.n_summed, 1) for name, value in self.sums.items()}
        self.sums, self.n_summed = {}, 0
        if not all(math.isfinite(value) for value in losses.values()):
            self._recover()
            evaluate = False
        validation = self._validate() if evaluate else None
        return StepReport(step, total or self.n_steps, self._seconds(), phase, losses, validation, self.best)

    def _validate(self) -> float:
        state = self.state
        if self.held_out is None:
            self.best_step, self.best_snapshot = state.step, state.snapshot()
            return math.nan
        state.swap_average()
        state.generator.eval()
        with torch.no_grad():
            codes, cells = hidden_likelihood(state.generator, *self.held_out)
        state.generator.train()
        state.swap_average()
        score = float(codes + cells)
        if score < self.best:
            self.best, self.best_step, self.best_snapshot = score, state.step, state.snapshot()
        return score

    def _recover(self) -> None:
        self.recoveries += 1
        if self.recoveries > MAX_RECOVERIES:
            raise DivergedError(
                f"training diverged: step {self.state.step} has no finite loss after {MAX_RECOVERIES} restarts. "
                "Lower generator_lr, or look for extreme values in the table"
            )
        self.rate_scale /= 3
        logger.warning("loss not finite at step %d: back to step %d, rate lowered", self.state.step, self.best_step)
        self.state.restore(self.best_snapshot)

    def _seconds(self) -> float:
        return time.monotonic() - self.start

    def _likelihood_budget(self) -> float:
        limit = self.state.config.max_seconds
        return math.inf if limit is None else limit * (1 - self.state.config.adversarial_share)

    def _late(self, seconds_or_share: float) -> bool:
        limit = self.state.config.max_seconds
        if limit is None:
            return False
        return self._seconds() > (limit if seconds_or_share == 1.0 else seconds_or_share)


def _set_rate(optimizer: torch.optim.Optimizer, rate: float) -> None:
    for group in optimizer.param_groups:
        group["lr"] = rate


def _held_out_questions(state: TrainState) -> tuple[Rows, Tensor] | None:
    """The held-out rows with fixed masks, repeated to about `HELD_OUT_MASKS` rows; None where no row is held out."""
    n_rows = len(state.held_out)
    if not n_rows:
        return None
    index = torch.arange(max(n_rows, HELD_OUT_MASKS), device=state.device) % n_rows
    rows = state.held_out.rows(index)
    stream = torch_stream(state.streams["given"].initial_seed(), "held out masks", device=state.device)
    return rows, draw_given(rows.codes, stream)
