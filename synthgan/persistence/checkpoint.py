"""A training put down in a folder: the newest checkpoints, each whole or not there."""

from __future__ import annotations

import json
import logging
import os
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import torch
from safetensors.torch import load as load_tensors
from safetensors.torch import save as save_tensors

from synthgan.errors import ArchiveError, InputError
from synthgan.io import remove_leftovers
from synthgan.persistence.container import DAMAGE, read_container, to_json, write_container
from synthgan.persistence.tree import join, split

__all__ = ["CheckpointFolder"]

logger = logging.getLogger(__name__)

FORMAT = 1
KIND = "synthgan checkpoint"
KEPT = 2
"""Checkpoints that stay: the newest, and the one before it in case that the disk spoils the newest."""

_NAME = re.compile(r"step-(\d{9})\.checkpoint")


class CheckpointFolder:
    """The checkpoints of one training.

    Parameters
    ----------
    folder : path
        Made if it is not there. What processes that were killed left in it is removed.

    Raises
    ------
    InputError
        When there can be no such folder.
    """

    def __init__(self, folder: str | os.PathLike[str]) -> None:
        self.folder = Path(folder)
        try:
            self.folder.mkdir(parents=True, exist_ok=True)
            remove_leftovers(self.folder, _NAME)
        except OSError as error:
            raise InputError(f"cannot use {self.folder} for checkpoints: {error.strerror or error}") from None

    @property
    def steps(self) -> list[int]:
        """Steps of the checkpoints that are there, newest first."""
        found = (_NAME.fullmatch(entry.name) for entry in self.folder.iterdir())
        return sorted((int(match[1]) for match in found if match), reverse=True)

    def write(self, step: int, about: Mapping[str, Any], state: Any) -> None:
        """Write the checkpoint of a step, then remove all but the newest.

        Parameters
        ----------
        step : int
            Steps taken.
        about : mapping of str to plain values
            What it is a checkpoint of.
        state : nested dicts and lists of tensors and plain values
            Everything that the next step depends on.

        Raises
        ------
        InputError
            When it cannot be written; the older ones stay.
        """
        tensors: dict[str, torch.Tensor] = {}
        plain = split(state, torch.Tensor, tensors)
        content = save_tensors({name: tensor.detach().contiguous().cpu() for name, tensor in tensors.items()})
        members = {"state.json": to_json(plain), "tensors.safetensors": content}
        write_container(self._path(step), KIND, FORMAT, about, members)
        for old in self.steps[KEPT:]:
            self._path(old).unlink(missing_ok=True)

    def read(self) -> tuple[dict[str, Any], Any] | None:
        """Read the newest checkpoint that is sound; None where there is none at all.

        Returns
        -------
        about, state

        Raises
        ------
        ArchiveError
            When there are checkpoints and all are damaged.
        """
        problem: ArchiveError | None = None
        for step in self.steps:
            try:
                return self._read(self._path(step))
            except ArchiveError as error:
                logger.warning("checkpoint of step %d is left out: %s", step, error)
                problem = error
        if problem is not None:
            raise ArchiveError(f"no checkpoint in {self.folder} is sound: {problem}. Start again in another folder")
        return None

    def _path(self, step: int) -> Path:
        return self.folder / f"step-{step:09d}.checkpoint"

    def _read(self, path: Path) -> tuple[dict[str, Any], Any]:
        about, contents = read_container(path, KIND, FORMAT, ["state.json", "tensors.safetensors"])
        try:
            return about, join(json.loads(contents["state.json"]), load_tensors(contents["tensors.safetensors"]))
        except DAMAGE as error:
            raise ArchiveError(f"{str(path)!r} is damaged ({error})") from None
