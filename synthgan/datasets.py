"""The tables that come with synthgan: real, small, and free to use."""

from __future__ import annotations

from pathlib import Path

import pandas as pd

from synthgan.errors import InputError
from synthgan.io import read_table
from synthgan.schema import ColumnKind, read_schema
from synthgan.schema.times import parse_times

__all__ = ["dataset_folder", "dataset_names", "dataset_target", "load_dataset"]

_TARGETS = {"adult": "income", "penguins": "species", "storms": "status"}
_PLACES = (
    Path(__file__).parent / "_datasets",  # in an installed wheel
    Path(__file__).parents[1] / "datasets",  # in a checkout
)


def dataset_names() -> list[str]:
    """Return the names that `load_dataset` knows.

    Examples
    --------
    >>> dataset_names()
    ['adult', 'penguins', 'storms']
    """
    return sorted(_TARGETS)


def dataset_target(name: str) -> str:
    """Return the column that a dataset's card names as the one to predict.

    Raises
    ------
    InputError
        For an unknown name.

    Examples
    --------
    >>> dataset_target("adult")
    'income'
    """
    if name not in _TARGETS:
        raise InputError(f"no dataset {name!r}; there are {', '.join(dataset_names())}")
    return _TARGETS[name]


def dataset_folder(name: str) -> Path:
    """Return the folder that holds a dataset: its table, ``schema.toml`` and ``card.md`` (origin, licence, traps).

    Raises
    ------
    InputError
        For an unknown name, or where the data were not installed.
    """
    dataset_target(name)
    for place in _PLACES:
        if (place / name / f"{name}.csv.gz").is_file():
            return place / name
    raise InputError(
        f"the table of dataset {name!r} is not installed; get datasets/{name}/{name}.csv.gz with a checkout or a wheel "
        f"of synthgan, or rebuild it in a checkout with: python datasets/{name}/make.py"
    )


def load_dataset(name: str) -> pd.DataFrame:
    """Load one of the tables that come with synthgan.

    Parameters
    ----------
    name : {"adult", "penguins", "storms"}
        Which one; each has a card beside it (see `dataset_folder`) with its origin, licence and traps.

    Returns
    -------
    DataFrame of shape (n_rows, n_columns)
        As `synthgan.io.read_table` reads it, with datetimes as datetimes.

    Raises
    ------
    InputError
        For an unknown name, or where the data were not installed.

    Examples
    --------
    >>> load_dataset("penguins").shape
    (344, 8)
    """
    folder = dataset_folder(name)
    frame = read_table(folder / f"{name}.csv.gz")
    for column in read_schema(folder / "schema.toml").of_kind(ColumnKind.DATETIME):
        if column.format is not None:
            frame[column.name] = parse_times(frame[column.name], column.format)
    return frame
