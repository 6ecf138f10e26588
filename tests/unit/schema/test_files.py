"""Schemas in files come back as they were, and damaged ones are refused."""

from __future__ import annotations

import math
from pathlib import Path

import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from synthgan.errors import InputError, SchemaError
from synthgan.schema import ColumnKind, ColumnSpec, MissingKind, Schema, infer_schema, read_schema, write_schema
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
    low=st.none() | st.floats(allow_nan=False) | st.integers(),
    high=st.none() | st.text(max_size=8),
)
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
