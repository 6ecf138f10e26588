"""Column shapes: whether each column on its own has the right distribution."""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray
from scipy.special import ive

from synthgan.evaluation.estimate import Estimate
from synthgan.rng import numpy_stream

__all__ = ["expected_ks", "expected_tv", "good_turing", "ks_complement", "missing_similarity", "tv_complement"]

Floats = NDArray[np.float64]
Codes = NDArray[np.int64]

KOLMOGOROV_MEAN = math.sqrt(math.pi / 2) * math.log(2)  # 0.8687: mean of sup |Brownian bridge|


def ks_complement(real: Floats, synthetic: Floats) -> Estimate:
    """Return ``1 - sup |F_real - F_synthetic|`` over the cells that are not missing.

    Parameters
    ----------
    real, synthetic : ndarray of float64, shapes (n,) and (m,)
        NaN where missing.

    Returns
    -------
    Estimate
        0 when one side alone has no values, 1 when neither has.
    """
    has_a, has_b = ~np.isnan(real), ~np.isnan(synthetic)
    a, b = np.sort(real[has_a]), np.sort(synthetic[has_b])
    if not len(a) or not len(b):
        value = float(not len(a) and not len(b))
        return Estimate(value, 1.0, np.zeros(len(real)), np.zeros(len(synthetic)))
    points = np.concatenate([a, b])
    cdf_a = np.searchsorted(a, points, side="right") / len(a)
    cdf_b = np.searchsorted(b, points, side="right") / len(b)
    gap = cdf_a - cdf_b
    where = int(np.argmax(np.abs(gap)))
    sign = -np.sign(gap[where])
    return Estimate(
        value=1 - float(abs(gap[where])),
        ceiling=1 - expected_ks(a, len(b)),
        real=_share_influence(real <= points[where], has_a, sign),
        synthetic=_share_influence(synthetic <= points[where], has_b, -sign),
    ).folded()


def _share_influence(hit: NDArray[np.bool_], counted: NDArray[np.bool_], sign: float) -> Floats:
    share = counted.mean()
    return np.asarray(sign * np.where(counted, hit - hit[counted].mean(), 0.0) / share)


def expected_ks(values: Floats, n_other: int) -> float:
    """Return the mean Kolmogorov-Smirnov distance between `values` and `n_other` more of the same distribution.

    ``0.8687 sqrt(1/n + 1/m)`` for a continuous column. Ties make it smaller, so for a column with ties it is the mean
    of 200 simulated Brownian bridges looked at in its distinct values only.

    Parameters
    ----------
    values : ndarray of float64, shape (n,)
        Sorted, none missing.
    n_other : int
    """
    n = len(values)
    scale = math.sqrt(1 / n + 1 / n_other)
    _, counts = np.unique(values, return_counts=True)
    cdf = np.cumsum(counts) / n
    if counts.max() < 0.01 * n or len(counts) == n:
        return KOLMOGOROV_MEAN * scale
    if len(cdf) > 500:  # a fine grid is enough: between its points the bridge moves little
        cdf = np.unique(cdf[np.searchsorted(cdf, np.linspace(0, 1, 500)).clip(max=len(cdf) - 1)])
    steps = np.diff(cdf, prepend=0.0)
    noise = numpy_stream(0, "evaluation/bridge").standard_normal((200, len(steps))) * np.sqrt(steps)
    walk = np.cumsum(noise, axis=1)
    bridge = walk - cdf * walk[:, -1:]
    return float(np.abs(bridge).max(axis=1).mean()) * scale


def tv_complement(real: Codes, synthetic: Codes) -> Estimate:
    """Return ``1 - 1/2 sum |p - q|`` over levels, missing being one of them.

    Parameters
    ----------
    real, synthetic : ndarray of int64, shapes (n,) and (m,)
        Codes from 0; also cell numbers of a two-way table.
    """
    size = int(max(real.max(), synthetic.max())) + 1
    p = np.bincount(real, minlength=size) / len(real)
    q = np.bincount(synthetic, minlength=size) / len(synthetic)
    sign = -0.5 * np.sign(p - q)
    return Estimate(
        value=1 - 0.5 * float(np.abs(p - q).sum()),
        ceiling=1 - expected_tv(good_turing(np.bincount(real)), len(real), len(synthetic)),
        real=sign[real] - float(sign @ p),
        synthetic=float(sign @ q) - sign[synthetic],
    ).folded()


def expected_tv(p: Floats, n: int, m: int) -> float:
    """Return the mean total variation distance between samples of sizes `n` and `m` from the distribution `p`.

    The usual ``1/2 sum sqrt(2/pi p (1-p) (1/n + 1/m))`` is far too large for levels seen less than once a sample; here
    each level's ``E|X/n - Y/m|`` is the Poisson one, ``2 lam exp(-2 lam) (I0(2 lam) + I1(2 lam)) / s`` with
    ``s = 2nm/(n+m)`` and ``lam = s p``, times ``sqrt(1-p)``. Both agree for large counts.
    """
    size = 2 * n * m / (n + m)
    rate = 2 * size * p
    return 0.5 * float((rate * (ive(0, rate) + ive(1, rate)) * np.sqrt(np.clip(1 - p, 0, 1))).sum()) / size


def good_turing(counts: Codes) -> Floats:
    """Return shares of levels as they are beyond the sample: rarer than seen once, and some not seen at all.

    Levels seen once have, all together, hidden as much unseen probability as their own (Good 1953). Taking counts for
    probabilities would put the ceiling of a sparse two-way table too high.

    Parameters
    ----------
    counts : ndarray of int64
        Rows of each level; zeros are left out.

    Returns
    -------
    ndarray of float64
        Sums to 1; as many levels as were seen, and then the unseen ones.

    Examples
    --------
    >>> good_turing(np.array([6, 4]))
    array([0.6, 0.4])
    """
    counts = counts[counts > 0]
    once, twice = int((counts == 1).sum()), int((counts == 2).sum())
    if not once:
        return np.asarray(counts / counts.sum())
    adjusted = min(1.0, 2 * (twice + 0.5) / (once + 0.5))  # Good's count for "seen once"
    unseen = np.full(max(1, round(once / adjusted)), adjusted)
    shares = np.concatenate([np.where(counts == 1, adjusted, counts), unseen])
    return np.asarray(shares / shares.sum())


def missing_similarity(real: Floats, synthetic: Floats) -> Estimate:
    """Return ``1 - |difference of the missing rates|`` of a numeric column."""
    return tv_complement(np.isnan(real).astype(np.int64), np.isnan(synthetic).astype(np.int64))
