#!/usr/bin/env python3
"""How fast it is on a CUDA device, beside the processor of the same machine.

    python benchmarks/gpu.py [--fits adult,nyc_flights] [--processor adult] [--data path/to/folder]

Steps of the likelihood, asked for one by one and replayed from a recording (synthgan/training/recorded.py), in turn;
fits with default settings on two thirds of a table; samples of the last model. Results: benchmarks/results/gpu.json.
"""

from __future__ import annotations

import argparse
import json
import statistics
import time
from pathlib import Path
from typing import Any

import torch
from data import TARGETS, load, split
from quality import machine
from speed import ROUNDS, WAYS

from synthgan import SynthGAN, infer_schema
from synthgan.encoding import TableEncoder
from synthgan.encoding.finding import with_relations
from synthgan.models import CodeAxis, DiscriminatorConfig, GeneratorConfig
from synthgan.synthesizers.plan import default_hidden_dim
from synthgan.training import TrainingConfig, new_state
from synthgan.training.device import compute_dtype
from synthgan.training.steps import likelihood_step

HERE = Path(__file__).parent
N_STEPS = 30


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--fits", type=lambda text: text.split(","), default=["adult"], help="tables to fit there")
    parser.add_argument("--processor", type=lambda text: text.split(","), default=[], help="tables to fit here, too")
    parser.add_argument("--data", type=Path, help="folder of <table>.csv.gz; without it the tables of packages")
    parser.add_argument("--rows", type=int, default=32_561, help="rows to sample")
    parser.add_argument("--device", default="cuda")
    parser.add_argument("--out", type=Path, default=HERE / "results" / "gpu.json")
    args = parser.parse_args()
    device = torch.device(args.device)
    name = torch.cuda.get_device_name() if device.type == "cuda" else "none"
    rows = steps(args.fits[0], args, device)
    for table in args.processor:
        rows.append(fit(table, args, "cpu")[0])
    for table in args.fits:
        row, model = fit(table, args, args.device)
        rows += [row, *sampling(table, model, args)]
    here = machine(torch.get_num_threads()) | {"device": name, "cuda": torch.version.cuda}
    args.out.write_text(json.dumps({"machine": here, "rows": rows}, indent=1) + "\n")
    for row in rows:
        print(json.dumps(row))


def steps(table: str, args: argparse.Namespace, device: torch.device) -> list[dict[str, Any]]:
    """Milliseconds of a step, in rounds in turn; what the device has left to do is waited for."""
    frame = load(table, args.data)
    encoder = with_relations(TableEncoder.fit(frame, infer_schema(frame)), frame)
    width = default_hidden_dim(len(frame), encoder.layout.n_codes)
    sizes = GeneratorConfig(hidden_dim=width, dropout=0.1), DiscriminatorConfig()
    axis, rows, dtype = CodeAxis(encoder.layout).to(device), encoder.encode(frame), compute_dtype(device)
    states = {how: new_state(rows, axis, TrainingConfig(), *sizes, 0, dtype) for how in ("one by one", "recorded")}
    states["one by one"].records = False
    times: dict[str, list[float]] = {how: [] for how in states}
    for _ in range(ROUNDS + 1):  # the first round warms up, and records
        for how, state in states.items():
            began = time.perf_counter()
            for _ in range(N_STEPS):
                loss = likelihood_step(state)
                state.step += 1
            float(loss)
            times[how].append((time.perf_counter() - began) / N_STEPS)
    return [
        {
            "what": "likelihood step",
            "table": table,
            "how": how,
            "milliseconds": round(1e3 * statistics.median(own[1:]), 2),
        }
        for how, own in times.items()
    ]


def fit(table: str, args: argparse.Namespace, device: str) -> tuple[dict[str, Any], SynthGAN]:
    train, _ = split(load(table, args.data), TARGETS[table])
    began = time.perf_counter()
    model = SynthGAN(device=device, random_state=0).fit(train, target=TARGETS[table])
    row = {"what": "fit", "table": table, "device": device, "rows": len(train)}
    row |= {"fit_seconds": round(time.perf_counter() - began, 1), "steps": int(model.history_["step"].iloc[-1])}
    row["training_seconds"] = round(float(model.history_["seconds"].iloc[-1]), 1)
    if device != "cpu":
        row["peak_device_mb"] = round(torch.cuda.max_memory_allocated() / 1e6)
        torch.cuda.reset_peak_memory_stats()
    return row, model


def sampling(table: str, model: SynthGAN, args: argparse.Namespace) -> list[dict[str, Any]]:
    rows = []
    for how, way in WAYS.items():
        model.sample(1000, random_state=0, **way)
        began = time.perf_counter()
        model.sample(args.rows, random_state=0, **way)
        speed = round(args.rows / (time.perf_counter() - began))
        rows.append({"what": "sampling", "table": table, "how": how, "rows": args.rows, "rows_per_second": speed})
    return rows


if __name__ == "__main__":
    main()
