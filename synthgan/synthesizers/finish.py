"""What comes after the networks: the target's trees, a critic, a last look; and the seconds that these get."""

from __future__ import annotations

import dataclasses
import logging
import math
import time

from synthgan.encoding import EncodedTable, TableEncoder
from synthgan.models import Ensemble
from synthgan.sampling.following import Following
from synthgan.synthesizers.critique import add_critic, n_trees
from synthgan.synthesizers.lastlook import last_look
from synthgan.synthesizers.targeted import add_target
from synthgan.training import Training

__all__ = ["Finish"]

logger = logging.getLogger(__name__)

SHARE_OF_SECONDS = 0.25
"""What trees and critic get of a fit's seconds."""


@dataclasses.dataclass(frozen=True, slots=True, eq=False)
class Finish:
    """Makes a trained generator whole.

    Parameters
    ----------
    encoder : TableEncoder
        What its codes mean.
    table : EncodedTable
        The fitted rows, every cell known.
    seed : int
        Names the random streams.
    n_candidates : int
        Of so many candidates for each row one will be kept, by the critic; 1 makes none.
    min_rows : int
        Rows of the table that a share that the critic holds stands for at least.
    target : int or None
        The block that gets trees, unless its values follow from one other column.
    max_seconds : float or None
        Of the whole fit.
    """

    encoder: TableEncoder
    table: EncodedTable
    seed: int
    n_candidates: int
    min_rows: int
    target: int | None
    max_seconds: float | None

    @property
    def makes_critic(self) -> bool:
        """Whether there will be a critic, if training is not cut short."""
        return self.n_candidates > 1 and n_trees(len(self.table)) > 0

    @property
    def training_seconds(self) -> float | None:
        """What is left of the fit's seconds for the networks."""
        if self.max_seconds is None or not (self.makes_critic or self.target is not None):
            return self.max_seconds
        return (1 - SHARE_OF_SECONDS) * self.max_seconds

    def complete(self, training: Training) -> Ensemble:
        """Return the generator, folded; with trees and critic, where nobody cut its training short."""
        generator, state = training.state.generator, training.state
        generator.fold()
        began = time.monotonic()
        left = (math.inf if self.max_seconds is None else self.max_seconds) - training.seconds
        try:
            if self.target is not None and self.target not in Following(self.encoder).formulas and training.over:
                seconds = left / 2 if self.makes_critic else left
                add_target(generator, self.target, state.train.table(), state.held_out.table(), self.seed, seconds)
            if self.makes_critic and training.over:
                left -= time.monotonic() - began
                rows = self.encoder, self.table, self.seed
                add_critic(generator, *rows, self.n_candidates, self.min_rows, self.target, left)
        except KeyboardInterrupt:  # the generator took far longer: it is not thrown away
            logger.warning("interrupted: the model is kept without a critic, or trees of the target")
        look = last_look(generator, self.encoder, self.table, self.seed)
        training.record.monitor.observe(training.step, training.step, look, final=True)
        return generator
