"""What tests of the networks share: a generator with random weights everywhere, as if it had learned something."""

from __future__ import annotations

from collections.abc import Callable

import pytest
import torch

from synthgan.encoding import TableEncoder
from synthgan.models import CodeAxis, Generator, GeneratorConfig


@pytest.fixture(scope="session")
def shaken_generator() -> Callable[[TableEncoder], Generator]:
    """Make one of an encoder's layout."""

    def make(encoder: TableEncoder) -> Generator:
        with torch.random.fork_rng():
            torch.manual_seed(0)
            generator = Generator(CodeAxis(encoder.layout), GeneratorConfig(hidden_dim=16))
            with torch.no_grad():
                for weight in generator.parameters():
                    weight.add_(0.1 * torch.randn_like(weight))
        return generator.eval().requires_grad_(False)

    return make
