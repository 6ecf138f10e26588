"""Did generated rows help? The measurement as a whole: folds, arms, files to resume from, and the verdict."""

from __future__ import annotations

import dataclasses
import hashlib
import importlib.metadata
import json
import os
import platform
import time
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

import joblib
import numpy as np
import pandas as pd

from synthgan.augmentation.fold import CHEAP_ARMS, Problem, run_fold
from synthgan.augmentation.generate import Generator, fresh
from synthgan.augmentation.learners import LEARNERS
from synthgan.augmentation.splits import Fold, make_folds
from synthgan.augmentation.store import FoldStore
from synthgan.augmentation.strategy import RECIPES, Recipe
from synthgan.errors import ConfigError, InputError
from synthgan.evaluation.gain import GainReport, conclude
from synthgan.rng import RandomState, resolve_seed
from synthgan.schema import ColumnName
from synthgan.schema.blanks import read_blanks
from synthgan.synthesizers.frames import as_frame

__all__ = ["MAX_CLASSES", "GainProgress", "augmentation_gain"]

MAX_CLASSES = 20
MIN_ROWS = 30
MIN_CLASS_ROWS = 6


@dataclasses.dataclass(frozen=True, slots=True)
class GainProgress:
    """How far the measurement is.

    Parameters
    ----------
    done, total : int
        Folds.
    seconds : float
        Gone by in this call.
    seconds_left : float
        Estimated from the folds of this call.
    """

    done: int
    total: int
    seconds: float
    seconds_left: float


def augmentation_gain(
    frame: Any,
    target: ColumnName,
    *,
    learners: Sequence[str] = LEARNERS,
    arms: Sequence[str] = CHEAP_ARMS,
    recipes: Sequence[str | float] = RECIPES,
    n_grid: Sequence[int | None] = (None,),
    repeats: int = 5,
    n_folds: int = 2,
    max_test_rows: int = 5000,
    generator: Generator | None = None,
    folder: str | os.PathLike[str] | None = None,
    n_jobs: int = 1,
    max_seconds: float | None = None,
    callback: Callable[[GainProgress], None] | None = None,
    random_state: RandomState = 0,
) -> GainReport:
    """Measure whether adding generated rows helps classifiers, against every cheap way of getting the same.

    In each fold of repeated cross-validation everything is fitted on training rows only: the generator, the encoding,
    the learners, the thresholds, and what is generated. The rows tested on are real and unseen. All arms share
    folds and seeds. See docs/augmentation.md for the protocol and `synthgan.evaluation.paired` for the inference.

    Parameters
    ----------
    frame : DataFrame, polars DataFrame or pyarrow Table
        Real rows. Those without a target are left out.
    target : column name
        Classes, at most 20.
    learners : sequence of str
        Some of `LEARNERS`.
    arms : sequence of str
        Cheap rivals, some of `CHEAP_ARMS`; ``"none"`` is always among them.
    recipes : sequence of str or float
        What the generator may add, see `Recipe`. Validation rows inside each training fold choose: the first, unless
        another is better by more than two standard errors.
    n_grid : sequence of int or None
        A learning curve: training rows to thin the training folds out to; None is all of them.
    repeats, n_folds : int
        Repeats of stratified cross-validation, and its folds.
    max_test_rows : int
        Test rows of a fold at most.
    generator : estimator, optional
        Another synthesizer than `SynthGAN` without a critic. It is copied unfitted for each fit, with one generator
        and no stand-ins unless its `n_members` and `stand_ins` say otherwise.
    folder : path, optional
        Where finished folds are kept. A call with the same data and settings goes on where the last one ended, however
        it ended; a folder of another measurement is refused.
    n_jobs : int
        Folds side by side (joblib). The numbers do not depend on it.
    max_seconds : float, optional
        After so many seconds no new fold is begun; the report says how many are in it.
    callback : callable, optional
        Called with a `GainProgress` after each fold.
    random_state : int, Generator or None

    Returns
    -------
    GainReport

    Raises
    ------
    InputError
        When the target cannot be classified, a table is too small, or `folder` holds another measurement.
    ConfigError
        For a parameter out of range.

    Examples
    --------
    >>> from synthgan import SynthGAN, load_dataset
    >>> report = augmentation_gain(
    ...     load_dataset("penguins"), "species", learners=["logistic regression"], recipes=[0.5], repeats=1,
    ...     generator=SynthGAN(epochs=1), n_grid=[60],
    ... )
    >>> report.verdict
    'no evidence of gain'
    """
    seed = resolve_seed(random_state)
    settings = _checked(learners, arms, recipes, n_grid, repeats, n_folds, max_test_rows)
    problem, notes = _problem(frame, target, settings, generator, seed)
    sizes, skipped = _sizes(settings["n_grid"], len(problem.y), n_folds)
    folds = make_folds(problem.y, sizes, repeats, n_folds, max_test_rows, seed)
    # How results are made, not how fast: this is what a folder's results must agree on.
    identity = settings | {"target": str(target), "seed": seed, "data": _fingerprint(problem.frame)}
    identity |= {"generator": repr(fresh(generator, 0)), "versions": _versions()}
    store = None if folder is None else FoldStore(Path(folder), identity)
    done = _run(problem, folds, store, n_jobs, max_seconds, callback)
    results = [done[fold.name] for fold in folds if fold.name in done]
    notes += [*skipped, *dict.fromkeys(note for result in results for note in result["notes"])]
    run = {
        "rows": len(problem.y),
        "classes": {str(label): count for label, count in _class_counts(problem).items()},
        "folds_done": len(results),
        "folds_planned": len(folds),
        **identity,
        "notes": notes,
        "seconds": round(sum(result["seconds"] for result in results), 1),
    }
    return conclude(results, problem.arms, run)


def _checked(
    learners: Sequence[str],
    arms: Sequence[str],
    recipes: Sequence[str | float],
    n_grid: Sequence[int | None],
    repeats: int,
    n_folds: int,
    max_test_rows: int,
) -> dict[str, Any]:
    for what, given, known in (("learners", learners, LEARNERS), ("arms", arms, CHEAP_ARMS)):
        if isinstance(given, str) or not given or (unknown := [name for name in given if name not in known]):
            wrong = given if isinstance(given, str) else unknown
            raise ConfigError(f"{what} are some of {', '.join(known)}; got {wrong}")
    if isinstance(recipes, str) or not recipes:
        raise ConfigError(f"recipes are a list of at least one; got {recipes!r}")
    for name, value, least in (("repeats", repeats, 1), ("n_folds", n_folds, 2), ("max_test_rows", max_test_rows, 2)):
        if isinstance(value, bool) or not isinstance(value, (int, np.integer)) or value < least:
            raise ConfigError(f"{name} must be a whole number from {least}; got {value!r}")
    if not n_grid or not all(n is None or (isinstance(n, (int, np.integer)) and n >= MIN_ROWS) for n in n_grid):
        raise ConfigError(f"n_grid is a list of numbers of rows from {MIN_ROWS}, or None for all; got {n_grid!r}")
    return {
        "learners": list(learners),
        "arms": ["none", *(arm for arm in arms if arm != "none")],
        "recipes": list(dict.fromkeys(Recipe.read(recipe).name for recipe in recipes)),
        "n_grid": [None if n is None else int(n) for n in n_grid],
        "repeats": int(repeats),
        "n_folds": int(n_folds),
        "max_test_rows": int(max_test_rows),
    }


def _problem(
    table: Any, target: ColumnName, settings: dict[str, Any], generator: Generator | None, seed: int
) -> tuple[Problem, list[str]]:
    frame = read_blanks(as_frame(table))
    if target not in frame:
        raise InputError(f"the target {target!r} is not a column of the table; it has {list(frame.columns)}")
    known = frame[target].notna().to_numpy()
    notes = [] if known.all() else [f"{int((~known).sum())} rows without a target were left out"]
    frame = frame[known].reset_index(drop=True)
    if len(frame) < MIN_ROWS:
        raise InputError(f"a gain cannot be measured on fewer than {MIN_ROWS} rows; the table has {len(frame)}")
    codes, labels = pd.factorize(frame[target], sort=True)
    if not 2 <= len(labels) <= MAX_CLASSES:
        raise InputError(
            f"the target {target!r} has {len(labels)} values; a gain is measured for classes, from 2 to {MAX_CLASSES}: "
            "cut a number into ranges first"
        )
    counts = np.bincount(codes)
    if small := [f"{label!r} has {n}" for label, n in zip(labels, counts, strict=True) if n < MIN_CLASS_ROWS]:
        notes.append(
            f"classes of fewer than {MIN_CLASS_ROWS} rows, which some folds may lack altogether: {', '.join(small)}"
        )
    problem = Problem(
        frame=frame,
        target=target,
        y=codes.astype(np.int64),
        n_classes=len(labels),
        positive=int(np.argmin(counts)),
        learners=tuple(settings["learners"]),
        arms=tuple(settings["arms"]),
        recipes=tuple(Recipe.read(name) for name in settings["recipes"]),
        generator=generator,
        seed=seed,
    )
    return problem, notes


def _class_counts(problem: Problem) -> dict[Any, int]:
    return {label: int(count) for label, count in problem.frame[problem.target].value_counts().items()}


def _sizes(n_grid: Sequence[int | None], n_rows: int, n_folds: int) -> tuple[list[int | None], list[str]]:
    """Return the sizes that the table has rows for, and a note of the others."""
    most = n_rows - -(-n_rows // n_folds)
    kept = [n for n in dict.fromkeys(n_grid) if n is None or n < most]
    missed = [n for n in n_grid if n is not None and n >= most]
    notes = [f"no training fold has more than {most} rows, so {missed} of the grid were left out"] if missed else []
    return kept or [None], notes


def _fingerprint(frame: pd.DataFrame) -> str:
    digest = hashlib.sha256(json.dumps([str(name) for name in frame.columns]).encode())
    digest.update(pd.util.hash_pandas_object(frame, index=False).to_numpy().tobytes())
    return digest.hexdigest()[:16]


def _versions() -> dict[str, str]:
    packages = ("synthgan", "torch", "scikit-learn", "numpy", "pandas")
    return {"python": platform.python_version()} | {name: importlib.metadata.version(name) for name in packages}


def _measure(problem: Problem, fold: Fold, store: FoldStore | None) -> dict[str, Any]:
    result = run_fold(problem, fold)
    if store is not None:
        store.write(result)
    return result


def _run(
    problem: Problem,
    folds: Sequence[Fold],
    store: FoldStore | None,
    n_jobs: int,
    max_seconds: float | None,
    callback: Callable[[GainProgress], None] | None,
) -> dict[str, dict[str, Any]]:
    """Return fold name -> result, from disk or measured now."""
    began = time.monotonic()
    kept = {fold.name: found for fold in folds if store and (found := store.read(fold)) is not None}
    open_folds = [fold for fold in folds if fold.name not in kept]

    def jobs() -> Iterator[Any]:
        for i, fold in enumerate(open_folds):
            late = max_seconds is not None and time.monotonic() - began > max_seconds
            if late and (i or kept):
                return
            yield joblib.delayed(_measure)(problem, fold, store)

    results = dict(kept)
    pool = joblib.Parallel(n_jobs=n_jobs, return_as="generator_unordered", pre_dispatch="n_jobs", batch_size=1)
    for result in pool(jobs()):
        results[result["name"]] = result
        if callback is not None:
            seconds, now_done = time.monotonic() - began, len(results) - len(kept)
            left = seconds / now_done * (len(folds) - len(results))
            callback(GainProgress(len(results), len(folds), seconds, left))
    # As files give it back, so that a resumed report is the same to the last digit.
    return {name: json.loads(json.dumps(result)) for name, result in results.items()}
