"""Models in files and trainings in checkpoints, without pickle."""

from synthgan.persistence.archive import FORMAT, MEMBERS, read_archive, write_archive
from synthgan.persistence.checkpoint import CheckpointFolder

__all__ = ["FORMAT", "MEMBERS", "CheckpointFolder", "read_archive", "write_archive"]
