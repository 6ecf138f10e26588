"""The critic: how much likelier a row is in the table than among the generator's rows."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor, nn

from synthgan.models.axis import CodeAxis
from synthgan.models.features import Rows

__all__ = ["LEAST_LOG_WEIGHT", "MAX_DEPTH", "N_BINS", "Critic", "keep_probabilities"]

N_BINS = 256
"""Bins of one block at most, so that a bin fits one byte."""

MAX_DEPTH = 8
"""Questions of a tree at most: it has ``2**depth`` leaves, and the number of one fits a byte."""


LEAST_LOG_WEIGHT = -30.0
"""Below the largest: no candidate is quite impossible, so that there are always enough to choose from."""


def keep_probabilities(weight: npt.NDArray[np.float64], n_kept: float) -> npt.NDArray[np.float64]:
    """Scale weights (n,) to probabilities of at most one that sum to `n_kept`: how likely each candidate is kept."""
    share: npt.NDArray[np.float64] = np.minimum(weight * (n_kept / weight.sum()), 1.0)
    while (left := n_kept - share.sum()) > 1e-9 * n_kept and (free := share < 1).any():
        share[free] = np.minimum(share[free] * (1 + left / share[free].sum()), 1.0)
    return share


class Critic(nn.Module):
    r"""Boosted symmetric trees on bins of cells, plus a term for each cell: an estimate of a log density ratio.

    .. math:: \log \frac{p_\text{table}(x)}{p_\text{generator}(x)} \approx \sum_k v_k[\text{leaf}_k(x)]
       + \sum_b m[c_b, \text{cell}_b]

    It is the discriminator of the finished generator: it is trained to tell its rows from the table's, and at its best
    its logit is that ratio (Goodfellow et al. 2014, arXiv 1406.2661, proposition 1). A symmetric tree asks the same
    question in all nodes of one depth (Prokhorenkova et al. 2018, arXiv 1706.09516), so a leaf is a number whose bits
    are the answers.

    Parameters
    ----------
    axis : CodeAxis
        The table's layout.
    n_trees, depth : int
        Number of trees, and questions that each asks.

    Attributes
    ----------
    bins : Tensor of uint8, shape (T, M)
        The bin of each cell of each code; bins of numbers ascend, categories are put in an order by training.
    block, threshold : Tensor of int16 and uint8, shape (n_trees, depth)
        Each question: is the block's bin above the threshold?
    leaf : Tensor of float32, shape (n_trees, 2**depth)
        Nats for each leaf; the first question is the highest bit.
    margin : Tensor of float32, shape (T, M)
        Nats for each cell, by which the weighted rows have the table's marginals.
    """

    bins: Tensor
    block: Tensor
    threshold: Tensor
    leaf: Tensor
    margin: Tensor

    def __init__(self, axis: CodeAxis, n_trees: int, depth: int) -> None:
        super().__init__()
        shape = axis.interval.shape
        self.register_buffer("bins", torch.zeros(shape, dtype=torch.uint8))
        self.register_buffer("block", torch.zeros(n_trees, depth, dtype=torch.int16))
        self.register_buffer("threshold", torch.zeros(n_trees, depth, dtype=torch.uint8))
        self.register_buffer("leaf", torch.zeros(n_trees, 2**depth))
        self.register_buffer("margin", torch.zeros(shape))

    def fits(self, axis: CodeAxis) -> bool:
        """Whether every question is about a block that there is."""
        return bool(((self.block >= 0) & (self.block < len(axis.layout))).all())

    def forward(self, axis: CodeAxis, rows: Rows) -> Tensor:
        """Return the log ratio of each row, float32, shape (n,)."""
        n_cells = axis.n_cells[rows.codes]
        cells = torch.minimum((rows.positions * n_cells).long(), n_cells - 1)
        bins = self.bins[rows.codes, cells]
        score = self.margin[rows.codes, cells].sum(dim=1)
        by_block = bins.t().contiguous()  # whole columns are compared at once, a byte an answer
        leaf = torch.zeros(len(self.leaf), len(bins), dtype=torch.uint8, device=bins.device)
        for question in range(self.block.shape[1]):
            answer = by_block[self.block[:, question].long()] > self.threshold[:, question][:, None]
            leaf = leaf * 2 + answer
        return score + self.leaf.gather(1, leaf.long()).sum(dim=0)
