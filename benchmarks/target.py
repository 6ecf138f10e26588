#!/usr/bin/env python3
"""What the target's trees earn: one model per table and seed, its target by networks, by trees, and by both.

    python benchmarks/target.py --tables adult,online_shoppers --judge path/to/judge.py --data path/to/folder

First how well the held-out third's target is guessed from the other columns, by the network, by the trees alone (of
categories) and by both. Then rows are drawn from the model each way; none chosen by a critic, which would have to be
another one. Tables, split and judges are those of quality.py; a table and seed that are there already are not measured
again. The table in docs/benchmarks.md is made by tables.py.
"""

from __future__ import annotations

import argparse
import copy
import json
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

from data import TARGETS, load, split
from one_model import measure_all, options
from quality import score

if TYPE_CHECKING:
    from synthgan.models.target import TargetTrees

SAMPLES = 3
"""Samples of each model and way."""


def main() -> None:
    measure_all("target", options(__doc__, "target").parse_args(), measure)


def measure(table: str, seed: int, args: argparse.Namespace) -> Iterator[dict[str, Any]]:
    """Yield what is measured of one model, a row for each way and sample."""
    import torch

    from synthgan import SynthGAN
    from synthgan.schema import validate
    from synthgan.synthesizers.targeted import target_block
    from synthgan.training.target import nats

    torch.set_num_threads(args.threads)
    target = TARGETS[table]
    train, holdout = split(load(table, args.data), target)
    model = SynthGAN(random_state=seed, select=1).fit(train, target=target)
    encoder, generator = model.model_.encoder, model.model_.generator
    block, trees = target_block(encoder.layout, target, len(train)), generator.target
    unseen = encoder.encode(validate(holdout, encoder.schema))
    for way, own in ways(trees):
        generator.target = own
        loss = None if block is None else round(nats(own, generator, block, unseen), 4)
        for sample in range(SAMPLES):
            row = {"target": way, "sample": sample, "nats": loss}
            rows = model.sample(len(train), random_state=1000 + sample)
            row |= score(train, holdout, rows, target, args.judge)
            print(json.dumps({"table": table, "seed": seed} | row), flush=True)
            yield row


def ways(trees: TargetTrees | None) -> Iterator[tuple[str, TargetTrees | None]]:
    """Yield who tells the target, and what to draw it from."""
    from synthgan.models.target import ClassTrees

    yield "network", None
    if isinstance(trees, ClassTrees):
        for way, tilt in (("trees", (0.0, 1.0)), ("both", (0.5, 0.5))):
            own = copy.deepcopy(trees)
            own.tilt.copy_(own.tilt.new_tensor(tilt))
            yield way, own
    elif trees is not None:
        yield "both", trees


if __name__ == "__main__":
    main()
