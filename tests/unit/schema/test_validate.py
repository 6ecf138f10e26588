"""A table that fits its schema passes in the schema's order; any other is refused by column."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
import pytest

from synthgan.errors import SchemaError
from synthgan.schema import infer_schema, validate


def test_the_table_itself_fits_in_any_column_order(mixed_table: pd.DataFrame) -> None:
    schema = infer_schema(mixed_table)
    pd.testing.assert_frame_equal(validate(mixed_table[mixed_table.columns[::-1]], schema), mixed_table)


def test_new_categories_and_missing_cells_fit() -> None:
    schema = infer_schema(pd.DataFrame({"a": ["x", "y"], "b": [1, 2]}))
    frame = pd.DataFrame({"a": ["z", None], "b": [np.nan, 7.5]})
    assert validate(frame, schema).equals(frame)


def test_integer_levels_read_back_as_floats_fit() -> None:
    schema = infer_schema(pd.DataFrame({"code": [1, 2]}), discrete_columns=["code"])
    frame = pd.DataFrame({"code": [1.0, np.nan]})
    assert validate(frame, schema).equals(frame)


@pytest.mark.parametrize(
    ("seen", "given", "message"),
    [
        ([1, 2], ["1", "two"], "'x' is numeric .*holds text values"),
        (["a", "b"], [1, 2], "'x' is categorical .*holds int values"),
        (["2020-01-01", "2020-01-02"], pd.DatetimeIndex(["2020-01-01"]), "'x' is datetime"),
        (pd.DatetimeIndex(["2020-01-01", "2021-01-01"]), ["2020-01-01"], "'x' is datetime"),
        ([1.5, 2.5], [np.inf, 1.0], "infinite"),
        (pd.Categorical(["a", "b"]), pd.Categorical([1, 2]), "'x' is categorical"),
    ],
)
def test_other_types_do_not_fit(seen: Any, given: Any, message: str) -> None:
    schema = infer_schema(pd.DataFrame({"x": seen}))
    with pytest.raises(SchemaError, match=message):
        validate(pd.DataFrame({"x": given}), schema)


def test_numbers_written_as_text_are_read() -> None:
    schema = infer_schema(pd.DataFrame({"x": ["1.5", " ", "3", "4"]}))
    assert validate(pd.DataFrame({"x": ["2", "2.5"]}), schema)["x"].tolist() == [2.0, 2.5]


def test_other_columns_do_not_fit() -> None:
    schema = infer_schema(pd.DataFrame({"a": [1, 2], "b": [1, 2]}))
    with pytest.raises(SchemaError, match="'c' are not in the schema"):
        validate(pd.DataFrame({"a": [1], "b": [2], "c": [3]}), schema)
    with pytest.raises(SchemaError, match="'b' are missing"):
        validate(pd.DataFrame({"a": [1]}), schema)
