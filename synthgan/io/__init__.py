"""Files: tables by suffix, and nothing ever half written."""

from synthgan.io.tables import SUFFIXES, read_table, write_table
from synthgan.io.text import MISSING_WORDS
from synthgan.io.whole import atomic_write, check_writable, remove_leftovers

__all__ = [
    "MISSING_WORDS",
    "SUFFIXES",
    "atomic_write",
    "check_writable",
    "read_table",
    "remove_leftovers",
    "write_table",
]
