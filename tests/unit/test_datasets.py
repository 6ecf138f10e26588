"""The bundled tables: all there, described by their schema, and never mistaken for a Python package."""

from __future__ import annotations

import gzip
import hashlib
import importlib.util
import re
from pathlib import Path

import pandas as pd
import pytest

from synthgan import datasets
from synthgan.datasets import dataset_folder, dataset_names, dataset_target, load_dataset
from synthgan.errors import InputError
from synthgan.io import read_table
from synthgan.schema import infer_schema, read_schema

SHAPES = {"adult": (48_842, 15), "penguins": (344, 8), "storms": (19_537, 10)}


@pytest.mark.parametrize("name", dataset_names())
class TestEveryDataset:
    def test_shape_and_target(self, name: str) -> None:
        frame = load_dataset(name)
        assert frame.shape == SHAPES[name]
        assert frame[dataset_target(name)].notna().all()

    def test_the_schema_is_what_would_be_inferred(self, name: str) -> None:
        folder = dataset_folder(name)
        assert read_schema(folder / "schema.toml") == infer_schema(read_table(folder / f"{name}.csv.gz"))

    def test_the_file_is_what_its_script_makes(self, name: str) -> None:
        folder = dataset_folder(name)
        expected = re.findall(r'sha256="([0-9a-f]{64})"', (folder / "make.py").read_text())[-1]
        assert hashlib.sha256(gzip.decompress((folder / f"{name}.csv.gz").read_bytes())).hexdigest() == expected

    def test_the_card_names_origin_licence_and_target(self, name: str) -> None:
        card = (dataset_folder(name) / "card.md").read_text()
        assert all(f"**{word}**" in card for word in ("Origin", "Licence", "Target"))
        assert f"`{dataset_target(name)}`" in card


def test_missing_cells_and_datetimes_are_real() -> None:
    adult, storms = load_dataset("adult"), load_dataset("storms")
    missing = adult.isna().sum()
    assert missing[missing > 0].to_dict() == {"workclass": 2799, "occupation": 2809, "native_country": 857}
    assert storms["time"].min() == pd.Timestamp("1975-06-27")
    assert str(storms["category"].dtype) == "Int64"


def test_unknown_and_absent_data_say_what_to_do(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    with pytest.raises(InputError, match="no dataset 'iris'; there are adult, penguins, storms"):
        load_dataset("iris")
    monkeypatch.setattr(datasets, "_PLACES", (tmp_path,))
    with pytest.raises(InputError, match=r"python datasets/adult/make\.py"):
        load_dataset("adult")


def test_the_data_folder_is_no_package() -> None:
    """An importable top-level `datasets` would shadow another well-known package of that name."""
    root = Path(__file__).parents[2]
    assert not list((root / "datasets").rglob("__init__.py"))
    spec = importlib.util.find_spec("datasets")
    assert spec is None or spec.origin is None or not Path(spec.origin).is_relative_to(root)


def test_the_data_stay_small() -> None:
    files = Path(__file__).parents[2] / "datasets"
    assert sum(path.stat().st_size for path in files.rglob("*") if path.is_file()) < 1_500_000
