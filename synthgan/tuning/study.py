"""Finished trials in memory or in a file, and which setting to try next: Optuna behind a narrow door."""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Mapping
from pathlib import Path
from types import ModuleType
from typing import Any

from synthgan.errors import ConfigError
from synthgan.tuning.result import TrialResult
from synthgan.tuning.scoring import Attempt
from synthgan.tuning.space import Choice, Range, Space

__all__ = ["Asked", "Study"]

NAME = "synthgan"
N_RANDOM = 5
"""Settings drawn at random before the sampler learns from them."""
N_FOR_IMPORTANCE = 4


@dataclasses.dataclass(frozen=True, slots=True)
class Asked:
    """A setting that Optuna wants to be tried.

    Parameters
    ----------
    trial : optuna.Trial
    """

    trial: Any

    def give_up(self, look: int, score: float) -> bool:
        """Note the held-out score at a look; return whether it is behind the median of the others there."""
        self.trial.report(score, look)
        return bool(self.trial.should_prune())


class Study:
    """The trials of one tuning.

    Parameters
    ----------
    optuna : module
    path : Path or None
        An SQLite file; None for memory.
    identity : dict
        What the tuning is about; a file about another one is refused.
    space : mapping of str to Range or Choice
    seed : int

    Raises
    ------
    ConfigError
        For a file of another tuning.
    """

    def __init__(
        self, optuna: ModuleType, path: Path | None, identity: Mapping[str, Any], space: Space, seed: int
    ) -> None:
        self._optuna = optuna
        self._space = {name: _distribution(optuna, it) for name, it in space.items()}
        storage = None if path is None else f"sqlite:///{path.absolute()}"
        try:
            self._study = optuna.create_study(
                storage=storage,
                study_name=NAME,
                direction="maximize",
                load_if_exists=True,
                pruner=optuna.pruners.MedianPruner(n_startup_trials=N_RANDOM, n_warmup_steps=5),
            )
        except optuna.exceptions.StorageInternalError as error:
            raise ConfigError(f"{path} cannot be used as a storage: {str(error).splitlines()[0]}") from None
        told = json.dumps(identity, sort_keys=True)
        if self._study.user_attrs.setdefault("identity", told) != told:
            was = json.loads(self._study.user_attrs["identity"])
            other = ", ".join(key for key, value in json.loads(told).items() if was.get(key) != value)
            raise ConfigError(f"{path} holds a tuning with another {other}; name another storage, or remove the file")
        self._study.set_user_attr("identity", told)
        # A resumed search must not draw again what it drew before.
        n_known = len(self._study.get_trials(deepcopy=False))
        self._study.sampler = optuna.samplers.TPESampler(seed=(seed + n_known) % 2**32, n_startup_trials=N_RANDOM)
        self._take_up_again()

    def _take_up_again(self) -> None:
        """Put what was being tried when the last process died at the head of the queue."""
        running = self._optuna.trial.TrialState.RUNNING
        for trial in self._study.get_trials(deepcopy=False, states=(running,)):
            self._study.tell(trial.number, state=self._optuna.trial.TrialState.FAIL)
            self._study.enqueue_trial(trial.params)

    def ask(self) -> tuple[Asked, dict[str, Any]]:
        """Return the next setting to try."""
        trial = self._study.ask(fixed_distributions=self._space)
        return Asked(trial), dict(trial.params)

    def tell(self, asked: Asked, attempt: Attempt) -> None:
        """Note what became of a setting."""
        for key, value in _notes(asked.trial.params, attempt).items():
            asked.trial.set_user_attr(key, value)
        self._study.tell(asked.trial, attempt.score, state=self._state(attempt))

    def add(self, settings: Mapping[str, Any], attempt: Attempt) -> None:
        """Note the start, which may lie outside the space."""
        inside = {name: value for name, value in settings.items() if _holds(self._space[name], value)}
        trial = self._optuna.trial.create_trial(
            params=inside,
            distributions={name: self._space[name] for name in inside},
            value=attempt.score,
            state=self._state(attempt),
            user_attrs=_notes(settings, attempt),
        )
        self._study.add_trial(trial)

    def score_again(self, number: int, seed: int, score: float) -> None:
        """Note a score with another seed."""
        scores = self._study.user_attrs.get("scores", {})
        scores = scores | {str(number): scores.get(str(number), {}) | {str(seed): score}}
        self._study.set_user_attr("scores", scores)

    def trials(self) -> list[TrialResult]:
        """Return the finished trials; those that a dying process left behind are none."""
        again = self._study.user_attrs.get("scores", {})
        found: list[TrialResult] = []
        for trial in self._study.get_trials(deepcopy=False):
            notes = trial.user_attrs
            if "settings" not in notes or not trial.state.is_finished():
                continue
            number, score = len(found), trial.value if notes["state"] == "complete" else None
            scores = {} if score is None else {0: score}
            scores |= {int(seed): value for seed, value in again.get(str(number), {}).items()}
            curve = tuple((share, value) for share, value in notes["curve"])
            found.append(
                TrialResult(
                    number, notes["settings"], notes["state"], score, scores, curve, notes["seconds"], notes["note"]
                )
            )
        return found

    def importance(self) -> dict[str, float]:
        """Return how much of the spread of the scores each parameter explains; empty with too few trials."""
        complete = self._optuna.trial.TrialState.COMPLETE
        whole = [
            trial
            for trial in self._study.get_trials(deepcopy=False, states=(complete,))
            if set(trial.params) == set(self._space)
        ]
        if len(whole) < N_FOR_IMPORTANCE or len({trial.value for trial in whole}) < 2:
            return {}
        study = self._optuna.create_study(direction="maximize")
        study.add_trials(whole)
        evaluator = self._optuna.importance.FanovaImportanceEvaluator(seed=0)
        found = self._optuna.importance.get_param_importances(study, evaluator=evaluator)
        return {name: round(float(value), 4) for name, value in found.items()}

    def _state(self, attempt: Attempt) -> Any:
        states = self._optuna.trial.TrialState
        return {"complete": states.COMPLETE, "pruned": states.PRUNED, "failed": states.FAIL}[attempt.state]


def _notes(settings: Mapping[str, Any], attempt: Attempt) -> dict[str, Any]:
    return {
        "settings": dict(settings),
        "state": attempt.state,
        "curve": [list(point) for point in attempt.curve],
        "seconds": attempt.seconds,
        "note": attempt.note,
    }


def _distribution(optuna: ModuleType, it: Range | Choice) -> Any:
    if isinstance(it, Choice):
        return optuna.distributions.CategoricalDistribution(it.options)
    kind = optuna.distributions.IntDistribution if it.whole else optuna.distributions.FloatDistribution
    return kind(it.low, it.high, log=it.log)


def _holds(distribution: Any, value: Any) -> bool:
    if hasattr(distribution, "choices"):
        return value in distribution.choices
    return isinstance(value, (int, float)) and distribution.low <= value <= distribution.high
