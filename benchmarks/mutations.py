"""Damaged and hostile input: random changes of bytes, of JSON trees, of tensors, of tables and of conditions."""

from __future__ import annotations

import copy
import random
from collections.abc import Iterator
from typing import Any

import numpy as np
import pandas as pd
import torch

HOSTILE: list[Any] = [
    *(
        None,
        True,
        False,
        0,
        -1,
        1,
        2,
        3.5,
        -0.0,
        1e308,
        -1e308,
        2**31,
        2**53 + 1,
        2**63,
        -(2**63),
        10**40,
        float("inf"),
    ),
    *("", "a", "0", "nan", "\x00", "\ud800", "é" * 70_000, "../../etc/passwd", "=1+1", "__import__('os')", "int64"),
    *("category", "datetime64[ns]", "U999999999", "%Y", "UTC", "Mars/Olympus"),
    *([], [[]], {}, {"$array": "state"}, {"$number": "x"}, {"$items": 3}, [None], [1, "a"], ["a", "a"]),
]


def bytes_changed(data: bytes, rng: random.Random) -> bytes:
    """Flip, cut, repeat, insert, swap or overwrite some bytes, one to four times."""
    out = bytearray(data)
    for _ in range(rng.choice((1, 1, 1, 2, 4))):
        place, size = rng.randrange(len(out) + 1), int(2 ** rng.uniform(0, 12))
        match rng.randrange(7):
            case 0 if place < len(out):
                out[place] ^= 1 << rng.randrange(8)
            case 1:
                del out[place:]
            case 2:
                del out[place : place + size]
            case 3:
                out[place:place] = rng.randbytes(size)
            case 4:
                out[place:place] = out[place : place + size]
            case 5:
                out[place : place + size] = bytes([rng.choice((0, 255, 32, 34, 44, 10))]) * size
            case _:
                other = rng.randrange(len(out) + 1)
                out[place : place + size], out[other : other + size] = (
                    out[other : other + size],
                    out[place : place + size],
                )
    return bytes(out)


def _places(tree: Any) -> Iterator[tuple[Any, Any]]:
    items = list(tree.items()) if isinstance(tree, dict) else list(enumerate(tree)) if isinstance(tree, list) else []
    for key, value in items:
        yield tree, key
        yield from _places(value)


def tree_changed(tree: Any, rng: random.Random) -> None:
    """Change one to three places of nested dicts and lists, in place."""
    for _ in range(rng.choice((1, 1, 2, 3))):
        places = list(_places(tree))
        if not places:
            return
        holder, key = rng.choice(places)
        value = holder[key]
        if isinstance(value, (np.ndarray, torch.Tensor)) and rng.random() < 0.9:
            holder[key] = array_changed(value, rng)
            continue
        match rng.randrange(5):
            case 0:
                del holder[key]
            case 1 if isinstance(value, (int, float)) and not isinstance(value, bool):
                holder[key] = rng.choice((value + 1, value - 1, value * 2, -value, value + 0.5, value * 10**6))
            case 2 if isinstance(value, str):
                holder[key] = rng.choice((value + "x", value[:-1], value.upper(), value * 1000, "\u202e" + value))
            case 3:
                other, name = rng.choice(places)
                if name in (other if isinstance(other, dict) else range(len(other))):
                    holder[key] = copy.deepcopy(other[name])
            case _:
                holder[key] = rng.choice(HOSTILE)


def array_changed(array: Any, rng: random.Random) -> Any:
    """Change values, shape or dtype of an array or tensor."""
    as_tensor = isinstance(array, torch.Tensor)
    out = array.numpy().copy() if as_tensor else array.copy()
    match rng.randrange(8):
        case 0 | 1 if out.size:
            floats = (np.nan, np.inf, -np.inf, 1e308, -1.0, 0.0, 1e-320, 3e38)
            with np.errstate(all="ignore"):
                out.flat[rng.randrange(out.size)] = np.array(
                    rng.choice(floats if out.dtype.kind == "f" else (-1, 2**40, 255, 256, 2**62))
                ).astype(out.dtype)
        case 2:
            out = out.reshape(-1)[: max(out.size // 2, 0)]
        case 3:
            out = np.concatenate([np.atleast_1d(out), np.atleast_1d(out)])
        case 4:
            out = out[..., None] if rng.random() < 0.5 else out.reshape(-1)
        case 5:
            out = out.astype(rng.choice(("float32", "float16", "int8", "int32", "uint8", "float64", "int64", "bool")))
        case 6:
            out = np.zeros(0, out.dtype)
        case _:
            out = np.flip(out)
    out = np.array(out, order="C")  # a copy, without negative strides
    return torch.from_numpy(out) if as_tensor else out


def random_table(rng: random.Random) -> pd.DataFrame:
    """A small table of odd columns."""
    n = rng.choice((0, 1, 2, 3, 7, 30, 60))
    generator = np.random.default_rng(rng.randrange(2**32))
    columns: dict[Any, Any] = {}
    for place in range(rng.choice((0, 1, 2, 3, 5))):
        name: Any = rng.choice(
            (f"c{place}", place, "", "a\nb", "<script>", "=x", "é", "\x00", "x" * 300, None, ("a", 1))
        )
        columns[name] = _random_column(n, rng, generator)
    return pd.DataFrame(columns)


def _random_column(n: int, rng: random.Random, generator: np.random.Generator) -> Any:
    match rng.randrange(14):
        case 0:
            return generator.normal(size=n) * 10.0 ** rng.choice((-300, -5, 0, 5, 300))
        case 1:
            return generator.integers(0, rng.choice((1, 2, 10, 2**62)), n)
        case 2:
            return np.where(generator.random(n) < 0.5, np.nan, rng.choice((1.0, np.inf, 1e308)))
        case 3:
            return [rng.choice(HOSTILE) for _ in range(n)]
        case 4:
            return [rng.choice(("a", "b", None, "", "\ud800", "=cmd()")) for _ in range(n)]
        case 5:
            return pd.Categorical(generator.integers(0, 3, n), categories=[0, 1, 2, 9])
        case 6:
            return pd.Series(pd.Timestamp("1900-01-01") + pd.to_timedelta(generator.integers(0, 10**6, n), unit="h"))
        case 7:
            return pd.Series(generator.integers(-(2**62), 2**62, n)).astype("datetime64[ns]")
        case 8:
            return pd.array([rng.choice((None, True, False)) for _ in range(n)], dtype="boolean")
        case 9:
            return pd.array([rng.choice((None, 1, 2**60)) for _ in range(n)], dtype="Int64")
        case 10:
            return [rng.choice((b"x", 1j, object(), (1,), [1])) for _ in range(n)]
        case 11:
            return [f"2021-02-{rng.randrange(1, 31):02d}" for _ in range(n)]
        case 12:
            return pd.Series(pd.date_range("2020-10-24", periods=n, freq="h", tz="Europe/Berlin"))
        case _:
            return [f"id-{rng.randrange(10**6)}" for _ in range(n)]


def random_conditions(names: list[Any], frame: pd.DataFrame, rng: random.Random) -> Any:
    """Conditions that may or may not make sense."""
    if rng.random() < 0.05:
        return rng.choice((None, 3, "x", [], [("a", 1)], {"": 1}, {3: 4}))
    out: dict[Any, Any] = {}
    for _ in range(rng.choice((1, 1, 2, 4))):
        name = rng.choice([*names, "nowhere", 3, None])
        cells = frame[name].tolist() if name in frame else [1]
        pick = [rng.choice(cells) for _ in range(3)]
        odd = rng.choice(HOSTILE), (rng.choice(HOSTILE), rng.choice(HOSTILE)), [], None, slice(1, 2)
        sound = pick[0], set(map(str, pick)), list(pick), tuple(pick[:2]), (pick[0], None), pick[1]
        out[name] = rng.choice((*sound, *odd))
    return out
