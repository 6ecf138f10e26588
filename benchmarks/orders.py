#!/usr/bin/env python3
"""What a mixture of column orders earns: one model per table and seed, its rows drawn in few or many orders.

    python benchmarks/orders.py --tables german_credit,online_shoppers --judge path/to/judge.py --data path/to/folder

Rows are drawn without the critic's choice, so that nothing else makes up for what an order gets wrong; every
``--rows-per-order`` rows have an order of their own, the first rows of a sample too. Tables, split and judges are those
of quality.py; a table and seed that are there already are not measured again. The table in docs/benchmarks.md is made
by tables.py.
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Iterator
from typing import Any

from data import TARGETS, load, split
from one_model import measure_all, options
from quality import score

SAMPLES = 4
"""Samples of each model: of one with few orders, the orders are chance."""


def main() -> None:
    parser = options(__doc__, "orders")
    parser.add_argument("--rows-per-order", type=int, nargs="+", default=[4096, 1024, 256, 64])
    parser.add_argument("--passes", type=int, nargs="*", default=[4, 1], help="beside the default")
    measure_all("orders", parser.parse_args(), measure)


def measure(table: str, seed: int, args: argparse.Namespace) -> Iterator[dict[str, Any]]:
    """Yield what is measured of one model, a row for each number of passes, rows per order and sample."""
    import torch

    from synthgan import SynthGAN
    from synthgan.sampling import drawing
    from synthgan.sampling.passes import DEFAULT_PASSES

    torch.set_num_threads(args.threads)
    target = TARGETS[table]
    train, holdout = split(load(table, args.data), target)
    model = SynthGAN(random_state=seed, select=1).fit(train, target=target)
    for n_passes in (None, *args.passes):
        for n_rows in args.rows_per_order:
            drawing.SLICE_ROWS = drawing.FIRST_SLICE_ROWS = n_rows
            for sample in range(SAMPLES):
                rows = model.sample(len(train), n_passes=n_passes, random_state=sample)
                row = {"passes": n_passes or DEFAULT_PASSES, "rows_per_order": n_rows, "sample": sample}
                row |= score(train, holdout, rows, target, args.judge)
                print(json.dumps({"table": table, "seed": seed} | row), flush=True)
                yield row


if __name__ == "__main__":
    main()
