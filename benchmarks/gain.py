#!/usr/bin/env python3
"""Where do generated rows help a classifier? Six settings by the protocol of `augmentation_gain`.

    python benchmarks/gain.py --data path/to/folder --work path/to/scratch [--settings adult-200 ...] [--jobs 1]

Tables are ``<data>/<name>.csv.gz``; without ``--data`` the bundled ones. Finished folds are kept in ``--work``, so that
a run that was cut short goes on where it ended. After each setting benchmarks/results/gain.json is written anew, and
with it the table in docs/augmentation.md and the README.
"""

from __future__ import annotations

import argparse
import json
import warnings
from pathlib import Path
from typing import Any

import pandas as pd
from quality import machine

from synthgan import load_dataset
from synthgan.augmentation import augmentation_gain
from synthgan.augmentation.learners import LEARNERS
from synthgan.evaluation.gain import GainReport
from synthgan.evaluation.gaintexts import show_difference

HERE = Path(__file__).parent
BEGIN = "<!-- gain: begin (made by benchmarks/gain.py from benchmarks/results) -->"
END = "<!-- gain: end -->"

# name -> table, target, rows learned from (None: half of the table), columns left out because they give the target away
SETTINGS: dict[str, tuple[str, str, int | None, list[str]]] = {
    "adult-200": ("adult", "income", 200, []),
    "german_credit": ("german_credit", "credit_risk", None, []),
    "hypothyroid-500": ("hypothyroid", "class", 500, []),
    "online_shoppers-500": ("online_shoppers", "revenue", 500, []),
    "adult-500": ("adult", "income", 500, []),
    "storms-500": ("storms", "status", 500, ["category"]),
}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--settings", nargs="+", choices=SETTINGS, default=list(SETTINGS))
    parser.add_argument("--learners", nargs="+", choices=LEARNERS, default=list(LEARNERS))
    parser.add_argument("--data", type=Path, help="folder of <table>.csv.gz; without it the bundled tables")
    parser.add_argument("--work", type=Path, default=Path("gain-folds"), help="folder for finished folds")
    parser.add_argument("--repeats", type=int, default=5)
    parser.add_argument("--jobs", type=int, default=1)
    parser.add_argument("--seconds", type=float, help="for each setting; 0 only reads what is finished")
    parser.add_argument("--out", type=Path, default=HERE / "results" / "gain.json")
    parser.add_argument("--tables-only", action="store_true", help="write the tables from the results that are there")
    args = parser.parse_args()
    if args.tables_only:
        write_tables(json.loads(args.out.read_text()))
        return
    document: dict[str, Any] = json.loads(args.out.read_text()) if args.out.exists() else {"settings": {}}
    document["machine"] = machine(1)
    for name in args.settings:
        report = run(name, args)
        document["settings"][name] = rounded(report.to_dict())
        args.out.write_text(json.dumps(document, indent=1) + "\n")
        write_tables(document)
        print(f"--- {name}\n{report.summary()}\n\n{averages(report)}\n", flush=True)


def run(name: str, args: argparse.Namespace) -> GainReport:
    table, target, n_rows, dropped = SETTINGS[name]
    frame = load(table, args.data).drop(columns=dropped)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", UserWarning)
        return augmentation_gain(
            frame,
            target,
            learners=args.learners,
            n_grid=[n_rows],
            repeats=args.repeats,
            folder=args.work / name,
            n_jobs=args.jobs,
            max_seconds=args.seconds,
            callback=lambda at: print(
                f"{name}: {at.done} of {at.total}, {at.seconds_left or 0:.0f} s left", flush=True
            ),
        )


def load(table: str, folder: Path | None) -> pd.DataFrame:
    return load_dataset(table) if folder is None else pd.read_csv(folder / f"{table}.csv.gz", low_memory=False)


def write_tables(document: dict[str, Any]) -> None:
    """Put the table between the marks in the documents that have them."""
    for path in (HERE.parent / "docs" / "augmentation.md", HERE.parent / "README.md"):
        text = path.read_text()
        if BEGIN in text:
            before, rest = text.split(BEGIN)
            path.write_text(before + BEGIN + "\n" + as_markdown(document) + END + rest.split(END)[1])


def as_markdown(document: dict[str, Any]) -> str:
    """Differences of generated rows from the best cheap arm, one line a setting and learner."""
    lines = [
        "| setting | folds | learner | average precision | log-loss | of which generator, log-loss | verdict |",
        "|" + "---|" * 7,
    ]
    for name, data in document["settings"].items():
        report = GainReport.from_dict(data)
        for learner in report.run["learners"]:
            precision, loss = report.finding(learner), report.finding(learner, "log_loss")
            cells = [show_difference(precision), show_difference(loss), show_difference(loss, "control_")]
            verdicts = f"{precision.verdict}; {loss.verdict}"
            lines.append(f"| {name} | {report.run['folds_done']} | {learner} | {' | '.join(cells)} | {verdicts} |")
    return "\n".join(lines) + "\n"


def rounded(value: Any) -> Any:
    """Five decimals: more is noise, and the file is read by people."""
    if isinstance(value, dict):
        return {key: rounded(item) for key, item in value.items()}
    if isinstance(value, list):
        return [rounded(item) for item in value]
    return round(value, 5) if isinstance(value, float) else value


def averages(report: GainReport) -> str:
    """Mean scores of every arm, as a table."""
    frame = pd.DataFrame([row for row in report.scores if row["metric"] in ("average_precision", "log_loss")])
    return frame.pivot_table(index="arm", columns=["metric", "learner"], values="mean").round(4).to_string()


if __name__ == "__main__":
    main()
