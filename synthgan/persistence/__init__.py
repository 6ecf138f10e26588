"""Models in files."""

from synthgan.persistence.archive import read_archive, write_archive

__all__ = ["read_archive", "write_archive"]
