"""Real rows against real rows, twenty times: the intervals hold the ceiling, and nobody is accused."""

from __future__ import annotations

import numpy as np
import pytest

from synthgan.evaluation import evaluate

N_RESAMPLES = 20


@pytest.mark.slow
def test_intervals_hold_the_ceiling_and_no_leak_is_alleged(make_table):
    covered, alarms = [], 0
    for k in range(N_RESAMPLES):
        real, fresh, holdout = (make_table(500, 1000 + 3 * k + i) for i in range(3))
        report = evaluate(real, fresh, holdout=holdout, target="churn", profile="quick", random_state=k)
        covered += [m.low <= m.ceiling <= m.high for m in report.metrics if m.low is not None and m.ceiling is not None]
        alarms += report.themes["privacy"].verdict.startswith("Unsafe")
    assert 0.90 <= np.mean(covered) <= 0.99
    assert alarms <= 1
