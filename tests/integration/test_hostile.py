"""Hostile tables and names, no network, no memory, no room on the disk: a clear error or a sound result."""

from __future__ import annotations

import contextlib
import gzip
import json
import os
import socket
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from synthgan_cli.app import app
from typer.testing import CliRunner

from synthgan import SynthGAN, evaluate, load, load_dataset, render_html
from synthgan.errors import InputError, OutOfMemoryError, SynthganError
from synthgan.io import atomic_write, read_table, write_table
from synthgan.schema import infer_schema
from synthgan.synthesizers import FitPlan

NAMES = [
    "<script>alert(1)</script>",
    "=cmd|' /C calc'!A0",
    "a\nb",
    "$(rm -rf ~)",
    "../../etc/passwd",
    "'; DROP TABLE x; --",
    "%s%n{0}{x!r}",
    "[bold red]x[/]",
    "\u202egnp.exe",
    "x" * 2000,
    "name",
    "levels",
    "$array",
    "state",
]


@pytest.fixture(scope="module")
def hostile() -> pd.DataFrame:
    rng = np.random.default_rng(0)
    columns = {name: rng.integers(0, 3, 60) for name in NAMES}
    columns[NAMES[0]] = rng.choice(["<img src=x onerror=alert(2)>", "=1+1", "-5", "ok"], 60).astype(object)
    return pd.DataFrame(columns)


@pytest.fixture(scope="module")
def file(hostile: pd.DataFrame, tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("hostile") / "m.synthgan"
    SynthGAN(epochs=1, hidden_dim=8, random_state=0).fit(hostile, target=NAMES[0]).save(path)
    return path


def run(*args: str | Path) -> Any:
    result = CliRunner().invoke(app, [str(arg) for arg in args])
    assert result.exception is None or isinstance(result.exception, SystemExit), result.exception
    return result


def test_hostile_names_survive_files_and_commands(hostile: pd.DataFrame, file: Path, tmp_path: Path) -> None:
    rows = load(file, device="cpu").sample(20, random_state=0)
    assert list(rows) == NAMES
    write_table(hostile, tmp_path / "t.csv")
    assert list(read_table(tmp_path / "t.csv")) == NAMES
    assert run("inspect", file).exit_code == 0
    assert json.loads(run("inspect", file, "--json").stdout)["schema"]["columns"][1]["name"] == NAMES[1]
    assert run("inspect", tmp_path / "t.csv", "--write-schema", tmp_path / "s.toml").exit_code == 0
    assert run("sample", file, "-n", "5", "--out", tmp_path / "rows.csv").exit_code == 0
    assert sorted(os.listdir(tmp_path)) == ["rows.csv", "s.toml", "t.csv"]


def test_hostile_names_are_text_in_html(hostile: pd.DataFrame) -> None:
    shuffled = hostile.sample(frac=1, random_state=0, ignore_index=True)
    page = render_html(evaluate(hostile, shuffled, profile="quick", random_state=0))
    assert "<script>alert(1)" not in page
    assert "<img src=x" not in page
    assert "&lt;script&gt;alert(1)" in page


def test_formulas_are_escaped_when_asked_for(hostile: pd.DataFrame, file: Path, tmp_path: Path) -> None:
    for option, first in (([], "="), (["--escape-formulas"], "'")):
        assert run("sample", file, "-n", "50", "--out", tmp_path / "r.csv", *option).exit_code == 0
        rows = read_table(tmp_path / "r.csv")
        assert rows.columns[1].startswith(first)
        assert ("=1+1" in set(rows[NAMES[0]])) == (not option)
        assert "-5" in set(rows[NAMES[0]].astype(str))
    write_table(
        pd.DataFrame({"a": pd.Categorical(["@x", "y"]), "b": [-1, 2]}), tmp_path / "c.csv", escape_formulas=True
    )
    assert (tmp_path / "c.csv").read_text() == "a,b\n'@x,-1\ny,2\n"
    write_table(pd.DataFrame({"a": ["=x"]}), tmp_path / "c.parquet", escape_formulas=True)
    assert read_table(tmp_path / "c.parquet")["a"].tolist() == ["=x"]


def test_ten_thousand_columns(tmp_path: Path) -> None:
    path = tmp_path / "wide.csv"
    path.write_text(",".join(f"c{i}" for i in range(10_000)) + "\n" + (",".join(["1"] * 10_000) + "\n") * 3)
    frame = read_table(path)
    assert frame.shape == (3, 10_000)
    assert len(infer_schema(frame.iloc[:, :2000])) == 2000


@pytest.mark.slow
def test_a_cell_of_a_hundred_megabytes(tmp_path: Path) -> None:
    path = tmp_path / "big.csv"
    path.write_text("a,b\n1," + "x" * 100_000_000 + "\n2,y\n")
    frame = read_table(path)
    assert frame["b"].str.len().tolist() == [100_000_000, 1]
    infer_schema(frame)


@pytest.mark.parametrize(
    ("content", "outcome"),
    [
        (b"a,b\n1,\x002\n3,4\n", "NUL"),
        (b"\xef\xbb\xbfa,b\n1,2\n3,4\n", ["a", "b"]),
        (b"a,b\r\n1,2\n3,4\r5,6\r\n", ["a", "b"]),
        (b"a,b\n1,2\n\n\n3,4\n", ["a", "b"]),
        (b"\xff\xfea\x00,\x00b\x00\n\x00", "NUL"),
        (b'a,b\n"1,2\n3,4\n', None),
        (b'"a\n1",b\n1,2\n', ["a\n1", "b"]),
        (b"\n\n\n", "empty"),
        (b"a" * 5_000_000, None),
        (b"," * 1000 + b"\n" + b"," * 1000 + b"\n", None),
        (b"a,a\n1,2\n", "unique"),
    ],
)
def test_csv_that_nobody_should_write(tmp_path: Path, content: bytes, outcome: Any) -> None:
    path = tmp_path / "x.csv"
    path.write_bytes(content)
    if isinstance(outcome, list):
        assert list(read_table(path)) == outcome
        return
    with contextlib.suppress(InputError) if outcome is None else pytest.raises(InputError, match=outcome):
        read_table(path)


def test_a_packed_bomb_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "bomb.csv.gz"
    with gzip.open(path, "wb") as out:
        out.write(b"a\n")
        for _ in range(110):
            out.write(b"1\n" * 500_000)
    with pytest.raises(InputError, match="unpacks"):
        read_table(path)


def test_damaged_gzip_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "x.csv.gz"
    whole = bytearray(gzip.compress(b"a,b\n" + b"".join(b"%d,%d\n" % (i, i * i) for i in range(500))))
    for place in range(10, len(whole) - 1, 40):
        path.write_bytes(whole[:place] + bytes([whole[place] ^ 255]) + whole[place + 1 :])
        with contextlib.suppress(InputError):
            read_table(path)
    path.write_bytes(whole[:-20])
    with pytest.raises(InputError):
        read_table(path)


@pytest.fixture
def no_network(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    tried: list[str] = []

    def refuse(name: str) -> Any:
        def call(*args: Any, **kwargs: Any) -> Any:
            tried.append(name)
            raise OSError(f"{name}: the network is off limits")

        return call

    for name in ("connect", "connect_ex", "bind", "sendto"):
        monkeypatch.setattr(socket.socket, name, refuse(name))
    monkeypatch.setattr(socket, "getaddrinfo", refuse("getaddrinfo"))
    return tried


def test_no_network(no_network: list[str], tmp_path: Path) -> None:
    table = load_dataset("penguins")
    model = SynthGAN(epochs=2, hidden_dim=8, random_state=0).fit(table, target="species")
    model.save(tmp_path / "m.synthgan")
    rows = SynthGAN.load(tmp_path / "m.synthgan").sample(100, random_state=0)
    model.impute(table)
    render_html(evaluate(table, rows, target="species", profile="quick", random_state=0))
    assert no_network == []


LITTLE_MEMORY = """
import resource
from synthgan import SynthGAN, load_dataset
from synthgan.errors import OutOfMemoryError
frame = load_dataset("penguins")
size = int(open("/proc/self/statm").read().split()[0]) * resource.getpagesize()
resource.setrlimit(resource.RLIMIT_AS, (size + 600_000_000, size + 600_000_000))
for width in (20000, 8):
    try:
        SynthGAN(epochs=1, hidden_dim=width, random_state=0).fit(frame)
    except OutOfMemoryError as error:
        print("refused:", error)
    else:
        print("fitted")
"""


@pytest.mark.slow
@pytest.mark.skipif(sys.platform != "linux", reason="limits of memory are set as Linux does")
def test_running_out_of_memory_has_a_name_and_leaves_the_process_sound() -> None:
    done = subprocess.run([sys.executable, "-c", LITTLE_MEMORY], capture_output=True, text=True, check=True)
    refused, fitted = done.stdout.splitlines()
    assert refused.startswith("refused: there is no memory left for training"), done.stderr
    assert fitted == "fitted"


def test_memory_that_is_not_there_is_told() -> None:
    with pytest.raises(OutOfMemoryError, match="max-memory"):
        SynthGAN(epochs=1, hidden_dim=3_000_000).fit(pd.DataFrame({"x": np.arange(50) % 7}))


def test_less_memory_means_smaller_batches() -> None:
    frame = pd.DataFrame({"x": np.arange(5000) % 7, "y": np.arange(5000) % 11})

    def plan(limit: float | None) -> FitPlan:
        return SynthGAN(batch_size=4000, hidden_dim=384, max_megabytes=limit).plan(frame)

    whole = plan(None).memory_bytes / 1e6
    sizes = [plan(limit) for limit in (None, 0.9 * whole, 0.8 * whole)]
    assert [plan.batch_size for plan in sizes] == sorted((plan.batch_size for plan in sizes), reverse=True)
    assert sizes[0].batch_size == 4000 > sizes[1].batch_size > sizes[2].batch_size
    assert sizes[2].memory_bytes <= 0.8e6 * whole
    for wrong in (0, -1, "1GB", True):
        with pytest.raises(SynthganError, match="max_megabytes"):
            SynthGAN(max_megabytes=wrong).plan(frame)


FULL = """
import resource, signal, sys
from pathlib import Path
from synthgan import SynthGAN, load
from synthgan.errors import InputError
signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
folder = Path(sys.argv[1])
model = load(folder / "old.synthgan", device="cpu")
resource.setrlimit(resource.RLIMIT_FSIZE, (20_000, 20_000))
frame = model.sample(60, random_state=0)
for attempt in (
    lambda: model.save(folder / "old.synthgan"),
    lambda: model.save(folder / "new.synthgan"),
    lambda: SynthGAN(epochs=1, hidden_dim=8).fit(frame, checkpoint=folder / "checkpoints"),
):
    try:
        attempt()
    except InputError as error:
        print(error)
"""


@pytest.mark.slow
@pytest.mark.skipif(sys.platform != "linux", reason="limits of files are set as Linux does")
def test_no_room_on_the_disk_leaves_nothing_half_written(file: Path, tmp_path: Path) -> None:
    (tmp_path / "old.synthgan").write_bytes(file.read_bytes())
    done = subprocess.run([sys.executable, "-c", FULL, tmp_path], capture_output=True, text=True, check=True)
    assert done.stdout.count("cannot write") == 3, done.stdout + done.stderr
    assert sorted(os.listdir(tmp_path)) == ["checkpoints", "old.synthgan"]
    assert os.listdir(tmp_path / "checkpoints") == []
    assert (tmp_path / "old.synthgan").read_bytes() == file.read_bytes()


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="needs a device that is always full")
def test_a_full_device() -> None:
    with pytest.raises(InputError, match="No space left"), atomic_write("/dev/full") as out:
        out.write(b"x" * 100_000)
