"""A table's rules, formulas and orders, applied to frames."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Collection, Mapping, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from synthgan.encoding.columns import ColumnEncoder
from synthgan.encoding.continuous import NumericEncoder
from synthgan.encoding.derived import Derived, written
from synthgan.encoding.dtypes import numbers_to_column, plain_numbers
from synthgan.encoding.grid import Grid
from synthgan.encoding.keeping import Limits, keep_rules
from synthgan.encoding.orders import Order
from synthgan.encoding.protection import wall_tick
from synthgan.encoding.temporal import TICKS_PER_DAY, TemporalEncoder
from synthgan.schema.table import ColumnKind, ColumnName, ColumnSpec, Schema

__all__ = ["Rules"]


@dataclasses.dataclass(frozen=True, slots=True)
class Rules:
    """What all rows of a table keep to.

    Parameters
    ----------
    schema : Schema
        All columns, hidden ones too.
    derived : sequence of Derived
        The formulas, each after those that its sources follow by.
    orders : sequence of Order
        Which columns are never below which others.
    hidden : collection of column labels
        Columns that frames do not have: gaps between two others, and parts of points in time.
    """

    schema: Schema
    derived: Sequence[Derived]
    orders: Sequence[Order]
    hidden: Collection[ColumnName]

    def __bool__(self) -> bool:
        return bool(self.derived or self.orders)

    @property
    def names(self) -> set[ColumnName]:
        """The columns that rules are about."""
        formulas = {name for one in self.derived for name in (one.target, *one.sources)}
        return formulas | {name for one in self.orders for name in (one.low, one.high)}

    def without(self, name: ColumnName | None) -> Rules:
        """Return the rules that are not about a column."""
        derived = tuple(one for one in self.derived if name not in (one.target, *one.sources))
        orders = tuple(one for one in self.orders if name not in (one.low, one.high))
        return dataclasses.replace(self, derived=derived, orders=orders)

    def told(self) -> tuple[str, ...]:
        """Formulas and orders as people write them."""
        gaps = [one for one in self.derived if set(one.sources).intersection(self.hidden)]
        formulas = [str(one) for one in self.derived if one not in gaps and one.target not in self.hidden]
        return (
            *formulas,
            *(f"{written(one.target)} >= {written(one.sources[0])}" for one in gaps),
            *map(str, self.orders),
        )

    def whole(self, frame: pd.DataFrame) -> pd.DataFrame:
        """Return a frame with its hidden columns."""
        added = {}
        for one in self.derived:
            if one.target in self.hidden and one.target not in frame:
                added[one.target] = numbers_to_column(one.values(frame, self.schema), self.schema[one.target])
            for place in (place for place, name in enumerate(one.sources) if name in self.hidden):
                spec = self.schema[one.sources[place]]
                if spec.name not in frame:
                    *x, y = (
                        np.zeros(len(frame)) if name == spec.name else plain_numbers(frame[name], self.schema[name])
                        for name in (*one.sources, one.target)
                    )
                    apart = Grid(spec.decimals, spec.step).snap(one.solved(np.stack(x), place, y))
                    added[spec.name] = numbers_to_column(apart, spec)
        return pd.concat([frame.reset_index(drop=True), pd.DataFrame(added)], axis=1) if added else frame

    def kept(
        self,
        columns: Mapping[ColumnName, pd.Series],
        encoders: Mapping[ColumnName, ColumnEncoder],
        fixed: Mapping[ColumnName, npt.NDArray[np.bool_]],
        exact: Mapping[ColumnName, Callable[[Any], Any]],
        unmoved: Collection[ColumnName],
        *,
        bounded: bool = True,
        early: bool = False,
    ) -> dict[ColumnName, pd.Series]:
        """Return those columns that change when rows are made to keep to the rules (see `keep_rules`, `Limits`).

        Not `bounded` they may leave the table's bounds, which what is sampled must not, but what is given may. `early`
        is before conditions are exact.
        """
        if not self:
            return {}
        specs = {name: self.schema[name] for name in self.names if name in encoders}
        grids = {name: grid for name, spec in specs.items() if (grid := _grid(encoders[name], spec)) is not None}
        exact = {name: own for name, own in exact.items() if self.schema[name].kind is ColumnKind.NUMERIC}
        schema = self.schema
        if not bounded:
            shown = [name for name in grids if name not in self.hidden]
            grids |= {name: dataclasses.replace(grids[name], low=-np.inf, high=np.inf) for name in shown}
            schema = Schema(tuple(dataclasses.replace(spec, low=None, high=None) for spec in schema))
        return keep_rules(
            self.derived, self.orders, columns, schema, Limits(grids, fixed, exact, unmoved, self.hidden, early)
        )


def _grid(encoder: ColumnEncoder, spec: ColumnSpec) -> Grid | None:
    """What a column's numbers, or ticks, are rounded to, with their bounds; None of other kinds."""
    if isinstance(encoder, TemporalEncoder):
        low, high = (wall_tick(str(end), spec) if end is not None else None for end in (spec.low, spec.high))
        step = TICKS_PER_DAY if encoder.time is None else encoder.time.grid.step
        origin = float(encoder.midnight) if encoder.time is None else 0.0
        return Grid(0, step, -np.inf if low is None else low, np.inf if high is None else high, origin)
    return encoder.grid if isinstance(encoder, NumericEncoder) else None
