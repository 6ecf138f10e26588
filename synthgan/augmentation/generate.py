"""From a generator to rows of given classes: the one place where augmentation meets a synthesizer."""

from __future__ import annotations

import warnings
from collections.abc import Mapping
from typing import Any, Protocol

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from sklearn.base import clone

from synthgan.schema import ColumnName
from synthgan.synthesizers import SynthGAN

__all__ = ["FEW_ROWS", "ClassRows", "Generator", "fresh", "warn_of_small_classes"]

FEW_ROWS = 10
"""A class of fewer rows is hardly more than what the generator knows of the other classes."""


class Generator(Protocol):
    """What augmentation needs of a model: SynthGAN has it."""

    def get_params(self) -> dict[str, Any]:
        """Return the parameters, as scikit-learn's estimators do."""

    def set_params(self, **params: Any) -> Any:
        """Change parameters."""

    def fit(self, X: Any, y: Any = None, *, target: ColumnName | None = None) -> Any:
        """Learn a table."""

    def sample(
        self,
        n_samples: int | None = None,
        *,
        conditions: Mapping[ColumnName, Any] | None = None,
        class_counts: Mapping[Any, int] | None = None,
        random_state: int | None = None,
    ) -> pd.DataFrame:
        """Draw rows."""


def fresh(generator: Generator | None, seed: int) -> Generator:
    """Return an unfitted copy with a seed of its own: whatever the original was fitted on is left behind.

    Where `n_members` and `stand_ins` are left to the table's size, they are 1 and False, and where there is no original
    `select` is 1: which gains were measured with (benchmarks/results/gain.json), to look for a gain takes dozens of
    fits, and rows are chosen by other rules here.
    """
    model: Generator = SynthGAN(select=1) if generator is None else clone(generator)
    params = model.get_params()
    # Rare values are kept: the model is thrown away, and its rows go beside the real ones that they may resemble.
    wanted: dict[str, Any] = {"random_state": seed, "protect_rare": 1}
    plain = {"n_members": 1, "stand_ins": False}
    wanted |= {name: value for name, value in plain.items() if params.get(name, value) is None}
    model.set_params(**{name: value for name, value in wanted.items() if name in params})
    return model


class ClassRows:
    """A generator fitted on rows with classes, which are codes here and texts to it: no dtype of a label matters.

    Parameters
    ----------
    generator : Generator or None
        Copied, not changed; None is SynthGAN with one generator, no stand-ins, and no critic.
    features : DataFrame of shape (n, p)
        Without the target.
    y : ndarray of int, shape (n,)
        Class codes.
    seed : int
    """

    def __init__(
        self, generator: Generator | None, features: pd.DataFrame, y: NDArray[np.integer[Any]], seed: int
    ) -> None:
        self._seed = seed
        self._target = "class"
        while self._target in features.columns:
            self._target += "_"
        labels = pd.Series([_label(code) for code in y.tolist()], index=features.index, dtype=object)
        self._model = fresh(generator, seed)
        self._features = list(features.columns)
        self._model.fit(features.assign(**{self._target: labels}), target=self._target)

    def draw(self, counts: Mapping[int, int]) -> tuple[pd.DataFrame, NDArray[np.int64]]:
        """Return exactly so many rows of each class, and their class codes."""
        wanted = {code: count for code, count in counts.items() if count}
        if not wanted:
            return self._model.sample(0)[self._features], np.empty(0, dtype=np.int64)
        rows = self._model.sample(
            class_counts={_label(code): count for code, count in wanted.items()}, random_state=self._seed
        )
        codes = np.repeat(np.array(list(wanted), dtype=np.int64), list(wanted.values()))
        return rows[self._features], codes

    def draw_free(self, n_rows: int) -> pd.DataFrame:
        """Return rows generated without regard to class, and without one."""
        return self._model.sample(n_rows, random_state=self._seed + 1)[self._features]


def _label(code: int) -> str:
    return f"class {code}"


def warn_of_small_classes(counts: Mapping[Any, int], wanted: Mapping[Any, int]) -> None:
    """Warn of classes that are to be generated from next to nothing.

    Parameters
    ----------
    counts, wanted : mapping of label to int
        Real rows, and synthetic rows asked for.
    """
    small = [label for label, count in wanted.items() if count and counts[label] < FEW_ROWS]
    if small:
        told = ", ".join(f"{label!r} ({counts[label]} real, {wanted[label]} synthetic)" for label in small)
        warnings.warn(
            f"classes of fewer than {FEW_ROWS} rows are too small to learn from: {told}. Their rows were generated all "
            "the same, largely from what the other classes have in common; look at them before you use them",
            UserWarning,
            stacklevel=3,
        )
