"""How long the likelihood is learned at a constant rate: leg after leg, as long as they pay."""

from __future__ import annotations

from synthgan.training.record import Record

__all__ = ["Legs"]

LEG, PAYS, HOLDS = 4 / 3, 0.25, 1 / 3
"""The stage goes on a third longer, again and again, as long as the last quarter of its steps brought held-out rows so
many nats, and that share of what it brought rows that are learned from: by size alone, tables would stop early that are
wide, or whose columns follow from others. For less it does not pay: what comes slowly, or holds for few other rows, is
learned by heart (benchmarks/others.py)."""


class Legs:
    """Says when the stage ends; which leg it is, and what the last one ended with, is in the record's progress.

    Parameters
    ----------
    record : Record
        What has been measured.
    n_steps, n_most : int
        Steps on the likelihood that the table's size allows, and at most, the annealing's third included.
    """

    def __init__(self, record: Record, n_steps: int, n_most: int) -> None:
        self.record = record
        self.first, self.most = (max(2 * steps // 3, 1) for steps in (n_steps, n_most))

    @property
    def end(self) -> int:
        """Steps of the stage at which the leg ends; the first two are those that the table's size allows."""
        return min(round(self.first * LEG ** (self.record.progress.leg - 1)), self.most)

    def go_on(self) -> bool:
        """Whether there are steps left; begins another leg where the last one paid."""
        state, progress, end = self.record.state, self.record.progress, self.end
        if state.step - progress.began < end:
            return True
        learned = self.record.learned.score(state, passes=False)
        won, n_columns = progress.leg_best - progress.best, len(state.generator.axis.layout)
        # A score is the mean over hidden columns.
        paid = n_columns * won >= PAYS and won >= HOLDS * (progress.leg_learned - learned)
        if progress.leg and not (paid and end < self.most):
            return False
        progress.leg, progress.leg_best, progress.leg_learned = progress.leg + 1, progress.best, learned
        return True
