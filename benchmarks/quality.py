#!/usr/bin/env python3
"""How good the rows are: synthgan between its floor and its ceiling, table by table, several seeds.

    python benchmarks/quality.py --tables adult penguins --seeds 0 1 2 --judge path/to/judge.py --data path/to/folder

Tables are bundled ones by name, or ``<data>/<name>.csv.gz`` with ``--data``. Each is split once: 2/3 to learn from, 1/3
holdout, rows without a target dropped, numpy seed 0. Per seed one model with default settings draws as many rows as it
learned from. With ``--judge`` (a script that offers ``judge(train, holdout, synthetic, target)``) that judge scores
them, else `synthgan.evaluate` does. Beside it the floor (every column of the training rows shuffled on its own) and
the ceiling (holdout rows) are scored in the same run. Every model is fitted in a process of its own, so that seconds
and peak memory are its own. Results: benchmarks/results/quality.json.
"""

from __future__ import annotations

import argparse
import importlib.util
import json
import platform
import resource
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

TARGETS = {
    "adult": "income",
    "credit_default": "default_payment_next_month",
    "online_shoppers": "revenue",
    "magic_telescope": "class",
    "beijing_pm25": "pm25",
    "nyc_flights": "arr_delay",
    "storms": "status",
    "hypothyroid": "class",
    "german_credit": "credit_risk",
    "penguins": "species",
}
HERE = Path(__file__).parent


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--tables", nargs="+", default=["adult", "storms", "penguins"])
    parser.add_argument("--seeds", nargs="+", type=int, default=[0, 1, 2])
    parser.add_argument(
        "--passes", nargs="*", type=int, default=[], help="numbers of passes to sample with besides all"
    )
    parser.add_argument("--data", type=Path, help="folder of <table>.csv.gz; without it the bundled tables")
    parser.add_argument("--judge", type=Path, help="an outside judge's script")
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument(
        "--set", nargs="*", default=[], metavar="NAME=VALUE", help="parameters of SynthGAN other than the defaults"
    )
    parser.add_argument("--out", type=Path, default=HERE / "results" / "quality.json")
    parser.add_argument("--fit", nargs=4, metavar=("TRAIN", "OUT", "TARGET", "SEED"), help=argparse.SUPPRESS)
    args = parser.parse_args()
    if args.fit:
        fit_one(*args.fit, args)
        return
    results = [row for table in args.tables for row in run_table(table, args)]
    document = {
        "machine": machine(args.threads),
        "judge": args.judge.name if args.judge else "synthgan.evaluate",
        "rows": results,
    }
    args.out.write_text(json.dumps(document, indent=1) + "\n")
    print_table(results)


def run_table(table: str, args: argparse.Namespace) -> list[dict[str, Any]]:
    train, holdout = split(load(table, args.data), TARGETS[table])
    rng = np.random.default_rng(0)
    shuffled = pd.DataFrame({name: train[name].to_numpy()[rng.permutation(len(train))] for name in train})
    rows = []
    judged = {"floor": shuffled, "ceiling": holdout}
    for model, synthetic in judged.items():
        scores = score(train, holdout, synthetic, TARGETS[table], args.judge)
        rows.append({"table": table, "model": model} | (real_rows(scores) if model == "ceiling" else scores))
    with tempfile.TemporaryDirectory() as folder:
        source = Path(folder) / "train.csv"
        train.to_csv(source, index=False)
        for seed in args.seeds:
            out = Path(folder) / "out"
            command = [
                sys.executable,
                __file__,
                "--threads",
                str(args.threads),
                "--set",
                *args.set,
                "--passes",
                *map(str, args.passes),
            ]
            subprocess.run([*command, "--fit", str(source), str(out), TARGETS[table], str(seed)], check=True)
            for run in json.loads(out.with_suffix(".json").read_text()):
                synthetic = pd.read_csv(run.pop("file"), low_memory=False)
                scores = score(train, holdout, synthetic, TARGETS[table], args.judge)
                rows.append({"table": table, "model": "synthgan", "seed": seed} | run | scores)
                print(json.dumps(rows[-1]), flush=True)
    return rows


def real_rows(scores: dict[str, Any]) -> dict[str, Any]:
    """What other real rows get. Holdout rows can stand for synthetic ones in a comparison with training rows, but not
    with themselves: there the judge's own comparison of training with holdout rows counts.
    """
    own = {"c2st_train": "c2st_real", "c2st_holdout": "c2st_real", "mle": "mle_real", "copies": "copies_real"}
    half = {"dcr_share": 0.5} if "dcr_share" in scores else {}
    return scores | {name: scores[real] for name, real in own.items() if real in scores} | half


def fit_one(train: str, out: str, target: str, seed: str, args: argparse.Namespace) -> None:
    """In a process of its own: fit, sample, and report seconds and peak memory."""
    import torch

    from synthgan import SynthGAN

    torch.set_num_threads(args.threads)
    frame = pd.read_csv(train, low_memory=False)
    settings = {name: json.loads(value) for name, value in (item.split("=", 1) for item in args.set)}
    began = time.perf_counter()
    model = SynthGAN(random_state=int(seed), **settings).fit(frame, target=target)
    fitted = time.perf_counter() - began
    runs = []
    for n_passes in [None, *args.passes]:
        began = time.perf_counter()
        synthetic = model.sample(len(frame), random_state=int(seed), n_passes=n_passes)
        sampled = time.perf_counter() - began
        file = f"{out}-{n_passes}.csv"
        synthetic.to_csv(file, index=False)
        peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
        runs.append(
            {
                "passes": n_passes or "all",
                "steps": int(model.history_["step"].iloc[-1]),
                "fit_seconds": round(fitted, 1),
                "sample_seconds": round(sampled, 2),
                "peak_mb": round(peak),
                "file": file,
            }
        )
    Path(out).with_suffix(".json").write_text(json.dumps(runs))


def load(table: str, folder: Path | None) -> pd.DataFrame:
    if folder is not None:
        return pd.read_csv(folder / f"{table}.csv.gz", low_memory=False)
    from synthgan import load_dataset

    return load_dataset(table)


def split(frame: pd.DataFrame, target: str) -> tuple[pd.DataFrame, pd.DataFrame]:
    frame = frame.dropna(subset=[target])
    order = np.random.default_rng(0).permutation(len(frame))
    cut = round(len(order) * 2 / 3)
    return frame.iloc[order[:cut]].reset_index(drop=True), frame.iloc[order[cut:]].reset_index(drop=True)


def score(
    train: pd.DataFrame, holdout: pd.DataFrame, synthetic: pd.DataFrame, target: str, script: Path | None
) -> dict[str, Any]:
    if script is None:
        from synthgan import evaluate

        report = evaluate(train, synthetic, holdout=holdout, target=target)
        return {metric.name: metric.value for metric in report.headline}
    spec = importlib.util.spec_from_file_location("outside_judge", script)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    with tempfile.TemporaryDirectory() as folder:  # through files, as the judge's own command would read them
        frames = []
        for name, frame in (("train", train), ("holdout", holdout), ("synthetic", synthetic)):
            frame.to_csv(f"{folder}/{name}.csv", index=False)
            frames.append(module.load(f"{folder}/{name}.csv", frames[0] if frames else None))
    return module.judge(*frames, target)


def machine(threads: int) -> dict[str, Any]:
    import sklearn
    import torch

    import synthgan

    cpu = next(
        (line.split(":")[1].strip() for line in Path("/proc/cpuinfo").read_text().splitlines() if "model name" in line),
        "?",
    )
    versions = {module.__name__: module.__version__ for module in (synthgan, torch, np, pd, sklearn)}
    return {"cpu": cpu, "threads": threads, "python": platform.python_version(), **versions}


def print_table(rows: list[dict[str, Any]]) -> None:
    """Median over the seeds, one line a table, model and number of passes."""
    frame = pd.DataFrame(rows).drop(columns=["seed"], errors="ignore")
    keys = ["table", "model", *(["passes"] if "passes" in frame else [])]
    numbers = frame.groupby(keys, dropna=False, sort=False).agg(lambda column: round(statistics.median(column), 4))
    print(numbers.reset_index().to_string(index=False))


if __name__ == "__main__":
    main()
