"""``synthgan demo``: the whole way on a real table, from rows to a report."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from synthgan_cli.console import Notes, new_table, print_table, waiting
from synthgan_cli.evaluate import one_thread, print_themes
from synthgan_cli.options import Device, Quiet, Seed

if TYPE_CHECKING:
    import pandas as pd

    from synthgan.evaluation import EvaluationReport
    from synthgan.schema import Schema

__all__ = ["demo"]


def demo(
    dataset: Annotated[str, typer.Argument(help="adult, penguins or storms.")] = "adult",
    out: Annotated[Path, typer.Option("--out", "-o", help="The folder to write to.")] = Path("demo"),
    max_seconds: Annotated[float, typer.Option("--max-seconds", min=1, help="Seconds of training at most.")] = 120,
    device: Device = "auto",
    seed: Seed = 0,
    quiet: Quiet = False,
) -> None:
    """Fit a bundled dataset, sample as many rows, and judge them against a third of the rows kept aside.

    Writes model.synthgan, synthetic.csv and report.html.
    """
    from synthgan import SynthGAN, evaluation, load_dataset
    from synthgan.datasets import dataset_target
    from synthgan.io import check_writable, write_table
    from synthgan.report import write_html
    from synthgan.rng import numpy_stream
    from synthgan.schema import infer_schema
    from synthgan_cli.fit import fit_with_progress

    notes = Notes(quiet)
    target = dataset_target(dataset)
    frame = load_dataset(dataset)
    out.mkdir(parents=True, exist_ok=True)
    check_writable(out / "model.synthgan")
    order = numpy_stream(seed, "demo/split").permutation(len(frame))
    cut = round(len(frame) * 2 / 3)
    train, holdout = (frame.iloc[part].reset_index(drop=True) for part in (order[:cut], order[cut:]))
    notes.say(f"{dataset}: {len(train):,} rows to learn from, {len(holdout):,} kept aside")

    schema = infer_schema(train)
    model = SynthGAN(max_seconds=max_seconds, device=device, random_state=seed, verbose=0)
    fit_with_progress(model, train, schema, target, notes)
    model.save(out / "model.synthgan")
    with waiting(notes, "sampling"):
        synthetic = model.sample(len(train), random_state=seed)
    write_table(synthetic, out / "synthetic.csv")
    with waiting(notes, "judging"), one_thread():
        report = evaluation.evaluate(train, synthetic, holdout=holdout, target=target, schema=schema, random_state=seed)
        reference = _sdmetrics_scores(train, synthetic, schema)
    write_html(report, out / "report.html", history=model.history_, title=f"synthgan on {dataset}")
    _print_scores(report, reference)
    notes.say(f"wrote {out}/model.synthgan, synthetic.csv and report.html")


def _print_scores(report: EvaluationReport, reference: dict[str, float]) -> None:
    numbers = ("synthetic", "ceiling", "floor", "sdmetrics")
    table = new_table("score", *numbers, numbers=numbers)
    for metric in report.headline:
        values = (metric.ceiling, metric.floor, reference.get(metric.name))
        table.add_row(
            metric.name, "failed" if metric.failed else _number(metric.value), *(_number(value) for value in values)
        )
    table.caption = (
        "ceiling: what other real rows get; floor: real columns, each shuffled on its own (for privacy, a copy of the "
        "real rows); sdmetrics: the same score by the reference implementation, every pair counted"
    )
    print_table(table)
    print_themes(report)


def _number(value: float | None) -> str:
    return "" if value is None else f"{value:.4f}"


def _sdmetrics_scores(train: pd.DataFrame, synthetic: pd.DataFrame, schema: Schema) -> dict[str, float]:
    """Return what the reference implementation says, by the names of ours; all pairs count, no rows are left out."""
    from sdmetrics.reports import QualityReport

    kinds = {"numeric": "numerical", "boolean": "boolean", "datetime": "datetime"}
    columns = {
        column.name: {"sdtype": kinds.get(column.kind, "categorical")}
        for column in schema
        if column.kind in ("numeric", "boolean", "datetime", "categorical")
    }
    report = QualityReport()
    report.real_correlation_threshold = report.real_association_threshold = 0
    report.num_rows_subsample = None
    tables = [{"t": frame[list(columns)]} for frame in (train, synthetic)]
    report.generate(*tables, {"tables": {"t": {"columns": columns}}, "relationships": []}, verbose=False)
    scores = report.get_properties().set_index("Property")["Score"]
    return {"ColumnShapes": float(scores["Column Shapes"]), "PairTrends": float(scores["Column Pair Trends"])}
