"""After the networks: trees for the target."""

from __future__ import annotations

import dataclasses
import logging
import math

from synthgan.encoding import EncodedTable, TableLayout
from synthgan.encoding.layout import Block
from synthgan.models import Ensemble
from synthgan.models.target import has_classes, has_numbers
from synthgan.rng import numpy_stream
from synthgan.schema import ColumnName
from synthgan.training.target import fit_target

__all__ = ["add_target", "takes_trees", "target_block"]

logger = logging.getLogger(__name__)

MIN_ROWS = 50
"""A smaller table cannot show trees more than its own rows: its target gets none."""


def target_block(layout: TableLayout, target: ColumnName | None, n_rows: int) -> int | None:
    """Return the block that gets trees: the target's, where it is one of categories or of numbers in enough rows."""
    if target is None or n_rows < MIN_ROWS:
        return None
    found = [at for at, block in enumerate(layout.blocks) if target in (block.column, block.repeated)]
    return found[0] if len(found) == 1 and len(layout) > 1 and takes_trees(layout.blocks[found[0]]) else None


def takes_trees(block: Block) -> bool:
    """Whether a block is one that trees can be grown for."""
    return has_classes(block) or has_numbers(block)


def add_target(
    generator: Ensemble,
    block: int,
    learned: EncodedTable,
    watched: EncodedTable,
    seed: int,
    max_seconds: float = math.inf,
) -> None:
    """Grow trees for the target, and give them to the generator where they are better than its networks.

    Parameters
    ----------
    generator : Ensemble
        Trained and folded.
    block : int
        The target's.
    learned, watched : EncodedTable
        Rows that the networks have learned from, and rows that they have not.
    seed : int
        Names the random stream.
    max_seconds : float
        How long growing may take.
    """
    found = fit_target(generator, block, learned, watched, numpy_stream(seed, "target"), max_seconds)
    trees, worse = found.trees, found.by_trees - found.by_networks
    by_trees, by_networks = found.by_trees.mean(), found.by_networks.mean()
    logger.info("nats of held-out targets: %.4f by %d trees, %.4f by networks", by_trees, len(trees.leaf), by_networks)
    # Each number that was fitted to these rows counts (Akaike's criterion), and where they are few, so does chance.
    slack = worse.std() / len(worse) ** 0.5 if found.few else 0.0
    if worse.mean() + found.n_fitted / len(worse) < slack and len(trees.leaf):
        generator.target = trees
        sizes = {"target_trees": len(trees.leaf), "target_depth": trees.block.shape[1]}
        generator.config = dataclasses.replace(generator.config, target=block, **sizes)
