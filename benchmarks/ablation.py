#!/usr/bin/env python3
"""Which part of the model earns what: likelihood, several generators, game, passes, selection by the critic.

    python benchmarks/ablation.py --tables adult,magic_telescope --judge path/to/judge.py --data path/to/folder

Each arm is fitted once per table and seed, and sampled with 1, 2, 4 passes and one for each column, without
selection and with it. ``game alone`` is `VanillaGAN`: a generator without a likelihood, which draws a row at once.
Tables, split and judges are those of quality.py; what is there already is not measured again. The table in
docs/benchmarks.md is written anew.
"""

from __future__ import annotations

import argparse
import json
import statistics
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pandas as pd
from data import TARGETS, load, split
from quality import machine, score
from store import Store

HERE = Path(__file__).parent
BEGIN = "<!-- ablation: begin (made by benchmarks/ablation.py from benchmarks/results) -->"
END = "<!-- ablation: end -->"
ARMS: dict[str, tuple[str, dict[str, Any]]] = {
    "likelihood": ("SynthGAN", {"n_members": 1}),
    "likelihood, 2 generators": ("SynthGAN", {"n_members": 2}),
    "likelihood, 4 generators": ("SynthGAN", {"n_members": 4}),
    "likelihood, 8 generators": ("SynthGAN", {"n_members": 8}),
    "likelihood, then game": ("SynthGAN", {"adversarial_share": 0.25}),
    "game alone": ("VanillaGAN", {}),
}
PASSES = (1, 2, 4, 1000)
"""The last is one for each column."""


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--tables", type=lambda text: text.split(","), default=["adult", "penguins"])
    parser.add_argument("--arms", nargs="+", choices=ARMS, default=list(ARMS))
    parser.add_argument("--seeds", type=lambda text: [int(word) for word in text.split(",")], default=[0])
    parser.add_argument("--data", type=Path, help="folder of <table>.csv.gz; without it the tables of packages")
    parser.add_argument("--judge", type=Path, help="an outside judge's script")
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--out", type=Path, default=HERE / "results" / "ablation.json")
    args = parser.parse_args()
    store = Store(args.out, args.judge.name if args.judge else "synthgan.evaluate", machine(args.threads))
    for table in args.tables:
        for arm in args.arms:
            for seed in args.seeds:
                if not store.has(table, arm, seed):
                    store.put(table, arm, seed, list(measure(table, arm, seed, args)))
                    write_table(store.rows())


def measure(table: str, arm: str, seed: int, args: argparse.Namespace) -> Iterator[dict[str, Any]]:
    """Fit one arm; sample and judge in every way that it has."""
    import torch

    import synthgan
    from synthgan.synthesizers.critique import n_trees

    torch.set_num_threads(args.threads)
    target = TARGETS[table]
    train, holdout = split(load(table, args.data), target)
    name, settings = ARMS[arm]
    began = time.perf_counter()
    model = getattr(synthgan, name)(random_state=seed, **settings).fit(train, target=target)
    fitted = round(time.perf_counter() - began, 1)
    ways: list[dict[str, int]] = [{}]
    if name == "SynthGAN":
        selects = (1, model.select) if n_trees(len(train)) else (1,)
        ways = [{"n_passes": n_passes, "select": select} for n_passes in PASSES for select in selects]
    for way in ways:
        began = time.perf_counter()
        rows = model.sample(len(train), random_state=seed, **way)
        seconds = {"fit_seconds": fitted, "sample_seconds": round(time.perf_counter() - began, 2)}
        found = score(train, holdout, rows, target, args.judge)
        print(json.dumps({"table": table, "arm": arm, "seed": seed} | way | seconds | found), flush=True)
        yield way | seconds | found


def write_table(rows: list[dict[str, Any]]) -> None:
    """Put the table between the marks in docs/benchmarks.md."""
    frame = pd.DataFrame(rows)
    shown = {"c2st_holdout": 3, "c2st_train": 3, "mle": 3, "dcr_share": 3, "fit_seconds": 0, "sample_seconds": 1}
    lines = ["| table | arm | passes | candidates | " + " | ".join(shown) + " |", "|" + "---|" * (4 + len(shown))]
    frame[["n_passes", "select"]] = frame[["n_passes", "select"]].fillna(0).astype(int)
    for (table, arm, n_passes, select), group in frame.groupby(["table", "model", "n_passes", "select"], sort=False):
        how = ["one a column" if n_passes == PASSES[-1] else str(n_passes or ""), str(select or "")]
        numbers = [f"{statistics.median(group[name]):.{digits}f}" for name, digits in shown.items()]
        lines.append("| " + " | ".join([table, arm, *how, *numbers]) + " |")
    path = HERE.parent / "docs" / "benchmarks.md"
    before, rest = path.read_text().split(BEGIN)
    path.write_text(before + BEGIN + "\n" + "\n".join(lines) + "\n" + END + rest.split(END)[1])


if __name__ == "__main__":
    main()
