"""Tables in files: what a cell says is kept, bad files are refused, and no half file is left."""

from __future__ import annotations

import gzip
import io
import math
import os
import string
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from synthgan.errors import InputError
from synthgan.io import MISSING_WORDS, SUFFIXES, atomic_write, read_table, write_table


def write(path: Path, text: str | bytes) -> Path:
    path.write_bytes(text.encode() if isinstance(text, str) else text)
    return path


def read_cells(tmp_path: Path, *cells: str) -> pd.Series[Any]:
    return read_table(write(tmp_path / "x.csv", "x,y\n" + "".join(f"{cell},1\n" for cell in cells)))["x"]


class TestTypesOfText:
    @pytest.mark.parametrize(
        ("cells", "dtype", "values"),
        [
            (["1", "-2", "+3"], "int64", [1, -2, 3]),
            (["1", "", "3"], "Int64", [1, None, 3]),
            (["1", "NA", "2.5"], "float64", [1.0, None, 2.5]),
            (["1e3", ".5", "2."], "float64", [1000.0, 0.5, 2.0]),
            (["True", "False"], "bool", [True, False]),
            (["True", ""], "object", [True, None]),
            (["true", "false"], "object", ["true", "false"]),
            (["007", "123"], "object", ["007", "123"]),
            (["1", "x"], "object", ["1", "x"]),
            (["", ""], "float64", [None, None]),
            ([str(2**64 - 1), "1"], "uint64", [2**64 - 1, 1]),
            ([str(10**30), "1"], "object", [str(10**30), "1"]),
            (["inf", "1"], "float64", [math.inf, 1.0]),
            ([" 5", "6"], "int64", [5, 6]),
            (["2020-01-01", ""], "object", ["2020-01-01", None]),
        ],
    )
    def test_narrowest_type_that_loses_nothing(
        self, tmp_path: Path, cells: list[str], dtype: str, values: list[Any]
    ) -> None:
        column = read_cells(tmp_path, *cells)
        assert str(column.dtype) == dtype
        assert [None if pd.isna(value) else value for value in column] == values

    def test_quoted_line_breaks_and_byte_order_mark(self, tmp_path: Path) -> None:
        frame = read_table(write(tmp_path / "x.csv", '\ufeffa,b\n"one\ntwo","3"\n"say ""hi""",4\n'))
        assert frame.to_dict("list") == {"a": ["one\ntwo", 'say "hi"'], "b": [3, 4]}

    def test_columns_are_chosen_in_order(self, tmp_path: Path) -> None:
        path = write(tmp_path / "x.csv", "a,b,c\n1,2,3\n")
        assert read_table(path, columns=["c", "a"]).columns.tolist() == ["c", "a"]
        with pytest.raises(InputError, match=r"no column \['d'\]"):
            read_table(path, columns=["d"])

    def test_the_index_that_pandas_wrote_gets_its_usual_name(self, tmp_path: Path) -> None:
        assert read_table(write(tmp_path / "x.csv", ",a\n0,5\n")).columns.tolist() == ["Unnamed: 0", "a"]


texts = st.text(string.ascii_letters + ' ,"\n;äöü-_.', max_size=10).filter(lambda t: t not in MISSING_WORDS)
floats = st.floats(allow_nan=False, allow_infinity=False)
columns = (
    st.lists(st.integers(-(2**63), 2**63 - 1) | st.none(), min_size=5, max_size=5)
    | st.lists(floats | st.none(), min_size=5, max_size=5)
    | st.lists(texts | st.none(), min_size=5, max_size=5)
    | st.lists(st.booleans() | st.none(), min_size=5, max_size=5)
)


@given(st.lists(columns, min_size=1, max_size=4), st.sampled_from([".csv", ".csv.gz", ".tsv"]))
def test_what_was_read_is_written_back_to_the_same_bytes(
    tmp_path_factory: pytest.TempPathFactory, table: list[list[Any]], suffix: str
) -> None:
    first, second = (tmp_path_factory.getbasetemp() / f"{name}{suffix}" for name in "ab")
    frame = pd.DataFrame({f"c{i}": pd.Series(column, dtype=object) for i, column in enumerate(table)})
    write_table(frame, first)
    read = read_table(first)
    write_table(read, second)
    assert second.read_bytes() == first.read_bytes()
    pd.testing.assert_frame_equal(read, read_table(second))


@pytest.mark.parametrize("suffix", [".parquet", ".feather"])
def test_binary_files_keep_dtypes(tmp_path: Path, mixed_table: pd.DataFrame, suffix: str) -> None:
    write_table(mixed_table, tmp_path / f"t{suffix}")
    pd.testing.assert_frame_equal(read_table(tmp_path / f"t{suffix}"), mixed_table)


def test_dates_in_parquet_become_datetimes(tmp_path: Path) -> None:
    import datetime

    pd.DataFrame({"d": [datetime.date(2020, 1, 2)]}).to_parquet(tmp_path / "d.parquet")
    assert read_table(tmp_path / "d.parquet")["d"].iloc[0] == pd.Timestamp("2020-01-02")


@pytest.mark.parametrize("suffix", SUFFIXES)
def test_batches_are_one_table(tmp_path: Path, suffix: str) -> None:
    frame = pd.DataFrame({"a": range(10), "b": list("abcdefghij")})
    write_table((frame[i : i + 3] for i in range(0, 10, 3)), tmp_path / f"t{suffix}")
    pd.testing.assert_frame_equal(read_table(tmp_path / f"t{suffix}"), frame)


def test_the_same_table_gives_the_same_gzip_bytes(tmp_path: Path) -> None:
    frame = pd.DataFrame({"a": [1, 2]})
    for name in ("a.csv.gz", "b.csv.gz"):
        write_table(frame, tmp_path / name)
    assert (tmp_path / "a.csv.gz").read_bytes() == (tmp_path / "b.csv.gz").read_bytes()


class TestStreams:
    def test_standard_input(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(b"a,b\n1,x\n")))
        assert read_table("-").to_dict("list") == {"a": [1], "b": ["x"]}

    def test_standard_output(self, capfdbinary: pytest.CaptureFixture[bytes]) -> None:
        write_table(pd.DataFrame({"a": [1]}), "-")
        assert capfdbinary.readouterr().out == b"a\n1\n"


BAD = {
    "empty.csv": (b"", "is empty"),
    "blank.csv": (b"\n\n", "is empty"),
    "header.csv": (b"a,b\n", "no rows"),
    "ragged.csv": (b"a,b\n1,2\n3\n", "Expected 2 columns, got 1"),
    "wide.csv": (b"a,b\n1,2\n3,4,5\n", "Expected 2 columns, got 3"),
    "open.csv": (b'a,b\n1,2\n3,"4\n5,6\n', "a quote is opened and never closed"),
    "torn.csv": (b'a,b\n1,2\n"3,4\n5,6\n', "a quote is opened and never closed"),
    "quoted-header.csv": (b'"a","b"', "no rows below its header"),
    "twice.csv": (b"a,b,a\n1,2,3\n", r"repeated: \['a'\]"),
    "nul.csv": (b"a,b\n1,\x00\n", "NUL bytes"),
    "latin.csv": ("a,b\nx,y\nü,2\n".encode("latin1"), r"not UTF-8 text \(line 3\)"),
    "semicolon.csv": (b"a;b\n1;2\n", "separated by ';'"),
    "plain.csv.gz": (b"a,b\n1,2\n", "gzip"),
    "cut.csv.gz": (gzip.compress(b"a,b\n1,2\n" * 99)[:-12], "cannot read"),
    "no.parquet": (b"a,b\n1,2\n", "cannot read"),
    "no.feather": (b"a,b\n1,2\n", "cannot read"),
    "table.xlsx": (b"", r"unknown kind of table; the suffixes are \.csv"),
}


@pytest.mark.parametrize(("name", "content", "message"), [(name, *rest) for name, rest in BAD.items()], ids=BAD)
def test_bad_files_are_refused_by_name(tmp_path: Path, name: str, content: bytes, message: str) -> None:
    with pytest.raises(InputError, match=message) as caught:
        read_table(write(tmp_path / name, content))
    assert name in str(caught.value)


@pytest.mark.parametrize("end", ["", "\n", "\r\n", "\n\n"])
def test_closed_quotes_may_hold_anything(tmp_path: Path, end: str) -> None:
    text = 'a,b\n5" wide,"x\ny"\n"say ""so""",","\n"",""""' + end
    read = read_table(write(tmp_path / "x.csv", text))
    assert read["a"].tolist()[:2] == ['5" wide', 'say "so"']
    assert math.isnan(read["a"][2])
    assert read["b"].tolist() == ["x\ny", ",", '"']


def test_absent_file_and_folder(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="No such file"):
        read_table(tmp_path / "none.csv")
    with pytest.raises(InputError, match="cannot read"):
        read_table(tmp_path / "none.parquet")
    (tmp_path / "folder.csv").mkdir()
    with pytest.raises(InputError, match="directory"):
        read_table(tmp_path / "folder.csv")


class TestAtomicWrite:
    def test_failure_leaves_the_old_file_and_nothing_else(self, tmp_path: Path) -> None:
        path = write(tmp_path / "x.bin", "old")

        def fail() -> None:
            with atomic_write(path) as file:
                file.write(b"new")
                raise KeyboardInterrupt

        with pytest.raises(KeyboardInterrupt):
            fail()
        assert path.read_text() == "old"
        assert os.listdir(tmp_path) == ["x.bin"]

    def test_unwritable_places(self, tmp_path: Path) -> None:
        (tmp_path / "folder.csv").mkdir()
        for name in ("none/x.csv", "folder.csv"):
            with pytest.raises(InputError, match="cannot write"):
                write_table(pd.DataFrame({"a": [1]}), tmp_path / name)
        assert os.listdir(tmp_path) == ["folder.csv"]

    def test_a_failing_batch_leaves_no_file(self, tmp_path: Path) -> None:
        def batches() -> Any:
            yield pd.DataFrame({"a": [1]})
            raise InputError("no more")

        with pytest.raises(InputError, match="no more"):
            write_table(batches(), tmp_path / "x.csv")
        assert os.listdir(tmp_path) == []

    def test_permissions_and_links_stay(self, tmp_path: Path) -> None:
        path = write(tmp_path / "x.csv", "old")
        path.chmod(0o640)
        link = tmp_path / "link.csv"
        link.symlink_to(path)
        write_table(pd.DataFrame({"a": [1]}), link)
        assert (path.read_text(), path.stat().st_mode & 0o777, link.is_symlink()) == ("a\n1\n", 0o640, True)

    def test_devices_are_written_through(self) -> None:
        with atomic_write("/dev/null") as file:
            file.write(b"x")
        assert not Path("/dev/null").is_file()


def test_missing_cells_of_every_kind_are_empty_text(tmp_path: Path) -> None:
    frame = pd.DataFrame({"a": pd.array([1, None], dtype="Int64"), "b": [np.nan, "x"], "c": [pd.NaT, pd.Timestamp(0)]})
    write_table(frame, tmp_path / "x.csv")
    assert (tmp_path / "x.csv").read_text() == "a,b,c\n1,,\n,x,1970-01-01\n"
