"""Running out of memory, told by its name."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator

import torch

from synthgan.errors import OutOfMemoryError

__all__ = ["memory_errors"]


@contextlib.contextmanager
def memory_errors(what: str, way_out: str) -> Iterator[None]:
    """Raise `OutOfMemoryError` where numpy, arrow, Python or torch find no memory.

    Examples
    --------
    >>> with memory_errors("training", "use less"):
    ...     raise MemoryError
    Traceback (most recent call last):
    synthgan.errors.OutOfMemoryError: there is no memory left for training; use less
    """
    try:
        yield
    except (MemoryError, RuntimeError) as error:
        if isinstance(error, OutOfMemoryError) or not _is_about_memory(error):
            raise
        raise OutOfMemoryError(f"there is no memory left for {what}; {way_out}") from None


def _is_about_memory(error: Exception) -> bool:
    # torch's allocator of the CPU has no error class of its own.
    return isinstance(error, (MemoryError, torch.cuda.OutOfMemoryError)) or "can't allocate memory" in str(error)
