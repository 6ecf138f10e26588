#!/usr/bin/env python3
"""What stand-ins earn: a small table's model with them and without, by table, number of rows and seed.

    python benchmarks/standins.py --tables penguins,adult --rows 600 --judge path/to/judge.py --data path/to/folder

Of larger tables a part is learned: `--rows` rows, picked by the seed. How likely the model finds the held-out third's
rows (nats a column: less is better), and samples of as many rows as were learned, chosen by a critic where there is
one. Tables, split and judges are those of quality.py; a table and seed that are there already are not measured again.
The table in docs/benchmarks.md is made by tables.py.
"""

from __future__ import annotations

import argparse
import json
import time
from collections.abc import Iterator
from typing import Any

from data import TARGETS, load, split
from one_model import measure_all, options
from quality import score

SAMPLES = 4
"""Samples of each model."""

MAX_UNSEEN = 3000
"""Held-out rows whose likelihood is asked."""


def main() -> None:
    parser = options(__doc__, "standins")
    parser.add_argument("--rows", type=lambda text: [int(word) for word in text.split(",")], default=[600])
    args = parser.parse_args()
    for n_rows in args.rows:
        measure_all(f"standins {n_rows}", argparse.Namespace(**vars(args) | {"rows": n_rows}), measure)


def measure(table: str, seed: int, args: argparse.Namespace) -> Iterator[dict[str, Any]]:
    """Yield what is measured with stand-ins and without, a row for each sample."""
    import torch

    from synthgan import SynthGAN

    torch.set_num_threads(args.threads)
    target = TARGETS[table]
    train, holdout = split(load(table, args.data), target)
    train = train.sample(min(args.rows, len(train)), random_state=seed).reset_index(drop=True)
    for stand_ins in (False, True):
        began = time.process_time()
        model = SynthGAN(random_state=seed, stand_ins=stand_ins).fit(train, target=target)
        row: dict[str, Any] = {"rows": len(train), "stand_ins": "with" if stand_ins else "without"}
        row["fit_cpu_seconds"] = round(time.process_time() - began, 1)
        likely = model.score_samples(holdout.head(MAX_UNSEEN)).mean()
        row["nats"] = round(-float(likely) / train.shape[1], 4)
        for sample in range(SAMPLES):
            rows = model.sample(len(train), random_state=1000 + sample)
            found = row | {"sample": sample} | score(train, holdout, rows, target, args.judge)
            print(json.dumps({"table": table, "seed": seed} | found), flush=True)
            yield found


if __name__ == "__main__":
    main()
