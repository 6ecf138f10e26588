"""A DataFrame as codes and positions, and back."""

from synthgan.encoding.layout import Block, TableLayout
from synthgan.encoding.table import EncodedTable, TableEncoder

__all__ = ["Block", "EncodedTable", "TableEncoder", "TableLayout"]
