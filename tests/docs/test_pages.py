"""The documentation's code blocks run as they stand, its links lead somewhere, and its reference leaves nothing out."""

from __future__ import annotations

import importlib
import os
import re
import shlex
import subprocess
import sys
from pathlib import Path

import pytest

DOCS = Path(__file__).parents[2] / "docs"
PAGES = sorted([*DOCS.glob("*.md"), *DOCS.glob("tutorials/*.md")])


def blocks(page: Path, language: str) -> list[str]:
    text = page.read_text(encoding="utf-8")
    return re.findall(rf"^```{language}\n(.*?)^```", text, flags=re.MULTILINE | re.DOTALL)


def run_python(page: Path) -> dict[str, object]:
    """Run a page from top to bottom, as a reader would."""
    names: dict[str, object] = {}
    for number, code in enumerate(blocks(page, "python"), 1):
        exec(compile(code, f"{page.name}, block {number}", "exec"), names)
    return names


def run_console(page: Path, folder: Path) -> None:
    for block in blocks(page, "console"):
        for line in block.splitlines():
            command = shlex.split(line, comments=True)
            assert command[0] == "synthgan"
            done = subprocess.run(
                [sys.executable, "-m", "synthgan_cli", *command[1:]],
                cwd=folder, env=os.environ | {"OMP_NUM_THREADS": "1"}, capture_output=True, text=True, timeout=120,
            )  # fmt: skip
            assert done.returncode == 0, f"{line}\n{done.stderr}"


@pytest.mark.slow
def test_the_first_table(tmp_path, capsys, monkeypatch):
    monkeypatch.chdir(tmp_path)
    names = run_python(DOCS / "tutorials" / "first-table.md")
    assert set(names["females"]["sex"]) == {"female"}
    assert set(names["females"]["island"]) <= {"Dream", "Biscoe"}
    assert names["balanced"]["species"].value_counts().to_dict() == {"Adelie": 30, "Chinstrap": 30, "Gentoo": 30}
    assert not names["complete"].isna().any().any()
    themes = {name: report.themes for name, report in names["comparison"].reports.items()}
    assert themes["shuffled"]["fidelity"].score < themes["ours"]["fidelity"].score
    assert themes["copied"]["privacy"].score < themes["ours"]["privacy"].score
    assert (tmp_path / "report.html").stat().st_size > 10_000
    assert "Madagascar" in capsys.readouterr().out


@pytest.mark.slow
def test_the_first_table_in_the_terminal(tmp_path):
    from synthgan import load_dataset

    table = load_dataset("penguins").sample(frac=1, random_state=0)
    table[:230].to_csv(tmp_path / "data.csv", index=False)
    table[230:].to_csv(tmp_path / "unseen.csv", index=False)
    run_console(DOCS / "tutorials" / "first-table.md", tmp_path)
    assert (tmp_path / "report.html").stat().st_size > 10_000


@pytest.mark.slow
def test_from_the_textbook(tmp_path, capsys, monkeypatch):
    monkeypatch.chdir(tmp_path)
    names = run_python(DOCS / "from-the-textbook.md")
    alarms = {name: [alarm.name for alarm in names[name].alarms_] for name in ("collapsed", "vanishing", "overpowered")}
    assert "mode collapse" in alarms["collapsed"]
    assert "vanishing gradients" in alarms["vanishing"]
    assert "overpowering discriminator" in alarms["overpowered"]
    assert len(names["found"].trials) == 2
    assert names["more"]["species"].value_counts().nunique() == 1
    assert "nan" not in capsys.readouterr().out.split("relativistic")[0]


@pytest.mark.slow
def test_from_the_textbook_in_the_terminal(tmp_path):
    from synthgan import load_dataset

    load_dataset("penguins").to_csv(tmp_path / "data.csv", index=False)
    run_console(DOCS / "from-the-textbook.md", tmp_path)
    assert (tmp_path / "best.toml").read_text()


@pytest.mark.parametrize("page", PAGES, ids=[page.stem for page in PAGES])
def test_links_lead_somewhere(page):
    text = page.read_text(encoding="utf-8")
    targets = re.findall(r"\]\((?!https?:)([^)#\s]+)\)", text)
    targets += [f"{target}.md" for target in re.findall(r"\{doc\}`(?:[^`<]*<)?([^`>]+)>?`", text)]
    for target in targets:
        assert (page.parent / target).exists(), target


def test_the_reference_lists_every_public_name():
    text = (DOCS / "api.md").read_text(encoding="utf-8")
    listed = set(re.findall(r"^   (\w+)$", text, flags=re.MULTILINE))
    for module in ("synthgan", "synthgan.evaluation", "synthgan.report", "synthgan.schema", "synthgan.tuning"):
        public = set(importlib.import_module(module).__all__) - {"__version__", "ColumnName", "Scalar"}
        assert public <= listed, module


def test_every_page_is_in_a_table_of_contents():
    index = (DOCS / "index.md").read_text(encoding="utf-8")
    listed = set(re.findall(r"^([\w/-]+)$", index, flags=re.MULTILINE))
    assert listed == {str(page.relative_to(DOCS).with_suffix("")) for page in PAGES} - {"index"}
