"""What cells are as numbers."""

from __future__ import annotations

import numpy as np
import pandas as pd

from synthgan import infer_schema
from synthgan.encoding import TableEncoder
from synthgan.rng import numpy_stream


def test_numbers_days_and_times_of_day_of_an_encoded_table() -> None:
    rng = numpy_stream(0, "test")
    n = 300
    start = pd.Timestamp("2024-03-01")
    frame = pd.DataFrame(
        {
            "price": np.where(rng.random(n) < 0.1, np.nan, rng.gamma(2, 10, n).round(2)),
            "kind": rng.choice(["a", "b"], n),
            "seen": start + pd.to_timedelta(rng.integers(0, 100 * 86_400, n), unit="s"),
        }
    )
    encoder = TableEncoder.fit(frame, infer_schema(frame))
    numbers = encoder.numbers(encoder.encode(frame))
    of = {(block.column, block.part): numbers[:, at] for at, block in enumerate(encoder.layout.blocks)}
    assert np.array_equal(np.isnan(of["price", "value"]), frame["price"].isna())
    np.testing.assert_allclose(of["price", "value"], frame["price"], atol=1e-6)
    assert np.isnan(of["kind", "value"]).all()
    days = (frame["seen"].dt.normalize() - frame["seen"].min().normalize()).dt.days
    np.testing.assert_array_equal(of["seen", "day"], days)
    seconds = (frame["seen"] - frame["seen"].dt.normalize()).dt.total_seconds()
    assert np.corrcoef(of["seen", "time"], seconds)[0, 1] > 0.999
