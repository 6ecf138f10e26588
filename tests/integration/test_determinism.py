"""The same bytes again: in another process, in several workers at once, whatever the number of rows."""

from __future__ import annotations

import hashlib
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pandas as pd
import pytest

from synthgan import SynthGAN

FRESH = """
import hashlib, random, sys
import numpy as np, torch
torch.set_num_threads(1)
from synthgan import SynthGAN, load_dataset
random.seed(int(sys.argv[1])); np.random.seed(int(sys.argv[1])); torch.manual_seed(int(sys.argv[1]))
for settings in ({"adversarial_share": 0.5}, {"n_members": 2}):
    model = SynthGAN(epochs=4, hidden_dim=16, random_state=1, **settings).fit(load_dataset("penguins"))
    weights = b"".join(weight.numpy().tobytes() for weight in model.model_.generator.state_dict().values())
    print(hashlib.sha256(weights + model.sample(300, random_state=3).to_csv().encode()).hexdigest())
"""


@pytest.mark.slow
def test_two_fresh_processes_give_the_same_weights_and_rows() -> None:
    outputs = {
        subprocess.run([sys.executable, "-c", FRESH, seed], capture_output=True, text=True, check=True).stdout
        for seed in "12"
    }
    assert len(outputs) == 1


def test_four_workers_that_share_a_model_draw_the_same_rows(barely: SynthGAN) -> None:
    def digest(_: int) -> str:
        return hashlib.sha256(barely.sample(2500, random_state=3).to_csv().encode()).hexdigest()

    with ThreadPoolExecutor(4) as pool:
        assert set(pool.map(digest, range(4))) == {digest(0)}


def test_batches_and_heads_are_the_same_rows(barely: SynthGAN, tmp_path: Path) -> None:
    barely.save(tmp_path / "m.synthgan")
    rows = barely.sample(2100, random_state=3)
    pd.testing.assert_frame_equal(SynthGAN.load(tmp_path / "m.synthgan").sample(2060, random_state=3), rows.head(2060))
    batches = pd.concat(barely.sample_batches(2100, random_state=3), ignore_index=True)
    pd.testing.assert_frame_equal(batches, rows)
