#!/usr/bin/env python3
"""How fast it is on this machine: training steps by number format and threads, sampling, and whole fits.

    python benchmarks/speed.py [--table adult] [--steps 40]
    python benchmarks/speed.py --fits adult,nyc_flights --data path/to/folder

Steps: the measurement behind `synthgan.training.device.compute_dtype`, bfloat16 where the processor has it natively.
Each line is the median of five rounds, taken in turn in one process, so that a busy moment hits all alike.
``share_of_peak`` is what the step's matrix products come to, of what this machine was just seen to do when it did
nothing else. Fits have the default settings, two thirds of the table, and a process of their own. Results:
benchmarks/results/speed.json; a part that was not asked for stays as it was, unless it is of another machine.
"""

from __future__ import annotations

import argparse
import itertools
import json
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pandas as pd
import torch
from data import TARGETS, load, split
from quality import machine, peak_mb
from torch.utils.flop_counter import FlopCounterMode

from synthgan import SynthGAN, infer_schema
from synthgan.encoding import TableEncoder
from synthgan.encoding.finding import with_relations
from synthgan.models import CodeAxis, DiscriminatorConfig, GeneratorConfig
from synthgan.sampling.passes import DEFAULT_PASSES
from synthgan.synthesizers.plan import default_hidden_dim
from synthgan.training import TrainingConfig, TrainState, new_state
from synthgan.training.steps import adversarial_step, likelihood_step

HERE = Path(__file__).parent
ROUNDS = 5
WAYS: dict[str, dict[str, int]] = {
    "default": {},
    f"{DEFAULT_PASSES} passes, no selection": {"select": 1},
    "4 passes": {"n_passes": 4},
    "1 pass": {"n_passes": 1},
}


MANY = 200_000
"""Rows beside which the start of a sample is nothing; drawn only where there is no selection, in minutes."""


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--table", default="adult")
    parser.add_argument("--steps", type=int, default=40, help="steps per measurement, over all rounds")
    parser.add_argument("--rows", type=int, nargs="+", default=[4096, 32_561, MANY], help="rows to sample")
    parser.add_argument("--threads", type=int, nargs="+", default=[1, 2])
    parser.add_argument("--fits", type=lambda text: text.split(","), help="measure whole fits of these tables instead")
    parser.add_argument("--data", type=Path, help="folder of <table>.csv.gz; without it the tables of packages")
    parser.add_argument("--out", type=Path, default=HERE / "results" / "speed.json")
    parser.add_argument("--one", nargs=2, metavar=("TRAIN", "TARGET"), help=argparse.SUPPRESS)
    args = parser.parse_args()
    if args.one:
        print(json.dumps(fit_one(*args.one, max(args.threads))))
        return
    measured = [fit(table, args) for table in args.fits] if args.fits else training(args) + sampling(args)
    here = {key: value for key, value in machine(0).items() if key != "threads"}
    known = json.loads(args.out.read_text()) if args.out.exists() else {"machine": here, "rows": []}
    again = {_key(row) for row in measured}
    others = [row for row in known["rows"] if _key(row) not in again] if known["machine"] == here else []
    args.out.write_text(json.dumps({"machine": here, "rows": others + measured}, indent=1) + "\n")
    for row in measured:
        print(json.dumps(row))


def _key(row: dict[str, Any]) -> tuple[Any, ...]:
    return row["what"], row["table"], row["threads"]


def training(args: argparse.Namespace) -> list[dict[str, Any]]:
    frame = load(args.table, args.data)
    encoder = with_relations(TableEncoder.fit(frame, infer_schema(frame)), frame)
    table, axis = encoder.encode(frame), CodeAxis(encoder.layout)
    sizes = GeneratorConfig(hidden_dim=default_hidden_dim(len(frame), encoder.layout.n_codes), dropout=0.1)
    kinds: dict[str, Callable[[TrainState], Any]] = {"likelihood": likelihood_step, "adversarial": adversarial_step}
    cases = [
        (threads, dtype, kind, new_state(table, axis, TrainingConfig(), sizes, DiscriminatorConfig(), 0, dtype))
        for threads in args.threads
        for dtype in (torch.float32, torch.bfloat16)
        for kind in kinds
    ]
    times: dict[int, list[float]] = {place: [] for place in range(len(cases))}
    peaks: dict[int, list[float]] = {place: [] for place in range(len(cases))}
    n_steps = max(args.steps // ROUNDS, 1)
    for _ in range(ROUNDS + 1):  # the first round warms up
        for place, (threads, dtype, kind, state) in enumerate(cases):
            torch.set_num_threads(threads)
            peaks[place].append(matrix_peak(dtype))
            began = time.perf_counter()
            for _ in range(n_steps):
                kinds[kind](state)
                state.step += 1
            times[place].append((time.perf_counter() - began) / n_steps)
    rows = []
    for place, (threads, dtype, kind, state) in enumerate(cases):
        seconds, peak = statistics.median(times[place][1:]), statistics.median(peaks[place][1:])
        rows.append(
            {"what": f"{kind} step", "table": args.table, "threads": threads}
            | {"dtype": str(dtype).removeprefix("torch."), "milliseconds": round(1000 * seconds, 1)}
            | {"matrix_peak_gflops": round(peak / 1e9)}
            | {"share_of_peak": None if kind != "likelihood" else round(products(state) / seconds / peak, 2)}
        )
    return rows


def products(state: TrainState) -> int:
    """Operations in the matrix products of a step on the likelihood; torch cannot count those of second gradients."""
    with FlopCounterMode(display=False) as counter:
        likelihood_step(state)
    return int(counter.get_total_flops())


def matrix_peak(dtype: torch.dtype, seconds: float = 0.2) -> float:
    """Operations per second of one large product after the other."""
    a, b = torch.randn(1024, 1024).to(dtype), torch.randn(1024, 1024).to(dtype)
    n_done, began = 0, time.perf_counter()
    while time.perf_counter() - began < seconds:
        _ = a @ b
        n_done += 1
    return n_done * 2 * 1024**3 / (time.perf_counter() - began)


def sampling(args: argparse.Namespace) -> list[dict[str, Any]]:
    model = SynthGAN(epochs=1, random_state=0).fit(load(args.table, args.data))
    rows = []
    for threads in args.threads:
        torch.set_num_threads(threads)
        ways = WAYS | {
            f"{how}, {threads} processes": way | {"n_jobs": threads} for how, way in WAYS.items() if threads > 1
        }
        for (how, way), n_rows in itertools.product(ways.items(), args.rows):
            if n_rows >= MANY and not way.keys() & {"select", "n_passes"}:
                continue
            seconds = []
            for _ in range(3):
                began = time.perf_counter()
                model.sample(n_rows, random_state=0, **way)  # type: ignore[arg-type]
                seconds.append(time.perf_counter() - began)
            speed = round(n_rows / statistics.median(seconds))
            rows.append({"what": "sampling", "table": args.table, "threads": threads, "how": how, "rows": n_rows})
            rows[-1]["rows_per_second"] = speed
    return rows


def fit(table: str, args: argparse.Namespace) -> dict[str, Any]:
    """Fit once in a process of its own."""
    train, _ = split(load(table, args.data), TARGETS[table])
    threads = max(args.threads)
    with tempfile.TemporaryDirectory() as folder:
        source = f"{folder}/train.csv"
        train.to_csv(source, index=False)
        command = [sys.executable, __file__, "--threads", str(threads), "--one", source, TARGETS[table]]
        found = subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True).stdout
    return {"what": "fit", "table": table, "threads": threads, "rows": len(train)} | json.loads(found)


def fit_one(source: str, target: str, threads: int) -> dict[str, float]:
    torch.set_num_threads(threads)
    frame = pd.read_csv(source, low_memory=False)
    began, cpu = time.perf_counter(), time.process_time()
    model = SynthGAN(random_state=0).fit(frame, target=target)
    return {
        "fit_seconds": round(time.perf_counter() - began, 1),
        "fit_cpu_seconds": round(time.process_time() - cpu, 1),
        "steps": int(model.history_["step"].iloc[-1]),
        "peak_mb": peak_mb(),
    }


if __name__ == "__main__":
    main()
