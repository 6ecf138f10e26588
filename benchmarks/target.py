#!/usr/bin/env python3
"""What the target's trees earn: one model per table and seed, with them and without.

    python benchmarks/target.py --tables adult,online_shoppers --judge path/to/judge.py --data path/to/folder

First how well the held-out third's target is guessed from the other columns, by the network and by the trees. Then rows
are drawn from the model as it is, and with its target by the network; neither chosen by a critic, which would have to
be another one. Tables, split and judges are those of quality.py; a table and seed that are there already are not
measured again. The table in docs/benchmarks.md is made by tables.py.
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from data import TARGETS, load, split
from quality import machine, score
from store import Store

HERE = Path(__file__).parent
SAMPLES = 3
"""Samples of each model and way."""


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--tables", type=lambda text: text.split(","), default=["penguins"])
    parser.add_argument("--seeds", type=lambda text: [int(word) for word in text.split(",")], default=[0])
    parser.add_argument("--data", type=Path, help="folder of <table>.csv.gz; without it the tables of packages")
    parser.add_argument("--judge", type=Path, help="an outside judge's script")
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--out", type=Path, default=HERE / "results" / "target.json")
    args = parser.parse_args()
    store = Store(args.out, args.judge.name if args.judge else "synthgan.evaluate", machine(args.threads))
    for table in args.tables:
        for seed in args.seeds:
            if not store.has(table, "target", seed):
                store.put(table, "target", seed, list(measure(table, seed, args)))


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
    block, trees = target_block(encoder.layout, target), generator.target
    unseen = encoder.encode(validate(holdout, encoder.schema))
    for way, own in (("network", None), ("trees", trees)):
        if way == "trees" and trees is None:
            continue
        generator.target = own
        loss = None if block is None else round(nats(own, generator, block, unseen), 4)
        for sample in range(SAMPLES):
            row = {"target": way, "sample": sample, "nats": loss}
            rows = model.sample(len(train), random_state=1000 + sample)
            row |= score(train, holdout, rows, target, args.judge)
            print(json.dumps({"table": table, "seed": seed} | row), flush=True)
            yield row


if __name__ == "__main__":
    main()
