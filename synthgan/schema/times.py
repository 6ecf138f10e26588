"""Datetimes: finding the format of a text column, parsing and writing it, and the resolution of the values.

A format is `strftime`'s, with two additions: ``%3f`` and ``%9f`` are milli- and nanoseconds (``%f`` is microseconds),
and ``%-d``, ``%-m``, ``%-H``, ``%-I`` are numbers without a leading zero. A time zone is a literal at the end, ``Z`` or
``+01:00``.
"""

from __future__ import annotations

import functools
import os
import re
from collections.abc import Iterable
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from synthgan.errors import SchemaError

__all__ = ["FORMATS", "find_format", "find_strays", "format_times", "parse_times", "resolution", "zone_of_format"]

_DATES = (
    "%Y-%m-%d",
    "%Y/%m/%d",
    "%Y.%m.%d",
    "%m/%d/%Y",
    "%d/%m/%Y",
    "%d.%m.%Y",
    "%d-%m-%Y",
    "%m-%d-%Y",
    "%-m/%-d/%Y",
    "%-d/%-m/%Y",
    "%-d.%-m.%Y",
    "%m/%d/%y",
    "%d/%m/%y",
    "%d %b %Y",
    "%d-%b-%Y",
    "%b %d, %Y",
    "%B %d, %Y",
    "%d %B %Y",
)
_TIMES = (
    "%H:%M:%S",
    "%H:%M",
    "%H:%M:%S.%f",
    "%H:%M:%S.%3f",
    "%H:%M:%S.%9f",
    "%I:%M %p",
    "%I:%M:%S %p",
    "%-H:%M",
    "%-I:%M %p",
)
FORMATS: tuple[str, ...] = (
    *_DATES,
    *(f"{date} {time}" for date in _DATES for time in _TIMES),
    *(f"%Y-%m-%dT{time}" for time in _TIMES[:5]),
    "%Y-%m",
    "%H:%M:%S",
    "%H:%M",
)
"""The formats tried, in this order (an ambiguous 03/04/2020 is month first), each also with a time zone at its end."""

_ZONE = re.compile(r"(?<=[0-9A-Za-z])(Z| ?[+-]\d\d:?\d\d)$")
_SHAPES = {f"%{key}": r"\d\d" for key in "mdyHIMS"} | {f"%-{key}": r"\d\d?" for key in "mdHI"}
_SHAPES |= {"%Y": r"\d{4}", "%3f": r"\d{3}", "%f": r"\d{6}", "%9f": r"\d{9}"}
_SHAPES |= {"%b": r"\w{3}", "%B": r"\w{3,}", "%p": r"\w\w"}
_DIGITS = {"%3f": 3, "%9f": 9}
_UNITS = {"D": 86_400_000_000_000, "h": 3_600_000_000_000, "min": 60_000_000_000, "s": 10**9, "ms": 10**6, "us": 10**3}
_SAMPLE, _WRITTEN, _NEARLY = 64, 10_000, 0.9


def find_format(distinct: npt.NDArray[np.object_]) -> str | None:
    """Return the one format in which every text can be read and written back to the same text, or None.

    Parameters
    ----------
    distinct : object array of str, shape (n,)
        Distinct texts, at least one.

    Examples
    --------
    >>> find_format(np.array(["2020-02-29", "2021-12-01"], dtype=object))
    '%Y-%m-%d'
    >>> find_format(np.array(["2020-02-29T10:00:00Z", "2021-12-01T00:30:00Z"], dtype=object))
    '%Y-%m-%dT%H:%M:%SZ'
    """
    sample = _spread(distinct, _SAMPLE)
    if not all(4 < len(text) < 48 and any(map(str.isdigit, text)) for text in sample):
        return None
    zones = {match[0] if (match := _ZONE.search(text)) and ":" in text else "" for text in sample}
    # Offsets that change from row to row (summer time) are written back as UTC.
    zone = zones.pop() if len(zones) == 1 else "" if "" in zones else "+00:00"
    first = _ZONE.sub("", sample[0]) if zone else sample[0]
    for base in FORMATS:
        # The shape is a quick test that leaves one or two candidates; reading and writing back is the proof.
        if _shape(base).fullmatch(first) and _reads(sample, base + zone) and _reads(distinct, base + zone):
            return base + zone
    return None


def find_strays(distinct: npt.NDArray[np.object_]) -> tuple[str, npt.NDArray[np.object_]] | None:
    """Return the format of nearly all texts and those that do not fit it, or None where no format fits nearly all.

    Examples
    --------
    >>> days = pd.date_range("2020-01-01", periods=50).strftime("%Y-%m-%d").tolist()
    >>> find_strays(np.array([*days, "never"], dtype=object))
    ('%Y-%m-%d', array(['never'], dtype=object))
    """
    sample = _spread(distinct, _SAMPLE)
    for base in FORMATS:
        if sum(map(bool, map(_shape(base).fullmatch, sample))) >= _NEARLY * len(sample):
            fits = np.asarray(parse_times(distinct, base, errors="coerce").notna())
            if _NEARLY <= fits.mean() < 1:
                return base, distinct[~fits]
    return None


@functools.cache
def _shape(format: str) -> re.Pattern[str]:
    parts = re.split(r"(%[39]?-?[a-zA-Z])", format)
    return re.compile("".join(_SHAPES.get(part, re.escape(part)) for part in parts))


def _reads(texts: npt.NDArray[np.object_], format: str) -> bool:
    zone = _zone_text(format)
    if not all(text.endswith(zone) for text in texts):
        # Summer-time offsets: the instants are right, the texts come back as UTC.
        return bool(zone) and not bool(parse_times(texts, format, errors="coerce").isna().any())
    shape = _shape(format)
    if not all(map(shape.fullmatch, texts)) or bool(parse_times(texts, format, errors="coerce").isna().any()):
        return False
    written = _spread(texts, _WRITTEN)
    return bool((format_times(parse_times(written, format), format) == written).all())


def _spread(texts: npt.NDArray[np.object_], limit: int) -> npt.NDArray[np.object_]:
    return texts.take(np.linspace(0, len(texts) - 1, min(len(texts), limit)).astype(int))


def parse_times(texts: Iterable[Any], format: str, *, errors: str = "raise") -> pd.DatetimeIndex:
    """Read texts of one format; missing ones become NaT.

    Returns
    -------
    DatetimeIndex
        With the format's time zone, if it names one.

    Raises
    ------
    SchemaError
        With ``errors="raise"``, for a text that does not fit the format.
    """
    zone = _ZONE.search(format)
    pattern = _ZONE.sub(" %z" if zone and zone[0].startswith(" ") else "%z", format)
    pattern = re.sub(r"%[39]f", "%f", pattern).replace("%-", "%")
    cells = pd.Index(list(texts), dtype=object)
    try:
        times = pd.DatetimeIndex(
            pd.to_datetime(cells, format=pattern, errors=errors, utc=zone is not None)  # type: ignore[call-overload]
        )
    except (ValueError, OverflowError) as error:
        raise SchemaError(f"a datetime does not fit the format {format!r}: {error}") from None
    return times.tz_convert(zone_of_format(format)) if zone else times


def format_times(times: pd.DatetimeIndex, format: str) -> npt.NDArray[np.object_]:
    """Write `times` as texts; NaT becomes None.

    Examples
    --------
    >>> format_times(pd.DatetimeIndex(["2020-01-02 03:04:05.678"]), "%Y-%m-%dT%H:%M:%S.%3fZ").tolist()
    ['2020-01-02T03:04:05.678Z']
    """
    texts = np.full(len(times), None, dtype=object)
    present = ~np.asarray(times.isna())
    times = times[present]
    if zone := zone_of_format(format):
        times = times.tz_localize(zone) if times.tz is None else times.tz_convert(zone)
    pattern = format.replace("%-", "%#") if os.name == "nt" else format
    # strftime knows microseconds only: other fractions are written between the two halves of the format.
    head, fraction, tail = next(
        (halves for key in ("%3f", "%9f") if (halves := pattern.partition(key))[1]), (pattern, "", "")
    )
    written = times.strftime(head).to_numpy(dtype=object)
    if fraction:
        nanoseconds = (times.microsecond * 1000 + times.nanosecond).astype(str)
        written = written + nanoseconds.str.zfill(9).str.slice(0, _DIGITS[fraction]).to_numpy(dtype=object)
        written = written + times.strftime(tail).to_numpy(dtype=object) if tail else written
    texts[present] = written
    return texts


def zone_of_format(format: str) -> str | None:
    """Return the time zone that a format ends in, as pandas names it.

    Examples
    --------
    >>> zone_of_format("%Y-%m-%dT%H:%MZ"), zone_of_format("%H:%M+0530"), zone_of_format("%Y-%m-%d")
    ('UTC', 'UTC+05:30', None)
    """
    if not (match := _ZONE.search(format)):
        return None
    text = match[0].strip()
    if text == "Z" or set(text[1:]) <= {"0", ":"}:
        return "UTC"
    return f"UTC{text[:3]}:{text[-2:]}"


def _zone_text(format: str) -> str:
    match = _ZONE.search(format)
    return match[0] if match else ""


def resolution(times: pd.DatetimeIndex) -> str:
    """Return the coarsest of D, h, min, s, ms, us, ns that all (wall-clock) times are multiples of.

    Examples
    --------
    >>> resolution(pd.DatetimeIndex(["2020-01-01", "2020-01-02 03:00"]))
    'h'
    """
    wall = times.tz_localize(None).dropna()  # in its own unit: a datetime64[s] may lie beyond what nanoseconds can hold
    per_second = {"s": 1, "ms": 10**3, "us": 10**6, "ns": 10**9}[wall.unit]
    for unit, nanoseconds in _UNITS.items():
        size, finer = divmod(nanoseconds * per_second, 10**9)
        if not finer and not (wall.asi8 % size).any():
            return unit
    return wall.unit
