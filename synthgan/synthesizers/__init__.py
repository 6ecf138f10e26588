"""Models with fit, sample, save and load."""

from synthgan.synthesizers.ctgan import CTGAN
from synthgan.synthesizers.load import load
from synthgan.synthesizers.plan import FitPlan
from synthgan.synthesizers.protocol import Synthesizer
from synthgan.synthesizers.synthgan import SynthGAN
from synthgan.synthesizers.tvae import TVAE
from synthgan.synthesizers.vanilla import VanillaGAN
from synthgan.training import StepReport

__all__ = ["CTGAN", "TVAE", "FitPlan", "StepReport", "SynthGAN", "Synthesizer", "VanillaGAN", "load"]
