"""Which numbers are drawn exactly, and how often drawn ones are new."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable

import numpy as np
import numpy.typing as npt
import pytest
from hypothesis import given
from hypothesis import strategies as st

from synthgan.encoding.continuous import NumericEncoder, default_n_bins
from synthgan.encoding.grid import Grid, Rounding
from synthgan.encoding.pieces import Pieces
from synthgan.rng import numpy_stream

Floats = npt.NDArray[np.float64]
Source = Callable[[np.random.Generator, int], Floats]

SOURCES: dict[str, tuple[Grid, Source]] = {
    "any numbers": (Grid(), lambda rng, n: rng.normal(size=n)),
    "whole numbers of a wide range": (Grid(0), lambda rng, n: rng.normal(0, 2000, n).round()),
    "whole numbers of a narrow range": (Grid(0), lambda rng, n: rng.normal(0, 20, n).round()),
    "few different numbers on no grid": (Grid(), lambda rng, n: rng.integers(0, n // 3, n) / 7),
    "averages of nine whole numbers": (Grid(6), lambda rng, n: (rng.integers(0, 9000, n) / 9).round(6)),
    "two decimals, and some of four": (
        Grid(4),
        lambda rng, n: np.where(rng.random(n) < 0.8, rng.normal(size=n).round(2), rng.normal(size=n).round(4)),
    ),
    "amounts that people round": (
        Grid(0),
        lambda rng, n: np.where(rng.random(n) < 0.5, rng.lognormal(9, 1, n).round(), rng.lognormal(9, 1, n).round(-2)),
    ),
}


def drawn(encoder: NumericEncoder, values: Floats, rng: np.random.Generator) -> Floats:
    """Numbers from the cells of these, each from an even place in its cell: what a model without error draws."""
    code, position, _ = encoder.encode(values)
    flat, _ = encoder.cells.flatten(code, position)
    return encoder.decode(*encoder.cells.locate(flat, rng.random(len(flat))))


@pytest.mark.parametrize("source", SOURCES)
def test_as_many_drawn_numbers_are_new_as_of_new_rows(source: str) -> None:
    rng, (grid, of) = numpy_stream(0, source), SOURCES[source]
    for n_rows in (300, 3000, 20_000):
        rows, others = of(rng, n_rows), of(rng, n_rows)
        encoder = NumericEncoder.fit(rows, grid, default_n_bins(n_rows))
        seen, expected = (np.isin(own.round(9), rows.round(9)).mean() for own in (drawn(encoder, rows, rng), others))
        assert abs(seen - expected) < 0.08, (n_rows, seen, expected)


def test_a_shared_value_takes_the_place_that_it_has() -> None:
    pieces = Pieces(np.array([0.0, 1.0, 1.0]), np.array([1.0, 1.0, 2.0]), np.zeros(3, int), np.array([0.25, 0.75, 1.0]))
    cell, place = pieces.place(np.array([0.0, 0.5, 1.0, 1.5, 2.0]))
    assert cell.tolist() == [0] * 5
    assert place.tolist() == [0.0, 0.125, 0.5, 0.875, 1.0]
    assert [end.tolist() for end in pieces.room(np.array([1.0, 1.5]), 0.0)] == [[0.25, 0.875], [0.75, 0.875]]


def test_values_that_rows_share_come_as_often_as_rows_hold_them() -> None:
    rng = numpy_stream(1, "test")
    rows = (rng.integers(0, 3000, 8000) / 9).round(6)
    encoder = NumericEncoder.fit(rows, Grid(6), 45)
    values, counts = np.unique(rows, return_counts=True)
    out = np.concatenate([drawn(encoder, rows, rng) for _ in range(50)]).round(6)
    shared = counts >= 3
    found = np.array([(out == value).sum() / 50 for value in values[shared]])
    assert abs(found / counts[shared] - 1).max() < 0.6  # the square root of 150 draws is 8 % of them; six of that
    assert abs(found.sum() / counts[shared].sum() - 1) < 0.01


@given(
    st.lists(st.integers(0, 40), min_size=1, max_size=60),
    st.sampled_from([Grid(0), Grid(1, step=5), Grid()]),
    st.integers(2, 8),
    st.integers(1, 6),
)
def test_numbers_are_decoded_as_they_were(numbers: list[int], grid: Grid, n_bins: int, min_rows: int) -> None:
    values = np.array(numbers) * (0.5 if grid.decimals == 1 else 1.0)
    encoder = NumericEncoder.fit(values, grid, n_bins)
    np.testing.assert_allclose(encoder.decode(*encoder.encode(values)[:2]), values, atol=1e-4)
    protected = NumericEncoder.fit(values, grid, n_bins, min_rows)
    again = NumericEncoder.from_state(protected.state())
    position = np.linspace(0, 0.999, len(values))
    code = np.sort(np.arange(len(values)) % protected.cells.n_codes).astype(np.uint8)
    np.testing.assert_array_equal(again.decode(code, position), protected.decode(code, position))
    for one in (encoder, protected):
        every = np.sort(np.r_[values, np.arange(-1, 42.0)])
        cells, places = one.cells.flatten(*one.encode(every)[:2])
        assert (np.diff(cells + places) >= -1e-6).all()


@given(st.lists(st.integers(0, 30), min_size=20, max_size=80), st.integers(2, 6))
def test_no_piece_stands_for_fewer_rows_than_are_protected(numbers: list[int], min_rows: int) -> None:
    values = np.array(numbers) / 7
    pieces = NumericEncoder.fit(values, Grid(), 4, min_rows).pieces
    rows = np.bincount(pieces.find(values), minlength=len(pieces.low))
    assert rows[pieces.low == pieces.high].min(initial=len(values)) >= min(min_rows, len(values))


@given(st.lists(st.integers(0, 60), min_size=5, max_size=80), st.integers(-5, 65), st.integers(1, 30))
def test_places_between_two_numbers_are_those_that_decode_into_them(numbers: list[int], first: int, many: int) -> None:
    pieces = NumericEncoder.fit(np.array(numbers) / 7, Grid(), 3).pieces
    low, high = (first + 0.37) / 7, (first + many + 0.48) / 7  # no number, nor a round one
    _check_overlap(pieces, low, high)
    _check_overlap(dataclasses.replace(pieces, rounding=Rounding(1, 2, 0.6)), low, high)


def _check_overlap(pieces: Pieces, low: float, high: float) -> None:
    start, stop = pieces.overlap(low, high)
    for cell in range(len(start)):
        places = np.linspace(0, 1 - 1e-9, 97)
        values = pieces.values(np.full(97, cell), places)
        inside = (values >= low) & (values <= high)
        told = (places >= start[cell]) & (places < stop[cell])
        near = np.minimum(abs(places - start[cell]), abs(places - stop[cell])) < 1e-6
        assert (inside == told)[~near].all() or (np.isnan(start[cell]) and not inside.any())


@pytest.mark.parametrize(
    "broken",
    [
        {"stop": np.array([0.5, 0.9])},
        {"stop": np.array([1.0, 1.0])},
        {"cell": np.array([0, 2])},
        {"cell": np.array([1, 1])},
        {"low": np.array([2.0, 1.0])},
        {"high": np.array([1.0, np.nan])},
        {"high": np.array([1.0])},
    ],
)
def test_what_is_no_pieces_is_refused(broken: dict[str, npt.NDArray[np.generic]]) -> None:
    state = Pieces(np.array([0.0, 1.0]), np.array([1.0, 1.0]), np.array([0, 0]), np.array([0.5, 1.0])).state()
    Pieces.from_state(state)
    with pytest.raises(ValueError, match=r"piece|cells|shape"):
        Pieces.from_state(state | broken)
