"""What `--where` and `--class-counts` say is what is meant, or the error says why not."""

from __future__ import annotations

from typing import Any

import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st
from synthgan_cli.where import parse_class_counts, parse_where

from synthgan.errors import ConditionError
from synthgan.schema import ColumnKind, ColumnSpec, Schema, infer_schema

SCHEMA = infer_schema(
    pd.DataFrame(
        {
            "income": ["<=50K", ">50K", ">50K", "<=50K"],
            "age": [17, 90, 35, 35],
            "weight": [0.5, 1.25, -3.0, 9.9],
            "odd": ["a|b", "a", "1..2", "b"],
            "smoker": [True, False, None, True],
            "word": ["yes", "no", "no", "yes"],
            "size": pd.Categorical(["S", "M", "L", "M"], categories=["S", "M", "L"], ordered=True),
            "code": [1.0, 2.0, None, 2.0],
            "day": pd.to_datetime(["2020-01-01", "2021-01-01", "2020-05-05", "2020-06-06"]),
            "seen": ["01.02.2020 10:00", "03.04.2020 12:30", "05.06.2020 01:01", "05.06.2020 01:02"],
            "a=b": ["x", "y", "x", "y"],
            "flag": ["true", "false", "true", "true"],
            7: [1, 2, 3, 1],
        }
    ),
    discrete_columns=["code"],
)


@pytest.mark.parametrize(
    ("text", "column", "condition"),
    [
        ("income=>50K", "income", ">50K"),
        ("income=<=50K", "income", "<=50K"),
        ("income=>50K|<=50K", "income", {">50K", "<=50K"}),
        (" income = >50K ", "income", ">50K"),
        ("age=35", "age", 35),
        ("age=18..30", "age", (18, 30)),
        ("age=18..", "age", (18, None)),
        ("age=..30", "age", (None, 30)),
        ("age=18|20", "age", {18, 20}),
        ("weight=-3.0..-1", "weight", (-3.0, -1)),
        ("weight=1e-1", "weight", 0.1),
        ("odd=a|b", "odd", "a|b"),
        ("odd=1..2", "odd", "1..2"),
        ("odd=b|a", "odd", {"a", "b"}),
        ("income=", "income", None),
        ("odd=a|", "odd", {"a", None}),
        ("smoker=true", "smoker", True),
        ("smoker=No", "smoker", False),
        ("smoker=True", "smoker", True),
        ("flag=TRUE", "flag", "true"),
        ("word=yes", "word", "yes"),
        ("size=S..M", "size", {"S", "M"}),
        ("size=M..", "size", {"M", "L"}),
        ("code=1", "code", 1.0),
        ("code=1.0|2", "code", {1.0, 2.0}),
        ("day=2020-05-05", "day", "2020-05-05"),
        ("day=2020-01-01..2020-06-01", "day", ("2020-01-01", "2020-06-01")),
        ("seen=2020-02-01", "seen", ("2020-02-01", "2020-02-01")),
        ("seen=2020-02-01T10:00", "seen", pd.Timestamp("2020-02-01 10:00")),
        ("seen=01.02.2020 10:00..", "seen", (pd.Timestamp("2020-02-01 10:00"), None)),
        ("a=b=x", "a=b", "x"),
        ("7=2", 7, 2),
    ],
)
def test_forms(text: str, column: str | int, condition: Any) -> None:
    parsed = parse_where([text], SCHEMA)
    assert parsed == {column: condition}
    assert type(parsed[column]) is type(condition)


def test_several_columns() -> None:
    assert parse_where(["age=..30", "income=>50K"], SCHEMA) == {"age": (None, 30), "income": ">50K"}


@pytest.mark.parametrize(
    ("texts", "message"),
    [
        (["income"], "column=value, column=a|b or column=low..high; got 'income'"),
        (["incme=>50K"], "no column 'incme' in the model; did you mean 'income'"),
        (["zzz=1"], "no column 'zzz' in the model; it has 'income', 'age'"),
        (["age=18", "age=20"], "names 'age' twice; write age=a|b"),
        (["income=>50k"], "'income' has no value '>50k'; did you mean '>50K'"),
        (["age=old"], "'age' is numeric; 'old' is no number"),
        (["age=nan"], "'age' is numeric; 'nan' is no number"),
        (["age=30..18"], "the range 30..18 of 'age' ends before it begins"),
        (["size=L..S"], "the range L..S of 'size' ends before it begins"),
        (["income=a..b"], "'income' is categorical without an order, so it has no range"),
        (["smoker=maybe"], "'smoker' has no value 'maybe'; it has 'true', 'false'"),
        (["day=soon"], "'day' is a datetime; cannot read 'soon', write e.g. 2020-12-31T18:30"),
        (["day=2020-02-30"], "cannot read '2020-02-30'"),
        (["day=2021-01-01..2020-01-01"], "ends before it begins"),
    ],
)
def test_errors_say_what_there_is(texts: list[str], message: str) -> None:
    with pytest.raises(ConditionError) as caught:
        parse_where(texts, SCHEMA)
    assert message in str(caught.value)


@given(st.lists(st.text(min_size=1, max_size=8), min_size=1, max_size=5, unique=True), st.text(max_size=5))
def test_every_level_can_be_named(levels: list[str], name: str) -> None:
    """Whatever a level holds, spaces around it aside, `column=level` means it."""
    levels = [level for level in levels if level.strip() == level] or ["x"]
    schema = Schema((ColumnSpec(name.strip(), ColumnKind.CATEGORICAL, "object", levels=tuple(levels)),))
    for level in levels:
        assert parse_where([f"{name.strip()}={level}"], schema) == {name.strip(): level}


class TestClassCounts:
    def test_labels_with_signs(self) -> None:
        assert parse_class_counts(">50K=500,<=50K=400", SCHEMA["income"]) == {">50K": 500, "<=50K": 400}
        assert parse_class_counts("<=50K=1", SCHEMA["income"]) == {"<=50K": 1}

    def test_labels_get_the_columns_type(self) -> None:
        assert parse_class_counts("true=3, no=4", SCHEMA["smoker"]) == {True: 3, False: 4}
        assert parse_class_counts("1=3,2=0", SCHEMA["code"]) == {1.0: 3, 2.0: 0}

    @pytest.mark.parametrize(
        ("text", "message"),
        [
            (">50K", "label=count,label=count; cannot read '>50K'"),
            (">50K=x", "cannot read"),
            (">50K=5,,", "cannot read ','"),
            ("", "cannot read ''"),
            (">60K=5", "no value '>60K'; did you mean '>50K'"),
            (">50K=5,>50K=6", "names '>50K' twice"),
        ],
    )
    def test_errors(self, text: str, message: str) -> None:
        with pytest.raises(ConditionError) as caught:
            parse_class_counts(text, SCHEMA["income"])
        assert message in str(caught.value)
