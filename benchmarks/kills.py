"""SIGKILL at random moments, resumption, and every tensor compared with that of a training left in peace."""

from __future__ import annotations

import argparse
import functools
import hashlib
import json
import os
import random
import signal
import tempfile
import time
import traceback
import zipfile
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any

import torch

from synthgan import SynthGAN
from synthgan.datasets import load_dataset
from synthgan.errors import SynthganError
from synthgan.models.critic import Critic
from synthgan.persistence import CheckpointFolder
from synthgan.synthesizers import critique
from synthgan.training import Training
from synthgan.training.critic import fit_critic


def kills(args: argparse.Namespace) -> dict[str, Any]:
    """Kill forked trainings at random moments, resume them, and compare every tensor with a training left in peace.

    As ``saves``, each kill waits until a file is being written; as ``critics``, until the critic is being trained, on a
    table that is large enough for one.
    """
    with tempfile.TemporaryDirectory() as name:
        run = _Kills(args.part, args.seed, Path(name))
        while run.n_kills < args.kills:
            run.chain(args.kills)
            print(run.n_chains, run.n_kills, dict(run.tally), flush=True)
    counts = {"kills": run.n_kills, "chains": run.n_chains, "kills_while_a_file_was_being_written": run.n_saving}
    return counts | run.tally


class _Kills:
    """Trainings of one part of the benchmark, and what became of them.

    Parameters
    ----------
    part : str
        ``"kills"``, ``"saves"`` or ``"critics"``.
    seed : int
        Of the moments.
    folder : Path
        For checkpoints and models.
    """

    def __init__(self, part: str, seed: int, folder: Path) -> None:
        self.part, self.rng, self.folder = part, random.Random(seed), folder
        self.tally, self.n_kills, self.n_chains, self.n_saving = Counter[str](), 0, 0, 0
        straight = folder / "straight"
        straight.mkdir()
        began = time.monotonic()
        _fork(functools.partial(_train, part, straight, 10**6), None)
        self.whole = time.monotonic() - began
        self.expected = _end(straight)
        self.critic = float((straight / "seconds").read_text()) if part == "critics" else 0.0

    def chain(self, most: int) -> None:
        """Train to the end, killed again and again until there have been `most` kills; then compare."""
        self.n_chains += 1
        place = self.folder / f"chain{self.n_chains}"
        place.mkdir()
        every = 1 if self.part == "saves" else self.rng.choice((1, 1, 5, 20))
        while not (place / "done").exists():
            over = self.n_kills >= most
            after = None if over else 0.0 if self.critic else self.rng.uniform(0, self.whole)
            self.n_kills += _fork(functools.partial(_train, self.part, place, every), after, self._moment(place))
            self._look(place)
        same = _end(place) == self.expected
        self.tally["chains bit by bit the same" if same else "chains that differ"] += 1
        self.tally["leftovers after the end"] += len(list(place.rglob("*.tmp")))

    def _moment(self, place: Path) -> Callable[[], bool] | None:
        """Return what a kill waits for."""
        if self.part == "saves":
            return lambda: any((place / "c").glob(".*.tmp"))
        wait = self.rng.uniform(0, self.critic)
        return (lambda: any(time.time() > t + wait for t in _times(place / "critic"))) if self.critic else None

    def _look(self, place: Path) -> None:
        """Count what a kill left behind."""
        self.n_saving += bool(list(place.rglob("*.tmp")))
        self.tally["kills while the critic was being trained"] += (place / "critic").exists()
        (place / "critic").unlink(missing_ok=True)
        found = sorted((place / "c").glob("*.checkpoint"))
        if not found:
            self.tally["no checkpoint yet"] += 1
            return
        try:
            CheckpointFolder(place / "c")._read(found[-1])
            self.tally["newest checkpoint sound"] += 1
        except SynthganError:
            self.tally["newest checkpoint damaged"] += 1


def _train(part: str, place: Path, every: int) -> None:
    """Train in this process, which may end at any moment; leave the digests of what came out."""
    settings: dict[str, Any] = {"hidden_dim": 16, "random_state": 5}
    if part == "critics":
        frame = load_dataset("penguins").sample(3000, replace=True, random_state=0)
        settings |= {"epochs": 1, "batch_size": 500}
    else:
        frame = load_dataset("penguins").sample(150, random_state=0)
        settings |= {"epochs": 40, "batch_size": 50, "adversarial_share": 0.3}
    final: list[str] = []
    finish = Training._finish

    def watched(self: Training) -> None:
        final.append(digest(self.state_dict()))
        finish(self)

    def marked(*arguments: Any) -> Critic:
        began = time.monotonic()
        (place / "critic").touch()
        critic = fit_critic(*arguments)
        (place / "critic").unlink()
        (place / "seconds").write_text(str(time.monotonic() - began))
        return critic

    Training._finish = watched  # type: ignore[method-assign]
    critique.fit_critic = marked  # type: ignore[attr-defined]
    model = SynthGAN(**settings).fit(frame, checkpoint=place / "c", checkpoint_every=every, resume=True)
    model.save(place / "model.synthgan")
    weights = digest(dict(model.model_.generator.state_dict()))  # type: ignore[union-attr]
    (place / "done").write_text(json.dumps([final[-1], weights, digest(model.sample(50, random_state=0).to_dict())]))


def _end(place: Path) -> tuple[str, list[bytes]]:
    """What a training came to: its digests, and its model file."""
    return (place / "done").read_text(), _members(place / "model.synthgan")


def _times(path: Path) -> list[float]:
    """When the file was made; nothing where there is none."""
    try:
        return [path.stat().st_mtime]
    except FileNotFoundError:
        return []


def _members(path: Path) -> list[bytes]:
    """The members of a model file that hold no clock times."""
    with zipfile.ZipFile(path) as file:
        return [file.read(name) for name in ("arrays.safetensors", "weights.safetensors")]


def _fork(work: Callable[[], None], kill_after: float | None, until: Callable[[], bool] | None = None) -> bool:
    """Run `work` in a forked process; kill it after so many seconds, and not before `until`; was it killed?"""
    child = os.fork()
    if child == 0:
        code = 1
        try:
            work()
            code = 0
        except BaseException:  # noqa: BLE001 - the parent looks at the exit code
            traceback.print_exc()
        finally:
            os._exit(code)
    if kill_after is not None:
        end = time.monotonic() + kill_after
        while time.monotonic() < end:
            if os.waitpid(child, os.WNOHANG)[0]:
                return False
            time.sleep(0.002)
        while until is not None and not until():
            if os.waitpid(child, os.WNOHANG)[0]:
                return False
        os.kill(child, signal.SIGKILL)
    _, status = os.waitpid(child, 0)
    if os.WIFEXITED(status) and os.WEXITSTATUS(status):
        raise SystemExit("a training failed")
    return os.WIFSIGNALED(status)


def digest(value: Any) -> str:
    """SHA-256 over every tensor and plain value of a nested state; the clock aside."""
    out = hashlib.sha256()

    def walk(item: Any, path: str) -> None:
        if isinstance(item, torch.Tensor):
            out.update(item.detach().contiguous().numpy().tobytes())
        elif isinstance(item, dict):
            for key, inner in item.items():
                walk(inner, f"{path}/{key}")
        elif isinstance(item, (list, tuple)):
            for inner in item:
                walk(inner, path)
        elif "seconds" not in path:
            out.update(f"{path}={item!r};".encode())

    walk(value, "")
    return out.hexdigest()
