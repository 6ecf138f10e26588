"""One model, one file: JSON and safetensors in an uncompressed zip. Nothing in it can execute."""

from __future__ import annotations

import hashlib
import io
import json
import os
import zipfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import torch
from safetensors import SafetensorError
from safetensors.numpy import load as load_arrays
from safetensors.numpy import save as save_arrays
from safetensors.torch import load as load_tensors
from safetensors.torch import save as save_tensors
from torch import Tensor

from synthgan.errors import ArchiveError
from synthgan.io import atomic_write

__all__ = ["FORMAT", "read_archive", "write_archive"]

FORMAT = 1
"""Version of the file format; a reader accepts its own and every earlier one."""

_MAGIC = "synthgan model"
_MEMBERS = ("manifest.json", "state.json", "arrays.safetensors", "weights.safetensors")
_ARRAY = "$array"


def write_archive(
    path: str | os.PathLike[str], manifest: Mapping[str, Any], state: Any, weights: Mapping[str, Tensor]
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

    Raises
    ------
    InputError
        When the file cannot be written.
    """
    arrays: dict[str, np.ndarray] = {}
    members = {
        "state.json": _json(_without_arrays(state, "state", arrays)),
        "arrays.safetensors": save_arrays(arrays),
        "weights.safetensors": save_tensors({name: tensor.contiguous().cpu() for name, tensor in weights.items()}),
    }
    sums = {name: hashlib.sha256(content).hexdigest() for name, content in members.items()}
    head = {"kind": _MAGIC, "format": FORMAT, **manifest, "sha256": sums}
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_STORED) as file:
        for name, content in {"manifest.json": _json(head), **members}.items():
            file.writestr(zipfile.ZipInfo(name), content)  # ZipInfo's fixed date keeps equal models equal files
    with atomic_write(Path(path)) as out:
        out.write(buffer.getvalue())


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
    try:
        with zipfile.ZipFile(name) as file:
            contents = _contents(name, file)
        manifest = _checked_manifest(name, contents)
        arrays = load_arrays(contents["arrays.safetensors"])
        state = _with_arrays(json.loads(contents["state.json"]), arrays)
        weights = load_tensors(contents["weights.safetensors"])
    except FileNotFoundError:
        raise ArchiveError(f"no model file {name!r}; check the path") from None
    except (OSError, zipfile.BadZipFile, SafetensorError, ValueError, KeyError, EOFError, RuntimeError) as error:
        # RuntimeError: a flag says that a member is encrypted or of an unknown kind; JSON nested beyond reason
        raise ArchiveError(
            f"{name!r} is not a model file, or is damaged ({error}); write it again with save()"
        ) from None
    if odd := [key for key, weight in weights.items() if not bool(torch.isfinite(weight).all())]:
        raise ArchiveError(f"{name!r} holds weights that are not finite ({odd[0]}); write it again with save()")
    return manifest, state, weights


def _contents(name: str, file: zipfile.ZipFile) -> dict[str, bytes]:
    infos = file.infolist()
    if sorted(info.filename for info in infos) != sorted(_MEMBERS):
        raise ArchiveError(f"{name!r} is not a synthgan model: it holds {[info.filename for info in infos][:5]}")
    # Stored members cannot be larger than the file itself, so no archive can unpack to more than it weighs.
    total = os.path.getsize(name)
    if any(info.compress_type != zipfile.ZIP_STORED or info.file_size > total for info in infos):
        raise ArchiveError(f"{name!r} has compressed or oversized members, which synthgan never writes")
    return {info.filename: file.read(info) for info in infos}


def _checked_manifest(name: str, contents: Mapping[str, bytes]) -> dict[str, Any]:
    manifest: Any = json.loads(contents["manifest.json"])
    if not isinstance(manifest, dict) or manifest.get("kind") != _MAGIC:
        raise ArchiveError(f"{name!r} is not a synthgan model")
    if not isinstance(manifest.get("format"), int) or manifest["format"] > FORMAT:
        raise ArchiveError(
            f"{name!r} has format {manifest.get('format')!r}; this version reads up to {FORMAT}: upgrade synthgan"
        )
    sums = manifest.get("sha256")
    for member in _MEMBERS[1:]:
        if not isinstance(sums, dict) or sums.get(member) != hashlib.sha256(contents[member]).hexdigest():
            raise ArchiveError(f"{name!r} is damaged or was changed: {member} does not match its checksum")
    return manifest


def _json(value: Any) -> bytes:
    return json.dumps(value, ensure_ascii=False, allow_nan=False, separators=(",", ":"), default=_scalar).encode()


def _scalar(value: Any) -> Any:
    if isinstance(value, np.generic):
        return value.item()
    raise TypeError(f"a model file cannot hold {type(value).__name__} values")


def _without_arrays(value: Any, path: str, arrays: dict[str, np.ndarray]) -> Any:
    """Move arrays out of a nested value, leaving their names."""
    if isinstance(value, np.ndarray):
        arrays[path] = np.ascontiguousarray(value)
        return {_ARRAY: path}
    if isinstance(value, Mapping):
        return {key: _without_arrays(item, f"{path}.{key}", arrays) for key, item in value.items()}
    if isinstance(value, (list, tuple)):
        return [_without_arrays(item, f"{path}.{index}", arrays) for index, item in enumerate(value)]
    return value


def _with_arrays(value: Any, arrays: Mapping[str, np.ndarray]) -> Any:
    if isinstance(value, dict):
        if set(value) == {_ARRAY}:
            return arrays[value[_ARRAY]]
        return {key: _with_arrays(item, arrays) for key, item in value.items()}
    if isinstance(value, list):
        return [_with_arrays(item, arrays) for item in value]
    return value
