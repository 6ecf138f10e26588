"""Schemas in files come back as they were, and damaged ones are refused."""

from __future__ import annotations

import dataclasses
import math
from datetime import datetime
from pathlib import Path

import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from synthgan.errors import InputError, SchemaError
from synthgan.schema import (
    ColumnKind,
    ColumnSpec,
    MissingKind,
    Schema,
    complete_schema,
    infer_schema,
    read_schema,
    write_schema,
)
from synthgan.schema.files import to_toml

scalars = (
    st.text(max_size=8)
    | st.integers(-(2**63), 2**64)
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.booleans()
)
specs = st.builds(
    ColumnSpec,
    name=st.text(max_size=8) | st.integers(0, 100),
    kind=st.sampled_from(ColumnKind),
    dtype=st.sampled_from(["int64", "object", "datetime64[ns, UTC]"]),
    reason=st.text(max_size=20),
    missing=st.none() | st.sampled_from(MissingKind),
    levels=st.none() | st.lists(scalars, max_size=4).map(tuple),
    ordered=st.booleans(),
    decimals=st.none() | st.integers(0, 9),
    step=st.integers(1, 100),
)


def with_bounds(spec: ColumnSpec, numbers: list[float], texts: tuple[str, str]) -> ColumnSpec:
    low, high = texts if spec.kind is ColumnKind.DATETIME else sorted(numbers)
    return dataclasses.replace(spec, low=low, high=high)


times = st.datetimes(datetime(1900, 1, 1), datetime(2200, 1, 1)).map(datetime.isoformat)
numbers = st.lists(st.floats(allow_nan=False) | st.integers(), min_size=2, max_size=2)
specs = specs | st.builds(with_bounds, specs, numbers, st.tuples(times, times))
schemas = st.lists(specs, min_size=1, max_size=5, unique_by=lambda spec: spec.name).map(lambda s: Schema(tuple(s)))


@given(schema=schemas, suffix=st.sampled_from([".toml", ".json"]))
def test_round_trip(tmp_path_factory: pytest.TempPathFactory, schema: Schema, suffix: str) -> None:
    path = tmp_path_factory.getbasetemp() / f"schema{suffix}"
    write_schema(schema, path)
    back = read_schema(path)
    assert back == schema
    # 1 == 1.0 == True: compare the types too
    assert [type(v) for c in back for v in (c.name, c.low, *(c.levels or ()))] == [
        type(v) for c in schema for v in (c.name, c.low, *(c.levels or ()))
    ]


def test_an_inferred_schema_survives_an_edit(tmp_path: Path, mixed_table: pd.DataFrame) -> None:
    path = tmp_path / "schema.toml"
    write_schema(infer_schema(mixed_table), path)
    path.write_text(path.read_text().replace("high = 89\n", "high = 120\n"))
    assert read_schema(path)["age"].high == 120


def test_infinite_numbers_are_written() -> None:
    assert "low = -inf" in to_toml(Schema((ColumnSpec("x", ColumnKind.NUMERIC, "float64", low=-math.inf),)))


@pytest.mark.parametrize(
    ("name", "content", "message"),
    [
        ("s.toml", "columns = [", "not valid TOML"),
        ("s.json", "{", "not valid JSON"),
        ("s.json", "[]", "one list, 'columns'"),
        ("s.toml", "columns = 3", "one list, 'columns'"),
        ("s.toml", "[[columns]]\nname = 'a'", "keys .*are required"),
        ("s.toml", "[[columns]]\nname = 'a'\nkind = 'odd'\ndtype = 'x'", "'odd' is not a valid ColumnKind"),
        ("s.toml", "[[columns]]\nname = 'a'\nkinds = 'id'", "unknown schema keys"),
        ("s.yaml", "", "ends in .toml or .json"),
    ],
)
def test_damaged_files(tmp_path: Path, name: str, content: str, message: str) -> None:
    (tmp_path / name).write_text(content)
    with pytest.raises(InputError, match=message):
        read_schema(tmp_path / name)


def test_absent_file_and_unwritable_folder(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="cannot read"):
        read_schema(tmp_path / "none.toml")
    with pytest.raises(InputError, match="cannot write"):
        write_schema(Schema(()), tmp_path / "none" / "s.toml")
    with pytest.raises(SchemaError, match="not valid Unicode"):
        write_schema(Schema((ColumnSpec("\ud800", ColumnKind.ID, "object"),)), tmp_path / "s.toml")


@pytest.mark.parametrize(
    ("edit", "message"),
    [
        (("decimals = 2", 'decimals = "two"'), "the schema's 'decimals' cannot be 'two'"),
        (("decimals = 2", "decimals = 99"), "decimals are 0 to 18"),
        (("decimals = 2", "decimals = true"), "the schema's 'decimals' cannot be True"),
        (('name = "amount"', "name = [1]"), "the schema's 'name' cannot be"),
        (("high = 49.99", "high = -1"), "which is not below high"),
        (("high = 49.99", 'high = "a lot"'), "low and high are numbers"),
        (('levels = ["S", "M", "L"]', 'levels = "S"'), "the schema's 'levels' cannot be 'S'"),
    ],
)
def test_edits_that_make_no_sense(
    tmp_path: Path, mixed_table: pd.DataFrame, edit: tuple[str, str], message: str
) -> None:
    path = tmp_path / "schema.toml"
    mixed_table.loc[0, "amount"] = 49.99
    write_schema(infer_schema(mixed_table), path)
    assert edit[0] in path.read_text()
    path.write_text(path.read_text().replace(*edit))
    with pytest.raises(SchemaError, match=message):
        read_schema(path)


def test_what_an_edit_leaves_open_is_filled_in() -> None:
    frame = pd.DataFrame({"code": [3, 1, 1, None], "day": ["2020-01-02", None, "2021-01-01", "2020-01-02"]})
    schema = Schema(
        (
            ColumnSpec("code", ColumnKind.CATEGORICAL, "float64", low=1.0, high=3.0, decimals=0),
            ColumnSpec("day", ColumnKind.DATETIME, "object", high="2030-01-01T00:00:00"),
        )
    )
    code, day = complete_schema(frame, schema)
    assert (code.levels, code.missing, code.decimals) == ((1.0, 3.0), MissingKind.NAN, None)
    assert (day.low, day.high, day.format) == ("2020-01-02T00:00:00", "2030-01-01T00:00:00", "%Y-%m-%d")
    complete = infer_schema(frame)
    assert complete_schema(frame, complete) == complete
    with pytest.raises(SchemaError, match="declared numeric, but holds text"):
        complete_schema(frame, Schema((ColumnSpec("day", ColumnKind.NUMERIC, "object"),)))
