"""What tables.py shows of the results of the scripts of one_model.py."""

from __future__ import annotations

__all__ = ["CASES", "heading"]

CASES: dict[str, tuple[tuple[str, ...], tuple[str, ...]]] = {
    "orders": (("table", "passes", "rows_per_order"), ("c2st_holdout", "mle")),
    "passes": (
        ("table", "rows", "columns", "candidates", "passes"),
        ("shape", "trend", "mle", "mle_real", "c2st_holdout", "dcr_share", "sample_cpu_seconds"),
    ),
    "candidates": (
        ("table", "rows", "columns", "candidates"),
        ("shape", "trend", "mle", "mle_real", "c2st_holdout", "dcr_share", "sample_cpu_seconds"),
    ),
    "width": (
        ("table", "rows", "width", "passes"),
        ("shape", "trend", "mle", "mle_real", "c2st_holdout", "dcr_share", "fit_seconds", "fit_seconds_avx2"),
    ),
    "target": (("table", "target"), ("nats", "mle", "mle_real", "c2st_holdout", "dcr_share")),
    "balance": (
        ("table", "rows", "way"),
        ("shape", "trend", "mle", "mle_real", "c2st_holdout", "auc_holdout", "auc_train", "dcr_share"),
    ),
    "standins": (
        ("table", "rows", "stand_ins"),
        ("nats", "shape", "trend", "mle", "mle_real", "c2st_holdout", "dcr_share", "fit_cpu_seconds"),
    ),
    "pairings": (
        ("table", "rows", "columns", "pairings"),
        (
            "pairs_there",
            "pairs_there_in_train",
            "nats",
            "trend",
            "mle",
            "mle_real",
            "c2st_holdout",
            "dcr_share",
            "fit_cpu_seconds",
        ),
    ),
    "formulas": (
        ("table", "rows", "columns", "n_formulas", "n_orders", "formulas"),
        ("rows_off", "shape", "trend", "mle", "mle_real", "c2st_holdout", "dcr_share", "fit_cpu_seconds"),
    ),
    "following": (
        ("table", "rows", "columns", "n_formulas", "follows"),
        ("weekdays_off", "shape", "trend", "mle", "mle_real", "c2st_holdout", "dcr_share"),
    ),
    "folds": (
        ("table", "rows", "columns", "decided_by", "n_trees", "depth"),
        ("mle", "mle_real", "shape", "trend", "c2st_holdout", "dcr_share"),
    ),
    "seen": (("table", "rows", "columns", "numbers"), ("apart", "apart_most")),
    "zeros": (
        ("table", "rows", "columns", "n_columns_paired", "zeros"),
        (
            "never",
            "never_unseen",
            "shape",
            "trend",
            "mle",
            "mle_real",
            "c2st_holdout",
            "dcr_share",
            "sample_cpu_seconds",
        ),
    ),
    "weekdays": (
        ("table", "rows", "columns", "parts"),
        (
            "dayofweek",
            "dayofweek_real",
            "month",
            "month_real",
            "days_off",
            "trend",
            "mle",
            "mle_real",
            "c2st_holdout",
            "dcr_share",
            "fit_cpu_seconds",
        ),
    ),
    "others": (
        ("table", "rows", "columns", "training", "steps"),
        ("shape", "trend", "mle", "mle_real", "c2st_holdout", "c2st_real", "dcr_share", "fit_cpu_seconds"),
    ),
}
"""By the name of the script: what tells cases apart, and what is measured of each, as rows name them."""

HEADINGS = {
    "c2st_holdout": "two-sample test",
    "mle": "utility",
    "trend": "pair trends",
    "mle_real": "utility, real rows",
    "dcr_share": "DCR share",
    "sample_cpu_seconds": "sample, CPU s",
    "target": "target by",
    "nats": "nats, unseen",
    "way": "chosen",
    "auc_holdout": "its AUC",
    "auc_train": "AUC, training rows",
    "stand_ins": "stand-ins",
    "fit_cpu_seconds": "fit, CPU s",
    "fit_seconds": "fit, s",
    "fit_seconds_avx2": "fit as if with AVX2, s",
    "pairings": "pairs, and alike levels",
    "pairs_there": "pairs that exist",
    "pairs_there_in_train": "unseen rows' pairs in the learned ones",
    "c2st_real": "ceiling",
    "n_formulas": "formulas there",
    "n_orders": "orders there",
    "formulas": "kept to",
    "rows_off": "rows off",
    "decided_by": "trees decided by",
    "n_trees": "trees",
    "n_columns_paired": "pairs of columns",
    "zeros": "kept to",
    "never": "rows that hold a pair that never occurs",
    "never_unseen": "unseen rows that do",
    "numbers": "numbers inside a cell",
    "apart": "apart, mean of the columns",
    "apart_most": "apart, at most",
    "parts": "weekdays and months",
    "dayofweek": "by weekday",
    "dayofweek_real": "by weekday, real rows",
    "month": "by month",
    "month_real": "by month, real rows",
}
"""Of columns whose heading is not their name."""


def heading(name: str) -> str:
    """Return what stands above a column."""
    return HEADINGS.get(name, name.replace("_", " "))
