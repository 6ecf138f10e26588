"""Rebuild penguins.csv.gz and schema.toml from the copy inside the palmerpenguins wheel."""

import io
import sys
from pathlib import Path

import pandas as pd

sys.path.insert(0, str(Path(__file__).parents[1]))
from fetch import save, wheel_member

data = wheel_member(
    "palmerpenguins==0.1.6",
    "palmerpenguins/data/penguins.csv",
    sha256="f204db2c753b0937caac3cb35258562c14f073e4bbc76be24b4c51ce22767a93",
)
frame = pd.read_csv(io.BytesIO(data))
frame = frame.astype({"flipper_length_mm": "Int64", "body_mass_g": "Int64"})
save(frame, Path(__file__).parent, sha256="7d8686e372cbc0f53a0147c22d164befdef85b41596c71a5cf64aa916518b3d0")
