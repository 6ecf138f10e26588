"""What a synthesizer is asked to fit, and the training that comes of it."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Generator

import pandas as pd
import torch
from torch import nn

from synthgan.encoding import TableEncoder
from synthgan.schema import ColumnName
from synthgan.synthesizers.checkpoints import Resumable
from synthgan.training import StepReport

__all__ = ["FitJob", "Run"]


@dataclasses.dataclass(frozen=True, eq=False)
class FitJob:
    """What a fit is asked for, once all of it has been checked.

    Parameters
    ----------
    frame : DataFrame
        The rows.
    encoder : TableEncoder
        Fitted on them.
    seed : int
        Names the random streams.
    device : torch.device
        Where to train.
    target : column label or None
        The column that the table is about.
    """

    frame: pd.DataFrame
    encoder: TableEncoder
    seed: int
    device: torch.device
    target: ColumnName | None


@dataclasses.dataclass(frozen=True, eq=False)
class Run:
    """A training that waits to be started.

    Parameters
    ----------
    steps : generator of StepReport or None
        Trains while it is iterated, and leaves the best weights when it is closed.
    network : callable
        Returns what has been trained; called once, after `steps` was closed.
    training : Resumable or None
        What takes the steps, where it can be put down between any two of them.
    """

    steps: Generator[StepReport | None] | Generator[StepReport]
    network: Callable[[], nn.Module]
    training: Resumable | None = None
