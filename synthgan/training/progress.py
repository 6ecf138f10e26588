"""Where a training stands, in plain numbers, and what it reports."""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Mapping
from typing import Any, Self

from synthgan.training.monitor import Alarm

__all__ = ["Progress", "StepReport"]

STAGES = ("stand-ins", "likelihood", "anneal", "passes", "adversarial", "done")


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
        ``"stand-ins"``, ``"likelihood"``, ``"anneal"``, ``"passes"``, ``"adversarial"`` or ``"autoencoder"``.
    losses : dict of str to float
        Mean losses since the last report: ``"likelihood"`` (nats per hidden column), ``"discriminator"``,
        ``"generator"``.
    validation : float or None
        Score on rows held out, when just measured; less is better. SynthGAN: nats per hidden column of the averaged
        weights, while the network learns. Reference models: 1 minus `Gallery.compare`'s fidelity.
    best : float
        Lowest `validation` so far.
    diagnostics : dict of str to float
        What a `Monitor` is told: gradient norms, and at some steps the discriminator's accuracy, fidelity and variety.
    alarms : tuple of Alarm
        Raised since the last report.

    Examples
    --------
    >>> report = StepReport(20, 100, 0.5, "likelihood", {"likelihood": 1.5}, None, 1.4)
    >>> report.metrics()
    {'seconds': 0.5, 'likelihood': 1.5}
    """

    step: int
    n_steps: int
    seconds: float
    phase: str
    losses: dict[str, float]
    validation: float | None
    best: float
    diagnostics: dict[str, float] = dataclasses.field(default_factory=dict)
    alarms: tuple[Alarm, ...] = ()

    def metrics(self) -> dict[str, float]:
        """Return the numbers of this report by name, as experiment trackers take them."""
        measured = {} if self.validation is None else {"validation": self.validation}
        return {"seconds": self.seconds, **self.losses, **measured, **self.diagnostics}

    def flat(self) -> dict[str, Any]:
        """Return a row of a history: plain values by name, and the alarms as text."""
        plain = {name: getattr(self, name) for name in ("step", "n_steps", "seconds", "phase", "validation", "best")}
        return plain | self.losses | self.diagnostics | {"alarms": " ".join(map(str, self.alarms))}


@dataclasses.dataclass(slots=True)
class Progress:
    """The bookkeeping of a training between two steps.

    Parameters
    ----------
    stage : str
        ``"stand-ins"``, ``"likelihood"``, ``"anneal"``, ``"passes"``, ``"adversarial"`` or ``"done"``.
    began : int
        Steps taken when the stage began.
    began_seconds : float
        Seconds of training when the stage began.
    began_table : int
        Steps taken when the table itself began to be learned.
    best, best_step : float, int
        Lowest held-out score, and the steps taken when it was measured (0: never).
    n_worse : int
        Held-out scores since then.
    leg : int
        Legs of the likelihood stage that are over.
    leg_best, leg_learned : float
        The lowest held-out score, and the score of rows that are learned from, when the last of them was.
    score : float
        The last held-out score; of the late layer's questions in its stage, which are others.
    late_best : float
        Lowest of those.
    recoveries : int
        Times that training went back because a loss was not finite.
    rate_scale : float
        What the learning rates were lowered to by recoveries.
    n_summed : int
        Steps since the last report.
    seconds_before : float
        Seconds of training before this process took over.
    """

    stage: str = "stand-ins"
    began: int = 0
    began_seconds: float = 0.0
    began_table: int = 0
    best: float = math.inf
    best_step: int = 0
    n_worse: int = 0
    leg: int = 0
    leg_best: float = math.inf
    leg_learned: float = math.inf
    score: float = math.inf
    late_best: float = math.inf
    recoveries: int = 0
    rate_scale: float = 1.0
    n_summed: int = 0
    seconds_before: float = 0.0

    @classmethod
    def from_dict(cls, data: Mapping[str, Any]) -> Self:
        """Rebuild it from `dataclasses.asdict`.

        Raises
        ------
        TypeError, ValueError
            For fields that are missing, unknown, or of other types.
        """
        out = cls(**data)
        for field in dataclasses.fields(cls):
            value, default = getattr(out, field.name), field.default
            if field.name not in data or type(value) is not type(default):
                raise ValueError(f"{field.name} cannot be {value!r}")
        if out.stage not in STAGES:
            raise ValueError(f"no stage of a training: {out.stage!r}")
        return out
