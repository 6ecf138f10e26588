"""The field's usual scores beside ours: sdmetrics, with its thresholds stated."""

from __future__ import annotations

from typing import Any

import pandas as pd

from synthgan.errors import InputError
from synthgan.evaluation.frames import as_frame
from synthgan.schema.infer import infer_schema
from synthgan.schema.table import ColumnKind, ColumnName, Schema

__all__ = ["sdmetrics_scores"]

_SDTYPES = {
    ColumnKind.NUMERIC: "numerical",
    ColumnKind.DATETIME: "datetime",
    ColumnKind.BOOLEAN: "boolean",
    ColumnKind.CATEGORICAL: "categorical",
    ColumnKind.CONSTANT: "categorical",
}


def sdmetrics_scores(real: Any, synthetic: Any, *, schema: Schema | None = None) -> dict[str, Any]:
    """Return the sdmetrics quality and diagnostic scores, with every pair counted and with its default thresholds.

    Since 0.27 sdmetrics leaves out pairs whose real correlation or association is under a threshold, which on common
    tables is most of them; papers count every pair. Both are given. No rows are left out.

    Parameters
    ----------
    real, synthetic : DataFrame
        Or any table with ``to_pandas``.
    schema : Schema, optional
        What the columns are; inferred from `real` when absent. Ids and free text are left out.

    Returns
    -------
    dict
        JSON-ready; a score that sdmetrics could not compute is left out. ``all pairs`` and ``default thresholds``, each
        with ``Column Shapes``, ``Column Pair Trends``, ``correlation threshold`` and ``association threshold``;
        ``diagnostic`` with ``Data Validity`` and ``Data Structure``; ``version``.

    Raises
    ------
    InputError
        When the tables have different columns.
    """
    import sdmetrics
    from sdmetrics.reports import DiagnosticReport, QualityReport

    real, synthetic = as_frame(real, "real"), as_frame(synthetic, "synthetic")
    schema = infer_schema(real) if schema is None else schema
    columns = {column.name: {"sdtype": _SDTYPES[column.kind]} for column in schema if column.kind in _SDTYPES}
    names = list(columns)
    if lacking := [name for name in names if name not in synthetic.columns]:
        raise InputError(f"the synthetic table must have the real table's columns; it lacks {lacking}")
    for name in names:
        if columns[name]["sdtype"] == "datetime":
            real, synthetic = (_with_times(frame, name) for frame in (real, synthetic))
    metadata = {"tables": {"t": {"columns": columns}}, "relationships": []}
    tables = {"t": real[names]}, {"t": synthetic[names]}

    out: dict[str, Any] = {"version": sdmetrics.__version__}
    for label in ("all pairs", "default thresholds"):
        report = QualityReport()
        report.num_rows_subsample = None
        if label == "all pairs":
            report.real_correlation_threshold = report.real_association_threshold = 0
        report.generate(*tables, metadata, verbose=False)
        out[label] = _scores(report) | {
            "correlation threshold": getattr(report, "real_correlation_threshold", 0),  # before 0.27 there was none
            "association threshold": getattr(report, "real_association_threshold", 0),
        }
    diagnostic = DiagnosticReport()
    diagnostic.generate(*tables, metadata, verbose=False)
    out["diagnostic"] = _scores(diagnostic)
    return out


def _with_times(frame: pd.DataFrame, name: ColumnName) -> pd.DataFrame:
    frame = frame.copy(deep=False)
    frame[name] = pd.to_datetime(frame[name], errors="coerce", utc=True, format="mixed").dt.tz_localize(None)
    return frame


def _scores(report: Any) -> dict[str, float]:
    properties = report.get_properties()
    scores = dict(zip(properties["Property"], properties["Score"], strict=True))
    return {str(name): float(score) for name, score in scores.items() if not pd.isna(score)}
