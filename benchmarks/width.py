#!/usr/bin/env python3
"""How wide the network of a large table should be: fits and rows by width, with AVX-512 and as if there were only AVX2.

    python benchmarks/width.py --tables adult --judge path/to/judge.py --data path/to/folder

Every fit is a process of its own with default settings but for the width, on two thirds of the table; rows are scored
as in quality.py, in as many passes as by default and in one. A fit *as if with AVX2* has the libraries keep to such
instructions and multiplies float32, as processors without AVX-512 do; it is made for its seconds alone. To be run on a
machine that does nothing else. A width, table and seed that are there already are not measured again. The table in
docs/benchmarks.md is made by tables.py.
"""

from __future__ import annotations

import argparse
import functools
import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from data import TARGETS, load, split
from one_model import measure_all, options
from quality import score

NARROW = {"ATEN_CPU_CAPABILITY": "avx2", "ONEDNN_MAX_CPU_ISA": "AVX2", "MKL_ENABLE_INSTRUCTIONS": "AVX2"}


def main() -> None:
    parser = options(__doc__, "width")
    parser.add_argument("--widths", type=int, nargs="+", default=[192, 256, 320])
    parser.add_argument("--fit", nargs=4, metavar=("TABLE", "SEED", "WIDTH", "MODEL"), help=argparse.SUPPRESS)
    args = parser.parse_args()
    if args.fit:
        fit_one(*args.fit, args)
        return
    for width in args.widths:
        measure_all(f"width {width}", args, functools.partial(measure, width))


def table_of(name: str, data: Path | None) -> tuple[Any, Any, str]:
    """Return training rows, holdout rows, and the target."""
    return *split(load(name, data), TARGETS[name]), TARGETS[name]


def fit_one(table: str, seed: str, width: str, model: str, args: argparse.Namespace) -> None:
    """Fit one model in this process, save it, and print the seconds."""
    import torch

    import synthgan.synthesizers.synthgan as ours

    torch.set_num_threads(args.threads)
    if "ATEN_CPU_CAPABILITY" in os.environ:
        ours.compute_dtype = lambda _: torch.float32  # the processor is asked for it, not the environment
    train, _, target = table_of(table, args.data)
    began = time.monotonic()
    ours.SynthGAN(random_state=int(seed), hidden_dim=int(width)).fit(train, target=target).save(model)
    print(json.dumps(round(time.monotonic() - began, 1)))


def measure(width: int, table: str, seed: int, args: argparse.Namespace) -> Iterator[dict[str, Any]]:
    """Yield what is measured with one width, a row for each number of passes."""
    import synthgan

    train, holdout, target = table_of(table, args.data)
    row: dict[str, Any] = {"rows": len(train), "width": width}
    with tempfile.TemporaryDirectory() as folder:
        model = Path(folder) / "model.synthgan"
        for name, environment in (("fit_seconds_avx2", NARROW), ("fit_seconds", {})):
            command = [sys.executable, __file__, "--fit", table, str(seed), str(width), str(model)]
            command += ["--threads", str(args.threads)] + (["--data", str(args.data)] if args.data else [])
            found = subprocess.run(command, env=os.environ | environment, check=True, stdout=subprocess.PIPE)
            row[name] = json.loads(found.stdout.splitlines()[-1])
        fitted = synthgan.load(model)
    for passes in (None, 1):
        rows = fitted.sample(len(train), n_passes=passes, random_state=seed)
        scores = score(train, holdout, rows, target, args.judge)
        print(json.dumps({"table": table, "seed": seed, "passes": passes} | row | scores), flush=True)
        yield row | {"passes": passes or "default"} | scores


if __name__ == "__main__":
    main()
