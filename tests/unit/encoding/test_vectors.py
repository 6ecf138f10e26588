"""Tables as vectors: modes of numbers, one-hot segments, and the way back."""

from __future__ import annotations

import json

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from synthgan.encoding.modes import FitModes, ModeEncoder, fit_mixture, fit_range, fit_standard
from synthgan.encoding.vectors import VectorEncoder
from synthgan.schema import infer_schema

FITS = [fit_mixture, fit_range, fit_standard]
NUMBERS = st.lists(st.one_of(st.floats(-1e6, 1e6), st.just(np.nan)), min_size=2, max_size=30).filter(
    lambda values: not np.isnan(values).all()
)


@pytest.mark.parametrize("fit", [fit_range, fit_standard])
@given(values=NUMBERS)
def test_numbers_come_back(fit: FitModes, values: list[float]) -> None:
    numbers = np.array(values)
    encoder = fit(numbers)
    scalars, modes = encoder.encode(numbers, np.random.default_rng(0))
    assert scalars.dtype == np.float32
    assert modes.max() < encoder.n_modes
    np.testing.assert_allclose(encoder.decode(scalars, modes), numbers, atol=1e-5 * max(np.nanmax(np.abs(numbers)), 1))


def test_a_mixture_finds_the_modes() -> None:
    rng = np.random.default_rng(0)
    values = np.concatenate([rng.normal(-9, 0.5, 3000), rng.normal(0, 0.2, 2000), rng.normal(20, 2, 1000)])
    encoder = fit_mixture(values)
    for centre, spread in ((-9, 0.5), (0, 0.2), (20, 2)):
        near = np.abs(encoder.centre - centre).argmin()
        assert abs(encoder.centre[near] - centre) < spread
    scalars, modes = encoder.encode(values, rng)
    # A mode explains its own rows: scalars are standard deviations in fours, and hardly any is clipped.
    assert (np.abs(scalars) < 0.98).mean() > 0.99
    assert np.median(np.abs(encoder.decode(scalars, modes) - values)) < 1e-5


def test_a_mode_of_few_rows_is_dropped() -> None:
    values = np.append(np.random.default_rng(0).normal(size=300), [1e4, 1e4 + 1])
    assert np.abs(fit_mixture(values).centre).max() > 5000
    assert np.abs(fit_mixture(values, min_rows=5).centre).max() < 5
    few = fit_mixture(np.array([1.0, 2.0, 9.0, np.nan]), min_rows=5)
    assert few.centre.tolist() == [4.0]
    assert few.missing


@pytest.mark.parametrize("values", [[3.0, 3.0, 3.0], [1.0, 2.0], [np.nan, 5.0], [1e300, -1e300], [0.0] * 99 + [1.0]])
@pytest.mark.parametrize("fit", FITS)
def test_odd_columns(fit: FitModes, values: list[float]) -> None:
    encoder = fit(np.array(values))
    scalars, modes = encoder.encode(np.array(values), np.random.default_rng(0))
    assert np.isfinite(scalars).all()
    assert np.array_equal(np.isnan(encoder.decode(scalars, modes)), np.isnan(values))


@pytest.mark.parametrize("fit", FITS)
def test_the_state_is_plain_and_whole(fit: FitModes) -> None:
    values = np.array([1.0, 2.0, 2.5, np.nan, 40.0])
    encoder = fit(values)
    state = encoder.state()
    assert json.dumps({name: item for name, item in state.items() if not isinstance(item, np.ndarray)})
    again = ModeEncoder.from_state(state)
    for left, right in zip(
        again.encode(values, np.random.default_rng(0)), encoder.encode(values, np.random.default_rng(0)), strict=True
    ):
        assert np.array_equal(left, right)


@pytest.mark.parametrize("fit", [fit_range, fit_standard])
def test_every_kind_of_column_comes_back(fit: FitModes, kinds: pd.DataFrame) -> None:
    schema = infer_schema(kinds)
    encoder = VectorEncoder.fit_vectors(kinds, schema, fit)
    vectors = encoder.to_vectors(kinds, np.random.default_rng(0))
    assert vectors.scalars.shape == (len(kinds), encoder.vectors.n_scalars)
    assert (vectors.codes < np.array(encoder.vectors.sizes)).all()
    assert (vectors.codes >= 0).all()
    rows = encoder.from_vectors(vectors)
    assert rows.dtypes.equals(kinds.dtypes)
    for name in kinds.columns.difference(["user_id", "row_id", "some_id"]):
        if pd.api.types.is_float_dtype(kinds[name].dtype):
            real = kinds[name].to_numpy(float, na_value=np.nan)
            np.testing.assert_allclose(rows[name].to_numpy(float, na_value=np.nan), real, rtol=1e-4, atol=1e-4)
        else:
            pd.testing.assert_series_equal(rows[name], kinds[name])
    assert not set(rows["user_id"]) & set(kinds["user_id"])
    again = VectorEncoder.from_state(schema, encoder.state())
    assert again.from_vectors(vectors).equals(rows)


def test_segments_are_where_the_levels_are() -> None:
    frame = pd.DataFrame({"a": ["x", "y", None] * 10, "n": np.arange(30.0), "b": [True, False] * 15, "same": "s"})
    frame.loc[3, "n"] = np.nan
    encoder = VectorEncoder.fit_vectors(frame, infer_schema(frame), fit_standard)
    layout = encoder.vectors
    assert (layout.n_scalars, layout.sizes, layout.category) == (1, (3, 2, 2), (True, False, True))
    assert layout.width == 8
    assert layout.offsets.tolist() == [1, 4, 6]
    assert [encoder.segment_of(name) for name in ("a", "n", "b", "same")] == [0, None, 2, None]
    codes = encoder.to_vectors(frame, np.random.default_rng(0)).codes
    assert (codes[frame["a"] == "y", 0] == encoder.level_index("a", "y")).all()
    assert (codes[frame["a"].isna(), 0] == encoder.level_index("a", None)).all()
