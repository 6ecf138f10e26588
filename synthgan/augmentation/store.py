"""Where a measurement keeps its finished folds, so that it goes on from them."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from synthgan.augmentation.splits import Fold
from synthgan.errors import InputError
from synthgan.io import atomic_write

__all__ = ["FoldStore"]


class FoldStore:
    """Finished folds on disk, one file each, written whole or not at all.

    Parameters
    ----------
    folder : Path
        Made if it is not there.
    identity : dict
        JSON-ready: how the results are made, and of what.

    Raises
    ------
    InputError
        When the folder cannot be made, or holds folds of another identity.
    """

    def __init__(self, folder: Path, identity: dict[str, Any]) -> None:
        self._folder = folder
        try:
            folder.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise InputError(f"cannot make the folder {folder}: {error.strerror}") from None
        card = folder / "measurement.json"
        if not card.exists():
            if any(folder.glob("n-*.json")):
                raise InputError(f"{folder} holds folds without a measurement.json; give an empty folder")
            with atomic_write(card) as file:
                file.write(json.dumps(identity, indent=1).encode())
            return
        found = _read_json(card)
        if changed := [key for key in identity | found if identity.get(key) != found.get(key)]:
            raise InputError(
                f"{folder} holds another measurement: its {', '.join(changed)} differ. Give another folder, or the "
                "same data and settings"
            )

    def read(self, fold: Fold) -> dict[str, Any] | None:
        """Return the result of a fold, None where there is none yet.

        Raises
        ------
        InputError
            For a file that is no result.
        """
        path = self._folder / f"{fold.name}.json"
        return _read_json(path) if path.exists() else None

    def write(self, result: dict[str, Any]) -> None:
        """Keep the result of a fold."""
        with atomic_write(self._folder / f"{result['name']}.json") as file:
            file.write(json.dumps(result).encode())


def _read_json(path: Path) -> dict[str, Any]:
    try:
        found = json.loads(path.read_text())
    except (OSError, ValueError) as error:
        raise InputError(f"cannot read {path}: {error}") from None
    if not isinstance(found, dict):
        raise InputError(f"{path} is no part of a measurement; delete it")
    return found
