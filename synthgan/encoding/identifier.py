"""Row identifiers: never learned, made anew in the style of the originals."""

from __future__ import annotations

import dataclasses
import math
import re
import string
from collections.abc import Mapping
from typing import Any

import numpy as np
import pandas as pd

__all__ = ["IdentifierMaker"]

ALPHABETS = (string.digits, "0123456789abcdef", "0123456789ABCDEF", string.ascii_lowercase, string.ascii_uppercase)
FALLBACK = string.digits + string.ascii_lowercase
MAX_WIDTH = 100_000
"""Longest identifiers that a file may ask for."""


@dataclasses.dataclass(frozen=True, slots=True)
class IdentifierMaker:
    """Makes the identifier of row ``i``: a number, numbered text, or text of the same pattern.

    Parameters
    ----------
    style : str
        ``"integer"`` (start, start + 1, ...), ``"numbered"`` (prefix and a padded number) or ``"pattern"``.
    start : int
        First number: one past the largest original, so no original comes back.
    prefix : str
        Text before the number.
    width : int
        Digits the number is padded to.
    slots : tuple of str
        For ``"pattern"``: the characters possible at each place.
    largest : int or None
        Largest number that the column's dtype holds; the next one after it is 0.
    """

    style: str
    start: int = 0
    prefix: str = ""
    width: int = 0
    slots: tuple[str, ...] = ()
    largest: int | None = None

    @classmethod
    def fit(cls, values: pd.Series, *, rounded: bool = False) -> IdentifierMaker:
        """Find the style of the identifiers (missing ones are ignored; at least one is present).

        New numbers start after the largest original, or, where `rounded`, at a round number from which it cannot be
        read.
        """
        present = values.dropna()
        if pd.api.types.is_numeric_dtype(present):
            return cls("integer", _after(int(present.max()), rounded), largest=_largest(present.dtype))
        texts = present.astype(str)
        numbered = texts.str.extract(r"^(?P<prefix>.*?)(?P<number>\d{1,15})$", flags=re.DOTALL)
        if numbered["prefix"].notna().all() and numbered["prefix"].nunique() == 1:
            width = int(numbered["number"].str.len().min())
            largest = int(numbered["number"].astype(np.int64).max())
            return cls("numbered", _after(largest, rounded), str(numbered["prefix"].iloc[0]), width)
        if texts.str.len().nunique() == 1:
            slots = tuple(_alphabet(set(column)) for column in zip(*texts, strict=True))
            if math.prod(len(slot) for slot in slots) >= 1000 * len(texts):
                return cls("pattern", slots=slots)
        return cls("numbered", 1, "id-", 9)

    @classmethod
    def of_text(cls) -> IdentifierMaker:
        """Return what numbers cells of free text: ``"text-1"``, ``"text-2"``, ..."""
        return cls("numbered", 1, "text-", 1)

    def make(self, start: int, n_rows: int) -> list[int] | list[str]:
        """Return the identifiers of rows ``start`` to ``start + n_rows - 1``: all different while there are enough."""
        rows = range(start, start + n_rows)
        if self.style == "integer":
            numbers = [self.start + row for row in rows]
            return numbers if self.largest is None else [number % (self.largest + 1) for number in numbers]
        if self.style == "numbered":
            return [f"{self.prefix}{self.start + row:0{self.width}d}" for row in rows]
        capacity = math.prod(len(slot) for slot in self.slots)
        stride = int(capacity * 0.6180339887) | 1  # a stride coprime to the capacity visits every text once, far apart
        while math.gcd(stride, capacity) != 1:
            stride += 2
        return [self._text((row + 1) * stride % capacity) for row in rows]

    def _text(self, number: int) -> str:
        out = []
        for slot in reversed(self.slots):
            number, place = divmod(number, len(slot))
            out.append(slot[place])
        return "".join(reversed(out))

    def state(self) -> dict[str, Any]:
        """Return plain values that rebuild the maker."""
        return dataclasses.asdict(self) | {"slots": list(self.slots)}

    @classmethod
    def from_state(cls, state: Mapping[str, Any]) -> IdentifierMaker:
        """Rebuild a maker from `state`.

        Raises
        ------
        ValueError, KeyError, TypeError
            When it is of no maker.
        """
        maker = cls(**{**state, "slots": tuple(state["slots"])})
        if maker.style not in ("integer", "numbered", "pattern") or not all(
            isinstance(slot, str) and slot for slot in maker.slots
        ):
            raise ValueError(f"no style of identifiers: {maker.style!r} of {maker.slots!r}")
        if not (0 <= maker.width <= MAX_WIDTH and len(maker.slots) <= MAX_WIDTH and (maker.largest or 1) >= 1):
            raise ValueError("identifiers are longer than any that synthgan makes")
        return maker


def _after(largest: int, rounded: bool) -> int:
    """The first new number; rounded up to two digits and zeros where asked for.

    Examples
    --------
    >>> _after(48_842, False), _after(48_842, True), _after(0, True)
    (48843, 49000, 10)
    """
    if not rounded:
        return largest + 1
    unit = int(10 ** max(len(str(abs(largest))) - 2, 1))
    return (largest // unit + 1) * unit


def _alphabet(seen: set[str]) -> str:
    """The smallest usual alphabet that holds every character seen at a place; a constant place stays as it is."""
    if len(seen) == 1:
        return next(iter(seen))
    for alphabet in (*ALPHABETS, FALLBACK, FALLBACK + string.ascii_uppercase):
        if seen <= set(alphabet):
            return alphabet
    return "".join(sorted(seen))


def _largest(dtype: Any) -> int | None:
    """The largest whole number of a dtype up to which every other one has its own place; None for Python integers."""
    numpy_dtype = np.dtype(getattr(dtype, "numpy_dtype", dtype))
    if numpy_dtype.kind in "iu":
        return int(np.iinfo(numpy_dtype).max)
    return int(2 ** (np.finfo(numpy_dtype).nmant + 1)) if numpy_dtype.kind == "f" else None
