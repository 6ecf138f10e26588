#!/usr/bin/env python3
"""Write the model files of the present format, which all later versions have to load. Run it once per format version.

python tests/data/make_model_file.py

Penguins are too few for a critic; the second file has one.
"""

from __future__ import annotations

from pathlib import Path

from synthgan import SynthGAN, load_dataset
from synthgan.persistence import FORMAT

if __name__ == "__main__":
    folder = Path(__file__).parent
    model = SynthGAN(epochs=40, hidden_dim=12, random_state=0).fit(load_dataset("penguins"), target="species")
    model.save(folder / f"penguins-format-{FORMAT}.synthgan")
    model = SynthGAN(epochs=8, hidden_dim=12, random_state=0).fit(load_dataset("adult").head(2000), target="income")
    model.save(folder / f"adult-format-{FORMAT}.synthgan")
