"""How training goes, and what is wrong with it: the troubles of adversarial training, recognised and explained.

A `Monitor` hears plain numbers and answers with alarms. It knows the troubles that textbooks list: mode collapse,
vanishing and exploding gradients, a discriminator that overpowers the generator; and the end that they hope for, a
discriminator that cannot tell.
"""

from __future__ import annotations

import dataclasses
import math
from collections import deque
from collections.abc import Mapping
from typing import Any

__all__ = ["Alarm", "Limits", "Monitor"]

ADVICE = {
    "vanishing gradients": (
        "The generator is told next to nothing. Use the non-saturating, wgan-gp or relativistic loss in place of "
        "minimax, or slow the discriminator down (discriminator_lr, discriminator_steps)."
    ),
    "exploding gradients": "Lower generator_lr and discriminator_lr, or add a gradient penalty (loss='wgan-gp').",
    "overpowering discriminator": (
        "The discriminator recognises every row and the rows do not get better. Lower discriminator_lr or "
        "discriminator_steps, or use a loss with a gradient penalty (wgan-gp)."
    ),
    "mode collapse": (
        "The generator makes a few kinds of rows and leaves out others. Use wgan-gp or relativistic, a lower "
        "generator_lr, more discriminator_steps, or judge rows in groups (CTGAN's pac)."
    ),
}
"""What to do about each alarm."""


SMALL = 1e-8
"""Gradients below this share of the weights are usual for nobody."""


@dataclasses.dataclass(frozen=True, slots=True)
class Alarm:
    """One trouble, told once.

    Parameters
    ----------
    name : str
        ``"mode collapse"``, ``"vanishing gradients"``, ``"exploding gradients"`` or ``"overpowering discriminator"``.
    step : int
        When it was recognised.
    fact : str
        The numbers that show it.
    """

    name: str
    step: int
    fact: str

    @property
    def advice(self) -> str:
        """What to do about it."""
        return ADVICE[self.name]

    def __str__(self) -> str:
        return f"{self.name} at step {self.step:,}: {self.fact}. {self.advice}"


@dataclasses.dataclass(frozen=True, slots=True)
class Limits:
    """When a number is alarming.

    Parameters
    ----------
    patience : int
        Observations in a row that it takes; twice as many for an overpowering discriminator.
    grace : float
        Share of the training in which rows may still lack variety, because little has been learned.
    vanishing : float
        Norm of the generator's gradient, as a share of that of its weights, below which it has vanished.
    exploding : float
        Gradient norms above this many times their usual size have exploded.
    overpowering : float
        Accuracy of the discriminator on rows held out above which it overpowers, where fidelity does not rise.
    coverage, diversity : float
        Share of the real rows' groups that are reached, and distance of generated rows from each other as a share of
        the real rows', below which modes have collapsed.
    """

    patience: int = 4
    grace: float = 0.3
    vanishing: float = 2e-4
    exploding: float = 300.0
    overpowering: float = 0.98
    coverage: float = 0.6
    diversity: float = 0.35


class Monitor:
    """Listens to a training.

    Parameters
    ----------
    limits : Limits
        When to raise an alarm.

    Attributes
    ----------
    alarms : list of Alarm
        Every alarm so far, each kind once.
    converged_at : int or None
        The step since which the discriminator cannot tell: the interval of its accuracy on rows held out holds 0.5.

    Examples
    --------
    >>> monitor = Monitor()
    >>> for step in range(4):
    ...     raised = monitor.observe(step, 10, {"generator_gradient": 1e-9})
    >>> [alarm.name for alarm in raised]
    ['vanishing gradients']
    """

    def __init__(self, limits: Limits | None = None) -> None:
        self.limits = limits or Limits()
        self.alarms: list[Alarm] = []
        self.converged_at: int | None = None
        self._streaks: dict[str, int] = {}
        self._norms: dict[str, deque[float]] = {}
        self._best_fidelity = -math.inf

    def observe(
        self, step: int, n_steps: int, numbers: Mapping[str, float], *, final: bool = False
    ) -> tuple[Alarm, ...]:
        """Hear the numbers of a step; those that are not given are not judged.

        Parameters
        ----------
        step, n_steps : int
            Steps taken, and steps in all.
        numbers : mapping of str to float
            ``"generator_gradient"`` and ``"discriminator_gradient"`` (norms in the game, as a share of that of the
            weights), ``"likelihood_gradient"`` and ``"late_gradient"`` (the same where a likelihood is trained on, by
            all weights or by the late layer alone; they may well become small), ``"discriminator_accuracy"`` with
            ``"..._low"`` and ``"..._high"``, ``"fidelity"``, ``"mode_coverage"`` and ``"diversity"``; others are
            ignored.
        final : bool, default=False
            Whether these are of the finished model, whose lack of variety is alarming at once.

        Returns
        -------
        tuple of Alarm
            Those raised by this step.
        """
        before = len(self.alarms)
        self._gradients(step, numbers)
        if "discriminator_accuracy" in numbers:
            self._balance(step, numbers)
        if "mode_coverage" in numbers and step >= self.limits.grace * n_steps:
            self._variety(step, numbers, 1 if final else self.limits.patience)
        return tuple(self.alarms[before:])

    def state_dict(self) -> dict[str, Any]:
        """Return what it remembers, as plain values."""
        return {
            "alarms": [dataclasses.asdict(alarm) for alarm in self.alarms],
            "converged_at": self.converged_at,
            "streaks": dict(self._streaks),
            "norms": {who: list(seen) for who, seen in self._norms.items()},
            "best_fidelity": self._best_fidelity,
        }

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        """Go on from where `state_dict` was taken; KeyError, TypeError or ValueError for what it did not make."""
        self.alarms = [Alarm(str(kept["name"]), int(kept["step"]), str(kept["fact"])) for kept in state["alarms"]]
        self.converged_at = None if state["converged_at"] is None else int(state["converged_at"])
        self._streaks = {str(key): int(n) for key, n in state["streaks"].items()}
        self._norms = {str(who): deque(map(float, seen), maxlen=50) for who, seen in state["norms"].items()}
        self._best_fidelity = float(state["best_fidelity"])

    def _gradients(self, step: int, numbers: Mapping[str, float]) -> None:
        if "generator_gradient" in numbers:
            norm = numbers["generator_gradient"]
            fact = f"the generator's gradient is {norm:.1e} of its weights"
            self._judge("vanishing gradients", norm < self.limits.vanishing, step, fact)
        for who in ("generator", "discriminator", "likelihood", "late"):
            if f"{who}_gradient" not in numbers:
                continue
            norm, seen = numbers[f"{who}_gradient"], self._norms.setdefault(who, deque(maxlen=50))
            usual = sorted(seen)[len(seen) // 2] if len(seen) >= 5 else math.inf
            large = not math.isfinite(norm) or norm > self.limits.exploding * max(usual, SMALL)
            fact = f"the gradient of the {who} is {norm:.1e} of the weights, usually {usual:.1e}"
            self._judge("exploding gradients", large, step, fact, by=who)
            if not large:
                seen.append(norm)

    def _balance(self, step: int, numbers: Mapping[str, float]) -> None:
        accuracy = numbers["discriminator_accuracy"]
        fidelity = numbers.get("fidelity", -math.inf)
        better = fidelity > self._best_fidelity + 0.005
        self._best_fidelity = max(self._best_fidelity, fidelity)
        sure = accuracy >= self.limits.overpowering and not better
        fact = f"it ranks {accuracy:.1%} of unseen real rows above generated ones"
        # A critic may well be sure for a while: it takes twice as long to be a trouble.
        self._judge("overpowering discriminator", sure, step, fact, patience=2 * self.limits.patience)
        low, high = (numbers.get(f"discriminator_accuracy_{end}", accuracy) for end in ("low", "high"))
        undecided = low <= 0.5 <= high
        self.converged_at = (step if self.converged_at is None else self.converged_at) if undecided else None

    def _variety(self, step: int, numbers: Mapping[str, float], patience: int) -> None:
        coverage, diversity = numbers["mode_coverage"], numbers["diversity"]
        poor = coverage < self.limits.coverage or diversity < self.limits.diversity
        fact = f"{coverage:.0%} of the real rows' groups are reached, at {diversity:.0%} of their variety"
        self._judge("mode collapse", poor, step, fact, patience=patience)

    def _judge(self, name: str, bad: bool, step: int, fact: str, *, by: str = "", patience: int | None = None) -> None:
        """Raise an alarm once it has been bad so many times in a row."""
        key = name + by
        self._streaks[key] = self._streaks.get(key, 0) + 1 if bad else 0
        if self._streaks[key] >= (patience or self.limits.patience) and name not in (
            alarm.name for alarm in self.alarms
        ):
            self.alarms.append(Alarm(name, step, fact))
