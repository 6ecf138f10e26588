"""A whole table as small integer codes and positions, and back."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Mapping
from typing import Any, Self, cast

import numpy as np
import numpy.typing as npt
import pandas as pd

from synthgan.encoding.bounds import bounds_of
from synthgan.encoding.categorical import CategoricalEncoder
from synthgan.encoding.columns import (
    BlockValues,
    ColumnEncoder,
    blocks_of,
    decode_column,
    encode_column,
    fit_column,
    fit_maker,
    made_column,
    number_blocks,
    plain_cells,
)
from synthgan.encoding.continuous import NumericEncoder, default_n_bins
from synthgan.encoding.derived import Derived, derived_of_state, in_order
from synthgan.encoding.dtypes import levels_to_column, wall_clock
from synthgan.encoding.encoded import BlockFeatures, EncodedTable
from synthgan.encoding.formulas import find_derived
from synthgan.encoding.gaps import find_gaps
from synthgan.encoding.identifier import IdentifierMaker
from synthgan.encoding.layout import Block, TableLayout
from synthgan.encoding.likeness import likeness_order
from synthgan.encoding.orders import Order, find_orders, orders_of_state
from synthgan.encoding.pairings import Cells, Pairing, find_pairings, pairings_of_state
from synthgan.encoding.protection import protect
from synthgan.encoding.relations import Relation, find_relations, relations_of_state
from synthgan.encoding.repeats import Numbers, flag, one_way, repeated
from synthgan.encoding.rules import Rules
from synthgan.encoding.temporal import TemporalEncoder
from synthgan.errors import SchemaError
from synthgan.rng import numpy_stream
from synthgan.schema.table import ColumnKind, ColumnName, ColumnSpec, Schema

__all__ = ["ColumnEncoder", "EncodedTable", "TableEncoder"]

RELATION_ROWS, LIKENESS_ROWS, PAIRING_ROWS = 20_000, 50_000, 200_000
"""Rows that relations are looked for in, by which levels are told to be alike, and in which pairs are counted."""


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
        Which numbers lie near which others (see `with_relations`).
    derived : tuple of Derived
        Which numbers follow from other columns (see `with_derived`).
    hidden : tuple of column label
        Columns of the schema that frames do not have: gaps between two others (see `with_gaps`).
    orders : tuple of Order
        Which columns are never below which others (see `with_orders`).
    pairings : tuple of Pairing
        Which levels go with which of other columns (see `with_pairings`).

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

    def with_likeness(self, frame: pd.DataFrame) -> Self:
        """Return this encoder with codes shared by levels that the rows of `frame` show to be alike."""
        shared = [name for name, one in self.encoders.items() if isinstance(one, CategoricalEncoder) and one.is_shared]
        if not shared:
            return self
        encoders, table = dict(self.encoders), self.encode(_picked(frame, LIKENESS_ROWS))
        for name in shared:
            encoder, block = cast(CategoricalEncoder, self.encoders[name]), self.layout.blocks_of(name)[0]
            others = (BlockFeatures(self.layout, table, at).of(table) for at in range(len(self.layout)) if at != block)
            index = encoder.decode(*self._block_values(table, block))
            order = likeness_order(index, len(encoder.levels), others)
            every = encoder.index_of(*plain_cells(frame[name].reset_index(drop=True), self.schema[name]))
            encoders[name] = CategoricalEncoder.fit(every, encoder.levels, order)
        return dataclasses.replace(self, encoders=encoders)

    def with_pairings(self, frame: pd.DataFrame, min_rows: int = 1) -> Self:
        """Return this encoder with the pairs of levels, and of levels and numbers, that rows of `frame` show.

        Only those that `min_rows` rows hold, and all counts are multiples of that.
        """
        cells, table = {}, self.encode(_picked(frame, PAIRING_ROWS))
        for place, block in enumerate(self.layout.blocks):
            flat, _ = block.cells.flatten(*self._block_values(table, place))
            cells[place] = Cells(block.cells, flat, block.ordered, block.missing_code)
        return dataclasses.replace(self, pairings=find_pairings(cells, min_rows))

    def with_relations(self, frame: pd.DataFrame) -> Self:
        """Return this encoder with the relations between numbers that the rows of `frame` show."""
        frame = self.whole(frame)
        rows = frame.iloc[np.linspace(0, len(frame) - 1, min(len(frame), RELATION_ROWS)).astype(np.int64)]
        numbers: dict[int, tuple[NumericEncoder, npt.NDArray[np.float64]]] = {}
        for name, encoder in self.encoders.items():
            parts = number_blocks(encoder, rows[name].reset_index(drop=True), self.schema[name])
            numbers |= dict(zip(self.layout.blocks_of(name), parts, strict=False))  # categories have a block, no number
        whole = {block for block in numbers if self.layout.blocks[block].part == "value"}
        return dataclasses.replace(self, relations=one_way(find_relations(numbers), whole))

    def with_derived(self, frame: pd.DataFrame) -> Self:
        """Return this encoder with the numbers that follow from other columns in all rows of `frame`."""
        return dataclasses.replace(self, derived=find_derived(frame, self.schema))

    def with_gaps(self, frame: pd.DataFrame, n_bins: int | None = None, min_rows: int = 1) -> Self:
        """Return this encoder with a hidden column for each gap between two columns of which one is never below.

        Parameters are as those of `fit`. What follows in all rows is known by then.
        """
        found = find_gaps(frame, self.schema, self.derived)
        if not found:
            return self
        derived = in_order([*self.derived, *(one.formula for one in found)])
        wider = dataclasses.replace(
            self,
            schema=Schema((*self.schema, *(one.spec for one in found))),
            derived=tuple(derived or ()),
            hidden=tuple(one.spec.name for one in found),
            encoders={},
        )
        shown = protect(wider.whole(frame)[list(wider.hidden)], Schema(tuple(one.spec for one in found)), min_rows)
        plain = TableEncoder.fit(shown.frame, shown.schema, n_bins or default_n_bins(len(frame)), min_rows)
        schema, encoders = Schema((*self.schema, *shown.schema)), {**self.encoders, **plain.encoders}
        return dataclasses.replace(wider, schema=schema, encoders=encoders)

    def with_orders(self, frame: pd.DataFrame) -> Self:
        """Return this encoder with the columns that are never below others in the rows of `frame`, but for gaps' ones.

        What follows in all rows, gaps among it, is known by then.
        """
        return dataclasses.replace(self, orders=tuple(find_orders(frame, self.visible, self.derived)))

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
                    out[:, block] = part.decode(*self._block_values(table, block))
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
            drawn = self._block_values(table, block)
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
        drawn = {name: self._decode_column(table, self.schema[name], 0, _as_is) for name in rules.names}
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
        return self._decode_column(row, self.schema[name], 0, _as_is).iloc[0]

    def _decode_column(
        self, table: EncodedTable, spec: ColumnSpec, first_row: int, adjust: Callable[[Any], Any]
    ) -> pd.Series:
        if spec.kind is ColumnKind.CONSTANT:
            value = spec.levels[0] if spec.levels else None
            return levels_to_column(np.full(len(table), value, object), np.full(len(table), value is None), spec)
        parts = [self._block_values(table, block) for block in self.layout.blocks_of(spec.name)]
        if spec.kind.is_made_anew:
            made = self.makers[spec.name].make(first_row, len(table))
            return made_column(made, self.encoders.get(spec.name), parts, spec)
        return decode_column(self.encoders[spec.name], parts, spec, first_row, adjust)

    def _block_values(self, table: EncodedTable, block: int) -> tuple[Any, Any]:
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
        }

    @classmethod
    def from_state(cls, schema: Schema, state: Mapping[str, Any]) -> TableEncoder:
        """Rebuild an encoder from `schema` and `state`."""
        classes: dict[ColumnKind, type[NumericEncoder] | type[CategoricalEncoder] | type[TemporalEncoder]] = {
            ColumnKind.NUMERIC: NumericEncoder,
            ColumnKind.DATETIME: TemporalEncoder,
        }
        encoders = {
            item["name"]: classes.get(schema[item["name"]].kind, CategoricalEncoder).from_state(item)
            for item in state["columns"]
        }
        for name, encoder in encoders.items():
            n_marks = encoder.n_marks if isinstance(encoder, NumericEncoder) else 0
            if n_marks != len(schema[name].marks or ()):
                raise ValueError(f"column {name!r} has {n_marks} cells for its marks")
        makers = {
            item["name"]: IdentifierMaker.from_state({key: value for key, value in item.items() if key != "name"})
            for item in state["makers"]
        }
        plain = cls(schema, encoders, makers)
        cells = {place: block.cells for place, block in enumerate(plain.layout.blocks) if block.ordered}
        relations = relations_of_state(state["relations"], cells)
        repeating = [frozenset((one.target, one.source)) for one in relations if one.repeats]
        if any(plain.layout.blocks[block].part != "value" for pair in repeating for block in pair):
            raise ValueError("only numbers repeat others")
        if len(set(repeating)) < len(repeating):
            raise ValueError("of two columns one repeats the other")
        derived = derived_of_state(state.get("derived", ()), schema)  # the first files had none
        every = {place: block.cells for place, block in enumerate(plain.layout.blocks)}
        pairings = pairings_of_state(state.get("pairings", ()), every)
        hidden = tuple(state.get("hidden", ()))
        if not {source for one in derived if one.function == "sum" for source in one.sources}.issuperset(hidden):
            raise ValueError("a hidden column is a part of a sum")
        orders = orders_of_state(state.get("orders", ()), schema)
        whole = dataclasses.replace(plain, derived=derived, orders=orders, hidden=hidden)
        return dataclasses.replace(whole, relations=relations, pairings=pairings)


def _picked(frame: pd.DataFrame, n_rows: int) -> pd.DataFrame:
    """So many rows at most, at random, in the table's order: every other row may be of another kind."""
    if len(frame) <= n_rows:
        return frame
    return frame.iloc[np.sort(numpy_stream(0, "rows that are counted").permutation(len(frame))[:n_rows])]


def _as_is(values: Any) -> Any:
    return values
