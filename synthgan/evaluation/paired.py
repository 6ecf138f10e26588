"""Was the difference real? Paired differences over repeated cross-validation, without the usual over-confidence.

The folds of repeated cross-validation share test rows, so their differences are not independent and the plain t test
finds effects everywhere. Nadeau and Bengio (Machine Learning 52, 2003) replace the variance of the mean, ``s2 / k``, by
``s2 * (1 / k + rho / (1 - rho))``, where rho, the correlation of two folds, is the share of all rows that a fold tests.
"""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Mapping, Sequence

import numpy as np
from numpy.typing import ArrayLike
from scipy.stats import t as student

from synthgan.errors import InputError

__all__ = ["Difference", "against_best", "corrected_difference", "holm"]


@dataclasses.dataclass(frozen=True, slots=True)
class Difference:
    """A mean paired difference.

    Parameters
    ----------
    mean : float
        Above 0: better.
    low, high : float
        95 % interval.
    p_better, p_worse : float
        One-sided p-values of "the true difference is not above 0" and "is not below 0".
    """

    mean: float
    low: float
    high: float
    p_better: float
    p_worse: float


def corrected_difference(differences: ArrayLike, test_share: float, *, tail: float = 0.025) -> Difference:
    """Return the mean of paired differences with the interval of Nadeau and Bengio.

    Parameters
    ----------
    differences : array-like of float, shape (n_folds,)
        One for each fold; at least two.
    test_share : float
        Share of all rows that each fold tests, from 0 to below 1.
    tail : float
        Probability that either end of the interval leaves out.

    Raises
    ------
    InputError
        For fewer than two differences, or a share outside [0, 1).

    Examples
    --------
    >>> found = corrected_difference([0.02, 0.03, 0.01, 0.02], test_share=0.5)
    >>> round(found.mean, 3), round(found.low, 3), round(found.high, 3)
    (0.02, -0.009, 0.049)
    """
    values = np.asarray(differences, dtype=np.float64)
    if values.ndim != 1 or len(values) < 2:
        raise InputError(f"an interval needs the differences of at least 2 folds; got shape {values.shape}")
    if not 0 <= test_share < 1:
        raise InputError(f"the share of rows that a fold tests lies in [0, 1); got {test_share}")
    mean = float(values.mean())
    spread = math.sqrt(float(values.var(ddof=1)) * (1 / len(values) + test_share / (1 - test_share)))
    if spread <= 1e-12 * max(1.0, abs(mean)):  # the folds agree to the last digit
        return Difference(
            mean, mean, mean, *(0.5 if abs(mean) < 1e-12 else float(sign) for sign in (mean < 0, mean > 0))
        )
    df, size = len(values) - 1, mean / spread
    half = float(student.ppf(1 - tail, df)) * spread
    return Difference(mean, mean - half, mean + half, float(student.sf(size, df)), float(student.cdf(size, df)))


def against_best(rivals: Mapping[str, Sequence[float]], test_share: float) -> tuple[str, Difference]:
    """Compare with the best of several rivals, without choosing it by the very numbers that are tested.

    The rival that happens to look best is partly lucky, and any single comparison with it would be biased. The question
    "better than the best?" is the question "better than each?": an intersection-union test, whose p-value is the
    greatest of the single ones. The true difference from the best rival is the smallest of the true differences, so the
    smallest of the low ends is a valid low end. A valid high end is the smallest of the high ends once each is
    Bonferroni-corrected for the number of rivals.

    Parameters
    ----------
    rivals : dict of str to sequence of float
        For each rival the paired differences from it.
    test_share : float
        See `corrected_difference`.

    Returns
    -------
    tuple of str and Difference
        The rival with the smallest mean difference, and the difference from the best rival whichever it is.
    """
    plain = {name: corrected_difference(values, test_share) for name, values in rivals.items()}
    wide = [corrected_difference(values, test_share, tail=0.025 / len(rivals)) for values in rivals.values()]
    closest = min(plain, key=lambda name: plain[name].mean)
    return closest, Difference(
        mean=plain[closest].mean,
        low=min(found.low for found in plain.values()),
        high=min(found.high for found in wide),
        p_better=max(found.p_better for found in plain.values()),
        p_worse=min(1.0, len(plain) * min(found.p_worse for found in plain.values())),
    )


def holm(p_values: Sequence[float]) -> list[float]:
    """Return Holm's adjusted p-values: rejecting those up to a level keeps the chance of any false one under it.

    Examples
    --------
    >>> holm([0.01, 0.04, 0.03])
    [0.03, 0.06, 0.06]
    """
    order = sorted(range(len(p_values)), key=lambda i: p_values[i])
    adjusted, highest = [0.0] * len(p_values), 0.0
    for rank, i in enumerate(order):
        highest = max(highest, min(1.0, (len(p_values) - rank) * p_values[i]))
        adjusted[i] = highest
    return adjusted
