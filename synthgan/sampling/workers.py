"""Threads that draw slices of a sample side by side."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from concurrent.futures import Executor, Future, ThreadPoolExecutor
from contextlib import contextmanager
from typing import Any

import torch

__all__ = ["workers"]


class _Here(Executor):
    """Runs what is submitted at once, in the thread that submits it."""

    def submit(self, fn: Callable[..., Any], /, *args: Any, **kwargs: Any) -> Future[Any]:
        done: Future[Any] = Future()
        done.set_result(fn(*args, **kwargs))
        return done


@contextmanager
def workers(device: torch.device) -> Iterator[Executor]:
    """As many threads as torch uses on a CPU, each of which runs torch's operations alone.

    The operations on a slice are too small to be divided among threads. Alone, each gives the same numbers, however
    many threads there are.
    """
    n_threads = torch.get_num_threads()
    if n_threads == 1 or device.type != "cpu":
        yield _Here()
        return
    started = threading.Barrier(n_threads + 1)

    def start() -> None:
        torch.set_num_threads(1)
        started.wait()

    with ThreadPoolExecutor(n_threads, "synthgan", start) as pool:
        for _ in range(n_threads):
            pool.submit(int)
        started.wait()
        torch.set_num_threads(n_threads)  # of this thread as before; what a thread has set, later ones start with
        try:
            yield pool
        finally:
            pool.shutdown(wait=False, cancel_futures=True)
