"""A table as vectors of scalars and one-hot codes: what textbook networks are fed with."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from functools import cached_property
from typing import Any, Self

import numpy as np
import numpy.typing as npt
import pandas as pd

from synthgan.encoding.categorical import CategoricalEncoder
from synthgan.encoding.cells import FloatArray, IntArray
from synthgan.encoding.columns import PRESENT
from synthgan.encoding.continuous import NumericEncoder
from synthgan.encoding.dtypes import numbers_of, numbers_to_column, ticks_to_column, wall_ticks
from synthgan.encoding.modes import FitModes, ModeEncoder
from synthgan.encoding.table import EncodedTable, TableEncoder
from synthgan.encoding.temporal import TemporalEncoder
from synthgan.schema.table import ColumnName, Schema

__all__ = ["VectorEncoder", "VectorLayout", "VectorTable"]


@dataclasses.dataclass(frozen=True)
class VectorLayout:
    """Where things are in a row's vector: first the scalars, then one-hot segments, one after another.

    Parameters
    ----------
    n_scalars : int
        Numbers of the table: one a numeric column, two a datetime with times of day.
    sizes : tuple of int
        Codes of each segment: the levels of a category, the modes of a number.
    category : tuple of bool
        Whether a segment is a column of its own (levels), or says in which mode a scalar is.
    """

    n_scalars: int
    sizes: tuple[int, ...]
    category: tuple[bool, ...]

    @property
    def width(self) -> int:
        """Length of a row's vector."""
        return self.n_scalars + sum(self.sizes)

    @cached_property
    def offsets(self) -> IntArray:
        """Place of each segment's first code in the vector, shape (n_segments,)."""
        return self.n_scalars + np.cumsum([0, *self.sizes], dtype=np.int64)[:-1]


@dataclasses.dataclass(frozen=True, slots=True)
class VectorTable:
    """Rows in the compact form of vectors.

    Parameters
    ----------
    scalars : ndarray of float32, shape (n_rows, n_scalars)
        The scalar part.
    codes : ndarray of int64, shape (n_rows, n_segments)
        The hot code of each segment.
    """

    scalars: npt.NDArray[np.float32]
    codes: IntArray

    def __len__(self) -> int:
        return len(self.scalars)


@dataclasses.dataclass(frozen=True)
class VectorEncoder(TableEncoder):
    """A `TableEncoder` that also turns rows into vectors and back, with the same dtypes, grids and bounds.

    Parameters
    ----------
    schema, encoders, makers
        As for `TableEncoder`.
    modes : tuple of ModeEncoder
        One for each of the layout's blocks of numbers, in order.

    Examples
    --------
    >>> from synthgan.encoding.modes import fit_standard
    >>> from synthgan.schema import infer_schema
    >>> frame = pd.DataFrame({"age": [31, 47, 25, 31], "city": ["Ulm", None, "Bonn", "Ulm"]})
    >>> encoder = VectorEncoder.fit_vectors(frame, infer_schema(frame), fit_standard)
    >>> encoder.vectors.sizes
    (3,)
    >>> encoder.from_vectors(encoder.to_vectors(frame, np.random.default_rng(0))).equals(frame)
    True
    """

    modes: tuple[ModeEncoder, ...] = ()

    @classmethod
    def fit_vectors(cls, frame: pd.DataFrame, schema: Schema, fit_modes: FitModes, min_rows: int = 1) -> Self:
        """Fit on a table; `fit_modes` chooses how numbers are scaled, the rest is as for `TableEncoder.fit`."""
        base = TableEncoder.fit(frame, schema, min_rows=min_rows)
        plain = cls(base.schema, base.encoders, base.makers)
        modes = tuple(
            fit_modes(values)
            for block, values in zip(plain.layout.blocks, plain._values(frame), strict=True)
            if block.ordered
        )
        return dataclasses.replace(plain, modes=modes)

    @cached_property
    def vectors(self) -> VectorLayout:
        """Sizes and places in a row's vector; a segment with a single code is left out."""
        sizes = [(n, not block.ordered) for block, n in zip(self.layout.blocks, self._n_codes, strict=True) if n > 1]
        return VectorLayout(len(self.modes), tuple(n for n, _ in sizes), tuple(own for _, own in sizes))

    def segment_of(self, column: ColumnName) -> int | None:
        """Return the segment that holds a column's levels; None for a column that has none."""
        blocks = self.layout.blocks_of(column)
        if len(blocks) != 1 or self.layout.blocks[blocks[0]].ordered or self._n_codes[blocks[0]] < 2:
            return None
        return sum(n > 1 for n in self._n_codes[: blocks[0]])

    def level_index(self, column: ColumnName, value: Any) -> int:
        """Return the code of a level (None for missing) in the column's segment."""
        encoder = self.encoders[column]
        assert isinstance(encoder, CategoricalEncoder)  # noqa: S101 - segments of levels are of such columns
        return len(encoder.levels) if value is None else encoder.levels.index(value)

    def to_vectors(self, frame: pd.DataFrame, stream: np.random.Generator) -> VectorTable:
        """Encode the learned columns of `frame`; the modes of numbers are drawn from their posterior."""
        scalars, codes = [], []
        modes = iter(self.modes)
        for block, values, n_codes in zip(self.layout.blocks, self._values(frame), self._n_codes, strict=True):
            if block.ordered:
                scalar, code = next(modes).encode(values, stream)
                scalars.append(scalar)
            else:
                code = values
            if n_codes > 1:
                codes.append(code)
        n_rows = len(frame)
        return VectorTable(
            np.stack(scalars, axis=1) if scalars else np.zeros((n_rows, 0), np.float32),
            np.stack(codes, axis=1) if codes else np.zeros((n_rows, 0), np.int64),
        )

    def from_vectors(self, table: VectorTable, first_row: int = 0) -> pd.DataFrame:
        """Decode rows into a frame with the schema's columns and dtypes; ids count from `first_row`."""
        levels, numbers = self._decoded(table)
        # Everything but numbers and times is drawn exactly as `TableEncoder` does it.
        frame = self.decode(levels, first_row)
        for spec in self.schema:
            encoder = self.encoders.get(spec.name)
            parts = [numbers[block] for block in self.layout.blocks_of(spec.name) if block in numbers]
            if isinstance(encoder, NumericEncoder):
                frame[spec.name] = numbers_to_column(encoder.grid.snap(parts[0]), spec)
            elif isinstance(encoder, TemporalEncoder):
                snapped = [part.grid.snap(x) for part, x in zip(encoder.parts.values(), parts, strict=True)]
                frame[spec.name] = ticks_to_column(*encoder.join(snapped), spec, lambda ticks: ticks)
        return frame

    def state(self) -> dict[str, Any]:
        """Return everything but the schema that is needed to rebuild the encoder: arrays and plain values."""
        return super().state() | {"modes": [modes.state() for modes in self.modes]}

    @classmethod
    def from_state(cls, schema: Schema, state: Mapping[str, Any]) -> Self:
        """Rebuild an encoder from `schema` and `state`."""
        base = TableEncoder.from_state(schema, state)
        modes = tuple(ModeEncoder.from_state(item) for item in state["modes"])
        return cls(schema, base.encoders, base.makers, modes=modes)

    @cached_property
    def _n_codes(self) -> list[int]:
        """Codes of each block's segment: modes or levels, missing included."""
        modes = iter(self.modes)
        return [next(modes).n_modes if block.ordered else len(block.cells.code) for block in self.layout.blocks]

    def _values(self, frame: pd.DataFrame) -> list[Any]:
        """Each block's values: numbers (float64, NaN for missing) or the index of the level (missing is the last)."""
        out: list[Any] = []
        for name, encoder in self.encoders.items():
            spec, cells = self.schema[name], frame[name].reset_index(drop=True)
            if isinstance(encoder, CategoricalEncoder):
                if spec.kind.is_made_anew:
                    cells = cells.notna().map({True: PRESENT, False: None})
                code, position, _ = encoder.encode(cells)
                level = encoder.decode(code, position)
                out.append(np.where(level < 0, len(encoder.levels), level))
            elif isinstance(encoder, TemporalEncoder):
                numbers = encoder.split(*wall_ticks(cells, spec))
                out += [part.grid.snap(x) for part, x in zip(encoder.parts.values(), numbers, strict=True)]
            else:
                out.append(encoder.grid.snap(numbers_of(cells, spec)))
        return out

    def _decoded(self, table: VectorTable) -> tuple[EncodedTable, dict[int, FloatArray]]:
        """Levels as an `EncodedTable` (in which numbers mean nothing), and the numbers of the other blocks."""
        layout = self.layout
        codes = np.zeros((len(table), len(layout)), np.uint8)
        positions = np.full((len(table), len(layout.positioned)), 0.5, np.float32)
        numbers: dict[int, FloatArray] = {}
        segment = 0
        for index, (block, n_codes) in enumerate(zip(layout.blocks, self._n_codes, strict=True)):
            code = table.codes[:, segment] if n_codes > 1 else np.zeros(len(table), np.int64)
            segment += n_codes > 1
            if block.ordered:
                numbers[index] = self.modes[len(numbers)].decode(table.scalars[:, len(numbers)], code)
                continue
            codes[:, index], position = block.cells.locate(code)
            if index in layout.positioned:
                positions[:, layout.positioned.index(index)] = position
        return EncodedTable(codes, positions, np.ones(codes.shape, np.bool_)), numbers
