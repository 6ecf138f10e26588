#!/usr/bin/env python3
"""How good the rows are: our models beside their peers, between floor and ceiling, table by table, several seeds.

    python benchmarks/quality.py --tables adult,penguins --seeds 0,1,2 --judge path/to/judge.py --data path/to/folder
    python benchmarks/quality.py --models synthgan,ctgan,tvae,tabularargn,arf,smote-nc --cache ~/.cache/peers
    python benchmarks/quality.py --models synthgan,ctgan --tables adult --again

Tables come with synthgan or scikit-learn, or are ``<data>/<name>.csv.gz`` with ``--data``. Each is split once: 2/3 to
learn from, 1/3 holdout, rows without a target dropped, numpy seed 0. Per seed each model with default settings draws as
many rows as it learned from. With ``--judge`` (a script that offers ``judge(train, holdout, synthetic, target)``) that
judge scores them, else `synthgan.evaluate` does. ``floor`` is every column of the training rows shuffled on its own,
``ceiling`` the holdout rows. Every model is fitted in a process of its own, so that seconds and peak memory are its
own; peers (see peers.py) live in environments of their own, made under ``--cache``.

Results are added to ``--out`` one by one: a run that was cut off goes on where it stopped, models can be added later,
and ``--again`` replaces what is there. Rows of one ``run`` were measured on one machine one after the other: only those
are compared for speed.
"""

from __future__ import annotations

import argparse
import importlib.util
import json
import os
import platform
import re
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from data import TARGETS, load, shuffled, split
from peers import PEERS, fit_peer
from store import Store

HERE = Path(__file__).parent
REFERENCES = ("floor", "ceiling")
OURS = {"synthgan": "SynthGAN", "our-ctgan": "CTGAN", "our-tvae": "TVAE", "vanilla-gan": "VanillaGAN"}


def main() -> None:
    args = _parser().parse_args()
    if args.fit:
        fit_one(*args.fit, args)
        return
    os.environ.setdefault("OMP_WAIT_POLICY", "passive")  # on a busy machine threads that spin only hold each other up
    names = {*REFERENCES, *OURS, *PEERS}
    if unknown := [model for model in args.models if model not in names]:
        raise SystemExit(f"no model {', '.join(unknown)}; there are {', '.join(sorted(names))}")
    store = Store(args.out, args.judge.name if args.judge else "synthgan.evaluate", machine(args.threads))
    for model in args.models:  # a model at a time: what is slow comes last for every table
        for table in args.tables:
            run_model(model, table, args, store)
    print_table(store.rows())


def _parser() -> argparse.ArgumentParser:
    def words(text: str) -> list[str]:
        return [word for word in text.split(",") if word]

    def numbers(text: str) -> list[int]:
        return [int(word) for word in words(text)]

    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--models", type=words, default=["synthgan"], help=f"of {', '.join([*OURS, *PEERS])}")
    parser.add_argument("--tables", type=words, default=["adult", "storms", "penguins"], help="comma-separated")
    parser.add_argument("--seeds", type=numbers, default=[0, 1, 2])
    parser.add_argument(
        "--passes", type=numbers, default=[], help="numbers of passes to sample with besides the default"
    )
    parser.add_argument("--data", type=Path, help="folder of <table>.csv.gz; without it the tables of packages")
    parser.add_argument("--judge", type=Path, help="an outside judge's script")
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument(
        "--set", nargs="*", default=[], metavar="NAME=VALUE", help="parameters of the model other than the defaults"
    )
    parser.add_argument(
        "--cache", type=Path, default=Path(tempfile.gettempdir()) / "synthgan-peers", help="where peers are installed"
    )
    parser.add_argument("--keep", type=Path, help="folder to keep the synthetic tables in")
    parser.add_argument("--again", action="store_true", help="measure again what the results have already")
    parser.add_argument("--out", type=Path, default=HERE / "results" / "quality.json")
    parser.add_argument("--fit", nargs=5, metavar=("MODEL", "TRAIN", "OUT", "TARGET", "SEED"), help=argparse.SUPPRESS)
    return parser


def run_model(model: str, table: str, args: argparse.Namespace, store: Store) -> None:
    """Measure one model on one table with every seed that the results lack, and the references with the first."""
    for reference in () if model in REFERENCES else REFERENCES:
        if not store.has(table, reference, None):
            run_model(reference, table, args, store)
    seeds = [None] if model in REFERENCES else args.seeds
    wanted = [seed for seed in seeds if args.again or not store.has(table, model, seed)]
    if not wanted:
        return
    target = TARGETS[table]
    train, holdout = split(load(table, args.data), target)
    for seed in wanted:
        rows = []
        with tempfile.TemporaryDirectory() as folder:
            for run, synthetic in make_rows(model, train, holdout, target, seed, args, Path(folder)):
                if args.keep and seed is not None and len(synthetic):
                    args.keep.mkdir(parents=True, exist_ok=True)
                    passes = "" if run.get("passes", "default") == "default" else f"-{run['passes']}passes"
                    synthetic.to_csv(args.keep / f"{table}-{model}{passes}-{seed}.csv", index=False)
                scores = score(train, holdout, synthetic, target, args.judge)
                rows.append(run | (real_rows(scores) if model == "ceiling" else scores))
        store.put(table, model, seed, rows)
        for row in rows:
            print(json.dumps({"table": table, "model": model, "seed": seed} | row), flush=True)


def make_rows(
    model: str,
    train: pd.DataFrame,
    holdout: pd.DataFrame,
    target: str,
    seed: int | None,
    args: argparse.Namespace,
    folder: Path,
) -> list[tuple[dict[str, Any], pd.DataFrame]]:
    """Return what was measured and the synthetic table, once for each number of passes; nothing when it failed."""
    if seed is None:
        return [({}, holdout if model == "ceiling" else shuffled(train))]
    source, out = folder / "train.csv", folder / "out"
    train.to_csv(source, index=False)
    settings = {name: json.loads(value) for name, value in (item.split("=", 1) for item in args.set)}
    try:
        if model in PEERS:
            runs = [fit_peer(model, source, folder / "out.csv", target, seed, args.threads, args.cache, settings)]
            runs[0]["file"] = folder / "out.csv"
        else:
            options = ["--threads", str(args.threads), "--passes", ",".join(map(str, args.passes))]
            options += ["--set", *args.set]
            command = [sys.executable, __file__, *options, "--fit", model, str(source), str(out), target, str(seed)]
            subprocess.run(command, check=True)
            runs = json.loads(out.with_suffix(".json").read_text())
    except subprocess.CalledProcessError as error:
        return [({"failed": f"exit code {error.returncode}"}, pd.DataFrame())]
    return [(run, pd.read_csv(run.pop("file"), low_memory=False)) for run in runs]


def real_rows(scores: dict[str, Any]) -> dict[str, Any]:
    """What other real rows get. Holdout rows can stand for synthetic ones in a comparison with training rows, but not
    with themselves: there the judge's own comparison of training with holdout rows counts.
    """
    own = {"c2st_train": "c2st_real", "c2st_holdout": "c2st_real", "mle": "mle_real", "copies": "copies_real"}
    half = {"dcr_share": 0.5} if "dcr_share" in scores else {}
    return scores | {name: scores[real] for name, real in own.items() if real in scores} | half


def fit_one(name: str, train: str, out: str, target: str, seed: str, args: argparse.Namespace) -> None:
    """In a process of its own: fit one of our models, sample, and report seconds and peak memory."""
    import torch

    import synthgan

    torch.set_num_threads(args.threads)
    frame = pd.read_csv(train, low_memory=False)
    settings = {name: json.loads(value) for name, value in (item.split("=", 1) for item in args.set)}
    began, cpu = time.perf_counter(), time.process_time()
    model = getattr(synthgan, OURS[name])(random_state=int(seed), **settings).fit(frame, target=target)
    fitted, cpu_fitted = time.perf_counter() - began, time.process_time() - cpu
    runs = []
    for n_passes in [None, *args.passes]:
        began = time.perf_counter()
        options = {} if n_passes is None else {"n_passes": n_passes}
        synthetic = model.sample(len(frame), random_state=int(seed), **options)
        sampled = time.perf_counter() - began
        file = f"{out}-{n_passes}.csv"
        synthetic.to_csv(file, index=False)
        runs.append(
            {
                "passes": n_passes or "default",
                "steps": int(model.history_["step"].iloc[-1]),
                "fit_seconds": round(fitted, 1),
                "fit_cpu_seconds": round(cpu_fitted, 1),
                "sample_seconds": round(sampled, 2),
                "peak_mb": peak_mb(),
                "file": file,
            }
        )
    Path(out).with_suffix(".json").write_text(json.dumps(runs))


def peak_mb() -> int:
    """Most memory that this process has taken: what getrusage says counts the one that started it, too."""
    found = re.search(r"VmHWM:\s+(\d+)", Path("/proc/self/status").read_text())
    assert found is not None
    return round(int(found[1]) / 1024)


def score(
    train: pd.DataFrame, holdout: pd.DataFrame, synthetic: pd.DataFrame, target: str, judge: Path | None
) -> dict[str, Any]:
    """Return the judge's figures under `judge`'s names, whoever judges; none for a table without rows."""
    if not len(synthetic):
        return {}
    return (
        ours(train, holdout, synthetic, target) if judge is None else outside(judge)(train, holdout, synthetic, target)
    )


def ours(train: pd.DataFrame, holdout: pd.DataFrame, synthetic: pd.DataFrame, target: str) -> dict[str, Any]:
    from synthgan import evaluate

    found = {metric.name: metric for metric in evaluate(train, synthetic, holdout=holdout, target=target).headline}
    values = {
        "shape": found["ColumnShapes"].value,
        "trend": found["PairTrends"].value,
        "c2st_train": found["C2ST_train"].value,
        "c2st_holdout": found["C2ST_holdout"].value,
        "c2st_real": found["C2ST_holdout"].ceiling,
        "mle": found["TSTR_boosted_trees"].value,
        "mle_real": found["TSTR_boosted_trees"].ceiling,
        "dcr_share": found["DCRShare"].value,
        "copies": found["ExactCopies"].value,
        "copies_real": found["ExactCopies"].ceiling,
    }
    return {name: None if value is None else round(value, 4) for name, value in values.items()}


def script(path: Path) -> Any:
    """Return the module of a script."""
    spec = importlib.util.spec_from_file_location("outside_judge", path)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def outside(path: Path) -> Any:
    """Return the judge of a script, fed through files as its own command would read them."""
    module = script(path)

    def judge(train: pd.DataFrame, holdout: pd.DataFrame, synthetic: pd.DataFrame, target: str) -> dict[str, Any]:
        with tempfile.TemporaryDirectory() as folder:
            frames: list[pd.DataFrame] = []
            for name, frame in (("train", train), ("holdout", holdout), ("synthetic", synthetic)):
                frame.to_csv(f"{folder}/{name}.csv", index=False)
                frames.append(module.load(f"{folder}/{name}.csv", frames[0] if frames else None))
        return dict(module.judge(*frames, target))

    return judge


def machine(threads: int) -> dict[str, Any]:
    import sklearn
    import torch

    import synthgan

    cpu = next(
        (line.split(":")[1].strip() for line in Path("/proc/cpuinfo").read_text().splitlines() if "model name" in line),
        "?",
    )
    versions = {module.__name__: module.__version__ for module in (synthgan, torch, np, pd, sklearn)}
    vectors = torch.backends.cpu.get_cpu_capability()  # one name stands for processors of very different speed
    here = {"cpu": cpu, "vectors": vectors, "cores": os.cpu_count(), "threads": threads}
    return here | {"python": platform.python_version()} | versions


def print_table(rows: list[dict[str, Any]]) -> None:
    """Median over the seeds, one line a table, model and number of passes."""
    frame = pd.DataFrame(rows).drop(columns=["seed", "run"], errors="ignore")
    keys = ["table", "model", *(["passes"] if "passes" in frame else [])]
    numbers = frame.select_dtypes("number").columns.difference(keys, sort=False)
    medians = frame.groupby(keys, dropna=False, sort=False)[list(numbers)].agg(
        lambda column: round(statistics.median(column), 4)
    )
    print(medians.reset_index().to_string(index=False))


if __name__ == "__main__":
    main()
