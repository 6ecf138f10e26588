"""The last step of a fit: a critic of the finished generator."""

from __future__ import annotations

import dataclasses
import math
import time

import numpy as np

from synthgan.conditioning.space import ConditionSpace
from synthgan.encoding import EncodedTable, TableEncoder
from synthgan.models import Ensemble
from synthgan.rng import numpy_stream, resolve_seed
from synthgan.sampling import Sampler
from synthgan.training.critic import fit_critic
from synthgan.training.leaves import count_leaves, group_target

__all__ = ["add_critic", "n_seen", "n_trees"]

MAX_REAL_ROWS = 40_000
"""More of the table's rows are not looked at: a critic of so many is good enough."""

MIN_REAL_ROWS = 500
"""A smaller table cannot teach a critic more than its own rows: it gets none."""

ROWS_PER_TREE, MIN_TREES, MAX_TREES = 12, 60, 1000
"""The fewer rows, the sooner they are known by heart; but kinds of rows are told by many trees."""

ROWS_PER_LEAF, MAX_DEPTH = 32, 6
"""A leaf stands for about so many rows or more: the kinds that a small table's trees tell apart are coarse."""

LEARNED_PER_ROW, MAX_LEARNED_ROWS = 4, 60_000
"""Generated rows that the trees learn from: so many for each row of the table, and at most."""

FRESH_ROWS, FRESH_PER_ROW = 40_000, 50
"""Generated rows that the trees do not see: so many, or so many for each row of a small table; or one per row."""


DRAWING = 0.6
"""Share of the critic's seconds after which no more rows are drawn for it."""


def n_trees(n_rows: int) -> int:
    """Trees of a critic for a table of `n_rows`.

    Examples
    --------
    >>> [n_trees(n) for n in (200, 500, 3000, 30_000)]
    [0, 60, 250, 1000]
    """
    return 0 if n_rows < MIN_REAL_ROWS else min(max(n_rows // ROWS_PER_TREE, MIN_TREES), MAX_TREES)


def depth_of_trees(n_rows: int) -> int:
    """Questions that each tree of a critic asks, for a table of `n_rows`.

    Examples
    --------
    >>> [depth_of_trees(n) for n in (500, 700, 3000)]
    [3, 4, 6]
    """
    return min(int(math.log2(n_rows / ROWS_PER_LEAF)), MAX_DEPTH)


def n_seen(n_rows: int) -> int:
    """Rows of a table of `n_rows`, and generated ones, that its critic is made of.

    Examples
    --------
    >>> n_seen(100), n_seen(10_000)
    (0, 90000)
    """
    n_real = min(n_rows, MAX_REAL_ROWS)
    return n_real + _n_generated(n_real)[1] if n_trees(n_rows) else 0


def add_critic(
    generator: Ensemble,
    encoder: TableEncoder,
    table: EncodedTable,
    seed: int,
    n_candidates: int,
    min_rows: int,
    target: int | None,
    max_seconds: float = math.inf,
) -> None:
    """Draw rows from the generator, and train it a critic that tells them from the table's.

    Parameters
    ----------
    generator : Ensemble
        Trained and folded; gets the critic.
    encoder : TableEncoder
        What its codes mean.
    table : EncodedTable
        The fitted rows, every cell known.
    seed : int
        Names the random streams.
    n_candidates : int
        Of so many candidates one will be kept.
    min_rows : int
        Rows of the table that a share that the critic holds stands for at least.
    target : int or None
        The block that models will be trained to predict, where there is one.
    max_seconds : float
        How long it may take.
    """
    began = time.monotonic()
    stream = numpy_stream(seed, "critic")
    real = counted = _picked(table, MAX_REAL_ROWS, stream)
    n_learned, n_drawn = _n_generated(len(real))
    parts = []
    # A seed of its own: rows that are drawn with the fit's seed later are to be as new to the critic as any others.
    for _, rows in Sampler(generator, encoder).chunks(n_drawn, ConditionSpace(encoder).none(), resolve_seed(stream)):
        parts.append(rows)
        if time.monotonic() - began > DRAWING * max_seconds:
            n_learned = n_learned * sum(map(len, parts)) // n_drawn
            real = _picked(real, n_learned, stream)  # a few generated rows must not outweigh many
            break
    fake = EncodedTable.joined(parts)
    left = max_seconds - (time.monotonic() - began)
    axis, depth = generator.axis, depth_of_trees(len(table))
    critic = fit_critic(axis, real, fake, n_trees(len(table)), depth, stream, n_learned, n_candidates, left)
    if target is not None:
        group_target(critic, axis, target, counted)
    count_leaves(critic, axis, counted, fake.take(slice(n_learned, None)), n_candidates, min_rows)
    generator.critic = critic
    found = {"critic_trees": len(critic.leaf), "critic_depth": depth, "critic_groups": critic.n_groups}
    if target is not None:
        found["target"] = target
    generator.config = dataclasses.replace(generator.config, **found)


def _n_generated(n_real: int) -> tuple[int, int]:
    """Generated rows for so many of the table: those that the trees learn from, and all."""
    n_learned = min(LEARNED_PER_ROW * n_real, MAX_LEARNED_ROWS)
    return n_learned, n_learned + max(min(FRESH_ROWS, FRESH_PER_ROW * n_real), n_real)


def _picked(table: EncodedTable, n_rows: int, stream: np.random.Generator) -> EncodedTable:
    """Some rows at random, `n_rows` at most, in the table's order."""
    return table.take(np.sort(stream.permutation(len(table))[:n_rows]))
