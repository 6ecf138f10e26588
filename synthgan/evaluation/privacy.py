"""Privacy: whether synthetic rows are nearer to the rows the generator saw than to others.

Each figure stands beside its control, the same figure for holdout rows. None of them proves that a table is private:
they can only show that it is not.
"""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

from synthgan.errors import InputError
from synthgan.evaluation.context import Context, Part
from synthgan.evaluation.estimate import Z95, half_width
from synthgan.evaluation.frames import Rows
from synthgan.evaluation.neighbours import Space, nearest
from synthgan.evaluation.result import Metric

__all__ = ["DISTANCE_METRICS", "NEEDS_HOLDOUT", "copies", "dcr_share", "distances", "id_reuse", "wilson"]

DISTANCE_METRICS = ("DCRShare", "DCRMedian", "NNDR")
NEEDS_HOLDOUT = "needs holdout rows: real rows that the generator never saw"


def copies(context: Context) -> Part:
    """Count synthetic rows that are exact copies of a real row: ExactCopies.

    The ceiling is the share of holdout rows with a twin among the real rows (tables of few values have many); without
    holdout rows, the share of real rows with another.
    """
    real, synthetic, holdout = context.tables.real, context.tables.synthetic, context.tables.holdout
    hits = np.isin(synthetic.keys, real.keys)
    value, low, high = float(hits.mean()), *wilson(int(hits.sum()), len(hits))
    if holdout is not None:
        control, note = float(np.isin(holdout.keys, real.keys).mean()), ""
    else:
        _, where, counts = np.unique(real.keys, return_inverse=True, return_counts=True)
        control, note = float((counts[where] > 1).mean()), "control: real rows with a twin, for want of holdout rows"
    n_control = len(real if holdout is None else holdout)
    # What matters is the difference to the control, which is a sample too.
    half = Z95 * math.sqrt(value * (1 - value) / len(hits) + control * (1 - control) / n_control)
    low, high = min(low, max(0.0, value - half)), max(high, min(1.0, value + half))
    return Part([Metric("ExactCopies", (), value, control, 1.0, low, high, note)])


def id_reuse(context: Context) -> Part:
    """Count ids of real rows that the synthetic rows use again: IdReuse, for each id column."""
    tables = context.tables
    metrics = []
    for i, name in enumerate(tables.ids):
        hits = np.isin(tables.synthetic.ids[:, i], tables.real.ids[:, i])
        low, high = wilson(int(hits.sum()), len(hits))
        unique = len(np.unique(tables.synthetic.ids[:, i])) / len(hits)
        metrics.append(
            Metric(
                "IdReuse",
                (name,),
                float(hits.mean()),
                0.0,
                1.0,
                low,
                high,
                f"{unique:.1%} of the synthetic ids are distinct",
            )
        )
    return Part(metrics)


def distances(context: Context) -> Part:
    """Measure distances to the closest record, real and holdout rows in equal numbers: DCRShare, DCRMedian and NNDR."""
    tables, limits = context.tables, context.limits
    if tables.holdout is None:
        raise InputError(NEEDS_HOLDOUT)
    n = min(len(tables.real), len(tables.holdout), limits.references)
    if n < 4:
        raise InputError(f"distances need at least 4 real and 4 holdout rows; there are {n}")
    space = Space(tables)
    real = space.points(tables.real.sample(n, context.rng("dcr/real")))
    holdout_rows = tables.holdout.sample(n, context.rng("dcr/holdout"))
    holdout = space.points(holdout_rows)
    queries = space.points(tables.synthetic.sample(limits.queries, context.rng("dcr/queries")))
    to_real, at_real = nearest(queries, real, k=2)
    to_holdout, at_holdout = nearest(queries, holdout)
    share, spread = dcr_share(to_real[:, 0], to_holdout[:, 0], at_real[:, 0], at_holdout[:, 0])
    low, high = max(0.0, share - Z95 * spread), min(1.0, share + Z95 * spread)
    note = f"{len(queries)} synthetic rows against {n} real and {n} holdout rows"
    metrics = [Metric("DCRShare", (), share, 0.5, 1.0, low, high, note)]

    control, _ = nearest(space.points(_head(holdout_rows, limits.queries)), real, k=2)
    median, (low, high) = float(np.median(to_real[:, 0])), _median_interval(to_real[:, 0], len(control))
    metrics.append(
        Metric(
            "DCRMedian",
            (),
            median,
            float(np.median(control[:, 0])),
            0.0,
            low,
            high,
            "distance in ranges and differing cells",
        )
    )
    ratios, control_ratios = _ratios(to_real), _ratios(control)
    half = half_width(*(float(r.std()) / math.sqrt(len(r)) for r in (ratios, control_ratios)))
    value = float(ratios.mean())
    metrics.append(
        Metric("NNDR", (), value, float(control_ratios.mean()), 0.0, max(0.0, value - half), min(1.0, value + half))
    )
    grid = np.linspace(0.02, 0.98, 49)
    curves = {
        "share": [round(float(q), 3) for q in grid],
        "synthetic to real": [round(float(q), 4) for q in np.quantile(to_real[:, 0], grid)],
        "synthetic to holdout": [round(float(q), 4) for q in np.quantile(to_holdout[:, 0], grid)],
        "holdout to real": [round(float(q), 4) for q in np.quantile(control[:, 0], grid)],
    }
    return Part(metrics, {"distances": curves})


def dcr_share(
    to_real: NDArray[np.float32],
    to_holdout: NDArray[np.float32],
    at_real: NDArray[np.int64],
    at_holdout: NDArray[np.int64],
) -> tuple[float, float]:
    """Return the share of synthetic rows nearer to a real than to a holdout row, ties half, and its standard error.

    The references are random too: all synthetic rows around one reference row win or lose together. The error therefore
    counts each nearest reference row as one coin, ``1/2 sqrt(sum n_c^2) / n`` with ``n_c`` the rows around it.

    Parameters
    ----------
    to_real, to_holdout : ndarray of float32, shape (n,)
        Distance of each synthetic row to its nearest reference row.
    at_real, at_holdout : ndarray of int64, shape (n,)
        Which reference row that is.

    Examples
    --------
    >>> near, far, at = np.float32([0, 1]), np.float32([1, 1]), np.array([0, 1])
    >>> dcr_share(near, far, at, at)[0]
    0.75
    """
    n = len(to_real)
    wins, ties = to_real < to_holdout, to_real == to_holdout
    share = float(wins.mean() + 0.5 * ties.mean())
    winner = np.where(wins, 2 * at_real, 2 * at_holdout + 1)[~ties]
    _, around = np.unique(winner, return_counts=True)
    return share, max(0.5 * math.sqrt(float((around.astype(float) ** 2).sum())), 1.0) / n


def wilson(hits: int, n: int, z: float = Z95) -> tuple[float, float]:
    """Return Wilson's interval for a share of `hits` out of `n`.

    Examples
    --------
    >>> [round(bound, 3) for bound in wilson(0, 10)]
    [0.0, 0.278]
    """
    share = hits / n
    centre = (share + z * z / (2 * n)) / (1 + z * z / n)
    half = z * math.sqrt(share * (1 - share) / n + z * z / (4 * n * n)) / (1 + z * z / n)
    return max(0.0, centre - half), min(1.0, centre + half)


def _head(rows: Rows, n_rows: int) -> Rows:
    return rows.take(np.arange(min(n_rows, len(rows))))


def _ratios(pair: NDArray[np.float32]) -> NDArray[np.float32]:
    """Return d1/d2; two equally near rows (d2 = 0 too) give 1."""
    first, second = pair[:, 0], pair[:, 1]
    return np.divide(first, second, out=np.ones_like(first), where=second > 0)


def _median_interval(values: NDArray[np.float32], n_control: int) -> tuple[float, float]:
    half = half_width(0.5 / math.sqrt(len(values)), 0.5 / math.sqrt(n_control))
    low, high = np.quantile(values, [max(0.0, 0.5 - half), min(1.0, 0.5 + half)])
    return float(low), float(high)
