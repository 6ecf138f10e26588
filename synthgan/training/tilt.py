"""How networks and trees share the say on a number."""

from __future__ import annotations

import torch
from torch import Tensor

__all__ = ["likeliest", "share_of"]

ALIKE_ROWS = 100
"""Rows that count beside the watched ones, as if the usual say were best: fifty rows cannot tell three numbers."""

NEWTON_STEPS, HALVINGS = 20, 12
"""Steps towards the best numbers, of which a handful do; how often a step is halved that goes too far."""


def share_of(n_rows: int) -> float:
    """What share of the numbers is fitted to so many watched rows."""
    return n_rows / (n_rows + ALIKE_ROWS)


@torch.no_grad()
def likeliest(start: Tensor, terms: Tensor, code: Tensor) -> Tensor:
    """Return the weights of terms under which codes are likeliest, by Newton's method with steps halved until it helps.

    `ALIKE_ROWS` more rows have `start` for their best: to second order, each as sure of it as a watched row is.

    Parameters
    ----------
    start : Tensor of float64, shape (J,)
        Weights that are right where nothing else is known.
    terms : Tensor of float64, shape (n, C, J)
        Log-probabilities of C codes are their sums by weights, less what makes the probabilities sum to 1.
    code : Tensor of int64, shape (n,)
        The watched rows' codes.

    Returns
    -------
    Tensor of float64, shape (J,)
    """
    held = terms[torch.arange(len(code), device=code.device), code]
    weight = ALIKE_ROWS / len(code)

    def moments(tilt: Tensor) -> tuple[Tensor, Tensor]:
        p = torch.softmax((terms * tilt).sum(dim=2), dim=1)[..., None]
        mean = (p * terms).sum(dim=1)
        spread = torch.einsum("ncs,nct->nst", p * terms, terms) - mean[:, :, None] * mean[:, None, :]
        return mean, spread.mean(dim=0) + 1e-6 * torch.eye(len(tilt), dtype=tilt.dtype, device=tilt.device)

    def loss(tilt: Tensor) -> float:
        found = torch.logsumexp((terms * tilt).sum(dim=2), dim=1) - (held * tilt).sum(dim=1)
        return float(found.mean() + 0.5 * weight * (tilt - start) @ bend @ (tilt - start))

    tilt, (_, bend) = start, moments(start)
    least = loss(tilt)
    for _ in range(NEWTON_STEPS):
        mean, spread = moments(tilt)
        slope = (mean - held).mean(dim=0) + weight * bend @ (tilt - start)
        step = torch.linalg.solve(spread + weight * bend, slope)
        sizes = (0.5**half for half in range(HALVINGS))
        found = next(((size, now) for size in sizes if (now := loss(tilt - size * step)) < least), None)
        if found is None:
            break
        tilt, least = tilt - found[0] * step, found[1]
    return tilt
