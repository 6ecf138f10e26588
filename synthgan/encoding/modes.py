"""Mode-specific normalisation: a number as one of a few modes, and its distance from that mode's centre."""

from __future__ import annotations

import dataclasses
import warnings
from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
import numpy.typing as npt
from sklearn.exceptions import ConvergenceWarning
from sklearn.mixture import BayesianGaussianMixture

from synthgan.encoding.cells import FloatArray, IntArray

__all__ = ["FitModes", "ModeEncoder", "fit_mixture", "fit_range", "fit_standard"]

MAX_MODES = 10
MIN_WEIGHT = 0.005
"""Modes with a smaller weight are dropped, as in the paper's code."""

UNLIMITED = 1e30
"""No limit to speak of; JSON has no infinity."""

MAX_MIXTURE_ROWS = 3000
"""Rows a mixture is fitted on: modes of 0.5 % or more show in so many as well as in all."""


@dataclasses.dataclass(frozen=True, slots=True)
class ModeEncoder:
    r"""A continuous column as a scalar :math:`\alpha = (x - \mu_k) / s_k` and a mode :math:`k`.

    Parameters
    ----------
    centre, scale, weight : ndarray of float64, shape (K,)
        Of each mode; `scale` is what distances are divided by.
    spread : float
        Standard deviations in one `scale`; a row's mode is drawn from the posterior of the mixture they make.
    limit : float
        Scalars are clipped to ``[-limit, limit]``.
    missing : bool
        Whether there is a last mode for missing.

    Examples
    --------
    >>> encoder = fit_standard(np.array([1.0, 3.0, np.nan]))
    >>> alpha, mode = encoder.encode(np.array([4.0, np.nan]), np.random.default_rng(0))
    >>> alpha.tolist(), mode.tolist(), encoder.decode(alpha, mode).tolist()
    ([2.0, 0.0], [0, 1], [4.0, nan])
    """

    centre: FloatArray
    scale: FloatArray
    weight: FloatArray
    spread: float
    limit: float
    missing: bool

    @property
    def n_modes(self) -> int:
        """Number of modes, that of missing included."""
        return len(self.centre) + int(self.missing)

    def encode(self, values: FloatArray, stream: np.random.Generator) -> tuple[npt.NDArray[np.float32], IntArray]:
        """Return scalars and modes of `values` (float64, shape (n,), NaN for missing; 0 in an encoder without them)."""
        missing = np.isnan(values)
        filled = np.where(missing, self.centre[0], values)[:, None]
        distance = (filled - self.centre) / self.scale
        score = np.log(self.weight / self.scale) - 0.5 * (distance * self.spread) ** 2
        share = np.exp(score - score.max(axis=1, keepdims=True)).cumsum(axis=1)
        mode = (share < stream.random((len(values), 1)) * share[:, -1:]).sum(axis=1)
        alpha = np.clip(distance[np.arange(len(values)), mode], -self.limit, self.limit)
        if self.missing:
            mode = np.where(missing, len(self.centre), mode)
        return np.where(missing, 0.0, alpha).astype(np.float32), mode.astype(np.int64)

    def decode(self, alpha: npt.NDArray[Any], mode: IntArray) -> FloatArray:
        """Return the numbers (float64, NaN for missing) that scalars and modes stand for."""
        k = np.minimum(mode, len(self.centre) - 1)
        scalar = np.clip(alpha.astype(np.float64), -self.limit, self.limit)
        values = self.centre[k] + scalar * self.scale[k]
        return np.where(mode < len(self.centre), values, np.nan)

    def state(self) -> dict[str, Any]:
        """Return everything needed to rebuild the encoder: arrays and plain values."""
        plain = {"centre": self.centre, "scale": self.scale, "weight": self.weight}
        return plain | {"spread": self.spread, "limit": self.limit, "missing": self.missing}

    @classmethod
    def from_state(cls, state: Mapping[str, Any]) -> ModeEncoder:
        """Rebuild an encoder from `state`."""
        spread, limit, missing = float(state["spread"]), float(state["limit"]), bool(state["missing"])
        return cls(state["centre"], state["scale"], state["weight"], spread, limit, missing)


FitModes = Callable[[FloatArray], ModeEncoder]
"""Chooses the modes of a column of numbers (NaN for missing, at least one number)."""


def fit_standard(values: FloatArray) -> ModeEncoder:
    """One mode: mean and standard deviation."""
    present = values[~np.isnan(values)]
    unit = float(np.abs(present).max()) or 1.0  # squares of numbers beyond 1e154 are infinite
    return _single(values, float((present / unit).mean()) * unit, float((present / unit).std()) * unit, UNLIMITED)


def fit_range(values: FloatArray) -> ModeEncoder:
    """One mode: the middle of the range and half its width, so that scalars fill [-1, 1]."""
    low, high = float(np.nanmin(values)), float(np.nanmax(values))
    return _single(values, low / 2 + high / 2, high / 2 - low / 2, 1.0)


def fit_mixture(values: FloatArray, min_rows: int = 1) -> ModeEncoder:
    r"""Modes of a variational Gaussian mixture; scalars are :math:`(x - \mu_k) / (4 \sigma_k)`.

    A mode of fewer than `min_rows` of the rows that are looked at is dropped, for its centre would be a value of theirs
    (see `synthgan.encoding.protection`); where there is no other, mean and standard deviation take its place.

    Differs from the paper: the mixture is fitted on at most 3,000 rows, spread evenly over the sorted ones, so that
    large tables take no longer and no random draw is needed; missing is a mode of its own.

    References
    ----------
    Xu, Skoularidou, Cuesta-Infante, Veeramachaneni 2019, section 4.2 (arXiv 1907.00503).
    """
    present = np.sort(values[~np.isnan(values)])
    n_fitted = min(len(present), MAX_MIXTURE_ROWS)
    rows = present[np.linspace(0, len(present) - 1, n_fitted).round().astype(int)]
    whole = fit_standard(values)
    if len(np.unique(rows)) < 2:
        return dataclasses.replace(whole, limit=0.99)
    shift, unit = float(whole.centre[0]), float(whole.scale[0])
    mixture = BayesianGaussianMixture(
        n_components=min(MAX_MODES, n_fitted),
        weight_concentration_prior=0.001,
        init_params="k-means++",
        max_iter=50,
        random_state=0,
    )
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ConvergenceWarning)  # the modes serve as well a little off
        mixture.fit(((rows - shift) / unit)[:, None])
    kept = mixture.weights_ > max(MIN_WEIGHT, (min_rows - 0.5) / n_fitted)
    if not kept.any():
        return dataclasses.replace(whole, limit=0.99)
    centre = mixture.means_[kept, 0] * unit + shift
    scale = 4 * np.sqrt(mixture.covariances_[kept, 0, 0]) * unit
    return ModeEncoder(centre, scale, mixture.weights_[kept], 4.0, 0.99, len(present) < len(values))


def _single(values: FloatArray, centre: float, scale: float, limit: float) -> ModeEncoder:
    width = scale if scale > 0 else 1.0
    missing = bool(np.isnan(values).any())
    return ModeEncoder(np.array([centre]), np.array([width]), np.ones(1), 1.0, limit, missing)
