#!/usr/bin/env python3
"""Whether the judge can be trusted: beside other judges, against itself on real rows, and by the clock.

    python benchmarks/judge_agreement.py --parts c2st,ranking,calibration,timings --judge path/to/judge.py --data folder

c2st         the AUC of our two-sample test beside that of an outside judge's XGBoost (``--judge``), with training and
             with holdout rows, for several tables and candidates. Which rows and folds are drawn moves any such AUC,
             most on small tables: the judge's is the mean over seeds, and its own spread over them stands beside it
ranking      mostlyai-qa, in an environment of its own under ``--cache``, ranks the candidates of a table by accuracy
             and by DCR share; so do we
calibration  20 times three samples of a real table are real, synthetic and holdout rows: how many 95 % intervals hold
             their ceiling, how often a leak is alleged; and how often 10 % planted copies are found
timings      seconds of `evaluate`, by the clock and of the processor

Candidates are what can be made of training rows alone: ``independent`` (every column shuffled on its own), ``noisy
copies`` (training rows, each cell swapped with another row's with chance 0.1), ``half copies`` (half of the rows those,
half independent), ``bootstrap`` (training rows drawn with replacement), and every table of ``--kept``
(``<table>-<model>-<seed>.csv``, as quality.py keeps them); mostlyai-qa, which is slow, ranks those where there are
some, and the half copies, whose DCR share is known to be high. Parts that are not asked for stay as they are in the
results.
"""

from __future__ import annotations

import argparse
import itertools
import json
import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from data import TARGETS, load, shuffled, split
from peers import python_of
from quality import machine, script

from synthgan import evaluate
from synthgan.evaluation.context import PROFILES
from synthgan.evaluation.detection import detect
from synthgan.evaluation.fidelity import equal_rows
from synthgan.evaluation.frames import make_tables

HERE = Path(__file__).parent
N_RESAMPLES = 20
RESAMPLE_ROWS = 1500
PLANTED = 0.1


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--parts", type=lambda text: text.split(","), default=list(PARTS), help=", ".join(PARTS))
    parser.add_argument("--tables", type=lambda text: text.split(","), default=["adult", "storms", "penguins"])
    parser.add_argument("--data", type=Path, help="folder of <table>.csv.gz; without it the tables of packages")
    parser.add_argument("--kept", type=Path, help="folder of synthetic tables")
    parser.add_argument("--judge", type=Path, help="an outside judge's script")
    parser.add_argument("--cache", type=Path, default=Path(tempfile.gettempdir()) / "synthgan-peers")
    parser.add_argument("--out", type=Path, default=HERE / "results" / "judge_agreement.json")
    args = parser.parse_args()
    os.environ.setdefault("OMP_WAIT_POLICY", "passive")
    for part in args.parts:
        for table in args.tables:
            result = PARTS[part](table, args)
            print(part, json.dumps(result, indent=1), flush=True)
            document = json.loads(args.out.read_text()) if args.out.exists() else {}
            document["machine"] = machine(int(os.environ.get("OMP_NUM_THREADS", os.cpu_count() or 1)))
            document.setdefault(part, {})[table] = result
            args.out.write_text(json.dumps(document, indent=1) + "\n")


def candidates(table: str, train: pd.DataFrame, kept: Path | None) -> dict[str, pd.DataFrame]:
    """Return what is made of training rows, and what models made."""
    swapped = shuffled(train)
    rng = np.random.default_rng(1)
    noisy = train.mask(rng.random(train.shape) < 0.1, swapped)
    pick = rng.random(len(train)) < 0.5
    half = pd.concat([noisy[pick], swapped[~pick]], ignore_index=True)
    again = train.iloc[rng.integers(0, len(train), len(train))]
    made = {"independent": swapped, "noisy copies": noisy, "half copies": half, "bootstrap": again}
    with tempfile.TemporaryDirectory() as folder:  # through files, so that every judge reads the same
        found = {name: _reread(rows, Path(folder) / "rows.csv") for name, rows in made.items()}
    return found | trained(table, train, kept)


def trained(table: str, train: pd.DataFrame, kept: Path | None) -> dict[str, pd.DataFrame]:
    """Return what models made."""
    paths = sorted(kept.glob(f"{table}-*.csv")) if kept else []
    return {
        path.stem.removeprefix(f"{table}-"): pd.read_csv(path, low_memory=False)[train.columns.tolist()]
        for path in paths
    }


def _reread(rows: pd.DataFrame, path: Path) -> pd.DataFrame:
    rows.to_csv(path, index=False)
    return pd.read_csv(path, low_memory=False)


def c2st(table: str, args: argparse.Namespace) -> dict[str, Any]:
    if args.judge is None:
        raise SystemExit("c2st needs the outside judge's script: --judge")
    judge = script(args.judge)
    train, holdout = split(load(table, args.data), TARGETS[table])
    limits = PROFILES["full"]
    found: dict[str, Any] = {}
    for name, rows in candidates(table, train, args.kept).items():
        tables = make_tables(train, rows, holdout)
        n = equal_rows(tables, limits.detection)
        sides = {"train": tables.real, "holdout": tables.holdout}
        ours = [
            detect(
                tables, side, tables.synthetic, max_rows=n, n_trees=limits.trees, seed=0, min_scored=limits.scored
            ).auc
            for side in sides.values()
        ]
        theirs = [np.array(aucs) for aucs in judged(judge, train, holdout, rows, TARGETS[table], n)]
        found[name] = {
            "ours": [round(auc, 4) for auc in ours],
            "judge": [round(float(aucs.mean()), 4) for aucs in theirs],
            "sd over seeds": [round(float(aucs.std(ddof=1)), 4) for aucs in theirs],
        }
        print(table, name, json.dumps(found[name]), flush=True)
    gaps = [abs(a - b) for it in found.values() for a, b in zip(it["ours"], it["judge"], strict=True)]
    spreads = [sd for it in found.values() for sd in it["sd over seeds"]]
    return {
        "rows of each side": n,
        "seeds of the judge": n_judge_seeds(n),
        "candidates": found,
        "largest difference of AUC": round(max(gaps), 4),
        "mean difference of AUC": round(float(np.mean(gaps)), 4),
        "largest sd over seeds": round(max(spreads), 4),
    }


def n_judge_seeds(n_rows: int) -> int:
    """Seeds of the judge: more on small tables, where they matter more and cost less."""
    return int(np.clip(3000 // n_rows, 3, 20))


def judged(
    judge: Any, train: pd.DataFrame, holdout: pd.DataFrame, rows: pd.DataFrame, target: str, n: int
) -> list[list[float]]:
    """Return the judge's AUCs with training and with holdout rows, one a seed, from the functions of its script."""
    frames = judge.dates_to_seconds(train, holdout, rows)
    numbers, categories, _ = judge.split_columns(frames[0], target)
    frames = [judge.canonical(frame, numbers, categories) for frame in frames]
    encode = judge.encoder(frames, numbers, categories)
    real, held, synthetic = map(encode, frames)
    return [[judge.c2st(side, synthetic, n, seed) for seed in range(n_judge_seeds(n))] for side in (real, held)]


def ranking(table: str, args: argparse.Namespace) -> dict[str, Any]:
    train, holdout = split(load(table, args.data), TARGETS[table])
    models = trained(table, train, args.kept)
    rows = candidates(table, train, None)
    rows = models | {"half copies": rows["half copies"]} if models else rows
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        frames = {"train": train, "holdout": holdout} | rows
        for role, frame in frames.items():
            frame.to_csv(folder / f"{role}.csv", index=False)
        subprocess.run(
            [python_of("qa", args.cache), HERE / "qa_score.py", folder / "train.csv", folder / "holdout.csv",
             folder / "out.json", *(folder / f"{role}.csv" for role in rows)],
            check=True, stdout=sys.stderr,
        )  # fmt: skip
        theirs = json.loads((folder / "out.json").read_text())
    scores: dict[str, Any] = {}
    for role, frame in rows.items():
        report = evaluate(train, frame, holdout=holdout, target=TARGETS[table])
        shape, trend, share = (report.metric(it) for it in ("ColumnShapes", "PairTrends", "DCRShare"))
        scores[role] = {
            "ours": {"fidelity": round((shape.value + trend.value) / 2, 4), "dcr_share": round(share.value, 4)},
            "dcr_interval": [round(share.low, 4), round(share.high, 4)],
            "mostlyai-qa": {"fidelity": theirs[role]["accuracy"], "dcr_share": theirs[role]["dcr_share"]},
        }
    found: dict[str, Any] = {"package": theirs["package"], "candidates": scores}
    for what in ("fidelity", "dcr_share"):
        for who in ("ours", "mostlyai-qa"):
            found[f"{what}, order of {who}"] = sorted(scores, key=lambda role: -scores[role][who][what])
    apart = [
        (a, b)
        for a, b in itertools.permutations(scores, 2)
        if scores[a]["dcr_interval"][0] > scores[b]["dcr_interval"][1]
    ]
    agreed = [scores[a]["mostlyai-qa"]["dcr_share"] > scores[b]["mostlyai-qa"]["dcr_share"] for a, b in apart]
    found["pairs whose DCR shares we tell apart"] = len(apart)
    found["of these ordered alike by mostlyai-qa"] = int(sum(agreed))
    return found


def calibration(table: str, args: argparse.Namespace) -> dict[str, Any]:
    frame, target = load(table, args.data).dropna(subset=[TARGETS[table]]), TARGETS[table]
    n = min(RESAMPLE_ROWS, len(frame) // 3)
    held, alarms, found = [], 0, 0
    for k in range(N_RESAMPLES):
        order = np.random.default_rng(k).permutation(len(frame))
        real, fresh, holdout = (frame.iloc[order[i * n : (i + 1) * n]].reset_index(drop=True) for i in range(3))
        report = evaluate(real, fresh, holdout=holdout, target=target, profile="quick", random_state=k)
        held += [
            it.low <= it.ceiling <= it.high
            for it in report.metrics
            if it.low is not None and it.high is not None and it.ceiling is not None
        ]
        alarms += not report.themes["privacy"].verdict.startswith("No leak")
        planted = pd.concat([real.iloc[: round(PLANTED * n)], fresh.iloc[round(PLANTED * n) :]], ignore_index=True)
        report = evaluate(real, planted, holdout=holdout, target=target, profile="quick", random_state=k)
        found += not report.themes["privacy"].verdict.startswith("No leak")
    return {
        "resamples": N_RESAMPLES,
        "rows of each sample": n,
        "intervals": len(held),
        "of these hold their ceiling": round(float(np.mean(held)), 4),
        "false alarms": alarms,
        "planted copies found": found,
    }


def timings(table: str, args: argparse.Namespace) -> dict[str, Any]:
    train, holdout = split(load(table, args.data), TARGETS[table])
    rows = candidates(table, train, None)["noisy copies"]
    out: dict[str, Any] = {"rows": {"real": len(train), "synthetic": len(rows), "holdout": len(holdout)}}
    for profile in ("quick", "full"):
        seconds = []
        for _ in range(3):
            began, cpu = time.perf_counter(), time.process_time()
            evaluate(train, rows, holdout=holdout, target=TARGETS[table], profile=profile)
            seconds.append((time.process_time() - cpu, time.perf_counter() - began))
        best = min(seconds)
        out[profile] = {"cpu_seconds": round(best[0], 2), "clock_seconds": round(best[1], 2)}
    return out


PARTS = {"c2st": c2st, "ranking": ranking, "calibration": calibration, "timings": timings}


if __name__ == "__main__":
    main()
