"""Columns drawn within a pass, which the network has not run for yet."""

from __future__ import annotations

from typing import NamedTuple

from torch import Tensor, nn
from torch.nn import functional

from synthgan.models.axis import CodeAxis
from synthgan.models.features import n_features
from synthgan.models.layers import Linear

__all__ = ["Late", "PassState"]


class PassState(NamedTuple):
    """What is known of rows in the middle of a pass.

    Attributes
    ----------
    hidden : Tensor, shape (n, H)
        What the whole network made of the columns known before the pass.
    now : Tensor of float32, shape (n, D), or None
        Sums of the late layer with the columns drawn in the pass; None while there are none.
    start : Tensor of float32, shape (n, D), or None
        What is positive of the sums without them.
    change : Tensor, shape (n, D), or None
        What the columns drawn in the pass change.
    logits : Tensor of float32, shape (n, T), or None
        What the network says of all codes, where it has been asked once for all.
    """

    hidden: Tensor
    now: Tensor | None = None
    start: Tensor | None = None
    change: Tensor | None = None
    logits: Tensor | None = None


class Late(nn.Module):
    r"""A neural autoregressive distribution estimator on top of the network, for the columns of one pass.

    .. math:: \Delta l = U \left( \mathrm{relu}(A h + E x) - \mathrm{relu}(A h) \right)

    where h is the last hidden layer of the columns known before the pass, and x are the features of those drawn in it.
    E is linear in one-hots, so one more column costs one gathered row of it (NADE; Uria, Murray, Larochelle 2014, arXiv
    1310.1757). With nothing drawn the difference is zero: the network by itself is left as it is.

    Parameters
    ----------
    axis : CodeAxis
        The table's layout.
    hidden_dim, late_dim : int
        Widths H of the network and D of this layer.
    n_cell_features : int
        Width of what the cell head reads.
    """

    def __init__(self, axis: CodeAxis, hidden_dim: int, late_dim: int, n_cell_features: int) -> None:
        super().__init__()
        self.project = Linear(hidden_dim, late_dim)
        self.embed = Linear(n_features(axis), late_dim, bias=False)
        self.head = Linear(late_dim, len(axis.block_of), bias=False)
        self.cells = Linear(late_dim, n_cell_features, bias=False)
        for layer in (self.head, self.cells):
            nn.init.zeros_(layer.weight)

    def add(self, state: PassState, step: Tensor) -> PassState:
        """Return a state after columns whose weights' sum is `step`, (n, D), which becomes the state's."""
        before = self.project(state.hidden).float() if state.now is None else state.now
        start = functional.relu(before) if state.start is None else state.start
        now = step.add_(before)
        change = functional.relu(now)
        # In place where nothing is derived from it: to ask for memory takes longer than to subtract.
        change = change - start if change.requires_grad else change.sub_(start)
        return state._replace(now=now, start=start, change=change)
