"""Generated rows beside rows that were never trained on: fidelity, variety, and whether the discriminator can tell."""

from __future__ import annotations

import warnings

import numpy as np
import numpy.typing as npt
from sklearn.cluster import KMeans
from sklearn.exceptions import ConvergenceWarning

from synthgan.encoding.vectors import VectorLayout

__all__ = ["Gallery", "rank_accuracy"]

Rows = npt.NDArray[np.float32]

MAX_GROUPS = 25
ROWS_PER_GROUP = 20
"""Of those compared at a look, so that an empty group is no accident."""

REACHED = 0.2
"""A group is reached when it holds this share of the rows that it should."""

DISTANCE_ROWS = 200


class Gallery:
    """Real rows to compare generated ones with, as vectors.

    Parameters
    ----------
    rows : ndarray of float32, shape (n, width)
        Rows that are not trained on, to measure fidelity with.
    known : ndarray of float32, shape (m, width)
        Some real rows, trained on or not, whose groups are to be reached; more than `rows` where these are few.
    layout : VectorLayout
        What is where in them.

    Attributes
    ----------
    group_share : ndarray of float64, shape (n_groups,)
        Share of the known rows in each group: their k-means clusters.
    """

    def __init__(self, rows: Rows, known: Rows, layout: VectorLayout) -> None:
        self.rows, self.layout = rows, layout
        self._unit = np.where(known.std(axis=0) > 0, known.std(axis=0), 1.0)
        self._unit[layout.n_scalars :] = 1.0
        n_groups = min(MAX_GROUPS, max(len(known) // ROWS_PER_GROUP, 1), len(np.unique(known, axis=0)))
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", ConvergenceWarning)
            self._groups = KMeans(n_groups, n_init=1, max_iter=20, random_state=0).fit(known / self._unit)
        self.group_share = np.bincount(self._groups.labels_, minlength=n_groups) / len(known)
        self._spread = _mean_distance(known / self._unit)

    def compare(self, rows: Rows) -> dict[str, float]:
        """Return what `rows` are worth beside the real ones.

        Parameters
        ----------
        rows : ndarray of float32, shape (n, width)
            Generated.

        Returns
        -------
        dict of str to float
            ``"fidelity"``: likeness of the single columns, 1 minus the mean distance of their distributions (of
            Kolmogorov and Smirnov for scalars, total variation for codes); ``"mode_coverage"``: share of the real rows'
            groups that are reached; ``"diversity"``: mean distance of two rows, as a share of that of real ones.
        """
        label = self._groups.predict(rows / self._unit)
        share = np.bincount(label, minlength=len(self.group_share)) / len(rows)
        telling = self.group_share * len(rows) >= 0.5 * ROWS_PER_GROUP
        reached = share >= REACHED * self.group_share
        return {
            "fidelity": 1 - float(np.mean(self._distances(rows))),
            "mode_coverage": float(reached[telling].mean()) if telling.any() else 1.0,
            "diversity": _mean_distance(rows / self._unit) / self._spread if self._spread > 0 else 1.0,
        }

    def _distances(self, rows: Rows) -> list[float]:
        n = self.layout.n_scalars
        out = [_kolmogorov(self.rows[:, k], rows[:, k]) for k in range(n)]
        shares = (self.rows[:, n:].mean(axis=0), rows[:, n:].mean(axis=0))
        gap = np.abs(shares[0] - shares[1])
        out += [float(part.sum()) / 2 for part in np.split(gap, np.cumsum(self.layout.sizes)[:-1]) if len(part)]
        return out


def rank_accuracy(real: npt.NDArray[np.float32], fake: npt.NDArray[np.float32]) -> tuple[float, float, float]:
    """How often a discriminator scores a real row above a generated one, with a 95 % interval.

    For scores of any loss 0.5 means that it cannot tell, and 1 that it always can. This is the area under its ROC
    curve; the interval is Hanley and McNeil's (1982).

    Parameters
    ----------
    real, fake : ndarray of float32, shape (n,), (m,)
        Scores.

    Returns
    -------
    accuracy, low, high : float

    Examples
    --------
    >>> rank_accuracy(np.array([1, 2, 3], "f4"), np.array([0, 0, 0], "f4"))[0]
    1.0
    """
    order = np.sort(fake)
    below, upto = (np.searchsorted(order, real, side=side) for side in ("left", "right"))
    accuracy = float((below + upto).mean() / 2 / len(fake))
    q1, q2 = accuracy / (2 - accuracy), 2 * accuracy**2 / (1 + accuracy)
    variance = accuracy * (1 - accuracy) + (len(real) - 1) * (q1 - accuracy**2) + (len(fake) - 1) * (q2 - accuracy**2)
    margin = 1.96 * float(np.sqrt(max(variance, 0.0) / (len(real) * len(fake))))
    return accuracy, max(accuracy - margin, 0.0), min(accuracy + margin, 1.0)


def _kolmogorov(a: Rows, b: Rows) -> float:
    both = np.sort(np.concatenate([a, b]))
    a_upto, b_upto = (np.searchsorted(np.sort(x), both, side="right") / len(x) for x in (a, b))
    return float(np.abs(a_upto - b_upto).max())


def _mean_distance(rows: npt.NDArray[np.floating]) -> float:
    """Mean distance of two different rows among the first few."""
    some = rows[:DISTANCE_ROWS].astype(np.float64)
    square = (some**2).sum(axis=1)
    distance = np.sqrt(np.maximum(square[:, None] + square - 2 * some @ some.T, 0.0))
    return float(distance.sum() / max(len(some) * (len(some) - 1), 1))
