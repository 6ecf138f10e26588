"""A look at what came out of a file, before anybody builds on it."""

from __future__ import annotations

import numpy as np

from synthgan.encoding import EncodedTable, TableEncoder
from synthgan.encoding.dtypes import dtype_named
from synthgan.schema import Schema

__all__ = ["UNFIT", "check_dtypes", "probe"]

UNFIT = (
    KeyError, IndexError, TypeError, ValueError, AttributeError, RuntimeError, ArithmeticError, MemoryError,
    NotImplementedError, AssertionError,
)  # fmt: skip
"""What the members of a file raise that do not fit together."""


def check_dtypes(schema: Schema) -> None:
    """Refuse dtypes that no column of ours has: fixed-width texts, say, may take gigabytes a cell.

    Raises
    ------
    ValueError, TypeError
        For such a dtype.
    """
    for spec in schema:
        for text in (spec.dtype, spec.level_dtype):
            dtype = None if text is None else dtype_named(text)
            if isinstance(dtype, np.dtype) and (dtype.kind not in "iufbMO" or dtype.itemsize > 16):
                raise ValueError(f"column {spec.name!r}: no dtype for a column is {text!r}")


def probe(encoder: TableEncoder) -> None:
    """Decode every code of every column once, so that what cannot be decoded is found now and not when sampling."""
    layout = encoder.layout
    sizes = np.diff(layout.offsets)
    n_rows = int(sizes.max(initial=1))
    codes = np.minimum(np.arange(n_rows)[:, None], sizes - 1).astype(np.uint8)
    positions = np.full((n_rows, len(layout.positioned)), 0.5, np.float32)
    encoder.decode(EncodedTable(codes, positions, np.ones(codes.shape, np.bool_)))
