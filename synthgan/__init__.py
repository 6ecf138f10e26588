"""Synthetic tabular data: fit a conditional GAN on a table, sample rows, judge them.

The public names are imported on first use, so that ``import synthgan`` (and the command line's ``--help``) need not
wait for torch.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

from synthgan._version import __version__

if TYPE_CHECKING:
    from synthgan.augmentation import (
        GainReport,
        GANOverSampler,
        PriorCorrectedClassifier,
        augment,
        augmentation_gain,
    )
    from synthgan.datasets import load_dataset
    from synthgan.errors import SynthganError
    from synthgan.evaluation import EvaluationReport, evaluate
    from synthgan.report import render_html
    from synthgan.schema import ColumnKind, Schema, infer_schema
    from synthgan.synthesizers import CTGAN, TVAE, Synthesizer, SynthGAN, VanillaGAN, load
    from synthgan.tuning import tune

__all__ = [
    "CTGAN",
    "TVAE",
    "ColumnKind",
    "EvaluationReport",
    "GANOverSampler",
    "GainReport",
    "PriorCorrectedClassifier",
    "Schema",
    "SynthGAN",
    "Synthesizer",
    "SynthganError",
    "VanillaGAN",
    "__version__",
    "augment",
    "augmentation_gain",
    "evaluate",
    "infer_schema",
    "load",
    "load_dataset",
    "render_html",
    "tune",
]

_HOME = {
    "GANOverSampler": "augmentation",
    "GainReport": "augmentation",
    "PriorCorrectedClassifier": "augmentation",
    "augment": "augmentation",
    "augmentation_gain": "augmentation",
    "CTGAN": "synthesizers",
    "TVAE": "synthesizers",
    "VanillaGAN": "synthesizers",
    "ColumnKind": "schema",
    "EvaluationReport": "evaluation",
    "Schema": "schema",
    "SynthGAN": "synthesizers",
    "SynthganError": "errors",
    "Synthesizer": "synthesizers",
    "evaluate": "evaluation",
    "infer_schema": "schema",
    "load": "synthesizers",
    "load_dataset": "datasets",
    "render_html": "report",
    "tune": "tuning",
}


def __getattr__(name: str) -> Any:
    if name not in _HOME:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(f"{__name__}.{_HOME[name]}"), name)


def __dir__() -> list[str]:
    return sorted(__all__)
