#!/usr/bin/env python3
"""Is anything lost, executed, leaked, or different the second time? Each part adds its counts to results/trust.json.

    python benchmarks/trust.py fuzz [--scale 1.0]      mutated model files, checkpoints, schemas, tables, conditions
    python benchmarks/trust.py kills [--kills 50]      SIGKILL while training and saving, resumption, hashes
    python benchmarks/trust.py saves [--kills 20]      the same, each time in the middle of writing a checkpoint
    python benchmarks/trust.py determinism             fresh processes, threads, workers
    python benchmarks/trust.py scan TABLE.csv ...      default model files searched for rows, rare and unique values
    python benchmarks/trust.py memory TABLE.csv ...    the plan's peak of memory beside the measured one

Nothing but subclasses of SynthganError may come out of hostile input, no case may take over a minute, no pickle may be
read, no program started, no socket opened, and no file written. Only on Linux.
"""

from __future__ import annotations

import argparse
import copy
import functools
import hashlib
import json
import logging
import os
import random
import resource
import signal
import subprocess
import sys
import tempfile
import time
import traceback
import warnings
import zipfile
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import torch
from mutations import bytes_changed, random_conditions, random_table, tree_changed
from quality import machine

from synthgan import SynthGAN
from synthgan.datasets import load_dataset
from synthgan.errors import SynthganError
from synthgan.io import read_table
from synthgan.persistence import CheckpointFolder, read_archive, write_archive
from synthgan.schema import Schema, infer_schema, read_schema, write_schema
from synthgan.training import Training

RESULTS = Path(__file__).parent / "results" / "trust.json"
HANG_SECONDS = 60
FORBIDDEN = ("pickle.find_class", "os.system", "subprocess.Popen", "os.exec", "os.posix_spawn", "socket.connect")


class Hang(BaseException):
    """A case took too long."""


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("part", choices=["fuzz", "kills", "saves", "determinism", "scan", "memory"])
    parser.add_argument("tables", nargs="*", type=Path)
    parser.add_argument("--scale", type=float, default=1.0, help="of the numbers of fuzzing cases")
    parser.add_argument("--only", default=None, help="one fuzzing target; the other targets' counts are kept")
    parser.add_argument("--kills", type=int, default=50)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--max-seconds", type=float, default=None, help="of the scanned models' training")
    parser.add_argument("--out", type=Path, default=RESULTS)
    args = parser.parse_args()
    logging.getLogger("synthgan").addHandler(logging.NullHandler())
    torch.set_num_threads(int(os.environ.get("OMP_NUM_THREADS", "1")))
    began = time.monotonic()
    parts: dict[str, Callable[[argparse.Namespace], Any]] = {
        "fuzz": fuzz, "kills": kills, "saves": kills, "determinism": determinism, "scan": scan, "memory": memory,
    }  # fmt: skip
    result = parts[args.part](args)
    run = {"machine": machine(torch.get_num_threads()), "seed": args.seed, "seconds": round(time.monotonic() - began)}
    found = json.loads(args.out.read_text()) if args.out.exists() else {}
    found[args.part] = run | {"result": result}
    args.out.write_text(json.dumps(found, indent=1, ensure_ascii=False) + "\n")
    print(json.dumps(result, indent=1, ensure_ascii=False))


# --- fuzzing


def fuzz(args: argparse.Namespace) -> dict[str, Any]:
    """Run every target; a finding is whatever is neither a SynthganError nor a sound result."""
    forbidden: Counter[str] = Counter()
    sys.addaudithook(lambda event, _: forbidden.update([event]) if event in FORBIDDEN else None)
    signal.signal(signal.SIGALRM, _hang)
    counts = {
        "model files, bytes": 11_000,
        "model files, resealed": 1200,
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
        counts = {args.only: counts[args.only]}
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


def _targets(folder: Path) -> dict[str, Callable[[random.Random], str | None]]:
    frame = load_dataset("penguins")
    frame["when"] = pd.Timestamp("2020-01-01") + pd.to_timedelta(np.arange(len(frame)) * 7 % 1000, unit="h")
    frame["code"] = [f"{number:06x}" for number in range(10**6, 10**6 + len(frame))]
    model = SynthGAN(epochs=2, hidden_dim=8, random_state=0, protect_rare=2)
    model.fit(frame, target="species", checkpoint=folder / "checkpoints", checkpoint_every=1)
    model.save(folder / "model.synthgan")
    write_schema(model.schema_, folder / "schema.toml")
    write_schema(model.schema_, folder / "schema.json")
    frame.to_csv(folder / "table.csv", index=False)
    good_model, good_rows = (folder / "model.synthgan").read_bytes(), model.sample(5, random_state=0)
    members = read_archive(folder / "model.synthgan")
    checkpoint = max((folder / "checkpoints").iterdir())
    good_checkpoint = checkpoint.read_bytes()
    about, saved = CheckpointFolder(folder / "checkpoints").read() or ({}, {})
    bare = {key: value for key, value in about.items() if key not in SEALS}
    victim, names = folder / "victim", list(frame)
    for suffix in ("", ".toml", ".json", ".csv", ".csv.gz", ".parquet"):  # so that every case finds them there
        (folder / f"victim{suffix}").write_bytes(b"")
    (folder / "victims").mkdir()

    def model_bytes(rng: random.Random) -> str | None:
        victim.write_bytes(bytes_changed(good_model, rng))
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
        "model files, bytes": model_bytes, "model files, resealed": model_resealed,
        "checkpoints, bytes": checkpoint_bytes, "checkpoints, resealed": checkpoint_resealed,
        "schemas": schema, "tables in files": table_file, "conditions": condition, "tables fitted": fitted,
    }  # fmt: skip


SEALS = ("kind", "format", "sha256", "digest")


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


# --- kills


def kills(args: argparse.Namespace) -> dict[str, Any]:
    """Kill forked trainings at random moments, resume them, and compare every tensor with a training left in peace."""
    frame = load_dataset("penguins").sample(150, random_state=0)
    rng = random.Random(args.seed)
    settings = {"epochs": 40, "batch_size": 50, "hidden_dim": 16, "adversarial_share": 0.3, "random_state": 5}

    def train(place: Path, every: int) -> None:
        final: list[str] = []
        finish = Training._finish

        def watched(self: Training) -> None:
            final.append(digest(self.state_dict()))
            finish(self)

        Training._finish = watched  # type: ignore[method-assign]
        model = SynthGAN(**settings).fit(frame, checkpoint=place / "c", checkpoint_every=every, resume=True)
        model.save(place / "model.synthgan")
        weights = digest(dict(model.model_.generator.state_dict()))  # type: ignore[union-attr]
        (place / "done").write_text(
            json.dumps([final[-1], weights, digest(model.sample(50, random_state=0).to_dict())])
        )

    tally, n_kills, saving = Counter[str](), 0, 0
    with tempfile.TemporaryDirectory() as name:
        straight = Path(name) / "straight"
        straight.mkdir()
        began = time.monotonic()
        _fork(functools.partial(train, straight, 10**6), None)
        whole = time.monotonic() - began
        expected = (straight / "done").read_text()
        file = _members(straight / "model.synthgan")
        chain = 0
        while n_kills < args.kills:
            chain += 1
            place = Path(name) / f"chain{chain}"
            place.mkdir()
            every = 1 if args.part == "saves" else rng.choice((1, 1, 5, 20))
            while not (place / "done").exists():
                after = rng.uniform(0, whole) if n_kills < args.kills else None
                n_kills += _fork(functools.partial(train, place, every), after, place if args.part == "saves" else None)
                saving += bool(list(place.rglob("*.tmp")))
                if (place / "c").is_dir() and any((place / "c").glob("*.checkpoint")):
                    found = max((place / "c").glob("*.checkpoint"))
                    try:
                        CheckpointFolder(place / "c")._read(found)
                        tally["newest checkpoint sound"] += 1
                    except SynthganError:
                        tally["newest checkpoint damaged"] += 1
                else:
                    tally["no checkpoint yet"] += 1
            same = (place / "done").read_text() == expected and _members(place / "model.synthgan") == file
            tally["chains bit by bit the same" if same else "chains that differ"] += 1
            tally["leftovers after the end"] += len(list(place.rglob("*.tmp")))
            print(chain, n_kills, dict(tally), flush=True)
    return {"kills": n_kills, "chains": chain, "kills_while_a_file_was_being_written": saving, **tally}


def _members(path: Path) -> list[bytes]:
    """The members of a model file that hold no clock times."""
    with zipfile.ZipFile(path) as file:
        return [file.read(name) for name in ("arrays.safetensors", "weights.safetensors")]


def _fork(work: Callable[[], None], kill_after: float | None, watched: Path | None = None) -> bool:
    """Run `work` in a forked process; kill it after so many seconds; returns whether it was killed.

    Where a folder is `watched`, wait on until a file is being written in it.
    """
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
        while watched is not None and not any((watched / "c").glob(".*.tmp")):
            if os.waitpid(child, os.WNOHANG)[0]:
                return False
        os.kill(child, signal.SIGKILL)
    _, status = os.waitpid(child, 0)
    if os.WIFEXITED(status) and os.WEXITSTATUS(status):
        raise SystemExit("a training failed")
    return os.WIFSIGNALED(status)


# --- determinism

FRESH = """
import hashlib, sys, torch
torch.set_num_threads(int(sys.argv[1]))
from synthgan import SynthGAN, load_dataset
frame = load_dataset("adult").head(2000)
model = SynthGAN(epochs=12, hidden_dim=64, adversarial_share=0.3, random_state=1).fit(frame, target="income")
model.save(sys.argv[2])
weights = b"".join(weight.numpy().tobytes() for weight in model.model_.generator.state_dict().values())
rows = model.sample(3000, random_state=3).to_csv(index=False)
print(hashlib.sha256(weights).hexdigest()[:16], hashlib.sha256(rows.encode()).hexdigest()[:16])
"""
WORKER = """
import hashlib, sys, torch
torch.set_num_threads(int(sys.argv[1]))
from concurrent.futures import ThreadPoolExecutor
from synthgan import SynthGAN
model = SynthGAN.load(sys.argv[2], device="cpu")
draw = lambda _: hashlib.sha256(model.sample(3000, random_state=3).to_csv(index=False).encode()).hexdigest()[:16]
with ThreadPoolExecutor(int(sys.argv[3])) as pool:
    print(" ".join(pool.map(draw, range(int(sys.argv[3])))))
"""


def determinism(_: argparse.Namespace) -> dict[str, Any]:
    """Hashes of weights and rows from fresh processes."""
    with tempfile.TemporaryDirectory() as name:
        runs = {
            f"{threads} threads, process {place}": _python(FRESH, threads, f"{name}/{threads}-{place}")
            for threads in (1, 2)
            for place in (1, 2)
        }
        file = f"{name}/1-1"
        one = _python(WORKER, 1, file, 1)
        four = [_python(WORKER, 1, file, 1) for _ in range(4)]
        shared = _python(WORKER, 1, file, 4)
        two_threads = _python(WORKER, 2, file, 1)
        files = {key: hashlib.sha256(Path(f"{name}/{key}").read_bytes()).hexdigest()[:16] for key in ("1-1", "2-1")}
    return {
        "fit and sample (weights, rows)": runs,
        "same in two processes, 1 thread": runs["1 threads, process 1"] == runs["1 threads, process 2"],
        "same in two processes, 2 threads": runs["2 threads, process 1"] == runs["2 threads, process 2"],
        "same with 1 and 2 threads (not promised)": runs["1 threads, process 1"] == runs["2 threads, process 1"],
        "model files": files,
        "rows, one worker": one,
        "same rows from 4 worker processes": set(four) == {one},
        "same rows from 4 threads that share a model": set(shared.split()) == {one},
        "same rows with 2 compute threads (not promised)": two_threads == one,
    }


def _python(code: str, *args: object) -> str:
    command = [sys.executable, "-c", code, *map(str, args)]
    return subprocess.run(command, check=True, capture_output=True, text=True).stdout.strip()


# --- what is in a file


def scan(args: argparse.Namespace) -> dict[str, Any]:
    """Search default model files for what few rows hold."""
    found = {}
    for path in args.tables:
        frame = read_table(path)
        model = SynthGAN(random_state=0, max_seconds=args.max_seconds).fit(frame)
        with tempfile.TemporaryDirectory() as name:
            file = Path(name) / "m.synthgan"
            model.save(file)
            found[path.name.split(".")[0]] = _scanned(frame, model, file)
        print(json.dumps(found, indent=1, ensure_ascii=False), flush=True)
    return found


def _scanned(frame: pd.DataFrame, model: SynthGAN, path: Path, few: int = 5) -> dict[str, Any]:
    content = path.read_bytes()
    with zipfile.ZipFile(path) as file:
        state = json.loads(file.read("state.json"))
    _, whole, _ = read_archive(path)
    encoders = {item["name"]: item for item in whole["encoder"]["columns"]}
    specs = {item["name"]: item for item in state["schema"]["columns"]}
    columns = {}
    for name in frame:
        counts = frame[name].value_counts()
        rare = counts.index[counts < few]
        if pd.api.types.is_numeric_dtype(frame[name]) and not pd.api.types.is_bool_dtype(frame[name]):
            stored = _numbers(encoders.get(name, {})) | _numbers(specs.get(name, {}))
            hits = [value for value in rare.tolist() if float(value) in stored]
        else:
            hits = [value for value in map(str, rare) if json.dumps(value, ensure_ascii=False).encode() in content]
        columns[str(name)] = {"values_in_fewer_than_5_rows": len(rare), "found": len(hits), "which": hits[:20]}
    lines = frame.astype(str).agg(",".join, axis=1).sample(min(len(frame), 2000), random_state=0)
    coded = model.model_.encoder.encode(frame).codes
    rows = {row.tobytes() for row in coded}
    width = coded.shape[1]
    windows = sum(content[place : place + width] in rows for place in range(len(content) - width))
    return {
        "file_bytes": len(content),
        "rows_as_text_found": int(
            sum(line.encode() in content for line in lines.sample(min(len(lines), 2000), random_state=0))
        ),
        "rows_as_codes_found": windows,
        "rare_values": sum(column["values_in_fewer_than_5_rows"] for column in columns.values()),
        "rare_values_found": sum(column["found"] for column in columns.values()),
        "columns": {name: column for name, column in columns.items() if column["values_in_fewer_than_5_rows"]},
    }


def _numbers(tree: Any) -> set[float]:
    if isinstance(tree, dict):
        return set().union(*(_numbers(value) for key, value in tree.items() if key not in ("code", "weight", "step")))
    if isinstance(tree, (list, tuple)):
        return set().union(*map(_numbers, tree)) if tree else set()
    if isinstance(tree, np.ndarray):
        return set(tree.astype(float).tolist())
    if isinstance(tree, (int, float)) and not isinstance(tree, bool):
        return {float(tree)}
    return set()


# --- memory

MEASURE = """
import json, re, sys
from pathlib import Path
from synthgan import SynthGAN
from synthgan.io import read_table
frame = read_table(sys.argv[1])
model = SynthGAN(max_seconds=8, random_state=0, **json.loads(sys.argv[2]))
plan = model.plan(frame)
model.fit(frame)
peak = int(re.search(r"VmHWM:\\s+(\\d+)", Path("/proc/self/status").read_text())[1]) * 1024
sizes = {"predicted": plan.peak_bytes, "training": plan.memory_bytes, "batch": plan.batch_size}
print(json.dumps(sizes | {"measured": peak}))
"""


def memory(args: argparse.Namespace) -> list[dict[str, Any]]:
    """Peaks of memory, each in a fresh process."""
    settings: list[dict[str, Any]] = [{}, {"batch_size": 4000}, {"batch_size": 100}, {"hidden_dim": 1024}]
    settings += [{"adversarial_share": 0.5}, {"batch_size": 20_000}, {"batch_size": 20_000, "max_megabytes": 300}]
    rows = []
    for path in args.tables:
        for setting in settings:
            row = json.loads(_python(MEASURE, path, json.dumps(setting)).splitlines()[-1])
            megabytes = {key: round(row[key] / 1e6) for key in ("predicted", "measured", "training")}
            share = round(row["predicted"] / row["measured"] - 1, 3)
            rows.append(
                {"table": path.name.split(".")[0], **setting, **megabytes, "batch": row["batch"], "error": share}
            )
            print(json.dumps(rows[-1]), flush=True)
    return rows


if __name__ == "__main__":
    main()
