"""Signals that ask a long computation to come to an end."""

from __future__ import annotations

import contextlib
import signal
import threading
from collections.abc import Iterator
from types import FrameType
from typing import NoReturn

__all__ = ["Signals", "catching_signals", "die_tidily"]


class Signals:
    """Which signal asked for the end: the first one is remembered, the second ends at once."""

    def __init__(self) -> None:
        self.number: int | None = None

    def __call__(self) -> bool:
        """Whether one came."""
        return self.number is not None

    def receive(self, number: int, _: FrameType | None) -> None:
        """Handle a signal."""
        if self.number is not None:
            raise KeyboardInterrupt if number == signal.SIGINT else SystemExit(128 + number)
        self.number = number


@contextlib.contextmanager
def catching_signals() -> Iterator[Signals]:
    """Remember SIGINT and SIGTERM in place of being ended by them; outside the main thread nothing changes."""
    signals = Signals()
    if threading.current_thread() is not threading.main_thread():
        yield signals
        return
    before = {number: signal.signal(number, signals.receive) for number in (signal.SIGINT, signal.SIGTERM)}
    try:
        yield signals
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def die_tidily() -> None:
    """Let SIGTERM unwind the stack, so that no half-written temporary file is left."""
    signal.signal(signal.SIGTERM, _exit)


def _exit(number: int, _: FrameType | None) -> NoReturn:
    raise SystemExit(128 + number)
