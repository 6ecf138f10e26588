"""The README's code blocks run as they stand, and what it names is there."""

from __future__ import annotations

import re
from pathlib import Path

import pandas as pd
import pytest

from synthgan import load_dataset

ROOT = Path(__file__).parents[2]
PAGE = ROOT / "README.md"
README = PAGE.read_text(encoding="utf-8")


@pytest.mark.slow
def test_the_python_quick_start_runs(run_python, capsys):
    names = run_python(PAGE)
    assert len(names["rows"]) == 1000
    females = names["females"]
    assert set(females["sex"]) == {"female"}
    assert females["body_mass_g"].between(3000, 4000).all()
    assert names["balanced"]["species"].value_counts().to_dict() == {"Adelie": 100, "Chinstrap": 100, "Gentoo": 100}
    assert not names["complete"].isna().any().any()
    assert Path("penguins.synthgan").exists()
    assert "fidelity" in capsys.readouterr().out


@pytest.mark.slow
def test_the_commands_run(run_synthgan, folder):
    adult = load_dataset("adult")
    adult[:300].to_csv("data.csv", index=False)
    adult[300:500].to_csv("unseen.csv", index=False)
    run_synthgan(PAGE, {"fit": ["--epochs", "2"]})
    for name in ("rows.csv", "balanced.parquet", "complete.csv", "report.html"):
        assert (folder / name).stat().st_size > 0
    more = pd.read_csv("more.csv")
    assert more["synthetic"].tolist() == [False] * 300 + [True] * (len(more) - 300)
    assert more["income"].value_counts().nunique() == 1
    assert "no evidence of gain" in (folder / "gain.html").read_text()  # of one fold


def test_the_make_goals_of_the_readme_exist(blocks):
    makefile = (ROOT / "Makefile").read_text(encoding="utf-8")
    goals = re.findall(r"^make (\w+)", blocks(PAGE, "console")[0], flags=re.MULTILINE)
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
