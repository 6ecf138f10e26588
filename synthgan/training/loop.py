"""The training loop: likelihood, then the adversarial game, then the best weights."""

from __future__ import annotations

import contextlib
import dataclasses
import logging
import math
import time
from collections.abc import Generator, Iterable, Iterator, Mapping
from typing import Any, Literal

import torch
from torch import Tensor

from synthgan.conditioning.masks import draw_known
from synthgan.errors import DivergedError
from synthgan.models.features import Rows
from synthgan.rng import torch_stream
from synthgan.training.monitor import Monitor
from synthgan.training.progress import Progress, StepReport
from synthgan.training.rounds import gradient_share
from synthgan.training.state import Snapshot, TrainState, check_moments
from synthgan.training.steps import adversarial_step, hidden_likelihood, likelihood_step

__all__ = ["StepReport", "Training", "train"]

logger = logging.getLogger(__name__)

WARMUP_STEPS = 100
REPORT_EVERY = 20
PATIENCE = 10
"""Held-out scores without an improvement before the learning rate is annealed."""

NO_WORSE = 0.002
"""The weights at the end of the annealing are kept, rather than the best, where their held-out score is at most
this share above the best: longer training shows in sharper dependences while the likelihood stands still."""

MAX_RECOVERIES = 3
HELD_OUT_MASKS = 2000
"""Held-out rows are repeated, each time with other columns hidden, up to about this many."""

_switches: Any = torch.utils.deterministic  # its attributes are made when it is imported, unseen by type checkers

Stage = Literal["likelihood", "anneal", "adversarial", "done"]


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

    The likelihood stage runs at a constant rate until two thirds of its steps are done or the held-out likelihood stops
    improving, then anneals the rate to zero. The adversarial stage, where configured, follows. At the end (or when the
    caller closes the iterator) the generator holds the averaged weights of the annealing's last step, unless those of
    the best held-out likelihood are clearly better (`NO_WORSE`), or after an adversarial stage those of its last step.

    Whatever a stage has to remember from one step to the next is in `progress`, `sums` or `best_snapshot`, never in a
    local variable: that is what makes `state_dict` complete.

    Parameters
    ----------
    state : TrainState
        What is trained.
    """

    def __init__(self, state: TrainState) -> None:
        self.state = state
        self.n_steps = state.config.n_steps(len(state.train))
        self.n_adversarial = round(state.config.adversarial_share * self.n_steps)
        self.n_likelihood = self.n_steps - self.n_adversarial
        self.evaluate_every = max(self.n_steps // 40, 10)
        self.progress = Progress()
        self.monitor = Monitor()
        self.best_snapshot = state.snapshot()
        self.sums: dict[str, Tensor] = {}
        self.held_out = _held_out_questions(state)
        self._start = time.monotonic()

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
        return self.progress.seconds_before + time.monotonic() - self._start

    def state_dict(self) -> dict[str, Any]:
        """Return all that the next step depends on: nested dicts and lists of tensors (not copied) and plain values."""
        return {
            "state": self.state.state_dict(),
            "best": {"tensors": self.best_snapshot.tensors, "optimizer": self.best_snapshot.optimizer},
            "sums": dict(self.sums),
            "monitor": self.monitor.state_dict(),
            "progress": dataclasses.asdict(self.progress) | {"seconds_before": self.seconds},
        }

    def load_state_dict(self, saved: Mapping[str, Any]) -> None:
        """Go on from where `state_dict` was taken: every step is what it would have been, bit by bit.

        Only a budget of seconds (`max_seconds`) sees the difference: it goes on from the seconds used so far.

        Raises
        ------
        KeyError, ValueError, RuntimeError, TypeError
            When it was taken of a training of other networks, or is incomplete.
        """
        device = self.state.device
        tensors = [tensor.to(device) for tensor in saved["best"]["tensors"]]
        best = Snapshot(tensors, saved["best"]["optimizer"])
        self.state.restore(best)  # to see that it fits
        check_moments(self.state.generator_optimizer)
        self.state.load_state_dict(saved["state"])
        self.best_snapshot = best
        self.sums = {str(name): value.to(device).reshape(()) for name, value in saved["sums"].items()}
        self.monitor.load_state_dict(saved["monitor"])
        self.progress = Progress.from_dict(saved["progress"])
        self._start = time.monotonic()

    def steps(self) -> Generator[StepReport | None]:
        """Take the steps; between any two of them the caller has its turn, every few with a report.

        Raises
        ------
        DivergedError
            When the loss stops being finite, three recoveries notwithstanding.
        """
        try:
            yield from self._likelihood_stage()
            yield from self._anneal_stage()
            yield from self._adversarial_stage()
        finally:
            self._finish()

    def _likelihood_stage(self) -> Generator[StepReport | None]:
        """Constant rate until nothing improves."""
        progress, state = self.progress, self.state
        if progress.stage != "likelihood":
            return
        limit = max(2 * self.n_likelihood // 3, 1)
        while state.step < limit and progress.n_worse < PATIENCE and not self._late(2 / 3 * self._likelihood_budget()):
            self._one_likelihood_step(min(1.0, (state.step + 1) / WARMUP_STEPS))
            yield self._report("likelihood")
        if progress.n_worse >= PATIENCE:
            logger.info("held-out likelihood stopped improving at step %d", progress.best_step)
        if progress.best_step and progress.n_worse:
            state.restore(self.best_snapshot)
        self._enter("anneal")

    def _anneal_stage(self) -> Generator[StepReport | None]:
        """Lower the rate to zero, from the best weights."""
        progress, state = self.progress, self.state
        if progress.stage != "anneal":
            return
        n_steps = max(progress.began // 2, 1)
        total = progress.began + n_steps + self.n_adversarial
        while (share := self._annealed(n_steps)) < 1:
            self._one_likelihood_step(1 - share)
            yield self._report("anneal", total=total)
        report = self._report("anneal", force=True, total=state.step + self.n_adversarial)
        self._keep_last(report)
        if self.n_adversarial:
            state.restore(self.best_snapshot)
        self._enter("adversarial" if self.n_adversarial else "done")
        yield report

    def _keep_last(self, report: StepReport | None) -> None:
        """Have the weights of the last step, where they are hardly worse, stand for the best."""
        score = math.nan if report is None or report.validation is None else report.validation
        if score <= self.progress.best + NO_WORSE * abs(self.progress.best):
            self.best_snapshot = self.state.snapshot()

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
            self._sum(zip(("likelihood", "discriminator", "generator"), losses, strict=True))
            yield self._report("adversarial", total=total)
        report = self._report("adversarial", force=True, total=total)
        self.best_snapshot = state.snapshot()
        self._enter("done")
        yield report

    def _finish(self) -> None:
        """Leave the averaged best weights in the generator, ready to sample."""
        self.state.restore(self.best_snapshot)
        self.state.swap_average()
        self.state.generator.eval()
        self.state.detach_streams()

    def _enter(self, stage: Stage) -> None:
        self.progress.stage, self.progress.began, self.progress.began_seconds = stage, self.state.step, self.seconds

    def _annealed(self, n_steps: int) -> float:
        """Share of the anneal stage that is over, by steps or by seconds."""
        share = (self.state.step - self.progress.began) / n_steps
        if self.state.config.max_seconds is None:
            return share
        began = self.progress.began_seconds
        return max(share, (self.seconds - began) / max(self._likelihood_budget() - began, 1e-9))

    def _one_likelihood_step(self, rate: float) -> None:
        _set_rate(self.state.generator_optimizer, rate * self.progress.rate_scale * self.state.config.generator_lr)
        with _repeatable(self.state.device):
            loss = likelihood_step(self.state)
        self._sum([("likelihood", loss)])

    def _sum(self, losses: Iterable[tuple[str, Tensor]]) -> None:
        for name, loss in losses:
            self.sums[name] = self.sums[name] + loss if name in self.sums else loss
        self.progress.n_summed += 1
        self.state.step += 1

    def _report(self, phase: str, *, force: bool = False, total: int | None = None) -> StepReport | None:
        step, progress = self.state.step, self.progress
        evaluate = force or step % self.evaluate_every == 0
        if not evaluate and step % REPORT_EVERY:
            return None
        losses = {name: float(value) / max(progress.n_summed, 1) for name, value in self.sums.items()}
        self.sums, progress.n_summed = {}, 0
        if not all(math.isfinite(value) for value in losses.values()):
            self._recover()
            evaluate = False
        numbers = self._diagnostics(losses)
        alarms = self.monitor.observe(step, total or self.n_steps, numbers)
        validation = self._validate() if evaluate else None
        return StepReport(
            step, total or self.n_steps, self.seconds, phase, losses, validation, progress.best, numbers, alarms
        )

    def _diagnostics(self, losses: Mapping[str, float]) -> dict[str, float]:
        """Gradient norms, and the probability that the discriminator gives to the right answer (geometric mean)."""
        numbers = {"likelihood_gradient": gradient_share(self.state.generator)}
        if "discriminator" not in losses:
            return numbers
        balance = math.exp(-losses["discriminator"])
        return numbers | {
            "discriminator_gradient": gradient_share(self.state.discriminator),
            "discriminator_accuracy": balance,
        }

    def _validate(self) -> float:
        """Measure the held-out likelihood, and keep the weights where it is the best."""
        score, progress = self._held_out_score(), self.progress
        progress.n_worse += 1
        # Without held-out rows the last weights are the best, as far as they are numbers.
        if score < progress.best or self.held_out is None:
            snapshot = self.state.snapshot()
            if not snapshot.finite():
                self._recover()
                return math.nan
            progress.best = progress.best if math.isnan(score) else score
            progress.best_step, progress.n_worse = self.state.step, 0
            self.best_snapshot = snapshot
        return score

    def _held_out_score(self) -> float:
        if self.held_out is None:
            return math.nan
        state = self.state
        state.swap_average()
        state.generator.eval()
        with torch.no_grad():
            codes, cells = hidden_likelihood(state.generator, *self.held_out)
        state.generator.train()
        state.swap_average()
        return float(codes + cells)

    def _recover(self) -> None:
        progress = self.progress
        progress.recoveries += 1
        if progress.recoveries > MAX_RECOVERIES:
            kept = f"The weights of step {progress.best_step} are kept. " if progress.best_step else ""
            raise DivergedError(
                f"training diverged: step {self.state.step} has no finite loss after {MAX_RECOVERIES} restarts. {kept}"
                "Lower generator_lr, or look for extreme values in the table",
                kept=progress.best_step > 0,
            )
        progress.rate_scale /= 3
        logger.warning("loss not finite at step %d: back to step %d, rate lowered", self.state.step, progress.best_step)
        self.state.restore(self.best_snapshot)

    def _likelihood_budget(self) -> float:
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


def _held_out_questions(state: TrainState) -> tuple[Rows, Tensor, Tensor] | None:
    """The held-out rows with fixed masks, repeated to about `HELD_OUT_MASKS` rows; None where no row is held out."""
    n_rows = len(state.held_out)
    if not n_rows:
        return None
    index = torch.arange(max(n_rows, HELD_OUT_MASKS), device=state.device) % n_rows
    rows = state.held_out.rows(index)
    stream = torch_stream(state.streams["given"].initial_seed(), "held out masks", device=state.device)
    return rows, *draw_known(rows.codes, stream)
