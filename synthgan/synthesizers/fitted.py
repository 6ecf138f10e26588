"""What a fitted synthesizer consists of, and its form in a file."""

from __future__ import annotations

import dataclasses
import platform
from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
import pandas as pd
import torch
from torch import Tensor, nn

from synthgan._version import __version__
from synthgan.encoding import EncodedTable, TableEncoder
from synthgan.errors import ArchiveError, SynthganError
from synthgan.schema import ColumnName, Schema
from synthgan.synthesizers.probe import UNFIT, check_dtypes, probe

__all__ = ["FittedModel", "check_sizes", "check_weights", "from_members", "model_name", "to_members"]


@dataclasses.dataclass(frozen=True, eq=False)
class FittedModel:
    """A trained generator and the encoder that gives its codes a meaning.

    Parameters
    ----------
    encoder : TableEncoder
        Of the fitted table.
    generator : Module or None
        Ready to sample, with its sizes as a dataclass in ``config``; None for a table of constants and ids only.
    target : column label or None
        What class counts are about.
    fingerprint : str
        SHA-256 of the fitted rows.
    n_rows : int
        Rows fitted on.
    """

    encoder: TableEncoder
    generator: nn.Module | None
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
            "columns": len(self.encoder.visible),
            "codes": self.encoder.layout.n_codes,
            "weights": weights,
            "target": self.target,
            "data_fingerprint": self.fingerprint,
        }


def to_members(
    name: str, model: FittedModel, params: Mapping[str, Any], seed: int, history: pd.DataFrame
) -> tuple[dict[str, Any], dict[str, Any], dict[str, Tensor]]:
    """Return the manifest, the state and the weights of a model file; `name` is the synthesizer's."""
    manifest = {
        "synthgan": __version__,
        "torch": torch.__version__,
        "python": platform.python_version(),
        "model": name,
        "seed": seed,
        "parameters": dict(params),
        "generator": None if model.generator is None else _config(model.generator),
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


def model_name(manifest: Mapping[str, Any]) -> str:
    """Return which synthesizer wrote a file; the first files did not say, because there was only one."""
    return str(manifest.get("model", "SynthGAN"))


def from_members(
    manifest: Mapping[str, Any],
    state: Mapping[str, Any],
    encoder_type: type[TableEncoder],
    rebuilt: Callable[[Mapping[str, Any], TableEncoder], nn.Module],
) -> tuple[FittedModel, dict[str, Any], int, pd.DataFrame]:
    """Rebuild a model from a file's members, with its parameters, seed and training curves.

    Parameters
    ----------
    manifest, state : dict
        As `to_members` made them.
    encoder_type : type
        The class of the encoder whose state is in them.
    rebuilt : callable
        Makes the trained network from its sizes and the encoder.

    Raises
    ------
    ArchiveError
        When the members do not fit together.
    """
    try:
        schema = Schema.from_dict(state["schema"])
        check_dtypes(schema)
        encoder = encoder_type.from_state(schema, state["encoder"])
        probe(encoder)
        config = manifest["generator"]
        generator = None if config is None else rebuilt(config, encoder)
        data = manifest["data"]
        model = FittedModel(encoder, generator, manifest["target"], str(data["sha256"]), int(data["rows"]))
        history = pd.DataFrame(state["history"]).infer_objects()
        return model, dict(manifest["parameters"]), int(manifest["seed"]), history
    except (*UNFIT, SynthganError) as error:
        raise ArchiveError(
            f"the members of the model file do not fit together ({error}); write it again with save()"
        ) from None


def check_sizes(config: Mapping[str, Any], encoder: TableEncoder, weights: Mapping[str, Tensor]) -> None:
    """Refuse sizes that the weights in the file could not have, before anything of these sizes is made.

    Raises
    ------
    ArchiveError
        For a number of layers beyond the number of weight matrices, a width beyond the number of weights, or tables of
        codes far larger than the weights.
    """
    total = sum(weight.numel() for weight in weights.values())
    for name, value in config.items():
        for number in value if isinstance(value, list) else [value]:
            if isinstance(number, (int, float)) and not 0 <= number <= (len(weights) if name[:2] == "n_" else total):
                raise ArchiveError(
                    f"{name} cannot be {number!r} with {len(weights)} tensors of {total:,} weights in all"
                )
    layout = encoder.layout
    tables = layout.n_codes * (5 * layout.max_cells + 4 * len(layout))
    if tables > 1000 * total + 10**8:
        raise ArchiveError(f"{layout.n_codes:,} codes of {len(layout):,} columns do not go with {total:,} weights")


def check_weights(found: Mapping[str, Tensor], wanted: Mapping[str, Tensor]) -> None:
    """Compare names, shapes and dtypes of a file's weights with what the configuration asks for.

    Raises
    ------
    ArchiveError
        Where they differ; names the first weight that does.
    """
    here, there = (
        {name: f"{tuple(weight.shape)} of {weight.dtype}" for name, weight in side.items()} for side in (found, wanted)
    )
    if here != there:
        odd = sorted(set(here.items()) ^ set(there.items()))[0][0]
        raise ArchiveError(f"weight {odd!r} is {here.get(odd)}; the configuration asks for {there.get(odd)}")


def _config(network: nn.Module) -> dict[str, Any]:
    config: Any = network.config
    return dataclasses.asdict(config)
