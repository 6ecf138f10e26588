"""`synthgan tune` from a table to settings that `synthgan fit` takes."""

from __future__ import annotations

import tomllib
from pathlib import Path

import pandas as pd
import pytest

from synthgan import SynthGAN


@pytest.fixture(scope="module")
def rows(tmp_path_factory: pytest.TempPathFactory, penguins: Path) -> Path:
    path = tmp_path_factory.mktemp("tune") / "rows.csv"
    pd.read_csv(penguins)[:90].to_csv(path, index=False)
    return path


def test_from_a_table_to_a_model(run, rows: Path, tmp_path: Path) -> None:
    start, best, page, model = (tmp_path / name for name in ("start.toml", "best.toml", "page.html", "model.synthgan"))
    start.write_text('model = "SynthGAN"\n[settings]\nepochs = 4\n')
    done = run(
        "tune", rows, "--target", "species", "--trials", 2, "--seeds", 1, "--config", start, "--out", best,
        "--report", page, "--storage", tmp_path / "trials.db",
    )  # fmt: skip
    assert done.exit_code == 0, done.stderr
    assert "trial 1 of 2" in done.stderr
    assert "generator_lr" in done.stdout
    written = tomllib.loads(best.read_text())
    assert written["model"] == "SynthGAN"
    assert written["settings"]["epochs"] == 4
    assert "<title>Which settings suit this table?</title>" in page.read_text()

    done = run("fit", rows, "--config", best, "--out", model)
    assert done.exit_code == 0, done.stderr
    settings = SynthGAN.load(model).get_params()
    assert {name: settings[name] for name in written["settings"]} == written["settings"]


def test_an_option_of_fit_goes_before_the_config(run, rows: Path, tmp_path: Path) -> None:
    (tmp_path / "c.toml").write_text("[settings]\nepochs = 500\nhidden_dim = 16\n")
    done = run("fit", rows, "--config", tmp_path / "c.toml", "--epochs", 2, "--out", tmp_path / "m.synthgan")
    assert done.exit_code == 0, done.stderr
    settings = SynthGAN.load(tmp_path / "m.synthgan").get_params()
    assert (settings["epochs"], settings["hidden_dim"]) == (2, 16)


@pytest.mark.parametrize(
    ("text", "options", "message"),
    [
        ('model = "Oracle"', (), "Oracle"),
        ('model = "TVAE"', ("--model", "ctgan"), "--model tvae"),
        ("[settings]\ncolour = 3", (), "no setting 'colour'"),
    ],
)
def test_a_config_that_does_not_fit_is_a_usage_error(
    run, rows: Path, tmp_path: Path, text: str, options: tuple[str, ...], message: str
) -> None:
    (tmp_path / "c.toml").write_text(text)
    done = run("fit", rows, "--config", tmp_path / "c.toml", "--out", tmp_path / "m.synthgan", *options)
    assert done.exit_code == 2
    assert message in done.stderr
    assert not (tmp_path / "m.synthgan").exists()
