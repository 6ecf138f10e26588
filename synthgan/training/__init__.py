"""Fitting the networks."""

from synthgan.training.config import TrainingConfig
from synthgan.training.loop import Training, train
from synthgan.training.monitor import Alarm, Monitor
from synthgan.training.progress import Progress, StepReport
from synthgan.training.state import TrainState, new_state

__all__ = [
    "Alarm",
    "Monitor",
    "Progress",
    "StepReport",
    "TrainState",
    "Training",
    "TrainingConfig",
    "new_state",
    "train",
]
