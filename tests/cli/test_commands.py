"""Each command on a real table, and what happens when it cannot do its work."""

from __future__ import annotations

import io
import json
import os
import shutil
import signal
import subprocess
import sys
import zipfile
from pathlib import Path

import pandas as pd
import pytest

from synthgan import SynthGAN, load_dataset
from synthgan.io import read_table
from synthgan.schema import infer_schema, read_schema


def table_of(text: str) -> pd.DataFrame:
    return pd.read_csv(io.StringIO(text))


class TestFit:
    def test_the_plan_comes_before_and_the_next_step_after(self, run, penguins: Path, tmp_path: Path) -> None:
        result = run("fit", penguins, "--epochs", "2", "--out", tmp_path / "m.synthgan", "--seed", "3")
        assert result.exit_code == 0
        assert result.stdout == ""
        assert result.stderr.startswith("plan: 344 rows x 8 columns")
        assert ", 2 generators, " in result.stderr.splitlines()[0]
        assert "next: synthgan sample" in result.stderr
        assert SynthGAN.load(tmp_path / "m.synthgan").seed_ == 3

    def test_free_text_is_warned_of(self, run, tmp_path: Path) -> None:
        text = "kind,note\n" + "".join(f"{'ab'[i % 2]},please call {i} times again\n" for i in range(60))
        result = run("fit", "-", "--epochs", "1", "--out", tmp_path / "m.synthgan", stdin=text.encode())
        assert result.exit_code == 0
        assert "warning: column 'note' is free text" in result.stderr
        sampled = run("sample", tmp_path / "m.synthgan", "-n", "3")
        assert table_of(sampled.stdout)["note"].tolist() == ["text-1", "text-2", "text-3"]

    def test_quiet_says_nothing(self, run, penguins: Path, tmp_path: Path) -> None:
        result = run("fit", penguins, "--epochs", "1", "--out", tmp_path / "m.synthgan", "-q")
        assert (result.exit_code, result.stdout, result.stderr) == (0, "", "")

    def test_an_edited_schema_is_used(self, run, penguins: Path, tmp_path: Path) -> None:
        schema, model = tmp_path / "s.toml", tmp_path / "m.synthgan"
        run("inspect", penguins, "--write-schema", schema, "--discrete", "year")
        assert read_schema(schema)["year"].levels == (2007, 2008, 2009)
        schema.write_text(schema.read_text().replace("high = 6300", "high = 7000"))
        assert run("fit", penguins, "--schema", schema, "--epochs", "1", "--out", model).exit_code == 0
        assert SynthGAN.load(model).schema_["body_mass_g"].high == 7000

    def test_standard_input(self, run, tmp_path: Path) -> None:
        rows = "a,b\n" + "1,x\n2,y\n" * 30
        result = run("fit", "-", "--epochs", "1", "--out", tmp_path / "m.synthgan", stdin=rows.encode())
        assert result.exit_code == 0, result.stderr

    @pytest.mark.slow
    def test_an_interrupt_saves_what_was_learned(self, tmp_path: Path) -> None:
        out = tmp_path / "m.synthgan"
        table = tmp_path / "storms.csv"
        load_dataset("storms")[:2100].to_csv(table, index=False)  # enough for a critic, which is trained after all else
        command = [sys.executable, "-m", "synthgan_cli", "fit", table, "--epochs", "100000", "--out", out]
        with subprocess.Popen(command, stderr=subprocess.PIPE, text=True) as process:
            assert process.stderr is not None
            assert process.stderr.readline().startswith("plan:")
            with pytest.raises(subprocess.TimeoutExpired):
                process.wait(5)
            process.send_signal(signal.SIGINT)
            message = process.stderr.read()
        assert process.returncode == 130
        assert "interrupted: the model is the best so far" in message
        assert len(SynthGAN.load(out).sample(5, random_state=0)) == 5


class TestSample:
    def test_rows_to_stdout_as_csv(self, run, model: Path, penguins: Path) -> None:
        result = run("sample", model, "-n", "7")
        assert result.exit_code == 0
        assert result.stderr == ""
        assert len(table_of(result.stdout)) == 7
        assert list(table_of(result.stdout)) == list(read_table(penguins))

    def test_conditions_of_every_form_hold(self, run, model: Path) -> None:
        where = ["species=Adelie|Gentoo", "bill_length_mm=40..45", "body_mass_g=..4500", "sex=male", "year=2008"]
        result = run("sample", model, "-n", "50", *(arg for text in where for arg in ("--where", text)))
        rows = table_of(result.stdout)
        assert len(rows) == 50
        assert set(rows["species"]) <= {"Adelie", "Gentoo"}
        assert rows["bill_length_mm"].between(40, 45).all()
        assert (rows["body_mass_g"] <= 4500).all()
        assert set(rows["sex"]) == {"male"}
        assert set(rows["year"]) == {2008}

    def test_class_counts_are_exact(self, run, model: Path) -> None:
        result = run("sample", model, "--class-counts", "Chinstrap=30,Adelie=4", "--where", "sex=")
        rows = table_of(result.stdout)
        assert rows["species"].value_counts().to_dict() == {"Chinstrap": 30, "Adelie": 4}
        assert rows["sex"].isna().all()

    @pytest.mark.parametrize("suffix", [".csv", ".csv.gz", ".tsv", ".parquet", ".feather"])
    def test_files(self, run, model: Path, tmp_path: Path, suffix: str) -> None:
        out = tmp_path / f"rows{suffix}"
        result = run("sample", model, "-n", "5", "--out", out)
        assert result.stdout == ""
        assert f"wrote 5 rows to {out}" in result.stderr
        assert len(read_table(out)) == 5

    def test_seeds(self, run, model: Path) -> None:
        first, again, other = (run("sample", model, "-n", "20", "--seed", seed).stdout for seed in "112")
        assert first == again != other

    def test_processes_draw_the_same_rows(self, run, model: Path) -> None:
        first, again = (run("sample", model, "-n", "9000", "--jobs", jobs) for jobs in "12")
        assert first.exit_code == again.exit_code == 0
        assert first.stdout == again.stdout
        assert first.stdout.count("\n") == 9001

    @pytest.mark.parametrize(
        ("args", "message"),
        [
            (["--where", "species=Emperor"], "'species' has no value 'Emperor'"),
            (["--where", "bill_length_mm=500"], "'bill_length_mm'"),
            (["--where", "wings=2"], "no column 'wings' in the model"),
            (["--class-counts", "Emperor=3"], "'species' has no value 'Emperor'"),
            (["--class-counts", "Adelie=3", "-n", "5"], "already says how many rows"),
        ],
    )
    def test_impossible_wishes_are_usage_errors(self, run, model: Path, tmp_path: Path, args, message: str) -> None:
        result = run("sample", model, *args, "--out", tmp_path / "rows.csv")
        assert result.exit_code == 2
        assert message in result.stderr
        assert os.listdir(tmp_path) == []

    def test_counts_need_a_target(self, run, penguins: Path, tmp_path: Path) -> None:
        run("fit", penguins, "--epochs", "1", "--out", tmp_path / "m.synthgan")
        result = run("sample", tmp_path / "m.synthgan", "--class-counts", "Adelie=3")
        assert result.exit_code == 2
        assert "fit the model with --target" in result.stderr


class TestModelFiles:
    @pytest.mark.parametrize("command", ["sample", "inspect"])
    @pytest.mark.parametrize("damage", ["absent", "empty", "cut", "changed", "foreign"])
    def test_damaged_files(self, run, model: Path, tmp_path: Path, command: str, damage: str) -> None:
        data = model.read_bytes()
        path = tmp_path / "m.synthgan"
        middle = len(data) // 2
        contents = {
            "empty": b"",
            "cut": data[:middle],
            "changed": data[:middle] + bytes(255 - byte for byte in data[middle : middle + 64]) + data[middle + 64 :],
            "foreign": b"a,b\n1,2\n",
        }
        if damage != "absent":
            path.write_bytes(contents[damage])
        result = run(command, path)
        assert result.exit_code == 4
        assert result.stderr.startswith("error: ")
        assert result.stdout == ""


BAD_TABLES = {
    "empty": (b"", "is empty"),
    "header": (b"a,b\n", "no rows"),
    "twice": (b"a,a\n1,2\n", "repeated"),
    "infinite": (b"a,b\n1.5,x\ninf,y\n", "infinite"),
    "stray": (b"a\n" + b"\n".join(b"2020-01-%02d" % i for i in range(1, 32)) + b"\nsoon\n", "'soon'"),
    "one row": (b"a,b\n1,x\n", "row"),
    "ragged": (b"a,b\n1,2\n3\n", "Expected 2 columns"),
}


@pytest.mark.parametrize(("content", "message"), BAD_TABLES.values(), ids=BAD_TABLES)
def test_bad_tables_are_refused_and_leave_nothing(run, tmp_path: Path, content: bytes, message: str) -> None:
    (tmp_path / "data.csv").write_bytes(content)
    result = run("fit", tmp_path / "data.csv", "--out", tmp_path / "m.synthgan", "--epochs", "1")
    assert result.exit_code == 3
    assert message in result.stderr
    assert os.listdir(tmp_path) == ["data.csv"]


def test_other_bad_data(run, penguins: Path, model: Path, tmp_path: Path) -> None:
    unknown = run("fit", penguins, "--target", "colour", "--out", tmp_path / "m.synthgan")
    assert unknown.exit_code == 3
    assert "no column 'colour'" in unknown.stderr
    nowhere = run("fit", penguins, "--out", tmp_path / "none" / "m.synthgan")
    assert nowhere.exit_code == 3
    assert "cannot write" in nowhere.stderr
    (tmp_path / "other.csv").write_text("a,b\n1,2\n")
    other = run("impute", model, tmp_path / "other.csv")
    assert other.exit_code == 3
    assert "not in the schema" in other.stderr


def test_impute_fills_holes_and_nothing_else(run, model: Path, penguins: Path, tmp_path: Path) -> None:
    out = tmp_path / "filled.csv"
    result = run("impute", model, penguins, "--out", out)
    assert result.stderr.startswith("filled 19 cells of 344 rows")
    before, after = read_table(penguins), read_table(out)
    assert after.notna().all(axis=None)
    assert (before.isna() | (before == after)).all(axis=None)


class TestInspect:
    def test_a_table(self, run, penguins: Path) -> None:
        lines = run("inspect", penguins).stdout.splitlines()
        line = next(line for line in lines if line.lstrip().startswith("body_mass_g"))
        assert all(word in line for word in ("numeric", "Int64", "0.6%", "2700 .. 6300", "in steps of 25"))

    def test_json_is_the_schema(self, run, penguins: Path) -> None:
        data = json.loads(run("inspect", penguins, "--json").stdout)
        assert data["schema"] == infer_schema(read_table(penguins)).to_dict()
        assert data["info"] == {"rows": 344, "columns": 8}

    def test_a_model(self, run, model: Path) -> None:
        assert "rows fitted" in run("inspect", model).stdout
        data = json.loads(run("inspect", model, "--json").stdout)
        assert data["info"]["rows_fitted"] == 344
        assert data["info"]["target"] == "species"
        with zipfile.ZipFile(model) as file:
            state = json.loads(file.read("state.json"))
            assert data["history"] == state["history"]
            assert data["manifest"] == json.loads(file.read("manifest.json"))
            assert all(name in run("inspect", model).stdout for name in file.namelist())
        assert [item["name"] for item in data["encoder"]["columns"]] == [c["name"] for c in state["encoder"]["columns"]]
        assert data["encoder"]["columns"][1]["levels"] == state["encoder"]["columns"][1]["levels"]
        assert data["weights"]["members.0.head.weight"][0] == "float32"

    def test_rules_that_rows_keep_to_are_told(self, run, tmp_path: Path) -> None:
        towns, model = {"Bonn": "DE", "Ulm": "DE", "Graz": "AT"}, tmp_path / "m.synthgan"
        rows = [(net, 3 * net, town) for net in range(1, 40) for town in towns]
        text = "net,gross,town,country\n" + "".join(f"{a},{b},{town},{towns[town]}\n" for a, b, town in rows)
        result = run("fit", "-", "--epochs", "1", "--out", model, stdin=text.encode())
        assert "all rows keep to, and sampled ones will: gross = 3 * net" in result.stderr
        assert "never together in any row: country follows from town\n" in result.stderr
        shown = run("inspect", model).stdout
        assert "gross = 3 * net" in shown
        assert "country follows from town" in shown
        sampled = table_of(run("sample", model, "-n", "200").stdout)
        assert (sampled["country"] == sampled["town"].map(towns)).all()

    def test_a_model_under_another_name(self, run, model: Path, tmp_path: Path) -> None:
        shutil.copy(model, tmp_path / "model.bin")
        assert "rows fitted" in run("inspect", tmp_path / "model.bin").stdout


@pytest.mark.slow
def test_the_demo_goes_the_whole_way(run, tmp_path: Path) -> None:
    result = run("demo", "penguins", "--out", tmp_path / "demo", "--max-seconds", "2")
    assert result.exit_code == 0, result.stderr
    assert sorted(os.listdir(tmp_path / "demo")) == ["model.synthgan", "report.html", "synthetic.csv"]
    assert len(read_table(tmp_path / "demo" / "synthetic.csv")) == 229
    cells = next(line for line in result.stdout.splitlines() if line.lstrip().startswith("ColumnShapes")).split()
    assert float(cells[1]) == pytest.approx(float(cells[-1]), abs=0.01)  # ours and sdmetrics'
    page = (tmp_path / "demo" / "report.html").read_text()
    assert 'id="reference"' in page
    assert 'id="training"' in page


def test_two_ways_to_say_what_columns_are(run, penguins: Path, tmp_path: Path) -> None:
    run("inspect", penguins, "--write-schema", tmp_path / "s.json")
    result = run(
        "fit", penguins, "--schema", tmp_path / "s.json", "--discrete", "year", "--out", tmp_path / "m.synthgan"
    )
    assert result.exit_code == 2
    assert "edit the schema" in result.stderr
