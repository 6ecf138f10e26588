"""What textbooks show of GANs, run here: a normal distribution learned, modes counted, and every trouble provoked."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd
import pytest
import torch
from sklearn.ensemble import HistGradientBoostingClassifier
from sklearn.model_selection import cross_val_predict

from synthgan import TVAE, SynthGAN, VanillaGAN, load_dataset
from synthgan.training.looks import rank_accuracy

Points = npt.NDArray[np.float64]

RING = 2 * np.stack([np.cos(np.arange(8) * np.pi / 4), np.sin(np.arange(8) * np.pi / 4)], axis=1)
GRID = 2.0 * np.stack([np.arange(25) % 5 - 2, np.arange(25) // 5 - 2], axis=1)
SPREAD = 0.2


@pytest.fixture(autouse=True)
def _one_thread() -> None:
    torch.set_num_threads(1)


def around(centres: Points, n: int) -> pd.DataFrame:
    rng = np.random.default_rng(0)
    points = centres[rng.integers(0, len(centres), n)] + rng.normal(0, SPREAD, (n, 2))
    return pd.DataFrame(points, columns=["x", "y"])


def modes(rows: pd.DataFrame, centres: Points) -> tuple[int, float]:
    """How many centres have a fifth of their share of rows within three standard deviations, and how many rows have."""
    distance = np.linalg.norm(rows.to_numpy()[:, None] - centres, axis=2)
    near = distance.min(axis=1) < 3 * SPREAD
    counts = np.bincount(distance.argmin(axis=1)[near], minlength=len(centres))
    return int((counts >= 0.2 * len(rows) / len(centres)).sum()), float(near.mean())


@pytest.mark.slow
def test_a_normal_distribution_in_two_dimensions() -> None:
    """Noise 100, hidden layer 256, Adam 1e-3, batch 64, 1000 epochs.

    The generator keeps moving around the solution, so single numbers are off by some tenths of a standard deviation.
    """
    mean, covariance = np.array([1.0, -2.0]), np.array([[1.0, 0.6], [0.6, 2.0]])
    points = np.random.default_rng(0).multivariate_normal(mean, covariance, 320)
    table = pd.DataFrame(points, columns=["x", "y"])
    model = VanillaGAN(
        epochs=1000,
        noise_dim=100,
        generator_dims=(256,),
        discriminator_dims=(256,),
        activation="relu",
        batch_size=64,
        generator_lr=1e-3,
        discriminator_lr=1e-3,
        random_state=0,
    ).fit(table)
    rows = model.sample(2000, random_state=0)
    deviation = table.std()
    assert ((rows.mean() - table.mean()).abs() < 0.4 * deviation).all()
    scale = np.outer(deviation, deviation)
    assert (np.abs(np.cov(rows.T) - np.cov(table.T)) < 0.45 * scale).all()
    other = pd.DataFrame(np.random.default_rng(1).multivariate_normal(mean, covariance, 2000), columns=["x", "y"])
    both, real = pd.concat([other, rows]), np.r_[np.ones(2000), np.zeros(2000)]
    judge = HistGradientBoostingClassifier(max_iter=30, random_state=0)
    score = cross_val_predict(judge, both, real, method="predict_proba", cv=3)[:, 1]
    assert rank_accuracy(score[:2000].astype("f4"), score[2000:].astype("f4"))[0] < 0.72
    assert model.alarms_ == []


@pytest.mark.slow
@pytest.mark.parametrize(
    ("centres", "epochs", "rate", "least", "share"),
    [(RING, 200, 5e-4, 8, 0.6), (GRID, 500, 1e-3, 20, 0.4)],
    ids=["ring of 8", "grid of 25"],
)
def test_modes_are_found(centres: Points, epochs: int, rate: float, least: int, share: float) -> None:
    """A plain GAN leaves much between the modes of the grid: rows spread evenly would put 0.28 near them."""
    model = VanillaGAN(
        loss="relativistic",
        epochs=epochs,
        batch_size=256,
        noise_dim=16,
        generator_dims=(128, 128),
        discriminator_dims=(128, 128),
        generator_lr=rate,
        discriminator_lr=rate,
        random_state=0,
    ).fit(around(centres, 2000))
    found, near = modes(model.sample(2500, random_state=0), centres)
    assert found >= least
    assert near > share
    assert "mode collapse" not in [alarm.name for alarm in model.alarms_]


TROUBLES: dict[str, dict[str, Any]] = {
    "vanishing gradients": {
        "loss": "minimax",
        "discriminator_lr": 1e-2,
        "discriminator_steps": 5,
        "generator_lr": 1e-5,
    },
    "overpowering discriminator": {"discriminator_lr": 5e-3, "discriminator_steps": 5, "generator_lr": 1e-5},
    "mode collapse": {"discriminator_lr": 1e-4, "generator_lr": 1e-2},
}


@pytest.mark.parametrize("trouble", list(TROUBLES))
def test_each_trouble_raises_its_alarm(trouble: str) -> None:
    small = {"noise_dim": 8, "generator_dims": (32,), "discriminator_dims": (64, 64), "epochs": 40, "random_state": 0}
    model = VanillaGAN(**small, **TROUBLES[trouble]).fit(around(RING, 600))
    assert trouble in [alarm.name for alarm in model.alarms_]
    told = model.history_.loc[model.history_["alarms"].str.contains(trouble), "alarms"]
    assert len(told) == 1
    assert next(alarm for alarm in model.alarms_ if alarm.name == trouble).advice in told.iloc[0]


def test_the_same_game_without_trouble_raises_none() -> None:
    model = VanillaGAN(noise_dim=8, generator_dims=(32,), discriminator_dims=(64, 64), epochs=40, random_state=0).fit(
        around(RING, 600)
    )
    assert model.alarms_ == []


def test_an_autoencoder_learns_what_goes_together() -> None:
    rng = np.random.default_rng(0)
    kind = rng.choice(["a", "b", "c"], 1500, p=[0.6, 0.3, 0.1])
    x = pd.Series(kind).map({"a": 0.0, "b": 10.0, "c": 30.0}) + rng.normal(0, 1, 1500)
    table = pd.DataFrame({"kind": kind, "x": x})
    settings = {"encoder_dims": (32,), "decoder_dims": (32,), "latent_dim": 8, "lr": 5e-3, "random_state": 0}
    model = TVAE(epochs=60, batch_size=100, **settings)
    rows = model.fit(table).sample(3000, random_state=0)
    shares = rows["kind"].value_counts(normalize=True)
    assert (shares - table["kind"].value_counts(normalize=True)).abs().max() < 0.1
    centre = rows.groupby("kind")["x"].median()
    assert abs(centre["a"] - 0) < 3
    assert abs(centre["b"] - 10) < 3
    assert abs(centre["c"] - 30) < 6
    assert model.history_["reconstruction"].iloc[-1] < model.history_["reconstruction"].iloc[0]


@pytest.mark.slow
def test_a_default_fit_raises_no_alarm() -> None:
    model = SynthGAN(random_state=0).fit(load_dataset("penguins"), target="species")
    assert model.alarms_ == []
    assert np.isfinite(model.history_["likelihood_gradient"].dropna()).all()


@pytest.mark.slow
def test_a_default_fit_of_a_larger_table_raises_no_alarm() -> None:
    model = SynthGAN(random_state=0, max_seconds=20).fit(load_dataset("adult"), target="income")
    assert model.alarms_ == []
