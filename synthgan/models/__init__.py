"""The networks and their losses."""

from synthgan.models.axis import CodeAxis
from synthgan.models.discriminator import Discriminator, DiscriminatorConfig
from synthgan.models.ensemble import Ensemble
from synthgan.models.generator import Generator, GeneratorConfig

__all__ = ["CodeAxis", "Discriminator", "DiscriminatorConfig", "Ensemble", "Generator", "GeneratorConfig"]
