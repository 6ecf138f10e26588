"""A DataFrame as codes and positions, and back."""

from synthgan.encoding.encoded import MAX_COLUMNS, BlockFeatures, EncodedTable
from synthgan.encoding.layout import Block, TableLayout
from synthgan.encoding.protection import Protected, checked_min_rows, protect
from synthgan.encoding.table import TableEncoder

__all__ = [
    "MAX_COLUMNS",
    "Block",
    "BlockFeatures",
    "EncodedTable",
    "Protected",
    "TableEncoder",
    "TableLayout",
    "checked_min_rows",
    "protect",
]
