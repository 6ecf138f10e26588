"""One fold of the gain measurement: every arm, every learner, everything fitted inside the training rows."""

from __future__ import annotations

import dataclasses
import functools
import time
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from threadpoolctl import threadpool_limits

from synthgan.augmentation import scores
from synthgan.augmentation.generate import ClassRows, Generator
from synthgan.augmentation.learners import Committee, Training, encode, fit, with_labels
from synthgan.augmentation.selection import POOL, Selection, choose_rows, selection_weights
from synthgan.augmentation.smote import smote_nc
from synthgan.augmentation.splits import Fold, stratified_parts
from synthgan.augmentation.strategy import Recipe, balanced
from synthgan.errors import InputError
from synthgan.evaluation.gain import CANDIDATE, CONTROL
from synthgan.rng import numpy_stream
from synthgan.schema import ColumnName

__all__ = ["CHEAP_ARMS", "Problem", "run_fold"]

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]

CHEAP_ARMS = (
    "none",
    "duplicate",
    "random oversampling",
    "class weights",
    "SMOTE-NC",
    "independent columns",
    CONTROL,
)
"""What augmentation is held against. ``duplicate`` repeats as many real rows as the generator adds: the size-matched
null. The last one is no rival but a control: it tells what the committee's labels are worth without a generator."""

INNER_PARTS = 3  # one of which is the validation part


@dataclasses.dataclass(frozen=True, slots=True)
class Problem:
    """What is measured, the same for every fold.

    Parameters
    ----------
    frame : DataFrame
        All rows, target included, none of them without a class.
    target : column name
    y : ndarray of int64, shape (n,)
        Class codes.
    n_classes, positive : int
        With two classes `positive` is the rarer one.
    learners, arms : tuple of str
    recipes : tuple of Recipe
        What the generator may add; validation rows choose.
    generator : Generator or None
    seed : int
    """

    frame: pd.DataFrame
    target: ColumnName
    y: Ints
    n_classes: int
    positive: int
    learners: tuple[str, ...]
    arms: tuple[str, ...]
    recipes: tuple[Recipe, ...]
    generator: Generator | None
    seed: int


class _Stage:
    """Rows to learn from and rows to test on, with every arm's training rows made from the former alone."""

    def __init__(self, problem: Problem, learn: Ints, test: Ints, seed: int) -> None:
        self._problem, self._seed = problem, seed
        self.y, self.y_test = problem.y[learn], problem.y[test]
        self.shares = np.bincount(self.y, minlength=problem.n_classes) / len(self.y)
        self._counts = {code: int(n) for code, n in enumerate(np.bincount(self.y)) if n}
        real = problem.frame.iloc[learn].reset_index(drop=True)
        features = real.drop(columns=problem.target)
        model = ClassRows(problem.generator, features, self.y, seed)
        wanted = [recipe.counts(self._counts) for recipe in problem.recipes if not recipe.labelled]
        most = {code: POOL * max((counts[code] for counts in wanted), default=0) for code in self._counts}
        generated, self._generated_y = model.draw(most)
        ratio = max((recipe.ratio for recipe in problem.recipes if recipe.labelled), default=0.0)
        frames = {"real": features, "generated": generated, "free": model.draw_free(round(ratio * len(real)))}
        matrices = encode(frames | {"test": problem.frame.iloc[test]})
        if not matrices.categorical:
            raise InputError(
                f"no column but ids, texts and constants to predict {problem.target!r} from; a classifier needs one"
            )
        self._x, self._categorical = matrices.x, matrices.categorical
        rng = numpy_stream(seed, "gain/independent columns")
        n_free = max(len(real), len(self._x["free"]))
        picks = rng.integers(len(real), size=(n_free, self._x["real"].shape[1]))
        self._x["independent"] = np.take_along_axis(self._x["real"], picks, axis=0)
        # What takes long to make, kept for the next learner.
        self._labels: dict[str, Floats] = {}
        self._weights: dict[Selection, Floats | None] = {}

    def training(self, arm: str, recipe: Recipe) -> Training:
        """Return the training rows of an arm; `recipe` says how many rows are generated or repeated, and how."""
        x, y = self._x["real"], self.y
        rng = numpy_stream(self._seed, f"gain/{arm} {recipe.name}")
        if arm == "none" or (arm == CANDIDATE and recipe.name == "none"):
            return Training(x, y)
        if arm == "class weights":
            weight = len(y) / (len(self._counts) * np.bincount(y)[y])
            return Training(x, y, weight)
        if arm == CANDIDATE and recipe.labelled:
            return self._labelled("free", round(recipe.ratio * len(y)))
        if arm == CONTROL:
            return self._labelled("independent", round(recipe.ratio * len(y)) if recipe.labelled else len(y))
        if arm == CANDIDATE:
            pool = Training(self._x["generated"], self._generated_y)
            kept = choose_rows(self._worth(recipe.choose_by), pool.y, recipe.counts(self._counts), self._seed)
            more, labels = pool.x[kept], pool.y[kept]
        elif arm == "SMOTE-NC":
            more, labels = smote_nc(x, y, self._categorical, balanced(self._counts), rng)
        elif arm == "independent columns":
            more, labels = self._x["independent"][: len(y)], y[rng.integers(len(y), size=len(y))]
        else:  # random oversampling and duplicate
            wanted = balanced(self._counts) if arm == "random oversampling" else recipe.counts(self._counts)
            picks = np.concatenate([rng.choice(np.flatnonzero(y == code), size=n) for code, n in wanted.items()])
            more, labels = x[picks], y[picks]
        return Training(np.concatenate([x, more]), np.concatenate([y, labels]))

    def _worth(self, choose_by: Selection) -> Floats | None:
        if choose_by not in self._weights:
            real, pool = Training(self._x["real"], self.y), Training(self._x["generated"], self._generated_y)
            self._weights[choose_by] = selection_weights(
                choose_by, real, pool, self._categorical, lambda rows: self._committee(rows), self._seed
            )
        return self._weights[choose_by]

    @functools.cached_property
    def _committee(self) -> Committee:
        return Committee(Training(self._x["real"], self.y), self._categorical, self._problem.n_classes, self._seed)

    def _labelled(self, source: str, n_rows: int) -> Training:
        real, rows = Training(self._x["real"], self.y), self._x[source]
        if source not in self._labels:
            self._labels[source] = self._committee(rows)
        return with_labels(real, rows[:n_rows], self._labels[source][:n_rows])

    def probabilities(self, learner: str, training: Training) -> tuple[Floats, Floats]:
        """Return a learner's probabilities on the test rows: as they are, and with the prior corrected."""
        n_classes = self._problem.n_classes
        raw = fit(learner, training, self._categorical, n_classes, self._seed)(self._x["test"])
        return raw, scores.correct_prior(raw, training.shares(n_classes), self.shares)


def run_fold(problem: Problem, fold: Fold) -> dict[str, Any]:
    """Measure every arm with every learner on one fold.

    The training rows are divided once more: thresholds and the recipe are chosen on a validation third with
    everything, generator included, fitted on the other two thirds; then all is fitted anew on all training rows.

    Returns
    -------
    dict
        JSON-ready: ``scores[learner][arm][metric]``, the recipes chosen, and what could not be measured.
    """
    began = time.perf_counter()
    index = fold.repeat * 1000 + fold.number
    seed = int(numpy_stream(problem.seed, f"gain/fold {fold.n_rows}", index).integers(2**31))
    parts = stratified_parts(problem.y[fold.train], INNER_PARTS, numpy_stream(seed, "gain/validation"))
    # One thread, so that the numbers do not depend on how many folds run side by side.
    with threadpool_limits(limits=1):
        inner = _Stage(problem, fold.train[parts > 0], fold.train[parts == 0], seed)
        outer = _Stage(problem, fold.train, fold.test, seed + 1)
        found: dict[str, Any] = {"scores": {}, "chosen": {}, "validation": {}, "notes": []}
        for learner in problem.learners:
            _measure(problem, learner, inner, outer, found)
    return found | {
        "name": fold.name,
        "n_rows": fold.n_rows,
        "rows_learned": len(fold.train),
        "rows_tested": len(fold.test),
        "seconds": round(time.perf_counter() - began, 1),
    }


def _measure(problem: Problem, learner: str, inner: _Stage, outer: _Stage, found: dict[str, Any]) -> None:
    """Score one learner with every arm; add to `found`."""
    options: dict[Recipe, tuple[scores.Decision, Floats]] = {}
    for recipe in problem.recipes:
        try:
            options[recipe] = _tuned(problem, learner, inner, CANDIDATE, recipe)
        except InputError as error:
            found["notes"].append(f"{recipe.name}: {error}")
    chosen = _choose({recipe: losses for recipe, (_, losses) in options.items()})
    results = {CANDIDATE: _scored(problem, learner, outer, CANDIDATE, chosen, options[chosen][0])}
    for arm in problem.arms:
        try:
            decision, _ = _tuned(problem, learner, inner, arm, chosen)
            results[arm] = _scored(problem, learner, outer, arm, chosen, decision)
        except InputError as error:
            found["notes"].append(f"{arm}: {error}")
    found["scores"][learner] = results
    found["chosen"][learner] = chosen.name
    found["validation"][learner] = {recipe.name: float(losses.mean()) for recipe, (_, losses) in options.items()}


def _choose(losses: dict[Recipe, Floats]) -> Recipe:
    """Return the first recipe unless the likeliest one beats it by more than two standard errors on the same rows.

    Validation rows are few where augmentation matters, and the least of many noisy losses is mostly lucky.
    """
    first, best = next(iter(losses)), min(losses, key=lambda recipe: float(losses[recipe].mean()))
    excess = losses[first] - losses[best]
    return best if excess.mean() > 2 * excess.std() / np.sqrt(len(excess)) else first


def _tuned(problem: Problem, learner: str, stage: _Stage, arm: str, recipe: Recipe) -> tuple[scores.Decision, Floats]:
    """Return the decisions tuned on validation rows, and each row's log-loss."""
    _, corrected = stage.probabilities(learner, stage.training(arm, recipe))
    decision = scores.tune(stage.y_test, corrected, stage.shares, problem.positive)
    return decision, scores.log_losses(stage.y_test, corrected)


def _scored(
    problem: Problem, learner: str, stage: _Stage, arm: str, recipe: Recipe, decision: scores.Decision
) -> dict[str, float]:
    raw, corrected = stage.probabilities(learner, stage.training(arm, recipe))
    return scores.score(stage.y_test, corrected, raw, stage.shares, decision, problem.positive)
