"""Conditions in the user's words as given blocks and restrictions: the only owner of condition indices."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Mapping, Sequence, Set
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from synthgan.conditioning.columns import ColumnCondition, follow_day, read_condition
from synthgan.conditioning.dates import restricted_days
from synthgan.conditioning.pieces import Restriction
from synthgan.conditioning.values import exact_values, is_missing
from synthgan.encoding import EncodedTable, TableEncoder
from synthgan.encoding.cells import FloatArray, IntArray
from synthgan.encoding.dtypes import marks_of
from synthgan.encoding.layout import TableLayout
from synthgan.encoding.temporal import TemporalEncoder
from synthgan.errors import ConditionError
from synthgan.schema.table import ColumnKind, ColumnName

__all__ = ["ConditionSpace", "Conditions", "DayDependent"]

Adjust = Callable[[Any], Any]


@dataclasses.dataclass(frozen=True, slots=True, eq=False)
class DayDependent:
    """A restriction of the time of day that depends on the day: missing with it, and cut on a range's last days.

    Parameters
    ----------
    day_block : int
        The block that holds the day.
    by_day : callable
        From days (float64, shape (n,), NaN for missing) to groups of rows (bool, shape (n,)), each with its
        restriction.
    """

    day_block: int
    by_day: Callable[[FloatArray], list[tuple[npt.NDArray[np.bool_], Restriction]]]


@dataclasses.dataclass(frozen=True, slots=True, eq=False)
class Conditions:
    """What is given and what is allowed, for every row to be sampled.

    Parameters
    ----------
    rows : EncodedTable
        The distinct rows of given values; `known` says which blocks are given.
    row_of : ndarray of int64, shape (n_rows,), or None
        Which of `rows` each sampled row takes; None when there is one for all.
    restrictions : dict of block to Restriction or DayDependent
        What the other blocks may hold.
    adjusters : dict of column label to callable
        ``adjusters[column](values, start)`` makes the decoded numbers (or ticks) of rows `start`, ... exact.
    """

    rows: EncodedTable
    row_of: IntArray | None
    restrictions: dict[int, Restriction | DayDependent]
    adjusters: dict[ColumnName, Callable[[Any, int], Any]]

    @property
    def ask_nothing(self) -> bool:
        """Whether all rows are free; that a time keeps to its day is no condition of them."""
        restricted = any(isinstance(found, Restriction) for found in self.restrictions.values())
        return not restricted and not self.rows.known.any()

    def given(self, start: int, stop: int) -> EncodedTable:
        """Given values of sampled rows `start` to `stop - 1`; rows past the last repeat it."""
        return self.rows.take(self.group(start, stop))

    def group(self, start: int, stop: int) -> npt.NDArray[np.int64]:
        """Which of `rows` each of the sampled rows `start` to `stop - 1` keeps to; the last repeats past the end."""
        if self.row_of is None:
            return np.zeros(stop - start, np.int64)
        return self.row_of[np.minimum(np.arange(start, stop), len(self.row_of) - 1)]

    def fixed(self, encoder: TableEncoder, start: int, stop: int) -> dict[ColumnName, npt.NDArray[np.bool_]]:
        """In which of the rows `start` to `stop - 1` columns that rules are about have a condition to keep."""
        known, layout = self.rows.known[self.group(start, stop)], encoder.layout
        out: dict[ColumnName, npt.NDArray[np.bool_]] = {}
        for name in {name for pair in layout.flags for name in pair} | encoder.rules.names:
            blocks = layout.blocks_of(name)
            # That a time keeps to its day is no condition. A range over the whole column binds no code, but its ends
            # are kept to all the same.
            restricted = [block for block in blocks if isinstance(self.restrictions.get(block), Restriction)]
            bound = any(self.binds(layout, block) for block in restricted)
            bound = bound or (bool(restricted) and name in self.adjusters)
            out[name] = np.full(len(known), bound) | known[:, blocks].any(axis=1)
        return out

    def binds(self, layout: TableLayout, block: int) -> bool:
        """Whether the values of a block are restricted; that they may not be missing is no restriction of them."""
        found = self.restrictions.get(block)
        if not isinstance(found, Restriction):
            return found is not None
        return not bool(found.whole[: layout.blocks[block].missing_code].all())

    def adjust(self, start: int) -> dict[ColumnName, Adjust]:
        """Functions that make the decoded values of a batch, whose first row is `start`, exact."""
        return {
            name: (lambda values, exact=exact: exact(values, start))  # type: ignore[misc]
            for name, exact in self.adjusters.items()
        }


class ConditionSpace:
    """Reads conditions for one encoder.

    Parameters
    ----------
    encoder : TableEncoder
        Which columns there are, and what they can hold.
    """

    def __init__(self, encoder: TableEncoder) -> None:
        self.encoder = encoder

    def none(self) -> Conditions:
        """No condition at all."""
        return Conditions(self._blank(1), None, self._always(), {})

    def from_mapping(self, conditions: Mapping[ColumnName, Any]) -> Conditions:
        """Read a value, a set of values or a ``(low, high)`` range per column, the same for all rows.

        Raises
        ------
        ConditionError
            For an unknown column or one that is not learned, a value the model does not know, an empty set or range.
        """
        if not isinstance(conditions, Mapping):
            raise ConditionError(
                f"conditions are a mapping of column to value, set or range, or a frame of rows; got {conditions!r}"
            )
        out, found = self.none(), {}
        for name, wanted in conditions.items():
            self._check_column(name)
            if self.encoder.schema[name].kind is ColumnKind.CONSTANT:
                self._check_constant(name, wanted)
                continue
            found[name] = read_condition(self.encoder.schema[name], self.encoder.encoders[name], wanted)
            self._apply(out, name, found[name])
        out.restrictions.update(restricted_days(self.encoder, found))
        return out

    def from_frame(self, frame: pd.DataFrame) -> Conditions:
        """Read partial rows: every cell that is not missing is given, row by row.

        Raises
        ------
        ConditionError
            As `from_mapping`; names the row too.
        """
        if not frame.columns.is_unique:
            raise ConditionError("the columns of a frame of conditions must have different names")
        rows = self._blank(len(frame))
        adjusters: dict[ColumnName, Callable[[Any, int], Any]] = {}
        for name in frame.columns:
            self._check_column(name)
            spec = self.encoder.schema[name]
            values = frame[name].reset_index(drop=True)
            if spec.kind is ColumnKind.CONSTANT:
                for value in values.dropna().unique():
                    self._check_constant(name, value)
                continue
            encoder = self.encoder.encoders[name]
            present = values.notna().to_numpy()
            if not present.any():
                continue
            mark = marks_of(values[present], spec)
            given = values[present][mark < 0]
            exact = exact_values(spec, encoder, given) if len(given) else np.zeros(0)
            if spec.marks:
                exact = _spread(exact, mark)
            self._give(rows, name, self.encoder.encode_plain(name, exact, mark), present)
            if exact.dtype != object:
                adjusters[name] = _overwrite(exact, present)
        return Conditions(rows, np.arange(len(frame)), self._always(), adjusters)

    def with_counts(self, base: Conditions, target: ColumnName, counts: Mapping[Any, int]) -> Conditions:
        """Add exact numbers of rows per value of `target` to conditions that are the same for all rows.

        Raises
        ------
        ConditionError
            For an unknown value, or a count that is not a whole number from 0.
        """
        self._check_column(target)
        if any(base.rows.known[0, block] or block in base.restrictions for block in self._blocks(target)[:1]):
            raise ConditionError(f"column {target!r} has a condition and class counts; give one of them")
        if not isinstance(counts, Mapping):
            raise ConditionError(f"class counts are a mapping of value to number of rows; got {counts!r}")
        for label, count in counts.items():
            if isinstance(count, bool) or not isinstance(count, (int, np.integer)) or count < 0:
                raise ConditionError(f"class counts are whole numbers from 0; {label!r} has {count!r}")
            if is_missing(label):
                raise ConditionError(
                    f"class counts are about values; for missing ones use conditions={{{target!r}: None}}"
                )
        if not sum(counts.values()):
            raise ConditionError("class counts must ask for at least one row")
        labels = [label for label, count in counts.items() if count]
        frame = self.from_frame(pd.DataFrame({target: pd.Series(labels, dtype=object)}))
        rows = self._blank(len(labels))
        for block in range(len(self.encoder.layout)):
            source = frame.rows if block in self._blocks(target) else base.rows
            self._copy_block(rows, source, block)
        row_of = np.repeat(np.arange(len(labels)), [counts[label] for label in labels])
        adjusters = dict(base.adjusters)
        for name, exact in frame.adjusters.items():
            adjusters[name] = _per_label(exact, row_of)
        return Conditions(rows, row_of, base.restrictions, adjusters)

    def for_imputation(self, frame: pd.DataFrame) -> Conditions:
        """Give every known cell of whole rows and forbid missing ones elsewhere; unknown values are not given."""
        frame = self.encoder.whole(frame)
        encoded = self.encoder.encode(frame)
        rows = EncodedTable(encoded.codes, encoded.positions, encoded.known.copy())
        restrictions: dict[int, Restriction | DayDependent] = {}
        for index, block in enumerate(self.encoder.layout.blocks):
            for column in (block.column, block.repeated):
                if column is not None:
                    rows.known[:, index] &= frame[column].notna().to_numpy()
            if block.missing_code is not None and block.n_codes > 1:
                present = np.flatnonzero(block.cells.code != block.missing_code)
                restrictions[index] = Restriction.cells_only(block.cells, present)
        return Conditions(rows, np.arange(len(frame)), restrictions, {})

    def _always(self) -> dict[int, Restriction | DayDependent]:
        """What holds without any condition."""
        out: dict[int, Restriction | DayDependent] = {}
        for name, encoder in self.encoder.encoders.items():
            if isinstance(encoder, TemporalEncoder) and (by_day := follow_day(encoder)) is not None:
                day, time = self._blocks(name)
                out[time] = DayDependent(day, by_day)
        return out

    def _apply(self, out: Conditions, name: ColumnName, condition: ColumnCondition) -> None:
        blocks = self._blocks(name)
        if condition.exact is not None:
            self._give(out.rows, name, self.encoder.encode_plain(name, condition.exact), np.ones(1, np.bool_))
        elif condition.by_day is not None:
            out.restrictions[blocks[0]] = condition.restrictions[0]
            out.restrictions[blocks[1]] = DayDependent(blocks[0], condition.by_day)
        else:
            out.restrictions.update(zip(blocks, condition.restrictions, strict=True))
        if condition.adjust is not None:
            adjust = condition.adjust
            out.adjusters[name] = lambda values, _start: adjust(values)

    def _give(self, rows: EncodedTable, name: ColumnName, parts: Sequence[tuple[Any, Any, Any]], where: Any) -> None:
        positioned = self.encoder.layout.positioned
        for block, (code, position, _) in zip(self._blocks(name), parts, strict=True):
            rows.codes[where, block] = code
            rows.known[where, block] = True
            if block in positioned:
                rows.positions[where, positioned.index(block)] = position

    def _copy_block(self, rows: EncodedTable, source: EncodedTable, block: int) -> None:
        rows.codes[:, block] = source.codes[:, block]
        rows.known[:, block] = source.known[:, block]
        if block in self.encoder.layout.positioned:
            place = self.encoder.layout.positioned.index(block)
            rows.positions[:, place] = source.positions[:, place]

    def _blank(self, n_rows: int) -> EncodedTable:
        layout = self.encoder.layout
        return EncodedTable(
            np.zeros((n_rows, len(layout)), np.uint8),
            np.full((n_rows, len(layout.positioned)), 0.5, np.float32),
            np.zeros((n_rows, len(layout)), np.bool_),
        )

    def _blocks(self, name: ColumnName) -> list[int]:
        return self.encoder.layout.blocks_of(name)

    def _check_column(self, name: ColumnName) -> None:
        schema = self.encoder.visible
        if name not in schema:
            raise ConditionError(f"no column {name!r} to put a condition on; the model knows {schema.names}")
        if schema[name].kind.is_made_anew:
            what = "an id" if schema[name].kind is ColumnKind.ID else "free text"
            raise ConditionError(f"column {name!r} is {what}: ids and free text are made anew and take no condition")

    def _check_constant(self, name: ColumnName, wanted: Any) -> None:
        held = self.encoder.constant(name)
        try:
            if isinstance(wanted, tuple):
                low, high = wanted
                fits = not is_missing(held) and (low is None or held >= low) and (high is None or held <= high)
            else:
                choices = list(wanted) if isinstance(wanted, (Set, list)) else [wanted]
                fits = any(_same(held, choice) for choice in choices)
        except (TypeError, ValueError):
            fits = False
        if not fits:
            known = "missing" if is_missing(held) else repr(held)
            raise ConditionError(f"column {name!r} is {known} in every row; {wanted!r} cannot be sampled")


def _same(held: Any, choice: Any) -> bool:
    if is_missing(held) or is_missing(choice):
        return is_missing(held) and is_missing(choice)
    return bool(held == (pd.Timestamp(choice) if isinstance(held, pd.Timestamp) else choice)) or str(held) == str(
        choice
    )


def _spread(numbers: npt.NDArray[np.float64], mark: IntArray) -> npt.NDArray[np.float64]:
    """Put numbers where there is no mark, and NaN where there is one."""
    out = np.full(len(mark), np.nan)
    out[mark < 0] = numbers
    return out


def _overwrite(kept: Any, present: npt.NDArray[np.bool_]) -> Callable[[Any, int], Any]:
    """Put the given values of the present rows in the place of decoded ones."""
    filled = np.zeros(len(present), kept.dtype)
    filled[present] = kept

    def exact(values: Any, start: int) -> Any:
        rows = slice(start, start + len(values))
        return np.where(present[rows], filled[rows], values)

    return exact


def _per_label(exact: Callable[[Any, int], Any], row_of: IntArray) -> Callable[[Any, int], Any]:
    def adjusted(values: Any, start: int) -> Any:
        index = row_of[start : start + len(values)]
        table = exact(np.zeros(int(row_of.max()) + 1, values.dtype), 0)
        return table[index]

    return adjusted
