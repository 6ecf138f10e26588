"""Generated rows for small classes and small tables, and whether they help."""

from synthgan.augmentation.augment import augment
from synthgan.augmentation.gain import GainProgress, augmentation_gain
from synthgan.augmentation.oversampler import GANOverSampler
from synthgan.augmentation.prior import PriorCorrectedClassifier
from synthgan.evaluation.gain import GainReport

__all__ = ["GANOverSampler", "GainProgress", "GainReport", "PriorCorrectedClassifier", "augment", "augmentation_gain"]
