#!/usr/bin/env python3
"""Does ``synthgan tune`` get away from a bad start, within its time, and over a SIGKILL?

    python benchmarks/tuning.py --data path/to/folder [--seconds 300] [--kill-after 3]

Two thirds of the table go to the command line, which is killed (SIGKILL) in the middle of a trial once ``--kill-after``
trials are finished, and called again with the seconds that are left. What counts is measured on the last third, which
the tuning never saw: the two-sample score of models fitted with the start's settings and with those found, for three
seeds each. Everything goes to ``results/tuning.json``.
"""

from __future__ import annotations

import argparse
import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

import optuna
import pandas as pd
from data import TARGETS, load, split
from quality import machine

from synthgan import SynthGAN, evaluate
from synthgan.tuning import read_config, write_config

BAD = {"generator_lr": 1e-5, "hidden_dim": 8, "batch_size": 2000}
SEEDS = (0, 1, 2)
optuna.logging.set_verbosity(optuna.logging.WARNING)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--table", default="german_credit")
    parser.add_argument("--data", type=Path, help="a folder of <table>.csv.gz")
    parser.add_argument("--seconds", type=float, default=300.0, help="for both calls together")
    parser.add_argument("--kill-after", type=int, default=3, help="finished trials")
    parser.add_argument("--out", type=Path, default=Path(__file__).parent / "results" / "tuning.json")
    args = parser.parse_args()
    target = TARGETS[args.table]
    train, holdout = split(load(args.table, args.data), target)
    with tempfile.TemporaryDirectory() as folder:
        found = tuned(Path(folder), train, target, args.seconds, args.kill_after)
    document = {"machine": machine(1), "table": args.table, "rows": len(train), "start": BAD} | found
    for name, settings in (("start", BAD), ("found", found["settings"]), ("default", {})):
        document[f"score_{name}"] = [score(settings, seed, train, holdout, target) for seed in SEEDS]
        print(name, settings, document[f"score_{name}"], flush=True)
    args.out.write_text(json.dumps(document, indent=1) + "\n")
    print({name: statistics.median(document[f"score_{name}"]) for name in ("start", "found", "default")})


def tuned(folder: Path, train: pd.DataFrame, target: str, seconds: float, kill_after: int) -> dict[str, Any]:
    """Tune through the command line, kill it, call it again; return what came of it."""
    train.to_csv(folder / "data.csv", index=False)
    write_config(folder / "bad.toml", "SynthGAN", BAD)
    began = time.monotonic()
    killed_at = None
    process = start(folder, target, seconds)
    while process.poll() is None:
        time.sleep(0.2)
        if len(finished(folder)) >= kill_after:
            time.sleep(1)  # into the next trial
            process.kill()  # SIGKILL
            killed_at = round(time.monotonic() - began, 1)
            break
    code, kept = process.wait(), len(finished(folder))
    if start(folder, target, seconds - (time.monotonic() - began)).wait():
        raise SystemExit("the second call failed")
    took, trials = time.monotonic() - began, finished(folder)
    first = min(trial.datetime_complete for trial in trials)
    return {
        "seconds_allowed": seconds,
        "seconds_taken": round(took, 1),
        "killed_after_seconds": killed_at,
        "exit_code_of_the_killed": code,
        "trials_before_the_kill": kept,
        "settings": read_config(folder / "best.toml")[1],
        "trials": [
            {
                "state": trial.user_attrs["state"],
                "score": round(trial.value, 4) if trial.user_attrs["state"] == "complete" else None,
                "seconds_after_the_first": round((trial.datetime_complete - first).total_seconds(), 1),
            }
            for trial in trials
        ],
    }


def start(folder: Path, target: str, seconds: float) -> subprocess.Popen[bytes]:
    """Start the command line's tuning in `folder`; the second time the same command goes on from the storage."""
    command = [sys.executable, "-m", "synthgan_cli", "tune", "data.csv", "--target", target, "--config", "bad.toml"]
    command += ["--storage", "trials.db", "--out", "best.toml", "--trials", "1000", "--max-seconds", f"{seconds:.0f}"]
    return subprocess.Popen([*command, "--quiet"], cwd=folder, env=os.environ | {"OMP_NUM_THREADS": "1"})


def finished(folder: Path) -> list[Any]:
    """Return the trials in the storage that came to an end."""
    try:
        study = optuna.load_study(study_name="synthgan", storage=f"sqlite:///{folder}/trials.db")
    except (KeyError, optuna.exceptions.StorageInternalError):  # not there yet
        return []
    return [trial for trial in study.get_trials(deepcopy=False) if trial.state.is_finished() and trial.user_attrs]


def score(settings: dict[str, Any], seed: int, train: pd.DataFrame, holdout: pd.DataFrame, target: str) -> float:
    """Return the two-sample score on rows that neither the model nor the tuning saw."""
    rows = SynthGAN(**settings, random_state=seed).fit(train, target=target).sample(len(train), random_state=seed)
    report = evaluate(train, rows, holdout=holdout, target=target, profile="quick")
    value = report.metric("C2ST_holdout").value
    return round(float(value or 0.0), 4)


if __name__ == "__main__":
    main()
