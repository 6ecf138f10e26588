"""What a tuning found."""

from __future__ import annotations

import collections
import dataclasses
import json
import os
import statistics
from collections.abc import Mapping
from typing import Any

from synthgan.errors import InputError
from synthgan.tuning.config import to_toml, write_config

__all__ = ["TrialResult", "TuningResult"]


@dataclasses.dataclass(frozen=True, slots=True)
class TrialResult:
    """One setting that was tried.

    Parameters
    ----------
    number : int
        In the order of trying; 0 is the start.
    settings : dict
        The searched parameters.
    state : str
        ``"complete"``, ``"pruned"`` (given up on its held-out score half way) or ``"failed"``.
    score : float or None
        Held-out score with the tuning's own seed; None unless complete.
    scores : dict of int to float
        Held-out scores by seed, for the few that were tried with several; the tuning's own is 0.
    curve : tuple of (float, float)
        Share of the training done, and the held-out score that training itself measures, less its sign: more is better.
    seconds : float
    note : str
        Why it failed.
    """

    number: int
    settings: dict[str, Any]
    state: str
    score: float | None = None
    scores: dict[int, float] = dataclasses.field(default_factory=dict)
    curve: tuple[tuple[float, float], ...] = ()
    seconds: float = 0.0
    note: str = ""

    @property
    def mean(self) -> float | None:
        """Mean over the seeds that it was tried with; None unless complete."""
        return statistics.fmean(self.scores.values()) if self.scores else self.score


@dataclasses.dataclass(frozen=True)
class TuningResult:
    """What a tuning found.

    Parameters
    ----------
    model : str
        The synthesizer's class.
    trials : tuple of TrialResult
        In the order of trying.
    best : TrialResult
        The highest mean among those tried with every seed.
    fixed : dict
        Parameters that were not searched and differ from their defaults.
    space : dict
        What was searched, as plain values.
    importance : dict of str to float
        How much of the score's spread each parameter explains (fANOVA); empty with too few trials.
    run : dict
        Rows, seed, seconds, versions.
    """

    model: str
    trials: tuple[TrialResult, ...]
    best: TrialResult
    fixed: dict[str, Any]
    space: dict[str, Any]
    importance: dict[str, float]
    run: dict[str, Any]

    @property
    def start(self) -> TrialResult:
        """The settings that the tuning started from."""
        return self.trials[0]

    @property
    def settings(self) -> dict[str, Any]:
        """All settings to fit with: `fixed` and those of `best`."""
        return self.fixed | self.best.settings

    def to_toml(self) -> str:
        """Return the best settings as TOML, as ``synthgan fit --config`` takes them."""
        return to_toml(self.model, self.settings, self._about())

    def write_config(self, path: str | os.PathLike[str]) -> None:
        """Write `to_toml` to a file, whole or not at all."""
        write_config(path, self.model, self.settings, self._about())

    def _about(self) -> str:
        return f"held-out score {self.best.mean:.4f}, trial {self.best.number} of {len(self.trials)}"

    def to_dict(self) -> dict[str, Any]:
        """Return a JSON-ready dict."""
        return dataclasses.asdict(self) | {"start": dataclasses.asdict(self.start)}

    def to_json(self, *, indent: int | None = None) -> str:
        """Return the result as JSON text."""
        return json.dumps(self.to_dict(), allow_nan=False, ensure_ascii=False, indent=indent)

    @classmethod
    def from_dict(cls, data: Mapping[str, Any]) -> TuningResult:
        """Rebuild a result from `to_dict`'s output.

        Raises
        ------
        InputError
            When `data` is not such a dict.
        """
        try:
            values = {field.name: data[field.name] for field in dataclasses.fields(cls)}
            values["trials"] = tuple(_trial(trial) for trial in data["trials"])
            values["best"] = _trial(data["best"])
        except (KeyError, TypeError, ValueError, AttributeError) as error:
            raise InputError(f"this is no tuning result: {error!r}. Write it with TuningResult.to_json") from None
        return cls(**values)

    def summary(self) -> str:
        """Return a few lines of plain text: how many were tried, the start, the best."""
        counts = collections.Counter(trial.state for trial in self.trials)
        told = ", ".join(f"{count} {state}" for state, count in sorted(counts.items()))
        start = "failed" if self.start.mean is None else f"{self.start.mean:.4f}"
        found = ", ".join(f"{name} {_short(value)}" for name, value in self.best.settings.items())
        return (
            f"{len(self.trials)} settings tried: {told}\n"
            f"held-out score of the start {start}, of the best {self.best.mean:.4f}; real rows get 1\n"
            f"best: {found}"
        )


def _trial(data: Mapping[str, Any]) -> TrialResult:
    scores = {int(seed): score for seed, score in data["scores"].items()}  # JSON has texts for keys
    curve = tuple((share, score) for share, score in data["curve"])
    return TrialResult(**{**data, "scores": scores, "curve": curve})


def _short(value: Any) -> str:
    return f"{value:.3g}" if isinstance(value, float) else str(value)
