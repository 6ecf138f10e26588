"""The page about gains: escaped, self-contained, every drawing described, every number in a table too."""

from __future__ import annotations

import json
import re
from typing import Any

from synthgan.evaluation.gain import CANDIDATE, CONTROL, METRICS, GainReport, conclude
from synthgan.report import render_gain_html

HOSTILE = "<script>alert('x')</script>"


def made_report(gain: float = 0.1) -> GainReport:
    """Six folds at each of two sizes, in which generated rows are better by `gain` than anything else."""
    arms = ("none", "duplicate", CONTROL)

    def scores(fold: int) -> dict[str, Any]:
        base = {arm: dict.fromkeys(METRICS, 0.5 + 0.01 * (fold % 3)) for arm in arms}
        ours = {metric: 0.5 + sign * gain + 0.01 * (fold % 3) + 0.001 * (fold % 2) for metric, sign in METRICS.items()}
        return base | {CANDIDATE: ours}

    folds = [
        {
            "n_rows": n,
            "rows_learned": n,
            "rows_tested": 100,
            "scores": {HOSTILE: scores(i)},
            "chosen": {HOSTILE: "balance"},
        }
        for n in (50, 200)
        for i in range(6)
    ]
    return conclude(folds, arms, {"rows": 1000, "folds_done": 12, "folds_planned": 12, "notes": [HOSTILE]})


def test_verdicts_follow_the_differences() -> None:
    assert made_report(0.1).verdict == "gain"
    assert made_report(-0.1).verdict == "harm"
    assert made_report(0.0).verdict == "no evidence of gain"
    found = made_report(0.1).finding(HOSTILE, "log_loss", 50)
    assert found.verdict == "gain"  # less is better
    assert found.baseline != CONTROL
    assert found.control_low is not None
    assert found.control_low > 0


def test_the_page_is_escaped_whole_and_readable_without_pictures() -> None:
    report = made_report()
    page = render_gain_html(report)
    assert HOSTILE not in page
    assert "&lt;script&gt;" in page
    assert len(re.findall(r"<svg role=\"img\"", page)) == 4 + 2  # forests and learning curves
    assert page.count("<desc ") == 6
    assert "200 rows of 1,000" in page
    assert page.count("<td>gain</td>") == len(report.findings)
    embedded = re.search(r'<script type="application/json" id="results">(.*?)</script>', page, re.DOTALL)
    assert embedded is not None
    assert GainReport.from_dict(json.loads(embedded[1])) == report
    assert not re.search(r'(?:src|href)="(?:https?:)?//', page)
