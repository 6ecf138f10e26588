"""What a table shows beyond its columns one by one: rules, kinds of levels, and what goes with what."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from typing import cast

import numpy as np
import numpy.typing as npt
import pandas as pd

from synthgan.encoding.calendar import find_calendar
from synthgan.encoding.categorical import CategoricalEncoder
from synthgan.encoding.columns import number_blocks, plain_cells
from synthgan.encoding.continuous import NumericEncoder
from synthgan.encoding.derived import Derived, in_order
from synthgan.encoding.encoded import BlockFeatures
from synthgan.encoding.formulas import find_derived
from synthgan.encoding.gaps import find_gaps
from synthgan.encoding.likeness import likeness_order
from synthgan.encoding.orders import find_orders
from synthgan.encoding.pairings import Cells, find_pairings
from synthgan.encoding.protection import Protected, protect
from synthgan.encoding.relations import find_relations
from synthgan.encoding.repeats import one_way
from synthgan.encoding.table import TableEncoder
from synthgan.encoding.zeros import find_zeros
from synthgan.rng import numpy_stream
from synthgan.schema.infer import infer_schema
from synthgan.schema.table import ColumnName, ColumnSpec, Schema

__all__ = [
    "held_cells", "learned_encoder", "with_calendar", "with_derived", "with_gaps", "with_likeness", "with_orders",
    "with_pairings", "with_relations", "with_zeros",
]  # fmt: skip

RELATION_ROWS, LIKENESS_ROWS, PAIRING_ROWS = 20_000, 50_000, 200_000
"""Rows that relations, and what goes with the calendar, are looked for in; by which levels are told to be alike; and in
which pairs are counted."""


def learned_encoder(shown: Protected, min_rows: int) -> TableEncoder:
    """Fit the encoder of a table, with all that its rows show; `min_rows` is as for `TableEncoder.fit`."""
    frame = shown.frame
    base = with_derived(TableEncoder.fit(frame, shown.schema, min_rows=min_rows), frame)
    base = with_orders(with_calendar(with_gaps(base, frame, min_rows), frame, min_rows), frame)
    base = with_pairings(with_likeness(base, frame), frame, min_rows)
    return with_zeros(with_relations(base, frame), frame, shown.replaced)


def with_derived(base: TableEncoder, frame: pd.DataFrame) -> TableEncoder:
    """Return an encoder with the numbers that follow from other columns in all rows of `frame`."""
    return dataclasses.replace(base, derived=find_derived(frame, base.schema))


def with_gaps(base: TableEncoder, frame: pd.DataFrame, min_rows: int = 1) -> TableEncoder:
    """Return an encoder with a hidden column for each gap between two columns of which one is never below.

    Whatever is stored of a gap stands for `min_rows` rows at least. What follows in all rows is known by then.
    """
    found = find_gaps(frame, base.schema, base.derived)
    return _with_hidden(base, frame, [one.spec for one in found], [one.formula for one in found], min_rows)


def with_calendar(base: TableEncoder, frame: pd.DataFrame, min_rows: int = 1) -> TableEncoder:
    """Return an encoder with a hidden column for each part of a point in time that other columns go with.

    Whatever is stored of it stands for `min_rows` rows at least. What follows in all rows is known by then.
    """
    rows = _picked(frame, RELATION_ROWS).reset_index(drop=True)
    found = find_calendar(rows, base.encode(rows), base.layout, base.schema, base.derived)
    parts = pd.DataFrame({one.target: one.values(frame, base.schema) for one in found})
    specs = list(infer_schema(parts, {one.target: "numeric" for one in found})) if found else []
    return _with_hidden(base, frame, specs, found, min_rows)


def _with_hidden(
    base: TableEncoder, frame: pd.DataFrame, specs: list[ColumnSpec], formulas: list[Derived], min_rows: int
) -> TableEncoder:
    """Return an encoder with columns that frames do not have, and the formulas that tie them to those they have."""
    if not specs:
        return base
    names = tuple(spec.name for spec in specs)
    derived = tuple(in_order([*base.derived, *formulas]) or ())
    schema, hidden = Schema((*base.schema, *specs)), (*base.hidden, *names)
    wider = dataclasses.replace(base, schema=schema, derived=derived, hidden=hidden, encoders={})
    shown = protect(wider.whole(frame)[list(names)], Schema(tuple(specs)), min_rows)
    plain = TableEncoder.fit(shown.frame, shown.schema, min_rows=min_rows)
    schema, encoders = Schema((*base.schema, *shown.schema)), {**base.encoders, **plain.encoders}
    return dataclasses.replace(wider, schema=schema, encoders=encoders)


def with_orders(base: TableEncoder, frame: pd.DataFrame) -> TableEncoder:
    """Return an encoder with the columns that are never below others in the rows of `frame`, but for gaps' ones.

    What follows in all rows, gaps among it, is known by then.
    """
    return dataclasses.replace(base, orders=tuple(find_orders(frame, base.visible, base.derived)))


def with_likeness(base: TableEncoder, frame: pd.DataFrame) -> TableEncoder:
    """Return an encoder with codes shared by levels that the rows of `frame` show to be alike."""
    shared = [name for name, one in base.encoders.items() if isinstance(one, CategoricalEncoder) and one.is_shared]
    if not shared:
        return base
    encoders, table = dict(base.encoders), base.encode(_picked(frame, LIKENESS_ROWS))
    for name in shared:
        encoder, block = cast(CategoricalEncoder, base.encoders[name]), base.layout.blocks_of(name)[0]
        others = (BlockFeatures(base.layout, table, at).of(table) for at in range(len(base.layout)) if at != block)
        index = encoder.decode(*base.block_values(table, block))
        order = likeness_order(index, len(encoder.levels), others)
        every = encoder.index_of(*plain_cells(frame[name].reset_index(drop=True), base.schema[name]))
        encoders[name] = CategoricalEncoder.fit(every, encoder.levels, order)
    return dataclasses.replace(base, encoders=encoders)


def with_pairings(base: TableEncoder, frame: pd.DataFrame, min_rows: int = 1) -> TableEncoder:
    """Return an encoder with the pairs of levels, and of levels and numbers, that rows of `frame` show.

    Only those that `min_rows` rows hold, and all counts are multiples of that.
    """
    cells, table = {}, base.encode(_picked(frame, PAIRING_ROWS))
    for place, block in enumerate(base.layout.blocks):
        flat, _ = block.cells.flatten(*base.block_values(table, place))
        cells[place] = Cells(block.cells, flat, block.ordered, block.missing_code)
    return dataclasses.replace(base, pairings=find_pairings(cells, min_rows))


def with_relations(base: TableEncoder, frame: pd.DataFrame) -> TableEncoder:
    """Return an encoder with the relations between numbers that the rows of `frame` show."""
    frame = base.whole(frame)
    rows = frame.iloc[np.linspace(0, len(frame) - 1, min(len(frame), RELATION_ROWS)).astype(np.int64)]
    numbers: dict[int, tuple[NumericEncoder, npt.NDArray[np.float64]]] = {}
    for name, encoder in base.encoders.items():
        parts = number_blocks(encoder, rows[name].reset_index(drop=True), base.schema[name])
        numbers |= dict(zip(base.layout.blocks_of(name), parts, strict=False))  # categories have a block, no number
    whole = {block for block in numbers if base.layout.blocks[block].part == "value"}
    return dataclasses.replace(base, relations=one_way(find_relations(numbers), whole))


def with_zeros(
    base: TableEncoder, frame: pd.DataFrame, replaced: Mapping[ColumnName, npt.NDArray[np.bool_]] | None = None
) -> TableEncoder:
    """Return an encoder with what the rows of `frame` never hold together; cells that were replaced do not count."""
    cells = held_cells(base, frame)
    for name, rows in (replaced or {}).items():
        for block in base.layout.blocks_of(name):
            cells[rows, block] = -1
    tied = [frozenset((one.target, *one.sources)) for one in base.derived if len(one.sources) == 1]
    return dataclasses.replace(base, zeros=find_zeros(base.layout, cells, tied))


def held_cells(encoder: TableEncoder, frame: pd.DataFrame) -> npt.NDArray[np.int64]:
    """The flat cell of each row in each block, -1 where it is not known; shape (n_rows, n_blocks)."""
    table, out = encoder.encode(frame), np.full((len(frame), len(encoder.layout)), -1, np.int64)
    for place, block in enumerate(encoder.layout.blocks):
        flat, _ = block.cells.flatten(*encoder.block_values(table, place))
        out[:, place] = np.where(table.known[:, place], flat, -1)
    return out


def _picked(frame: pd.DataFrame, n_rows: int) -> pd.DataFrame:
    """So many rows at most, at random, in the table's order: every other row may be of another kind."""
    if len(frame) <= n_rows:
        return frame
    return frame.iloc[np.sort(numpy_stream(0, "rows that are counted").permutation(len(frame))[:n_rows])]
