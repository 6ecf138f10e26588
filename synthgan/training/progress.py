"""Where a training stands, in plain numbers, and what it reports."""

from __future__ import annotations

import dataclasses
import math

__all__ = ["Progress", "StepReport"]


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
    phase: str
    losses: dict[str, float]
    validation: float | None
    best: float


@dataclasses.dataclass(slots=True)
class Progress:
    """The bookkeeping of a training between two steps.

    Parameters
    ----------
    stage : str
        ``"likelihood"``, ``"anneal"``, ``"adversarial"`` or ``"done"``.
    began : int
        Steps taken when the stage began.
    began_seconds : float
        Seconds of training when the stage began.
    best, best_step : float, int
        Lowest held-out score, and the steps taken when it was measured (0: never).
    n_worse : int
        Held-out scores since then.
    recoveries : int
        Times that training went back because a loss was not finite.
    rate_scale : float
        What the learning rates were lowered to by recoveries.
    n_summed : int
        Steps since the last report.
    seconds_before : float
        Seconds of training before this process took over.
    """

    stage: str = "likelihood"
    began: int = 0
    began_seconds: float = 0.0
    best: float = math.inf
    best_step: int = 0
    n_worse: int = 0
    recoveries: int = 0
    rate_scale: float = 1.0
    n_summed: int = 0
    seconds_before: float = 0.0
