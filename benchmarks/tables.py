#!/usr/bin/env python3
"""Write the results table of the README from benchmarks/results/quality.json: medians over the seeds.

python benchmarks/tables.py
"""

from __future__ import annotations

import json
import statistics
from pathlib import Path
from typing import Any

HERE = Path(__file__).parent
README = HERE.parent / "README.md"
BEGIN = "<!-- results: begin (made by benchmarks/tables.py from benchmarks/results) -->"
END = "<!-- results: end -->"
COLUMNS = {
    "shape": "column shapes",
    "trend": "pair trends",
    "c2st_holdout": "two-sample test, holdout",
    "c2st_train": "two-sample test, train",
    "mle": "utility",
    "dcr_share": "DCR share",
    "fit_seconds": "fit, s",
    "peak_mb": "peak MB",
}


def main() -> None:
    document = json.loads((HERE / "results" / "quality.json").read_text())
    text = README.read_text()
    before, rest = text.split(BEGIN)
    _, after = rest.split(END)
    README.write_text(before + BEGIN + "\n" + render(document) + END + after)


def render(document: dict[str, Any]) -> str:
    rows = document["rows"]
    seeds = sorted({row["seed"] for row in rows if "seed" in row})
    machine = document["machine"]
    how = f"{machine['threads']} threads ({machine['cpu']}, torch {machine['torch']})"
    lines = [
        f"Median of {len(seeds)} seeds, default settings, {how}.",
        "Each table is split once: 2/3 to learn from, 1/3 never seen. *Floor* is every column shuffled on its own,",
        "*ceiling* the real rows that were never seen. The two-sample test is XGBoost telling real from synthetic, as",
        "2(1 - AUC), at most 1; utility is the AUC (R2 for `beijing_pm25`) of a model fitted on synthetic rows and",
        "scored on unseen real ones; a DCR share of 0.5 is no memorising.",
        "",
        "| table | model | " + " | ".join(COLUMNS.values()) + " |",
        "|---|---|" + "---|" * len(COLUMNS),
    ]
    for table in dict.fromkeys(row["table"] for row in rows):
        groups: dict[str, list[dict[str, Any]]] = {}
        for row in rows:
            if row["table"] == table:
                groups.setdefault(_label(row), []).append(row)
        for label, runs in groups.items():
            lines.append(f"| {table} | {label} | " + " | ".join(_cell(runs, key) for key in COLUMNS) + " |")
    return "\n".join(lines) + "\n"


def _label(row: dict[str, Any]) -> str:
    return row["model"] if row.get("passes", "all") == "all" else f"{row['model']}, {row['passes']} passes"


def _cell(runs: list[dict[str, Any]], key: str) -> str:
    values = [run[key] for run in runs if run.get(key) is not None]
    if not values:
        return ""
    return (
        f"{statistics.median(values):.0f}" if key in ("fit_seconds", "peak_mb") else f"{statistics.median(values):.3f}"
    )


if __name__ == "__main__":
    main()
