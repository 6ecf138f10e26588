#!/usr/bin/env python3
"""How fast it is on this machine: training steps by number format and threads, and sampling by number of passes.

    python benchmarks/speed.py [--table adult] [--steps 40]

This is the measurement behind `synthgan.training.device.compute_dtype`: bfloat16 where the processor has it natively.
Each line is the median of five rounds, taken in turn in one process, so that a busy moment hits all alike. Results:
benchmarks/results/speed.json.
"""

from __future__ import annotations

import argparse
import json
import statistics
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import torch
from quality import machine

from synthgan import SynthGAN, infer_schema, load_dataset
from synthgan.encoding import TableEncoder
from synthgan.models import CodeAxis, DiscriminatorConfig, GeneratorConfig
from synthgan.synthesizers.plan import default_hidden_dim
from synthgan.training import TrainingConfig, TrainState, new_state
from synthgan.training.steps import adversarial_step, likelihood_step

ROUNDS = 5


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--table", default="adult")
    parser.add_argument("--steps", type=int, default=40, help="steps per measurement, over all rounds")
    parser.add_argument("--rows", type=int, default=20_000, help="rows to sample")
    parser.add_argument("--threads", type=int, nargs="+", default=[1, 2])
    parser.add_argument("--out", type=Path, default=Path(__file__).parent / "results" / "speed.json")
    args = parser.parse_args()
    results = training(args) + sampling(args)
    args.out.write_text(json.dumps({"machine": machine(max(args.threads)), "rows": results}, indent=1) + "\n")
    for row in results:
        print(json.dumps(row))


def training(args: argparse.Namespace) -> list[dict[str, Any]]:
    frame = load_dataset(args.table)
    encoder = TableEncoder.fit(frame, infer_schema(frame))
    table, axis = encoder.encode(frame), CodeAxis(encoder.layout)
    sizes = GeneratorConfig(hidden_dim=default_hidden_dim(len(frame)), dropout=0.1)
    kinds: dict[str, Callable[[TrainState], Any]] = {"likelihood": likelihood_step, "adversarial": adversarial_step}
    cases = [
        (threads, dtype, kind, new_state(table, axis, TrainingConfig(), sizes, DiscriminatorConfig(), 0, dtype))
        for threads in args.threads
        for dtype in (torch.float32, torch.bfloat16)
        for kind in kinds
    ]
    times: dict[int, list[float]] = {place: [] for place in range(len(cases))}
    n_steps = max(args.steps // ROUNDS, 1)
    for _ in range(ROUNDS + 1):  # the first round warms up
        for place, (threads, _, kind, state) in enumerate(cases):
            torch.set_num_threads(threads)
            began = time.perf_counter()
            for _ in range(n_steps):
                kinds[kind](state)
                state.step += 1
            times[place].append((time.perf_counter() - began) / n_steps)
    return [
        {"what": f"{kind} step", "table": args.table, "threads": threads, "dtype": str(dtype).removeprefix("torch.")}
        | {"milliseconds": round(1000 * statistics.median(times[place][1:]), 1)}
        for place, (threads, dtype, kind, _) in enumerate(cases)
    ]


def sampling(args: argparse.Namespace) -> list[dict[str, Any]]:
    model = SynthGAN(epochs=1, random_state=0).fit(load_dataset(args.table))
    rows = []
    for threads in args.threads:
        torch.set_num_threads(threads)
        for n_passes in (None, 4, 1):
            seconds = []
            for _ in range(3):
                began = time.perf_counter()
                model.sample(args.rows, random_state=0, n_passes=n_passes)
                seconds.append(time.perf_counter() - began)
            speed = round(args.rows / statistics.median(seconds))
            rows.append({"what": "sampling", "table": args.table, "threads": threads, "passes": n_passes or "default"})
            rows[-1]["rows_per_second"] = speed
    return rows


if __name__ == "__main__":
    main()
