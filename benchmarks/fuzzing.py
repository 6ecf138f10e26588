"""Hostile input by the thousands: nothing but a SynthganError, or a sound result, may come of it."""

from __future__ import annotations

import argparse
import copy
import json
import random
import resource
import signal
import sys
import tempfile
import time
import traceback
import warnings
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from kills import digest
from mutations import bytes_changed, random_conditions, random_table, tree_changed

from synthgan import SynthGAN
from synthgan.datasets import load_dataset
from synthgan.errors import SynthganError
from synthgan.io import read_table
from synthgan.persistence import CheckpointFolder, read_archive, write_archive
from synthgan.schema import Schema, infer_schema, read_schema, write_schema

SEALS = ("kind", "format", "sha256", "digest")
HANG_SECONDS = 60
FORBIDDEN = ("pickle.find_class", "os.system", "subprocess.Popen", "os.exec", "os.posix_spawn", "socket.connect")


class Hang(BaseException):
    """A case took too long."""


def fuzz(args: argparse.Namespace) -> dict[str, Any]:
    """Run every target; a finding is whatever is neither a SynthganError nor a sound result."""
    forbidden: Counter[str] = Counter()
    sys.addaudithook(lambda event, _: forbidden.update([event]) if event in FORBIDDEN else None)
    signal.signal(signal.SIGALRM, _hang)
    counts = {
        "model files, bytes": 11_000,
        "model files, resealed": 1200,
        "model files with a critic, bytes": 1500,
        "model files with a critic, resealed": 300,
        "checkpoints, bytes": 6000,
        "checkpoints, resealed": 150,
        "schemas": 800,
        "tables in files": 1500,
        "conditions": 300,
        "tables fitted": 100,
    }
    out: dict[str, Any] = {}
    if args.only is not None:
        out = json.loads(args.out.read_text())["fuzz"]["result"]["targets"]
        counts = {target: n for target, n in counts.items() if args.only in target}
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        targets = _targets(folder)
        for target, n in counts.items():
            out[target] = _loop(target, targets[target], round(n * args.scale), args.seed, folder)
            print(target, json.dumps(out[target])[:2000], flush=True)
    total = Counter[str]()
    for row in out.values():
        total.update({key: row[key] for key in ("cases", "refused", "unharmed", "findings", "hangs", "files_left")})
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024
    return {"targets": out, "total": dict(total), "forbidden_events": dict(forbidden), "peak_megabytes": peak}


def _loop(target: str, case: Callable[[random.Random], str | None], n: int, seed: int, folder: Path) -> dict[str, Any]:
    tally, odd, errors = Counter[str](), Counter[str](), Counter[str]()
    before = sorted(entry.name for entry in folder.iterdir())
    slowest = 0.0
    for number in range(n):
        rng = random.Random(f"{seed} {target} {number}")
        signal.alarm(HANG_SECONDS)
        began = time.monotonic()
        try:
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")
                wrong = case(rng)
            tally["unharmed"] += wrong is None
            if wrong is not None:
                odd[f"{wrong} (case {number})"] += 1
        except SynthganError as error:
            tally["refused"] += 1
            errors[type(error).__name__] += 1
        except Hang:
            tally["hangs"] += 1
            odd[f"hang (case {number})"] += 1
        except Exception as error:  # noqa: BLE001 - that is the question
            where = traceback.extract_tb(error.__traceback__)[-1]
            ours = next(
                (f for f in reversed(traceback.extract_tb(error.__traceback__)) if "synthgan" in f.filename), where
            )
            odd[
                f"{type(error).__name__}: {str(error)[:100]} at {Path(ours.filename).name}:{ours.lineno} ({number})"
            ] += 1
        finally:
            signal.alarm(0)
        slowest = max(slowest, time.monotonic() - began)
        tally["cases"] += 1
    left = [entry.name for entry in folder.iterdir() if entry.name not in before]
    return {
        "cases": tally["cases"], "refused": tally["refused"], "unharmed": tally["unharmed"], "hangs": tally["hangs"],
        "findings": sum(odd.values()), "files_left": len(left), "errors": dict(errors),
        "slowest_seconds": round(slowest, 2), "what": [text for text, _ in odd.most_common(12)],
    }  # fmt: skip


def _hang(*_: object) -> None:
    raise Hang


def _model_targets(label: str, path: Path, victim: Path) -> dict[str, Callable[[random.Random], str | None]]:
    """Return the cases about changed bytes of a model file, and about changed members under sound checksums."""
    good, members = path.read_bytes(), read_archive(path)
    good_rows = SynthGAN.load(path).sample(5, random_state=0)

    def model_bytes(rng: random.Random) -> str | None:
        victim.write_bytes(bytes_changed(good, rng))
        return None if SynthGAN.load(victim).sample(5, random_state=0).equals(good_rows) else "loads silently wrong"

    def model_resealed(rng: random.Random) -> str | None:
        manifest, state, weights = copy.deepcopy(members)
        part = rng.choice((manifest, state, state, weights))
        tree_changed(part, rng)
        head = {key: value for key, value in manifest.items() if key not in SEALS}
        try:
            write_archive(victim, head, state, weights)
        except (TypeError, ValueError, KeyError, AttributeError, RuntimeError):
            raise SynthganError("cannot even be written") from None
        rows = SynthGAN.load(victim).sample(5, random_state=0)
        return None if len(rows) == 5 else "not the rows asked for"

    return {f"{label}, bytes": model_bytes, f"{label}, resealed": model_resealed}


def _targets(folder: Path) -> dict[str, Callable[[random.Random], str | None]]:
    frame = load_dataset("penguins")
    frame["when"] = pd.Timestamp("2020-01-01") + pd.to_timedelta(np.arange(len(frame)) * 7 % 1000, unit="h")
    frame["code"] = [f"{number:06x}" for number in range(10**6, 10**6 + len(frame))]
    model = SynthGAN(epochs=2, hidden_dim=8, random_state=0, protect_rare=2)
    model.fit(frame, target="species", checkpoint=folder / "checkpoints", checkpoint_every=1)
    model.save(folder / "model.synthgan")
    many = frame.drop(columns="code").sample(2000, replace=True, random_state=0)
    SynthGAN(epochs=1, hidden_dim=8, random_state=0).fit(many).save(folder / "critic.synthgan")
    write_schema(model.schema_, folder / "schema.toml")
    write_schema(model.schema_, folder / "schema.json")
    frame.to_csv(folder / "table.csv", index=False)
    checkpoint = max((folder / "checkpoints").iterdir())
    good_checkpoint = checkpoint.read_bytes()
    about, saved = CheckpointFolder(folder / "checkpoints").read() or ({}, {})
    bare = {key: value for key, value in about.items() if key not in SEALS}
    names = list(frame)
    for suffix in ("", ".toml", ".json", ".csv", ".csv.gz", ".parquet"):  # so that every case finds them there
        (folder / f"victim{suffix}").write_bytes(b"")
    (folder / "victims").mkdir()

    def checkpoint_bytes(rng: random.Random) -> str | None:
        checkpoint.write_bytes(bytes_changed(good_checkpoint, rng))
        only = CheckpointFolder(folder / "checkpoints")._read(checkpoint)
        return None if digest(only[1]) == digest(saved) else "loads silently wrong"

    def checkpoint_resealed(rng: random.Random) -> str | None:
        state = copy.deepcopy(saved)
        tree_changed(state, rng)
        place = CheckpointFolder(folder / "victims")
        for entry in place.folder.iterdir():
            entry.unlink()
        try:
            place.write(1, bare, state)
        except (TypeError, ValueError, KeyError, AttributeError, RuntimeError):
            raise SynthganError("cannot even be written") from None
        steps = iter(range(100))
        again = SynthGAN(epochs=2, hidden_dim=8, random_state=0, protect_rare=2)
        again.fit(frame, checkpoint=place.folder, resume=True, stop=lambda: next(steps) > 3)
        return None

    def schema(rng: random.Random) -> str | None:
        if rng.random() < 0.5:
            suffix = rng.choice((".toml", ".json"))
            path = folder / f"victim{suffix}"
            path.write_bytes(bytes_changed((folder / f"schema{suffix}").read_bytes(), rng))
            found = read_schema(path)
        else:
            tree = model.schema_.to_dict()
            tree_changed(tree, rng)
            found = Schema.from_dict(tree)
        SynthGAN(epochs=1, hidden_dim=4).plan(frame, schema=found)
        return None

    def table_file(rng: random.Random) -> str | None:
        suffix = rng.choice((".csv", ".csv", ".csv.gz", ".parquet"))
        path = folder / f"victim{suffix}"
        if suffix == ".csv":
            path.write_bytes(bytes_changed((folder / "table.csv").read_bytes(), rng))
        else:
            (frame.to_csv if suffix == ".csv.gz" else frame.to_parquet)(path, index=False)
            path.write_bytes(bytes_changed(path.read_bytes(), rng))
        infer_schema(read_table(path))
        return None

    def condition(rng: random.Random) -> str | None:
        rows = model.sample(2, conditions=random_conditions(names, frame, rng), random_state=0)
        return None if len(rows) == 2 else "not the rows asked for"

    def fitted(rng: random.Random) -> str | None:
        table = random_table(rng)
        rows = SynthGAN(epochs=1, hidden_dim=4, random_state=0).fit(table).sample(3, random_state=0)
        return None if list(rows) == list(table) and len(rows) == 3 else "not the columns asked for"

    return {
        **_model_targets("model files", folder / "model.synthgan", folder / "victim"),
        **_model_targets("model files with a critic", folder / "critic.synthgan", folder / "victim"),
        "checkpoints, bytes": checkpoint_bytes, "checkpoints, resealed": checkpoint_resealed,
        "schemas": schema, "tables in files": table_file, "conditions": condition, "tables fitted": fitted,
    }  # fmt: skip
