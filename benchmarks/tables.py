#!/usr/bin/env python3
"""Write the result tables of the README and of docs/benchmarks.md from benchmarks/results.

    python benchmarks/tables.py [--results FILE] [--check]

The README gets our rows beside the ceiling, docs/benchmarks.md every model, with medians over the seeds in both.
Whatever stands between the markers is replaced. ``--check`` changes nothing and fails when a page is not what the
results say.
"""

from __future__ import annotations

import argparse
import functools
import json
import statistics
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from cases import CASES, heading

HERE = Path(__file__).parent
ROOT = HERE.parent
BEGIN = "<!-- {name}: begin (made by benchmarks/tables.py from benchmarks/results) -->"
END = "<!-- {name}: end -->"
COLUMNS = {
    "shape": "column shapes",
    "trend": "pair trends",
    "c2st_holdout": "two-sample test, holdout",
    "c2st_train": "two-sample test, train",
    "mle": "utility",
    "dcr_share": "DCR share",
    "copies": "copies",
    "fit_seconds": "fit, s",
    "peak_mb": "peak MB",
}
WHOLE = ("fit_seconds", "peak_mb")
ORDER = ("floor", "ceiling", "synthgan", "our-ctgan", "our-tvae", "vanilla-gan")  # the peers come after
HOW = """*Floor* is every column shuffled on its own, *ceiling* the real rows that were never seen. Each table is
split once: 2/3 to learn from, 1/3 never seen. The two-sample test is boosted trees telling real from synthetic, as
2(1 - AUC), at most 1; utility is the AUC (R2 for a number) of a model fitted on synthetic rows and scored on unseen
real ones; a DCR share of 0.5 is no memorising."""

Row = dict[str, Any]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--results", type=Path, default=HERE / "results" / "quality.json")
    parser.add_argument("--check", action="store_true", help="change nothing; fail where a page is out of date")
    args = parser.parse_args()
    document = json.loads(args.results.read_text())
    parts: dict[str, Callable[[], str]] = {
        "results": lambda: full(document, {"ceiling", "synthgan"}),
        "results in full": lambda: full(document),
        "peers": lambda: peers(document),
        "speed": lambda: speeds(json.loads((HERE / "results" / "speed.json").read_text())),
        "gpu": lambda: gpu(json.loads((HERE / "results" / "gpu.json").read_text())),
        "agreement": lambda: agreement(json.loads((HERE / "results" / "judge_agreement.json").read_text())),
    }
    for name, (cases, figures) in CASES.items():
        parts[name] = functools.partial(means, name, cases, figures)
    stale = [
        page.name
        for page in (ROOT / "README.md", ROOT / "docs" / "benchmarks.md")
        if page.exists() and not refreshed(page, parts, write=not args.check)
    ]
    if args.check and stale:
        raise SystemExit(f"out of date: {', '.join(stale)}; run python benchmarks/tables.py")


def refreshed(page: Path, parts: dict[str, Callable[[], str]], *, write: bool) -> bool:
    """Put each part between its markers; return whether the page was right already."""
    text = page.read_text()
    new = text
    for name, make in parts.items():
        begin, end = BEGIN.format(name=name), END.format(name=name)
        if begin in new:
            before, rest = new.split(begin)
            new = before + begin + "\n" + make() + end + rest.split(end)[1]
    if write and new != text:
        page.write_text(new)
    return new == text


def full(document: dict[str, Any], models: set[str] | None = None) -> str:
    """Return one line a table, model and number of passes; of some models, their default alone."""
    rows = document["rows"]
    if models is not None:
        rows = [row for row in rows if row["model"] in models and row.get("passes", "default") == "default"]
    lines = []
    for table in dict.fromkeys(row["table"] for row in rows):
        for label, runs in by_model(row for row in rows if row["table"] == table).items():
            cells = (
                ["failed"]
                if all("failed" in run for run in runs)
                else [cell(median(runs, key), key) for key in COLUMNS]
            )
            seeds = {run["seed"] for run in runs if run.get("seed") is not None}
            lines.append([table, label, str(len(seeds) or ""), *cells])
    return head(document) + markdown(["table", "model", "seeds", *COLUMNS.values()], lines) + speed(document)


def peers(document: dict[str, Any]) -> str:
    """Return the two-sample test on unseen rows, and the utility, of each table and model side by side."""
    rows = [row for row in document["rows"] if row.get("passes", "default") == "default"]
    found = dict.fromkeys(row["model"] for row in rows)
    names = ["synthgan", *(model for model in found if model not in ORDER), "ceiling"]
    lines = []
    for table in dict.fromkeys(row["table"] for row in rows):
        runs = {name: [row for row in rows if (row["table"], row["model"]) == (table, name)] for name in names}
        lines.append([table, *(pair(runs[name]) for name in names)])
    how = (
        "*Two-sample test on rows never seen / utility*, as above, each model with its own defaults (CTGAN, TVAE: 300 "
        "epochs); seeds as in docs/benchmarks.md. Blank: not measured.\n\n"
    )
    return how + markdown(["table", *names], lines)


def pair(runs: Sequence[Row]) -> str:
    if runs and all("failed" in run for run in runs):
        return "failed"
    return " / ".join(cell(median(runs, key), key) for key in ("c2st_holdout", "mle")) if runs else ""


def head(document: dict[str, Any]) -> str:
    machine = document["machine"]
    threads = f"{machine['threads']} thread{'s'[: machine['threads'] > 1]}"
    processors = " and ".join(sorted({run["cpu"] for run in (machine, *document["runs"].values())}))
    how = f"{threads} ({processors}, torch {machine['torch']})"
    return f"Median over the seeds, default settings, {how}, on a busy machine.\n{HOW}\n\n"


def speed(document: dict[str, Any]) -> str:
    """Return how many times faster SynthGAN fits than CTGAN, for each table where one run measured both."""
    found = []
    for table in dict.fromkeys(row["table"] for row in document["rows"]):
        mine, other = (
            {row["run"]: row["fit_seconds"] for row in document["rows"]
             if row["table"] == table and row["model"] == model and "run" in row and "fit_seconds" in row}
            for model in ("synthgan", "ctgan")
        )  # fmt: skip
        if both := sorted(set(mine) & set(other)):
            found.append(f"{other[both[-1]] / mine[both[-1]]:.1f} times on {table}")
    return f"\nFaster to fit than CTGAN (300 epochs, same run): {', '.join(found)}.\n" if found else ""


def speeds(document: dict[str, Any]) -> str:
    """Return what speed.py found: fits, steps, sampling."""
    lines = []
    for row in document["rows"]:
        what, found = row["what"], ""
        if what == "fit":
            what = f"fit of {row['rows']:,} rows"
            found = f"{row['fit_seconds']:.0f} s, {row['peak_mb']:,} MB at the peak"
        elif what == "sampling":
            rows = f", {row['rows']:,} rows" if "rows" in row else ""
            what, found = f"sampling{rows}, {row['how']}", f"{row['rows_per_second']:,} rows a second"
        else:
            what, found = f"{what}, {row['dtype']}", f"{row['milliseconds']:.0f} ms"
            if row["share_of_peak"] is not None:
                peak = f"{row['matrix_peak_gflops']:,} Gflop/s"
                found += f", {row['share_of_peak']:.0%} of what matrix products alone reach ({peak})"
        lines.append([row["table"], str(row["threads"]), what, found])
    return markdown(["table", "threads", "what", "measured"], lines)


def gpu(document: dict[str, Any]) -> str:
    """Return what gpu.py found: the machine, and a table of steps, fits and sampling."""
    it, lines = document["machine"], []
    for row in document["rows"]:
        what, found = row["what"], ""
        if what == "fit":
            what = f"fit of {row['rows']:,} rows, {'GPU' if row['device'] == 'cuda' else 'processor alone'}"
            found = f"{row['fit_seconds']:.0f} s, {row['training_seconds']:.0f} s of them training"
        elif what == "sampling":
            what = f"sampling, {row['rows']:,} rows, {row['how']}"
            found = f"{row['rows_per_second']:,} rows a second"
        else:
            what, found = f"{what}, {row['how']}", f"{row['milliseconds']:.1f} ms"
        lines.append([row["table"], what, found])
    head = f"{it['device']}, {it['cores']} cores, torch {it['torch']}.\n\n"
    return head + markdown(["table", "what", "measured"], lines)


def means(name: str, cases: Sequence[str], figures: Sequence[str]) -> str:
    """Return a mean over seeds and samples for each case, from what a script left in results."""
    found: dict[tuple[str, ...], list[Row]] = {}
    for row in json.loads((HERE / "results" / f"{name}.json").read_text())["rows"]:
        case = tuple(f"{row[key]:,}" if isinstance(row[key], int) else str(row[key]) for key in cases)
        found.setdefault(case, []).append(row)
    lines = [
        [*case, *(f"{statistics.mean(row[key] for row in rows):.3f}" if key in rows[0] else "" for key in figures)]
        for case, rows in found.items()
    ]
    return markdown([heading(key) for key in (*cases, *figures)], lines)


def agreement(document: dict[str, Any]) -> str:
    """Return what judge_agreement.py found: a table of AUCs, and a list of sentences."""
    columns = ["table", "rows a side", "candidates", "largest difference", "mean difference", "XGBoost's sd over seeds"]
    rows = [
        [table, f"{it['rows of each side']:,}", str(len(it["candidates"]))]
        + [f"{it[key]:.3f}" for key in ("largest difference of AUC", "mean difference of AUC", "largest sd over seeds")]
        for table, it in document.get("c2st", {}).items()
    ]
    lines = []
    for table, it in document.get("ranking", {}).items():
        fidelity, share = (
            "the same" if it[f"{what}, order of ours"] == it[f"{what}, order of mostlyai-qa"] else "another"
            for what in ("fidelity", "dcr_share")
        )
        names = ", ".join(it["candidates"])
        lines.append(
            f"- {it['package']} on {table} ({names}): {fidelity} order by fidelity, {share} by DCR share; of "
            f"{it['pairs whose DCR shares we tell apart']} pairs whose DCR shares our intervals tell apart, "
            f"{it['of these ordered alike by mostlyai-qa']} are in the same order."
        )
    for table, it in document.get("calibration", {}).items():
        lines.append(
            f"- Real against real on {table}, {it['resamples']} times {it['rows of each sample']} rows: "
            f"{it['of these hold their ceiling']:.1%} of {it['intervals']} intervals hold their ceiling, "
            f"{it['false alarms']} false alarms, {it['planted copies found']} of {it['resamples']} planted leaks found."
        )
    for table, it in document.get("timings", {}).items():
        full_run, quick = it["full"]["cpu_seconds"], it["quick"]["cpu_seconds"]
        lines.append(
            f"- `evaluate` on {table} ({it['rows']['real']:,} real, {it['rows']['synthetic']:,} synthetic and "
            f"{it['rows']['holdout']:,} holdout rows): {full_run:.1f} s of one processor, quick profile {quick:.1f} s."
        )
    return markdown(columns, rows) + "\n" + "\n".join(lines) + "\n"


def by_model(rows: Any) -> dict[str, list[Row]]:
    """Group rows by model and number of passes: references, ours, peers."""
    groups: dict[str, list[Row]] = {}
    for row in rows:
        passes = row.get("passes", "default")
        many = f"{passes} pass{'es'[: 2 * (passes != 1)]}"
        groups.setdefault(row["model"] if passes == "default" else f"{row['model']}, {many}", []).append(row)

    def place(label: str) -> int:
        model = label.split(",")[0]
        return ORDER.index(model) if model in ORDER else len(ORDER)

    return {label: groups[label] for label in sorted(groups, key=place)}


def median(runs: Sequence[Row], key: str) -> float | None:
    values = [run[key] for run in runs if run.get(key) is not None]
    return statistics.median(values) if values else None


def cell(value: float | None, key: str) -> str:
    return "" if value is None else f"{value:.0f}" if key in WHOLE else f"{value:.3f}"


def markdown(names: Sequence[str], lines: Sequence[Sequence[str]]) -> str:
    rows = [[*line, *[""] * (len(names) - len(line))] for line in lines]
    return "\n".join(f"| {' | '.join(row)} |" for row in [list(names), ["---"] * len(names), *rows]) + "\n"


if __name__ == "__main__":
    main()
