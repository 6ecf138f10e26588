"""Nested dicts and lists as JSON, with their arrays or tensors taken out."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

__all__ = ["join", "split"]

_LEAF = "$array"
_ITEMS = "$items"
_NUMBER = "$number"


def split(value: Any, leaf: type, leaves: dict[str, Any], path: str = "state") -> Any:
    """Move every instance of `leaf` into `leaves`, leaving its name; the rest becomes what JSON can say.

    Dicts whose keys are no text become lists of pairs, tuples become lists, and infinite floats become names.

    Examples
    --------
    >>> leaves = {}
    >>> split({"a": b"x", 1: (2, float("inf"))}, bytes, leaves)
    {'$items': [['a', {'$array': 'state.a'}], [1, [2, {'$number': 'inf'}]]]}
    >>> leaves
    {'state.a': b'x'}
    """
    if isinstance(value, leaf):
        leaves[path] = value
        return {_LEAF: path}
    if isinstance(value, Mapping):
        items = [[key, split(item, leaf, leaves, f"{path}.{key}")] for key, item in value.items()]
        return dict(items) if all(isinstance(key, str) for key in value) else {_ITEMS: items}
    if isinstance(value, (list, tuple)):
        return [split(item, leaf, leaves, f"{path}.{place}") for place, item in enumerate(value)]
    if isinstance(value, float) and not math.isfinite(value):
        return {_NUMBER: repr(float(value))}
    return value


def join(value: Any, leaves: Mapping[str, Any]) -> Any:
    """Undo `split`; tuples come back as lists.

    Raises
    ------
    KeyError, ValueError, TypeError
        For what `split` did not make.

    Examples
    --------
    >>> join({"$items": [[1, {"$array": "state.a"}], ["b", {"$number": "-inf"}]]}, {"state.a": b"x"})
    {1: b'x', 'b': -inf}
    """
    if isinstance(value, dict):
        if set(value) == {_LEAF}:
            return leaves[value[_LEAF]]
        if set(value) == {_NUMBER}:
            return float(value[_NUMBER])
        pairs = value[_ITEMS] if set(value) == {_ITEMS} else value.items()
        return {key: join(item, leaves) for key, item in pairs}
    if isinstance(value, list):
        return [join(item, leaves) for item in value]
    return value
