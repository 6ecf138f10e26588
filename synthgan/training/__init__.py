"""Fitting the networks."""

from synthgan.training.config import TrainingConfig
from synthgan.training.loop import StepReport, train
from synthgan.training.state import TrainState, new_state

__all__ = ["StepReport", "TrainState", "TrainingConfig", "new_state", "train"]
