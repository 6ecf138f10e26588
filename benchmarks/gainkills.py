"""SIGKILL while `synthgan gain` runs, the same command again until it ends, and the report of a run left in peace."""

from __future__ import annotations

import argparse
import json
import random
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any


def gain_kills(args: argparse.Namespace) -> dict[str, Any]:
    """Measure a table's gain twice: in one go, and killed `args.kills` times at random moments."""
    if len(args.tables) != 1 or args.target is None:
        raise SystemExit("gain needs one table, and the name of its column of classes: --target")
    rng = random.Random(args.seed)
    command = [sys.executable, "-m", "synthgan_cli", "gain", str(args.tables[0]), "--target", args.target, "--json"]
    command += ["--repeats", str(args.repeats), "--quiet"]
    with tempfile.TemporaryDirectory() as name:
        began = time.monotonic()
        straight = _run([*command, "--folder", f"{name}/straight"], None)
        whole = time.monotonic() - began
        moments, folds = [], []
        while len(moments) < args.kills:
            moments.append(rng.uniform(0.2, 1) * whole / (args.kills + 1))  # in all too short for all folds
            killed = _run([*command, "--folder", f"{name}/killed"], moments[-1])
            folds.append(len(list(Path(name, "killed").glob("n-*.json"))))
            print(f"killed after {moments[-1]:.0f} s, {folds[-1]} folds are done", flush=True)
            if killed is not None:
                raise SystemExit("the run was over before it was killed: take fewer kills, or more repeats")
        resumed = _run([*command, "--folder", f"{name}/killed"], None)
    return {
        "table": args.tables[0].name.split(".")[0],
        "repeats": args.repeats,
        "seconds in one go": round(whole),
        "killed after seconds": [round(moment) for moment in moments],
        "folds on disk at each kill": folds,
        "same report": _plain(straight) == _plain(resumed),
        "verdict": json.loads(straight or "{}")["verdict"],
    }


def _run(command: list[str], kill_after: float | None) -> str | None:
    """Return what a command prints, or None where it was killed."""
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        try:
            text, _ = process.communicate(timeout=kill_after)
        except subprocess.TimeoutExpired:
            process.kill()
            return None
        if process.returncode:
            raise SystemExit(f"exit code {process.returncode}")
        return text


def _plain(text: str | None) -> Any:
    """The report without its clock."""

    def without(value: Any) -> Any:
        if isinstance(value, dict):
            return {key: without(item) for key, item in value.items() if "seconds" not in key}
        return [without(item) for item in value] if isinstance(value, list) else value

    return without(json.loads(text or "null"))
