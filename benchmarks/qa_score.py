#!/usr/bin/env python3
"""What mostlyai-qa says of a synthetic table. Runs in its environment and knows nothing of synthgan.

    python qa_score.py TRAIN HOLDOUT OUT SYNTHETIC...

Calls its public `mostlyai.qa.report` once for each table. The word vectors that it turns categories into come inside
the package, so nothing is fetched (HF_HUB_OFFLINE is set to make sure). Its DCR share is the largest over all columns
and, in tables of more than 10, over six groups of columns.
"""

from __future__ import annotations

import importlib.metadata
import json
import os
import sys
import tempfile
from pathlib import Path

os.environ["HF_HUB_OFFLINE"] = "1"

import numpy as np
import pandas as pd
from mostlyai import qa

MAX_EMBEDDINGS = 4000


def main() -> None:
    train, holdout, out, *tables = sys.argv[1:]
    real, unseen = pd.read_csv(train, low_memory=False), pd.read_csv(holdout, low_memory=False)
    found = {}
    for path in tables:
        np.random.seed(0)  # noqa: NPY002  (its samples come from the global state)
        with tempfile.TemporaryDirectory() as folder:
            _, metrics = qa.report(
                syn_tgt_data=pd.read_csv(path, low_memory=False),
                trn_tgt_data=real,
                hol_tgt_data=unseen,
                report_path=Path(folder) / "report.html",
                max_sample_size_embeddings=MAX_EMBEDDINGS,
            )
        if metrics is None:
            raise SystemExit("mostlyai-qa gave no metrics: it needs 90 training and 100 synthetic rows")
        found[Path(path).stem] = {
            "accuracy": round(float(metrics.accuracy.overall), 4),
            "accuracy_univariate": round(float(metrics.accuracy.univariate), 4),
            "accuracy_bivariate": round(float(metrics.accuracy.bivariate), 4),
            "accuracy_trivariate": round(float(metrics.accuracy.trivariate), 4),
            "discriminator_auc": round(float(metrics.similarity.discriminator_auc_training_synthetic), 4),
            "dcr_share": round(float(metrics.distances.dcr_share), 4),
        }
    Path(out).write_text(json.dumps({"package": f"mostlyai-qa {importlib.metadata.version('mostlyai-qa')}"} | found))


if __name__ == "__main__":
    main()
