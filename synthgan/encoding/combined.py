"""Looking for totals of other columns, and for their products."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import TypeAlias

import numpy as np
import numpy.typing as npt

from synthgan.encoding.derived import Derived, in_order
from synthgan.encoding.line import MIN_DISTINCT, MIN_ROWS, half_widths, line_through, rounded, some_of
from synthgan.schema.table import ColumnName, ColumnSpec, Schema

__all__ = ["find_combined"]

Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]
Columns: TypeAlias = Mapping[ColumnName, Floats]
Fit: TypeAlias = Callable[[ColumnName, Sequence[ColumnName]], Derived | None]

MOST_COLUMNS = 128
"""Columns of numbers that are looked at: each is tried on all others."""

ROWS_A_COLUMN, ROWS_A_TERM = 3, 10
"""Rows at least for each column that is tried, and for each that is found: of few rows anything follows from many."""

MIN_OTHERS = 10
"""Rows at least in which a term of a sum is not what it mostly is: rare values agree by chance."""

EXACT = 1e-4
"""Share of its rounding by which a sum may be wrong that is no rounded one."""

MOST_TERMS, MOST_FACTORS, MOST_POWER = 24, 4, 3
"""Columns in a sum; in a product, and the power that one of them has, at most."""

LAST_DIGIT = 1e-7
"""What of itself a number is rounded by that lies on no grid: floats of single precision hold 7 digits."""

MOST_TIMES = 100.0
"""Standard deviations of a sum that a term may be away from zero, when it is looked for."""

WEIGHT_DIGITS = 7
"""Digits of a weight that are tried."""

MOST_AMPLIFIED = 4.0
"""Standard deviations of its own that each term of a sum may have: small differences of large numbers would be drawn
with the errors of those."""


def find_combined(numbers: Columns, schema: Schema) -> list[Derived]:
    """Find the numbers that are a weighted sum, or a product of powers, of two others or more, in all rows.

    Columns are gone through from those of the fewest digits, and of these from the one that varies least. Each is
    compared with all before it that do not follow from others: least squares tell what it may be a sum of, and it
    counts when the weights can be rounded such that every row agrees. So the total follows from its parts, not one of
    them from the total and the rest, and what follows varies as much as what it follows from. What is rounded more
    coarsely than its sources is looked for at last, among all.

    Parameters
    ----------
    numbers : mapping of column label to ndarray of float64, shape (n_rows,)
        Columns; NaN where there is no number.
    schema : Schema
        What they are.

    Returns
    -------
    list of Derived
        No column follows from itself in the end.
    """
    some = list(numbers)[:MOST_COLUMNS]
    sizes = {name: _log(numbers[name]) for name in some}

    def order(names: Sequence[ColumnName], values: Columns) -> list[ColumnName]:
        spread = {name: _spread(values[name]) for name in names}
        varied = [name for name in names if spread[name] > 0]
        return sorted(varied, key=lambda name: (_digits(schema[name]), spread[name]))

    found: list[Derived] = []
    with np.errstate(all="ignore"):  # numbers may be huge: what overflows is no sum
        _search(order(some, numbers), lambda target, pool: _sum(target, pool, numbers, schema), found)
        _search(order(some, sizes), lambda target, pool: _product(target, pool, numbers, sizes, schema), found)
    return found


def _search(names: list[ColumnName], fit: Fit, found: list[Derived]) -> None:
    """Go through columns in order, then once more, and add what is found."""
    base: list[ColumnName] = []

    def fits(name: ColumnName, pool: Sequence[ColumnName]) -> Derived | None:
        one = None if name in {known.target for known in found} else fit(name, pool)
        return None if one is None or in_order([*found, one]) is None else one

    for name in names:
        if (one := fits(name, base)) is None:
            base.append(name)
            continue
        if one.target != name:  # it is a factor of the one that was looked at
            base[base.index(one.target)] = name
        found.append(one)
    for name in reversed(base.copy()):
        one = fits(name, [other for other in base if other != name])
        if one is not None and one.target == name:
            base.remove(name)
            found.append(one)


def _sum(target: ColumnName, pool: Sequence[ColumnName], numbers: Columns, schema: Schema) -> Derived | None:
    y, spec = numbers[target], schema[target]
    there = np.flatnonzero(np.isfinite(y))
    if _n_others(y[there]) < MIN_ROWS:
        return None
    rows = there[some_of(len(there))]
    names = [name for name in numbers if name in pool and np.isfinite(numbers[name][there]).all()]
    loose = [name for name in names if schema[name].decimals is None] if spec.decimals is None else []
    half = half_widths(y[rows], spec) + (LAST_DIGIT * MOST_TIMES * float(y[there].std()) if loose else 0.0)
    exact = half if spec.decimals is None else EXACT * half
    enough = len(np.unique(y[there])) >= MIN_DISTINCT
    for tolerance in [exact, *([half] if enough and exact is not half else [])]:
        terms = _terms(numbers, target, names, rows, tolerance)
        if not terms or len(terms) > min(MOST_TERMS, len(there) // ROWS_A_TERM):
            continue
        x, weights = np.stack([numbers[name] for name in terms]), np.array(list(terms.values()))
        if min(map(_n_others, x[:, there])) < MIN_OTHERS:
            continue
        if (np.abs(weights) * x[:, rows].std(axis=1)).max() > MOST_AMPLIFIED * y[rows].std():
            continue
        distinct = 2 if tolerance is exact else MIN_DISTINCT
        for digits in range(WEIGHT_DIGITS):
            for tried in (weights, weights / np.abs(weights).min()):
                chosen = tuple(rounded(own, WEIGHT_DIGITS)[digits] for own in tried.tolist())
                total = np.array(chosen) @ x
                # Floats of single precision are off by their last digit, and their sum by that of larger terms.
                error = LAST_DIGIT * np.abs(np.array(chosen) * [name in loose for name in terms]) @ np.abs(x)
                error *= float(y[there].std() / max(total[there].std(), 1e-300))
                if line_through(total[rows], y[rows], spec, distinct, error[rows]) is None:
                    continue
                if line := line_through(total, y, spec, distinct, error):
                    return Derived(target, tuple(terms), "sum", *line, weights=chosen)
    return None


def _terms(
    numbers: Columns, target: ColumnName, names: list[ColumnName], rows: Ints, tolerance: Floats
) -> dict[ColumnName, float]:
    """The columns that the target is a sum of, if two or more, with their weights; none of them can be left out."""

    def weights(names: list[ColumnName], step: int = 1) -> dict[ColumnName, float]:
        looked = rows[::step]
        if not 1 <= len(names) <= len(looked) // ROWS_A_COLUMN:
            return {}
        x = np.stack([numbers[name][looked] for name in names], axis=1)
        found = _least_squares(x, numbers[target][looked], tolerance[::step])
        if found is None:
            return {}
        # What is left of a column that has no part in it is less than rounding.
        has_part = np.abs(found) * np.ptp(x, axis=0) > 0.5 * tolerance.max()
        return {name: float(own) for name, own, has in zip(names, found, has_part, strict=True) if has}

    step = _first_step(len(rows), len(names))
    out = weights(list(weights(names))) if weights(names, step) else {}
    if len(out) <= MOST_TERMS:
        for name in reversed(list(out)):
            out = weights([other for other in out if other != name]) or out
    return out if len(out) >= 2 else {}


def _product(
    target: ColumnName, pool: Sequence[ColumnName], numbers: Columns, sizes: Columns, schema: Schema
) -> Derived | None:
    y, spec = sizes[target], schema[target]
    there = np.flatnonzero(np.isfinite(y))
    pool = [name for name in numbers if name in pool and np.isfinite(sizes[name][there]).all()]
    rows = there[some_of(len(there))]
    if not 2 <= len(pool) <= len(rows) // ROWS_A_COLUMN:
        return None
    # By how much rounding changes a logarithm.
    half = half_widths(numbers[target][rows], spec) / np.abs(numbers[target][rows])
    x = np.stack([sizes[name][rows] for name in pool], axis=1)
    step = _first_step(len(rows), len(pool))
    if _least_squares(x[::step], y[rows][::step], half[::step]) is None:
        return None
    weights = _least_squares(x, y[rows], half)
    if weights is None:
        return None
    powers = {name: float(power) for name, power in zip(pool, np.round(weights), strict=True) if power}
    if not 2 <= len(powers) <= MOST_FACTORS or max(map(abs, powers.values())) > MOST_POWER:
        return None
    ways = [(target, powers)]
    above = [name for name, power in powers.items() if power > 0]
    if len(above) == 1 and powers[above[0]] == 1:  # a ratio: what is divided is a product
        turned = {target: 1.0} | {name: -power for name, power in powers.items() if name != above[0]}
        ways.insert(0, (above[0], turned))
    # Of a price, a quantity and their product, or of two amounts and their share, the one of the most digits follows.
    for name, own in sorted(ways, key=lambda way: -_digits(schema[way[0]])):
        one = Derived(name, tuple(own), "product", weights=tuple(own.values()))
        x = one.of_numbers(np.stack([numbers[source] for source in one.sources]))
        if (line := line_through(x, numbers[name], schema[name])) is not None:
            return Derived(name, one.sources, "product", *line, weights=one.weights)
    return None


def _least_squares(x: Floats, y: Floats, half: Floats) -> Floats | None:
    """Weights of columns (n, K) that y, rounded by up to `half`, is a sum of, plus a constant; None where it is not."""
    weight = half.min() / half
    middle, level = (weight @ x) / weight.sum(), (weight @ y) / weight.sum()
    scale = np.maximum(x.std(axis=0), 1e-300)
    table, wanted = (x - middle) / scale * weight[:, None], (y - level) * weight
    if not (np.isfinite(table).all() and np.isfinite(wanted).all()):
        return None
    found = np.linalg.lstsq(table, wanted, rcond=1e-10)[0] / scale
    left = np.abs(y - level - (x - middle) @ found)
    return found if (left <= 3 * half + 1e-9 * np.abs(y)).all() else None


def _first_step(n_rows: int, n_columns: int) -> int:
    """Of so many rows every how manieth is looked at first: few rows tell that most columns are no sum."""
    return max(n_rows // (2 * ROWS_A_COLUMN * max(n_columns, 1)), 1)


def _n_others(x: Floats) -> int:
    """Rows that do not hold the most frequent number."""
    return len(x) - int(np.unique(x, return_counts=True)[1].max(initial=0))


def _spread(x: Floats) -> float:
    there = x[np.isfinite(x)]
    return float(there.std()) if len(there) else 0.0


def _digits(spec: ColumnSpec) -> float:
    return np.inf if spec.decimals is None else spec.decimals


def _log(x: Floats) -> Floats:
    return np.log(np.abs(np.where(x != 0, x, np.nan)))
