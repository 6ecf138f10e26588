"""Putting a training down while it runs, and taking it up again: the same data, the same settings, the same steps."""

from __future__ import annotations

import hashlib
import json
import logging
import os
from collections.abc import Mapping
from typing import Any, Protocol

import sklearn
import torch

from synthgan._version import __version__
from synthgan.errors import ArchiveError, ConfigError, InputError
from synthgan.persistence import CheckpointFolder
from synthgan.schema import Schema
from synthgan.training.device import compute_dtype

__all__ = ["Checkpoints", "Resumable", "identity"]

logger = logging.getLogger(__name__)

FREE = ("verbose", "device", "random_state", "max_seconds")
"""Parameters that may differ when a training is taken up again: no step depends on them; the seed is compared apart."""


class Resumable(Protocol):
    """A training that can be put down between two steps."""

    @property
    def step(self) -> int:
        """Steps taken."""
        ...

    @property
    def over(self) -> bool:
        """Whether there is nothing left to do."""
        ...

    def state_dict(self) -> dict[str, Any]:
        """Return all that the next step depends on."""
        ...

    def load_state_dict(self, saved: Mapping[str, Any]) -> None:
        """Go on from there."""
        ...


def identity(
    name: str, params: Mapping[str, Any], seed: int, fingerprint: str, schema: Schema, device: torch.device
) -> dict[str, Any]:
    """Return what a checkpoint is of, as plain values; whoever takes it up has to have the same."""
    columns = json.dumps(schema.to_dict(), sort_keys=True)
    return {
        "model": name,
        "parameters": {key: value for key, value in params.items() if key not in FREE},
        "seed": seed,
        "data": fingerprint,
        "schema": hashlib.sha256(columns.encode("utf-8", "surrogatepass")).hexdigest(),
        "device": device.type,
        "synthgan": __version__,
        "torch": torch.__version__,
        "scikit-learn": sklearn.__version__,
        "threads": torch.get_num_threads(),
        "numbers": str(compute_dtype(device)),
    }


class Checkpoints:
    """Where and how often one fit is put down.

    Parameters
    ----------
    folder : path
        Of the checkpoints.
    every : int
        Steps from one to the next.
    resume : bool
        Whether to take up what lies there.

    Raises
    ------
    ConfigError
        When the folder holds checkpoints and `resume` is false, or `every` is no whole number from 1.
    InputError, ArchiveError
        When there can be no such folder; when all checkpoints in it are damaged.
    """

    def __init__(self, folder: str | os.PathLike[str], every: int, resume: bool) -> None:
        if isinstance(every, bool) or not isinstance(every, int) or every < 1:
            raise ConfigError(f"checkpoint_every must be a whole number of steps from 1; got {every!r}")
        self.folder = CheckpointFolder(folder)
        self.every = every
        if (steps := self.folder.steps) and not resume:
            raise ConfigError(
                f"{os.fspath(folder)!r} holds a checkpoint of step {steps[0]}: take it up with resume=True (--resume), "
                "or name another folder"
            )
        self._found = self.folder.read() if resume else None

    @property
    def seed(self) -> int | None:
        """The seed of the training that is taken up; None where there is none."""
        return None if self._found is None else int(self._found[0]["seed"])

    def take_up(self, training: Resumable, about: Mapping[str, Any]) -> list[dict[str, Any]]:
        """Bring a fresh training to where the newest checkpoint was made; returns the reports until then.

        Raises
        ------
        InputError, ConfigError
            When the checkpoint is of other data, or of other settings.
        ArchiveError
            When its content does not fit.
        """
        if self._found is None:
            return []
        (kept, saved), self._found = self._found, None
        _compare(kept, about)
        try:
            training.load_state_dict(saved["training"])
            history = [dict(report) for report in saved["history"]]
        except (KeyError, ValueError, RuntimeError, TypeError, AttributeError, IndexError) as error:
            raise ArchiveError(f"the checkpoint does not fit this training ({error})") from None
        logger.info("going on from step %d", training.step)
        return history

    def put_down(self, training: Resumable, about: Mapping[str, Any], history: list[dict[str, Any]]) -> None:
        """Write a checkpoint."""
        self.folder.write(training.step, about, {"training": training.state_dict(), "history": history})


def _compare(kept: Mapping[str, Any], now: Mapping[str, Any]) -> None:
    if kept.get("data") != now["data"]:
        raise InputError(
            "the checkpoint was made on another table (its fingerprint differs): resume with the same rows in the same "
            "order, or start again in another folder"
        )
    then = {**kept.get("parameters", {}), **{key: kept.get(key) for key in ("model", "seed", "schema", "device")}}
    here = {**now["parameters"], **{key: now[key] for key in ("model", "seed", "schema", "device")}}
    if odd := next((key for key in here | then if then.get(key) != here.get(key)), None):
        what = "what the columns are" if odd == "schema" else f"{odd} {then.get(odd)!r}, not {here.get(odd)!r}"
        raise ConfigError(
            f"the checkpoint was made with other settings: it has {what}. Resume with the same, or start again in "
            "another folder"
        )
    for key in ("synthgan", "torch", "scikit-learn", "threads", "numbers"):
        if kept.get(key) != now[key]:
            logger.warning(
                "the checkpoint was made with %s %s, now it is %s: training goes on, but not bit by bit the same",
                key, kept.get(key), now[key],
            )  # fmt: skip
