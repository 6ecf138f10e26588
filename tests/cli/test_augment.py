"""``synthgan augment``."""

from __future__ import annotations

import json
from pathlib import Path

import pandas as pd
import pyarrow.parquet
import pytest

from synthgan import load_dataset


@pytest.fixture(scope="module")
def table(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("augment") / "penguins.csv"
    load_dataset("penguins").sample(80, random_state=0).to_csv(path, index=False)
    return path


def test_exact_counts_and_a_marker(run, table: Path, tmp_path: Path) -> None:
    out = tmp_path / "more.csv"
    result = run("augment", table, "--target", "species", "--counts", "Chinstrap=30,Gentoo=5", "--out", out)
    assert result.exit_code == 0, result.stderr
    more = pd.read_csv(out)
    assert more["synthetic"].sum() == 35
    assert more[more["synthetic"]]["species"].value_counts().to_dict() == {"Chinstrap": 30, "Gentoo": 5}
    assert "80 real and 35 generated rows" in result.stderr


def test_parquet_metadata_in_place_of_a_column(run, table: Path, tmp_path: Path) -> None:
    out = tmp_path / "more.parquet"
    result = run("augment", table, "--target", "species", "--ratio", 0.5, "--metadata", "--out", out, "--quiet")
    assert result.exit_code == 0, result.stderr
    found = pyarrow.parquet.read_table(out)
    mark = json.loads(found.schema.metadata[b"synthgan"])
    assert mark == {"real_rows": 80, "synthetic_rows": 40, "first_synthetic_row": 80}
    assert len(found) == 120
    assert "synthetic" not in found.column_names


@pytest.mark.parametrize(
    ("args", "code", "message"),
    [
        (["--balance", "--ratio", "1"], 2, "exclude each other"),
        (["--metadata"], 2, ".parquet"),
        (["--counts", "Emu=3"], 2, "no value 'Emu'"),
        (["--target", "colour"], 3, "no column 'colour'"),
    ],
)
def test_wrong_use(run, table: Path, args: list[str], code: int, message: str) -> None:
    result = run("augment", table, "--target", "species", *args)
    assert result.exit_code == code
    assert message in " ".join(result.stderr.split())
