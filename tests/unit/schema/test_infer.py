"""What kind each column is taken for, and which columns are refused."""

from __future__ import annotations

import datetime
import io
from typing import Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from synthgan.errors import SchemaError, SynthganError
from synthgan.schema import ColumnKind, ColumnSpec, MissingKind, Schema, infer_schema


def infer(values: Any, **options: Any) -> ColumnSpec:
    cells = values if isinstance(values, (pd.Series, pd.Categorical, pd.Index)) else pd.Series(values)
    return infer_schema(pd.DataFrame({"x": cells}), **options)["x"]


def test_every_kind_is_recognised_with_a_reason(mixed_table: pd.DataFrame) -> None:
    schema = infer_schema(mixed_table)
    assert {column.name: str(column.kind) for column in schema} == {
        "user_id": "id",
        "age": "numeric",
        "plan": "categorical",
        "amount": "numeric",
        "city": "categorical",
        "size": "categorical",
        "active": "boolean",
        "joined": "datetime",
        "country": "constant",
        "empty": "constant",
    }
    assert all(column.reason for column in schema)


class TestNumbers:
    def test_grid_and_bounds_of_decimals(self) -> None:
        spec = infer(np.arange(0, 100) * 0.25)
        assert (spec.decimals, spec.step, spec.low, spec.high) == (2, 25, 0.0, 24.75)

    def test_integers_keep_exact_bounds(self) -> None:
        spec = infer(np.array([-(2**63), 2**63 - 1, 0]))
        assert (spec.low, spec.high, spec.dtype) == (-(2**63), 2**63 - 1, "int64")
        assert infer(np.array([0, 2**64 - 1], dtype=np.uint64)).high == 2**64 - 1

    def test_step_is_the_common_factor(self) -> None:
        assert infer(pd.Series(range(2700, 6300, 25)).sample(frac=1, random_state=0)).step == 25

    def test_few_values_have_no_step(self) -> None:
        assert infer([10, 20, 30, 10]).step == 1

    def test_float32_is_compared_at_its_own_precision(self) -> None:
        assert infer(np.array([0.1, 2.7, 13.3], dtype=np.float32)).decimals == 1

    def test_measurements_have_no_grid(self) -> None:
        assert infer(np.random.default_rng(0).normal(size=100)).decimals is None

    def test_values_off_by_one_unit_in_the_last_place_lie_on_the_grid(self) -> None:
        assert infer([0.1 + 0.2, 0.7, 1.1]).decimals == 1

    def test_nullable_integers(self) -> None:
        spec = infer(pd.array([1, None, 3, 3], dtype="Int64"))
        assert (spec.kind, spec.dtype, spec.missing, spec.high) == (ColumnKind.NUMERIC, "Int64", MissingKind.NA, 3)

    def test_integers_as_objects(self) -> None:
        spec = infer(pd.Series([1, None, 3, 3], dtype=object))
        assert (spec.kind, spec.dtype, spec.missing) == (ColumnKind.NUMERIC, "object", MissingKind.NONE)

    def test_codes_stay_numbers_unless_declared(self) -> None:
        assert infer([1, 2, 1, 3]).kind is ColumnKind.NUMERIC
        assert infer([1, 2, 1, 3], discrete_columns=["x"]).levels == (1, 2, 3)

    @given(st.lists(st.integers(-(10**6), 10**6), min_size=2, max_size=50), st.integers(0, 6))
    def test_values_lie_on_the_grid_found(self, grid: list[int], decimals: int) -> None:
        values = np.array([int(k) / 10**decimals for k in grid])
        spec = infer(values)
        if spec.kind is ColumnKind.NUMERIC:
            assert spec.decimals is not None
            assert spec.decimals <= decimals
            k = np.rint(values * 10**spec.decimals / spec.step)
            assert np.array_equal(k * spec.step / 10**spec.decimals, values)
            assert (spec.low, spec.high) == (values.min(), values.max())


class TestText:
    def test_levels_do_not_depend_on_row_order(self) -> None:
        assert infer(["b", "a", "c", "a"]).levels == infer(["c", "a", "a", "b"]).levels == ("a", "b", "c")

    @pytest.mark.parametrize("words", [["true", "false"], ["True", "False"], ["FALSE", "TRUE"]])
    def test_true_and_false_words(self, words: list[str]) -> None:
        spec = infer(words * 3)
        assert spec.kind is ColumnKind.BOOLEAN
        assert spec.levels == tuple(sorted(words))

    def test_booleans_as_objects_with_missing(self) -> None:
        spec = infer(pd.Series([True, None, False], dtype=object))
        assert (spec.kind, spec.levels, spec.missing) == (ColumnKind.BOOLEAN, (False, True), MissingKind.NONE)

    def test_prose_is_free_text_and_says_what_to_do(self) -> None:
        spec = infer([f"the customer called {i} times" for i in range(50)])
        assert spec.kind is ColumnKind.TEXT
        assert "drop the column" in spec.reason

    def test_numbers_beside_a_word_are_numbers(self) -> None:
        cells = [str(i) for i in range(95)] + ["94"] + ["?"] * 5
        spec = infer(cells)
        assert (spec.kind, spec.marks, spec.low, spec.high) == (ColumnKind.NUMERIC, ("?",), 0, 94)
        assert infer(cells, overrides={"x": "categorical"}).kind is ColumnKind.CATEGORICAL
        assert infer([*cells[:95], "?"], overrides={"x": "numeric"}).marks == ("?",)

    def test_a_few_numbers_beside_a_word_are_categories(self) -> None:
        spec = infer([str(i) for i in range(9, 13)] * 20 + ["other"])
        assert spec.kind is ColumnKind.CATEGORICAL
        assert spec.levels == ("10", "11", "12", "9", "other")

    def test_string_dtype(self) -> None:
        spec = infer(pd.array(["a", None, "b"], dtype="string"))
        assert (spec.kind, spec.dtype, spec.missing) == (ColumnKind.CATEGORICAL, "string", MissingKind.NA)


class TestIds:
    def test_distinct_words_without_spaces(self) -> None:
        assert infer([f"N{i * 37}" for i in range(30)]).kind is ColumnKind.ID

    @pytest.mark.parametrize("values", [range(30), range(100, 400, 10), range(30, 0, -1)])
    def test_counters(self, values: range) -> None:
        assert infer(list(values)).kind is ColumnKind.ID

    def test_distinct_measurements_are_no_id(self) -> None:
        assert infer(np.random.default_rng(0).choice(10**6, 100, replace=False)).kind is ColumnKind.NUMERIC

    @pytest.mark.parametrize("name", ["id", "customer_id", "customerId", "PassengerID", "Unnamed: 0", "uuid"])
    def test_the_name_says_id(self, name: str) -> None:
        values = np.random.default_rng(0).choice(10**6, 100, replace=False)
        assert infer_schema(pd.DataFrame({name: values}))[name].kind is ColumnKind.ID

    @pytest.mark.parametrize("name", ["paid", "humidity", "grid", "valid", "liquid", "rapid"])
    def test_words_that_end_like_id(self, name: str) -> None:
        values = np.random.default_rng(0).choice(10**6, 100, replace=False)
        assert infer_schema(pd.DataFrame({name: values}))[name].kind is ColumnKind.NUMERIC

    def test_a_run_of_years_is_no_id(self) -> None:
        assert infer_schema(pd.DataFrame({"year": range(1980, 2020)}))["year"].kind is ColumnKind.NUMERIC

    def test_few_rows_say_nothing(self) -> None:
        assert infer([1, 2, 3]).kind is ColumnKind.NUMERIC
        assert infer(["a", "b", "c"]).kind is ColumnKind.CATEGORICAL


class TestCategoriesAndConstants:
    def test_category_dtype_keeps_unused_levels_and_order(self, mixed_table: pd.DataFrame) -> None:
        spec = infer_schema(mixed_table)["size"]
        assert (spec.levels, spec.ordered, spec.level_dtype, spec.dtype) == (
            ("S", "M", "L"),
            True,
            "object",
            "category",
        )

    def test_all_missing(self) -> None:
        assert infer([None, None]).levels == ()
        assert infer([np.nan, np.nan]).kind is ColumnKind.CONSTANT

    def test_one_value_and_missing_is_no_constant(self) -> None:
        assert infer([1.0, np.nan, 1.0]).kind is ColumnKind.NUMERIC
        assert infer(["a", None]).kind is ColumnKind.CATEGORICAL

    def test_constant_datetime_is_iso_text(self) -> None:
        assert infer(pd.DatetimeIndex(["2020-01-02"] * 3)).levels == ("2020-01-02T00:00:00",)


class TestDeclarations:
    def test_fields_without_a_kind(self) -> None:
        spec = infer([1, 2, 3], overrides={"x": {"low": 0}})
        assert (spec.kind, spec.low, spec.high, spec.reason) == (ColumnKind.NUMERIC, 0, 3, "declared")

    @pytest.mark.parametrize(
        ("values", "override", "message"),
        [
            (["a", "b"], "numeric", "declared numeric, but holds text"),
            ([1.5, 2.5], "datetime", "declared datetime, but holds numbers"),
            ([1, 2], "constant", "its values differ"),
            ([1, 2], "float", "unknown kind 'float'; the kinds are numeric, "),
            ([1, 2], {"lower": 0}, "unknown schema keys"),
            ([1, np.inf], "id", "infinite"),
        ],
    )
    def test_contradictions(self, values: list[Any], override: Any, message: str) -> None:
        with pytest.raises(SchemaError, match=message):
            infer(values, overrides={"x": override})

    def test_unknown_column(self) -> None:
        with pytest.raises(SchemaError, match=r"no column 'y'.*has 'x'"):
            infer([1, 2], discrete_columns=["y"])

    def test_text_of_numbers_as_day_first_dates(self) -> None:
        spec = infer(["03/04/2020", "05/06/2021"], overrides={"x": {"kind": "datetime", "format": "%d/%m/%Y"}})
        assert (spec.low, spec.format) == ("2020-04-03T00:00:00", "%d/%m/%Y")


REFUSED = {
    "infinite": [1.0, np.inf],
    "mixes": [1, "a"],
    "complex128": [1 + 2j, 0j],
    "list objects": [[1], [2]],
    "period": pd.Series(pd.period_range("2020", periods=3)),
    "timedelta": pd.Series(pd.timedelta_range("1s", periods=3)),
    "interval": pd.Series(pd.interval_range(0, 3)),
    "date objects.*to_datetime": [datetime.date(2020, 1, 1)],
    "bytes objects": [b"a", b"b"],
    "sparse; make it dense": pd.Series(pd.arrays.SparseArray([1, 0, 2])),
    "its categories are": pd.Series(pd.Categorical([1, "a"], categories=[1, "a"])),
}


@pytest.mark.parametrize(("message", "values"), REFUSED.items(), ids=REFUSED)
def test_cells_without_a_kind_are_refused_by_name(message: str, values: Any) -> None:
    with pytest.raises(SchemaError, match=rf"'x'.*{message}"):
        infer(values if isinstance(values, pd.Series) else pd.Series(values))


def test_tables_that_are_none() -> None:
    with pytest.raises(SchemaError, match="at least one column"):
        infer_schema(pd.DataFrame(index=range(3)))
    with pytest.raises(SchemaError, match="at least one row"):
        infer_schema(pd.DataFrame({"x": []}))
    with pytest.raises(SchemaError, match="repeated: 'a'"):
        infer_schema(pd.DataFrame([[1, 2]], columns=["a", "a"]))
    with pytest.raises(SchemaError, match="strings or integers"):
        infer_schema(pd.DataFrame({("a", "b"): [1]}))


CELLS = {
    "int": st.integers(-(2**63), 2**63 - 1),
    "float": st.floats(allow_nan=True, allow_infinity=True),
    "bool": st.booleans(),
    "text": st.text(max_size=12),
    "datetime": st.datetimes(datetime.datetime(1700, 1, 1), datetime.datetime(2250, 1, 1)),
}


@st.composite
def tables(draw: st.DrawFn) -> pd.DataFrame:
    n_rows = draw(st.integers(1, 30))
    columns = {}
    for name in draw(st.lists(st.text(max_size=5) | st.integers(0, 5), min_size=1, max_size=4, unique=True)):
        kind = draw(st.sampled_from(list(CELLS)))
        cells = draw(st.lists(CELLS[kind] | st.none(), min_size=n_rows, max_size=n_rows))
        series = pd.Series(cells, dtype=object)
        if draw(st.booleans()):
            series = pd.Series(cells) if kind != "datetime" else pd.to_datetime(series)
        if draw(st.booleans()):
            series = series.astype("category")
        columns[name] = series
    return pd.DataFrame(columns)


@given(tables())
def test_any_table_is_described_or_refused_on_purpose(table: pd.DataFrame) -> None:
    try:
        schema = infer_schema(table)
    except SynthganError as error:
        assert len(str(error)) > 20  # noqa: PT017 - the point is that nothing else is raised
    else:
        assert schema.names == list(table.columns)
        assert Schema.from_dict(schema.to_dict()) == schema


def test_numbers_of_single_precision_lie_on_no_grid_and_cents_do() -> None:
    rng = np.random.default_rng(0)
    single = pd.read_csv(io.StringIO(pd.Series(rng.gamma(2, 50, 500).astype(np.float32), name="x").to_csv(index=False)))
    assert infer_schema(single)["x"].decimals is None
    for most, outlier in ((99_999, 250_000.0), (6000, 200_000.0), (900_000, 0.0)):
        cents = pd.DataFrame({"x": np.append(rng.uniform(0, most, 2000).round(2), outlier)})
        assert infer_schema(cents)["x"].decimals == 2
