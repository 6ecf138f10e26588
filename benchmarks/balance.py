#!/usr/bin/env python3
"""What balance earns: samples of one model per table and seed, in step with the table and without.

    python benchmarks/balance.py --tables adult,online_shoppers --judge path/to/judge.py --data path/to/folder

Rows are drawn and chosen by the critic both times; the gain of `synthgan.sampling.balance` is what it is, or 0. Samples
are of a few rows, of as many as were learned from, and of more. Tables, split and judges are those of quality.py; a
table and seed that are there already are not measured again. The table in docs/benchmarks.md is made by tables.py.
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Iterator
from typing import Any

from data import TARGETS, load, split
from one_model import measure_all, options
from quality import score

FEW, MORE, SAMPLES = 250, 3, 3
"""Rows of a small sample; how many times the learned rows a large one has; samples of each model, size and way."""


def main() -> None:
    measure_all("balance", options(__doc__, "balance").parse_args(), measure)


def measure(table: str, seed: int, args: argparse.Namespace) -> Iterator[dict[str, Any]]:
    """Yield what is measured of one model, a row for each way and sample."""
    import torch

    from synthgan import SynthGAN
    from synthgan.sampling import balance

    torch.set_num_threads(args.threads)
    target = TARGETS[table]
    train, holdout = split(load(table, args.data), target)
    model = SynthGAN(random_state=seed).fit(train, target=target)
    full = balance.GAIN
    for way, gain in (("each for itself", 0.0), ("in step", full)):
        for n_rows in (FEW, len(train), MORE * len(train)):
            for sample in range(SAMPLES):
                balance.GAIN = gain
                rows = model.sample(n_rows, random_state=1000 + sample)
                balance.GAIN = full
                row = {"way": way, "rows": n_rows, "sample": sample} | score(train, holdout, rows, target, args.judge)
                print(json.dumps({"table": table, "seed": seed} | row), flush=True)
                yield row


if __name__ == "__main__":
    main()
