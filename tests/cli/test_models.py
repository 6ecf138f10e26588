"""`synthgan fit --model` and `--live`, and what other commands make of such files."""

from __future__ import annotations

import io
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
from rich.console import Console
from synthgan_cli import console
from synthgan_cli.console import Notes
from synthgan_cli.live import LiveCurves, braille

from synthgan import load
from synthgan.training import Alarm, StepReport

Run = Callable[..., Any]
MODELS = {"synthgan": "SynthGAN", "ctgan": "CTGAN", "tvae": "TVAE", "vanilla": "VanillaGAN"}


@pytest.mark.parametrize("name", list(MODELS))
def test_fit_sample_inspect(name: str, run: Run, penguins: Path, tmp_path: Path) -> None:
    path = tmp_path / "m.synthgan"
    fitted = run("fit", penguins, "--model", name, "--epochs", "1", "--target", "species", "--out", path)
    assert fitted.exit_code == 0, fitted.stderr
    assert type(load(path)).__name__ == MODELS[name]
    rows = run("sample", path, "--class-counts", "Adelie=4,Gentoo=2")
    assert rows.exit_code == 0, rows.stderr
    drawn = pd.read_csv(io.StringIO(rows.stdout))
    assert drawn["species"].tolist() == ["Adelie"] * 4 + ["Gentoo"] * 2
    shown = json.loads(run("inspect", path, "--json").stdout)
    assert shown["info"]["model"] == MODELS[name]


def test_what_a_reference_model_cannot_do(run: Run, penguins: Path, tmp_path: Path) -> None:
    path = tmp_path / "m.synthgan"
    run("fit", penguins, "--model", "vanilla", "--epochs", "1", "--out", path)
    for option in ("--passes", "--jobs"):
        refused = run("sample", path, "-n", "3", option, "2")
        assert refused.exit_code == 2
        assert "one pass" in refused.stderr
    imputed = run("impute", path, penguins)
    assert imputed.exit_code == 4
    assert "VanillaGAN, not a SynthGAN" in imputed.stderr
    unknown = run("fit", penguins, "--model", "gan")
    assert unknown.exit_code == 2
    assert "ctgan" in unknown.stderr


def test_live_without_a_terminal_says_so(run: Run, penguins: Path, tmp_path: Path) -> None:
    result = run("fit", penguins, "--live", "--epochs", "1", "--out", tmp_path / "m.synthgan")
    assert result.exit_code == 0
    assert "--live draws on a terminal only" in result.stderr


def test_live_draws_curves_and_alarms(monkeypatch: pytest.MonkeyPatch) -> None:
    screen = Console(file=io.StringIO(), force_terminal=True, width=100, height=60, color_system=None)
    monkeypatch.setattr(console, "_console", lambda to_stderr: screen)
    alarm = Alarm("mode collapse", 30, "20 % of the groups are reached")
    with LiveCurves(Notes(quiet=False), None) as curves:
        for step in range(1, 4):
            alarms = (alarm,) if step == 3 else ()
            numbers = {"fidelity": 0.2 * step}
            curves.update(
                StepReport(
                    step * 10, 30, 0.1 * step, "adversarial", {"generator": 3.0 - step}, 0.1, 0.1, numbers, alarms
                )
            )
    drawn = screen.file.getvalue()
    assert "fidelity to rows held out: 0.600" in drawn
    assert "loss: generator: 0.000" in drawn
    assert alarm.advice[:40] in drawn
    assert "step 30/30" in drawn
    assert curves.alarms == [alarm]


def test_braille_marks_every_point() -> None:
    rising = braille([(x, x) for x in range(8)], 4, 2)
    assert [len(line) for line in rising] == [4, 4]
    dots = sum(bin(ord(cell) - 0x2800).count("1") for line in rising for cell in line)
    assert dots == 8
    # The first point is at the bottom left, the last at the top right.
    assert ord(rising[1][0]) - 0x2800 & 0x40
    assert ord(rising[0][-1]) - 0x2800 & 0x08
    assert braille([], 2, 1) == ["\u2800\u2800"]
    assert braille([(0, float("nan")), (1, 5.0)], 1, 1) != ["\u2800"]
