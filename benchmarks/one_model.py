"""What scripts share that fit one model for each table and seed, and measure something of it."""

from __future__ import annotations

import argparse
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

from quality import machine
from store import Store

__all__ = ["measure_all", "options"]

Row = dict[str, Any]


def options(description: str | None, name: str) -> argparse.ArgumentParser:
    """Return a parser of which tables and seeds to measure, and where results/<name>.json and the tables are."""
    parser = argparse.ArgumentParser(description=description, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--tables", type=lambda text: text.split(","), default=["penguins"])
    parser.add_argument("--seeds", type=lambda text: [int(word) for word in text.split(",")], default=[0])
    parser.add_argument("--data", type=Path, help="folder of <table>.csv.gz; without it the tables of packages")
    parser.add_argument("--judge", type=Path, help="an outside judge's script")
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--out", type=Path, default=Path(__file__).parent / "results" / f"{name}.json")
    return parser


def measure_all(
    name: str, args: argparse.Namespace, measure: Callable[[str, int, argparse.Namespace], Iterable[Row]]
) -> None:
    """Measure the tables and seeds that the results lack."""
    store = Store(args.out, args.judge.name if args.judge else "synthgan.evaluate", machine(args.threads))
    for table in args.tables:
        for seed in args.seeds:
            if not store.has(table, name, seed):
                store.put(table, name, seed, list(measure(table, seed, args)))
