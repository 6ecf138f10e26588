"""What a fitted synthesizer consists of, and its form in a file."""

from __future__ import annotations

import dataclasses
import platform
from collections.abc import Mapping
from typing import Any

import numpy as np
import pandas as pd
import torch
from torch import Tensor

from synthgan._version import __version__
from synthgan.encoding import EncodedTable, TableEncoder
from synthgan.errors import ArchiveError, SynthganError
from synthgan.models import CodeAxis, Generator, GeneratorConfig
from synthgan.schema import ColumnName, Schema

__all__ = ["FittedModel", "from_members", "to_members"]


@dataclasses.dataclass(frozen=True, eq=False)
class FittedModel:
    """A trained generator and the encoder that gives its codes a meaning.

    Parameters
    ----------
    encoder : TableEncoder
        Of the fitted table.
    generator : Generator or None
        Folded; None for a table of constants and ids only.
    target : column label or None
        What class counts are about.
    fingerprint : str
        SHA-256 of the fitted rows.
    n_rows : int
        Rows fitted on.
    """

    encoder: TableEncoder
    generator: Generator | None
    target: ColumnName | None
    fingerprint: str
    n_rows: int

    def blank(self, n_rows: int) -> EncodedTable:
        """Rows without any learned content."""
        layout = self.encoder.layout
        return EncodedTable(
            np.zeros((n_rows, len(layout)), np.uint8),
            np.full((n_rows, len(layout.positioned)), 0.5, np.float32),
            np.zeros((n_rows, len(layout)), np.bool_),
        )

    def summary(self) -> dict[str, Any]:
        """Plain values that describe the model."""
        weights = 0 if self.generator is None else sum(weight.numel() for weight in self.generator.parameters())
        return {
            "rows_fitted": self.n_rows,
            "columns": len(self.encoder.schema),
            "codes": self.encoder.layout.n_codes,
            "weights": weights,
            "target": self.target,
            "data_fingerprint": self.fingerprint,
        }


def to_members(
    model: FittedModel, params: Mapping[str, Any], seed: int, history: pd.DataFrame
) -> tuple[dict[str, Any], dict[str, Any], dict[str, Tensor]]:
    """Return the manifest, the state and the weights of a model file."""
    manifest = {
        "synthgan": __version__,
        "torch": torch.__version__,
        "python": platform.python_version(),
        "seed": seed,
        "parameters": dict(params),
        "generator": None if model.generator is None else dataclasses.asdict(model.generator.config),
        "target": model.target,
        "data": {"rows": model.n_rows, "sha256": model.fingerprint},
    }
    curves = history.astype(object).where(history.notna(), None)
    curves = curves.replace([np.inf, -np.inf], None)
    state = {
        "schema": model.encoder.schema.to_dict(),
        "encoder": model.encoder.state(),
        "history": {str(name): curves[name].tolist() for name in curves},
    }
    weights = {} if model.generator is None else model.generator.state_dict()
    return manifest, state, weights


def from_members(
    manifest: Mapping[str, Any],
    state: Mapping[str, Any],
    weights: Mapping[str, Tensor],
    device: torch.device,
    dtype: torch.dtype,
) -> tuple[FittedModel, dict[str, Any], int, pd.DataFrame]:
    """Rebuild a model from a file's members, with its parameters, seed and training curves.

    Raises
    ------
    ArchiveError
        When the members do not fit together.
    """
    try:
        encoder = TableEncoder.from_state(Schema.from_dict(state["schema"]), state["encoder"])
        generator = _generator(manifest["generator"], encoder, weights, device, dtype)
        data = manifest["data"]
        model = FittedModel(encoder, generator, manifest["target"], str(data["sha256"]), int(data["rows"]))
        history = pd.DataFrame(state["history"]).infer_objects()
        return model, dict(manifest["parameters"]), int(manifest["seed"]), history
    except (KeyError, IndexError, TypeError, ValueError, AttributeError, RuntimeError, SynthganError) as error:
        raise ArchiveError(
            f"the members of the model file do not fit together ({error}); write it again with save()"
        ) from None


def _generator(
    config: Mapping[str, Any] | None,
    encoder: TableEncoder,
    weights: Mapping[str, Tensor],
    device: torch.device,
    dtype: torch.dtype,
) -> Generator | None:
    if config is None:
        return None
    with torch.device("meta"):  # shapes first: nothing is allocated until they are known to match
        expected = Generator(CodeAxis(encoder.layout), GeneratorConfig(**config)).state_dict()
    found, wanted = (
        {name: f"{tuple(weight.shape)} of {weight.dtype}" for name, weight in side.items()}
        for side in (weights, expected)
    )
    if found != wanted:
        odd = sorted(set(found.items()) ^ set(wanted.items()))[0][0]
        raise ArchiveError(f"weight {odd!r} is {found.get(odd)}; the configuration asks for {wanted.get(odd)}")
    with torch.random.fork_rng(devices=[]):
        generator = Generator(CodeAxis(encoder.layout), GeneratorConfig(**config))
    generator.load_state_dict(dict(weights))
    generator.folded = True
    generator.set_compute_dtype(dtype)
    return generator.to(device).eval()
