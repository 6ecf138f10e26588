"""How many rows a sample has, and what they must hold."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import pandas as pd

from synthgan.conditioning.space import Conditions, ConditionSpace
from synthgan.errors import ConditionError, ConfigError
from synthgan.synthesizers.critique import MIN_REAL_ROWS
from synthgan.synthesizers.fitted import FittedModel
from synthgan.synthesizers.frames import as_frame
from synthgan.synthesizers.protocol import ConditionsLike

__all__ = ["check_n_samples", "check_select", "read_select", "read_wanted"]


def read_wanted(
    model: FittedModel,
    n_samples: int | None,
    conditions: ConditionsLike,
    class_counts: Mapping[Any, int] | None,
) -> tuple[int, Conditions]:
    """Read what a sample is asked for.

    Parameters
    ----------
    model : FittedModel
        What it is asked of.
    n_samples, conditions, class_counts
        As `SynthGAN.sample` takes them.

    Returns
    -------
    n_rows, wanted : int, Conditions
        Rows to draw, and what each must hold.

    Raises
    ------
    ConditionError, ConfigError
        For a condition that no row can satisfy, numbers that contradict each other, or no number.
    """
    space = ConditionSpace(model.encoder)
    if isinstance(conditions, pd.DataFrame) or hasattr(conditions, "to_arrow"):
        if class_counts is not None:
            raise ConditionError(
                "class counts go with a mapping of conditions, not with a frame: put the target in the frame"
            )
        wanted = space.from_frame(as_frame(conditions, min_rows=0))
    else:
        wanted = space.from_mapping({} if conditions is None else conditions)
    if class_counts is not None:
        if model.target is None:
            raise ConditionError(
                "class counts are about the target, and this model was fitted without one: fit(..., target=...)"
            )
        wanted = space.with_counts(wanted, model.target, class_counts)
    n_rows = len(wanted.row_of) if wanted.row_of is not None else model.n_rows
    if n_samples is None:
        return n_rows, wanted
    n_samples = check_n_samples(n_samples)
    if wanted.row_of is not None and n_samples != n_rows:
        raise ConditionError(
            f"the conditions ask for {n_rows} rows, and n_samples for {n_samples}; leave n_samples out"
        )
    return n_samples, wanted


def check_n_samples(n_samples: Any) -> int:
    """Return a number of rows as an int; `ConfigError` for what is no whole number from 0."""
    if isinstance(n_samples, bool) or not isinstance(n_samples, (int, np.integer)) or n_samples < 0:
        raise ConfigError(f"n_samples must be a whole number from 0; got {n_samples!r}")
    return int(n_samples)


def read_select(model: FittedModel, select: int | None, default: int) -> int:
    """Return how many candidates a row is chosen from; `ConfigError` where no critic can choose.

    Parameters
    ----------
    model : FittedModel
        Of a `SynthGAN`.
    select : int or None
        What was asked for.
    default : int
        What is meant by None, where there is a critic.
    """
    has_critic = getattr(model.generator, "critic", None) is not None
    if select is None:
        return check_select(default) if has_critic else 1
    if check_select(select) > 1 and not has_critic and model.generator is not None:
        raise ConfigError(
            f"select={select} needs a critic, and this model has none: it takes a table of at least "
            f"{MIN_REAL_ROWS:,} rows, fitted with select above 1"
        )
    return select


def check_select(select: Any) -> int:
    """Return a number of candidates as an int; `ConfigError` for what is no whole number from 1 to 64."""
    if isinstance(select, bool) or not isinstance(select, (int, np.integer)) or not 1 <= select <= 64:
        raise ConfigError(f"select must be a whole number from 1 to 64; got {select!r}")
    return int(select)
