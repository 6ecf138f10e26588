"""The training loop of the reference models: so many steps, reported, watched, and ended in time."""

from __future__ import annotations

import math
import time
from collections.abc import Generator
from typing import Protocol

import torch
from torch import Tensor, nn

from synthgan.errors import DivergedError
from synthgan.training.monitor import Monitor
from synthgan.training.progress import StepReport

__all__ = ["Game", "gradient_share", "play"]

REPORT_EVERY = 20
LOOKS = 40
"""Times that generated rows are compared with held-out ones."""


class Game(Protocol):
    """What is trained, one step at a time."""

    phase: str

    def step(self) -> dict[str, Tensor]:
        """Take one step of every network; returns the losses, still on the device."""
        ...

    def gradients(self) -> dict[str, float]:
        """Return the norms of the last step's gradients, as shares of those of the weights."""
        ...

    def look(self) -> dict[str, float]:
        """Compare generated rows with rows held out."""
        ...

    def finish(self) -> None:
        """Make the generator ready to sample."""
        ...


def play(game: Game, n_steps: int, max_seconds: float | None, monitor: Monitor) -> Generator[StepReport | None]:
    """Take `n_steps` steps, or as many as `max_seconds` allow; the caller has its turn after each.

    Yields
    ------
    StepReport or None
        A report every 20 steps and at each look; its `validation` is 1 minus the fidelity on rows held out.

    Raises
    ------
    DivergedError
        When a loss stops being finite.
    """
    began = time.monotonic()
    sums: dict[str, Tensor] = {}
    n_summed, best = 0, math.inf
    look_every = max(n_steps // LOOKS, 10)
    try:
        for step in range(1, n_steps + 1):
            for name, loss in game.step().items():
                sums[name] = sums[name] + loss if name in sums else loss
            n_summed += 1
            seconds = time.monotonic() - began
            last = step == n_steps or (max_seconds is not None and seconds > max_seconds)
            look = last or step % look_every == 0
            if not look and step % REPORT_EVERY:
                yield None
                continue
            losses = {name: float(value) / n_summed for name, value in sums.items()}
            sums, n_summed = {}, 0
            if not all(math.isfinite(value) for value in losses.values()):
                raise DivergedError(f"training diverged: step {step} has no finite loss. Lower the learning rates")
            numbers = game.gradients() | (game.look() if look else {})
            distance = 1 - numbers["fidelity"] if "fidelity" in numbers else None
            best = best if distance is None else min(best, distance)
            alarms = monitor.observe(step, n_steps, numbers)
            yield StepReport(step, n_steps, seconds, game.phase, losses, distance, best, numbers, alarms)
            if last:
                break
    finally:
        game.finish()


@torch.no_grad()
def gradient_share(module: nn.Module) -> float:
    """Norm of a network's gradient as a share of the norm of its weights; 0 where it has no gradient."""
    weights: list[Tensor] = []
    gradients: list[Tensor] = []
    for weight in module.parameters():
        if weight.grad is not None:
            weights.append(weight)
            gradients.append(weight.grad)
    if not weights:
        return 0.0
    size, slope = (torch.stack(torch._foreach_norm(tensors)).square().sum().sqrt() for tensors in (weights, gradients))
    return float(slope / size.clamp(min=1e-12))
