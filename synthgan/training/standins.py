"""Rows that stand in for those of a small table: forests draw them, column after column."""

from __future__ import annotations

import math
import time
import warnings

import numpy as np
import numpy.typing as npt
from sklearn.ensemble import RandomForestClassifier, RandomForestRegressor

from synthgan.encoding import BlockFeatures, EncodedTable, TableLayout
from synthgan.rng import numpy_stream

__all__ = ["STAND_INS", "TREES", "draw_stand_ins", "why_no_stand_ins"]

Floats = npt.NDArray[np.float32]
Ints = npt.NDArray[np.int64]

MIN_ROWS = 50
"""A smaller table is too small for trees."""

MAX_BLOCKS = 100
"""Each takes a forest: a wider table would wait too long."""

STAND_INS = 20_000
"""Rows that are drawn: more than the networks can learn by heart."""

ORDERS, FORESTS = 4, 100
"""Column orders at most; forests of all of them together, which means fewer orders for more than 25 columns."""

TREES, FEW_TREES = 40, 4
"""Trees of a forest, and where there is no time left."""

MIN_LEAF, TREE_ROWS = 5, 2000
"""Rows of a leaf at least, so that none stands for itself; rows of the table that a tree sees."""

FEATURES = 0.5
"""Share of the features among which a tree for a number looks for each split."""


def why_no_stand_ins(layout: TableLayout, n_rows: int) -> str:
    """Say why forests cannot draw rows of a table; empty where they can."""
    if n_rows < MIN_ROWS:
        return f"{n_rows} rows are too few (at least {MIN_ROWS})"
    if not 2 <= len(layout) <= MAX_BLOCKS:
        return f"it takes 2 to {MAX_BLOCKS} columns to learn, and there are {len(layout)}"
    if layout.flags:  # of columns that are drawn one by one none holds the other's very value
        pairs = [" and ".join(map(repr, sorted(pair, key=str))) for pair in layout.flags]
        return f"columns repeat each other's numbers exactly ({pairs[0]})"
    return ""


def draw_stand_ins(
    layout: TableLayout, table: EncodedTable, n_rows: int, seed: int, max_seconds: float = math.inf
) -> EncodedTable:
    """Draw rows from forests that were grown on a table.

    In a random order of the columns each is drawn given those before it, by a forest of its own: a tree is picked at
    random, and of the table's rows in the leaf that it comes to, one lends its cell (sequential CART, Reiter 2005,
    Journal of Official Statistics 21(3); with forests, Caiola and Reiter 2010, Transactions on Data Privacy 3). Several
    orders have a share of the rows each. Forests guess well from few rows what networks learn only from many; and
    networks that learn from the rows they draw, without end, cannot learn the table's rows by heart.

    Parameters
    ----------
    layout : TableLayout
        Of the table.
    table : EncodedTable
        Rows to learn from, every cell known.
    n_rows : int
        Rows to draw.
    seed : int
        Names the random streams.
    max_seconds : float
        When they are over, no other order is begun, and forests of the one that is have few trees.

    Returns
    -------
    EncodedTable
        Every cell known; rows of all orders mixed.
    """
    ends = time.monotonic() + max_seconds
    n_orders = int(np.clip(FORESTS // len(layout), 1, ORDERS))
    drawn: list[EncodedTable] = []
    while not drawn or (len(drawn) < n_orders and time.monotonic() < ends):
        stream = numpy_stream(seed, "stand-ins", len(drawn))
        drawn.append(_drawn_in_order(layout, table, -(-n_rows // n_orders), stream, ends))
    every = EncodedTable.joined(drawn)
    # Where time ran out, the rows of fewer orders come more than once: batches count on so many.
    return every.take(numpy_stream(seed, "stand-ins mixed").permutation(np.resize(np.arange(len(every)), n_rows)))


def _drawn_in_order(
    layout: TableLayout, table: EncodedTable, n_rows: int, stream: np.random.Generator, ends: float
) -> EncodedTable:
    """Draw rows in one random order of the columns; each forest goes when its column is drawn."""
    codes, slot = np.zeros((n_rows, len(layout)), np.uint8), {block: at for at, block in enumerate(layout.positioned)}
    out = EncodedTable(codes, np.zeros((n_rows, len(slot)), np.float32), np.ones(codes.shape, np.bool_))
    learned, drawn = np.zeros((len(table), 0), np.float32), np.zeros((n_rows, 0), np.float32)
    for block in stream.permutation(len(layout)).tolist():
        columns, ordered = BlockFeatures(layout, table, block), layout.blocks[block].ordered
        cells = columns.of(table)
        answers = cells[:, 0] if ordered else table.codes[:, block]
        n_trees = TREES if time.monotonic() < ends else FEW_TREES
        row = _Donors(learned, answers, stream, n_trees, ordered=ordered).of(drawn, stream)
        out.codes[:, block] = table.codes[row, block]
        if block in slot:
            out.positions[:, slot[block]] = table.positions[row, slot[block]]
        learned, drawn = (np.concatenate(both, axis=1) for both in ((learned, cells), (drawn, columns.of(out))))
    return out


class _Donors:
    """A forest that says which rows of the table could lend a cell to a row with such features.

    Parameters
    ----------
    features : ndarray of float32, shape (n, k)
        Of the table's rows; without any, all rows could.
    answers : ndarray, shape (n,)
        The cells: numbers where they are `ordered`, else classes.
    stream : numpy Generator
        Randomness.
    n_trees : int
        Of the forest.
    """

    def __init__(
        self,
        features: Floats,
        answers: npt.NDArray[np.generic],
        stream: np.random.Generator,
        n_trees: int = TREES,
        *,
        ordered: bool,
    ) -> None:
        self.forest: RandomForestRegressor | RandomForestClassifier | None = None
        leaves = np.zeros((len(features), 1), np.int64)
        if features.shape[1]:
            kind, tried = (RandomForestRegressor, FEATURES) if ordered else (RandomForestClassifier, "sqrt")
            self.forest = kind(
                n_trees,
                min_samples_leaf=MIN_LEAF,
                max_features=tried,
                max_samples=min(len(features), TREE_ROWS),
                random_state=int(stream.integers(2**31)),
            )
            with warnings.catch_warnings():  # nearly every row may hold a category of its own
                warnings.filterwarnings("ignore", "The number of unique classes", UserWarning)
                self.forest.fit(features, answers)
            leaves = self.forest.apply(features)
        # All trees' rows in one array, leaf by leaf: a leaf's number is unique among those of all trees.
        self.first_leaf = np.cumsum(leaves.max(axis=0) + 1) - (leaves.max(axis=0) + 1)
        numbers = leaves + self.first_leaf
        self.rows = np.argsort(numbers, axis=0, kind="stable").T.ravel()
        self.leaves = np.sort(numbers, axis=0).T.ravel()

    def of(self, features: Floats, stream: np.random.Generator) -> Ints:
        """Pick a row of the table for each row of `features`, shape (n,)."""
        tree = stream.integers(len(self.first_leaf), size=len(features))
        leaf = np.zeros(len(features), np.int64)
        if self.forest is not None:
            leaf = self.forest.apply(features)[np.arange(len(features)), tree]
        wanted = leaf + self.first_leaf[tree]
        start, stop = (np.searchsorted(self.leaves, wanted, side=side) for side in ("left", "right"))
        picked: Ints = self.rows[start + (stream.random(len(features)) * (stop - start)).astype(np.int64)]
        return picked
