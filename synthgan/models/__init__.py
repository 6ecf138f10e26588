"""The networks and their losses."""

from synthgan.models.axis import CodeAxis
from synthgan.models.discriminator import Discriminator, DiscriminatorConfig
from synthgan.models.generator import Generator, GeneratorConfig

__all__ = ["CodeAxis", "Discriminator", "DiscriminatorConfig", "Generator", "GeneratorConfig"]
