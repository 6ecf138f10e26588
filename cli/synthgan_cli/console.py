"""What people see: data go to stdout, everything else to stderr; bars and colours only on a terminal."""

from __future__ import annotations

import contextlib
import functools
import sys
import warnings
from collections.abc import Iterator
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from rich.console import Console
    from rich.table import Table

__all__ = ["Notes", "new_table", "print_table", "show_error", "show_warning", "showing_warnings", "stderr", "waiting"]


@functools.cache
def _console(to_stderr: bool) -> Console:
    from rich.console import Console

    # No markup: names of columns and files may hold [brackets].
    console = Console(stderr=to_stderr, highlight=False, markup=False)
    # A pipe or file has no width: wide enough that tables are not folded.
    return console if console.is_terminal else Console(stderr=to_stderr, highlight=False, markup=False, width=160)


def stderr() -> Console:
    """Return the console for everything that is not data."""
    return _console(True)


def show_error(message: str) -> None:
    """Say what went wrong."""
    _say("error", "bold red", message)


def show_warning(message: str) -> None:
    """Say what the user should know."""
    _say("warning", "bold yellow", message)


def _say(word: str, style: str, message: str) -> None:
    from rich.text import Text

    stderr().print(Text.assemble((f"{word}: ", style), message), soft_wrap=not stderr().is_terminal)


def new_table(*columns: str, numbers: tuple[str, ...] = (), title: str | None = None) -> Table:
    """Return an empty table; the columns in `numbers` are aligned to the right."""
    from rich import box
    from rich.table import Table

    table = Table(box=box.SIMPLE_HEAD, title=title, title_justify="left", caption_justify="left", pad_edge=False)
    for column in columns:
        table.add_column(column, justify="right" if column in numbers else "left", overflow="fold")
    return table


def print_table(table: Table) -> None:
    """Print a table as a command's result."""
    sys.stdout.flush()
    _console(False).print(table)


class Notes:
    """Remarks on stderr, which ``--quiet`` silences.

    Parameters
    ----------
    quiet : bool
        Whether to say nothing.
    """

    def __init__(self, quiet: bool) -> None:
        self.quiet = quiet

    @property
    def live(self) -> bool:
        """Whether there is a terminal to draw progress on."""
        return not self.quiet and stderr().is_terminal

    def say(self, message: str) -> None:
        """Print one remark."""
        if not self.quiet:
            stderr().print(message, soft_wrap=not stderr().is_terminal)

    def show(self, table: Table) -> None:
        """Print a table of remarks."""
        if not self.quiet:
            stderr().print(table)


@contextlib.contextmanager
def waiting(notes: Notes, what: str) -> Iterator[None]:
    """Turn a spinner with the seconds gone while something takes its time, on a terminal only."""
    if not notes.live:
        yield
        return
    from rich.progress import Progress, SpinnerColumn, TextColumn, TimeElapsedColumn

    columns = (SpinnerColumn(), TextColumn("{task.description}"), TimeElapsedColumn())
    with Progress(*columns, console=stderr(), transient=True) as progress:
        progress.add_task(what, total=None)
        yield


@contextlib.contextmanager
def showing_warnings() -> Iterator[None]:
    """Say what the library warns of, once its work is done."""
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always", UserWarning)
        yield
    for warning in caught:
        if issubclass(warning.category, UserWarning):
            show_warning(str(warning.message))
