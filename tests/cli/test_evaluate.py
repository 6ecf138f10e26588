"""``synthgan evaluate``: one table or several, in every form, and what makes a pipeline fail."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
import typer
from synthgan_cli.evaluate import parse_candidates, parse_limits, shortfalls

from synthgan.evaluation import EvaluationReport, Theme
from synthgan.io import read_table

THEMES = {"fidelity", "utility", "privacy", "coverage"}


@pytest.fixture(scope="module")
def folder(run, model: Path, penguins: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("tables")
    frame = read_table(penguins).sample(frac=1, random_state=0)
    frame[:200].to_csv(folder / "real.csv", index=False)
    frame[200:].to_csv(folder / "holdout.csv", index=False)
    run("sample", model, "-n", "200", "--out", folder / "synthetic=1.csv")
    return folder


@pytest.fixture(scope="module")
def judge(run, folder: Path):
    """Run `evaluate --quick` on the real rows and these further arguments."""

    def call(*args: str | Path, synthetic: tuple[str, ...] = ("{}/synthetic=1.csv",)):
        tables = [part for text in synthetic for part in ("--synthetic", text.format(folder))]
        return run("evaluate", "--real", folder / "real.csv", *tables, "--quick", *args)

    return call


TWO = ("ours={}/synthetic=1.csv", "copy={}/real.csv")


def test_one_table_in_every_form_at_once(judge, folder: Path, model: Path, tmp_path: Path) -> None:
    page, summary = tmp_path / "r.html", tmp_path / "s.md"
    result = judge("--holdout", folder / "holdout.csv", "--target", "species", "--report", page, "--markdown", summary,
                   "--model", model, "--sdmetrics", "--fail-under", "fidelity=0")  # fmt: skip
    assert result.exit_code == 0, result.stderr
    for word in (*THEMES, "ColumnShapes", "ceiling", "sdmetrics", "0.5 or association at most 0.3"):
        assert word in result.stdout
    html = page.read_text()
    assert html.lower().startswith("<!doctype html>")
    for section in ("training", "reference", "privacy"):
        assert f'<section id="{section}">' in html
    assert summary.read_text().startswith("| theme | score | verdict |")
    assert f"wrote {page}\nwrote {summary}" in result.stderr.replace("\r", "")


def test_json_is_one_object_of_the_documented_shape(judge, folder: Path) -> None:
    data = json.loads(judge("--holdout", folder / "holdout.csv", "--sdmetrics", "--json").stdout)
    assert set(data["themes"]) == THEMES
    for theme in data["themes"].values():
        assert theme["score"] is None or 0 <= theme["score"] <= 1
        assert theme["verdict"]
    assert data["themes"]["utility"]["score"] is None  # no target was given
    for metric in data["metrics"]:
        assert set(metric) == {"name", "columns", "value", "ceiling", "floor", "low", "high", "note"}
    assert {"ColumnShapes", "PairTrends", "C2ST_holdout"} <= {metric["name"] for metric in data["metrics"]}
    assert data["sdmetrics"]["all pairs"]["association threshold"] == 0
    assert EvaluationReport.from_dict(data).themes["fidelity"].score == data["themes"]["fidelity"]["score"]


def test_candidates_side_by_side(judge, tmp_path: Path) -> None:
    page = tmp_path / "c.html"
    result = judge("--report", page, "--sdmetrics", synthetic=TWO)
    assert result.exit_code == 0, result.stderr
    lines = [line.split() for line in result.stdout.splitlines()]
    assert ["score", "ours", "copy"] in lines
    assert next(line for line in lines if line[:1] == ["ExactCopies"])[2] == "1.0000"
    assert next(line for line in lines if line[:3] == ["sdmetrics", "Column", "Shapes"])[4] == "1.0000"
    html = page.read_text()
    for word in ("2 synthetic tables", "copy: sdmetrics"):
        assert word in html


def test_candidates_as_json_and_markdown(judge) -> None:
    data = json.loads(judge("--json", synthetic=TWO).stdout)
    assert list(data["candidates"]) == ["ours", "copy"]
    assert set(data["candidates"]["copy"]["themes"]) == THEMES
    assert judge("--markdown", "-", synthetic=TWO).stdout.startswith("| | ours | copy |\n")


def test_a_score_under_the_limit_fails_after_everything_is_written(judge, folder: Path, tmp_path: Path) -> None:
    page = tmp_path / "r.html"
    result = judge("--fail-under", "fidelity=1", "--fail-under", "privacy=0.1", "--report", page)
    assert result.exit_code == 6
    assert "ColumnShapes" in result.stdout
    assert page.exists()
    words = " ".join(result.stderr.split())
    assert "error: fidelity is 0." in words
    assert "under the 1 of --fail-under" in words
    assert "privacy could not be measured, and --fail-under asks for 0.1: Not measured: it needs holdout" in words


def test_every_candidate_is_held_to_the_limits() -> None:
    def report(score: float | None) -> EvaluationReport:
        return EvaluationReport({"fidelity": Theme(score, "why")}, (), {}, {})

    from synthgan.evaluation import Comparison

    both = Comparison({"good": report(0.8), "bad": report(0.79), "none": report(None)})
    assert shortfalls(both, [("fidelity", 0.8)]) == [
        "fidelity of bad is 0.7900, under the 0.8 of --fail-under",
        "fidelity of none could not be measured, and --fail-under asks for 0.8: why",
    ]
    assert shortfalls(report(0.8), [("fidelity", 0.8)]) == []


def test_names_and_paths(tmp_path: Path) -> None:
    odd = tmp_path / "x=1" / "a=b.csv"
    assert parse_candidates(["s.csv", "ours=t=1.csv", f"theirs={odd}"]) == {
        "s.csv": "s.csv",
        "ours": "t=1.csv",
        "theirs": str(odd),
    }
    assert parse_candidates([str(odd), "./x=1/s.csv", "=s.csv", "-"]) == {
        str(odd): str(odd),
        "./x=1/s.csv": "./x=1/s.csv",
        "=s.csv": "=s.csv",
        "-": "-",
    }
    with pytest.raises(typer.BadParameter, match="two tables are called 'a'"):
        parse_candidates(["a=x.csv", "a=y.csv"])


def test_a_file_that_exists_is_a_path(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    assert parse_candidates(["a=b.csv"]) == {"a": "b.csv"}
    Path("a=b.csv").touch()
    assert parse_candidates(["a=b.csv"]) == {"a=b.csv": "a=b.csv"}


@pytest.mark.parametrize(
    "text", ["fidelity", "fidelity=", "fidelity=high", "fidelity=1.1", "beauty=0.5", "utility=nan"]
)
def test_limits_that_are_none(text: str) -> None:
    with pytest.raises(typer.BadParameter, match="is not theme=score with a theme of fidelity, utility"):
        parse_limits([text])


@pytest.mark.parametrize(
    ("args", "synthetic", "message"),
    [
        (["--json", "--markdown", "-"], ("{}/real.csv",), "both want standard output"),
        (["--model", "m.synthgan"], ("{}/real.csv",), "training curves go on the --report"),
        (["--model", "m.synthgan", "--report", "r.html"], TWO, "of one synthetic table"),
        (["--fail-under", "fidelity"], TWO, "is not theme=score"),
    ],
)
def test_usage_errors_come_before_any_work(judge, args, synthetic, message: str) -> None:
    result = judge(*args, synthetic=synthetic)
    assert result.exit_code == 2
    assert message in " ".join(result.stderr.split())


def test_a_damaged_model_is_an_error_of_its_own(judge, tmp_path: Path) -> None:
    (tmp_path / "m.synthgan").write_text("no model")
    result = judge("--model", tmp_path / "m.synthgan", "--report", tmp_path / "r.html")
    assert result.exit_code == 4
    assert not (tmp_path / "r.html").exists()


def test_tables_that_do_not_match(run, folder: Path, tmp_path: Path) -> None:
    (tmp_path / "x.csv").write_text("a\n1\n2\n")
    result = run("evaluate", "--real", folder / "real.csv", "--synthetic", tmp_path / "x.csv")
    assert result.exit_code == 3
    assert result.stderr.startswith("error: ")
