"""The README's and the docs' code blocks run as they stand."""

from __future__ import annotations

import os
import re
import shlex
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
README = (ROOT / "README.md").read_text(encoding="utf-8")


def blocks(language: str) -> list[str]:
    return re.findall(rf"^```{language}\n(.*?)^```", README, flags=re.MULTILINE | re.DOTALL)


@pytest.mark.slow
def test_the_python_quick_start_runs(tmp_path, capsys, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (code,) = blocks("python")
    names: dict[str, object] = {}
    exec(compile(code, "README.md", "exec"), names)
    assert len(names["rows"]) == 1000
    females = names["females"]
    assert set(females["sex"]) == {"female"}
    assert females["body_mass_g"].between(3000, 4000).all()
    assert names["balanced"]["species"].value_counts().to_dict() == {"Adelie": 100, "Chinstrap": 100, "Gentoo": 100}
    assert not names["complete"].isna().any().any()
    assert (tmp_path / "penguins.synthgan").exists()
    assert "fidelity" in capsys.readouterr().out


@pytest.mark.slow
def test_the_command_line_quick_start_runs(tmp_path):
    from synthgan import load_dataset

    adult = load_dataset("adult")
    adult[:900].to_csv(tmp_path / "data.csv", index=False)
    adult[900:1300].to_csv(tmp_path / "unseen.csv", index=False)
    script = next(block for block in blocks("console") if block.startswith("synthgan inspect"))
    for line in script.splitlines():
        command = shlex.split(line, comments=True)
        assert command[0] == "synthgan"
        extra = ["--epochs", "2"] if command[1] == "fit" else []
        environment = os.environ | {"OMP_NUM_THREADS": "1"}
        done = subprocess.run(
            [sys.executable, "-m", "synthgan_cli", *command[1:], *extra],
            cwd=tmp_path, env=environment, capture_output=True, text=True, timeout=250,
        )  # fmt: skip
        assert done.returncode == 0, f"{line}\n{done.stderr}"
    for name in ("rows.csv", "balanced.parquet", "complete.csv", "report.html"):
        assert (tmp_path / name).stat().st_size > 0


def test_the_make_goals_of_the_readme_exist():
    makefile = (ROOT / "Makefile").read_text(encoding="utf-8")
    goals = re.findall(r"^make (\w+)", blocks("console")[0], flags=re.MULTILINE)
    assert goals == ["demo", "test"]
    for goal in goals:
        assert re.search(rf"^{goal}:", makefile, flags=re.MULTILINE), goal


def test_links_of_the_readme_lead_somewhere():
    for target in re.findall(r"\]\((?!https?:)([^)#]+)\)", README):
        assert (ROOT / target).exists(), target


def test_exit_codes_are_those_of_the_command_line():
    from synthgan_cli.exits import ExitCode

    sentence = next(line for line in README.splitlines() if line.startswith("Exit codes:"))
    assert {int(code) for code in re.findall(r"\b(\d+) ", sentence)} == {code.value for code in ExitCode}
