#!/usr/bin/env python3
"""Fit one model of other people's on a CSV file. Runs in that model's environment and knows nothing of synthgan.

    python peer_fit.py MODEL TRAIN OUT REPORT TARGET SEED THREADS OPTIONS

Each gets the table as its documentation asks for it. Those that take no missing cells get, for a number, the median
and a yes/no column beside it, which becomes missing cells again; for a category, a level of its own. Those that take no
dates get seconds. Whole numbers are rounded back to whole numbers.
"""

from __future__ import annotations

import importlib.metadata
import json
import os
import resource
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

MISSING, FLAG = "<missing>", "::is missing"
EPOCH = pd.Timestamp("2000-01-01", tz="UTC")


class Plain:
    """A table without missing cells and dates, and the way back.

    Parameters
    ----------
    frame : DataFrame
    target : str
        A numeric target of at most 20 values is a category.
    """

    def __init__(self, frame: pd.DataFrame, target: str) -> None:
        self.columns = list(frame.columns)
        self.dates = [name for name in frame if _is_date(frame[name])]
        numeric = [name for name in frame if _is_number(frame[name])]
        if target in numeric and frame[target].nunique() <= 20:
            numeric.remove(target)
        self.regression = target in numeric
        self.numbers = numeric + self.dates
        self.whole = [name for name in numeric if (frame[name].dropna() % 1 == 0).all()]
        self.kinds = frame.dtypes
        out = frame.copy()
        for name in self.dates:
            out[name] = (pd.to_datetime(frame[name], utc=True, format="mixed") - EPOCH).dt.total_seconds()
        self.flagged = [name for name in self.numbers if out[name].isna().any()]
        for name in self.numbers:
            out[name] = out[name].astype(float)
            if name in self.flagged:
                out[name + FLAG] = np.where(out[name].isna(), "yes", "no")
                out[name] = out[name].fillna(out[name].median())
        for name in self.columns:
            if name not in self.numbers:
                out[name] = out[name].astype(object).where(out[name].notna(), MISSING).astype(str)
        self.frame = out
        self.categories = [name for name in out if name not in self.numbers]

    def back(self, rows: pd.DataFrame) -> pd.DataFrame:
        """Return rows of `frame`'s form in the form that the table came in."""
        out = pd.DataFrame(index=range(len(rows)))
        for name in self.columns:
            column = rows[name].reset_index(drop=True)
            if name in self.numbers:
                column = column.astype(float)
                column = column.round() if name in self.whole or name in self.dates else column
                if name in self.flagged:
                    column = column.mask(rows[name + FLAG].reset_index(drop=True).astype(str) == "yes")
                if name in self.dates:
                    column = (EPOCH + pd.to_timedelta(column, unit="s")).dt.strftime("%Y-%m-%d %H:%M:%S")
            else:
                column = column.astype(str).astype(object).mask(column.astype(str) == MISSING)
            out[name] = column
        return out


def _is_number(column: pd.Series) -> bool:
    return pd.api.types.is_numeric_dtype(column) and not pd.api.types.is_bool_dtype(column)


def _is_date(column: pd.Series) -> bool:
    known = column.dropna().astype(str)
    return not _is_number(column) and len(known) > 0 and known.str.match(r"\d{4}-\d\d-\d\d").mean() > 0.99


Sampler = Callable[[int], pd.DataFrame]


def ctgan(frame: pd.DataFrame, target: str, seed: int, options: dict[str, Any]) -> Sampler:
    """CTGAN or, by the option `variational`, TVAE; both with their own defaults, 300 epochs."""
    from ctgan import CTGAN, TVAE

    plain = Plain(frame, target)
    options = {"epochs": 300} | options
    model = (TVAE if options.pop("variational", False) else CTGAN)(enable_gpu=False, **options)
    model.set_random_state(seed)
    model.fit(plain.frame, plain.categories)
    return lambda n: plain.back(model.sample(n))


def tvae(frame: pd.DataFrame, target: str, seed: int, options: dict[str, Any]) -> Sampler:
    return ctgan(frame, target, seed, {"variational": True} | options)


def arf(frame: pd.DataFrame, target: str, seed: int, options: dict[str, Any]) -> Sampler:
    from arfpy import arf as package

    plain = Plain(frame, target)
    np.random.seed(seed)  # noqa: NPY002  (it draws from the global state)
    model = package.arf(x=plain.frame, random_state=seed, verbose=False, **options)
    model.forde()
    return lambda n: plain.back(model.forge(n=n))


def smote_nc(frame: pd.DataFrame, target: str, seed: int, options: dict[str, Any]) -> Sampler:
    """SMOTE-NC asked to double every class; the rows it adds are the synthetic table.

    It makes rows of a class out of rows of that class, so it needs a category to predict.
    """
    from imblearn.over_sampling import SMOTE, SMOTENC

    plain = Plain(frame, target)
    if plain.regression:
        raise SystemExit("SMOTE-NC needs classes")
    x, y = plain.frame.drop(columns=target), plain.frame[target]
    counts = y.value_counts()
    y, x = y[y.map(counts) > 1], x[y.map(counts) > 1]  # a class of one row has no neighbour
    settings = {
        "k_neighbors": int(min(5, y.value_counts().min() - 1)),
        "sampling_strategy": (2 * y.value_counts()).to_dict(),
        "random_state": seed,
    } | options
    categories = [name for name in plain.categories if name != target]
    model = SMOTENC(categorical_features=categories, **settings) if categories else SMOTE(**settings)
    more, labels = model.fit_resample(x, y)
    made = more.iloc[len(x) :].assign(**{target: labels.iloc[len(x) :]})
    return lambda n: plain.back(made.sample(n, replace=n > len(made), random_state=seed))


def tabularargn(frame: pd.DataFrame, _target: str, seed: int, options: dict[str, Any]) -> Sampler:
    """TabularARGN with its defaults, but rare values are kept: any detector would find the placeholder for them."""
    from mostlyai.engine import TabularARGN

    settings = {"value_protection": False, "device": "cpu", "random_state": seed} | options
    return TabularARGN(**settings).fit(frame).sample


MODELS = {"ctgan": ctgan, "tvae": tvae, "arf": arf, "smote-nc": smote_nc, "tabularargn": tabularargn}
PACKAGES = {"ctgan": "ctgan", "tvae": "ctgan", "arf": "arfpy", "smote-nc": "imbalanced-learn"} | {
    "tabularargn": "mostlyai-engine"
}


def _usage() -> list[Any]:
    """Return what this process and, the largest of them, its helper processes have used."""
    return [resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)]


def _cpu_seconds() -> float:
    return sum(it.ru_utime + it.ru_stime for it in _usage())


def main() -> None:
    model, train, out, report, target, seed, threads, options = sys.argv[1:]
    if model in ("ctgan", "tvae", "tabularargn"):
        import torch

        torch.set_num_threads(int(threads))
    frame = pd.read_csv(train, low_memory=False)
    began, cpu = time.perf_counter(), _cpu_seconds()
    sample = MODELS[model](frame, target, int(seed), json.loads(options))
    fitted, cpu_fitted = time.perf_counter(), _cpu_seconds()
    rows = sample(len(frame))
    sampled = time.perf_counter()
    rows[list(frame.columns)].to_csv(out, index=False)
    Path(report).write_text(
        json.dumps(
            {
                "package": f"{PACKAGES[model]} {importlib.metadata.version(PACKAGES[model])}",
                "fit_seconds": round(fitted - began, 2),
                "fit_cpu_seconds": round(cpu_fitted - cpu, 2),
                "sample_seconds": round(sampled - fitted, 2),
                "peak_mb": round(max(it.ru_maxrss for it in _usage()) / 1024),
            }
        )
    )


if __name__ == "__main__":
    with tempfile.TemporaryDirectory() as folder:  # where some leave files
        sys.argv[2:5] = [str(Path(path).absolute()) for path in sys.argv[2:5]]
        os.chdir(folder)
        main()
