"""What every part of an evaluation shares: the tables, the row limits of the profile, and seeded draws."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from typing import Any, Literal

import numpy as np

from synthgan.evaluation.frames import Rows, Tables
from synthgan.evaluation.result import Metric
from synthgan.rng import numpy_stream

__all__ = ["PROFILES", "Context", "Limits", "Part", "Profile", "attempt"]

Profile = Literal["full", "quick"]


@dataclasses.dataclass(frozen=True, slots=True)
class Limits:
    """How many rows each part looks at; larger tables are sampled down to it, and the run card says so.

    Parameters
    ----------
    pairs, detection, utility : int
        Rows from each table for the pair metrics, the detectors and the learners.
    references, queries : int
        Rows searched, and rows whose nearest neighbours are searched, for the distance metrics.
    geometry : int
        Rows from each table for precision, recall, density and coverage.
    attacks : int
        Targets of each attack.
    trees : int
        Trees of each boosted model.
    scored : int
        Rows that a detector scores at least: on small tables its cross-validation is repeated.
    """

    pairs: int = 50_000
    detection: int = 20_000
    utility: int = 40_000
    references: int = 32_000
    queries: int = 4_000
    geometry: int = 3_000
    attacks: int = 2_000
    trees: int = 150
    scored: int = 2_000


PROFILES: dict[Profile, Limits] = {
    "full": Limits(),
    "quick": Limits(
        pairs=5_000,
        detection=2_000,
        utility=5_000,
        references=5_000,
        queries=2_000,
        geometry=1_000,
        attacks=300,
        trees=20,
        scored=0,
    ),
}


@dataclasses.dataclass(frozen=True, slots=True)
class Context:
    """The tables and how to look at them.

    Parameters
    ----------
    tables : Tables
    shuffled : Rows
        The real rows with each column shuffled on its own: what the floors are measured on.
    limits : Limits
    seed : int
    """

    tables: Tables
    shuffled: Rows
    limits: Limits
    seed: int

    def rng(self, purpose: str) -> np.random.Generator:
        """Return the stream of random numbers for `purpose`."""
        return numpy_stream(self.seed, f"evaluation/{purpose}")

    def draw(self, rows: Rows, n_rows: int, purpose: str) -> Rows:
        """Return `n_rows` of `rows` without replacement, all of them as they are when there are no more."""
        return rows if len(rows) <= n_rows else rows.sample(n_rows, self.rng(purpose))


@dataclasses.dataclass(frozen=True, slots=True)
class Part:
    """What one part of an evaluation found.

    Parameters
    ----------
    metrics : list of Metric
    details : dict
        What its charts draw.
    """

    metrics: list[Metric]
    details: dict[str, Any] = dataclasses.field(default_factory=dict)


def attempt(names: tuple[str, ...], compute: Callable[[Context], Part], context: Context) -> Part:
    """Return what `compute` finds; where the data do not allow it, its metrics as failed, with the reason.

    Parameters
    ----------
    names : tuple of str
        The metrics that `compute` would have given.
    compute : callable
        Raises ValueError (InputError is one) or ArithmeticError for data it cannot work on.
    context : Context
    """
    try:
        return compute(context)
    except (ValueError, ArithmeticError) as error:
        return Part([Metric(name, note=str(error)) for name in names])
