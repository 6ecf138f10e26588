"""Which of several candidates for each row a sample keeps."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
import torch

from synthgan.conditioning.space import Conditions
from synthgan.models.ensemble import Ensemble
from synthgan.models.features import Rows
from synthgan.models.target import TargetTrees
from synthgan.sampling.balance import Balance

__all__ = ["Choice"]


class Choice:
    """Chooses the rows of one sample by what the critic says of the candidates, and in step with the table.

    Parameters
    ----------
    generator : Ensemble
        In eval mode, with a critic.
    conditions : Conditions
        What is given and allowed.
    draws_target : bool
        Whether the networks drew the target of rows where it was not given: else its trees did, where it has any.
    """

    def __init__(self, generator: Ensemble, conditions: Conditions, *, draws_target: bool) -> None:
        assert generator.critic is not None  # noqa: S101 - callers have looked
        self.generator, self.critic = generator, generator.critic
        self.draws_target = draws_target
        share, overlap = self.critic.share.double().cpu().numpy(), float(self.critic.overlap)
        self.balance = Balance(share, overlap, of_table=conditions.ask_nothing)

    @torch.no_grad()
    def among(
        self,
        pool: Rows,
        known: npt.NDArray[np.bool_],
        group: npt.NDArray[np.int64],
        stream: np.random.Generator,
    ) -> Rows:
        """Choose a candidate for each row of the next chunk.

        Parameters
        ----------
        pool : Rows
            Of k candidates for each row: candidate ``c`` of row ``i`` at ``c * n + i``.
        known : ndarray of bool, shape (k * n, B)
            Which blocks were given.
        group : ndarray of int64, shape (n,)
            Rows of one group have the same conditions, and share their candidates.
        stream : numpy Generator
            Randomness.
        """
        found, kinds = self.critic.judge(self.generator.axis, pool)
        score = found.double().cpu().numpy()
        trees = self.generator.target
        if trees is not None:
            # The critic knows rows of which the target was drawn last, by its trees.
            by_networks = known[:, trees.target] | self.draws_target
            if by_networks.any():
                score = score + np.where(by_networks, self._target_ratio(pool, trees), 0.0)
        kept = torch.from_numpy(self.balance.choose(score, kinds.cpu().numpy(), group, stream))
        kept = kept.to(pool.codes.device)
        return Rows(pool.codes[kept], pool.positions[kept])

    def _target_ratio(self, rows: Rows, trees: TargetTrees) -> npt.NDArray[np.float64]:
        """Log of how much likelier the target's trees find its codes than the networks do, given all other blocks."""
        axis = self.generator.axis
        code = (rows.codes[:, trees.target] - axis.offsets[trees.target])[:, None]
        network = self.generator.given_others(rows, trees.target)
        logits = (trees(axis, rows, network), network)
        by_trees, by_networks = (torch.log_softmax(own, dim=1).gather(1, code)[:, 0] for own in logits)
        return (by_trees - by_networks).double().cpu().numpy()
