"""The tables that the benchmarks run over, and how each is cut."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd

from synthgan.errors import InputError

TARGETS = {
    "adult": "income",
    "credit_default": "default_payment_next_month",
    "online_shoppers": "revenue",
    "magic_telescope": "class",
    "beijing_pm25": "pm25",
    "nyc_flights": "arr_delay",
    "storms": "status",
    "hypothyroid": "class",
    "german_credit": "credit_risk",
    "penguins": "species",
    "breast_cancer": "target",
    "diabetes": "target",
    "wine": "target",
}
FROM_SKLEARN = ("breast_cancer", "diabetes", "wine")  # they come with the package: nothing is fetched


def load(table: str, folder: Path | None) -> pd.DataFrame:
    """Return ``<folder>/<table>.csv.gz`` where it exists, else the table that comes with synthgan or scikit-learn."""
    if folder is not None and (folder / f"{table}.csv.gz").is_file():
        return pd.read_csv(folder / f"{table}.csv.gz", low_memory=False)
    if table in FROM_SKLEARN:
        from sklearn import datasets

        bunch = getattr(datasets, f"load_{table}")(as_frame=True)
        names = bunch.get("target_names", [])
        frame = bunch.frame.rename(columns=lambda name: name.replace(" ", "_").replace("/", "_"))
        return frame.assign(target=frame["target"].map(lambda code: str(names[code]))) if len(names) else frame
    from synthgan.datasets import dataset_names, load_dataset

    if table not in dataset_names():
        raise InputError(f"{table!r} comes with no package; name a folder that holds {table}.csv.gz with --data")
    return load_dataset(table)


def split(frame: pd.DataFrame, target: str) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Cut a table into 2/3 to learn from and 1/3 holdout: rows without a target dropped, order by numpy's seed 0."""
    frame = frame.dropna(subset=[target])
    order = np.random.default_rng(0).permutation(len(frame))
    cut = round(len(order) * 2 / 3)
    return frame.iloc[order[:cut]].reset_index(drop=True), frame.iloc[order[cut:]].reset_index(drop=True)


def shuffled(frame: pd.DataFrame) -> pd.DataFrame:
    """Return the rows with every column shuffled on its own: right columns, nothing joint."""
    rng = np.random.default_rng(0)
    return pd.DataFrame({name: frame[name].to_numpy()[rng.permutation(len(frame))] for name in frame})
