"""A table with generated rows after the real ones."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import pandas as pd

from synthgan.augmentation.generate import ClassRows, Generator, fresh, warn_of_small_classes
from synthgan.augmentation.learners import Committee, Training, encode, possible_classes
from synthgan.augmentation.selection import Selection, draw_chosen
from synthgan.augmentation.strategy import balanced, proportional
from synthgan.errors import ConfigError, InputError
from synthgan.rng import RandomState, resolve_seed
from synthgan.schema import ColumnName
from synthgan.schema.blanks import read_blanks
from synthgan.synthesizers.frames import as_frame

__all__ = ["MARKER", "augment"]

MARKER = "synthetic"
WEIGHT = "weight"
MAX_CLASSES = 20
N_RANGES = 10
FEW_IN_RANGE = 3


def augment(
    frame: Any,
    target: ColumnName,
    *,
    strategy: str | Mapping[Any, int] = "balance",
    ratio: float = 1.0,
    choose_by: Selection = "labels",
    marker: str | None = MARKER,
    generator: Generator | None = None,
    random_state: RandomState = None,
) -> pd.DataFrame:
    """Add generated rows to a table.

    Parameters
    ----------
    frame : DataFrame, polars DataFrame or pyarrow Table
        Real rows, the target included. Those without a target stay, and nothing is learned from them.
    target : column name
        Classes, or a number of more than 20 distinct values.
    strategy : {"balance", "proportional", "labelled"} or mapping of class to int, default="balance"
        ``"balance"``: every class up to the largest; for a number, its rare ranges up to the mean of ten ranges of
        equal width. ``"proportional"``: `ratio` times as many rows as there are, in the same class shares.
        ``"labelled"``: `ratio` times as many rows generated without regard to class, each once for every class that a
        committee of classifiers thinks possible, with a column ``weight`` to be handed to the learner as
        ``sample_weight``. A mapping: so many generated rows of each class.
    ratio : float, default=1.0
        For ``"proportional"`` and ``"labelled"``.
    choose_by : {"labels", "density", "hard", "nothing"}, default="labels"
        How rows of a class are chosen among four times as many, see `selection_weights`.
    marker : str or None, default="synthetic"
        Name of a column that says which rows are generated; None for no such column.
    generator : estimator, optional
        An unfitted synthesizer, with one generator and no stand-ins unless its `n_members` and `stand_ins` say
        otherwise; when absent a `SynthGAN` without a critic.
    random_state : int, numpy Generator, RandomState or None, default=None

    Returns
    -------
    DataFrame
        The real rows as they were, then the generated ones, then the columns `marker` and ``weight``.

    Raises
    ------
    InputError
        When there is no such target, it has one value only, the marker's name is taken, or a class is unknown.
    ConfigError
        For an unknown strategy or a ratio out of range.

    Warns
    -----
    UserWarning
        When a class of fewer than 10 rows is generated.

    Examples
    --------
    >>> from synthgan import SynthGAN, load_dataset
    >>> table = load_dataset("penguins")
    >>> more = augment(table, "species", generator=SynthGAN(epochs=2), random_state=0)
    >>> more["species"].value_counts().unique().tolist()
    [152]
    >>> int(more["synthetic"].sum())
    112
    """
    table = read_blanks(as_frame(frame))
    if target not in table:
        raise InputError(f"the target {target!r} is not a column of the table; it has {list(table.columns)}")
    for name in (marker, WEIGHT) if strategy == "labelled" else (marker,):
        if name is not None and name in table:
            raise InputError(f"the table already has a column {name!r}: rename it, or choose another marker")
    if not 0 < ratio <= 1000:
        raise ConfigError(f"ratio lies in (0, 1000]; got {ratio}")
    seed = resolve_seed(random_state)
    known = table[table[target].notna()].reset_index(drop=True)
    if known[target].nunique() < 2:
        raise InputError(f"the target {target!r} has {known[target].nunique()} value; augmentation needs two")
    numeric = pd.api.types.is_numeric_dtype(known[target]) and not pd.api.types.is_bool_dtype(known[target])
    if numeric and known[target].nunique() > MAX_CLASSES:
        rows = _numbers(known, target, strategy, ratio, generator, seed)
    else:
        rows = _classes(known, target, strategy, ratio, choose_by, generator, seed)
    weights = rows.pop(WEIGHT) if strategy == "labelled" else None
    out = pd.concat([table, rows[table.columns].astype(table.dtypes)], ignore_index=True)
    if marker is not None:
        out[marker] = np.arange(len(out)) >= len(table)
    if weights is not None:
        out[WEIGHT] = np.concatenate([np.ones(len(table)), weights])
    return out


def _classes(
    known: pd.DataFrame,
    target: ColumnName,
    strategy: str | Mapping[Any, int],
    ratio: float,
    choose_by: Selection,
    generator: Generator | None,
    seed: int,
) -> pd.DataFrame:
    codes, labels = pd.factorize(known[target].astype(object), sort=True)
    y, features = codes.astype(np.int64), known.drop(columns=target)
    counts = dict(enumerate(np.bincount(y).tolist()))
    model = ClassRows(generator, features, y, seed)
    if strategy == "labelled":
        free = model.draw_free(round(ratio * len(known)))
        both = encode({"real": features, "free": free})
        committee = Committee(Training(both.x["real"], y), both.categorical, len(labels), seed)
        at, drawn, weight = possible_classes(committee(both.x["free"]))
        rows = free.iloc[at].reset_index(drop=True)
        rows[WEIGHT] = weight
    else:
        wanted = _wanted(strategy, ratio, counts, list(labels), target)
        warn_of_small_classes(
            {label: counts[code] for code, label in enumerate(labels)},
            {labels[code]: count for code, count in wanted.items()},
        )
        rows, drawn = draw_chosen(model, features, y, wanted, choose_by, seed)
    rows[target] = labels[drawn]
    return rows


def _wanted(
    strategy: str | Mapping[Any, int], ratio: float, counts: Mapping[int, int], labels: list[Any], target: ColumnName
) -> dict[int, int]:
    """Return class code -> rows to generate."""
    if strategy == "balance":
        return balanced(counts)
    if strategy == "proportional":
        return proportional(counts, ratio)
    if not isinstance(strategy, Mapping):
        raise ConfigError(
            f"strategy is balance, proportional, labelled or a mapping of class to number of rows; got {strategy!r}"
        )
    if unknown := [label for label in strategy if label not in labels]:
        raise InputError(f"the target {target!r} has no classes {unknown}; it has {labels}")
    for label, count in strategy.items():
        if isinstance(count, bool) or not isinstance(count, (int, np.integer)) or count < 0:
            raise ConfigError(f"numbers of rows are whole and not below 0; class {label!r} has {count!r}")
    return {labels.index(label): int(count) for label, count in strategy.items()}


def _numbers(
    known: pd.DataFrame,
    target: ColumnName,
    strategy: str | Mapping[Any, int],
    ratio: float,
    generator: Generator | None,
    seed: int,
) -> pd.DataFrame:
    """Return rows for a target that is a number: more of its rare ranges, or more of everything."""
    if strategy not in ("balance", "proportional"):
        raise ConfigError(
            f"the target {target!r} is a number: strategy is balance (rare ranges) or proportional; got {strategy!r}"
        )
    model = fresh(generator, seed)
    model.fit(known, target=target)
    if strategy == "proportional":
        return model.sample(round(ratio * len(known)), random_state=seed)
    values = known[target].to_numpy(dtype=np.float64)
    edges = np.linspace(values.min(), values.max(), N_RANGES + 1)
    at = np.clip(np.searchsorted(edges, values, side="right") - 1, 0, N_RANGES - 1)
    parts = []
    for i, count in enumerate(np.bincount(at, minlength=N_RANGES).tolist()):
        short = round(len(known) / N_RANGES) - count
        if count >= FEW_IN_RANGE and short > 0:
            # From the least to the greatest value seen in the range: a bare edge may lie off the column's grid.
            bounds = (values[at == i].min(), values[at == i].max())
            parts.append(model.sample(short, conditions={target: bounds}, random_state=seed + i))
    return pd.concat(parts, ignore_index=True) if parts else known[:0]
