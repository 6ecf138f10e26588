"""What a fit will do, told before it starts."""

from __future__ import annotations

import dataclasses

import torch

from synthgan.encoding import TableLayout
from synthgan.errors import ConfigError
from synthgan.models import DiscriminatorConfig, GeneratorConfig
from synthgan.training import TrainingConfig

__all__ = ["FitPlan", "default_hidden_dim", "make_plan"]


@dataclasses.dataclass(frozen=True, slots=True)
class FitPlan:
    """Sizes of a fit.

    Parameters
    ----------
    n_rows, n_columns : int
        Of the table; columns that are learned.
    n_codes : int
        Width of the generator's output.
    bytes_per_row : int
        Of the encoded table.
    memory_bytes : int
        Estimate of the memory that training takes beside the table itself.
    n_steps : int
        Training steps at most.
    device : str
        Where.
    generator_config, discriminator_config : GeneratorConfig, DiscriminatorConfig
        Sizes of the networks.
    estimated_seconds : float or None
        Rough estimate of the training time; None where none can be given.
    """

    n_rows: int
    n_columns: int
    n_codes: int
    bytes_per_row: int
    memory_bytes: int
    n_steps: int
    device: str
    generator_config: GeneratorConfig
    discriminator_config: DiscriminatorConfig
    estimated_seconds: float | None


def default_hidden_dim(n_rows: int) -> int:
    """Width of the generator: more rows can teach more weights.

    Examples
    --------
    >>> [default_hidden_dim(n) for n in (200, 3000, 30_000, 300_000)]
    [128, 256, 384, 512]
    """
    return next((width for limit, width in ((1000, 128), (5000, 256), (100_000, 384)) if n_rows < limit), 512)


def make_plan(
    n_rows: int, layout: TableLayout, config: TrainingConfig, hidden_dim: int | None, device: torch.device
) -> FitPlan:
    """Work out the sizes of a fit.

    Raises
    ------
    ConfigError
        For a `hidden_dim` below 1.
    """
    if hidden_dim is not None and (not isinstance(hidden_dim, int) or isinstance(hidden_dim, bool) or hidden_dim < 1):
        raise ConfigError(f"hidden_dim must be a whole number from 1, or None; got {hidden_dim!r}")
    width = hidden_dim or default_hidden_dim(n_rows)
    generator = GeneratorConfig(hidden_dim=width, dropout=0.1)
    n_codes, n_steps = layout.n_codes, config.n_steps(n_rows)
    batch = min(config.batch_size, n_rows)
    n_weights = width * (2 * generator.n_layers * width + 3 * n_codes) + n_codes * (
        layout.max_cells + generator.cell_dim
    )
    activations = batch * (6 * n_codes + 12 * width + 4 * len(layout) * layout.max_cells)
    # float32 weights with gradient, two Adam moments, average and best copies; activations forward and backward
    memory = 4 * (8 * n_weights + 2 * activations) + n_rows * layout.bytes_per_row
    flops = 6 * batch * width * (2 * generator.n_layers * width + 3 * n_codes) * n_steps
    seconds = None if device.type != "cpu" else flops / 1.5e11 + n_steps * 0.006
    if seconds is not None and config.max_seconds is not None:
        seconds = min(seconds, config.max_seconds)
    return FitPlan(
        n_rows=n_rows,
        n_columns=len(layout.columns),
        n_codes=n_codes,
        bytes_per_row=layout.bytes_per_row,
        memory_bytes=memory,
        n_steps=n_steps,
        device=str(device),
        generator_config=generator,
        discriminator_config=DiscriminatorConfig(hidden_dim=width),
        estimated_seconds=seconds,
    )
