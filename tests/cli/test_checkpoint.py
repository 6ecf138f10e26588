"""``synthgan fit --checkpoint``: ended by a signal, taken up by the same command."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
import threading
from pathlib import Path
from typing import Any

import pytest
import typer
from synthgan_cli.fit import parse_megabytes
from synthgan_cli.signals import catching_signals

from synthgan import SynthGAN


def arguments(penguins: Path, folder: Path, out: str, *more: str) -> list[str]:
    base = ["fit", str(penguins), "--epochs", "60", "--out", str(folder / out), "--checkpoint", str(folder / "c")]
    return [*base, "--checkpoint-every", "10", *more]


def numbers(path: Path) -> list[float]:
    return SynthGAN.load(path, device="cpu").sample(30, random_state=0)["body_mass_g"].tolist()


@pytest.mark.slow
@pytest.mark.parametrize(("number", "code"), [(signal.SIGINT, 130), (signal.SIGTERM, 143)])
def test_a_signal_puts_the_training_down(run: Any, penguins: Path, tmp_path: Path, number: int, code: int) -> None:
    command = [sys.executable, "-m", "synthgan_cli", *arguments(penguins, tmp_path, "a.synthgan", "--epochs", "3000")]
    with subprocess.Popen(command, stderr=subprocess.PIPE, text=True) as process:
        assert process.stderr is not None
        assert process.stderr.readline().startswith("plan:")
        while not (tmp_path / "c").is_dir() or len(list((tmp_path / "c").glob("*.checkpoint"))) < 2:
            with pytest.raises(subprocess.TimeoutExpired):
                process.wait(0.2)
        process.send_signal(number)
        message = process.stderr.read()
    assert process.returncode == code
    assert "interrupted: the model is the best so far" in message
    assert len(numbers(tmp_path / "a.synthgan")) == 30
    assert not list(tmp_path.rglob("*.tmp"))
    result = run(*arguments(penguins, tmp_path, "b.synthgan", "--epochs", "2999", "--resume"))
    assert result.exit_code == 2
    assert "epochs 3000, not 2999" in result.stderr


def test_the_same_command_goes_on(run: Any, penguins: Path, tmp_path: Path) -> None:
    assert run(*arguments(penguins, tmp_path, "a.synthgan", "--resume")).exit_code == 0  # nothing there yet
    newest = max((tmp_path / "c").iterdir())
    newest.unlink()
    before = min((tmp_path / "c").iterdir())
    assert re.fullmatch(r"step-\d{8}0\.checkpoint", before.name)
    assert run(*arguments(penguins, tmp_path, "b.synthgan", "--resume")).exit_code == 0
    assert numbers(tmp_path / "a.synthgan") == numbers(tmp_path / "b.synthgan")
    in_the_way = run(*arguments(penguins, tmp_path, "c.synthgan"))
    assert in_the_way.exit_code == 2
    assert "--resume" in in_the_way.stderr
    other = tmp_path / "other.csv"
    other.write_text("a,b\n" + "1,2\n3,4\n" * 30)
    refused = run(*arguments(other, tmp_path, "c.synthgan", "--resume"))
    assert refused.exit_code == 3
    assert "another table" in refused.stderr
    assert not (tmp_path / "c.synthgan").exists()


@pytest.mark.parametrize(
    ("args", "message"),
    [
        (["--resume"], "--checkpoint DIR"),
        (["--max-memory", "lots"], "is no size"),
        (["--max-memory", "1MB"], "too few"),
        (["--max-memory", "1GB", "--model", "ctgan"], "ctgan"),
        (["--checkpoint", "c", "--model", "tvae"], "TVAE cannot be put down"),
    ],
)
def test_wrong_options(
    run: Any, penguins: Path, tmp_path: Path, monkeypatch: Any, args: list[str], message: str
) -> None:
    monkeypatch.chdir(tmp_path)
    result = run("fit", penguins, "--epochs", "1", "--out", tmp_path / "m.synthgan", *args)
    assert result.exit_code == 2
    assert message in result.stderr
    assert not (tmp_path / "m.synthgan").exists()


@pytest.mark.parametrize("text", ["", "2", "-1GB", "0GB", "GB", "1.2.3GB", "2 gallons"])
def test_sizes(text: str) -> None:
    with pytest.raises(typer.BadParameter):
        parse_megabytes(text)


def test_the_second_signal_ends_at_once() -> None:
    before = signal.getsignal(signal.SIGTERM)
    with catching_signals() as signals:
        os.kill(os.getpid(), signal.SIGTERM)
        assert signals()
        assert signals.number == signal.SIGTERM
        with pytest.raises(KeyboardInterrupt):
            os.kill(os.getpid(), signal.SIGINT)
        with pytest.raises(SystemExit):
            os.kill(os.getpid(), signal.SIGTERM)
    assert signal.getsignal(signal.SIGTERM) == before


def test_signals_are_left_alone_in_other_threads() -> None:
    def enter() -> None:
        with catching_signals() as signals:
            seen.append(signals())

    seen: list[bool] = []
    thread = threading.Thread(target=enter)
    thread.start()
    thread.join()
    assert seen == [False]
