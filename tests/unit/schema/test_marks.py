"""Columns of numbers in which a few words stand where there is no number."""

from __future__ import annotations

import logging
import zipfile
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from synthgan import CTGAN, SynthGAN, load
from synthgan.augmentation import augment
from synthgan.encoding import TableEncoder
from synthgan.errors import ConditionError, SchemaError
from synthgan.evaluation import evaluate
from synthgan.schema import ColumnKind, ColumnSpec, Schema, infer_schema
from synthgan.schema.marks import MAX_MARKS, find_marks

NUMBERS = [str(number) for number in range(100, 130)]
N = 500


def rain() -> pd.DataFrame:
    """Millimetres, with "T" for a trace of rain on dry days, and "?" where the gauge was broken."""
    stream = np.random.default_rng(0)
    dry = stream.random(N) < 0.5
    amount = np.array([f"{number:.2f}" for number in stream.gamma(2, 4, N)], dtype=object)
    amount[dry & (stream.random(N) < 0.6)] = "T"
    amount[stream.random(N) < 0.1] = "?"
    amount[stream.random(N) < 0.05] = None
    amount[3] = "Hagelschlag"
    return pd.DataFrame({"rain": amount, "sky": np.where(dry, "clear", "cloudy")})


@pytest.fixture(scope="module")
def table() -> pd.DataFrame:
    return rain()


@pytest.fixture(scope="module")
def model(table: pd.DataFrame) -> SynthGAN:
    return SynthGAN(epochs=150, hidden_dim=64, random_state=0).fit(table)


@pytest.mark.parametrize(
    ("words", "wanted"),
    [
        (["?"] * 10, ("?",)),
        (["<100"] * 4 + [" > 200"], ("<100", " > 200")),
        (["b", "a"], ("a", "b")),
        (["29a"], None),  # a name, and so are the numbers
        (["2020-01-01"], None),
        (["?"] * 31, ("?",)),
        (["?"] * 271, None),  # hardly any numbers
        ([f"w{chr(97 + i)}" for i in range(MAX_MARKS + 1)], None),
        ([], None),
    ],
)
def test_words_beside_numbers(words: list[str], wanted: tuple[str, ...] | None) -> None:
    assert find_marks(pd.Series(NUMBERS + words, dtype=object)) == wanted
    assert find_marks(pd.Series(NUMBERS[:9] + words, dtype=object)) is None, "few numbers are categories"
    assert find_marks(pd.Series(["007", *NUMBERS, *words], dtype=object)) is None, "the name of an agent"


@pytest.mark.parametrize(
    ("numbers", "format"),
    [
        ([f"{number / 7:.3e}" for number in range(40)], "%g"),
        ([f"{number / 4:.2f}" for number in range(40)] + ["0.123456789"], "%.2f"),
        ([f"{number}.0" for number in range(40)] * 2, "%.1f"),
        ([repr(number / 10) for number in range(40)] + ["0.28000000000000003", "7.0000000000000007E-2"], "%.1f"),
        ([f"{number / 8:g}" for number in range(40)] + ["0.28000000000000003"], "%g"),
        ([f"{number / 10:.2f}" for number in range(40)] + ["0.125", "0.375", "0.625"], "%g"),  # too many to round
    ],
)
def test_odd_ways_to_write(numbers: list[str], format: str) -> None:
    frame = pd.DataFrame({"x": [*numbers, "?"]})
    schema = infer_schema(frame)
    assert schema["x"].format == format
    assert format != "%.2f" or schema["x"].decimals == 2
    encoder = TableEncoder.fit(frame, schema)
    again = encoder.decode(encoder.encode(frame))["x"]
    assert again.iloc[-1] == "?"
    assert again.iloc[:-1].astype(float).to_numpy() == pytest.approx(
        np.array(numbers, float), abs=0.05 if format == "%.1f" else 0.005
    )


def test_numbers_that_are_too_large_are_no_numbers() -> None:
    assert infer_schema(pd.DataFrame({"x": [*NUMBERS, "1e999", "?"]}))["x"].marks is None
    few = infer_schema(pd.DataFrame({"x": ["1", "2", "?"] * 30}), {"x": "numeric"})["x"]
    assert (few.kind, few.marks, few.high) == (ColumnKind.NUMERIC, ("?",), 2)


def test_numbers_that_name_the_row_are_no_amounts() -> None:
    cards = [f"{4000_0000_0000_0000 + 7919 * number}" for number in range(60)]
    for frame in (pd.DataFrame({"card": [*cards, "?"]}), pd.DataFrame({"customer_id": [*NUMBERS, "none", "none"]})):
        (spec,) = infer_schema(frame)
        assert spec.kind is not ColumnKind.NUMERIC
        assert spec.marks is None


WORDS = st.sampled_from(["?", "n/a", "T", "<1", "inf", "-"])


@given(
    numbers=st.lists(st.integers(-(10**6), 10**6), min_size=25, max_size=40, unique=True),
    words=st.lists(WORDS, min_size=1, max_size=20),
    format=st.sampled_from(["%d", "%.2f", "%g", "%r"]),
    dtype=st.sampled_from(["object", "string"]),
    holes=st.integers(0, 3),
)
def test_what_was_written_comes_back(numbers: list[int], words: list[str], format: str, dtype: str, holes: int) -> None:
    written = {
        "%d": [str(number) for number in numbers],
        "%.2f": [f"{number / 100:.2f}" for number in numbers],
        "%g": [repr(number / 100).removesuffix(".0") for number in numbers],
        "%r": [repr(number / 100) for number in numbers],
    }
    cells = [*words, *2 * written[format], *[None if dtype == "object" else pd.NA] * holes]
    frame = pd.DataFrame({"x": pd.Series(cells, dtype=dtype)})
    schema = infer_schema(frame)
    assert schema["x"].kind is ColumnKind.NUMERIC
    assert set(schema["x"].marks or ()) == set(words)
    encoder = TableEncoder.fit(frame, schema)
    pd.testing.assert_frame_equal(encoder.decode(encoder.encode(frame)), frame)
    again = TableEncoder.from_state(Schema.from_dict(schema.to_dict()), encoder.state())
    pd.testing.assert_frame_equal(again.decode(again.encode(frame)), frame)


def test_words_are_learned_with_the_row(table: pd.DataFrame, model: SynthGAN) -> None:
    rows = model.sample(4000, random_state=0)
    for sky, part in table.groupby("sky"):
        held = rows.loc[rows["sky"] == sky, "rain"]
        for word in ("T", "?"):
            share = (part["rain"] == word).mean()
            error = 3 * np.sqrt(max(share, 0.05) * (1 - share) / len(part))  # as far as that many rows can tell it
            assert (held == word).mean() == pytest.approx(share, abs=error), (sky, word)
    texts = rows["rain"].dropna()
    assert texts[~texts.isin(["T", "?"])].str.fullmatch(r"\d+\.\d\d").all()
    assert 0 < rows["rain"].isna().mean() < 0.15


def test_a_word_that_few_rows_hold_is_in_no_file(model: SynthGAN, tmp_path: Path) -> None:
    assert model.schema_["rain"].marks == ("T", "?")
    model.save(tmp_path / "m.synthgan")
    with zipfile.ZipFile(tmp_path / "m.synthgan") as file:
        assert not any(b"Hagel" in file.read(name) for name in file.namelist())
    rows = load(tmp_path / "m.synthgan").sample(50, random_state=1)
    pd.testing.assert_frame_equal(rows, model.sample(50, random_state=1))


@pytest.mark.parametrize(
    ("wanted", "allowed"),
    [
        ("T", {"T"}),
        ({"T", "?"}, {"T", "?"}),
        ({"?"}, {"?"}),
        ({"T", None}, {"T", None}),
        ({1.25, 2.5}, {"1.25", "2.50"}),
        (None, {None}),
    ],
)
def test_conditions_name_words(model: SynthGAN, wanted: Any, allowed: set[str | None]) -> None:
    rows = model.sample(200, conditions={"rain": wanted}, random_state=0)
    assert set(rows["rain"].astype(object).where(rows["rain"].notna(), None)) == allowed


def test_other_conditions(model: SynthGAN, table: pd.DataFrame) -> None:
    within = model.sample(200, conditions={"rain": (2, 3)}, random_state=0)["rain"].astype(float)
    assert within.between(2, 3).all()
    given = pd.DataFrame({"rain": ["T", "2.50", None, "?"], "sky": ["cloudy", None, "clear", "cloudy"]})
    rows = model.sample(conditions=given, random_state=0)
    assert rows["rain"].tolist()[:2] == ["T", "2.50"]
    assert rows["rain"].iloc[3] == "?"
    given = pd.DataFrame({"rain": ["?"] * 100 + ["2.50"] * 100})
    assert model.sample(conditions=given, random_state=0)["rain"].equals(given["rain"])
    with pytest.raises(ConditionError, match="'Hagelschlag' is none"):
        model.sample(5, conditions={"rain": "Hagelschlag"})


def test_imputing_and_scoring(model: SynthGAN, table: pd.DataFrame) -> None:
    filled = model.impute(table, random_state=0)["rain"]
    held = table["rain"].notna()
    assert filled[held].equals(table.loc[held, "rain"]), "words stay, the one that is not known too"
    assert filled[~held].str.fullmatch(r"\d+\.\d\d").all()
    assert np.isfinite(model.score_samples(table)).all()
    assert np.isfinite(model.score_samples(pd.DataFrame({"rain": [1.5], "sky": ["clear"]}))).all()


def test_a_column_without_any_word_left_is_still_text() -> None:
    frame = pd.DataFrame({"x": [*NUMBERS * 3, "?"]})
    model = SynthGAN(epochs=1, hidden_dim=8, random_state=0).fit(frame)
    assert model.schema_["x"].marks is None
    held = model.sample(50, random_state=0)["x"].dropna()
    assert held.map(type).eq(str).all()
    assert held.astype(int).between(100, 129).all()


def test_everywhere_else(table: pd.DataFrame, caplog: pytest.LogCaptureFixture) -> None:
    report = evaluate(table, table.sample(frac=1, random_state=0), target="sky")
    assert next(metric.value for metric in report.headline if metric.name == "ColumnShapes") == pytest.approx(1.0)
    more = augment(table, "sky", generator=SynthGAN(epochs=1, hidden_dim=8), random_state=0)
    pd.testing.assert_frame_equal(more[list(table)].iloc[:N].reset_index(drop=True), table)
    assert set(more["rain"].iloc[N:].dropna().map(type)) <= {str}
    rows = CTGAN(epochs=1, random_state=0).fit(table).sample(100, random_state=0)
    assert rows["rain"].dropna().map(type).eq(str).all()
    with caplog.at_level(logging.WARNING):
        SynthGAN(epochs=1, hidden_dim=8, random_state=0).fit(pd.DataFrame({"house": [*NUMBERS * 2, "7a"]}))
    assert "'house' holds numbers, but '7a' too" in caplog.text
    houses = pd.DataFrame({"house": [*NUMBERS * 2, "7a"]})
    assert infer_schema(houses)["house"].warning()
    assert not infer_schema(houses, {"house": "categorical"})["house"].warning(), "who says so knows"


@pytest.mark.parametrize(
    ("fields", "word"),
    [
        ({"marks": ["?"]}, "format"),
        ({"marks": [], "format": "%d"}, "1 to 10"),
        ({"marks": ["?", "?"], "format": "%d"}, "different"),
        ({"marks": ["12"], "format": "%d"}, "no numbers"),
        ({"marks": ["+5"], "format": "%d"}, "no numbers"),
        ({"marks": [" "], "format": "%d"}, "words"),
        ({"format": "%s%s"}, "written"),
        ({"format": "%.\u0663f"}, "written"),
        ({"format": "%.2f", "dtype": "float64"}, "only text"),
        ({"marks": ["?"], "format": "%d", "kind": "categorical"}, "beside numbers"),
    ],
)
def test_schemas_that_cannot_be(fields: dict[str, Any], word: str) -> None:
    with pytest.raises(SchemaError, match=word):
        ColumnSpec.from_dict({"name": "x", "kind": "numeric", "dtype": "object"} | fields)


def test_words_that_a_schema_does_not_know(table: pd.DataFrame) -> None:
    schema = infer_schema(table.drop(index=3).reset_index(drop=True))
    with pytest.raises(SchemaError, match="'rain' holds 'Hagelschlag', which is neither a number nor one of its marks"):
        SynthGAN(epochs=1, hidden_dim=8).fit(table, schema=schema)
    with pytest.raises(SchemaError, match="'rain' is numeric in the schema, but no cell holds a number"):
        SynthGAN(epochs=1, hidden_dim=8).fit(table.assign(rain="T"), schema=schema)


def test_exact_counts_of_a_target_with_words(table: pd.DataFrame) -> None:
    model = SynthGAN(epochs=1, hidden_dim=8, random_state=0).fit(table, target="rain")
    rows = model.sample(class_counts={"T": 3, "?": 2, 1.5: 1}, random_state=0)
    assert rows["rain"].tolist() == ["T"] * 3 + ["?"] * 2 + ["1.50"]


def test_a_set_of_words_and_numbers(model: SynthGAN) -> None:
    rows = model.sample(3000, conditions={"rain": {"?", 2.5, 2.51, 2.52, None}, "sky": "cloudy"}, random_state=0)
    assert set(rows["rain"].dropna()) <= {"?", "2.50", "2.51", "2.52"}
    assert {"?"} < set(rows["rain"].dropna())
    assert rows["rain"].isna().any()
