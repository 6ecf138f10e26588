"""What a training has measured so far, and the best weights of it."""

from __future__ import annotations

import dataclasses
import logging
import math
import time
from collections.abc import Iterable, Mapping
from typing import Any

from torch import Tensor

from synthgan.errors import DivergedError
from synthgan.training.monitor import Monitor
from synthgan.training.progress import Progress, StepReport
from synthgan.training.questions import Questions
from synthgan.training.rounds import gradient_share
from synthgan.training.state import Snapshot, TrainState, check_moments

__all__ = ["Record"]

logger = logging.getLogger(__name__)

REPORT_EVERY = 20

NO_WORSE = 0.002
"""The weights at the end of an annealing are kept, rather than the best, where their held-out score is at most
this share above the best: longer training shows in sharper dependences while the likelihood stands still."""

MAX_RECOVERIES = 3


class Record:
    """Losses, held-out scores and alarms of a training; keeps its best weights, and goes back to them.

    Whatever a stage has to remember from one step to the next is in `progress`, `sums` or `best_snapshot`, never in a
    local variable: that is what makes `state_dict` complete.

    Parameters
    ----------
    state : TrainState
        What is trained.
    n_steps, n_watched : int
        Steps at most, and those of them that the held-out score is measured during.

    Attributes
    ----------
    held_out, learned : Questions
        About the rows set aside, and about as many that are learned from.
    """

    def __init__(self, state: TrainState, n_steps: int, n_watched: int) -> None:
        self.state = state
        self.n_steps = n_steps
        self.evaluate_every = max(n_watched // 40, 10)
        self.progress = Progress()
        self.monitor = Monitor()
        self.best_snapshot = state.snapshot()
        self.sums: dict[str, Tensor] = {}
        self.held_out = Questions(state, state.held_out, len(state.held_out))
        self.learned = Questions(state, state.train, self.held_out.n_rows)
        self._start = time.monotonic()

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

    def add(self, losses: Iterable[tuple[str, Tensor]]) -> None:
        """Count a step, and its losses by name."""
        for name, loss in losses:
            self.sums[name] = self.sums[name] + loss if name in self.sums else loss
        self.progress.n_summed += 1
        self.state.step += 1

    def report(self, phase: str, *, force: bool = False, total: int | None = None) -> StepReport | None:
        """Look at where training stands, every few steps or where forced to; `total` is how many steps it will take."""
        step, progress = self.state.step, self.progress
        evaluate = force or (phase != "stand-ins" and step % self.evaluate_every == 0)
        if not evaluate and step % REPORT_EVERY:
            return None
        losses = {name: float(value) / max(progress.n_summed, 1) for name, value in self.sums.items()}
        self.sums, progress.n_summed = {}, 0
        if not all(math.isfinite(value) for value in losses.values()):
            self._recover()
            evaluate = False
        numbers = self._diagnostics(losses)
        alarms = self.monitor.observe(step, total or self.n_steps, numbers)
        if evaluate:
            self.validate()
        # The late layer is asked other questions: its scores would look like a step back.
        validation = progress.score if evaluate and phase != "passes" else None
        return StepReport(
            step, total or self.n_steps, self.seconds, phase, losses, validation, progress.best, numbers, alarms
        )

    def _diagnostics(self, losses: Mapping[str, float]) -> dict[str, float]:
        """Gradient norms, and the probability that the discriminator gives to the right answer (geometric mean)."""
        learning = "late" if self.progress.stage == "passes" else "likelihood"
        numbers = {f"{learning}_gradient": gradient_share(self.state.generator)}
        if "discriminator" not in losses:
            return numbers
        balance = math.exp(-losses["discriminator"])
        return numbers | {
            "discriminator_gradient": gradient_share(self.state.discriminator),
            "discriminator_accuracy": balance,
        }

    def validate(self) -> None:
        """Measure the held-out likelihood, and keep the weights where it is the best."""
        progress, late = self.progress, self.progress.stage == "passes"
        progress.score = self.held_out.score(self.state, passes=late)
        progress.n_worse += 1
        # Without held-out rows the last weights are the best, as far as they are numbers.
        if progress.score < self._best or not self.held_out.n_rows:
            snapshot = self.state.snapshot()
            if not snapshot.finite():
                progress.score = math.nan
                self._recover()
                return
            if late:
                progress.late_best = min(progress.late_best, progress.score)
            else:
                progress.best = min(progress.best, progress.score)
            progress.best_step, progress.n_worse = self.state.step, 0
            self.best_snapshot = snapshot

    def keep_last(self) -> None:
        """Have the weights just measured, where they are hardly worse, stand for the best."""
        if self.progress.score <= self._best + NO_WORSE * abs(self._best):
            self.best_snapshot = self.state.snapshot()

    @property
    def _best(self) -> float:
        return self.progress.late_best if self.progress.stage == "passes" else self.progress.best

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
