"""Codes and cells: where values go, and how much of a cell a range covers."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from synthgan import infer_schema
from synthgan.encoding import TableEncoder
from synthgan.encoding.categorical import MAX_LEVEL_CODES, CategoricalEncoder
from synthgan.encoding.cells import MAX_CODES
from synthgan.encoding.continuous import NumericEncoder
from synthgan.encoding.grid import Grid


def numbers(n: int = 3000, seed: int = 0) -> np.ndarray:
    rng = np.random.default_rng(seed)
    return np.where(rng.random(n) < 0.3, 0.0, np.round(rng.lognormal(3, 1, n), 1))


def test_cells_of_numbers_are_in_order_and_apart() -> None:
    values = numbers()
    encoder = NumericEncoder.fit(values, Grid(1, 1, values.min(), values.max()), 64)
    assert (encoder.low <= encoder.high).all()
    assert (encoder.high[:-1] <= encoder.low[1:]).all()
    assert encoder.cells.n_codes <= MAX_CODES
    assert np.array_equal(np.unique(encoder.cells.code), np.arange(encoder.cells.n_codes))
    totals = np.bincount(encoder.cells.code, encoder.cells.weight)
    np.testing.assert_allclose(totals, 1)


def test_a_frequent_value_is_a_code_of_its_own() -> None:
    encoder = NumericEncoder.fit(numbers(), Grid(1, 1, 0, 1e6), 64)
    code, _, _ = encoder.encode(np.array([0.0]))
    assert encoder.cells.n_cells[code[0]] == 1
    assert np.isclose(encoder.low[encoder.cells.code == code[0]], 0)


@pytest.mark.parametrize("seed", range(5))
def test_weights_are_the_shares_of_the_rows(seed: int) -> None:
    values = numbers(seed=seed)
    encoder = NumericEncoder.fit(values, Grid(1, 1, 0, values.max()), 32)
    code, position, known = encoder.encode(values)
    assert known.all()
    flat, _ = encoder.cells.flatten(code, position)
    counts = np.bincount(flat, minlength=len(encoder.cells.code))
    rows = np.bincount(encoder.cells.code, counts)
    np.testing.assert_allclose(encoder.cells.weight, counts / rows[encoder.cells.code], atol=2e-2)


@pytest.mark.parametrize(
    ("low", "high"), [(1.0, 3.0), (0.0, 0.0), (-5, 1.04), (2.02, 2.08), (7.5, np.inf), (-np.inf, np.inf)]
)
def test_overlap_decodes_into_the_range_and_misses_nothing(low: float, high: float) -> None:
    values = numbers()
    grid = Grid(1, 1, 0.0, values.max())
    encoder = NumericEncoder.fit(values, grid, 32)
    start, stop = encoder.overlap(low, high)
    for flat in range(len(encoder.low)):
        places = np.linspace(0.001, 0.999, 101)
        decoded = grid.snap(encoder.low[flat] + places * (encoder.high[flat] - encoder.low[flat]))
        inside = (places > start[flat] + 1e-9) & (places < stop[flat] - 1e-9)
        if np.isnan(start[flat]):
            inside[:] = False
        clear = np.abs(places - start[flat]) > 1e-6 if not np.isnan(start[flat]) else np.full(101, True)
        fits = (decoded >= low - 1e-9) & (decoded <= high + 1e-9)
        assert fits[inside].all()
        if encoder.low[flat] < encoder.high[flat]:
            assert not (
                fits & ~inside & clear & (np.abs(places - stop[flat]) > 1e-6 if not np.isnan(stop[flat]) else True)
            ).any()


@pytest.mark.parametrize("n_levels", [1, 2, MAX_LEVEL_CODES, MAX_LEVEL_CODES + 1, 300, 5000])
def test_levels_have_codes_by_frequency(n_levels: int) -> None:
    index = np.concatenate([np.arange(n_levels), np.arange(n_levels // 2), [-1]])
    encoder = CategoricalEncoder.fit(index, [f"l{i}" for i in range(n_levels)])
    assert encoder.cells.n_codes <= MAX_CODES
    assert encoder.missing_code == encoder.cells.n_codes - 1
    assert (np.diff(encoder.cells.code) >= 0).all()
    assert encoder.is_shared == (n_levels > MAX_LEVEL_CODES)
    assert encoder.cells.max_cells <= -(-n_levels // MAX_LEVEL_CODES)
    code, position, known = encoder.encode(pd.Series([encoder.levels[-1], None, "other"], dtype=object))
    assert known.tolist() == [True, True, False]
    assert encoder.decode(code[:2], position[:2]).tolist() == [n_levels - 1, -1]


def test_rare_levels_share_codes_and_are_decoded_as_often_as_they_came() -> None:
    rng = np.random.default_rng(0)
    index = np.concatenate([np.repeat(np.arange(250), 50), 250 + rng.choice(20, 400, p=np.arange(1, 21) / 210)])
    encoder = CategoricalEncoder.fit(index, list(range(270)))
    counts = np.bincount(index, minlength=270)
    frequent = counts >= len(index) / MAX_LEVEL_CODES
    assert set(encoder.levels[: frequent.sum()]) == set(np.flatnonzero(frequent))
    assert (encoder.cells.n_cells[: frequent.sum()] == 1).all()
    assert encoder.cells.n_codes == MAX_LEVEL_CODES
    for code in range(frequent.sum(), encoder.cells.n_codes):
        flats = np.flatnonzero(encoder.cells.code == code)
        rows = counts[[encoder.levels[flat] for flat in flats]]
        np.testing.assert_allclose(encoder.cells.weight[flats], rows / rows.sum(), atol=1e-3)


@given(data=st.data())
def test_levels_that_share_codes_are_neighbours_in_the_order(data: st.DataObject) -> None:
    counts = data.draw(st.lists(st.integers(0, 40), min_size=256, max_size=600))
    order = np.random.default_rng(data.draw(st.integers(0, 99))).permutation(len(counts))
    index = np.repeat(np.arange(len(counts)), counts)
    if not len(index):
        return
    encoder = CategoricalEncoder.fit(index, list(range(len(counts))), order)
    assert sorted(encoder.levels) == np.flatnonzero(counts).tolist()
    _, _, known = encoder.encode(pd.Series(index, dtype=object))
    assert known.all()
    rank = np.argsort(order)
    shared = encoder.cells.n_cells[encoder.cells.code] > 1
    ranks = rank[np.array(encoder.levels)[shared]]
    assert (np.diff(ranks) > 0).all()
    own = np.array(encoder.levels)[~shared]
    assert len(encoder.levels) > MAX_LEVEL_CODES or len(own) == len(encoder.levels)


def test_a_row_is_small() -> None:
    rng = np.random.default_rng(0)
    frame = pd.DataFrame(
        {f"n{i}": rng.normal(size=2000) for i in range(6)} | {f"c{i}": rng.choice(["a", "b"], 2000) for i in range(9)}
    )
    encoder = TableEncoder.fit(frame, infer_schema(frame))
    table = encoder.encode(frame)
    assert encoder.layout.bytes_per_row == 6 * 5 + 9
    assert (table.codes.nbytes + table.positions.nbytes) / len(frame) == encoder.layout.bytes_per_row
