"""Other people's models, each in an environment of its own.

They are measured, never imported by synthgan: `peer_fit.py` runs in the peer's environment and speaks to it by files.
"""

from __future__ import annotations

import dataclasses
import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

HERE = Path(__file__).parent


@dataclasses.dataclass(frozen=True)
class Environment:
    """A virtual environment: what pip installs, one call each in this order, and what is taken out again."""

    installs: tuple[tuple[str, ...], ...]
    uninstalls: tuple[str, ...] = ()


TORCH = ("torch==2.13.0",)
ENVIRONMENTS = {
    "ctgan": Environment((TORCH, ("ctgan==0.12.1",))),
    # Its torchvision and torchaudio are built against another torch, and it works without.
    "argn": Environment((TORCH, ("mostlyai-engine==2.7.3",)), ("torchvision", "torchaudio")),
    "arf": Environment((("arfpy==0.1.1", "numpy<2", "pandas<3"),)),  # written for these
    "smote": Environment((("imbalanced-learn==0.14.2", "pandas"),)),
    "qa": Environment((TORCH, ("mostlyai-qa==1.10.11",)), ("torchvision", "torchaudio")),
}
# name in the results -> environment
PEERS = {"ctgan": "ctgan", "tvae": "ctgan", "tabularargn": "argn", "arf": "arf", "smote-nc": "smote"}


def python_of(name: str, cache: Path) -> Path:
    """Return the interpreter of an environment, made on first use and again when its packages change."""
    wanted, folder = ENVIRONMENTS[name], (cache / name).absolute()
    python, stamp = folder / "bin" / "python", folder / ".made-of"
    recipe = json.dumps(dataclasses.asdict(wanted))
    if not stamp.is_file() or stamp.read_text() != recipe:
        print(f"making the environment {folder}", file=sys.stderr, flush=True)
        subprocess.run([sys.executable, "-m", "venv", "--clear", str(folder)], check=True)
        pip = [str(python), "-m", "pip", "--quiet", "--disable-pip-version-check"]
        for packages in wanted.installs:
            subprocess.run([*pip, "install", *packages], check=True)
        if wanted.uninstalls:
            subprocess.run([*pip, "uninstall", "--yes", *wanted.uninstalls], check=True)
        stamp.write_text(recipe)
    return python


def fit_peer(
    model: str, train: Path, out: Path, target: str, seed: int, threads: int, cache: Path, options: dict[str, Any]
) -> dict[str, Any]:
    """Fit a peer on the CSV file `train` and write as many synthetic rows to `out`; return seconds, memory, versions.

    Raises
    ------
    subprocess.CalledProcessError
        When the peer fails; its own words are on standard error.
    """
    report = out.with_suffix(".json")
    subprocess.run(
        [python_of(PEERS[model], cache), HERE / "peer_fit.py", model, train, out, report, target, str(seed),
         str(threads), json.dumps(options)],
        check=True,
        env=os.environ | {"OMP_NUM_THREADS": str(threads), "PYTHONWARNINGS": "ignore"},
        stdout=sys.stderr,
    )  # fmt: skip
    return dict(json.loads(report.read_text()))
