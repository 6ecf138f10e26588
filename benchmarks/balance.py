#!/usr/bin/env python3
"""What balance earns: samples of one model per table and seed, in step with the table, in part, and without.

    python benchmarks/balance.py --tables adult,online_shoppers --judge path/to/judge.py --data path/to/folder

Rows are drawn and chosen by the critic each time; the gain of `synthgan.sampling.balance` is what it is, or 0, and in
between kinds are counted without the target. Samples are of a few rows, of as many as were learned from, and of more.
Tables, split and judges are those of quality.py; a table and seed that are there already are not measured again. The
table in docs/benchmarks.md is made by tables.py.
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Iterator
from typing import Any, cast

import pandas as pd
import torch
from data import TARGETS, load, split
from one_model import measure_all, options
from quality import score

from synthgan import SynthGAN
from synthgan.conditioning.space import ConditionSpace
from synthgan.encoding import EncodedTable
from synthgan.models import Ensemble
from synthgan.models.critic import Critic
from synthgan.sampling import Sampler, balance
from synthgan.training.leaves import count_leaves

FEW, MORE, SAMPLES = 250, 3, 3
"""Rows of a small sample; how many times the learned rows a large one has; samples of each model, size and way."""

FRESH_ROWS = 40_000
"""Rows that tell what candidates are like, as in a fit."""


def main() -> None:
    measure_all("balance", options(__doc__, "balance").parse_args(), measure)


def measure(table: str, seed: int, args: argparse.Namespace) -> Iterator[dict[str, Any]]:
    """Yield what is measured of one model, a row for each way and sample."""
    torch.set_num_threads(args.threads)
    target = TARGETS[table]
    train, holdout = split(load(table, args.data), target)
    model = SynthGAN(random_state=seed).fit(train, target=target)
    full = balance.GAIN
    for way, gain in (("in step", full), ("each for itself", 0.0), ("in step, but for the target", full)):
        if way.endswith("target"):
            forget_target(model, train)
        for n_rows in (FEW, len(train), MORE * len(train)):
            for sample in range(SAMPLES):
                balance.GAIN = gain
                rows = model.sample(n_rows, random_state=1000 + sample)
                balance.GAIN = full
                row = {"way": way, "rows": n_rows, "sample": sample} | score(train, holdout, rows, target, args.judge)
                print(json.dumps({"table": table, "seed": seed} | row), flush=True)
                yield row


def forget_target(model: SynthGAN, train: pd.DataFrame) -> None:
    """Count the rows in the leaves of a fitted model's critic again, whatever their targets are."""
    generator, encoder = cast(Ensemble, model.model_.generator), model.model_.encoder
    critic = cast(Critic, generator.critic)
    critic.n_groups, critic.share = 1, torch.zeros_like(critic.leaf)
    critic.group.zero_()
    chunks = Sampler(generator, encoder).chunks(FRESH_ROWS, ConditionSpace(encoder).none(), seed=2000)
    fresh = EncodedTable.joined([rows for _, rows in chunks])
    count_leaves(critic, generator.axis, encoder.encode(train), fresh, model.select, 5)


if __name__ == "__main__":
    main()
