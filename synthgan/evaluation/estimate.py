"""Values with their sampling error, by the delta method.

A metric that is a smooth function of two samples has an influence for each row: how much that row moves it. The
variance of the metric is then ``var(influence over real) / n + var(influence over synthetic) / m``, and the influence
of a mean of metrics is the mean of their influences, which takes the dependence between columns along for free.

A distance such as ``|p - q|`` is not smooth at zero. There, its spread is that of a folded normal, 0.603 of the linear
part's; far from zero it is the whole linear part's. `Estimate.folded` goes from the one to the other.
"""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

__all__ = ["Z95", "Estimate", "half_width", "mean_estimate"]

Floats = NDArray[np.float64]

Z95 = 1.959964
FOLDED_NORMAL = math.sqrt(1 - 2 / math.pi)  # spread of |N(0, 1)|


def half_width(spread: float, ceiling_spread: float = 0.0) -> float:
    """Return half the width of a 95 % interval.

    A ceiling that was measured (real rows against holdout rows) is off by chance too. The interval takes its error in,
    so that real rows would miss their ceiling one time in twenty, not one in five.

    Parameters
    ----------
    spread, ceiling_spread : float
        Standard errors of the value and, where it was measured, of its ceiling.
    """
    return Z95 * math.hypot(spread, ceiling_spread)


@dataclasses.dataclass(frozen=True, slots=True)
class Estimate:
    """A value, what a perfect generator would get, and how much each row moves the value.

    Parameters
    ----------
    value : float
    ceiling : float
    real : ndarray of float64, shape (n,)
        Influence of each real row; mean 0.
    synthetic : ndarray of float64, shape (m,)
        Influence of each synthetic row; mean 0.
    """

    value: float
    ceiling: float
    real: Floats
    synthetic: Floats

    @property
    def spread(self) -> float:
        """Standard error of `value`."""
        return math.sqrt(float(self.real.var()) / len(self.real) + float(self.synthetic.var()) / len(self.synthetic))

    def folded(self) -> Estimate:
        """Return the estimate with its influences shrunk for how near the value is to its ceiling."""
        spread = self.spread
        excess = max(0.0, self.ceiling - self.value) / (3 * spread) if spread > 0 else 1.0
        factor = FOLDED_NORMAL + (1 - FOLDED_NORMAL) * min(1.0, excess)
        return dataclasses.replace(self, real=self.real * factor, synthetic=self.synthetic * factor)

    def interval(self, low: float = 0.0, high: float = 1.0) -> tuple[float, float]:
        """Return the 95 % interval, cut to ``[low, high]``."""
        half = Z95 * self.spread
        return max(low, self.value - half), min(high, self.value + half)


def mean_estimate(estimates: Sequence[Estimate]) -> Estimate:
    """Return the mean of `estimates` over the same rows."""
    count = len(estimates)
    return Estimate(
        value=sum(e.value for e in estimates) / count,
        ceiling=sum(e.ceiling for e in estimates) / count,
        real=np.sum([e.real for e in estimates], axis=0) / count,
        synthetic=np.sum([e.synthetic for e in estimates], axis=0) / count,
    )
