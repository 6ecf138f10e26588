"""What a fit will do, told before it starts."""

from __future__ import annotations

import dataclasses
import functools
import math
import sys
from typing import Any

import torch

from synthgan.encoding import MAX_COLUMNS, TableLayout
from synthgan.errors import ConfigError
from synthgan.models import DiscriminatorConfig, GeneratorConfig
from synthgan.models.generator import MAX_MEMBERS
from synthgan.synthesizers.critique import n_seen
from synthgan.training import TrainingConfig
from synthgan.training.config import check_number
from synthgan.training.donors import MAX_CLASSES, TREES
from synthgan.training.standins import STAND_INS, why_no_stand_ins

__all__ = [
    "FitPlan", "check_members", "check_stand_ins", "default_hidden_dim", "default_members", "make_plan",
    "wants_stand_ins",
]  # fmt: skip

MAX_LATE_DIM = 256
"""Width of the late layer at most; twice the network's where that is less."""

MANY_CODES = 500
"""Codes from which a large table takes a wider network."""

SMALL_TABLE = 2000
"""Tables of fewer rows are learned by several generators, from stand-ins first."""

SMALL_TABLE_MEMBERS = 2
"""Generators of an ensemble for a small table; benchmarks/ablation.py compares 1, 2, 4 and 8."""

LEAST_BATCH = 16
"""Smallest batch that `max_megabytes` leads to."""


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
    batch_size : int
        Rows per step: the one asked for, or what the memory allows.
    memory_bytes : int
        Estimate of the memory that training takes, beside what the program and the table take already.
    peak_bytes : int
        Estimate of the program's memory at its peak, the table included; on a CUDA device equal to `memory_bytes`.
    n_steps, n_most : int
        Training steps by the table's size, and at most: training goes on where more of them pay.
    device : str
        Where.
    generator_config, discriminator_config : GeneratorConfig, DiscriminatorConfig
        Sizes of the networks.
    estimated_seconds : float or None
        Rough estimate of the training time; None where none can be given.
    stand_ins : bool
        Whether the networks first learn rows that lines and forests draw.
    """

    n_rows: int
    n_columns: int
    n_codes: int
    bytes_per_row: int
    batch_size: int
    memory_bytes: int
    peak_bytes: int
    n_steps: int
    n_most: int
    device: str
    generator_config: GeneratorConfig
    discriminator_config: DiscriminatorConfig
    estimated_seconds: float | None
    stand_ins: bool


def default_hidden_dim(n_rows: int, n_codes: int) -> int:
    """Width of the generator: more rows can teach more weights, but also take more steps.

    From 30,000 rows on a narrower one keeps a fit on two cores at minutes, and is as good where a table has few codes
    (benchmarks/width.py). Where it has many, most of the time goes into these, and little is won.

    Examples
    --------
    >>> [default_hidden_dim(n, 250) for n in (200, 3000, 20_000, 100_000)], default_hidden_dim(100_000, 1000)
    ([128, 256, 384, 192], 320)
    """
    by_rows = ((1000, 128), (15_000, 256), (30_000, 384))
    return next((width for limit, width in by_rows if n_rows < limit), 192 if n_codes < MANY_CODES else 320)


def default_members(n_rows: int) -> int:
    """Generators of an ensemble: few rows are learned quickly, but by each network differently.

    Larger tables get one generator: there the critic makes up for what more would win.

    Examples
    --------
    >>> [default_members(n) for n in (200, 3000)]
    [2, 1]
    """
    return SMALL_TABLE_MEMBERS if n_rows < SMALL_TABLE else 1


def wants_stand_ins(stand_ins: bool | None, epochs: int | None, layout: TableLayout, n_rows: int) -> bool:
    """Whether the networks are to learn stand-ins first: as the user says, or where they help.

    Larger tables win hardly anything by them (benchmarks/standins.py).

    Raises
    ------
    ConfigError
        Where they are asked for, and forests cannot draw rows of such a table.
    """
    reason = why_no_stand_ins(layout, n_rows)
    if stand_ins and reason:
        raise ConfigError(f"stand_ins=True needs a table that forests can draw: {reason}. Leave stand_ins at None")
    if stand_ins is None:
        # Who says how often the table itself is to be learned wants nothing else to be.
        return epochs is None and n_rows < SMALL_TABLE and not reason
    return stand_ins


def check_stand_ins(stand_ins: object) -> None:
    """Raise `ConfigError` for what is neither a bool nor None."""
    if stand_ins is not None and not isinstance(stand_ins, bool):
        raise ConfigError(f"stand_ins must be True, False or None; got {stand_ins!r}")


def check_members(n_members: int | None, adversarial_share: float) -> None:
    """Raise `ConfigError` for a number of generators that cannot be, or of which the game knows only one."""
    check_number("n_members", n_members, 1, MAX_MEMBERS, whole=True, optional=True)
    if n_members is not None and n_members > 1 and adversarial_share:
        raise ConfigError(
            f"n_members={n_members} and an adversarial_share do not go together: set n_members=1, or no "
            "adversarial_share"
        )


def make_plan(
    n_rows: int,
    layout: TableLayout,
    config: TrainingConfig,
    hidden_dim: int | None,
    device: torch.device,
    max_megabytes: float | None = None,
    n_members: int | None = None,
    stand_ins: bool | None = None,
) -> FitPlan:
    """Work out the sizes of a fit; where `max_megabytes` are not enough, with the largest batch that they are for.

    Raises
    ------
    ConfigError
        For a `hidden_dim` or `n_members` below 1, for several members of which the adversarial stage knows only one,
        for stand-ins that forests cannot draw, or when even small batches take more than `max_megabytes`.
    """
    check_number("hidden_dim", hidden_dim, 1, math.inf, whole=True, optional=True)
    check_members(n_members, config.adversarial_share)
    width = default_hidden_dim(n_rows, layout.n_codes) if hidden_dim is None else int(hidden_dim)
    generator, discriminator = (
        GeneratorConfig(hidden_dim=width, late_dim=min(2 * width, MAX_LATE_DIM), dropout=0.1),
        DiscriminatorConfig(hidden_dim=width),
    )
    limit = _limit(max_megabytes)
    members = n_members if n_members is not None else 1 if config.adversarial_share else default_members(n_rows)
    stands = wants_stand_ins(stand_ins, config.epochs, layout, n_rows)
    ways = [(dataclasses.replace(generator, n_members=int(members)), stands)]
    # What nobody asked for goes before batches get smaller: first several generators, then stand-ins. Seconds have no
    # say in it, because they may change when a training is taken up again.
    if n_members is None:
        ways.append((generator, stands))
    if stand_ins is None:
        ways.append((ways[-1][0], False))
    need = functools.partial(_memory, n_rows, layout, config)
    batch = min(config.batch_size, n_rows)
    generator, stands = next((way for way in ways if need(batch, *way) <= limit), ways[-1])
    while need(batch, generator, stands) > limit:
        if batch <= LEAST_BATCH:
            raise ConfigError(
                f"max_megabytes={max_megabytes:g} are too few: training takes about "
                f"{need(batch, generator, stands) / 1e6:.0f} MB even with batches of {batch} rows. Allow more, or set "
                f"a hidden_dim below {width}{', or fewer n_members' if generator.n_members > 1 else ''}"
            )
        batch = max(batch * 3 // 4, LEAST_BATCH)
    memory = need(batch, generator, stands)
    if batch < min(config.batch_size, n_rows):
        config = dataclasses.replace(config, batch_size=batch)
    n_steps, n_late = config.n_steps(n_rows), config.n_late(n_rows)
    n_stand_ins = config.n_stand_ins(n_rows) if stands else 0
    n_adversarial = config.n_adversarial(n_rows)
    more = (config.n_most(n_rows) - n_adversarial) / max(n_steps - n_adversarial, 1)
    rows = (2 if stands else 1) * batch * (n_steps + n_late // 2) + min(config.batch_size, STAND_INS) * n_stand_ins
    return FitPlan(
        n_rows=n_rows,
        n_columns=len(layout.columns),
        n_codes=layout.n_codes,
        bytes_per_row=layout.bytes_per_row,
        batch_size=config.batch_size,
        memory_bytes=memory,
        peak_bytes=memory + (_memory_now() if device.type == "cpu" else 0),
        n_steps=n_stand_ins + n_steps + n_late,
        n_most=n_stand_ins + n_adversarial + math.ceil(more * (n_steps - n_adversarial + n_late)),
        device=str(device),
        generator_config=generator,
        discriminator_config=discriminator,
        estimated_seconds=_seconds(layout, config, generator, rows, n_stand_ins + n_steps + n_late // 2, device),
        stand_ins=stands,
    )


def _memory(
    n_rows: int, layout: TableLayout, config: TrainingConfig, batch: int, sizes: GeneratorConfig, stands: bool
) -> int:
    """Bytes that training takes; the constants are fitted to measurements (benchmarks/trust.py compares them)."""
    forest_bytes = 0
    if stands:
        forest_bytes = _forest_memory(n_rows, layout)
        # Stand-ins are learned beside the table's rows, and alone: of these there is always a whole batch.
        alone = config.batch_size if batch == min(config.batch_size, n_rows) else batch
        batch = max(2 * batch, min(alone, STAND_INS))
    n_codes, width = layout.n_codes, sizes.hidden_dim
    n_weights = _n_weights(layout, sizes) + sizes.n_members * n_codes * (layout.max_cells + sizes.cell_dim)
    # Shares of pairs are in single precision in a network and in its copy that samples, and made in double.
    pair_bytes = 16 * sizes.n_members * sum(len(one.rest) * len(one.target_rows) for one in layout.pairings)
    activations = batch * (6 * n_codes + 12 * width + 4 * len(layout) * layout.max_cells)
    weights_bytes, activation_bytes = 32 * n_weights, 4.8 * activations
    if config.adversarial_share:
        weights_bytes += 16 * width * (n_codes + 2 * width)
        activation_bytes *= 2.5
    seen = n_seen(n_rows)
    critic_bytes = (CRITIC_BYTES if seen else 0) + CRITIC_CELL_BYTES * len(layout) * seen
    table_bytes = n_rows * layout.bytes_per_row
    return int(
        LIBRARY_BYTES + critic_bytes + forest_bytes + pair_bytes + weights_bytes + activation_bytes + table_bytes
    )


def _forest_memory(n_rows: int, layout: TableLayout) -> int:
    """Bytes that drawing stand-ins takes: one forest, where its rows lie in it, and features of all rows."""
    n_features = MAX_CLASSES + sum(min(block.n_codes, 3 if block.ordered else MAX_COLUMNS) for block in layout.blocks)
    return STAND_INS * (8 * TREES + 12 * n_features) + n_rows * (96 * TREES + 12 * n_features)


def _n_weights(layout: TableLayout, sizes: GeneratorConfig) -> int:
    """Entries of the generators' matrices, roughly."""
    width, n_codes = sizes.hidden_dim, layout.n_codes
    of_one = width * (2 * sizes.n_layers * width + 2 * n_codes) + sizes.late_dim * (width + 2 * n_codes)
    return sizes.n_members * of_one


LIBRARY_BYTES = 100_000_000
"""What torch takes for itself when the first step is taken."""


CRITIC_BYTES, CRITIC_CELL_BYTES = 30_000_000, 12
"""What training the critic, and drawing the rows for it, take beside that: in all, and for each cell it sees."""


def _limit(max_megabytes: Any) -> float:
    if max_megabytes is None:
        return math.inf
    if isinstance(max_megabytes, bool) or not isinstance(max_megabytes, (int, float)) or not max_megabytes > 0:
        raise ConfigError(f"max_megabytes must be a number above 0, or None; got {max_megabytes!r}")
    return max_megabytes * 1e6


def _memory_now() -> int:
    """Most bytes that this process has taken so far; 0 on systems that do not say."""
    try:
        import resource
    except ImportError:  # Windows
        return 0
    unit = 1 if sys.platform == "darwin" else 1024
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * unit


def _seconds(
    layout: TableLayout,
    config: TrainingConfig,
    sizes: GeneratorConfig,
    n_learned: int,
    n_steps: int,
    device: torch.device,
) -> float | None:
    """Seconds that `n_steps` steps take, in which rows are learned `n_learned` times."""
    if device.type != "cpu":
        return None
    flops = 6 * n_learned * _n_weights(layout, sizes)
    seconds = flops / 1.5e11 + n_steps * sizes.n_members * 0.006
    return seconds if config.max_seconds is None else min(seconds, config.max_seconds)
