"""``synthgan gain``."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from synthgan import load_dataset
from synthgan.augmentation import GainReport


@pytest.fixture(scope="module")
def table(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("gain") / "penguins.csv"
    load_dataset("penguins").sample(70, random_state=0).to_csv(path, index=False)
    return path


@pytest.mark.slow
def test_json_report_and_going_on(run, table: Path, tmp_path: Path) -> None:
    command = ["gain", table, "--target", "species", "--learner", "logistic regression", "--repeats", 1]
    command += ["--folder", tmp_path / "folds", "--json", "--report", tmp_path / "gain.html"]
    result = run(*command)
    assert result.exit_code == 0, result.stderr
    report = GainReport.from_json(result.stdout)
    assert report.verdict in ("gain", "no evidence of gain", "harm")
    finding = json.loads(result.stdout)["findings"][0]
    assert {"learner", "metric", "verdict", "difference", "low", "high"} <= set(finding)
    assert "fold 2 of 2" in result.stderr
    page = (tmp_path / "gain.html").read_text()
    assert page.count("<svg role") >= 3
    assert report.verdict in page
    again = run(*command, "--quiet")
    assert again.stdout == result.stdout


def test_wrong_use(run, table: Path) -> None:
    assert run("gain", table, "--target", "colour").exit_code == 3
    result = run("gain", table, "--target", "species", "--learner", "guess")
    assert result.exit_code == 2
    assert "logistic regression" in result.stderr
