"""The command as a whole: quick help, versions, exit codes."""

from __future__ import annotations

import subprocess
import sys

import pytest
import typer
from synthgan_cli.exits import ExitCode, with_exit_codes

import synthgan
from synthgan import errors


def test_importing_the_command_line_imports_nothing_heavy() -> None:
    heavy = {"torch", "pandas", "numpy", "sklearn", "pyarrow", "rich"}
    code = f"import sys, synthgan_cli.app; print(*{heavy} & set(sys.modules))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.split() == []


def test_version(run) -> None:
    assert run("--version").stdout.strip() == f"synthgan {synthgan.__version__}"


@pytest.mark.parametrize("command", ["fit", "sample", "evaluate", "inspect", "impute", "augment", "gain", "demo"])
def test_every_command_has_help(run, command: str) -> None:
    result = run(command, "--help")
    assert result.exit_code == 0
    assert "Usage: " in result.stdout
    assert command in run("--help").stdout


def test_help_documents_every_exit_code(run) -> None:
    words = " ".join(run("--help").stdout.split())
    for code in ExitCode:
        assert f"{int(code)} {code.meaning}" in words


@pytest.mark.parametrize(
    "args", [["fit"], ["fit", "x.csv", "--epochs", "0"], ["nonsense"], ["sample", "m", "-n", "few"]]
)
def test_usage_errors(run, args: list[str]) -> None:
    result = run(*args)
    assert result.exit_code == ExitCode.USAGE
    assert result.stdout == ""
    assert "Usage:" in result.stderr


@pytest.mark.parametrize(
    ("error", "code"),
    [
        (errors.ConfigError("x"), 2),
        (errors.ConditionError("x"), 2),
        (errors.InputError("x"), 3),
        (errors.SchemaError("x"), 3),
        (errors.ArchiveError("x"), 4),
        (errors.NotFittedError("x"), 4),
        (errors.DivergedError("x"), 5),
        (KeyboardInterrupt(), 130),
    ],
    ids=lambda value: type(value).__name__ if isinstance(value, BaseException) else str(value),
)
def test_errors_become_exit_codes(error: BaseException, code: int) -> None:
    @with_exit_codes
    def command() -> None:
        raise error

    with pytest.raises(typer.Exit) as caught:
        command()
    assert caught.value.exit_code == code


def test_every_error_of_the_library_has_an_exit_code() -> None:
    from synthgan_cli.exits import exit_code_of

    for name in errors.__all__:
        if name != "SynthganError":
            assert exit_code_of(getattr(errors, name)("x")) in ExitCode


def test_a_bug_is_not_dressed_up() -> None:
    @with_exit_codes
    def command() -> None:
        raise RuntimeError("bug")

    with pytest.raises(RuntimeError, match="bug"):
        command()
