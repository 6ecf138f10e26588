"""The documentation's code blocks run as they stand, its links lead somewhere, and its reference leaves nothing out."""

from __future__ import annotations

import importlib
import re
import shlex
import tomllib
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import typer.main
from synthgan_cli.app import app

ROOT = Path(__file__).parents[2]
DOCS = ROOT / "docs"
PAGES = {
    str(page.relative_to(DOCS).with_suffix("")): page
    for page in sorted([*DOCS.glob("*.md"), *DOCS.glob("tutorials/*.md"), *DOCS.glob("howto/*.md")])
}
BLOCK = re.compile(r"^```(\w+)\n", flags=re.MULTILINE)
TEXTS = {name: page.read_text(encoding="utf-8") for name, page in PAGES.items()}
WITH = {
    language: [name for name, text in TEXTS.items() if language in BLOCK.findall(text)]
    for language in ("python", "console")
}


def first_table(names: dict[str, Any], printed: str) -> None:
    assert set(names["females"]["sex"]) == {"female"}
    assert set(names["females"]["island"]) <= {"Dream", "Biscoe"}
    assert names["balanced"]["species"].value_counts().to_dict() == {"Adelie": 30, "Chinstrap": 30, "Gentoo": 30}
    assert not names["complete"].isna().any().any()
    themes = {name: report.themes for name, report in names["comparison"].reports.items()}
    assert themes["shuffled"]["fidelity"].score < themes["ours"]["fidelity"].score
    assert themes["copied"]["privacy"].score < themes["ours"]["privacy"].score
    assert Path("report.html").stat().st_size > 10_000
    assert "Madagascar" in printed


def textbook(names: dict[str, Any], printed: str) -> None:
    alarms = {name: [alarm.name for alarm in names[name].alarms_] for name in ("collapsed", "vanishing", "overpowered")}
    assert "mode collapse" in alarms["collapsed"]
    assert "vanishing gradients" in alarms["vanishing"]
    assert "overpowering discriminator" in alarms["overpowered"]
    assert len(names["found"].trials) == 2
    assert names["more"]["species"].value_counts().nunique() == 1
    assert "nan" not in printed.split("relativistic")[0]


def augmenting(names: dict[str, Any], printed: str) -> None:
    from sklearn.metrics import log_loss

    found = {name: log_loss(names["earns_more"], names[name]) for name in ("without", "augmented")}
    assert found["augmented"] < found["without"], "the page says that this trial pays"
    assert names["balanced"]["species"].value_counts().nunique() == 1


def judging(names: dict[str, Any], printed: str) -> None:
    themes = {name: report.themes for name, report in names["comparison"].reports.items()}
    failed = {name: {theme for theme, part in found.items() if part.score < 0.5} for name, found in themes.items()}
    assert failed["copied"] == {"privacy"}
    assert {"fidelity", "utility"} <= failed["shuffled"]
    assert {"fidelity", "utility", "coverage"} <= failed["one kind"]


def conditions(names: dict[str, Any], printed: str) -> None:
    assert names["balanced"]["species"].value_counts().to_dict() == {"Adelie": 40, "Chinstrap": 40, "Gentoo": 40}
    assert (names["filled"]["species"] == names["truth"]["species"]).mean() > 0.6
    assert all(word in printed for word in ("Madagascar", "90000", "wingspan"))


def gaussian(names: dict[str, Any], printed: str) -> None:
    assert (names["rows"].mean() - names["real"].mean()).abs().max() < 0.7
    assert "epoch 100" in printed


CHECKS: dict[str, Callable[[dict[str, Any], str], None]] = {
    "tutorials/first-table": first_table,
    "tutorials/augmentation": augmenting,
    "tutorials/judging": judging,
    "tutorials/conditions": conditions,
    "tutorials/gaussian": gaussian,
    "from-the-textbook": textbook,
}
"""What a page promises, beyond that its code runs."""


@pytest.mark.slow
@pytest.mark.parametrize("name", WITH["python"])
def test_the_python_of_a_page_runs(name, run_python, capsys):
    names = run_python(PAGES[name])
    assert names
    if name in CHECKS:
        CHECKS[name](names, capsys.readouterr().out)


@pytest.mark.slow
@pytest.mark.parametrize("name", [name for name in WITH["console"] if name != "contributing"])
def test_the_commands_of_a_page_run(name, run_synthgan, folder):
    run_synthgan(PAGES[name])
    commands = "\n".join(line for line in TEXTS[name].splitlines() if line.startswith("synthgan "))
    expected = set(re.findall(r"--(?:out|report|markdown|write-schema) (\S+)", commands))
    assert expected <= {path.name for path in folder.iterdir()}


@pytest.mark.parametrize("name", [*(f"docs/{name}" for name in PAGES), "CONTRIBUTING", "README"])
def test_what_else_is_to_be_typed_is_there(name, blocks):
    page = ROOT / f"{name}.md"
    makefile = (ROOT / "Makefile").read_text(encoding="utf-8")
    extras = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["optional-dependencies"]
    text = page.read_text(encoding="utf-8")
    lines = "".join(blocks(page, "console")).splitlines() + re.findall(r"`((?:python|make|pip|synthgan) [^`]+)`", text)
    for line in lines:
        words = shlex.split(line, comments=True)
        if words[:1] == ["make"]:
            assert re.search(rf"^{words[1]}:", makefile, flags=re.MULTILINE), line
        elif words[:1] == ["python"] and words[1].endswith(".py"):
            assert (ROOT / words[1]).exists(), line
        elif words[:2] == ["pip", "install"]:
            assert set(re.findall(r"\w+", words[-1].strip("."))) <= set(extras), line
        elif words[:1] == ["synthgan"] and words[1].islower():
            command = typer.main.get_command(app).commands[words[1]]
            known = {option for param in command.params for option in param.opts}
            assert {word.split("=")[0] for word in words[2:] if word.startswith("--")} <= known | {"--help"}, line


@pytest.mark.parametrize("page", PAGES.values(), ids=PAGES)
def test_links_lead_somewhere(page, plots):
    text = page.read_text(encoding="utf-8")
    targets = re.findall(r"\]\((?!https?:)([^)#\s]+)\)", text) + re.findall(r"^```\{image\} (\S+)", text, re.MULTILINE)
    targets += [f"{target}.md" for target in re.findall(r"\{doc\}`(?:[^`<]*<)?([^`>]+)>?`", text)]
    for target in targets:
        if "_generated/plots/" in target:
            assert target.rpartition("/")[2] in plots.PLOTS, target
        else:
            assert (page.parent / target).exists(), target


@pytest.mark.parametrize("page", PAGES.values(), ids=PAGES)
def test_links_inside_a_page_name_a_heading(page):
    text = page.read_text(encoding="utf-8")
    headings = {
        re.sub(r"[^\w -]", "", heading.lower()).replace(" ", "-")
        for heading in re.findall(r"^#+ (.+)$", text, flags=re.MULTILINE)
    }
    assert set(re.findall(r"\]\(#([^)]+)\)", text)) <= headings


def test_every_picture_is_shown_somewhere():
    shown = set(re.findall(r"images/([\w-]+\.svg)", "".join(TEXTS.values())))
    assert shown == {path.name for path in (DOCS / "images").glob("*.svg")}


def test_the_animation_stands_still_where_less_motion_is_wanted():
    text = (DOCS / "images" / "gaussian-moving.svg").read_text(encoding="utf-8")
    assert "prefers-reduced-motion:reduce" in text
    assert 'class="still"' in text


def test_the_drawings_are_what_their_script_draws(script):
    drawn = script("make_drawings").DRAWINGS
    for name, (title, make) in drawn.items():
        committed = (DOCS / "images" / f"{name}.svg").read_text(encoding="utf-8")
        assert committed == script("drawing").svg(title, make()), f"run python docs/make_drawings.py: {name}"


def test_the_plots_are_drawn_from_the_results(tmp_path, plots):
    plots.write_plots(tmp_path)
    tables = (tmp_path / "quality.svg").read_text(encoding="utf-8")
    assert all(name in tables for name in ("adult", "penguins", "synthgan"))
    assert "<circle" in (tmp_path / "gain.svg").read_text(encoding="utf-8")


def test_the_reference_lists_every_public_name():
    text = (DOCS / "api.md").read_text(encoding="utf-8")
    listed = set(re.findall(r"^   (\w+)$", text, flags=re.MULTILINE))
    for module in ("synthgan", "synthgan.evaluation", "synthgan.report", "synthgan.schema", "synthgan.tuning"):
        public = set(importlib.import_module(module).__all__) - {"__version__", "ColumnName", "Scalar"}
        assert public <= listed, module


def test_every_page_is_in_a_table_of_contents():
    listed = set(re.findall(r"^([\w/-]+)$", TEXTS["index"], flags=re.MULTILINE))
    assert listed == set(PAGES) - {"index"}
