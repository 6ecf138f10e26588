"""What tables.py shows of the results of the scripts of one_model.py."""

from __future__ import annotations

__all__ = ["CASES"]

CASES: dict[str, tuple[dict[str, str], dict[str, str]]] = {
    "orders": (
        {"table": "table", "passes": "passes", "rows_per_order": "rows per order"},
        {"c2st_holdout": "two-sample test", "mle": "utility"},
    ),
    "passes": (
        {"table": "table", "rows": "rows", "columns": "columns", "candidates": "candidates", "passes": "passes"},
        {
            "shape": "shape",
            "trend": "pair trends",
            "mle": "utility",
            "mle_real": "utility, real rows",
            "c2st_holdout": "two-sample test",
            "dcr_share": "DCR share",
            "sample_cpu_seconds": "sample, CPU s",
        },
    ),
    "target": (
        {"table": "table", "target": "target by"},
        {
            "nats": "nats of unseen targets",
            "mle": "utility",
            "mle_real": "utility, real rows",
            "c2st_holdout": "two-sample test",
            "dcr_share": "DCR share",
        },
    ),
    "balance": (
        {"table": "table", "rows": "rows", "way": "chosen"},
        {
            "shape": "shape",
            "trend": "pair trends",
            "mle": "utility",
            "mle_real": "utility, real rows",
            "c2st_holdout": "two-sample test",
            "auc_holdout": "its AUC",
            "auc_train": "AUC, training rows",
            "dcr_share": "DCR share",
        },
    ),
    "standins": (
        {"table": "table", "rows": "rows", "stand_ins": "stand-ins"},
        {
            "nats": "nats of unseen rows",
            "shape": "shape",
            "trend": "pair trends",
            "mle": "utility",
            "mle_real": "utility, real rows",
            "c2st_holdout": "two-sample test",
            "dcr_share": "DCR share",
            "fit_cpu_seconds": "fit, CPU s",
        },
    ),
    "pairings": (
        {"table": "table", "rows": "rows", "columns": "columns", "pairings": "pairs, and alike levels"},
        {
            "pairs_there": "pairs that exist",
            "pairs_there_in_train": "unseen rows' pairs in the learned ones",
            "nats": "nats of unseen rows",
            "trend": "pair trends",
            "mle": "utility",
            "mle_real": "utility, real rows",
            "c2st_holdout": "two-sample test",
            "dcr_share": "DCR share",
            "fit_cpu_seconds": "fit, CPU s",
        },
    ),
    "others": (
        {"table": "table", "rows": "rows", "columns": "columns", "training": "training", "steps": "steps"},
        {
            "shape": "shape",
            "trend": "pair trends",
            "mle": "utility",
            "mle_real": "utility, real rows",
            "c2st_holdout": "two-sample test",
            "c2st_real": "ceiling",
            "dcr_share": "DCR share",
            "fit_cpu_seconds": "fit, CPU s",
        },
    ),
}
"""By the name of the script: what tells cases apart, and what is measured of each, with their headings."""
