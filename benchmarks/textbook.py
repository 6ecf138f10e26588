#!/usr/bin/env python3
"""Our CTGAN and TVAE beside the published ones, on one table: seconds of a training step, and what the rows are worth.

    python benchmarks/textbook.py --table adult --epochs 300 --seeds 0,1,2
    python benchmarks/textbook.py --table adult --epochs 0           # the time of a step only

The published package lives in an environment of its own, made under ``--cache`` (see peers.py); both sides are fitted
in processes of their own, in turn, with the same number of threads. The time of a step is CPU time, measured as the
difference of a longer and a short fit divided by the steps between them, so that encoding and start-up do not count;
the median of the rounds is kept. Scores are `evaluate`'s. Everything goes to ``results/textbook.json``.
"""

from __future__ import annotations

import argparse
import json
import math
import statistics
import tempfile
from pathlib import Path
from typing import Any

from data import TARGETS, load, split
from quality import machine, make_rows, ours

PAIRS = {"our-ctgan": "ctgan", "our-tvae": "tvae"}
BATCH = 500
HELD_OUT = {"our-ctgan": 0.05, "our-tvae": 0.05, "ctgan": 0.0, "tvae": 0.0}


def main() -> None:
    args = _parser().parse_args()
    target = TARGETS[args.table]
    train, holdout = split(load(args.table, args.data), target)
    document: dict[str, Any] = {"machine": machine(args.threads), "table": args.table, "rows": len(train)}
    document |= {"steps": [], "scores": []}
    if args.out.exists():
        found = json.loads(args.out.read_text())
        document |= {key: found[key] for key in ("steps", "scores")}
    for mine, theirs in PAIRS.items():
        if mine.removeprefix("our-") not in args.models:
            continue
        if args.rounds:
            seconds = step_seconds((mine, theirs), train, holdout, target, args)
            entry = {"table": args.table, "ours": seconds[mine], "published": seconds[theirs]}
            entry |= {"model": theirs, "times_as_fast": round(seconds[theirs] / seconds[mine], 2)}
            document["steps"] = [row for row in document["steps"] if row["model"] != theirs] + [entry]
            print(json.dumps(entry), flush=True)
            args.out.write_text(json.dumps(document, indent=1) + "\n")
        for seed in args.seeds if args.epochs else []:
            for model in (mine, theirs):
                key = {"table": args.table, "model": model, "seed": seed, "epochs": args.epochs}
                kept = [row for row in document["scores"] if {name: row[name] for name in key} != key]
                if model == theirs and args.keep_published and len(kept) < len(document["scores"]):
                    continue
                run, rows = fitted(model, train, holdout, target, seed, args.epochs, args)
                document["scores"] = [*kept, key | run | ours(train, holdout, rows, target)]
                print(json.dumps(document["scores"][-1]), flush=True)
                args.out.write_text(json.dumps(document, indent=1) + "\n")


def step_seconds(models: tuple[str, str], train: Any, holdout: Any, target: str, args: Any) -> dict[str, float]:
    """Return the CPU seconds of a step of each model, measured in turn."""
    found: dict[str, list[float]] = {model: [] for model in models}
    for _ in range(args.rounds):
        for model in models:
            rows = len(train) * (1 - HELD_OUT[model])
            per_epoch = math.ceil(rows / BATCH) if model in PAIRS else max(len(train) // BATCH, 1)
            if model == "tvae":
                per_epoch = math.ceil(len(train) / BATCH)
            short, long = (
                fitted(model, train, holdout, target, 0, epochs, args)[0]["fit_cpu_seconds"]
                for epochs in (1, 1 + args.step_epochs)
            )
            found[model].append((long - short) / (args.step_epochs * per_epoch))
    return {model: round(statistics.median(seconds), 5) for model, seconds in found.items()}


def fitted(model: str, train: Any, holdout: Any, target: str, seed: int, epochs: int, args: Any) -> tuple[Any, Any]:
    """Fit one model in a process of its own; return what was measured, and its rows."""
    settings = argparse.Namespace(threads=args.threads, passes=[], set=[f"epochs={epochs}"], cache=args.cache)
    with tempfile.TemporaryDirectory() as folder:
        ((run, rows),) = make_rows(model, train, holdout, target, seed, settings, Path(folder))
    if "failed" in run:
        raise SystemExit(f"{model}: {run['failed']}")
    return run, rows


def _parser() -> argparse.ArgumentParser:
    def numbers(text: str) -> list[int]:
        return [int(part) for part in text.split(",") if part]

    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--table", default="adult")
    parser.add_argument("--data", type=Path, help="a folder of <table>.csv.gz")
    parser.add_argument("--models", type=lambda text: text.split(","), default=["ctgan", "tvae"])
    parser.add_argument("--epochs", type=int, default=300, help="of the fits that are scored; 0 for none")
    parser.add_argument("--seeds", type=numbers, default=[0])
    parser.add_argument("--rounds", type=int, default=3, help="of the time of a step; 0 to leave it out")
    parser.add_argument("--step-epochs", type=int, default=3, help="epochs between the short fit and the longer one")
    parser.add_argument("--keep-published", action="store_true", help="do not measure again what they have got already")
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--cache", type=Path, default=Path(tempfile.gettempdir()) / "synthgan-peers")
    parser.add_argument("--out", type=Path, default=Path(__file__).parent / "results" / "textbook.json")
    return parser


if __name__ == "__main__":
    main()
