"""Files that are written whole or not at all."""

from __future__ import annotations

import contextlib
import os
import re
import secrets
import stat
from collections.abc import Iterator
from pathlib import Path
from typing import IO

from synthgan.errors import InputError

__all__ = ["atomic_write", "check_writable", "reason", "remove_leftovers"]

_TEMPORARY = re.compile(r"\.(.*)\.[0-9a-f]{8}\.tmp")


@contextlib.contextmanager
def atomic_write(path: str | Path) -> Iterator[IO[bytes]]:
    """Open a file that appears under its name only when all of it has been written.

    Raises
    ------
    InputError
        When it cannot be created or written. Whatever goes wrong, nothing is left behind and an older file stays as it
        was.

    Examples
    --------
    >>> import tempfile
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     with atomic_write(Path(folder) / "a.txt") as file:
    ...         _ = file.write(b"whole")
    ...     (Path(folder) / "a.txt").read_text()
    'whole'
    """
    target = Path(os.path.realpath(path))
    with _as_input_error(path):
        special = target.exists() and not stat.S_ISREG(target.stat().st_mode)
        if special:  # a device or a pipe has no half-written state, and must not be replaced
            with target.open("wb") as file:
                yield file
            return
        temporary = _temporary(target)
        try:
            with temporary.open("xb") as file:
                if target.exists():
                    os.chmod(temporary, stat.S_IMODE(target.stat().st_mode))
                yield file
                file.flush()
                os.fsync(file.fileno())
            temporary.replace(target)
            _sync_folder(target.parent)
        finally:
            temporary.unlink(missing_ok=True)


def check_writable(path: str | Path) -> None:
    """Find out before a long computation that its result could not be written.

    Raises
    ------
    InputError
        When a file of that name could not be created.
    """
    target = Path(os.path.realpath(path))
    with _as_input_error(path):
        if target.is_dir():
            raise IsADirectoryError(None, "it is a directory")
        if not target.exists():
            probe = _temporary(target)
            probe.touch(exist_ok=False)
            probe.unlink()
        elif not os.access(target, os.W_OK):
            raise PermissionError(None, "no permission")


def remove_leftovers(folder: Path, name: re.Pattern[str]) -> None:
    """Remove what `atomic_write` left in a folder when its process was killed, of files whose name matches `name`."""
    for entry in folder.glob(".*.tmp"):
        if (match := _TEMPORARY.fullmatch(entry.name)) and name.fullmatch(match[1]):
            entry.unlink(missing_ok=True)


def _temporary(target: Path) -> Path:
    return target.with_name(f".{target.name[:100]}.{secrets.token_hex(4)}.tmp")


def _sync_folder(folder: Path) -> None:
    """Make a change of names last through a power cut; where folders cannot be opened (Windows), renames do already."""
    with contextlib.suppress(PermissionError):
        handle = os.open(folder, os.O_RDONLY)
        try:
            os.fsync(handle)
        finally:
            os.close(handle)


@contextlib.contextmanager
def _as_input_error(path: str | Path) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        raise InputError(f"cannot write {path}: {reason(error)}") from None


def reason(error: Exception) -> str:
    """Return what went wrong, in one line without file names."""
    text = error.strerror if isinstance(error, OSError) and error.strerror else str(error)
    return text.strip().splitlines()[0][:300] if text.strip() else type(error).__name__
