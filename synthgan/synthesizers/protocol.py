"""What every synthesizer can do, whatever it is made of."""

from __future__ import annotations

import os
from collections.abc import Callable, Collection, Iterator, Mapping
from typing import Any, Protocol, Self

import pandas as pd

from synthgan.rng import RandomState
from synthgan.schema import ColumnName, Schema
from synthgan.training import StepReport

__all__ = ["Callback", "ConditionsLike", "Synthesizer"]

Callback = Callable[[StepReport], bool | None]
"""Told of training every few steps; returning True ends it."""

ConditionsLike = Mapping[ColumnName, Any] | pd.DataFrame | None


class Synthesizer(Protocol):
    """A model that learns a table and makes rows like it.

    Whoever writes code against this protocol can exchange the models: all of them take the same tables, give back the
    same dtypes, and are written to the same kind of file. What a model does not offer, such as a condition it cannot
    keep to, it refuses with a `ConditionError` that says so.

    Attributes
    ----------
    schema_ : Schema
        What the columns are.
    target_ : str, int or None
        The column that `class_counts` are about.
    history_ : DataFrame
        Training curves: one row per report.
    interrupted_ : bool
        Whether training was cut short by Ctrl-C or by the callback.
    info_ : dict
        What the model is and was made from, as plain values.

    Examples
    --------
    >>> from synthgan import SynthGAN
    >>> def twice(model: Synthesizer, table: pd.DataFrame) -> pd.DataFrame:
    ...     return model.fit(table).sample(2 * len(table), random_state=0)
    >>> len(twice(SynthGAN(epochs=1, random_state=0), pd.DataFrame({"x": range(10)})))
    20
    """

    schema_: Schema
    target_: ColumnName | None
    history_: pd.DataFrame
    interrupted_: bool

    def fit(
        self,
        X: Any,
        y: Any = None,
        *,
        discrete_columns: Collection[ColumnName] | None = None,
        schema: Schema | Mapping[ColumnName, Any] | None = None,
        target: ColumnName | None = None,
        callback: Callback | None = None,
    ) -> Self:
        """Learn the joint distribution of a table."""
        ...

    def sample(
        self,
        n_samples: int | None = None,
        *,
        conditions: ConditionsLike = None,
        class_counts: Mapping[Any, int] | None = None,
        random_state: RandomState = None,
    ) -> pd.DataFrame:
        """Draw synthetic rows."""
        ...

    def sample_batches(
        self,
        n_samples: int | None = None,
        *,
        conditions: ConditionsLike = None,
        class_counts: Mapping[Any, int] | None = None,
        random_state: RandomState = None,
    ) -> Iterator[pd.DataFrame]:
        """Draw the same rows as `sample`, in batches."""
        ...

    def save(self, path: str | os.PathLike[str]) -> None:
        """Write the model to one file."""
        ...

    @classmethod
    def load(cls, path: str | os.PathLike[str], *, device: str = "auto") -> Self:
        """Read a model written by `save`."""
        ...

    @property
    def info_(self) -> dict[str, Any]:
        """What the model is and was made from, as plain values."""
        ...
