#!/usr/bin/env python3
"""Write the model file of the present format, which all later versions have to load. Run it once per format version.

python tests/data/make_model_file.py
"""

from __future__ import annotations

from pathlib import Path

from synthgan import SynthGAN, load_dataset
from synthgan.persistence import FORMAT

if __name__ == "__main__":
    model = SynthGAN(epochs=40, hidden_dim=12, random_state=0).fit(load_dataset("penguins"), target="species")
    model.save(Path(__file__).parent / f"penguins-format-{FORMAT}.synthgan")
