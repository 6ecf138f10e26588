"""What is encoded and decoded comes back: dtype, levels, order, missing cells, values."""

from __future__ import annotations

import datetime as dt
import json
from typing import Any

import numpy as np
import pandas as pd
from hypothesis import assume, given
from hypothesis import strategies as st

from synthgan.encoding import TableEncoder
from synthgan.encoding.continuous import NumericEncoder
from synthgan.encoding.dtypes import dtype_named
from synthgan.schema import ColumnKind, Schema, infer_schema

INTEGERS = [
    "int8",
    "int16",
    "int32",
    "int64",
    "uint8",
    "uint16",
    "uint32",
    "uint64",
    "Int8",
    "Int64",
    "UInt16",
    "object",
]
# pandas takes texts for equal that differ after a NUL character.
TEXT = st.text(st.characters(codec="utf-8", exclude_characters="\0"), max_size=8)
SECONDS = st.integers(int(dt.datetime(1901, 1, 1).timestamp()), int(dt.datetime(2099, 1, 1).timestamp()))


def saved(encoder: TableEncoder) -> TableEncoder:
    """The encoder rebuilt from its schema as JSON and its state as JSON and arrays."""
    arrays: list[np.ndarray] = []

    def put(value: Any) -> Any:
        if isinstance(value, np.ndarray):
            arrays.append(value.copy())
            return {"array": len(arrays) - 1}
        return value.item()  # numpy scalars; anything else has no place in JSON

    def get(value: dict[str, Any]) -> Any:
        return arrays[value["array"]] if set(value) == {"array"} else value

    schema = Schema.from_dict(json.loads(json.dumps(encoder.schema.to_dict(), allow_nan=False)))
    text = json.dumps(encoder.state(), default=put, allow_nan=False)
    return TableEncoder.from_state(schema, json.loads(text, object_hook=get))


def there_and_back(column: pd.Series, **override: Any) -> tuple[TableEncoder, pd.Series]:
    frame = pd.DataFrame({"before": 1, "x": column, "after": "z"})
    encoder = TableEncoder.fit(frame, infer_schema(frame, {"x": override} if override else None))
    out = encoder.decode(encoder.encode(frame))
    assert out.columns.tolist() == ["before", "x", "after"]
    again = saved(encoder)
    pd.testing.assert_frame_equal(again.decode(again.encode(frame)), out, check_exact=True)
    return encoder, out["x"]


def comes_back(column: pd.Series, **override: Any) -> None:
    _, out = there_and_back(column, **override)
    pd.testing.assert_series_equal(out, column, check_names=False, check_exact=True)
    missing = column.isna()
    assert [type(cell) for cell in out[missing]] == [type(cell) for cell in column[missing]]


@st.composite
def with_holes(draw: st.DrawFn, cells: st.SearchStrategy[Any], hole: Any, *, max_size: int = 40) -> list[Any]:
    """Cells, at least one of them present; some replaced by `hole`."""
    values = draw(st.lists(cells, min_size=2, max_size=max_size))
    if hole is None:
        return values
    holes = draw(st.lists(st.booleans(), min_size=len(values), max_size=len(values)))
    holes[draw(st.integers(0, len(values) - 1))] = False
    return [hole[0] if out else value for value, out in zip(values, holes, strict=True)]


@given(data=st.data(), dtype=st.sampled_from(INTEGERS))
def test_integers(data: st.DataObject, dtype: str) -> None:
    bits = np.iinfo(dtype.lower()) if dtype != "object" else np.iinfo("int64")
    cells = st.integers(max(int(bits.min), -(2**53)), min(int(bits.max), 2**53))
    hole = [None] if dtype[0].isupper() or dtype == "object" else None
    comes_back(pd.Series(data.draw(with_holes(cells, hole)), dtype=dtype), kind="numeric")


@given(
    data=st.data(),
    decimals=st.integers(0, 5),
    step=st.sampled_from([1, 5, 25]),
    dtype=st.sampled_from(["float64", "Float64", "object"]),
)
def test_decimals(data: st.DataObject, decimals: int, step: int, dtype: str) -> None:
    cells = st.integers(-10_000, 10_000).map(lambda k: k * step / 10**decimals + 0.0)
    hole = {"float64": [np.nan], "Float64": [pd.NA], "object": [None]}[dtype]
    comes_back(pd.Series(data.draw(with_holes(cells, hole)), dtype=dtype), kind="numeric")


@given(data=st.data(), dtype=st.sampled_from(["float32", "float64", "Float32", "Float64"]))
def test_numbers_on_no_grid(data: st.DataObject, dtype: str) -> None:
    width = 32 if dtype.endswith("32") else 64
    cells = st.floats(-(2.0**40), 2.0**40, width=width)
    column = pd.Series(data.draw(with_holes(cells, [np.nan])), dtype="float64").astype(dtype)
    encoder, out = there_and_back(column, kind="numeric")
    assert out.dtype == column.dtype
    assert out.isna().equals(column.isna())
    spec = encoder.schema["x"]
    if spec.kind is ColumnKind.NUMERIC:
        part = encoder.encoders["x"]
        assert isinstance(part, NumericEncoder)
        present = ~column.isna().to_numpy()
        values, found = (item[present].to_numpy(np.float64) for item in (column, out))
        code, position, _ = part.encode(values)
        flat, _ = part.cells.flatten(code, position)
        room = 2e-6 * (part.high - part.low)[flat] + 2 * np.finfo(dtype.lower()).eps * np.abs(values)
        assert (np.abs(found - values) <= room).all()
        assert found.min() >= spec.low
        assert found.max() <= spec.high


@given(
    st.lists(st.integers(-(2**63), 2**63 - 1), min_size=2, max_size=40), st.sampled_from(["int64", "Int64", "object"])
)
def test_huge_integers_stay_inside_their_bounds(values: list[int], dtype: str) -> None:
    column = pd.Series(values, dtype=dtype)
    _, out = there_and_back(column, kind="numeric")
    assert out.dtype == column.dtype
    assert min(values) <= min(out.tolist()) <= max(out.tolist()) <= max(values)
    assert all(abs(a - b) <= abs(b) * 2e-6 + 2**45 for a, b in zip(out.tolist(), values, strict=True))


@given(st.lists(st.integers(0, 2**64 - 1), min_size=2, max_size=40))
def test_unsigned_and_python_integers_beyond_64_bits(values: list[int]) -> None:
    for column in (pd.Series(values, dtype="uint64"), pd.Series([value * 2**20 for value in values], dtype=object)):
        _, out = there_and_back(column, kind="numeric")
        assert out.dtype == column.dtype
        assert column.min() <= out.min() <= out.max() <= column.max()


@given(with_holes(st.booleans(), [None]), st.sampled_from(["boolean", "object"]))
def test_booleans(cells: list[Any], dtype: str) -> None:
    comes_back(pd.Series(cells, dtype=dtype))


@given(st.lists(st.booleans(), min_size=2))
def test_plain_booleans(cells: list[bool]) -> None:
    comes_back(pd.Series(cells, dtype="bool"))


@given(data=st.data(), hole=st.sampled_from([[None], [np.nan], [pd.NA]]))
def test_text(data: st.DataObject, hole: list[Any]) -> None:
    comes_back(pd.Series(data.draw(with_holes(TEXT, hole)), dtype=object), kind="categorical")


@given(with_holes(TEXT, [pd.NA]))
def test_strings(cells: list[Any]) -> None:
    comes_back(pd.Series(cells, dtype="string"), kind="categorical")


@given(cells=with_holes(TEXT, [np.nan]), category=st.booleans())
def test_text_as_pandas_3_has_it(cells: list[Any], category: bool) -> None:
    column = pd.Series(cells, dtype=dtype_named("str"))
    comes_back(column.astype("category") if category else column, kind="categorical")


@given(
    data=st.data(),
    levels=st.one_of(
        st.lists(TEXT, min_size=1, max_size=6, unique=True),
        st.lists(st.integers(-5, 5), min_size=1, max_size=6, unique=True),
        st.lists(st.floats(-5, 5).map(lambda x: x + 0.0), min_size=1, max_size=6, unique=True),
        st.lists(st.booleans(), min_size=1, unique=True),
    ),
    ordered=st.booleans(),
)
def test_categories_keep_their_levels_and_order(data: st.DataObject, levels: list[Any], ordered: bool) -> None:
    codes = data.draw(st.lists(st.integers(-1, len(levels) - 1), min_size=2, max_size=30))
    comes_back(pd.Series(pd.Categorical.from_codes(codes, categories=levels, ordered=ordered)))


@given(data=st.data(), dtype=st.sampled_from(["float64", "Int64", "object"]))
def test_numbers_declared_categorical(data: st.DataObject, dtype: str) -> None:
    comes_back(pd.Series(data.draw(with_holes(st.integers(0, 9), [None])), dtype=dtype), kind="categorical")


@given(
    data=st.data(),
    unit=st.sampled_from(["s", "ms", "us", "ns"]),
    step=st.sampled_from([1, 60, 3600, 86400]),
    zone=st.sampled_from([None, "UTC", "Europe/Berlin", "America/New_York", "Asia/Kolkata"]),
)
def test_datetimes(data: st.DataObject, unit: str, step: int, zone: str | None) -> None:
    ticks = data.draw(with_holes(SECONDS.map(lambda s: s // step * step), [None]))
    times = pd.to_datetime(pd.Series(ticks, dtype="Int64"), unit="s").astype(f"datetime64[{unit}]")
    if zone is not None:
        times = times.dt.tz_localize("UTC").dt.tz_convert(zone)
        wall = times.dt.tz_localize(None)
        # An hour that the wall clock shows twice is learned once.
        back = wall.dt.tz_localize(zone, ambiguous=np.zeros(len(wall), bool), nonexistent="shift_forward")
        assume(back.equals(times))
    comes_back(times)


@given(data=st.data(), fraction=st.sampled_from([10**3, 1]))
def test_fractions_of_seconds(data: st.DataObject, fraction: int) -> None:
    ticks = data.draw(with_holes(st.integers(0, 10**12).map(lambda k: k // fraction * fraction), [None]))
    comes_back(pd.to_datetime(pd.Series(ticks, dtype="Int64"), unit="us").astype("datetime64[us]"))


@given(
    data=st.data(),
    format=st.sampled_from(
        [
            "%Y-%m-%d",
            "%d.%m.%Y",
            "%m/%d/%Y",
            "%Y-%m-%d %H:%M",
            "%Y-%m-%dT%H:%M:%S",
            "%Y-%m-%dT%H:%M:%SZ",
            "%d %b %Y",
            "%H:%M",
        ]
    ),
    dtype=st.sampled_from(["object", "string"]),
)
def test_datetimes_as_text(data: st.DataObject, format: str, dtype: str) -> None:
    hole = [None] if dtype == "object" else [pd.NA]
    cells = SECONDS.map(lambda s: dt.datetime.fromtimestamp(s, dt.UTC).strftime(format))
    column = pd.Series(data.draw(with_holes(cells, hole)), dtype=dtype)
    comes_back(column, kind="datetime", format=format)


@given(
    st.sampled_from(["float64", "object", "string", "boolean", "Int64", "datetime64[ns]", "category"]),
    st.integers(2, 9),
)
def test_columns_without_a_single_cell(dtype: str, n: int) -> None:
    comes_back(pd.Series([None] * n, dtype=dtype))


@given(
    st.sampled_from(
        [5, 2.5, "word", True, dt.datetime(2020, 1, 1, 10), pd.Timestamp("2020-07-01", tz="Europe/Berlin")]
    ),
    st.integers(2, 9),
    st.sampled_from([None, "object", "category"]),
)
def test_constants(value: Any, n: int, dtype: str | None) -> None:
    column = pd.Series([value] * n, dtype=dtype)
    assume(not (isinstance(value, dt.datetime) and dtype is not None))
    comes_back(column)


@given(
    st.sampled_from(
        [
            (5, "Int64"),
            (2.5, "float64"),
            ("word", "object"),
            (True, "boolean"),
            ("word", "category"),
            ("2020-01-01", "datetime64[ns]"),
        ]
    ),
    st.integers(1, 9),
    st.integers(1, 9),
)
def test_one_value_and_missing(case: tuple[Any, str], n_present: int, n_missing: int) -> None:
    value, dtype = case
    comes_back(pd.Series([value] * n_present + [None] * n_missing, dtype=dtype))


@given(
    data=st.data(),
    style=st.sampled_from(["int64", "Int64", "uint8", "numbered", "hex", "words"]),
    n=st.integers(20, 60),
)
def test_ids_are_new_different_and_of_their_dtype(data: st.DataObject, style: str, n: int) -> None:
    rng = np.random.default_rng(data.draw(st.integers(0, 99)))
    numbers = rng.permutation(n)
    made = {
        "numbered": [f"AB-{k:04d}" for k in numbers],
        "hex": [f"{k:012x}" for k in rng.integers(2**44, 2**48, n)],
        "words": [f"{'x' * k}" for k in numbers + 1],
    }
    cells: list[Any] = made.get(style, numbers.tolist())
    holes = rng.random(n) < data.draw(st.sampled_from([0, 0.3]))
    if style in ("int64", "uint8"):
        holes[:] = False
    dtype = style if style not in made else "object"
    column = pd.Series([None if hole else cell for cell, hole in zip(cells, holes, strict=True)], dtype=dtype)
    _, out = there_and_back(column, kind="id")
    assert out.dtype == column.dtype
    assert out.isna().equals(column.isna())
    assert out.dropna().is_unique
    assert not set(out.dropna()) & set(column.dropna())


def test_negative_zero_is_zero() -> None:
    _, out = there_and_back(pd.Series([-0.0, 0.0, -0.04, 0.1, 0.2]), decimals=1)
    assert not np.signbit(out[out == 0]).any()


def test_heavy_tails_keep_their_grid_and_their_order() -> None:
    rng = np.random.default_rng(0)
    column = pd.Series(np.rint(rng.pareto(0.3, 5000) * 10).clip(0, 2**52))
    encoder, out = there_and_back(column)
    assert (out % 1 == 0).all()
    assert out.min() >= column.min()
    assert out.max() <= column.max()
    part = encoder.encoders["x"]
    assert isinstance(part, NumericEncoder)
    code, position, _ = part.encode(column.to_numpy())
    flat, _ = part.cells.flatten(code, position)
    assert (np.abs(out - column) <= 2e-6 * (part.high - part.low)[flat] + 0.5).all()
    ordered = np.argsort(column, kind="stable")
    assert (np.diff(out.to_numpy()[ordered]) >= -1e-9 * out.to_numpy()[ordered][1:]).all()


def test_thousands_of_categories_share_codes_and_come_back() -> None:
    rng = np.random.default_rng(0)
    levels = np.array([f"tail {number}" for number in range(6000)])
    column = pd.Series(np.r_[levels, rng.choice(levels[:50], 20_000)], dtype=object)
    encoder, out = there_and_back(column, kind="categorical")
    assert out.tolist() == column.tolist()
    assert encoder.layout.n_codes <= 256
    assert encoder.layout.bytes_per_row == 5


def test_levels_never_seen_are_not_known() -> None:
    frame = pd.DataFrame(
        {"text": ["a", "b", "a"], "number": [1.5, 2.5, 9.0], "time": pd.to_datetime(["2020"] * 2 + ["2021"])}
    )
    encoder = TableEncoder.fit(frame, infer_schema(frame))
    other = pd.DataFrame(
        {"text": ["z", None, "b"], "number": [99.0, np.nan, 1.5], "time": pd.to_datetime([None, "1990", "2020"])}
    )
    table = encoder.encode(other)
    assert table.known.tolist() == [[False, True, False], [False, False, True], [True, True, True]]
    assert encoder.decode(table)["number"].tolist()[0] == 9.0
