"""A DataFrame as codes and positions, and back."""

from synthgan.encoding.layout import Block, TableLayout
from synthgan.encoding.protection import Protected, checked_min_rows, protect
from synthgan.encoding.table import EncodedTable, TableEncoder

__all__ = [
    "Block",
    "EncodedTable",
    "Protected",
    "TableEncoder",
    "TableLayout",
    "checked_min_rows",
    "protect",
]
