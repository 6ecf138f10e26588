"""One seed, many independent streams.

Every random draw in synthgan comes from a stream named by ``(seed, purpose, index)``. Two streams with different
names are independent, so that e.g. a different number of training steps never changes what is sampled, and row block 7
is the same rows whether or not block 6 was asked for. The global random state of numpy, torch and Python is neither
read nor written, except that ``random_state=None`` draws a fresh seed from the operating system.
"""

from __future__ import annotations

import zlib
from typing import TYPE_CHECKING

import numpy as np

from synthgan.errors import ConfigError

if TYPE_CHECKING:
    import torch

__all__ = ["numpy_stream", "resolve_seed", "torch_stream"]

RandomState = int | np.integer | np.random.Generator | np.random.RandomState | None


def resolve_seed(random_state: RandomState) -> int:
    """Turn any accepted ``random_state`` into one integer seed.

    Parameters
    ----------
    random_state : int, numpy Generator, numpy RandomState or None
        An integer is taken as it is; a generator gives its next 63-bit draw; ``None`` asks the operating system.

    Returns
    -------
    int
        A seed in ``[0, 2**63)``.

    Raises
    ------
    ConfigError
        For a negative integer or any other type.

    Examples
    --------
    >>> resolve_seed(7)
    7
    """
    if random_state is None:
        return int(np.random.SeedSequence().generate_state(1, np.uint64)[0] >> 1)
    if isinstance(random_state, np.random.Generator):
        return int(random_state.integers(2**63))
    if isinstance(random_state, np.random.RandomState):
        return int(random_state.randint(2**31))
    if isinstance(random_state, (int, np.integer)) and not isinstance(random_state, bool):
        if 0 <= random_state < 2**63:
            return int(random_state)
    raise ConfigError(
        f"random_state must be None, an integer from 0 to 2**63 - 1, or a numpy generator; got {random_state!r}"
    )


def _sequence(seed: int, purpose: str, index: int) -> np.random.SeedSequence:
    return np.random.SeedSequence(seed, spawn_key=(zlib.crc32(purpose.encode()), index))


def numpy_stream(seed: int, purpose: str, index: int = 0) -> np.random.Generator:
    """Return the numpy generator of the stream ``(seed, purpose, index)``.

    Examples
    --------
    >>> a, b = numpy_stream(0, "split"), numpy_stream(0, "split")
    >>> bool((a.random(3) == b.random(3)).all())
    True
    """
    return np.random.Generator(np.random.PCG64(_sequence(seed, purpose, index)))


def torch_stream(seed: int, purpose: str, index: int = 0, device: torch.device | str = "cpu") -> torch.Generator:
    """Return the torch generator of the stream ``(seed, purpose, index)`` on `device`."""
    import torch

    state = int(_sequence(seed, purpose, index).generate_state(1, np.uint64)[0] >> 1)
    return torch.Generator(device=device).manual_seed(state)
