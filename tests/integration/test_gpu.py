"""The same code on a CUDA device."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import torch

from synthgan import SynthGAN

pytestmark = [pytest.mark.gpu, pytest.mark.skipif(not torch.cuda.is_available(), reason="no CUDA device here")]


def test_a_model_fitted_on_the_gpu_samples_there_and_on_the_cpu(mixed_table: pd.DataFrame, tmp_path: Path) -> None:
    model = SynthGAN(epochs=20, adversarial_share=0.3, device="cuda", random_state=0).fit(mixed_table, target="plan")
    rows = model.sample(500, conditions={"age": (30, 40)}, random_state=0)
    assert rows["age"].between(30, 40).all()
    assert rows.equals(model.sample(500, conditions={"age": (30, 40)}, random_state=0))
    assert np.isfinite(model.score_samples(mixed_table)).all()
    model.save(tmp_path / "m.synthgan")
    there = SynthGAN.load(tmp_path / "m.synthgan", device="cpu").sample(class_counts={"pro": 7, "free": 3})
    assert there["plan"].value_counts().to_dict() == {"pro": 7, "free": 3}
