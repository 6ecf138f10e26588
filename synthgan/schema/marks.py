"""Columns of numbers in which a few words stand where there is no number: ``"?"``, ``"T"``, ``"<5"``."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

__all__ = [
    "MAX_DIGITS",
    "MAX_MARKS",
    "NUMBER_FORMATS",
    "PLAIN_NUMBER",
    "find_marks",
    "number_format",
    "read_numbers",
    "write_numbers",
]

PLAIN_NUMBER = re.compile(r"\s*-?(?!0\d)(\d+(\.\d*)?|\.\d+)([eE][+-]?\d+)?\s*")
"""No leading zeros or plus signs, which names of things have."""

MAX_DIGITS = 15
"""More digits than a float holds are the name of something."""

MAX_MARKS = 10
"""Words beside the numbers at most: with more of them the column is text."""

LEAST_SHARE, FEW_NUMBERS = 0.1, 20
"""So large a share of the cells are numbers at least. So many different ones, or fewer, are categories like the words:
grades 9 to 12, or "other"."""

NUMBER_FORMATS = re.compile(r"%d|%g|%r|%\.[0-9]{1,2}f")
"""How numbers are written: whole; as short as can be, whole ones without a point or with ``.0``; with as many decimals
each."""

FIXED_SHARE = 0.95
"""So large a share of the numbers have as many decimals as the usual one where all are taken to: others are rounded."""

_DIGIT, _BOUND = re.compile(r"\d"), re.compile(r"\s*[<>≤≥~]")


def find_marks(texts: pd.Series[Any], few_numbers: int = FEW_NUMBERS) -> tuple[str, ...] | None:
    """Return the words in a column of numbers written as text, the commonest first; None where it is no such column.

    A word has no digit, or says that a number lies beyond a bound: other texts beside numbers are names, as the numbers
    will be ("136A" among house numbers).

    Parameters
    ----------
    texts : Series of str, shape (n,)
        The cells that are neither missing nor blank.
    few_numbers : int
        Beside so many different numbers, or fewer, words are categories.

    Examples
    --------
    >>> numbers = [str(number) for number in range(30)]
    >>> find_marks(pd.Series([*numbers, "T", "?", "?"])), find_marks(pd.Series([*numbers, "29a"]))
    (('?', 'T'), None)
    """
    counts = texts.value_counts()
    is_number = np.array([bool(PLAIN_NUMBER.fullmatch(text)) for text in counts.index], np.bool_)
    words = counts.index[~is_number].tolist()
    share = counts.to_numpy()[is_number].sum() / max(len(texts), 1)
    if not 0 < len(words) <= MAX_MARKS or is_number.sum() <= few_numbers or share < LEAST_SHARE:
        return None
    if any(_DIGIT.search(word) and not _BOUND.match(word) for word in words):
        return None
    return tuple(sorted(words, key=lambda word: (-counts[word], word)))


def number_format(texts: Sequence[str]) -> str:
    """Return the format in which most of these numbers were written.

    Examples
    --------
    >>> number_format(["1", "25"]), number_format(["1.50", "2.25"]), number_format(["1.5", "2"])
    ('%d', '%.2f', '%g')
    """
    plain = [text.strip() for text in texts]
    if not any("." in text or "e" in text.lower() for text in plain):
        return "%d"
    decimals = Counter(len(text.partition(".")[2]) for text in plain if "e" not in text.lower())
    usual = [number for number, _ in decimals.most_common(1) if 0 < number <= MAX_DIGITS]
    formats = [*(f"%.{number}f" for number in usual), "%g", "%r"]
    numbers = np.array([float(text) for text in plain])
    alike = {format: sum(map(str.__eq__, write_numbers(numbers, format), plain)) for format in formats}
    if usual and alike[formats[0]] < FIXED_SHARE * len(plain):
        del alike[formats[0]]
    return max(alike, key=alike.__getitem__)


def read_numbers(texts: pd.Series[Any]) -> pd.Series[Any]:
    """Return numbers written as text; missing where a text is none.

    Examples
    --------
    >>> read_numbers(pd.Series(["1.5", "?", None])).tolist()
    [1.5, nan, nan]
    """
    numbers = pd.to_numeric(texts.astype(object), errors="coerce").astype(np.float64)
    return numbers.where(np.isfinite(numbers))  # "inf" is a word


def write_numbers(numbers: npt.NDArray[np.float64], format: str) -> list[str]:
    """Write numbers in one of the `NUMBER_FORMATS`.

    Examples
    --------
    >>> write_numbers(np.array([0.1, 2.0]), "%g"), write_numbers(np.array([0.1, 2.0]), "%.2f")
    (['0.1', '2'], ['0.10', '2.00'])
    """
    if format in ("%g", "%r"):
        texts = map(repr, numbers.tolist())
        return [text.removesuffix(".0") for text in texts] if format == "%g" else list(texts)
    return [format % number for number in numbers.tolist()]
