"""Formats of datetimes as text: found, read, and written back to the same text."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from synthgan.errors import SchemaError
from synthgan.schema import infer_schema
from synthgan.schema.times import FORMATS, find_format, format_times, parse_times

TIMES = pd.date_range("2019-12-31 23:10:20.123456789", "2021-11-05 10:20:30", periods=70)


@pytest.mark.parametrize("format", FORMATS)
def test_every_format_is_found_and_comes_back(format: str) -> None:
    texts = format_times(TIMES, format)
    assert find_format(texts) == format
    assert (format_times(parse_times(texts, format), format) == texts).all()


@pytest.mark.parametrize("zone", ["Z", "+01:00", "-0530", " +00:00"])
def test_time_zones_at_the_end(zone: str) -> None:
    format = "%Y-%m-%dT%H:%M:%S" + zone
    texts = format_times(TIMES.tz_localize("UTC"), format)
    spec = infer_schema(pd.DataFrame({"t": texts}))["t"]
    assert spec.format == format
    assert spec.tz == {"Z": "UTC", "+01:00": "UTC+01:00", "-0530": "UTC-05:30", " +00:00": "UTC"}[zone]


def test_summer_time_offsets_come_back_as_the_same_instants_in_utc() -> None:
    texts = np.array(["2020-01-01T12:00:00+01:00", "2020-07-01T12:00:00+02:00"], dtype=object)
    format = find_format(texts)
    assert format == "%Y-%m-%dT%H:%M:%S+00:00"
    assert format_times(parse_times(texts, format), format).tolist() == [
        "2020-01-01T11:00:00+00:00",
        "2020-07-01T10:00:00+00:00",
    ]


@pytest.mark.parametrize(
    "texts", [["2020-01-01", "soon"], ["2020-1-1", "2020-01-02"], ["2020-02-30"], ["1234567890"], ["a1b2-c3"], [""]]
)
def test_what_is_not_one_format_is_no_datetime(texts: list[str]) -> None:
    assert find_format(np.array(texts, dtype=object)) is None


def test_one_odd_text_among_many_is_noticed() -> None:
    texts = format_times(pd.date_range("2000-01-01", periods=5000), "%Y-%m-%d")
    texts[4321] = "unknown"
    assert find_format(texts) is None


def test_missing_cells_and_misfits() -> None:
    times = parse_times(["2020-01-01", None], "%Y-%m-%d")
    assert format_times(times, "%Y-%m-%d").tolist() == ["2020-01-01", None]
    with pytest.raises(SchemaError, match="'%Y-%m-%d'"):
        parse_times(["01.02.2020"], "%Y-%m-%d")


@pytest.mark.parametrize(
    ("freq", "unit"), [("D", "D"), ("3h", "h"), ("7min", "min"), ("s", "s"), ("5ms", "ms"), ("us", "us"), ("ns", "ns")]
)
@pytest.mark.parametrize("zone", [None, "Europe/Berlin"])
def test_resolution_is_of_the_wall_clock(freq: str, unit: str, zone: str | None) -> None:
    times = pd.date_range("2020-01-01", periods=50, freq=freq, tz=zone)
    spec = infer_schema(pd.DataFrame({"t": times}))["t"]
    assert (spec.unit, spec.tz) == (unit, zone)
    assert pd.Timestamp(str(spec.low)) == times.min()


@given(
    st.lists(st.datetimes(pd.Timestamp("1900-01-01"), pd.Timestamp("2099-12-31")), min_size=1), st.sampled_from("smD")
)
def test_iso_texts_round_trip(values: list[pd.Timestamp], unit: str) -> None:
    times = pd.DatetimeIndex(values).floor({"s": "s", "m": "min", "D": "D"}[unit])
    texts = times.strftime("%Y-%m-%d %H:%M:%S").to_numpy(dtype=object)
    format = find_format(np.unique(texts))
    assert format == "%Y-%m-%d %H:%M:%S"
    assert (parse_times(texts, format) == times).all()


@pytest.mark.parametrize("stray", ["unknown", "9999-12-31", "2020-02-30"])
def test_a_few_texts_that_are_no_dates_are_named(stray: str) -> None:
    days = pd.date_range("2020-01-01", periods=50).strftime("%Y-%m-%d").tolist()
    with pytest.raises(SchemaError, match=f"'x' holds datetimes written as %Y-%m-%d, but for '{stray}'.*missing"):
        infer_schema(pd.DataFrame({"x": [*days, stray]}))
    spec = infer_schema(pd.DataFrame({"x": [*days, stray]}), overrides={"x": "categorical"})["x"]
    assert stray in (spec.levels or ())


def test_times_beyond_nanoseconds() -> None:
    spec = infer_schema(pd.DataFrame({"t": np.array(["2020-01-01", "9999-12-31"], dtype="datetime64[s]")}))["t"]
    assert (spec.unit, spec.high) == ("D", "9999-12-31T00:00:00")
