#!/usr/bin/env python3
"""Is anything lost, executed, leaked, or different the second time? Each part adds its counts to results/trust.json.

    python benchmarks/trust.py fuzz [--scale 1.0]      mutated model files, checkpoints, schemas, tables, conditions
    python benchmarks/trust.py kills [--kills 50]      SIGKILL while training and saving, resumption, hashes
    python benchmarks/trust.py saves [--kills 20]      the same, each time in the middle of writing a checkpoint
    python benchmarks/trust.py critics [--kills 20]    the same with a critic, most kills while it is being trained
    python benchmarks/trust.py gain TABLE.csv --target y --kills 3 --repeats 8     the same with `synthgan gain`
    python benchmarks/trust.py determinism             fresh processes, threads, workers
    python benchmarks/trust.py scan TABLE.csv ...      model files searched for rows, rare and unique values: a default
                                                       SynthGAN's and, after one epoch, the reference models'
    python benchmarks/trust.py memory TABLE.csv ...    the plan's peak of memory beside the measured one

Nothing but subclasses of SynthganError may come out of hostile input, no case may take over a minute, no pickle may be
read, no program started, no socket opened, and no file written. Only on Linux.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import logging
import os
import subprocess
import sys
import tempfile
import time
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import torch
from fuzzing import fuzz
from gainkills import gain_kills
from kills import kills
from quality import machine

from synthgan import CTGAN, TVAE, Synthesizer, SynthGAN, VanillaGAN, load
from synthgan.io import read_table
from synthgan.persistence import read_archive

RESULTS = Path(__file__).parent / "results" / "trust.json"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("part", choices=["fuzz", "kills", "saves", "critics", "gain", "determinism", "scan", "memory"])
    parser.add_argument("tables", nargs="*", type=Path)
    parser.add_argument("--scale", type=float, default=1.0, help="of the numbers of fuzzing cases")
    parser.add_argument(
        "--only", default=None, help="fuzzing targets with this in their names; the others' counts are kept"
    )
    parser.add_argument("--kills", type=int, default=50)
    parser.add_argument("--target", default=None, help="of the table whose gain is measured")
    parser.add_argument("--repeats", type=int, default=5, help="of that measurement")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument(
        "--models", type=Path, help="folder of <table>.synthgan, default fits to scan instead of new ones"
    )
    parser.add_argument("--settings", type=int, default=None, help="of the memory's settings, the first so many")
    parser.add_argument("--out", type=Path, default=RESULTS)
    args = parser.parse_args()
    logging.getLogger("synthgan").addHandler(logging.NullHandler())
    torch.set_num_threads(int(os.environ.get("OMP_NUM_THREADS", "1")))
    began = time.monotonic()
    parts: dict[str, Callable[[argparse.Namespace], Any]] = {
        "fuzz": fuzz, "kills": kills, "saves": kills, "critics": kills, "gain": gain_kills,
        "determinism": determinism, "scan": scan, "memory": memory,
    }  # fmt: skip
    result = parts[args.part](args)
    run = {"machine": machine(torch.get_num_threads()), "seed": args.seed, "seconds": round(time.monotonic() - began)}
    found = json.loads(args.out.read_text()) if args.out.exists() else {}  # read after the run: others may have written
    found[args.part] = run | {"result": result}
    args.out.write_text(json.dumps(found, indent=1, ensure_ascii=False) + "\n")
    print(json.dumps(result, indent=1, ensure_ascii=False))


# --- determinism

FRESH = """
import hashlib, sys, torch
torch.set_num_threads(int(sys.argv[1]))
from synthgan import SynthGAN, load_dataset
frame = load_dataset("adult").head(2000)
model = SynthGAN(epochs=12, hidden_dim=64, adversarial_share=0.3, random_state=1).fit(frame, target="income")
model.save(sys.argv[2])
weights = b"".join(weight.numpy().tobytes() for weight in model.model_.generator.state_dict().values())
rows = model.sample(3000, random_state=3).to_csv(index=False)
print(hashlib.sha256(weights).hexdigest()[:16], hashlib.sha256(rows.encode()).hexdigest()[:16])
"""
WORKER = """
import hashlib, sys, torch
torch.set_num_threads(int(sys.argv[1]))
from concurrent.futures import ThreadPoolExecutor
from synthgan import SynthGAN
model = SynthGAN.load(sys.argv[2], device="cpu")
draw = lambda _: hashlib.sha256(model.sample(3000, random_state=3).to_csv(index=False).encode()).hexdigest()[:16]
with ThreadPoolExecutor(int(sys.argv[3])) as pool:
    print(" ".join(pool.map(draw, range(int(sys.argv[3])))))
"""


def determinism(_: argparse.Namespace) -> dict[str, Any]:
    """Hashes of weights and rows from fresh processes."""
    with tempfile.TemporaryDirectory() as name:
        runs = {
            f"{threads} threads, process {place}": _python(FRESH, threads, f"{name}/{threads}-{place}")
            for threads in (1, 2)
            for place in (1, 2)
        }
        file = f"{name}/1-1"
        one = _python(WORKER, 1, file, 1)
        four = [_python(WORKER, 1, file, 1) for _ in range(4)]
        shared = _python(WORKER, 1, file, 4)
        two_threads = _python(WORKER, 2, file, 1)
        files = {key: hashlib.sha256(Path(f"{name}/{key}").read_bytes()).hexdigest()[:16] for key in ("1-1", "2-1")}
    return {
        "fit and sample (weights, rows)": runs,
        "same in two processes, 1 thread": runs["1 threads, process 1"] == runs["1 threads, process 2"],
        "same in two processes, 2 threads": runs["2 threads, process 1"] == runs["2 threads, process 2"],
        "same with 1 and 2 threads (not promised)": runs["1 threads, process 1"] == runs["2 threads, process 1"],
        "model files": files,
        "rows, one worker": one,
        "same rows from 4 worker processes": set(four) == {one},
        "same rows from 4 threads that share a model": set(shared.split()) == {one},
        "same rows with 2 compute threads (not promised)": two_threads == one,
    }


def _python(code: str, *args: object) -> str:
    command = [sys.executable, "-c", code, *map(str, args)]
    return subprocess.run(command, check=True, capture_output=True, text=True).stdout.strip()


# --- what is in a file


REFERENCES = {"CTGAN": CTGAN, "TVAE": TVAE, "VanillaGAN": VanillaGAN}


def scan(args: argparse.Namespace) -> dict[str, Any]:
    """Search model files for what few rows hold."""
    found: dict[str, Any] = {}
    for path in args.tables:
        table, frame = path.name.split(".")[0], read_table(path)
        kept = args.models / f"{table}.synthgan" if args.models else None
        models = {"SynthGAN": load(kept) if kept and kept.exists() else SynthGAN(random_state=0).fit(frame)}
        models |= {name: kind(epochs=1, random_state=0).fit(frame) for name, kind in REFERENCES.items()}
        for name, model in models.items():
            with tempfile.TemporaryDirectory() as folder:
                model.save(Path(folder) / "m.synthgan")
                found[f"{table}, {name}"] = _scanned(frame, model, Path(folder) / "m.synthgan")
            print(table, name, json.dumps(found[f"{table}, {name}"], ensure_ascii=False), flush=True)
    return found


def _scanned(frame: pd.DataFrame, model: Synthesizer, path: Path, few: int = 5) -> dict[str, Any]:
    content = path.read_bytes()
    with zipfile.ZipFile(path) as file:
        state = json.loads(file.read("state.json"))
    _, whole, weights = read_archive(path)
    encoder = model.model_.encoder
    stored: dict[Any, Any] = {item["name"]: [item] for item in whole["encoder"]["columns"]}
    ordered = [block.column for block in encoder.layout.blocks if block.ordered]
    for name, modes in zip(ordered, whole["encoder"].get("modes", []), strict=False):
        stored[name].append(modes)
    specs = {item["name"]: item for item in state["schema"]["columns"]}
    columns = {}
    for name in frame:
        counts = frame[name].value_counts()
        rare = counts.index[counts < few]
        if pd.api.types.is_numeric_dtype(frame[name]) and not pd.api.types.is_bool_dtype(frame[name]):
            numbers = _numbers(stored.get(name, {})) | _numbers(specs.get(name, {}))
            hits = [value for value in rare.tolist() if float(value) in numbers]
        else:
            hits = [value for value in map(str, rare) if json.dumps(value, ensure_ascii=False).encode() in content]
        columns[str(name)] = {"values_in_fewer_than_5_rows": len(rare), "found": len(hits), "which": hits[:20]}
    lines = frame.astype(str).agg(",".join, axis=1).sample(min(len(frame), 2000), random_state=0)
    coded = encoder.encode(frame).codes
    rows = {row.tobytes() for row in coded}
    width = coded.shape[1]
    windows = sum(content[place : place + width] in rows for place in range(len(content) - width))
    return {
        "rows_fitted": len(frame),
        "critic_trees": len(weights["critic.leaf"]) if "critic.leaf" in weights else 0,
        "file_bytes": len(content),
        "rows_as_text_found": int(sum(line.encode() in content for line in lines)),
        "rows_as_codes_found": windows,
        "rare_values": sum(column["values_in_fewer_than_5_rows"] for column in columns.values()),
        "rare_values_found": sum(column["found"] for column in columns.values()),
        "columns": {name: column for name, column in columns.items() if column["values_in_fewer_than_5_rows"]},
    }


def _numbers(tree: Any) -> set[float]:
    if isinstance(tree, dict):
        return set().union(*(_numbers(value) for key, value in tree.items() if key not in ("code", "weight", "step")))
    if isinstance(tree, (list, tuple)):
        return set().union(*map(_numbers, tree)) if tree else set()
    if isinstance(tree, np.ndarray):
        return set(tree.astype(float).tolist())
    if isinstance(tree, (int, float)) and not isinstance(tree, bool):
        return {float(tree)}
    return set()


# --- memory

MEASURE = """
import json, re, sys
from pathlib import Path
from synthgan import SynthGAN
from synthgan.io import read_table
frame = read_table(sys.argv[1])
model = SynthGAN(epochs=2, random_state=0, **json.loads(sys.argv[2]))
plan = model.plan(frame)
model.fit(frame)
peak = int(re.search(r"VmHWM:\\s+(\\d+)", Path("/proc/self/status").read_text())[1]) * 1024
sizes = {"predicted": plan.peak_bytes, "training": plan.memory_bytes, "batch": plan.batch_size}
print(json.dumps(sizes | {"measured": peak}))
"""


def memory(args: argparse.Namespace) -> list[dict[str, Any]]:
    """Peaks of memory, each in a fresh process."""
    settings: list[dict[str, Any]] = [{}, {"batch_size": 20_000}, {"batch_size": 100}, {"hidden_dim": 1024}]
    settings += [{"adversarial_share": 0.5}, {"batch_size": 4000}, {"batch_size": 20_000, "max_megabytes": 300}]
    rows: list[dict[str, Any]] = []
    for path in args.tables:
        for setting in settings[: args.settings]:
            row = json.loads(_python(MEASURE, path, json.dumps(setting)).splitlines()[-1])
            megabytes = {key: round(row[key] / 1e6) for key in ("predicted", "measured", "training")}
            share = round(row["predicted"] / row["measured"] - 1, 3)
            rows.append(
                {"table": path.name.split(".")[0], **setting, **megabytes, "batch": row["batch"], "error": share}
            )
            print(json.dumps(rows[-1]), flush=True)
    return rows


if __name__ == "__main__":
    main()
