#!/usr/bin/env python3
"""How often a drawn number is one that the table has, beside how often a number of rows never seen is.

    python benchmarks/seen.py [--data path/to/folder]

No model is fitted. Each column of 50 different numbers or more is encoded, and a number is drawn from an even place in
the cell of each of its numbers: what a model without error would draw. That is done with the numbers inside a cell
spread evenly; with values that rows share and decimals that most have drawn as often as rows have them (the default,
where what is stored stands for at least 5 rows); and the same without that protection. Tables and split are those of
quality.py. The table in docs/benchmarks.md is made by tables.py.
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Iterator
from typing import Any

import numpy as np
from data import TARGETS, load, split
from one_model import measure_all, options

from synthgan import infer_schema
from synthgan.encoding.columns import fit_column
from synthgan.encoding.continuous import NumericEncoder, default_n_bins
from synthgan.encoding.dtypes import numbers_of
from synthgan.encoding.pieces import Pieces
from synthgan.rng import numpy_stream
from synthgan.schema import ColumnKind

MIN_DISTINCT, DECIMALS = 50, 9
"""Different numbers of a column that is looked at; decimals in which numbers that agree are the same."""

WAYS = {"spread evenly": 5, "as rows hold them": 5, "as rows hold them, protect_rare=1": 1}
"""Rows that have to hold what is stored, each way."""


def main() -> None:
    parser = options(__doc__, "seen")
    parser.set_defaults(tables=list(TARGETS))
    measure_all("seen", parser.parse_args(), measure)


def measure(table: str, seed: int, args: argparse.Namespace) -> Iterator[dict[str, Any]]:
    """Yield what is measured each way."""
    train, holdout = split(load(table, args.data), TARGETS[table])
    columns = [spec for spec in infer_schema(train).of_kind(ColumnKind.NUMERIC) if not spec.is_number_text]
    columns = [spec for spec in columns if train[spec.name].nunique() >= MIN_DISTINCT]
    for way, min_rows in WAYS.items():
        found = {}
        for spec in columns:
            encoder = fit_column(train[spec.name], spec, default_n_bins(len(train)), min_rows)
            assert isinstance(encoder, NumericEncoder)
            if way == "spread evenly":
                encoder = NumericEncoder(
                    Pieces.whole(encoder.low, encoder.high), encoder.cells, encoder.missing, encoder.grid
                )
            own, others = (_known(numbers_of(frame[spec.name], spec)) for frame in (train, holdout))
            drawn = _drawn(encoder, own, numpy_stream(seed, f"seen {table} {spec.name}"))
            found[spec.name] = tuple(float(np.isin(other.round(DECIMALS), own).mean()) for other in (others, drawn))
        apart = [abs(one - other) for one, other in found.values()]
        row = {"rows": len(train), "columns": len(columns), "numbers": way}
        row |= {"apart": float(np.mean(apart)), "apart_most": max(apart), "by_column": found}
        print(json.dumps({"table": table, "seed": seed} | row), flush=True)
        yield row


def _known(numbers: Any) -> Any:
    return numbers[~np.isnan(numbers)].round(DECIMALS)


def _drawn(encoder: NumericEncoder, numbers: Any, rng: np.random.Generator) -> Any:
    code, position, _ = encoder.encode(numbers)
    flat, _ = encoder.cells.flatten(code, position)
    return encoder.decode(*encoder.cells.locate(flat, rng.random(len(flat))))


if __name__ == "__main__":
    main()
