"""Exit codes: the one place that turns an error of the library into a line on stderr and a number for the shell."""

from __future__ import annotations

import enum
import functools
from collections.abc import Callable
from typing import ParamSpec

import typer

from synthgan_cli.console import show_error, show_warning

__all__ = ["EPILOG", "ExitCode", "exit_code_of", "with_exit_codes"]

P = ParamSpec("P")


class ExitCode(enum.IntEnum):
    """What the shell sees; each with its meaning."""

    OK = 0, "ok"
    USAGE = 2, "usage: an option, a condition"
    BAD_DATA = 3, "bad data: a table or schema"
    BAD_MODEL = 4, "bad model file"
    DIVERGED = 5, "training diverged"
    UNDER_LIMIT = 6, "a score under --fail-under"
    NO_MEMORY = 7, "out of memory"
    INTERRUPTED = 130, "interrupted (fit: what was learned so far is saved)"
    TERMINATED = 143, "terminated (fit: the same)"

    meaning: str

    def __new__(cls, code: int, meaning: str) -> ExitCode:
        """Keep the meaning beside the number."""
        member = int.__new__(cls, code)
        member._value_ = code
        member.meaning = meaning
        return member


EPILOG = "Exit codes: " + " · ".join(f"{int(code)} {code.meaning}" for code in ExitCode)


def exit_code_of(error: Exception) -> ExitCode:
    """Return the exit code of an error of the library."""
    from synthgan.errors import (
        ArchiveError,
        ConditionError,
        ConfigError,
        DivergedError,
        InputError,
        NotFittedError,
        OutOfMemoryError,
    )

    table: list[tuple[type[Exception], ExitCode]] = [
        (ConfigError, ExitCode.USAGE),
        (ConditionError, ExitCode.USAGE),
        (InputError, ExitCode.BAD_DATA),
        (ArchiveError, ExitCode.BAD_MODEL),
        (NotFittedError, ExitCode.BAD_MODEL),
        (DivergedError, ExitCode.DIVERGED),
        (OutOfMemoryError, ExitCode.NO_MEMORY),
    ]
    return next(code for kind, code in table if isinstance(error, kind))


def with_exit_codes(command: Callable[P, None]) -> Callable[P, None]:
    """Let a command raise the library's errors: they become a message and an exit code, never a traceback."""

    @functools.wraps(command)
    def guarded(*args: P.args, **kwargs: P.kwargs) -> None:
        try:
            command(*args, **kwargs)
        except KeyboardInterrupt:
            show_warning("interrupted")
            raise typer.Exit(ExitCode.INTERRUPTED) from None
        except _library_error() as error:
            show_error(str(error))
            raise typer.Exit(exit_code_of(error)) from None

    return guarded


def _library_error() -> type[Exception]:
    # Python evaluates this only once something has been raised; importing it up front would cost half a second.
    from synthgan.errors import SynthganError

    return SynthganError
