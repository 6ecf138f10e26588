"""Results as one JSON file that several runs may add to."""

from __future__ import annotations

import datetime
import fcntl
import json
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any


class Store:
    """Rows of results by table, model and seed: ``{"machine", "judge", "runs": {run: machine}, "rows": [...]}``.

    Every change reads the file, changes it and puts it back whole under a lock, so a run that dies loses nothing and
    two runs may write to one file.

    Parameters
    ----------
    path : Path
    judge : str
        Who scores; one file has one judge.
    machine : dict
        What this run is measured on.
    """

    def __init__(self, path: Path, judge: str, machine: dict[str, Any]) -> None:
        self.path, self.machine = path, machine
        self.run = datetime.datetime.now(datetime.UTC).isoformat(timespec="seconds")
        self._empty = {"machine": machine, "judge": judge, "runs": {}, "rows": []}
        if (found := self._read()["judge"]) != judge:
            raise SystemExit(f"{path} was judged by {found}, this run by {judge}: name another file with --out")

    def rows(self) -> list[dict[str, Any]]:
        return list(self._read()["rows"])

    def has(self, table: str, model: str, seed: int | None) -> bool:
        """Whether there is a result that did not fail."""
        return any(_is(row, table, model, seed) and "failed" not in row for row in self.rows())

    def put(self, table: str, model: str, seed: int | None, rows: list[dict[str, Any]]) -> None:
        """Put `rows` in the place of the results of that table, model and seed."""
        key = {"table": table, "model": model} | ({} if seed is None else {"seed": seed})
        with self._locked():
            document = self._read()
            kept = [row for row in document["rows"] if not _is(row, table, model, seed)]
            document["rows"] = kept + [key | {"run": self.run} | row for row in rows]
            used = {row.get("run") for row in document["rows"]}
            runs = document.get("runs", {}) | {self.run: self.machine}
            document |= {"machine": self.machine, "runs": {run: it for run, it in runs.items() if run in used}}
            temporary = self.path.with_name(self.path.name + ".part")
            temporary.write_text(json.dumps(document, indent=1) + "\n")
            os.replace(temporary, self.path)

    def _read(self) -> dict[str, Any]:
        return dict(json.loads(self.path.read_text())) if self.path.exists() else dict(self._empty)

    @contextmanager
    def _locked(self) -> Iterator[None]:
        folder = os.open(self.path.parent, os.O_RDONLY)
        try:
            fcntl.flock(folder, fcntl.LOCK_EX)
            yield
        finally:
            os.close(folder)


def _is(row: dict[str, Any], table: str, model: str, seed: int | None) -> bool:
    return (row["table"], row["model"], row.get("seed")) == (table, model, seed)
