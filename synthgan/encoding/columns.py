"""One column: its encoder, its cells as the encoder takes them, and its blocks."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from synthgan.encoding.categorical import CategoricalEncoder
from synthgan.encoding.continuous import NumericEncoder
from synthgan.encoding.dtypes import (
    levels_to_column,
    marks_of,
    numbers_of,
    numbers_to_column,
    objects_to_column,
    ticks_to_column,
    wall_ticks,
)
from synthgan.encoding.grid import Grid
from synthgan.encoding.identifier import IdentifierMaker
from synthgan.encoding.layout import Block
from synthgan.encoding.protection import wall_tick
from synthgan.encoding.temporal import TemporalEncoder
from synthgan.errors import SchemaError
from synthgan.schema.table import ColumnKind, ColumnName, ColumnSpec
from synthgan.schema.text import quoted

__all__ = [
    "PRESENT",
    "BlockValues",
    "ColumnEncoder",
    "blocks_of",
    "column_of_state",
    "decode_column",
    "encode_column",
    "fit_column",
    "fit_maker",
    "made_column",
    "number_blocks",
    "plain_cells",
]

BlockValues = tuple[npt.NDArray[np.uint8], npt.NDArray[np.float32], npt.NDArray[np.bool_]]
ColumnEncoder = NumericEncoder | CategoricalEncoder | TemporalEncoder

PRESENT = "present"
"""The one level of an id column that has missing cells: only whether there is an id is learned."""


def fit_column(values: pd.Series, spec: ColumnSpec, n_bins: int, min_rows: int) -> ColumnEncoder | None:
    """Fit the encoder of a column; None for one of which nothing is learned."""
    match spec.kind:
        case ColumnKind.NUMERIC:
            numbers, mark = numbers_of(values, spec), marks_of(values, spec)
            if (unknown := np.isnan(numbers) & values.notna().to_numpy() & (mark < 0)).any():
                raise SchemaError(
                    f"column {spec.name!r} holds {values[unknown].iloc[0]!r}, which is neither a number nor one of its "
                    f"marks, {quoted(spec.marks or ())}"
                )
            if np.isnan(numbers).all():
                raise SchemaError(f"column {spec.name!r} is numeric in the schema, but no cell holds a number")
            low = np.nanmin(numbers) if spec.low is None else spec.low
            high = np.nanmax(numbers) if spec.high is None else spec.high
            grid = Grid(spec.decimals, spec.step, float(low), float(high))
            return NumericEncoder.fit(grid.snap(numbers), grid, n_bins, min_rows, mark, len(spec.marks or ()))
        case ColumnKind.DATETIME:
            ticks, missing = wall_ticks(values, spec)
            if min_rows > 1 and spec.low is not None and spec.high is not None:
                ticks = np.clip(ticks, wall_tick(str(spec.low), spec), wall_tick(str(spec.high), spec))
            return TemporalEncoder.fit(ticks, missing, n_bins, min_rows)
        case ColumnKind.CATEGORICAL | ColumnKind.BOOLEAN:
            levels = list(spec.levels or ())
            index = pd.Index(levels, dtype=object).get_indexer(pd.Index(values, dtype=object))
            if (unknown := (index < 0) & values.notna().to_numpy()).any():
                raise SchemaError(
                    f"column {spec.name!r} holds {values[unknown].iloc[0]!r}, which is not among its levels"
                )
            return CategoricalEncoder.fit(index, levels)
        case kind if kind.is_made_anew and bool(values.isna().any()):
            return CategoricalEncoder.fit(np.where(values.isna(), -1, 0), [PRESENT])
    return None


def fit_maker(values: pd.Series, spec: ColumnSpec, *, rounded: bool) -> IdentifierMaker:
    """Fit what makes new ids, or numbered texts; `SchemaError` for cells that are no ids."""
    if spec.kind is ColumnKind.TEXT:
        return IdentifierMaker.of_text()
    present = values.dropna()
    if pd.api.types.is_numeric_dtype(present) and not pd.api.types.is_bool_dtype(present):
        fits = bool((present.to_numpy(np.float64) % 1 == 0).all())
    else:
        fits = all(isinstance(cell, str) for cell in present)
    if isinstance(values.dtype, pd.CategoricalDtype) or not fits:
        raise SchemaError(
            f"column {spec.name!r} is declared an id, and ids are text or whole numbers; its dtype is {values.dtype}. "
            "Convert it, e.g. with .astype(str), or drop it"
        )
    return IdentifierMaker.fit(values, rounded=rounded)


def encode_column(encoder: ColumnEncoder, *plain: Any) -> list[BlockValues]:
    """Encode what `plain_cells` returned: codes, positions and known of each block of the column."""
    if isinstance(encoder, TemporalEncoder):
        return [part.encode(number) for part, number in zip(encoder.parts.values(), encoder.split(*plain), strict=True)]
    return [encoder.encode(*plain)]


def decode_column(
    encoder: ColumnEncoder,
    parts: Sequence[tuple[Any, Any]],
    spec: ColumnSpec,
    first_row: int,
    adjust: Callable[[Any], Any],
) -> pd.Series:
    """Turn codes and positions of each block of a column into its cells.

    `adjust` is applied to numbers (float64) or ticks (int64, see `instant_of`) before they get the column's dtype;
    rows are counted from `first_row` where a level's cells are told apart by that.
    """
    if isinstance(encoder, CategoricalEncoder):
        index = encoder.decode(*parts[0])
        levels = np.empty(len(encoder.levels) + 1, dtype=object)  # with a place for index -1
        levels[:-1] = encoder.levels
        return levels_to_column(_numbered(levels[index], spec.other, first_row), index < 0, spec)
    if isinstance(encoder, TemporalEncoder):
        numbers = [part.decode(*values) for part, values in zip(encoder.parts.values(), parts, strict=True)]
        return ticks_to_column(*encoder.join(numbers), spec, adjust)
    mark = encoder.mark(*parts[0]) if spec.marks else None
    return numbers_to_column(adjust(encoder.decode(*parts[0])), spec, mark)


def made_column(
    made: Sequence[Any], encoder: ColumnEncoder | None, parts: Sequence[tuple[Any, Any]], spec: ColumnSpec
) -> pd.Series:
    """Ids or texts that were made anew, but where the encoder, of a column with missing cells, says there is none."""
    missing = encoder.decode(*parts[0]) < 0 if isinstance(encoder, CategoricalEncoder) else np.zeros(len(made), bool)
    return objects_to_column(np.array(made, dtype=object), missing, spec)


def _numbered(levels: npt.NDArray[np.object_], other: str | None, first_row: int) -> npt.NDArray[np.object_]:
    """Tell the cells of a level that stands for many apart, by the numbers of their rows."""
    if other is not None:
        rows = np.flatnonzero(levels == other)
        levels[rows] = [f"{other}-{first_row + row + 1}" for row in rows]
    return levels


def plain_cells(values: pd.Series, spec: ColumnSpec) -> Any:
    """Return the cells of a column as its encoder takes them."""
    if spec.kind is ColumnKind.DATETIME:
        return wall_ticks(values, spec)
    if spec.kind is ColumnKind.NUMERIC:
        numbers = numbers_of(values, spec)
        return (numbers, marks_of(values, spec)) if spec.is_number_text else (numbers,)
    if spec.kind.is_made_anew:
        return (values.notna().map({True: PRESENT, False: None}),)
    if spec.other is not None:  # whatever else is there is one of the many
        values = values.where(values.isna() | values.isin(spec.levels or ()), spec.other)
    return (values,)


def blocks_of(name: ColumnName, encoder: ColumnEncoder, spec: ColumnSpec) -> list[Block]:
    """Return the blocks of a column."""
    if isinstance(encoder, CategoricalEncoder):
        part = PRESENT if spec.kind.is_made_anew else "value"
        return [
            Block(name, part, encoder.cells, encoder.missing_code, np.zeros(len(encoder.cells.code), np.bool_), False)
        ]
    parts = {"value": encoder} if isinstance(encoder, NumericEncoder) else encoder.parts
    return [Block(name, part, item.cells, item.missing_code, item.interval, True) for part, item in parts.items()]


def number_blocks(
    encoder: ColumnEncoder, values: pd.Series, spec: ColumnSpec
) -> list[tuple[NumericEncoder, npt.NDArray[np.float64]]]:
    """Return the encoder and the numbers (float64, NaN for missing) of each block; none of a column of categories."""
    if isinstance(encoder, CategoricalEncoder):
        return []
    plain = plain_cells(values, spec)
    if isinstance(encoder, TemporalEncoder):
        return list(zip(encoder.parts.values(), encoder.split(*plain), strict=True))
    return [(encoder, plain[0])]


def column_of_state(state: Mapping[str, Any], spec: ColumnSpec) -> ColumnEncoder:
    """Rebuild the encoder of a column from what a file holds.

    Raises
    ------
    ValueError, KeyError, TypeError
        When it is of no such column.
    """
    match spec.kind:
        case ColumnKind.NUMERIC:
            encoder = NumericEncoder.from_state(state)
            if encoder.n_marks != len(spec.marks or ()):
                raise ValueError(f"column {spec.name!r} has {encoder.n_marks} cells for its marks")
            return encoder
        case ColumnKind.DATETIME:
            return TemporalEncoder.from_state(state)
        case _:
            return CategoricalEncoder.from_state(state)
