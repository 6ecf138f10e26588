"""Rows that stand in for those of a small table: lines and forests draw them, column after column."""

from __future__ import annotations

import math
import time

import numpy as np
import numpy.typing as npt

from synthgan.encoding import EncodedTable, TableEncoder, TableLayout
from synthgan.encoding.encoded import within_bounds
from synthgan.rng import numpy_stream
from synthgan.training.donors import TREES, Donors
from synthgan.training.lines import BlockColumns

__all__ = ["STAND_INS", "draw_stand_ins", "why_no_stand_ins"]

Doubles = npt.NDArray[np.float64]

MIN_ROWS = 50
"""A smaller table is too small for trees."""

MAX_BLOCKS = 100
"""Each takes a forest: a wider table would wait too long."""

STAND_INS = 20_000
"""Rows that are drawn: more than the networks can learn by heart."""

ORDERS, FORESTS = 4, 100
"""Column orders at most; forests of all of them together, which means fewer orders for more than 25 columns."""

FEW_TREES = 4
"""Trees of a forest where there is no time left."""


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
    encoder: TableEncoder, table: EncodedTable, n_rows: int, seed: int, max_seconds: float = math.inf
) -> EncodedTable:
    """Draw rows from linear models and forests that learned a table.

    In a random order of the columns each is drawn given those before it, by `Donors` of its own: a row of the table
    lends its cell (sequential synthesis with trees, Reiter 2005, Journal of Official Statistics 21(3); with forests,
    Caiola and Reiter 2010, Transactions on Data Privacy 3). Several orders have a share of the rows each. Lines and
    forests guess well from few rows what networks learn only from many; and networks that learn from the rows they
    draw, without end, cannot learn the table's rows by heart.

    Parameters
    ----------
    encoder : TableEncoder
        Of the table; its rules are kept to.
    table : EncodedTable
        Rows to learn from, every cell known.
    n_rows : int
        Rows to draw.
    seed : int
        Names the random streams.
    max_seconds : float
        When they are over, no other order is begun, and of the one that is the rest has few trees and no lines.

    Returns
    -------
    EncodedTable
        Every cell known; rows of all orders mixed.
    """
    ends, layout, numbers = time.monotonic() + max_seconds, encoder.layout, encoder.numbers(table)
    n_orders = int(np.clip(FORESTS // len(layout), 1, ORDERS))
    drawn: list[EncodedTable] = []
    while not drawn or (len(drawn) < n_orders and time.monotonic() < ends):
        stream = numpy_stream(seed, "stand-ins", len(drawn))
        drawn.append(_drawn_in_order(layout, table, numbers, -(-n_rows // n_orders), stream, ends))
    every = encoder.settled(EncodedTable.joined(drawn), {}) if encoder.rules else EncodedTable.joined(drawn)
    if (keeps := within_bounds(layout, every)).any():  # the networks leave no room for what is out of order
        every = every.take(keeps)
    # Where rows are fewer, by that or because time ran out, they come more than once: batches count on so many.
    return every.take(numpy_stream(seed, "stand-ins mixed").permutation(np.resize(np.arange(len(every)), n_rows)))


def _drawn_in_order(
    layout: TableLayout,
    table: EncodedTable,
    numbers: Doubles,
    n_rows: int,
    stream: np.random.Generator,
    ends: float,
) -> EncodedTable:
    """Draw rows in one random order of the columns; each forest goes when its column is drawn."""
    codes, slot = np.zeros((n_rows, len(layout)), np.uint8), {block: at for at, block in enumerate(layout.positioned)}
    out = EncodedTable(codes, np.zeros((n_rows, len(slot)), np.float32), np.ones(codes.shape, np.bool_))
    learned, drawn = np.zeros((len(table), 0), np.float32), np.zeros((n_rows, 0), np.float32)
    for block in stream.permutation(len(layout)).tolist():
        columns = BlockColumns(layout, table, numbers[:, block], block)
        in_time = time.monotonic() < ends
        n_trees = TREES if in_time else FEW_TREES
        donors = Donors(learned, columns.codes, columns.scores, stream, n_trees, guesses=in_time)
        row = donors.of(drawn, stream)
        out.codes[:, block] = table.codes[row, block]
        if block in slot:
            out.positions[:, slot[block]] = table.positions[row, slot[block]]
        learned, drawn = (
            np.concatenate([held, columns.of(rows)], axis=1) for held, rows in ((learned, table), (drawn, out))
        )
    return out
