"""What can be set about training, and what follows from the size of the table."""

from __future__ import annotations

import dataclasses
import math

import numpy as np

from synthgan.errors import ConfigError

__all__ = ["TrainingConfig", "check_number"]

STAND_IN_STEPS = 300
"""Steps on stand-ins alone. Tables that have them are small, and of sizes that differ little."""

MOST_STEPS, MOST_TIMES = 4000, 4
"""Steps at most that the table's size, and what they bring, decide on; and as a multiple of those by size alone."""


@dataclasses.dataclass(frozen=True, slots=True)
class TrainingConfig:
    """Settings of the training loop.

    Parameters
    ----------
    epochs : int or None
        Passes over the training rows at most; None lets the table's size decide (see `n_steps`), and what more of them
        bring (see `n_most`). Training ends earlier when the held-out likelihood stops improving. The late layer's are
        not counted.
    batch_size : int
        Rows per step; a smaller table is one batch.
    generator_lr, discriminator_lr : float
        Highest learning rates of Adam.
    max_seconds : float or None
        Seconds of training at most; the learning rate is annealed inside them.
    adversarial_share : float
        Share of the steps, from 0 to below 1, that the adversarial stage takes after the likelihood stage.
    discriminator_steps : int
        Discriminator steps per generator step.
    gradient_penalty : float
        Weight of R1 + R2 in the discriminator's loss.
    moment_weight : float
        Weight of moment matching in the adversarial stage.
    ema_decay : float
        Decay per step of the averaged weights, which are what samples and is judged on held-out rows.

    Raises
    ------
    ConfigError
        For a value out of range.
    """

    epochs: int | None = None
    batch_size: int = 1000
    generator_lr: float = 1e-3
    discriminator_lr: float = 5e-4
    max_seconds: float | None = None
    adversarial_share: float = 0.0
    discriminator_steps: int = 1
    gradient_penalty: float = 0.5
    moment_weight: float = 3.0
    ema_decay: float = 0.998

    def __post_init__(self) -> None:
        check_number("epochs", self.epochs, 1, math.inf, whole=True, optional=True)
        check_number("batch_size", self.batch_size, 1, math.inf, whole=True)
        check_number("generator_lr", self.generator_lr, 0, 1)
        check_number("discriminator_lr", self.discriminator_lr, 0, 1)
        check_number("max_seconds", self.max_seconds, 0, math.inf, optional=True)
        check_number("adversarial_share", self.adversarial_share, 0, 0.95)
        check_number("discriminator_steps", self.discriminator_steps, 1, math.inf, whole=True)
        check_number("gradient_penalty", self.gradient_penalty, 0, math.inf)
        check_number("moment_weight", self.moment_weight, 0, math.inf)
        check_number("ema_decay", self.ema_decay, 0, 1)

    def n_steps(self, n_rows: int) -> int:
        """Optimiser steps for `n_rows` training rows: ``12 sqrt(n)``, from 300 to 4000, or what `epochs` says.

        Examples
        --------
        >>> TrainingConfig().n_steps(32_000), TrainingConfig(epochs=10).n_steps(32_000)
        (2147, 320)
        """
        if self.epochs is not None:
            return self.epochs * math.ceil(n_rows / self.batch_size)
        return min(max(round(12 * math.sqrt(n_rows)), 300), MOST_STEPS)

    def n_most(self, n_rows: int) -> int:
        """Steps at most, where more than `n_steps` pay: four times as many, but not above 4000; none with `epochs`.

        Those of the adversarial stage, which are part of both, do not become more.

        Examples
        --------
        >>> TrainingConfig().n_most(4000), TrainingConfig().n_most(32_000), TrainingConfig(epochs=10).n_most(32_000)
        (3036, 4000, 320)
        """
        n_steps, n_adversarial = self.n_steps(n_rows), self.n_adversarial(n_rows)
        if self.epochs is not None:
            return n_steps
        n_likelihood = n_steps - n_adversarial
        return n_adversarial + max(min(MOST_TIMES * n_likelihood, MOST_STEPS - n_adversarial), n_likelihood)

    def n_stand_ins(self, n_rows: int) -> int:
        """Steps, beside `n_steps`, in which the networks of a small table learn stand-ins alone.

        Examples
        --------
        >>> TrainingConfig().n_stand_ins(600), TrainingConfig(epochs=10).n_stand_ins(600)
        (300, 10)
        """
        return min(STAND_IN_STEPS, self.n_steps(n_rows))

    def n_adversarial(self, n_rows: int) -> int:
        """Those of `n_steps` that the adversarial stage takes."""
        return round(self.adversarial_share * self.n_steps(n_rows))

    def n_late(self, n_rows: int) -> int:
        """Steps, beside `n_steps`, in which only the late layer learns: a quarter as many as the network's.

        Before a game it is a third: one that starts from a late layer less trained strays from the table's shares.

        Examples
        --------
        >>> TrainingConfig().n_late(32_000)
        537
        """
        n_adversarial = self.n_adversarial(n_rows)
        return round((self.n_steps(n_rows) - n_adversarial) / (3 if n_adversarial else 4))


def check_number(
    name: str, value: object, low: float, high: float, *, whole: bool = False, optional: bool = False
) -> None:
    """Raise `ConfigError` unless `value` is a finite number from `low` to `high`; a whole one, or None, where asked."""
    if value is None and optional:
        return
    number = (
        value if isinstance(value, (int, float, np.integer, np.floating)) and not isinstance(value, bool) else math.nan
    )
    if not (low <= number <= high and math.isfinite(number)) or (whole and int(number) != number):
        wanted = (
            f"{'a whole number' if whole else 'a number'} from {low:g}{'' if high == math.inf else f' to {high:g}'}"
        )
        raise ConfigError(f"{name} must be {wanted}{', or None' if optional else ''}; got {value!r}")
