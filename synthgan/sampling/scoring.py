"""How likely the generator finds given rows."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
import torch

from synthgan.encoding import EncodedTable
from synthgan.models.ensemble import Ensemble
from synthgan.models.features import rows_of
from synthgan.rng import numpy_stream
from synthgan.sampling.passes import passes_of

__all__ = ["log_likelihood"]


@torch.no_grad()
def log_likelihood(
    generator: Ensemble, table: EncodedTable, n_orders: int, seed: int, chunk_rows: int = 2048
) -> npt.NDArray[np.float64]:
    r"""Log-probability of each row's cells, by the chain rule, averaged over random column orders.

    .. math:: \log p(x) \approx \frac{1}{K} \sum_{k=1}^{K} \sum_{b} \log p\left(x_{\sigma_k(b)} \mid
    x_{\sigma_k(1..b-1)}\right)

    Parameters
    ----------
    generator : Ensemble
        Folded, in eval mode.
    table : EncodedTable
        The rows; blocks that are not known are left out of the sum and of the conditions.
    n_orders : int
        Column orders K.
    seed : int
        Names the stream of orders.

    Returns
    -------
    ndarray of float64, shape (n_rows,)
        Nats. For numbers it is the probability of the quantile cell, not a density.
    """
    total = np.zeros(len(table))
    for k in range(n_orders):
        order = numpy_stream(seed, "score", k).permutation(table.codes.shape[1])
        for start in range(0, len(table), chunk_rows):
            part = slice(start, start + chunk_rows)
            chunk = EncodedTable(table.codes[part], table.positions[part], table.known[part])
            total[part] += _chain(generator, chunk, order)
    return total / n_orders


def _chain(generator: Ensemble, table: EncodedTable, order: npt.NDArray[np.int64]) -> npt.NDArray[np.float64]:
    axis = generator.axis
    device = axis.offsets.device
    rows = rows_of(axis, table)
    codes, positions = rows
    known = torch.from_numpy(table.known).to(device)
    sums = generator.empty(len(codes))
    filled = torch.zeros_like(known)
    total = torch.zeros(len(codes), dtype=torch.float64, device=device)
    for group in passes_of(axis.layout.blocks, order.tolist(), None):
        states = generator.begin(sums)
        for block in group:
            code, position = codes[:, block], positions[:, block]
            clues = generator.clues(rows, filled, block)
            logits = torch.log_softmax(generator.block_logits(states, block, clues), dim=1)
            gain = logits.gather(1, (code - axis.offsets[block])[:, None])[:, 0]
            if block in generator.cell_blocks:
                cell = torch.minimum((position * axis.n_cells[code]).long(), axis.n_cells[code] - 1)
                scores = torch.log_softmax(generator.block_cell_logits(states, block, code, clues), dim=1)
                gain = gain + scores.gather(1, cell[:, None])[:, 0]
            total += torch.where(known[:, block], gain, 0.0)
            filled[:, block] = known[:, block]
            states = generator.follow(states, block, code, position, known[:, block])
            sums = generator.fill(sums, block, code, position, known[:, block])
    return total.cpu().numpy()
