"""What is written as one JSON object of a known format and read back."""

from __future__ import annotations

import json
from abc import ABC, abstractmethod
from collections.abc import Mapping
from typing import Any, ClassVar, Self

from synthgan.errors import InputError

__all__ = ["JsonDocument"]


class JsonDocument(ABC):
    """Base of the reports: to a dict and to JSON text, and back.

    A subclass says what its parts are; the number of the format is added and checked here.
    """

    kind: ClassVar[str]
    """What messages call it."""

    format: ClassVar[int] = 1

    @abstractmethod
    def _parts(self) -> dict[str, Any]:
        """Return everything that the document holds, JSON-ready."""

    @classmethod
    @abstractmethod
    def _from_parts(cls, data: Mapping[str, Any]) -> Self:
        """Rebuild it; KeyError, TypeError and AttributeError say that these are no such parts."""

    def to_dict(self) -> dict[str, Any]:
        """Return a JSON-ready dict: ``format``, and the document's parts."""
        return {"format": self.format} | self._parts()

    @classmethod
    def from_dict(cls, data: Mapping[str, Any]) -> Self:
        """Rebuild a document from `to_dict`'s output.

        Raises
        ------
        InputError
            When `data` is not such a dict, or of another format.
        """
        if data.get("format") != cls.format:
            raise InputError(
                f"this is no {cls.kind} of format {cls.format}, for it says format {data.get('format')!r}; "
                "make it anew with this version"
            )
        try:
            return cls._from_parts(data)
        except (KeyError, TypeError, AttributeError) as error:
            raise InputError(f"this is no {cls.kind}: {error!r}. Write it with {cls.__name__}.to_json") from None

    def to_json(self, *, indent: int | None = None) -> str:
        """Return the document as JSON text."""
        return json.dumps(self.to_dict(), allow_nan=False, ensure_ascii=False, indent=indent)

    @classmethod
    def from_json(cls, text: str) -> Self:
        """Rebuild a document from `to_json`'s output.

        Raises
        ------
        InputError
            When `text` is not the JSON of such a document.
        """
        try:
            data = json.loads(text)
        except json.JSONDecodeError as error:
            raise InputError(f"this is no JSON: {error}") from None
        if not isinstance(data, dict):
            raise InputError(f"the JSON of {cls.__name__} is an object; this is a {type(data).__name__}")
        return cls.from_dict(data)
