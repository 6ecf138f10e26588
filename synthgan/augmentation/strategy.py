"""How many rows of which class: every spelling becomes one mapping of label to number of rows to add."""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Callable, Mapping
from typing import Any

import numpy as np

from synthgan.augmentation.selection import SELECTIONS, Selection
from synthgan.errors import ConfigError, InputError

__all__ = ["RECIPES", "Recipe", "Strategy", "balanced", "proportional", "rows_to_add"]

Strategy = float | str | Mapping[Any, int] | Callable[[Any], Mapping[Any, int]]

RECIPES = ("labelled 4", "labelled 1", "balance", "0.25", "0.5", "1", "2", "none")
"""What validation rows choose from, the preferred first."""

WORDS = ("auto", "not majority", "minority", "not minority", "all")


def rows_to_add(strategy: Strategy, counts: Mapping[Any, int], y: Any) -> dict[Any, int]:
    """Read a ``sampling_strategy`` as imbalanced-learn's over-samplers do.

    Parameters
    ----------
    strategy : float, str, mapping or callable
        A float, for two classes: rows of the small class over rows of the large one, afterwards. A word: which classes
        are brought to the size of the largest: ``"minority"``, ``"not minority"``, ``"not majority"`` (the same as
        ``"auto"``) or ``"all"``. A mapping: label to rows afterwards, real ones included. A callable: takes `y` and
        returns such a mapping.
    counts : mapping of label to int
        Real rows of each class.
    y : array-like
        The labels, for a callable.

    Returns
    -------
    dict of label to int

    Raises
    ------
    InputError
        When there is one class only, or the strategy asks for an unknown class or for fewer rows than there are.
    ConfigError
        For anything that is no strategy.

    Examples
    --------
    >>> rows_to_add("auto", {"yes": 2, "no": 10}, None)
    {'yes': 8}
    >>> rows_to_add(0.5, {"yes": 2, "no": 10}, None)
    {'yes': 3}
    """
    if len(counts) < 2:
        raise InputError(f"oversampling needs at least 2 classes; y has {len(counts)} class only: {list(counts)}")
    if callable(strategy):
        strategy = strategy(y)
    if isinstance(strategy, str):
        return _by_word(strategy, counts)
    if isinstance(strategy, Mapping):
        return _by_totals(strategy, counts)
    if isinstance(strategy, (int, float, np.number)) and not isinstance(strategy, bool):
        return _by_ratio(float(strategy), counts)
    raise ConfigError(
        f"sampling_strategy is a number in (0, 1], one of {', '.join(WORDS)}, a mapping of class to number of rows or "
        f"a function that returns one; got {strategy!r}"
    )


def _by_word(word: str, counts: Mapping[Any, int]) -> dict[Any, int]:
    if word not in WORDS:
        why = "an oversampler leaves the largest class alone" if word == "majority" else "unknown"
        raise ConfigError(f"sampling_strategy {word!r}: {why}; the words are {', '.join(WORDS)}")
    smallest, largest = min(counts, key=counts.__getitem__), max(counts, key=counts.__getitem__)
    chosen = {
        "minority": [smallest],
        "not minority": [label for label in counts if label != smallest],
        "all": list(counts),
    }.get(word, [label for label in counts if label != largest])
    return {label: counts[largest] - counts[label] for label in chosen}


def _by_totals(totals: Mapping[Any, int], counts: Mapping[Any, int]) -> dict[Any, int]:
    if unknown := [label for label in totals if label not in counts]:
        raise InputError(f"sampling_strategy names classes that y has not: {unknown}; it has {list(counts)}")
    for label, total in totals.items():
        if isinstance(total, bool) or not isinstance(total, (int, np.integer)):
            raise ConfigError(f"sampling_strategy maps classes to numbers of rows; {label!r} has {total!r}")
        if total < counts[label]:
            raise InputError(
                f"an oversampler removes no rows: class {label!r} has {counts[label]}, and {total} are asked for"
            )
    return {label: int(total) - counts[label] for label, total in totals.items()}


def _by_ratio(ratio: float, counts: Mapping[Any, int]) -> dict[Any, int]:
    if not 0 < ratio <= 1:
        raise ConfigError(f"sampling_strategy as a number is the ratio of two class sizes, in (0, 1]; got {ratio}")
    if len(counts) != 2:
        raise InputError(f"sampling_strategy can be a number for two classes only, and y has {len(counts)}: use a dict")
    largest = max(counts, key=counts.__getitem__)
    added = {label: int(counts[largest] * ratio) - n for label, n in counts.items() if label != largest}
    if min(added.values()) <= 0:
        raise InputError(
            f"sampling_strategy={ratio} needs no new rows: there are {dict(counts)} already; raise the ratio"
        )
    return added


def balanced(counts: Mapping[Any, int]) -> dict[Any, int]:
    """Return the rows to add so that every class is as large as the largest."""
    largest = max(counts.values())
    return {label: largest - count for label, count in counts.items()}


def proportional(counts: Mapping[Any, int], ratio: float) -> dict[Any, int]:
    """Return the rows to add for `ratio` times as many rows as there are, in the same class shares.

    Rounded by largest remainders: the sum is ``round(ratio * n)``.

    Examples
    --------
    >>> proportional({"a": 7, "b": 3}, 0.5)
    {'a': 4, 'b': 1}
    """
    total = round(ratio * sum(counts.values()))
    exact = {label: ratio * count for label, count in counts.items()}
    added = {label: int(share) for label, share in exact.items()}
    short = total - sum(added.values())
    for label in sorted(exact, key=lambda label: added[label] - exact[label])[:short]:
        added[label] += 1
    return added


@dataclasses.dataclass(frozen=True, slots=True)
class Recipe:
    """A way of adding generated rows.

    Parameters
    ----------
    name : str
        ``"balance"``: every class up to the largest. ``"0.5"``: half as many rows as there are, in the same class
        shares. ``"labelled 4"``: four times as many rows, generated without regard to class; a committee of classifiers
        fitted on the real rows says how likely each class is, and the learner gets each row once for each class with
        that weight. ``"none"``: no rows.
        Rows generated for their class are chosen among four times as many by how likely that class is, see
        `choose_rows`; ``"0.5 by density"`` (``hard``, ``nothing``) chooses otherwise.
    ratio : float
        Generated rows per real row; 0 for ``"balance"``, whose number follows from the classes.
    choose_by : str
        How rows with a given class are chosen.
    """

    name: str
    ratio: float = 0.0
    choose_by: Selection = "labels"

    @property
    def labelled(self) -> bool:
        """Whether a committee says what the classes are."""
        return self.name.startswith("labelled")

    @classmethod
    def read(cls, text: str | float) -> Recipe:
        """Read a recipe's name.

        Raises
        ------
        ConfigError
            When it is none.

        Examples
        --------
        >>> Recipe.read("labelled 4").ratio, Recipe.read(0.5).name
        (4.0, '0.5')
        """
        name = f"{text:g}" if isinstance(text, (int, float)) else str(text).strip()
        amount, by, word = name.partition(" by ")
        choose_by = next((known for known in SELECTIONS if known == word), None) if by else "labels"
        if name == "none" or (amount == "balance" and choose_by):
            return cls(name, choose_by=choose_by or "labels")
        try:
            ratio = float(amount.removeprefix("labelled "))
        except ValueError:
            ratio = math.nan
        if not 0 < ratio <= 100 or choose_by is None or (by and amount.startswith("labelled")):
            raise ConfigError(
                'a recipe is "balance" or a ratio in (0, 100], either with "by" and one of '
                f'{", ".join(SELECTIONS)}; or "labelled" and a ratio; or "none"; got {text!r}'
            )
        return cls(name, ratio, choose_by)

    def counts(self, real: Mapping[int, int]) -> dict[int, int]:
        """Return the rows of each class to generate, for a recipe that gives classes."""
        return balanced(real) if self.name.startswith("balance") else proportional(real, self.ratio)
