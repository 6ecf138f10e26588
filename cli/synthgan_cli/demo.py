"""``synthgan demo``: the whole way on a real table, from rows to a report."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from synthgan_cli.console import Notes, waiting
from synthgan_cli.options import Device, Quiet, Seed
from synthgan_cli.scores import print_report

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
    with waiting(notes, "judging"):
        report = evaluation.evaluate(train, synthetic, holdout=holdout, target=target, schema=schema, random_state=seed)
        reference = evaluation.sdmetrics_scores(train, synthetic, schema=schema)
    page = out / "report.html"
    write_html(report, page, history=model.history_, reference=reference, title=f"synthgan on {dataset}")
    print_report(report, reference)
    notes.say(f"wrote {out}/model.synthgan, synthetic.csv and report.html")
