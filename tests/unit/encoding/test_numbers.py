"""What cells are as numbers."""

from __future__ import annotations

import numpy as np
import pandas as pd

from synthgan import infer_schema
from synthgan.encoding import TableEncoder
from synthgan.encoding.continuous import MIN_ROWS_PER_CODE, MOST_SPREAD, NumericEncoder, default_n_bins
from synthgan.encoding.grid import Grid
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


def test_bins_of_a_long_tail_are_several_codes_none_of_which_holds_much_of_the_spread() -> None:
    rng = numpy_stream(1, "test")
    values = np.sort(rng.lognormal(8, 1.5, 5000))
    encoder = NumericEncoder.fit(values, Grid(), n_bins := default_n_bins(len(values)))
    code = encoder.encode(values)[0]
    spread, rows = np.zeros(code.max() + 1), np.bincount(code)
    for own in range(len(spread)):
        spread[own] = np.square(values[code == own] - values[code == own].mean()).sum()
    share = spread / np.square(values - values.mean()).sum()
    assert rows.min() >= MIN_ROWS_PER_CODE
    assert share[rows >= 4 * MIN_ROWS_PER_CODE].max() <= MOST_SPREAD / n_bins
    assert n_bins < len(spread) < 1.3 * n_bins
    last = np.square(values[-len(values) // n_bins :] - values[-len(values) // n_bins :].mean()).sum()
    assert last > 0.3 * np.square(values - values.mean()).sum()  # what an uncut last bin would hold


def test_bins_of_other_numbers_are_one_code_each() -> None:
    rng = numpy_stream(2, "test")
    for values in (rng.normal(size=3000), rng.random(3000), 1e9 + rng.normal(size=3000), rng.random(300)):
        encoder = NumericEncoder.fit(values, Grid(), n_bins := default_n_bins(len(values)))
        assert encoder.cells.n_codes == n_bins


def test_a_rare_number_that_has_its_cell_to_itself_is_no_interval() -> None:
    values = np.r_[np.repeat(np.arange(5.0), 400), [7.0]]
    encoder = NumericEncoder.fit(values, Grid(0), 22)
    assert not encoder.interval.any()
    np.testing.assert_array_equal(encoder.decode(*encoder.encode(values)[:2]), values)
