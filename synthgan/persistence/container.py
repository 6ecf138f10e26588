"""The outer form of our files: a zip of stored members, each with its checksum. Nothing in it can execute."""

from __future__ import annotations

import hashlib
import json
import os
import struct
import zipfile
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from safetensors import SafetensorError

from synthgan.errors import ArchiveError
from synthgan.io import atomic_write

__all__ = ["DAMAGE", "read_container", "to_json", "write_container"]

MANIFEST = "manifest.json"

DAMAGE = (
    OSError, zipfile.BadZipFile, SafetensorError, ValueError, KeyError, TypeError, EOFError, RuntimeError,
    NotImplementedError, struct.error, MemoryError, OverflowError,
)  # fmt: skip
"""What the readers of zip, JSON and safetensors raise about bytes that they did not expect."""


def write_container(
    path: str | os.PathLike[str], kind: str, format: int, about: Mapping[str, Any], members: Mapping[str, bytes]
) -> None:
    """Write a file, whole or not at all.

    Parameters
    ----------
    path : path
        Where to.
    kind : str
        What it is; a reader asks for the same.
    format : int
        Version of the members' form.
    about : mapping of str to plain values
        Goes to the manifest.
    members : mapping of str to bytes
        The content.

    Raises
    ------
    InputError
        When the file cannot be written.
    """
    sums = {name: hashlib.sha256(content).hexdigest() for name, content in members.items()}
    manifest = {"kind": kind, "format": format, **about, "sha256": sums}
    manifest["digest"] = _digest(manifest)
    with atomic_write(Path(path)) as out, zipfile.ZipFile(out, "w", zipfile.ZIP_STORED) as file:
        for name, content in {MANIFEST: to_json(manifest), **members}.items():
            file.writestr(zipfile.ZipInfo(name), content)  # ZipInfo's fixed date keeps equal content equal files


def read_container(
    path: str | os.PathLike[str], kind: str, format: int, names: Sequence[str]
) -> tuple[dict[str, Any], dict[str, bytes]]:
    """Read a file back and check it: members, sizes, checksums.

    Members are stored, never compressed, so reading takes no more memory than the file has bytes; none is ever written
    to a disk, so that their names lead nowhere.

    Parameters
    ----------
    path : path
        Written by `write_container`.
    kind, format : str, int
        What it has to be; the newest format that can be read.
    names : sequence of str
        The members it has to have, no more and no fewer.

    Returns
    -------
    manifest, members : dict, dict of str to bytes

    Raises
    ------
    ArchiveError
        For a file that is missing, damaged, foreign or of a newer format.
    """
    name = os.fspath(path)
    try:
        with zipfile.ZipFile(name) as file:
            contents = _contents(name, kind, file, [MANIFEST, *names])
        manifest: Any = json.loads(contents.pop(MANIFEST))
    except FileNotFoundError:
        raise ArchiveError(f"no {kind} {name!r}; check the path") from None
    except DAMAGE as error:
        raise ArchiveError(f"{name!r} is not a {kind}, or is damaged ({error})") from None
    _check(name, kind, format, manifest, contents)
    return manifest, contents


def to_json(value: Any) -> bytes:
    """Return plain values (numpy's scalars among them) as JSON."""
    return json.dumps(value, ensure_ascii=False, allow_nan=False, separators=(",", ":"), default=_scalar).encode(
        "utf-8", "surrogatepass"
    )


def _contents(name: str, kind: str, file: zipfile.ZipFile, names: Sequence[str]) -> dict[str, bytes]:
    infos = file.infolist()
    if sorted(info.filename for info in infos) != sorted(names):
        raise ArchiveError(f"{name!r} is not a {kind}: it holds {[info.filename[:60] for info in infos[:5]]}")
    # Stored members cannot be larger than the file itself, so no archive can unpack to more than it weighs.
    total = os.path.getsize(name)
    if any(info.compress_type != zipfile.ZIP_STORED for info in infos) or sum(i.file_size for i in infos) > total:
        raise ArchiveError(f"{name!r} has compressed or oversized members, which synthgan never writes")
    return {info.filename: file.read(info) for info in infos}


def _check(name: str, kind: str, format: int, manifest: Any, contents: Mapping[str, bytes]) -> None:
    if not isinstance(manifest, dict) or manifest.get("kind") != kind:
        raise ArchiveError(f"{name!r} is not a {kind}")
    found = manifest.get("format")
    if not isinstance(found, int) or isinstance(found, bool) or not 1 <= found <= format:
        raise ArchiveError(f"{name!r} has format {found!r}; this version reads up to {format}: upgrade synthgan")
    sums = manifest.get("sha256")
    for member, content in contents.items():
        if not isinstance(sums, dict) or sums.get(member) != hashlib.sha256(content).hexdigest():
            raise ArchiveError(f"{name!r} is damaged or was changed: {member} does not match its checksum")
    if manifest.get("digest") != _digest(manifest):
        raise ArchiveError(f"{name!r} is damaged or was changed: {MANIFEST} does not match its checksum")


def _digest(manifest: Mapping[str, Any]) -> str:
    rest = {key: value for key, value in manifest.items() if key != "digest"}
    return hashlib.sha256(json.dumps(rest, sort_keys=True, default=_scalar).encode()).hexdigest()


def _scalar(value: Any) -> Any:
    if isinstance(value, np.generic):
        return value.item()
    raise TypeError(f"a file of synthgan cannot hold {type(value).__name__} values")
