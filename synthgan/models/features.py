"""Codes and positions as the feature vector that both networks read."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import torch
from torch import Tensor

from synthgan.encoding import EncodedTable
from synthgan.models.axis import CodeAxis

__all__ = ["POSITION_SCALE", "Rows", "features", "n_features", "rows_of", "table_of"]

POSITION_SCALE = 12.0**0.5
"""A position is even on [0, 1); centred and times this it has mean 0 and variance 1, like other features."""


class Rows(NamedTuple):
    """A batch of encoded rows on the device.

    Attributes
    ----------
    codes : Tensor of int64, shape (n, B)
        Codes on the common axis (offsets added).
    positions : Tensor of float32, shape (n, B)
        Places in [0, 1) within the codes; 0.5 in blocks without positions.
    """

    codes: Tensor
    positions: Tensor


def rows_of(axis: CodeAxis, table: EncodedTable) -> Rows:
    """Return the rows of an encoded table, on the axis's device."""
    device = axis.offsets.device
    codes = torch.from_numpy(table.codes).to(device).long() + axis.offsets
    positions = torch.full(codes.shape, 0.5, device=device)
    positions[:, axis.positioned] = torch.from_numpy(table.positions).to(device)
    return Rows(codes, positions)


def table_of(axis: CodeAxis, rows: Rows) -> EncodedTable:
    """Return rows as an encoded table, every cell known."""
    codes = (rows.codes - axis.offsets).to(torch.uint8).cpu().numpy()
    return EncodedTable(codes, rows.positions[:, axis.positioned].cpu().numpy(), np.ones(codes.shape, np.bool_))


def n_features(axis: CodeAxis) -> int:
    """Length of the vector that `features` makes: one-hot codes, position features, and the mask."""
    return len(axis.block_of) + axis.n_slopes + len(axis.layout)


def features(axis: CodeAxis, rows: Rows, given: Tensor, dtype: torch.dtype) -> Tensor:
    """One-hot codes, centred positions and the mask of the given blocks; all zero where a block is not given.

    Parameters
    ----------
    axis : CodeAxis
        The table's layout.
    rows : Rows
        The values.
    given : Tensor of bool, shape (n, B)
        Which blocks are given; the codes of the others are not looked at.
    dtype : torch.dtype
        Of the result.

    Returns
    -------
    Tensor of shape (n, n_features(axis))
    """
    n_codes, n_rows = len(axis.block_of), len(rows.codes)
    mask = given.to(dtype)
    out = torch.zeros(n_rows, n_features(axis), dtype=dtype, device=rows.codes.device)
    out.scatter_(1, rows.codes, mask)
    place = ((rows.positions - 0.5) * POSITION_SCALE).to(dtype) * mask
    out.scatter_add_(1, n_codes + axis.slope[rows.codes], place)
    out[:, n_codes + axis.n_slopes :] = mask
    return out
