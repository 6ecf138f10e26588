"""Models with fit, sample, save and load."""

from synthgan.synthesizers.load import load
from synthgan.synthesizers.plan import FitPlan
from synthgan.synthesizers.protocol import Synthesizer
from synthgan.synthesizers.synthgan import SynthGAN
from synthgan.training import StepReport

__all__ = ["FitPlan", "StepReport", "SynthGAN", "Synthesizer", "load"]
