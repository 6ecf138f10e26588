"""Attacks on a synthetic table, each beside the same attack on people whose rows the generator never saw.

An attack that works as well on holdout rows learns about the world, not about the training rows; only the difference is
a leak. A weak attack that fails shows nothing.
"""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

from synthgan.errors import InputError
from synthgan.evaluation.boosting import Features, auc, classifier
from synthgan.evaluation.context import Context, Part
from synthgan.evaluation.estimate import Z95
from synthgan.evaluation.frames import Rows, Tables
from synthgan.evaluation.neighbours import Points, Space, nearest
from synthgan.evaluation.privacy import NEEDS_HOLDOUT, wilson
from synthgan.evaluation.result import Metric

__all__ = ["MEMBERSHIP_METRICS", "attribute_inference", "membership", "singling_out"]

Floats = NDArray[np.float64]

MEMBERSHIP_METRICS = ("MembershipDistance", "MembershipDensity", "MembershipTPR_1%", "MembershipTPR_0.1%")
MIN_ROWS = 20
N_SECRETS = 4
N_GUESS_COLUMNS = 3


def membership(context: Context) -> Part:
    """Guess which rows the generator was fitted on: by distance, and by the ratio of synthetic to reference density.

    Members, others and reference rows are three sets of one size; the others and the reference are halves of the
    holdout. MembershipDistance scores a row by its distance to the nearest synthetic row, relative to that to the
    nearest reference row; MembershipDensity by boosted trees that tell synthetic from reference rows. TPR is the better
    attack's.

    References
    ----------
    van Breugel et al., "Membership inference attacks against synthetic data through overfitting detection" (DOMIAS),
    AISTATS 2023. Carlini et al., "Membership inference attacks from first principles", 2022 (rates at few alarms).
    """
    tables, limits = context.tables, context.limits
    if tables.holdout is None:
        raise InputError(NEEDS_HOLDOUT)
    n = min(len(tables.real), len(tables.holdout) // 2, limits.queries)
    if n < MIN_ROWS:
        raise InputError(f"membership attacks need {MIN_ROWS} real and {2 * MIN_ROWS} holdout rows")
    held = tables.holdout.sample(2 * n, context.rng("membership/holdout"))
    others, reference = held.take(np.arange(n)), held.take(np.arange(n, 2 * n))
    members = tables.real.sample(n, context.rng("membership/real"))
    synthetic = context.draw(tables.synthetic, limits.references // 2, "membership/synthetic")
    member = np.repeat([True, False], n)

    space = Space(tables)
    targets, known, ground = (space.points(rows) for rows in (_stack(members, others), synthetic, reference))
    to_synthetic, to_reference = nearest(targets, known)[0][:, 0], nearest(targets, ground)[0][:, 0]
    # A copy has distance 0 and comes first; otherwise a row that is remote from everybody is no more suspect for it.
    scores = {"MembershipDistance": -to_synthetic.astype(np.float64) / (to_synthetic + to_reference + 1e-9)}
    features = Features(tables)
    m = min(n, len(synthetic))
    fit = np.concatenate(
        [features(synthetic.sample(m, context.rng("membership/fit"))), features(reference.take(np.arange(m)))]
    )
    model = classifier(features.categorical, limits.trees, context.seed).fit(fit, np.repeat([True, False], m))
    scores["MembershipDensity"] = model.predict_proba(np.concatenate([features(members), features(others)]))[:, 1]

    metrics, best = [], {0.01: 0.0, 0.001: 0.0}
    for name, score in scores.items():
        value, influence = auc(member, score)
        half = Z95 * float(influence.std()) / math.sqrt(len(influence))
        metrics.append(
            Metric(
                name, (), value, 0.5, 1.0, max(0.0, value - half), min(1.0, value + half), f"{n} members, {n} others"
            )
        )
        for rate in best:
            best[rate] = max(best[rate], _true_rate(score[:n], score[n:], rate))
    return Part(metrics + [_rate_metric(rate, value, n) for rate, value in best.items()])


def _rate_metric(rate: float, value: float, n: int) -> Metric:
    """Return the better attack's true positive rate at that false positive rate, over `n` members and `n` others."""
    label = f"MembershipTPR_{100 * rate:g}%"
    if n * rate < 1:
        return Metric(label, note=f"needs {round(1 / rate)} members and others; there are {n} of each")
    low, high = wilson(round(value * n), n)
    low = max(0.0, low - Z95 * math.sqrt(int(rate * n) + 1) / n)  # the threshold is itself the k-th of n rows
    return Metric(
        label, (), value, rate, 1.0, low, high, "the better of two attacks, so a little over chance by chance"
    )


def _true_rate(members: Floats, others: Floats, false_rate: float) -> float:
    """Return the share of members scored above all but `false_rate` of the others."""
    allowed = int(false_rate * len(others))
    threshold = np.sort(others)[len(others) - allowed - 1]
    return float((members > threshold).mean())


def singling_out(context: Context) -> Part:
    """Guess predicates that fit exactly one person: SinglingOut.

    Each guess is read off a synthetic row: three of its columns, a code as equality, a number as a bound away from the
    column's median. It succeeds when exactly one real row fits. The ceiling is the same on equally many holdout rows.

    References
    ----------
    Giomi et al., "A unified framework for quantifying privacy risk in synthetic data" (Anonymeter), PETS 2023.
    """
    tables, limits = context.tables, context.limits
    if tables.holdout is None:
        raise InputError(NEEDS_HOLDOUT)
    n = min(len(tables.real), len(tables.holdout), limits.references)
    rng = context.rng("singling")
    sides = [_columns(tables, rows.sample(n, rng)) for rows in (tables.real, tables.holdout)]
    guesses = _columns(tables, tables.synthetic.sample(limits.attacks, rng))
    median = {
        name: float(np.nanmedian(values))
        for name, values in sides[0].items()
        if name < len(tables.numeric) and not np.isnan(values).all()
    }
    usable = [name for name in sides[0] if name >= len(tables.numeric) or name in median]
    if not usable:
        raise InputError("no column has a value to guess with")
    hits = np.zeros((2, len(guesses[usable[0]])), dtype=bool)
    for i in range(hits.shape[1]):
        chosen = rng.choice(usable, size=min(N_GUESS_COLUMNS, len(usable)), replace=False)
        for s, side in enumerate(sides):
            hits[s, i] = _fits(side, guesses, chosen, i, median).sum() == 1
    note = f"{hits.shape[1]} guesses about {n} rows; the interval is that of the difference to the control"
    return Part([_paired("SinglingOut", hits[0], hits[1], note)])


def _columns(tables: Tables, rows: Rows) -> dict[int, NDArray[np.float64]]:
    matrix = np.concatenate([rows.numbers, rows.codes], axis=1).astype(np.float64)
    return {i: np.ascontiguousarray(matrix[:, i]) for i in range(len(tables.names))}


def _fits(
    side: dict[int, Floats], guesses: dict[int, Floats], chosen: NDArray[np.int64], row: int, median: dict[int, float]
) -> NDArray[np.bool_]:
    fits = np.ones(len(side[0]), dtype=bool)
    for name in chosen.tolist():
        value = guesses[name][row]
        if name not in median:
            fits &= side[name] == value
        elif np.isnan(value):
            fits &= np.isnan(side[name])
        else:
            fits &= side[name] >= value if value > median[name] else side[name] <= value
    return fits


def attribute_inference(context: Context) -> Part:
    """Guess a cell of a row from all its other cells and the nearest synthetic row: AttributeInference.

    A category must be guessed exactly, a number within 5 % of the real range. The mean over at most four columns (the
    most varied ones); the ceiling is the same on holdout rows.
    """
    tables, limits = context.tables, context.limits
    if tables.holdout is None:
        raise InputError(NEEDS_HOLDOUT)
    if len(tables.names) < 2:
        raise InputError("a cell can be guessed from others only where there are two columns")
    n = min(len(tables.real), len(tables.holdout), limits.attacks)
    space = Space(tables)
    known = space.points(context.draw(tables.synthetic, limits.references // 2, "attribute/synthetic"))
    rng = context.rng("attribute")
    sides = [space.points(rows.sample(n, rng)) for rows in (tables.real, tables.holdout)]
    secrets = _most_varied(known)
    hits = np.zeros((2, n))
    for secret in secrets:
        hidden = known.without(secret)
        for s, side in enumerate(sides):
            _, at = nearest(side.without(secret), hidden)
            hits[s] += _guessed(side, known, secret, at[:, 0]) / len(secrets)
    names = ", ".join(str(tables.names[i]) for i in secrets)
    return Part(
        [
            _paired(
                "AttributeInference",
                hits[0],
                hits[1],
                f"guessed: {names}; the interval is that of the difference to the control",
            )
        ]
    )


def _most_varied(points: Points) -> list[int]:
    """Return the columns with the most distinct values: those where a right guess says most about a person."""
    counts = [len(np.unique(column)) for column in (*points.numbers, *points.codes)]
    order = sorted(range(len(counts)), key=lambda i: (-counts[i], i))
    return [i for i in order if counts[i] > 1][:N_SECRETS] or order[:1]


def _guessed(side: Points, known: Points, secret: int, at: NDArray[np.int64]) -> NDArray[np.bool_]:
    p = len(side.numbers)
    if secret < p:
        return np.asarray(np.abs(side.numbers[secret] - known.numbers[secret][at]) <= 0.05)
    return np.asarray(side.codes[secret - p] == known.codes[secret - p][at])


def _paired(name: str, real: NDArray[np.generic], holdout: NDArray[np.generic], note: str) -> Metric:
    """Return the mean of `real` with the spread of ``mean(real) - mean(holdout)``: that difference is the leak."""
    a, b = real.astype(np.float64), holdout.astype(np.float64)
    value, control = float(a.mean()), float(b.mean())
    half = Z95 * max(math.sqrt((float(a.var()) + float(b.var())) / len(a)), 1 / len(a))
    return Metric(name, (), value, control, 1.0, max(0.0, value - half), min(1.0, value + half), note)


def _stack(a: Rows, b: Rows) -> Rows:
    return Rows(*(np.concatenate([getattr(a, part), getattr(b, part)]) for part in ("numbers", "codes", "ids", "keys")))
