"""The judge: everything that can be said about a synthetic table, knowing nothing of how it was made."""

from __future__ import annotations

import importlib.metadata
import logging
import platform
import time
from collections.abc import Callable, Mapping
from typing import Any, overload

import numpy as np
from threadpoolctl import threadpool_limits

from synthgan.errors import ConfigError, InputError
from synthgan.evaluation import attacks, collapse, fidelity, geometry, privacy, themes, utility
from synthgan.evaluation.comparison import Comparison
from synthgan.evaluation.context import PROFILES, Context, Part, Profile, attempt
from synthgan.evaluation.frames import Rows, Tables, as_frame, make_tables
from synthgan.evaluation.result import EvaluationReport
from synthgan.rng import RandomState, numpy_stream, resolve_seed
from synthgan.schema.infer import infer_schema
from synthgan.schema.table import ColumnName, Schema

__all__ = ["evaluate"]

logger = logging.getLogger(__name__)


@overload
def evaluate(
    real: Any,
    synthetic: Mapping[str, Any],
    *,
    holdout: Any = ...,
    target: ColumnName | None = ...,
    schema: Schema | None = ...,
    profile: Profile = ...,
    random_state: RandomState = ...,
) -> Comparison: ...


@overload
def evaluate(
    real: Any,
    synthetic: Any,
    *,
    holdout: Any = ...,
    target: ColumnName | None = ...,
    schema: Schema | None = ...,
    profile: Profile = ...,
    random_state: RandomState = ...,
) -> EvaluationReport: ...


def evaluate(
    real: Any,
    synthetic: Any,
    *,
    holdout: Any = None,
    target: ColumnName | None = None,
    schema: Schema | None = None,
    profile: Profile = "full",
    random_state: RandomState = 0,
) -> EvaluationReport | Comparison:
    """Judge a synthetic table, whoever made it.

    Parameters
    ----------
    real : DataFrame
        The rows the generator was fitted on (pandas, polars or pyarrow).
    synthetic : DataFrame or mapping of str to DataFrame
        The table to judge, or several to judge side by side.
    holdout : DataFrame, optional
        Real rows of the same source that the generator never saw. Without them privacy cannot be measured, and a copy
        of the real rows looks excellent.
    target : str or int, optional
        The column that models should predict; without it utility is not measured.
    schema : Schema, optional
        What the columns are; inferred from `real` when absent.
    profile : {"full", "quick"}
        ``"quick"`` looks at fewer rows and trees: seconds in place of half a minute.
    random_state : int, Generator or None
        For subsamples and learners. Row and column order do not matter.

    Returns
    -------
    EvaluationReport
        Or a Comparison of one report each when `synthetic` is a mapping.

    Raises
    ------
    InputError
        When a table is empty, repeats a column name, or the tables have different columns, or `target` is none of them.
    ConfigError
        For an unknown profile.

    Examples
    --------
    >>> import numpy as np, pandas as pd
    >>> rng = np.random.default_rng(0)
    >>> x = rng.normal(size=300)
    >>> table = pd.DataFrame({"x": x, "y": x + rng.normal(size=300), "who": rng.choice(["a", "b"], 300)})
    >>> shuffled = table.apply(lambda column: rng.permutation(column))
    >>> report = evaluate(table[:150], shuffled[:150], holdout=table[150:], profile="quick")
    >>> report.themes["fidelity"].score < 0.5
    True
    """
    if profile not in PROFILES:
        raise ConfigError(f"profile must be one of {list(PROFILES)}; got {profile!r}")
    seed = resolve_seed(random_state)
    real = as_frame(real, "real")
    if target is not None and target not in real.columns:
        raise InputError(f"the target {target!r} is not a column of the real table; it has {list(real.columns)}")
    schema = infer_schema(real) if schema is None else schema
    held = None if holdout is None else as_frame(holdout, "holdout")
    if not isinstance(synthetic, Mapping):
        return _evaluate(make_tables(real, as_frame(synthetic, "synthetic"), held, schema), target, profile, seed)
    if not synthetic:
        raise InputError("there is no synthetic table to judge: the mapping is empty")
    return Comparison(
        {
            str(name): _evaluate(
                make_tables(real, as_frame(table, f"synthetic {name!r}"), held, schema), target, profile, seed
            )
            for name, table in synthetic.items()
        }
    )


def _evaluate(tables: Tables, target: ColumnName | None, profile: Profile, seed: int) -> EvaluationReport:
    started = time.perf_counter()
    shuffled = tables.real.shuffled(numpy_stream(seed, "evaluation/shuffled"))
    context = Context(tables, shuffled, PROFILES[profile], seed)
    steps: list[tuple[tuple[str, ...], Callable[[Context], Part]]] = [
        (("ColumnShapes",), fidelity.shapes),
        (("PairTrends",), fidelity.trends),
        (fidelity.DETECTION_METRICS, fidelity.detection),
        (geometry.GEOMETRY_METRICS, geometry.geometry),
        (collapse.COLUMN_COVERAGE_METRICS, collapse.column_coverage),
        (("DuplicateRate",), collapse.duplicates),
        (("ExactCopies",), privacy.copies),
        (("IdReuse",), privacy.id_reuse),
        (privacy.DISTANCE_METRICS, privacy.distances),
        (attacks.MEMBERSHIP_METRICS, attacks.membership),
        (("SinglingOut",), attacks.singling_out),
        (("AttributeInference",), attacks.attribute_inference),
    ]
    if target is not None:
        steps.append((utility.UTILITY_METRICS, lambda it: utility.utility(it, target)))
        if target in tables.categorical:
            steps.append((("RarestClass",), lambda it: collapse.rarest_class(it, target)))
    parts = []
    # One OpenMP thread: on tables this small a second one saves little on an idle machine, and on a busy one the trees
    # were seen to take fifty times as long, waiting for each other.
    with threadpool_limits(limits=1, user_api="openmp"):
        for names, compute in steps:
            began = time.perf_counter()
            parts.append(attempt(names, compute, context))
            logger.debug("%s took %.2f s", names[0], time.perf_counter() - began)
    metrics = tuple(metric for part in parts for metric in part.metrics)
    details: dict[str, Any] = {}
    for part in parts:
        details |= part.details
    return EvaluationReport(
        themes=themes.make_themes(metrics, target, tables.holdout is not None),
        metrics=metrics,
        run=_run_card(context, target, profile, time.perf_counter() - started),
        details=details,
    )


def _run_card(context: Context, target: ColumnName | None, profile: Profile, seconds: float) -> dict[str, Any]:
    tables, limits = context.tables, context.limits
    roles = {"real": tables.real, "synthetic": tables.synthetic} | (
        {"holdout": tables.holdout} if tables.holdout else {}
    )
    packages = ("synthgan", "numpy", "pandas", "scikit-learn")
    return {
        "rows": {role: len(rows) for role, rows in roles.items()},
        "data_hash": {role: _data_hash(rows) for role, rows in roles.items()},
        "columns": {
            "numeric": list(tables.numeric),
            "categorical": list(tables.categorical),
            "left out (ids, text)": list(tables.ids),
        },
        "target": target,
        "profile": profile,
        "random_state": context.seed,
        "rows_at_most": {
            "pair trends": limits.pairs,
            "detectors": limits.detection,
            "learners": limits.utility,
            "nearest neighbours": limits.references,
            "their queries": limits.queries,
        },
        "versions": {"python": platform.python_version()} | {name: _version(name) for name in packages},
        "seconds": round(seconds, 2),
    }


def _data_hash(rows: Rows) -> str:
    """Return a hash of the rows as a set: row and column order do not change it."""
    total = int(np.add.reduce(rows.keys, dtype=np.uint64))
    return f"{total:016x}"


def _version(package: str) -> str:
    try:
        return importlib.metadata.version(package)
    except importlib.metadata.PackageNotFoundError:
        return "not installed"
