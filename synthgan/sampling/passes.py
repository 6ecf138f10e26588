"""How many columns are drawn in one run of the whole network."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

__all__ = ["DEFAULT_PASSES", "split_passes"]

DEFAULT_PASSES = 16
"""Runs of the whole network for a row (benchmarks/quality.py and ablation.py compare numbers of them)."""


def split_passes(order: Sequence[int], n_passes: int | None) -> list[list[int]]:
    """Divide blocks, in the order they are drawn in, among passes of about equal size.

    Examples
    --------
    >>> split_passes([4, 0, 3, 1, 2], 2)
    [[4, 0, 3], [1, 2]]
    """
    parts = np.array_split(np.array(order, int), min(n_passes or DEFAULT_PASSES, max(len(order), 1)))
    return [part.tolist() for part in parts if len(part)]
