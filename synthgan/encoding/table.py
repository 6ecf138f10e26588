"""A whole table as small integer codes and positions, and back."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Mapping
from functools import cached_property
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from synthgan.encoding.bounds import bounds_of
from synthgan.encoding.categorical import CategoricalEncoder
from synthgan.encoding.columns import (
    BlockValues,
    ColumnEncoder,
    blocks_of,
    column_of_state,
    decode_column,
    encode_column,
    fit_column,
    fit_maker,
    made_column,
    plain_cells,
)
from synthgan.encoding.continuous import NumericEncoder, default_n_bins
from synthgan.encoding.derived import PARTS, Derived, derived_of_state
from synthgan.encoding.dtypes import levels_to_column, wall_clock
from synthgan.encoding.encoded import EncodedTable
from synthgan.encoding.identifier import IdentifierMaker
from synthgan.encoding.layout import Block, TableLayout
from synthgan.encoding.orders import Order, orders_of_state
from synthgan.encoding.pairings import Pairing, pairings_of_state
from synthgan.encoding.relations import Relation, relations_of_state
from synthgan.encoding.repeats import Numbers, flag, repeated
from synthgan.encoding.rules import Rules
from synthgan.encoding.temporal import TemporalEncoder
from synthgan.encoding.zeros import Zeros, with_implied, zeros_of_state
from synthgan.errors import SchemaError
from synthgan.schema.table import ColumnKind, ColumnName, ColumnSpec, Schema

__all__ = ["ColumnEncoder", "EncodedTable", "TableEncoder"]


@dataclasses.dataclass(frozen=True)
class TableEncoder:
    """The encoders of all columns of a table.

    Parameters
    ----------
    schema : Schema
        The table's columns.
    encoders : mapping of column label to encoder
        Learned columns: NUMERIC, CATEGORICAL, BOOLEAN, DATETIME, and ID and TEXT columns with missing cells.
    makers : mapping of column label to IdentifierMaker
        ID and TEXT columns.
    relations : tuple of Relation
        Which numbers lie near which others (see `synthgan.encoding.finding`, as for all that follows).
    derived : tuple of Derived
        Which numbers follow from other columns.
    hidden : tuple of column label
        Columns of the schema that frames do not have: gaps between two others, and parts of points in time.
    orders : tuple of Order
        Which columns are never below which others.
    pairings : tuple of Pairing
        Which levels go with which of other columns.
    zeros : tuple of Zeros
        What no row holds together.

    Examples
    --------
    >>> from synthgan.schema import infer_schema
    >>> frame = pd.DataFrame({"age": [31, 47, 25, 31], "city": ["Ulm", None, "Bonn", "Ulm"]})
    >>> encoder = TableEncoder.fit(frame, infer_schema(frame))
    >>> encoder.decode(encoder.encode(frame)).equals(frame)
    True
    """

    schema: Schema
    encoders: Mapping[ColumnName, ColumnEncoder]
    makers: Mapping[ColumnName, IdentifierMaker]
    relations: tuple[Relation, ...] = ()
    derived: tuple[Derived, ...] = ()
    hidden: tuple[ColumnName, ...] = ()
    orders: tuple[Order, ...] = ()
    pairings: tuple[Pairing, ...] = ()
    zeros: tuple[Zeros, ...] = ()
    layout: TableLayout = dataclasses.field(init=False)

    def __post_init__(self) -> None:
        blocks = [
            block for name, encoder in self.encoders.items() for block in blocks_of(name, encoder, self.schema[name])
        ]
        pairs = [(blocks[one.target].column, blocks[one.source].column) for one in self.relations if one.repeats]
        flags = [Block.flag(*pair) for pair in pairs]
        ends: dict[ColumnName, tuple[int, NumericEncoder | TemporalEncoder]] = {}
        for place, block in enumerate(blocks):
            if not isinstance(encoder := self.encoders[block.column], CategoricalEncoder):
                ends.setdefault(block.column, (place, encoder))
        bounds = tuple(bound for one in self.orders for bound in bounds_of(*ends[one.low], *ends[one.high]))
        object.__setattr__(self, "layout", TableLayout((*blocks, *flags), self.relations, self.pairings, bounds))

    @classmethod
    def fit(cls, frame: pd.DataFrame, schema: Schema, n_bins: int | None = None, min_rows: int = 1) -> TableEncoder:
        """Fit one encoder per learned column.

        Parameters
        ----------
        frame : DataFrame of shape (n_rows, n_columns)
            Columns as in `schema`.
        schema : Schema
            What they are.
        n_bins : int, optional
            Quantile bins of a number; by default `default_n_bins`.
        min_rows : int
            Rows that whatever is stored of a number or time stands for at least; more than 1 also keeps ids' largest
            number from showing. `protect` does the same for what the schema says.

        Raises
        ------
        SchemaError
            For values that contradict the schema.
        """
        bins = n_bins or default_n_bins(len(frame))
        encoders: dict[ColumnName, ColumnEncoder] = {}
        makers: dict[ColumnName, IdentifierMaker] = {}
        for spec in schema:
            values = frame[spec.name].reset_index(drop=True)
            # A category dtype without a single value still has levels; any other kind needs a cell to learn from.
            if spec.kind not in (ColumnKind.CONSTANT, ColumnKind.CATEGORICAL) and bool(values.isna().all()):
                raise SchemaError(f"column {spec.name!r} is {spec.kind} in the schema, but every cell is missing")
            if spec.kind is ColumnKind.CONSTANT and values.nunique(dropna=False) > 1:
                raise SchemaError(f"column {spec.name!r} is constant in the schema, but its cells differ")
            if spec.kind.is_made_anew:
                makers[spec.name] = fit_maker(values, spec, rounded=min_rows > 1)
            if encoder := fit_column(values, spec, bins, min_rows):
                encoders[spec.name] = encoder
        return cls(schema, encoders, makers)

    @property
    def visible(self) -> Schema:
        """The columns that frames have."""
        return Schema(tuple(spec for spec in self.schema if spec.name not in self.hidden))

    @property
    def rules(self) -> Rules:
        """What all rows keep to."""
        return Rules(self.schema, self.derived, self.orders, self.hidden)

    def whole(self, frame: pd.DataFrame) -> pd.DataFrame:
        """Return a frame with its hidden columns."""
        return self.rules.whole(frame)

    def encode(self, frame: pd.DataFrame) -> EncodedTable:
        """Encode the learned columns of `frame` (which has all of them; others are not looked at)."""
        codes, positions, known = [], [], []
        numbers: dict[ColumnName, Numbers] = {}
        frame = self.whole(frame)
        for name, encoder in self.encoders.items():
            plain = plain_cells(frame[name].reset_index(drop=True), self.schema[name])
            for block_code, block_position, block_known in encode_column(encoder, *plain):
                codes.append(block_code)
                positions.append(block_position)
                known.append(block_known)
            if isinstance(encoder, NumericEncoder):
                numbers[name] = Numbers(encoder, plain[0], codes[-1], positions[-1])
        for pair in self.layout.flags:
            codes.append(flag(*(numbers[name] for name in pair)))
            positions.append(np.full(len(frame), 0.5, np.float32))
            known.append(
                np.logical_and.reduce([known[block] for name in pair for block in self.layout.blocks_of(name)])
            )
        picked = [positions[i] for i in self.layout.positioned]
        n_rows = len(frame)
        return EncodedTable(
            np.stack(codes, axis=1) if codes else np.zeros((n_rows, 0), np.uint8),
            np.stack(picked, axis=1) if picked else np.zeros((n_rows, 0), np.float32),
            np.stack(known, axis=1) if known else np.zeros((n_rows, 0), np.bool_),
        )

    def numbers(self, table: EncodedTable) -> npt.NDArray[np.float64]:
        """Return what cells are as numbers, days or times of day, shape (n_rows, n_blocks); NaN where they are none."""
        out = np.full((len(table), len(self.layout)), np.nan)
        for name, encoder in self.encoders.items():
            parts = encoder.parts.values() if isinstance(encoder, TemporalEncoder) else [encoder]
            for block, part in zip(self.layout.blocks_of(name), parts, strict=True):
                if isinstance(part, NumericEncoder):
                    out[:, block] = part.decode(*self.block_values(table, block))
        return out

    def encode_plain(
        self, name: ColumnName, values: npt.NDArray[Any], mark: npt.NDArray[np.int64] | None = None
    ) -> list[BlockValues]:
        """Encode cells of one column, none missing: levels (object), numbers (float64) or ticks (see `instant_of`).

        Where `mark` (int64) is not -1 a number is NaN, and that mark stands in its place.

        Returns
        -------
        list of tuple of ndarray
            Codes (uint8), positions (float32) and known (bool) of each block of the column.
        """
        encoder = self.encoders[name]
        if isinstance(encoder, TemporalEncoder):
            return encode_column(encoder, wall_clock(values, self.schema[name]), np.zeros(len(values), np.bool_))
        if isinstance(encoder, NumericEncoder):
            return encode_column(encoder, values, mark)
        return encode_column(encoder, pd.Series(values))

    def decode(
        self,
        table: EncodedTable,
        first_row: int = 0,
        adjust: Mapping[ColumnName, Callable[[Any], Any]] | None = None,
        fixed: Mapping[ColumnName, npt.NDArray[np.bool_]] | None = None,
    ) -> pd.DataFrame:
        """Turn codes and positions back into a frame with the schema's columns and dtypes.

        Parameters
        ----------
        table : EncodedTable
            Rows to decode; `known` is not looked at.
        first_row : int
            Number of the first row, which the identifiers count from.
        adjust : mapping of column label to callable, optional
            Applied to the decoded numbers (float64) or ticks (int64, see `instant_of`) of a column before they get its
            dtype.
        fixed : mapping of column label to ndarray of bool, shape (n_rows,)
            Rows in which a column keeps to conditions: it is not made to follow another.

        Returns
        -------
        DataFrame of shape (n_rows, n_columns)
            With a fresh `RangeIndex`.
        """
        change = dict(adjust or {})
        for name, values in self._repeated(table, change, fixed or {}).items():
            change[name] = lambda _, values=values: values  # type: ignore[misc]
        columns = {
            spec.name: self._decode_column(table, spec, first_row, change.get(spec.name, _as_is))
            for spec in self.schema
        }
        columns |= self.kept(columns, fixed or {}, adjust or {})
        index = pd.RangeIndex(len(table))
        return pd.DataFrame(columns, columns=list(self.visible.names), index=index, copy=False)

    def _repeated(
        self,
        table: EncodedTable,
        adjust: Mapping[ColumnName, Callable[[Any], Any]],
        fixed: Mapping[ColumnName, npt.NDArray[np.bool_]],
    ) -> dict[ColumnName, npt.NDArray[np.float64]]:
        """Numbers of the columns that have flags, some of which repeat others exactly."""
        columns = {}
        for name in self._repeating:
            encoder = self.encoders[name]
            assert isinstance(encoder, NumericEncoder)  # noqa: S101 - only numbers have flags
            (block,) = self.layout.blocks_of(name)
            drawn = self.block_values(table, block)
            columns[name] = Numbers(encoder, adjust.get(name, _as_is)(encoder.decode(*drawn)), *drawn)
        raised = {}
        for place in self.layout.flags.values():
            about = self.layout.blocks[place]
            assert about.repeated is not None  # noqa: S101 - a flag is about two columns
            raised[about.column, about.repeated] = table.codes[:, place] == 1
        return repeated(columns, raised, fixed)

    def settled(
        self,
        table: EncodedTable,
        fixed: Mapping[ColumnName, npt.NDArray[np.bool_]],
        without: ColumnName | None = None,
    ) -> EncodedTable:
        """Return rows that keep to the rules as far as codes can tell, as `decode` makes their cells.

        Parameters
        ----------
        table : EncodedTable
            Drawn rows.
        fixed : mapping of column label to ndarray of bool, shape (n_rows,)
            Rows in which a column keeps to conditions.
        without : column label, optional
            Rules about this column are left alone.
        """
        rules = self.rules.without(without)
        drawn = {name: self.column(table, name) for name in rules.names}
        kept = rules.kept(drawn, self.encoders, fixed, {}, self._unmoved, early=True)
        codes, positions = table.codes.copy(), table.positions.copy()
        for name, column in kept.items():
            rows = np.flatnonzero((column != drawn[name]).to_numpy(dtype=bool, na_value=False))
            cells = plain_cells(column.iloc[rows].reset_index(drop=True), self.schema[name])
            for block, (code, position, _) in zip(
                self.layout.blocks_of(name), encode_column(self.encoders[name], *cells), strict=True
            ):
                codes[rows, block] = code
                if block in self.layout.positioned:
                    positions[rows, self.layout.positioned.index(block)] = position
        return EncodedTable(codes, positions, table.known)

    def kept(
        self,
        columns: Mapping[ColumnName, pd.Series],
        fixed: Mapping[ColumnName, npt.NDArray[np.bool_]],
        exact: Mapping[ColumnName, Callable[[Any], Any]],
        *,
        bounded: bool = True,
    ) -> dict[ColumnName, pd.Series]:
        """Return those columns that change when rows are made to keep to the rules (see `Rules.kept`)."""
        return self.rules.kept(columns, self.encoders, fixed, exact, self._unmoved, bounded=bounded)

    @cached_property
    def all_zeros(self) -> tuple[Zeros, ...]:
        """What no row holds together, and what follows from that."""
        return with_implied(self.zeros)

    def exclusions(self) -> tuple[str, ...]:
        """What never occurs together, of columns that frames have, as people write it."""
        blocks = self.layout.blocks
        shown = [one for one in self.zeros if not {blocks[one.one].column, blocks[one.other].column} & {*self.hidden}]
        return tuple(one.told(self.layout) for one in shown)

    @property
    def _repeating(self) -> set[ColumnName]:
        """Columns of which some cells repeat those of others."""
        return {name for pair in self.layout.flags for name in pair}

    @property
    def _unmoved(self) -> set[ColumnName]:
        """Of these the ones that no formula ties to what they repeat."""
        tied = [{one.target, *one.sources} for one in self.derived]
        return {name for pair in self.layout.flags if not any(pair <= own for own in tied) for name in pair}

    def constant(self, name: ColumnName) -> Any:
        """Return the one value of a CONSTANT column as its cells hold it."""
        row = EncodedTable(np.zeros((1, 0), np.uint8), np.zeros((1, 0), np.float32), np.zeros((1, 0), np.bool_))
        return self.column(row, name).iloc[0]

    def column(self, table: EncodedTable, name: ColumnName) -> pd.Series:
        """Decode one column as it was drawn, before it keeps to any rule."""
        return self._decode_column(table, self.schema[name], 0, _as_is)

    def _decode_column(
        self, table: EncodedTable, spec: ColumnSpec, first_row: int, adjust: Callable[[Any], Any]
    ) -> pd.Series:
        if spec.kind is ColumnKind.CONSTANT:
            value = spec.levels[0] if spec.levels else None
            return levels_to_column(np.full(len(table), value, object), np.full(len(table), value is None), spec)
        parts = [self.block_values(table, block) for block in self.layout.blocks_of(spec.name)]
        if spec.kind.is_made_anew:
            made = self.makers[spec.name].make(first_row, len(table))
            return made_column(made, self.encoders.get(spec.name), parts, spec)
        return decode_column(self.encoders[spec.name], parts, spec, first_row, adjust)

    def block_values(self, table: EncodedTable, block: int) -> tuple[npt.NDArray[np.uint8], npt.NDArray[np.float32]]:
        """Codes (uint8) and positions (float32) of one block, each of shape (n_rows,)."""
        if block in self.layout.positioned:
            position = table.positions[:, self.layout.positioned.index(block)]
        else:
            position = np.full(len(table), 0.5, np.float32)
        return table.codes[:, block], position

    def state(self) -> dict[str, Any]:
        """Return everything but the schema that is needed to rebuild the encoder: arrays and plain values."""
        return {
            "columns": [{"name": name, **encoder.state()} for name, encoder in self.encoders.items()],
            "makers": [{"name": name, **maker.state()} for name, maker in self.makers.items()],
            "relations": [relation.state() for relation in self.relations],
            "derived": [one.state() for one in self.derived],
            "hidden": list(self.hidden),
            "orders": [one.state() for one in self.orders],
            "pairings": [one.state() for one in self.pairings],
            "zeros": [one.state() for one in self.zeros],
        }

    @classmethod
    def from_state(cls, schema: Schema, state: Mapping[str, Any]) -> TableEncoder:
        """Rebuild an encoder from `schema` and `state`."""
        encoders = {item["name"]: column_of_state(item, schema[item["name"]]) for item in state["columns"]}
        makers = {
            item["name"]: IdentifierMaker.from_state({key: value for key, value in item.items() if key != "name"})
            for item in state["makers"]
        }
        layout = cls(schema, encoders, makers).layout
        blocks = layout.blocks
        numbers = {at: block.cells for at, block in enumerate(blocks) if block.ordered}
        whole = {at for at in numbers if blocks[at].part == "value"}
        derived = derived_of_state(state.get("derived", ()), schema)  # the first files had none
        hidden = tuple(state.get("hidden", ()))
        parts = {source for one in derived if one.function == "sum" for source in one.sources}
        if not parts.union(one.target for one in derived if one.function in PARTS).issuperset(hidden):
            raise ValueError("a hidden column is a part of a sum, or of a point in time")
        return cls(
            schema,
            encoders,
            makers,
            relations=relations_of_state(state["relations"], numbers, whole),
            derived=derived,
            hidden=hidden,
            orders=orders_of_state(state.get("orders", ()), schema),
            pairings=pairings_of_state(state.get("pairings", ()), {at: block.cells for at, block in enumerate(blocks)}),
            zeros=zeros_of_state(state.get("zeros", ()), layout),
        )


def _as_is(values: Any) -> Any:
    return values
