"""The exceptions of synthgan.

::

    SynthganError
    ├── InputError (also ValueError)        what the caller handed over cannot be used
    │   ├── SchemaError                     a column cannot be described, or a frame does not match its schema
    │   ├── ConditionError                  a condition no row can satisfy, or one that names what is not known
    │   └── ConfigError                     a hyper-parameter outside its range
    ├── NotFittedError (also scikit-learn's) sample, save, ... before fit
    ├── DivergedError                       training broke down and could not be recovered
    ├── OutOfMemoryError (also MemoryError) the machine or the device has no memory left for it
    └── ArchiveError                        a model file that is damaged, foreign or from the future

A message states the rule, the fact that broke it and the way out, and names the column.
"""

from __future__ import annotations

from sklearn.exceptions import NotFittedError as _SklearnNotFittedError

__all__ = [
    "ArchiveError",
    "ConditionError",
    "ConfigError",
    "DivergedError",
    "InputError",
    "NotFittedError",
    "OutOfMemoryError",
    "SchemaError",
    "SynthganError",
]


class SynthganError(Exception):
    """Base of every error that synthgan raises on purpose."""


class InputError(SynthganError, ValueError):
    """What the caller handed over cannot be used as it is."""


class SchemaError(InputError):
    """A column cannot be described, or a frame does not match the schema it should have."""


class ConditionError(InputError):
    """A condition that no row can satisfy, or that names a column or value the model does not know."""


class ConfigError(InputError):
    """A hyper-parameter outside its documented range."""


class NotFittedError(SynthganError, _SklearnNotFittedError):  # type: ignore[misc]
    """The synthesizer has to be fitted (or loaded) before this call."""


class DivergedError(SynthganError, RuntimeError):
    """Training broke down (non-finite weights) and could not be brought back.

    Attributes
    ----------
    kept : bool
        Whether weights from before that are kept, which can be used.
    """

    def __init__(self, message: str, *, kept: bool = False) -> None:
        super().__init__(message)
        self.kept = kept


class OutOfMemoryError(SynthganError, MemoryError):
    """The machine or the device has no memory left for it."""


class ArchiveError(SynthganError):
    """A model file that is damaged, was not written by synthgan, or needs a newer version."""
