"""Samples in step with the table: of what earlier rows had too many, later rows get fewer."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from synthgan.sampling.selection import chances, resample_groups

__all__ = ["Balance"]

Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]

STEP = 64
"""Rows that are chosen together, between two looks at what there is too much of."""

GAIN = 10.0
"""Nats per whole surplus, mean over trees: half or twice as much is as good."""


class Balance:
    r"""Chooses candidates such that the leaves of the critic's trees fill evenly as the sample grows.

    Independent rows have too many of one kind and too few of another by chance. Here a candidate x in leaves
    :math:`\ell_k(x)` counts

    .. math:: w(x) \exp\Bigl(-\frac{\text{GAIN}}{K} \sum_{k=1}^{K} \frac{s_{k \ell_k(x)}}{1 + m q_{k \ell_k(x)}}\Bigr)

    with w the critic's weight, s the rows drawn so far less those that were to be expected, and m q the rows
    that the next `STEP` are expected to bring. That is herding (Welling 2009, doi 10.1145/1553374.1553517) softened to
    a choice at random: what is estimated from a sample varies less than from independent rows of the same distribution.

    Parameters
    ----------
    share : ndarray of float64, shape (K, L)
        Share of rows in each leaf of each tree; all zero where it is not known.
    of_table : bool
        Whether the sample is to have these shares, like the table; otherwise (rows with conditions) those that the
        candidates have, weighted.
    """

    def __init__(self, share: Floats, *, of_table: bool) -> None:
        self.share = share.ravel()
        self.n_trees, self.n_leaves = share.shape
        self.of_table = of_table and bool(share.any())
        self.surplus = np.zeros(share.size)

    def choose(self, log_weight: Floats, leaves: Ints, group: Ints, stream: np.random.Generator) -> Ints:
        """Choose a candidate for each row of a chunk, and count it.

        Parameters
        ----------
        log_weight : ndarray of float64, shape (k * n,)
            Of k candidates for each row, as in `resample_groups`.
        leaves : ndarray of int64, shape (K, k * n)
            The leaf of each candidate in each tree.
        group : ndarray of int64, shape (n,)
            Rows of one group have the same conditions.
        stream : numpy Generator
            Randomness.

        Returns
        -------
        ndarray of int64, shape (n,)
            Index of the candidate that each row takes; each is taken at most once.
        """
        n_rows = len(group)
        every = np.arange(len(log_weight)).reshape(-1, n_rows)
        by_row = leaves.reshape(self.n_trees, -1, n_rows)
        first = self.n_leaves * np.arange(self.n_trees)[:, None, None]
        out = np.empty(n_rows, np.int64)
        for start in range(0, n_rows, STEP):
            part = slice(start, start + STEP)
            candidates, own = every[:, part].ravel(), group[part]
            places = (by_row[:, :, part] + first).reshape(self.n_trees, -1)
            weight = log_weight[candidates]
            expected = self._expected(weight, places, own)
            nats = GAIN * (self.surplus / (1 + expected)).take(places).mean(axis=0)
            kept = resample_groups(weight - nats, own, stream)
            self.surplus += np.bincount(places[:, kept].ravel(), minlength=len(self.surplus)) - expected
            out[part] = candidates[kept]
        return out

    def _expected(self, log_weight: Floats, places: Ints, group: Ints) -> Floats:
        """Rows in each leaf of each tree that a step should bring; `places` (K, m) are the candidates' leaves."""
        if self.of_table:
            return len(group) * self.share
        chance = np.tile(chances(log_weight, group), self.n_trees)
        return np.asarray(np.bincount(places.ravel(), chance, len(self.surplus)), np.float64)
