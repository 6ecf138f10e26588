"""Every sampled row satisfies its conditions, however little the model has learned."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pandas as pd
import pytest

from synthgan import SynthGAN
from synthgan.errors import ConditionError, InputError

N = 4000
BERLIN = "Europe/Berlin"
Check = Callable[[pd.Series], Any]


def stamps(cells: pd.Series) -> pd.Series:
    return pd.to_datetime(cells, format="%d.%m.%Y")


CONDITIONS: list[tuple[str, Any, Check]] = [
    ("age", 40, lambda c: c == 40),
    ("age", np.int64(40), lambda c: c == 40),
    ("age", "40", lambda c: c == 40),
    ("age", {20, 40.0, 77}, lambda c: c.isin([20, 40, 77])),
    ("age", (30, 40), lambda c: c.between(30, 40)),
    ("age", (29.5, 30.2), lambda c: c == 30),
    ("age", (None, 20), lambda c: c <= 20),
    ("age", (85, None), lambda c: c >= 85),
    ("age", (None, None), lambda c: c.notna()),
    ("age", (40, 40), lambda c: c == 40),
    ("steps", (1001, 1049), lambda c: c == 1025),
    ("steps", [25, 50], lambda c: c.isin([25, 50])),
    ("price", 9.99, lambda c: c == 9.99),
    ("price", {9.99, 3.5, 12.01}, lambda c: c.isin([9.99, 3.5, 12.01])),
    ("price", (3.1, 3.2), lambda c: c.between(3.1, 3.2)),
    ("height", 170.123456789, lambda c: c == 170.123456789),
    ("height", (170.0, 170.001), lambda c: c.between(170.0, 170.001)),
    ("height", (1 / 3 + 170, 1 / 3 + 170), lambda c: c == 1 / 3 + 170),
    ("height", {160.5, 170.25}, lambda c: c.isin([160.5, 170.25])),
    ("height", (None, 160), lambda c: c <= 160),
    ("small", (0.1, 0.3), lambda c: c.astype("float64").between(0.1, 0.3)),
    ("small", 0.1, lambda c: c == np.float32(0.1)),
    ("spiked", 0, lambda c: c == 0),
    ("spiked", (0.1, None), lambda c: c > 0),
    ("spiked", {0, 1000.5}, lambda c: c.isin([0, 1000.5])),
    ("holes", None, lambda c: c.isna()),
    ("holes", np.nan, lambda c: c.isna()),
    ("holes", {None, 0.5}, lambda c: c.isna() | (c == 0.5)),
    ("holes", (-1, 0), lambda c: c.between(-1, 0)),
    ("Int", pd.NA, lambda c: c.isna()),
    ("Int", {pd.NA, None}, lambda c: c.isna()),
    ("Int", (1000, 1001), lambda c: c.between(1000, 1001).fillna(False)),
    ("Int", 7, lambda c: (c == 7).fillna(False)),
    ("Float", None, lambda c: c.isna()),
    ("Float", (0.0, None), lambda c: (c >= 0).fillna(False)),
    ("bool", True, lambda c: c),
    ("bool", "False", lambda c: ~c),
    ("Bool", None, lambda c: c.isna()),
    ("Bool", {True, False}, lambda c: c.notna()),
    ("oBool", True, lambda c: c.map(lambda cell: cell is True)),
    ("oBool", {None, False}, lambda c: c.map(lambda cell: cell is not True)),
    ("text", "rare", lambda c: c == "rare"),
    ("text", {"rare", "blue"}, lambda c: c.isin(["rare", "blue"])),
    ("oText", None, lambda c: c.map(lambda cell: cell is None)),
    ("string", "nein", lambda c: (c == "nein").fillna(False)),
    ("string", {"ja", pd.NA}, lambda c: (c == "ja").fillna(True)),
    ("category", "b", lambda c: c == "b"),
    ("category", None, lambda c: c.isna()),
    ("ordered", {"L"}, lambda c: c == "L"),
    ("ints", 3, lambda c: c == 3),
    ("ints", [1, 2], lambda c: c.isin([1, 2])),
    ("many", "shop 1", lambda c: c == "shop 1"),
    ("date", "2020-03-02", lambda c: c == pd.Timestamp("2020-03-02")),
    ("date", ("2020-03-02", "2020-03-09"), lambda c: c.between("2020-03-02", "2020-03-09")),
    (
        "date",
        {pd.Timestamp("2020-03-02"), "2020-04-01"},
        lambda c: c.isin(pd.to_datetime(["2020-03-02", "2020-04-01"])),
    ),
    ("hour", None, lambda c: c.isna()),
    ("hour", pd.Timestamp("2020-03-02 05:00"), lambda c: c == pd.Timestamp("2020-03-02 05:00")),
    ("hour", ("2020-03-02 05:30", "2020-03-03 02:00"), lambda c: c.between("2020-03-02 05:30", "2020-03-03 02:00")),
    ("hour", ("2020-03-02", "2020-03-02"), lambda c: c.dt.normalize() == pd.Timestamp("2020-03-02")),
    ("hour", (None, "2020-03-01 12:00"), lambda c: c <= "2020-03-01 12:00"),
    ("hour", ("2020-08-10 12:00", None), lambda c: c >= "2020-08-10 12:00"),
    ("hour", {None, "2020-03-02 05:00"}, lambda c: c.isna() | (c == pd.Timestamp("2020-03-02 05:00"))),
    (
        "hour",
        {"2020-03-02 05:00", "2020-03-02 07:00", "2020-03-04 01:00"},
        lambda c: c.isin(pd.to_datetime(["2020-03-02 05:00", "2020-03-02 07:00", "2020-03-04 01:00"])),
    ),
    (
        "second",
        ("2021-06-01 10:00:00", "2021-06-01 10:00:30"),
        lambda c: c.between("2021-06-01 10:00", "2021-06-01 10:00:30"),
    ),
    ("second", "2021-06-01 10:00:07", lambda c: c == pd.Timestamp("2021-06-01 10:00:07")),
    ("berlin", pd.Timestamp("2020-05-01 10:00", tz=BERLIN), lambda c: c == pd.Timestamp("2020-05-01 08:00", tz="UTC")),
    (
        "berlin",
        (pd.Timestamp("2020-05-01 10:00", tz="UTC"), pd.Timestamp("2020-05-01 20:00", tz="UTC")),
        lambda c: c.between(pd.Timestamp("2020-05-01 10:00", tz="UTC"), pd.Timestamp("2020-05-01 20:00", tz="UTC")),
    ),
    (
        "berlin",
        ("2020-05-01", "2020-05-01"),
        lambda c: c.dt.tz_localize(None).dt.normalize() == pd.Timestamp("2020-05-01"),
    ),
    ("berlin", None, lambda c: c.isna()),
    ("day_text", "03.04.2020", lambda c: c == "03.04.2020"),
    ("day_text", "2020-04-03", lambda c: c == "03.04.2020"),
    ("day_text", ("03.04.2020", "05.04.2020"), lambda c: stamps(c).between("2020-04-03", "2020-04-05")),
    ("day_text", {"03.04.2020", "01.05.2020"}, lambda c: c.isin(["03.04.2020", "01.05.2020"])),
    ("zulu", "2021-06-01T10:00:00Z", lambda c: c == "2021-06-01T10:00:00Z"),
    ("zulu", ("2021-06-01", "2021-06-02"), lambda c: c.between("2021-06-01T00:00:00Z", "2021-06-02T23:59:59Z")),
    ("zulu", None, lambda c: c.map(lambda cell: cell is None)),
    ("country", "DE", lambda c: c == "DE"),
    ("version", (1, 5), lambda c: c == 3),
    ("version", {3, 4}, lambda c: c == 3),
    ("empty", None, lambda c: c.isna()),
]


def numbered(cases: list[Any]) -> list[str]:
    """Names of cases that are the same in all processes, which those of sets and functions are not."""
    return [f"{name}-{number}" for number, (name, *_) in enumerate(cases)]


@pytest.mark.parametrize(("name", "wanted", "holds"), CONDITIONS, ids=numbered(CONDITIONS))
def test_every_row_holds_what_was_asked(
    barely: SynthGAN, kinds: pd.DataFrame, name: str, wanted: Any, holds: Check
) -> None:
    rows = barely.sample(300, conditions={name: wanted}, random_state=1)
    assert len(rows) == 300
    assert rows.dtypes.equals(kinds.dtypes)
    assert bool(holds(rows[name]).all()), rows[name][~holds(rows[name])].head()


@pytest.mark.parametrize("n_passes", [None, 1, 2, 4])
def test_many_conditions_at_once_in_many_rows(barely: SynthGAN, n_passes: int | None) -> None:
    chosen = [3, 5, 14, 16, 20, 29, 33, 36, 40, 43, 48, 52, 55, 63, 68, 71, 76, 78]
    picked = {CONDITIONS[index][0]: CONDITIONS[index][1:] for index in chosen}
    conditions = {name: wanted for name, (wanted, _) in picked.items()}
    assert len(conditions) > 12
    rows = barely.sample(N, conditions=conditions, random_state=2, n_passes=n_passes)
    assert len(rows) == N
    for name, (_, holds) in picked.items():
        assert bool(holds(rows[name]).all()), name


def test_a_range_reaches_both_of_its_ends_evenly() -> None:
    ages = pd.DataFrame({"age": np.arange(3600) % 72 + 18})
    model = SynthGAN(epochs=60, hidden_dim=16, random_state=0).fit(ages)
    drawn = model.sample(N, conditions={"age": (30, 33)}, random_state=0)["age"]
    assert set(drawn) == {30, 31, 32, 33}
    assert drawn.value_counts(normalize=True).min() > 0.1


def test_the_repeated_hour_of_summer_time_is_told_apart() -> None:
    times = pd.Series(pd.date_range("2021-10-30", "2021-11-01", freq="15min", tz=BERLIN))
    model = SynthGAN(epochs=1, hidden_dim=8, protect_rare=1, random_state=0).fit(
        pd.DataFrame({"t": times, "x": np.arange(len(times)) % 7})
    )
    first = pd.Timestamp("2021-10-31 00:30", tz="UTC")  # 02:30 in summer time; 01:30 UTC is 02:30 once more
    assert (model.sample(50, conditions={"t": first}, random_state=0)["t"] == first).all()
    low, high = pd.Timestamp("2021-10-31 00:15", tz="UTC"), pd.Timestamp("2021-10-31 01:00", tz="UTC")
    assert model.sample(200, conditions={"t": (low, high)}, random_state=0)["t"].between(low, high).all()
    frame = pd.DataFrame({"t": times})
    pd.testing.assert_frame_equal(model.sample(conditions=frame, random_state=0)[["t"]], frame)


IMPOSSIBLE: list[tuple[str, Any, str]] = [
    ("nowhere", 1, "knows"),
    ("age", 17, "from 18 to 89"),
    ("age", 40.5, "from 18 to 89"),
    ("age", "forty", "forty"),
    ("age", None, "no missing"),
    ("age", set(), "empty"),
    ("age", [[1, 2], [3]], "set"),
    ("age", (200, 300), "from 18 to 89"),
    ("age", (50, 40), "from 18 to 89"),
    ("age", (1, 2, 3), "range"),
    ("age", (np.nan, 30), "None"),
    ("age", ("a", None), "'a'"),
    ("steps", 10, "steps of 25"),
    ("price", 1.234, "steps of 0.01"),
    ("height", 500.0, "runs from"),
    ("text", "violet", "'red'"),
    ("text", ("a", "b"), "set"),
    ("text", None, "no missing"),
    ("category", "unused", "'b'"),
    ("ordered", "M", "'S'"),
    ("bool", 1, "True"),
    ("many", "shop x", "more"),
    ("date", "1999-01-01", "2020"),
    ("date", "2020-03-02 10:00", "2020"),
    ("date", "soon", "soon"),
    ("hour", "2020-03-02 05:17", "steps"),
    ("hour", ("2020-03-02 05:10", "2020-03-02 05:50"), "2020"),
    ("hour", ("2020-04-02", "2020-03-02"), "2020"),
    ("day_text", "13/04/2020", "%d.%m.%Y"),
    ("user_id", "u00001", "id"),
    ("row_id", 1, "id"),
    ("country", "FR", "'DE'"),
    ("version", (4, 5), "3"),
    ("version", (1, 2, 3), "3"),
    ("version", None, "3"),
    ("empty", 1.0, "missing"),
]


@pytest.mark.parametrize(("name", "wanted", "word"), IMPOSSIBLE, ids=numbered(IMPOSSIBLE))
def test_the_impossible_is_an_error_that_names_the_column(barely: SynthGAN, name: str, wanted: Any, word: str) -> None:
    with pytest.raises(ConditionError) as caught:
        barely.sample(5, conditions={name: wanted}, random_state=0)
    assert f"column {name!r}" in str(caught.value)
    assert word in str(caught.value)


def test_partial_rows_come_back_in_order_with_their_cells(barely: SynthGAN, kinds: pd.DataFrame) -> None:
    rng = np.random.default_rng(3)
    given = kinds.drop(columns=["user_id", "row_id", "some_id"]).sample(2500, replace=True, random_state=0)
    given = given.astype({"age": "Int64", "bool": "boolean"}).mask(rng.random(given.shape) < 0.5)
    rows = barely.sample(conditions=given, random_state=0)
    assert len(rows) == 2500
    assert rows.dtypes.equals(kinds.dtypes)
    for name in given:
        present = given[name].notna().to_numpy()
        assert rows[name][present].astype(object).tolist() == given[name][present].astype(object).tolist(), name


def test_a_frame_of_conditions_has_known_cells_and_columns(barely: SynthGAN) -> None:
    assert len(barely.sample(conditions=pd.DataFrame({"age": []}))) == 0
    for frame, word in [
        (pd.DataFrame({"age": [20, 17]}), "'age' runs from 18"),
        (pd.DataFrame({"nowhere": [20]}), "'nowhere'"),
        (pd.DataFrame({"country": ["DE", "FR"]}), "'country'"),
        (pd.DataFrame([[1, 2]], columns=["age", "age"]), "different names"),
    ]:
        with pytest.raises(ConditionError, match=word):
            barely.sample(conditions=frame)
    with pytest.raises(ConditionError, match="2 rows"):
        barely.sample(3, conditions=pd.DataFrame({"age": [20, 30]}))
    with pytest.raises(InputError, match="mapping"):
        barely.sample(3, conditions=["age=3"])


def test_class_counts_are_exact_and_in_order(barely: SynthGAN) -> None:
    rows = barely.sample(class_counts={"rare": 2100, "red": 0, "blue": 3}, conditions={"age": (20, 25), "Bool": None})
    assert rows["text"].tolist() == ["rare"] * 2100 + ["blue"] * 3
    assert rows["age"].between(20, 25).all()
    assert rows["Bool"].isna().all()


def test_class_counts_of_numbers_and_times(kinds: pd.DataFrame) -> None:
    for name, counts in {
        "age": {20: 3, 40: 5},
        "day_text": {"03.04.2020": 4, "01.05.2020": 2},
        "berlin": {pd.Timestamp("2020-05-01 10:00", tz=BERLIN): 4},
        "country": {"DE": 6},
    }.items():
        model = SynthGAN(epochs=1, hidden_dim=8, protect_rare=1, random_state=0).fit(
            kinds[[name, "bool", "height"]], target=name
        )
        rows = model.sample(class_counts=counts, conditions={"height": (160, None)}, random_state=0)
        assert rows[name].tolist() == [label for label, count in counts.items() for _ in range(count)]
        assert (rows["height"] >= 160).all()


@pytest.mark.parametrize(
    ("counts", "more", "word"),
    [
        ({"violet": 3}, {}, "never held 'violet'"),
        ({"red": -1}, {}, "whole numbers"),
        ({"red": 1.5}, {}, "whole numbers"),
        ({"red": True}, {}, "whole numbers"),
        ({None: 3}, {}, "None"),
        ({}, {}, "at least one"),
        ({"red": 0}, {}, "at least one"),
        (["red"], {}, "mapping"),
        ({"red": 3}, {"conditions": {"text": "blue"}}, "one of them"),
        ({"red": 3}, {"conditions": pd.DataFrame({"age": [20]})}, "frame"),
        ({"red": 3}, {"n_samples": 4}, "3 rows"),
    ],
)
def test_class_counts_that_cannot_be(barely: SynthGAN, counts: Any, more: dict[str, Any], word: str) -> None:
    with pytest.raises(ConditionError, match=word):
        barely.sample(class_counts=counts, **more)


def test_class_counts_need_a_target(kinds: pd.DataFrame) -> None:
    model = SynthGAN(epochs=1, hidden_dim=8, protect_rare=1, random_state=0).fit(kinds[["text", "age"]])
    with pytest.raises(ConditionError, match="target"):
        model.sample(class_counts={"red": 1})


def test_polars_rows_are_conditions_too(barely: SynthGAN) -> None:
    pl = pytest.importorskip("polars")
    rows = barely.sample(
        conditions=pl.DataFrame({"age": [20, None, 40], "text": ["red", "blue", None]}), random_state=0
    )
    assert rows["age"].tolist()[::2] == [20, 40]
    assert rows["text"].tolist()[:2] == ["red", "blue"]
