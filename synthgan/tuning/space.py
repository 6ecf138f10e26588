"""What may be searched: for each parameter a range or a list of choices."""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Mapping
from typing import Any

from synthgan.errors import ConfigError
from synthgan.synthesizers.base import TableSynthesizer

__all__ = ["Choice", "Range", "Space", "check_space", "default_space", "describe"]


@dataclasses.dataclass(frozen=True, slots=True)
class Range:
    """Numbers from `low` to `high`; whole ones where both are ints.

    Parameters
    ----------
    low, high : int or float
    log : bool
        Whether factors rather than differences are alike: 1 to 10 as long as 10 to 100.

    Raises
    ------
    ConfigError
        For an empty range, or a logarithmic one that reaches zero.
    """

    low: float
    high: float
    log: bool = False

    def __post_init__(self) -> None:
        if not (math.isfinite(self.low) and math.isfinite(self.high) and self.low <= self.high):
            raise ConfigError(f"a range goes from a number to a higher one; got {self.low!r} to {self.high!r}")
        if self.log and self.low <= 0:
            raise ConfigError(f"a logarithmic range starts above 0; got {self.low!r}")

    @property
    def whole(self) -> bool:
        """Whether it holds whole numbers only."""
        return isinstance(self.low, int) and isinstance(self.high, int)


@dataclasses.dataclass(frozen=True, slots=True)
class Choice:
    """One of some plain values.

    Parameters
    ----------
    options : tuple of str, int, float, bool or None

    Raises
    ------
    ConfigError
        For no options, or one that a TOML file cannot hold.
    """

    options: tuple[Any, ...]

    def __post_init__(self) -> None:
        if not self.options:
            raise ConfigError("a choice needs at least one option")
        if bad := [it for it in self.options if it is not None and not isinstance(it, (str, int, float))]:
            raise ConfigError(f"an option is a text, a number, a truth value or None; got {bad[0]!r}")


Space = Mapping[str, Range | Choice]

_COMMON: dict[str, Range | Choice] = {
    "generator_lr": Range(1e-4, 5e-3, log=True),
    "lr": Range(1e-4, 5e-3, log=True),
    "batch_size": Range(100, 2000, log=True),
    "hidden_dim": Range(64, 512, log=True),
    "noise_dim": Range(16, 256, log=True),
    "latent_dim": Range(16, 256, log=True),
    "kl_weight": Range(0.1, 10.0, log=True),
}
_GAME: dict[str, Range | Choice] = {
    "discriminator_lr": Range(1e-4, 5e-3, log=True),
    "discriminator_steps": Range(1, 3),
}


def default_space(model: TableSynthesizer) -> dict[str, Range | Choice]:
    """Return what `tune` searches unless told otherwise: of the parameters below, those that `model` has.

    ==========================  ==============================================================
    ``generator_lr, lr``        0.0001 to 0.005, logarithmic
    ``discriminator_lr``        0.0001 to 0.005, logarithmic, where a discriminator is trained
    ``discriminator_steps``     1 to 3, where a discriminator is trained
    ``batch_size``              100 to 2000, logarithmic; CTGAN: multiples of its `pac`
    ``hidden_dim``              64 to 512, logarithmic
    ``noise_dim, latent_dim``   16 to 256, logarithmic
    ``kl_weight``               0.1 to 10, logarithmic
    ==========================  ==============================================================

    Parameters
    ----------
    model : synthesizer

    Examples
    --------
    >>> from synthgan import SynthGAN
    >>> sorted(default_space(SynthGAN()))
    ['batch_size', 'generator_lr', 'hidden_dim']
    """
    settings = model.get_params()
    # SynthGAN trains a discriminator only where it is given a share of the steps.
    known = _COMMON | (_GAME if settings.get("adversarial_share", 1) else {})
    space = {name: it for name, it in known.items() if name in settings}
    if pac := settings.get("pac"):
        space["batch_size"] = Choice(tuple(size * pac for size in (10, 20, 50, 100, 200)))
    return space


def check_space(space: Space, model: TableSynthesizer) -> None:
    """Raise `ConfigError` unless every name is a parameter of `model` and there is something to search."""
    known = set(model.get_params()) - {"random_state", "device", "verbose", "max_seconds"}
    if unknown := sorted(set(space) - known):
        raise ConfigError(f"{type(model).__name__} has no parameter {unknown[0]!r} to search; it has {sorted(known)}")
    if not space:
        raise ConfigError("there is nothing to search: give a space with at least one parameter")


def describe(space: Space) -> dict[str, Any]:
    """Return the space as plain values for JSON."""
    return {name: {"kind": type(it).__name__.lower()} | dataclasses.asdict(it) for name, it in space.items()}
