"""The section on training."""

from __future__ import annotations

import numpy as np
import pandas as pd

from synthgan import VanillaGAN
from synthgan.report.training import training


def history() -> pd.DataFrame:
    return pd.DataFrame(
        {
            "step": [10, 20, 30],
            "n_steps": 30,
            "phase": "adversarial",
            "generator": [0.7, np.nan, 0.6],
            "discriminator_accuracy": [0.9, 0.7, 0.6],
            "discriminator_accuracy_low": [0.8, 0.6, 0.5],
            "discriminator_accuracy_high": [1.0, 0.8, 0.7],
            "other": [1.0, np.inf, 3.0],
            "alarms": ["", None, "mode <collapse>: do this"],
        }
    )


def test_each_quantity_is_a_chart_over_steps() -> None:
    found = training(history())
    charts = {chart["name"]: chart for chart in found["training"]}
    assert list(charts) == ["generator", "discriminator_accuracy", "other"]
    assert charts["generator"]["rows"] == [(10, 0.7), (30, 0.6)]
    assert charts["other"]["rows"] == [(10, 1.0), (30, 3.0)]
    assert charts["other"]["meaning"] == ""
    assert "cannot tell" in charts["discriminator_accuracy"]["meaning"]
    assert all(chart["x_label"] == "step" for chart in charts.values())


def test_an_accuracy_comes_with_its_interval() -> None:
    svg = {chart["name"]: str(chart["svg"]) for chart in training(history())["training"]}
    assert svg["discriminator_accuracy"].count('<path class="line') == 3
    assert svg["generator"].count('<path class="line') == 1


def test_alarms_are_told_in_order() -> None:
    assert training(history())["alarms"] == ["mode <collapse>: do this"]
    assert training(history().drop(columns="alarms"))["alarms"] == []


def test_a_models_own_history() -> None:
    rng = np.random.default_rng(0)
    model = VanillaGAN(
        epochs=8, generator_dims=(8,), discriminator_dims=(8,), discriminator_lr=0.01, generator_lr=1e-6, random_state=0
    ).fit(pd.DataFrame({"x": rng.normal(size=300), "y": rng.choice(["a", "b"], 300)}))
    names = [chart["name"] for chart in training(model.history_)["training"]]
    assert {"validation", "generator", "fidelity", "mode_coverage", "diversity", "generator_gradient"} <= set(names)
