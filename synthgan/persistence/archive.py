"""One model, one file: JSON and safetensors in an uncompressed zip. Nothing in it can execute."""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from typing import Any

import numpy as np
import torch
from safetensors.numpy import load as load_arrays
from safetensors.numpy import save as save_arrays
from safetensors.torch import load as load_tensors
from safetensors.torch import save as save_tensors
from torch import Tensor

from synthgan.errors import ArchiveError
from synthgan.persistence.container import DAMAGE, read_container, to_json, write_container
from synthgan.persistence.tree import join, split

__all__ = ["FORMAT", "MEMBERS", "read_archive", "write_archive"]

FORMAT = 1
"""Version of the file format; a reader accepts its own and every earlier one."""

KIND = "synthgan model"

MEMBERS = {
    "card.md": "what the model is and what it was made from, for people",
    "state.json": "schema, encoders, training curves",
    "arrays.safetensors": "the encoders' numbers",
    "weights.safetensors": "the network",
}
"""What a model file holds besides ``manifest.json``."""


def write_archive(
    path: str | os.PathLike[str], manifest: Mapping[str, Any], state: Any, weights: Mapping[str, Tensor], card: str = ""
) -> None:
    """Write a model file, whole or not at all.

    Parameters
    ----------
    path : path
        Where to; by convention it ends in ``.synthgan``.
    manifest : mapping
        Plain values that say what the file is (versions, configuration).
    state : nested dicts and lists of plain values and ndarrays
        Schema and encoder.
    weights : mapping of str to Tensor
        The networks' weights.
    card : str
        The model card, Markdown.

    Raises
    ------
    InputError
        When the file cannot be written.
    """
    arrays: dict[str, np.ndarray] = {}
    plain = split(state, np.ndarray, arrays)
    members = {
        "card.md": card.encode("utf-8", "replace"),
        "state.json": to_json(plain),
        "arrays.safetensors": save_arrays({name: np.ascontiguousarray(array) for name, array in arrays.items()}),
        "weights.safetensors": save_tensors({name: weight.contiguous().cpu() for name, weight in weights.items()}),
    }
    write_container(path, KIND, FORMAT, manifest, members)


def read_archive(path: str | os.PathLike[str]) -> tuple[dict[str, Any], Any, dict[str, Tensor]]:
    """Read a model file and check it: members, sizes, checksums, finite weights.

    Returns
    -------
    manifest, state, weights

    Raises
    ------
    ArchiveError
        For a file that is missing, damaged, foreign, or of a newer format.
    """
    name = os.fspath(path)
    manifest, contents = read_container(path, KIND, FORMAT, list(MEMBERS))
    try:
        arrays = load_arrays(contents["arrays.safetensors"])
        state = join(json.loads(contents["state.json"]), arrays)
        weights = load_tensors(contents["weights.safetensors"])
    except DAMAGE as error:
        raise ArchiveError(f"{name!r} is damaged ({error}); write it again with save()") from None
    if odd := [key for key, weight in weights.items() if not bool(torch.isfinite(weight).all())]:
        raise ArchiveError(f"{name!r} holds weights that are not finite ({odd[0]}); write it again with save()")
    return manifest, state, weights
