"""Questions about rows that are asked again and again while training."""

from __future__ import annotations

import math

import torch

from synthgan.conditioning.masks import draw_known, draw_pass
from synthgan.rng import torch_stream
from synthgan.training.batches import DeviceTable
from synthgan.training.state import TrainState
from synthgan.training.steps import hidden_likelihood

__all__ = ["Questions"]

N_QUESTIONS = 2000
"""Rows are repeated, each time with other columns hidden, up to about this many."""


class Questions:
    """The first rows of a table with fixed masks: the same questions at every look.

    Parameters
    ----------
    state : TrainState
        Whose networks answer, and whose seed hides columns: of as many rows of another table the same ones.
    table : DeviceTable
        The rows.
    n_rows : int
        How many of them.
    """

    def __init__(self, state: TrainState, table: DeviceTable, n_rows: int) -> None:
        self.n_rows = min(n_rows, len(table))
        if not self.n_rows:
            return
        index = torch.arange(max(self.n_rows, N_QUESTIONS), device=state.device) % self.n_rows
        self.rows = table.rows(index)
        stream = torch_stream(state.streams["given"].initial_seed(), "held out masks", device=state.device)
        flags = state.generator.axis.flags
        self.known = draw_known(self.rows.codes, flags, stream)
        self.passes = draw_pass(self.rows.codes, flags, stream)

    def score(self, state: TrainState, *, passes: bool) -> float:
        """Nats per hidden column of the averaged weights; NaN where there are no rows.

        With `passes` the questions are about columns that follow others of their pass.
        """
        if not self.n_rows:
            return math.nan
        generator, training = state.generator, state.generator.training
        state.swap_average()
        generator.eval()
        with torch.no_grad():
            codes, cells = hidden_likelihood(generator.members, self.rows, *(self.passes if passes else (self.known,)))
        generator.train(training)
        state.swap_average()
        return float(codes + cells)
