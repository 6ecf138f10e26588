"""Reading pages as their readers do: from top to bottom, block by block."""

from __future__ import annotations

import importlib
import re
import shlex
from collections.abc import Callable
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest
from synthgan_cli.app import app
from typer.testing import CliRunner

from synthgan import load_dataset

Blocks = Callable[[Path, str], list[str]]


def find_blocks(page: Path, language: str) -> list[str]:
    text = page.read_text(encoding="utf-8")
    return re.findall(rf"^```{language}\n(.*?)^```", text, flags=re.MULTILINE | re.DOTALL)


@pytest.fixture(scope="session")
def blocks() -> Blocks:
    """Return the code blocks of a page in one language."""
    return find_blocks


@pytest.fixture
def script(monkeypatch: pytest.MonkeyPatch) -> Callable[[str], ModuleType]:
    """Import a script of docs/ by its name."""
    monkeypatch.syspath_prepend(str(Path(__file__).parents[2] / "docs"))
    return importlib.import_module


@pytest.fixture
def plots(script: Callable[[str], ModuleType]) -> ModuleType:
    """Return what draws the pages' plots."""
    return script("plots")


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Stand in a folder of the files that the pages name."""
    table = load_dataset("penguins").sample(frac=1, random_state=0)
    for name, rows in (("data.csv", table[:230]), ("unseen.csv", table[230:]), ("rows.csv", table[100:300])):
        rows.to_csv(tmp_path / name, index=False)
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.fixture
def run_python(folder: Path) -> Callable[[Path], dict[str, Any]]:
    """Run the Python of a page from top to bottom; return the names it leaves."""

    def run(page: Path) -> dict[str, Any]:
        names: dict[str, Any] = {"__name__": page.stem}
        for number, code in enumerate(find_blocks(page, "python"), 1):
            exec(compile(code, f"{page.name}, block {number}", "exec"), names)
        return names

    return run


CHEAPER = {"gain": ["--rows", "40", "--max-seconds", "0", "--learner", "logistic regression"]}
"""By command, what makes it take seconds: one fold of few rows, where a page measures for minutes."""


@pytest.fixture
def run_synthgan(folder: Path) -> Callable[..., None]:
    """Run the lines of a page that call `synthgan`, some commands with more options."""

    def run(page: Path, more: dict[str, list[str]] | None = None) -> None:
        options = CHEAPER | (more or {})
        for line in "".join(find_blocks(page, "console")).splitlines():
            program, *arguments = shlex.split(line, comments=True) or [""]
            if program == "synthgan":
                result = CliRunner().invoke(app, [*arguments, *options.get(arguments[0], [])])
                assert result.exit_code == 0, f"{line}\n{result.output}\n{result.exception!r}"

    return run
