"""The same code on a CUDA device."""

from __future__ import annotations

import itertools
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
import torch
from torch import Tensor

from synthgan import CTGAN, TVAE, Synthesizer, SynthGAN, VanillaGAN, load
from synthgan.models import CodeAxis, DiscriminatorConfig, GeneratorConfig
from synthgan.training.config import TrainingConfig
from synthgan.training.state import TrainState, new_state
from synthgan.training.steps import adversarial_step, likelihood_step, pass_step, stand_in_step

pytestmark = [pytest.mark.gpu, pytest.mark.skipif(not torch.cuda.is_available(), reason="no CUDA device here")]

N_ROWS = 2400
"""Enough for a critic."""


@pytest.fixture(scope="module")
def table() -> pd.DataFrame:
    """Numbers, one of them like the other, categories that follow from them, dates and missing cells."""
    rng = np.random.default_rng(0)
    x = rng.normal(size=N_ROWS)
    y = np.round(x + 0.5 * rng.normal(size=N_ROWS), 2)
    label = np.where(rng.random(N_ROWS) < 1 / (1 + np.exp(-2 * x)), "yes", "no")
    return pd.DataFrame(
        {
            "x": np.where(rng.random(N_ROWS) < 0.1, np.nan, x),
            "y": y,
            "city": rng.choice(["Ulm", "Bonn", "Köln"], N_ROWS, p=[0.6, 0.3, 0.1]),
            "day": pd.Timestamp("2024-01-01") + pd.to_timedelta(rng.integers(0, 500, N_ROWS), unit="D"),
            "label": label,
        }
    )


def fitted(table: pd.DataFrame, target: str | None, **settings: object) -> SynthGAN:
    return SynthGAN(epochs=20, hidden_dim=64, device="cuda", random_state=0, **settings).fit(table, target=target)  # type: ignore[arg-type]


def test_a_model_fitted_on_the_gpu_samples_there_and_on_the_cpu(mixed_table: pd.DataFrame, tmp_path: Path) -> None:
    model = SynthGAN(epochs=20, adversarial_share=0.3, device="cuda", random_state=0).fit(mixed_table, target="plan")
    rows = model.sample(500, conditions={"age": (30, 40)}, random_state=0)
    assert rows["age"].between(30, 40).all()
    assert rows.equals(model.sample(500, conditions={"age": (30, 40)}, random_state=0))
    assert np.isfinite(model.score_samples(mixed_table)).all()
    model.save(tmp_path / "m.synthgan")
    there = SynthGAN.load(tmp_path / "m.synthgan", device="cpu").sample(class_counts={"pro": 7, "free": 3})
    assert there["plan"].value_counts().to_dict() == {"pro": 7, "free": 3}


@pytest.mark.parametrize("target", ["label", "y", None])
def test_the_critic_and_the_targets_trees_work_there(table: pd.DataFrame, target: str | None, tmp_path: Path) -> None:
    model = fitted(table, target)
    generator: Any = model.model_.generator
    assert generator.critic is not None
    assert (generator.target is None) == (target is None)
    rows = model.sample(3000, random_state=1)
    assert rows.head(40).equals(model.sample(40, random_state=1))
    conditions: dict[str | int, Any] = {"city": {"Bonn", "Ulm"}, "day": ("2024-02-01", "2024-06-30"), "label": "yes"}
    some = model.sample(200, conditions=conditions, random_state=1)
    assert some["city"].isin(["Bonn", "Ulm"]).all()
    assert some["day"].between("2024-02-01", "2024-06-30").all()
    assert (some["label"] == "yes").all()
    holes = table.head(100).mask(np.random.default_rng(1).random((100, table.shape[1])) < 0.3)
    assert model.impute(holes, random_state=1).notna().all().drop("x").all()

    model.save(tmp_path / "m.synthgan")
    there = SynthGAN.load(tmp_path / "m.synthgan", device="cpu").sample(3000, random_state=1)
    assert abs((rows["label"] == "yes").mean() - (there["label"] == "yes").mean()) < 0.05
    assert abs(rows["y"].mean() - there["y"].mean()) < 0.1
    back = SynthGAN.load(tmp_path / "m.synthgan", device="cuda")
    assert back.sample(40, random_state=1).equals(rows.head(40))


@pytest.mark.parametrize("n_passes", [1, 2, 4])
def test_few_passes_work_there(table: pd.DataFrame, n_passes: int) -> None:
    model = fitted(table, "label")
    for select in (1, 4):
        rows = model.sample(300, n_passes=n_passes, select=select, random_state=2)
        assert rows.equals(model.sample(300, n_passes=n_passes, select=select, random_state=2))
        assert len(rows) == 300


def test_a_fit_there_is_taken_up_again(table: pd.DataFrame, tmp_path: Path) -> None:
    settings: dict[str, Any] = {
        "epochs": 4,
        "hidden_dim": 32,
        "adversarial_share": 0.3,
        "device": "cuda",
        "random_state": 0,
    }
    asked, steps = itertools.count(), []
    SynthGAN(**settings).fit(table, checkpoint=tmp_path, stop=lambda: next(asked) == 12)
    again = SynthGAN(**settings).fit(table, checkpoint=tmp_path, resume=True, callback=lambda r: steps.append(r.step))
    assert steps
    assert min(steps) > 12
    assert len(again.sample(20, random_state=0)) == 20


@pytest.mark.parametrize("kind", [CTGAN, TVAE, VanillaGAN])
def test_reference_models_work_there(kind: type[Synthesizer], table: pd.DataFrame, tmp_path: Path) -> None:
    model = kind(epochs=2, device="cuda", random_state=0).fit(table, target="label")  # type: ignore[call-arg]
    rows = model.sample(100, random_state=0)
    assert rows.equals(model.sample(100, random_state=0))
    model.save(tmp_path / "m.synthgan")
    assert len(load(tmp_path / "m.synthgan", device="cpu").sample(10, random_state=0)) == 10


def new_state_of(table: pd.DataFrame, *, n_members: int = 1, stand_ins: bool = False) -> TrainState:
    model = SynthGAN(epochs=1, hidden_dim=8, select=1, device="cpu", random_state=0).fit(table)
    encoder = model.model_.encoder
    sizes = GeneratorConfig(hidden_dim=64, dropout=0.1, n_members=n_members), DiscriminatorConfig(8, 1)
    axis, config = CodeAxis(encoder.layout).to("cuda"), TrainingConfig(batch_size=100)
    rows = encoder.encode(table)
    return new_state(rows, axis, config, *sizes, 0, torch.bfloat16, encoder=encoder if stand_ins else None)


STEPS = [likelihood_step, pass_step, stand_in_step]


@pytest.mark.parametrize("step", STEPS)
@pytest.mark.parametrize("n_members", [1, 2])
def test_recorded_steps_are_those_taken_one_by_one(
    table: pd.DataFrame, step: Callable[[TrainState], Tensor], n_members: int
) -> None:
    recorded, plain = (new_state_of(table[:500], n_members=n_members, stand_ins=step is stand_in_step) for _ in "ab")
    found = [float(step(recorded)) for _ in range(8)]
    assert recorded.recording is not None
    plain.records = False
    wanted = [float(step(plain)) for _ in range(8)]
    assert plain.recording is None
    assert len(set(found)) == 8  # each batch is another
    np.testing.assert_allclose(found, wanted, rtol=0.02)
    for name, stream in recorded.streams.items():
        assert torch.equal(stream.get_state(), plain.streams[name].get_state()), name


@pytest.mark.parametrize("step", [*STEPS, adversarial_step])
def test_no_step_waits_for_the_device(table: pd.DataFrame, step: Callable[[TrainState], object]) -> None:
    state = new_state_of(table[:500], stand_ins=step is stand_in_step)
    state.records = False
    step(state)
    try:
        torch.cuda.set_sync_debug_mode("error")
        found = step(state)
    finally:
        torch.cuda.set_sync_debug_mode("default")
    losses = found if isinstance(found, tuple) else (found,)
    assert all(np.isfinite(float(loss)) for loss in losses)
