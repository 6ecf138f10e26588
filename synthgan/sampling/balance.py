"""Samples in step with the table: of what earlier rows had too many, later rows get fewer."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from synthgan.sampling.selection import chances, resample_groups

__all__ = ["Balance"]

Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]
Bins = npt.NDArray[np.uint8]

STEP = 8
"""Rows that are chosen together, between two looks at what there is too much of."""

GAIN = 1.5
"""How much of a surplus the next steps are to take back: about all of it, since only so many rows are of a kind."""

MEMORY = 0.9998
"""What of a surplus is left a step later: what cannot be taken back is forgotten within tens of thousands of rows."""

MOST_SPREAD = 1.0
"""Standard deviation at most, in nats, of what balance says of a step's candidates: it shall not outweigh the critic
where a generator is so poor that a surplus cannot be taken back."""

LEAST_OVERLAP = 0.01
"""Trees that have nothing in common are taken to overlap by so much."""


class Balance:
    r"""Chooses candidates such that the kinds of rows that the critic's trees tell apart fill evenly as a sample grows.

    Independent rows have too many of one kind and too few of another by chance. Here a candidate x of kinds
    :math:`\ell_k(x)`, one in each tree, counts

    .. math:: w(x) \exp\Bigl(-\frac{G}{\lambda K} \sum_{k=1}^{K} \frac{s_{k \ell_k(x)}}{1 + m q_{k \ell_k(x)}}\Bigr)

    with w the critic's weight, s the rows drawn so far less those that were to be expected, and m q the rows
    that `STEP` rows are expected to bring. That is herding (Welling 2009, doi 10.1145/1553374.1553517) softened to
    a choice at random: what is estimated from a sample varies less than from independent rows of the same distribution.
    Trees say the same of a kind of rows, so what they say adds up, by up to :math:`\lambda K` for their overlap
    :math:`\lambda`; divided by that, and with a gain G that is not too large, steps do not swing from one side to the
    other. The overlap is that of leaves. On the target's groups, where kinds tell them, all trees agree, and the shares
    of groups do swing, by a row or so in eight; but divided by the overlap of kinds, which is 1, most leaves were less
    even. The exponents of a step are scaled down to a spread of `MOST_SPREAD` where they have more.

    Parameters
    ----------
    share : ndarray of float64, shape (K, L)
        Share of rows of each kind in each tree. Kinds of share zero are counted as one, which has what is left; where
        all are zero there is nothing to balance.
    overlap : float
        Of the trees; see `Critic`.
    of_table : bool
        Whether the sample is to have these shares, like the table; otherwise (rows with conditions) those that the
        candidates have, weighted.
    """

    def __init__(self, share: Floats, overlap: float, *, of_table: bool) -> None:
        n_trees, n_kinds = share.shape
        few = share == 0
        together = few.argmax(axis=1)[:, None]  # of each tree the kind that stands for all its few
        own = ~few
        np.put_along_axis(own, together, True, axis=1)
        number = own.cumsum().reshape(share.shape) - 1
        self.first = n_kinds * np.arange(n_trees)[:, None]
        self.place = np.where(few, np.take_along_axis(number, together, axis=1), number).ravel()
        left = np.where(few.any(axis=1), (1 - share.sum(axis=1)).clip(min=0), share[:, 0])
        shares = share.copy()
        np.put_along_axis(shares, together, left[:, None], axis=1)
        self.share: Floats = shares[own]
        self.n_trees = n_trees
        self.gain = GAIN / max(overlap, LEAST_OVERLAP)
        self.of_table = of_table
        self.surplus = np.zeros(self.share.size)

    def choose(self, log_weight: Floats, kinds: Bins, group: Ints, stream: np.random.Generator) -> Ints:
        """Choose a candidate for each row of a chunk, and count it.

        Parameters
        ----------
        log_weight : ndarray of float64, shape (k * n,)
            Of k candidates for each row, as in `resample_groups`.
        kinds : ndarray of uint8, shape (K, k * n)
            The kind of each candidate in each tree.
        group : ndarray of int64, shape (n,)
            Rows of one group have the same conditions.
        stream : numpy Generator
            Randomness.

        Returns
        -------
        ndarray of int64, shape (n,)
            Index of the candidate that each row takes; each is taken at most once.
        """
        n_rows, n_trees = len(group), len(kinds)
        every = np.arange(len(log_weight)).reshape(-1, n_rows)
        by_row = kinds.reshape(n_trees, -1, n_rows)
        damping, push, out = self._damping(STEP * self.share), np.empty_like(self.surplus), np.empty(n_rows, np.int64)
        for start in range(0, n_rows, STEP):
            part = slice(start, start + STEP)
            candidates, own = every[:, part].ravel(), group[part]
            places = self.place.take(by_row[:, :, part].reshape(n_trees, -1) + self.first)
            weight = log_weight[candidates]
            expected = self._expected(weight, places, own)
            if not self.of_table:
                damping = self._damping(expected * (STEP / len(own)))
            np.multiply(self.surplus, damping, out=push)
            nats = push.take(places).sum(axis=0)
            nats *= MOST_SPREAD / max(nats.std(), MOST_SPREAD)
            kept = resample_groups(weight - nats, own, stream)
            # In place: there are as many numbers as kinds, and many steps.
            self.surplus *= MEMORY
            self.surplus -= expected
            np.add.at(self.surplus, places[:, kept].ravel(), 1.0)
            out[part] = candidates[kept]
        return out

    def _damping(self, expected: Floats) -> Floats:
        """What a surplus of each kind is multiplied with, where a step is expected to bring so many rows."""
        damping: Floats = self.gain / self.n_trees / (1 + expected)
        return damping

    def _expected(self, log_weight: Floats, places: Ints, group: Ints) -> Floats:
        """Rows of each kind in each tree that a step should bring; `places` (K, m) are the candidates' kinds."""
        if self.of_table:
            return len(group) * self.share
        chance = np.tile(chances(log_weight, group), len(places))
        return np.asarray(np.bincount(places.ravel(), chance, len(self.surplus)), np.float64)
