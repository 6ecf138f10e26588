"""A way to call the command line, and one small model for all its tests."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from synthgan_cli.app import app
from typer.testing import CliRunner

from synthgan.datasets import dataset_folder

Run = Callable[..., Any]


def call(*args: str | Path, stdin: bytes | None = None) -> Any:
    result = CliRunner().invoke(app, [str(arg) for arg in args], input=stdin)
    if result.exception is not None and not isinstance(result.exception, SystemExit):
        raise result.exception
    return result


@pytest.fixture(scope="session")
def run() -> Run:
    """Run `synthgan` with arguments in this process; anything but an exit is a test failure."""
    return call


@pytest.fixture(scope="session")
def penguins() -> Path:
    return dataset_folder("penguins") / "penguins.csv.gz"


@pytest.fixture(scope="session")
def model(tmp_path_factory: pytest.TempPathFactory, penguins: Path) -> Path:
    path = tmp_path_factory.mktemp("model") / "penguins.synthgan"
    result = call("fit", penguins, "--target", "species", "--epochs", "40", "--out", path)
    assert result.exit_code == 0, result.stderr
    return path
