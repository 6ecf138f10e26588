"""What an evaluation hands over: JSON in and out, text, Markdown, comparisons, and nothing about single rows."""

from __future__ import annotations

import dataclasses
import json

import numpy as np
import pandas as pd
import pytest

from synthgan.errors import InputError
from synthgan.evaluation import Comparison, EvaluationReport, Metric, evaluate
from synthgan.evaluation.definitions import DEFINITIONS
from synthgan.evaluation.gain import GainReport
from synthgan.evaluation.result import THEMES


@pytest.fixture(scope="module")
def report(real, holdout, fresh) -> EvaluationReport:
    return evaluate(real, fresh, holdout=holdout, target="churn", profile="quick")


@pytest.fixture(scope="module")
def comparison(real, fresh, shuffle) -> Comparison:
    return evaluate(real, {"fresh": fresh, "shuffled | odd": shuffle(real)}, profile="quick")


def test_json_brings_the_report_back(report):
    again = EvaluationReport.from_json(report.to_json())
    assert again == report
    data = json.loads(report.to_json())
    assert set(data["themes"]) == set(THEMES)
    assert all(0 <= theme["score"] <= 1 and theme["verdict"] for theme in data["themes"].values())
    keys = {"name", "columns", "value", "ceiling", "floor", "low", "high", "note"}
    assert all(set(metric) == keys for metric in data["metrics"])


@pytest.mark.parametrize("text", ["", "[]", "{}", '{"format": 99}', '{"format": 1, "themes": 3, "candidates": 3}'])
@pytest.mark.parametrize("kind", [EvaluationReport, Comparison, GainReport])
def test_other_json_is_refused(kind, text):
    with pytest.raises(InputError, match=r"this is no |is an object"):
        kind.from_json(text)


def test_a_report_is_frozen_and_found_by_name(report):
    with pytest.raises(dataclasses.FrozenInstanceError):
        report.metrics = ()
    assert report.metric("PairTrends").columns == ()
    with pytest.raises(InputError, match="PairTrends"):
        report.metric("Accuracy")


def test_every_metric_is_defined_and_has_its_companions(report):
    for metric in report.metrics:
        assert metric.name in DEFINITIONS
        if not metric.failed:
            assert None not in (metric.ceiling, metric.floor, metric.low, metric.high), metric
            assert metric.low <= metric.value <= metric.high, metric


def test_summary_and_markdown_name_themes_and_metrics(report):
    summary, markdown = report.summary(), report.to_markdown()
    for text in (*THEMES, "C2ST_holdout", "DCRShare", "no proof of privacy"):
        assert text in summary
        assert text in markdown
    assert "| fidelity |" in markdown
    assert all(line.count("|") >= 4 for line in markdown.splitlines() if line.startswith("|"))


def test_candidates_stand_side_by_side(comparison):
    assert list(comparison.reports) == ["fresh", "shuffled | odd"]
    scores = [report.themes["fidelity"].score for report in comparison.reports.values()]
    assert scores[0] > 0.6 > scores[1]
    assert Comparison.from_json(comparison.to_json()) == comparison
    assert "fresh" in comparison.summary().splitlines()[0]
    assert "shuffled \\| odd" in comparison.to_markdown()
    assert "<table>" in comparison._repr_html_()


def test_no_candidates_are_refused(real):
    with pytest.raises(InputError, match="no synthetic table"):
        evaluate(real, {})


def test_scaling_needs_room_between_floor_and_ceiling():
    assert Metric("TSTR", value=0.7, ceiling=0.9, floor=0.5).scaled() == pytest.approx(0.5)
    assert Metric("TSTR", value=0.95, ceiling=0.9, floor=0.5).scaled() == 1.0
    assert Metric("TSTR", value=0.51, ceiling=0.51, floor=0.5).scaled() is None
    assert Metric("TSTR", value=0.7, ceiling=0.6, floor=0.5, low=0.6, high=0.8).scaled() is None
    assert Metric("ExactCopies", value=0.25, ceiling=0.0, floor=1.0).scaled() == 0.75
    assert Metric("TSTR", note="failed").scaled() is None


def test_charts_hold_no_row_and_no_small_count():
    rng = np.random.default_rng(0)
    n = 400
    real = pd.DataFrame(
        {
            "salary": np.append(rng.normal(5e4, 1e4, n - 2), [987654.321, 3.21]),
            "town": ["Ulm"] * (n - 40) + ["Bonn"] * 37 + ["Hermit"] * 3,
            "mail": [f"person{i}@example.org" for i in range(n)],
        }
    )
    details = evaluate(real, real.sample(frac=1, random_state=0), profile="quick").to_json()
    charts = json.dumps(json.loads(details)["details"])
    for secret in ("987654", "987700", "3.21", "Hermit", "person"):
        assert secret not in charts
    bars = next(chart for chart in json.loads(details)["details"]["columns"] if chart["column"] == "town")
    assert bars["labels"] == ["Ulm", "Bonn", "other levels"]
    assert bars["real"] == [0.9, 0.0925, None]


def test_the_run_card_says_what_was_looked_at(report):
    assert report.run["rows"] == {"real": 500, "synthetic": 500, "holdout": 500}
    assert report.run["rows_at_most"]["detectors"] == 2000
    assert set(report.run["data_hash"]) == {"real", "synthetic", "holdout"}
    assert report.run["versions"]["numpy"] == np.__version__
