"""The search: ask Optuna for settings, try them, give up early on bad ones, try the best few with more seeds."""

from __future__ import annotations

import importlib.metadata
import logging
import math
import time
from collections.abc import Callable, Collection, Iterator
from contextlib import contextmanager
from os import PathLike
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np

from synthgan.errors import InputError
from synthgan.rng import RandomState, resolve_seed
from synthgan.schema import ColumnName, Schema, infer_schema
from synthgan.schema.blanks import read_blanks
from synthgan.synthesizers.base import TableSynthesizer
from synthgan.synthesizers.frames import as_frame
from synthgan.training.config import check_number
from synthgan.tuning.result import TrialResult, TuningResult
from synthgan.tuning.scoring import Judge
from synthgan.tuning.space import Space, check_space, default_space, describe
from synthgan.tuning.study import Study

__all__ = ["tune"]

logger = logging.getLogger(__name__)

SEARCH_SHARE = 2 / 3
"""Of the seconds allowed: the rest is for trying the best few again."""


def tune(
    model: TableSynthesizer,
    X: Any,
    *,
    target: ColumnName | None = None,
    discrete_columns: Collection[ColumnName] | None = None,
    schema: Schema | None = None,
    space: Space | None = None,
    n_trials: int = 20,
    max_seconds: float | None = None,
    n_finalists: int = 3,
    n_seeds: int = 3,
    storage: str | PathLike[str] | None = None,
    random_state: RandomState = 0,
    callback: Callable[[TrialResult], bool | None] | None = None,
) -> TuningResult:
    """Search the settings of a synthesizer that suit a table.

    Each setting is fitted on two thirds of the rows and scored on the last third: how little boosted trees can tell the
    rows it draws from real ones. The first setting is `model` as it is, so nothing is lost by tuning but time. Settings
    whose held-out score falls behind the median of the others half way are given up; training losses are never looked
    at. In the end the best few are fitted again with other seeds, because the best of many tries is partly luck.

    Parameters
    ----------
    model : synthesizer
        Unfitted; what is not searched stays as it is.
    X : table
        As for ``model.fit``.
    target, discrete_columns, schema
        As for ``model.fit``; here `schema` is a whole one.
    space : mapping of str to Range or Choice, optional
        What to search; `default_space` by default.
    n_trials : int
        Settings to try, the start included and those in `storage` too.
    max_seconds : float, optional
        Seconds at most, of this call; two thirds of them for the search.
    n_finalists, n_seeds : int
        How many of the best are tried with how many seeds.
    storage : path, optional
        An SQLite file that holds every finished trial. A tuning that was cut off, by whatever means, goes on from it
        when called again with the same arguments. One process at a time.
    random_state : int, Generator or None
        For the split, the models and the search.
    callback : callable, optional
        Called with each finished trial; returning True ends the search.

    Returns
    -------
    TuningResult

    Raises
    ------
    ConfigError
        For a parameter out of range, a space that does not fit `model`, or a storage of another tuning.
    InputError
        Without Optuna; for a table of fewer than 60 rows; or when no setting at all could be fitted.

    Examples
    --------
    >>> import numpy as np, pandas as pd
    >>> from synthgan import SynthGAN
    >>> from synthgan.tuning import Range
    >>> rng = np.random.default_rng(0)
    >>> x = rng.normal(size=90)
    >>> table = pd.DataFrame({"x": x, "y": x + rng.normal(size=90)})
    >>> found = tune(SynthGAN(epochs=2), table, space={"hidden_dim": Range(16, 32)}, n_trials=2, n_seeds=1)
    >>> len(found.trials), found.start.settings
    (2, {'hidden_dim': None})
    """
    began = time.monotonic()
    optuna = _optuna()
    for name, value in (("n_trials", n_trials), ("n_finalists", n_finalists), ("n_seeds", n_seeds)):
        check_number(name, value, 1, math.inf, whole=True)
    check_number("max_seconds", max_seconds, 0, math.inf, optional=True)
    space = default_space(model) if space is None else dict(space)
    check_space(space, model)
    frame = read_blanks(as_frame(X)) if schema is None else as_frame(X)
    if target is not None and target not in frame.columns:
        raise InputError(f"the target {target!r} is not a column of the table; it has {list(frame.columns)}")
    schema = infer_schema(frame, discrete_columns=discrete_columns) if schema is None else schema
    seed = resolve_seed(random_state)
    judge = Judge(frame, schema, target, seed)
    fixed = _fixed(model, space)
    identity: dict[str, Any] = {"model": type(model).__name__, "fixed": {k: str(v) for k, v in fixed.items()}}
    identity |= {"space": describe(space), "table": judge.fingerprint(), "seed": seed, "target": str(target)}
    with _quiet(optuna):
        study = Study(optuna, None if storage is None else Path(storage), identity, space, seed)
        limit = math.inf if max_seconds is None else max_seconds
        interrupted = _search(study, judge, model, space, n_trials, began + SEARCH_SHARE * limit, callback)
        finalists = _finalists(study.trials(), n_finalists)
        if not interrupted:
            _score_again(study, judge, model, finalists, n_seeds, began + limit)
        trials = study.trials()
        importance = study.importance()
    return TuningResult(
        model=type(model).__name__,
        trials=tuple(trials),
        best=_best([trials[trial.number] for trial in finalists]),
        fixed=fixed,
        space=describe(space),
        importance=importance,
        run={
            "rows fitted": len(judge.train),
            "rows held out": len(judge.holdout),
            "random_state": seed,
            "seeds": n_seeds,
            "seconds": round(time.monotonic() - began, 1),
            "optuna": importlib.metadata.version("optuna"),
        },
    )


def _fixed(model: TableSynthesizer, space: Space) -> dict[str, Any]:
    """Return the settings of `model` that are neither searched nor its defaults, and that decide what is learned."""
    defaults = type(model)().get_params()
    left_out = {*space, "device", "verbose", "random_state", "max_seconds"}
    return {k: v for k, v in model.get_params().items() if k not in left_out and v != defaults[k]}


def _search(
    study: Study,
    judge: Judge,
    model: TableSynthesizer,
    space: Space,
    n_trials: int,
    deadline: float,
    callback: Callable[[TrialResult], bool | None] | None,
) -> bool:
    """Try settings until there are enough of them; return whether Ctrl-C ended it."""
    while len(done := study.trials()) < n_trials and (not done or time.monotonic() < deadline):
        if not done:  # the start: it has to be finished, whatever it takes
            settings = {name: model.get_params()[name] for name in space}
            attempt = judge.attempt(model, settings, 0)
        else:
            trial, settings = study.ask()
            attempt = judge.attempt(model, settings, 0, trial.give_up, deadline)
        if attempt.state == "interrupted":
            return True
        if not done:
            study.add(settings, attempt)
        else:
            study.tell(trial, attempt)
        found = study.trials()[-1]
        logger.info("trial %d of %d: %s, score %s", found.number, n_trials, found.state, found.score)
        if callback is not None and callback(found):
            break
    return False


def _finalists(trials: list[TrialResult], n_finalists: int) -> list[TrialResult]:
    complete = [trial for trial in trials if trial.score is not None]
    if not complete:
        why = next((trial.note for trial in trials if trial.note), "no time for the first")
        raise InputError(f"no setting could be fitted and scored: {why}. Give more seconds, or another space")
    return sorted(complete, key=lambda trial: (-(trial.score or 0), trial.number))[:n_finalists]


def _score_again(
    study: Study, judge: Judge, model: TableSynthesizer, finalists: list[TrialResult], n_seeds: int, deadline: float
) -> None:
    for number in range(1, n_seeds):
        for trial in finalists:
            if number in study.trials()[trial.number].scores:
                continue
            attempt = judge.attempt(model, trial.settings, number, deadline=deadline)
            if attempt.state == "interrupted" or attempt.note == "out of time":
                return
            study.score_again(trial.number, number, attempt.score or 0.0)


def _best(finalists: list[TrialResult]) -> TrialResult:
    """Return the finalist with the highest mean over the seeds that all of them were tried with."""
    common = set.intersection(*(set(trial.scores) for trial in finalists))
    return max(finalists, key=lambda trial: float(np.mean([trial.scores[seed] for seed in common])))


def _optuna() -> ModuleType:
    try:
        import optuna
    except ImportError:
        raise InputError("tuning needs optuna, which is not installed: pip install 'synthgan[tune]'") from None
    return optuna  # type: ignore[no-any-return,unused-ignore]


@contextmanager
def _quiet(optuna: ModuleType) -> Iterator[None]:
    """Keep Optuna's own log at warnings."""
    level = optuna.logging.get_verbosity()
    optuna.logging.set_verbosity(optuna.logging.WARNING)
    try:
        yield
    finally:
        optuna.logging.set_verbosity(level)
