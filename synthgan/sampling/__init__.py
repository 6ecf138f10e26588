"""Rows from a trained generator."""

from synthgan.sampling.sampler import Sampler
from synthgan.sampling.scoring import log_likelihood

__all__ = ["Sampler", "log_likelihood"]
