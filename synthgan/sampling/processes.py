"""Work in several processes at once, with results in order and little in memory."""

from __future__ import annotations

import contextlib
import gc
import multiprocessing
import os
import pickle
import signal
import tempfile
from collections import deque
from collections.abc import Callable, Iterator
from concurrent.futures import Executor, Future
from concurrent.futures.process import BrokenProcessPool
from functools import lru_cache
from pathlib import Path
from typing import Any, TypeVar

import joblib
import numpy as np
import torch
from joblib.externals.loky import ProcessPoolExecutor

from synthgan.errors import ConfigError, OutOfMemoryError

__all__ = ["beside", "check_jobs", "mapped"]

Argument = TypeVar("Argument")
Result = TypeVar("Result")

AHEAD = 2
"""Results of each process that wait for their turn at most: memory stays constant, however slow the caller is."""

IDLE_SECONDS = 60
"""After so long without work a process ends. The next call finds those there that have not: a start takes seconds."""

KEPT_BYTES = 2**26
"""Memory that a process keeps when it is free: the C library of Linux would else hand it back after each operation, and
ask for it again for the next one."""

_unpacked: tuple[Path, Callable[[Any], Any]] | None = None


def check_jobs(n_jobs: Any) -> int:
    """Return a number of processes, at least 1: -1 means one for each core that this process may use.

    Examples
    --------
    >>> check_jobs(3), check_jobs(-1) >= 1
    (3, True)
    """
    if isinstance(n_jobs, bool) or not isinstance(n_jobs, (int, np.integer)) or (n_jobs < 1 and n_jobs != -1):
        raise ConfigError(f"n_jobs must be a whole number from 1, or -1 for one per core; got {n_jobs!r}")
    if multiprocessing.current_process().daemon:
        return 1  # such a process may not have others
    return joblib.cpu_count() if n_jobs == -1 else int(n_jobs)


def mapped(work: Callable[[Argument], Result], arguments: Iterator[Argument], n_jobs: int) -> Iterator[Result]:
    """Apply `work` to arguments in `n_jobs` processes; results come in the order of the arguments.

    Parameters
    ----------
    work : callable
        Waits in a file of the system's temporary folder until all is done; a process unpacks it once.
    arguments : iterator
        Asked for no more of them than can soon be worked on.
    n_jobs : int
        Number of processes.

    Raises
    ------
    OutOfMemoryError
        When a process was ended from outside.
    """
    with tempfile.TemporaryDirectory(prefix="synthgan-", ignore_cleanup_errors=True) as folder:
        packed = Path(folder) / "work"
        packed.write_bytes(pickle.dumps(work, protocol=pickle.HIGHEST_PROTOCOL))
        waiting: deque[Future[Result]] = deque()
        executor = _living(n_jobs)
        try:
            for argument in arguments:
                waiting.append(executor.submit(_apply, packed, argument))
                if len(waiting) >= AHEAD * n_jobs:
                    yield waiting.popleft().result()
            while waiting:
                yield waiting.popleft().result()
        except BrokenProcessPool:
            _executor.cache_clear()
            raise OutOfMemoryError(
                f"one of {n_jobs} processes was ended, most likely for want of memory; draw with a smaller n_jobs"
            ) from None
        finally:
            for future in waiting:
                future.cancel()


@contextlib.contextmanager
def beside(n_jobs: int) -> Iterator[None]:
    """For what is done here while `n_jobs` processes have the cores: threads of torch would wait for each other."""
    before = torch.get_num_threads()
    try:
        if n_jobs > 1:
            torch.set_num_threads(1)
        yield
    finally:
        torch.set_num_threads(before)


def _living(n_jobs: int) -> Executor:
    """Processes that work: those that wait may have been ended meanwhile, which is no fault of what comes next."""
    try:
        executor = _executor(n_jobs, os.getpid())
        executor.submit(os.getpid).result()
    except BrokenProcessPool:
        _executor.cache_clear()
        executor = _executor(n_jobs, os.getpid())
    return executor


@lru_cache(maxsize=1)
def _executor(n_jobs: int, _process: int) -> Executor:
    """Processes that share the cores: none starts more threads than its part of them. A forked process has its own."""
    threads, kept = str(max(joblib.cpu_count() // n_jobs, 1)), str(KEPT_BYTES)
    executor: Executor = ProcessPoolExecutor(
        n_jobs,
        timeout=IDLE_SECONDS,
        initializer=_begin,
        env={"OMP_NUM_THREADS": threads, "MKL_NUM_THREADS": threads}
        | {"MALLOC_TRIM_THRESHOLD_": kept, "MALLOC_MMAP_THRESHOLD_": kept},
    )
    return executor


def _begin() -> None:
    """In a process, before all else."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # an interrupt is for the one that asks
    gc.freeze()  # garbage is looked for once a second, and not in all that the imported packages consist of


def _apply(packed: Path, argument: Any) -> Any:
    """In a process: work on an argument."""
    global _unpacked
    if _unpacked is None or _unpacked[0] != packed:
        _unpacked = packed, pickle.loads(packed.read_bytes())
    return _unpacked[1](argument)
