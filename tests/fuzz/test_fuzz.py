"""Random damage: whatever comes in, a `SynthganError` or a sound result comes out. More cases: benchmarks/trust.py."""

from __future__ import annotations

import contextlib
import copy
import json
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from synthgan import Schema, SynthGAN
from synthgan.errors import ArchiveError, ConditionError, InputError, SynthganError
from synthgan.io import read_table
from synthgan.persistence import CheckpointFolder, read_archive, write_archive
from synthgan.schema import read_schema

SEALS = ("kind", "format", "sha256", "digest")
ANYTHING: st.SearchStrategy[Any] = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats()
    | st.text(max_size=8)
    | st.sampled_from(["$array", "int64"]),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=4), inner, max_size=3),
    max_leaves=5,
)


@pytest.fixture(scope="module")
def table() -> pd.DataFrame:
    rng = np.random.default_rng(0)
    return pd.DataFrame(
        {
            "a": rng.choice(["x", "y", None], 60),
            "b": rng.normal(size=60),
            "c": pd.Timestamp("2020-01-01") + pd.to_timedelta(rng.integers(0, 3000, 60), unit="h"),
            "d": [f"k{k:05d}" for k in rng.permutation(60)],
        }
    )


@pytest.fixture(scope="module")
def folder(table: pd.DataFrame, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("fuzz")
    model = SynthGAN(epochs=1, hidden_dim=4, random_state=0).fit(table, checkpoint=folder / "c")
    model.save(folder / "m.synthgan")
    table.to_csv(folder / "t.csv", index=False)
    (folder / "s.json").write_text(json.dumps(model.schema_.to_dict()))
    return folder


@pytest.fixture(scope="module")
def model(folder: Path) -> SynthGAN:
    return SynthGAN.load(folder / "m.synthgan")


@st.composite
def damage(draw: st.DrawFn, data: bytes) -> bytes:
    out = bytearray(data)
    for _ in range(draw(st.integers(1, 3))):
        place, size = draw(st.integers(0, max(len(out) - 1, 0))), draw(st.integers(1, 500))
        out[place : place + size] = draw(st.one_of(st.binary(max_size=40), st.just(b""), st.just(bytes(out[:size]))))
    return bytes(out)


@settings(max_examples=60)
@given(st.data())
def test_model_files(folder: Path, model: SynthGAN, data: st.DataObject) -> None:
    whole = (folder / "m.synthgan").read_bytes()
    (folder / "victim").write_bytes(data.draw(damage(whole)))
    with contextlib.suppress(ArchiveError):
        loaded = SynthGAN.load(folder / "victim")
        assert loaded.sample(3, random_state=0).equals(model.sample(3, random_state=0))


def places(tree: Any) -> list[tuple[Any, Any]]:
    items = list(tree.items()) if isinstance(tree, dict) else list(enumerate(tree)) if isinstance(tree, list) else []
    return [(tree, key) for key, _ in items] + [place for _, value in items for place in places(value)]


@settings(max_examples=50)
@given(st.data())
def test_model_files_with_sound_checksums(folder: Path, data: st.DataObject) -> None:
    manifest, state, weights = read_archive(folder / "m.synthgan")
    holder, key = data.draw(st.sampled_from(places(data.draw(st.sampled_from([manifest, state, state])))))
    if isinstance(holder[key], np.ndarray):
        holder[key].flat[data.draw(st.integers(0, holder[key].size - 1))] = data.draw(st.sampled_from([-1, 0, 2**40]))
    else:
        holder[key] = data.draw(ANYTHING)
    head = {name: value for name, value in manifest.items() if name not in SEALS}
    with contextlib.suppress(TypeError, ValueError, KeyError):  # what cannot even be written
        write_archive(folder / "victim", head, state, weights)
        with contextlib.suppress(SynthganError):
            loaded = SynthGAN.load(folder / "victim")
            assert len(loaded.sample(3, random_state=0)) == 3


@settings(max_examples=50)
@given(st.data())
def test_checkpoints(folder: Path, data: st.DataObject) -> None:
    kept = CheckpointFolder(folder / "c")
    path = kept._path(kept.steps[0])
    (folder / "v").mkdir(exist_ok=True)
    other = CheckpointFolder(folder / "v")
    other._path(1).write_bytes(data.draw(damage(path.read_bytes())))
    with contextlib.suppress(ArchiveError):
        assert repr(other.read()) == repr(kept.read())


@settings(max_examples=20)
@given(st.data())
def test_checkpoints_with_sound_checksums(table: pd.DataFrame, folder: Path, data: st.DataObject) -> None:
    found = CheckpointFolder(folder / "c").read()
    assert found is not None
    about, state = copy.deepcopy(found)
    holder, key = data.draw(st.sampled_from(places(state)))
    if isinstance(holder[key], torch.Tensor):
        holder[key] = data.draw(st.sampled_from([holder[key][..., None], holder[key].double(), torch.zeros(3)]))
    else:
        holder[key] = data.draw(ANYTHING)
    (folder / "w").mkdir(exist_ok=True)
    head = {name: value for name, value in about.items() if name not in SEALS}
    with contextlib.suppress(SynthganError):
        try:
            CheckpointFolder(folder / "w").write(1, head, state)
        except (TypeError, ValueError):
            return
        SynthGAN(epochs=1, hidden_dim=4, random_state=0).fit(table, checkpoint=folder / "w", resume=True)


@settings(max_examples=60)
@given(st.data())
def test_schema_and_table_files(folder: Path, data: st.DataObject) -> None:
    for name in ("s.json", "t.csv"):
        victim = folder / f"victim{Path(name).suffix}"
        victim.write_bytes(data.draw(damage((folder / name).read_bytes())))
    with contextlib.suppress(InputError):
        assert isinstance(read_schema(folder / "victim.json"), Schema)
    with contextlib.suppress(InputError):
        assert len(read_table(folder / "victim.csv"))


@given(st.dictionaries(st.sampled_from(["columns", "x"]), ANYTHING | st.lists(st.dictionaries(
    st.sampled_from(["name", "kind", "dtype", "levels", "low", "high", "decimals"]),
    ANYTHING | st.sampled_from(["numeric", "categorical", "datetime", "id", "2020-01-01"]))), max_size=2))  # fmt: skip
def test_schemas(tree: dict[str, Any]) -> None:
    with contextlib.suppress(InputError):
        assert isinstance(Schema.from_dict(tree), Schema)


@given(
    st.dictionaries(st.sampled_from(["a", "b", "c", "d", "e"]), ANYTHING | st.tuples(ANYTHING, ANYTHING), max_size=3)
)
def test_conditions(model: SynthGAN, conditions: dict[str, Any]) -> None:
    with contextlib.suppress(ConditionError):
        assert len(model.sample(2, conditions=conditions, random_state=0)) == 2


@settings(max_examples=20)
@given(st.lists(st.lists(ANYTHING, min_size=6, max_size=6), min_size=1, max_size=3))
def test_tables(columns: list[list[Any]]) -> None:
    frame = pd.DataFrame({f"c{i}": pd.Series(cells * 3, dtype=object) for i, cells in enumerate(columns)})
    with contextlib.suppress(SynthganError):
        rows = SynthGAN(epochs=1, hidden_dim=4, random_state=0).fit(frame).sample(3, random_state=0)
        assert list(rows) == list(frame)
