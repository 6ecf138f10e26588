"""In what order the blocks of a table are filled."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from synthgan import infer_schema
from synthgan.encoding import TableEncoder
from synthgan.encoding.finding import with_relations
from synthgan.sampling.passes import passes_of


@pytest.mark.parametrize("n_passes", [1, 2, None])
def test_flags_come_first_and_a_time_after_its_day(n_passes: int | None) -> None:
    rng = np.random.default_rng(0)
    x = rng.normal(size=500)
    when = pd.Timestamp("2024-01-01") + pd.to_timedelta(rng.integers(0, 10**7, 500), unit="s")
    frame = pd.DataFrame({"x": x, "y": np.where(rng.random(500) < 0.5, x, rng.normal(size=500)), "when": when})
    blocks = with_relations(TableEncoder.fit(frame, infer_schema(frame)), frame).layout.blocks
    assert [block.part for block in blocks] == ["value", "value", "day", "time", "repeats"]
    for seed in range(20):
        order = np.random.default_rng(seed).permutation(5).tolist()
        groups = passes_of(blocks, order, n_passes)
        filled = [block for group in groups for block in group]
        assert sorted(filled) == list(range(5))
        assert filled[0] == 4
        assert filled.index(2) < filled.index(3)
        assert len(groups) == (n_passes or 4)


def test_only_flags_are_left() -> None:
    rng = np.random.default_rng(0)
    x = rng.normal(size=500)
    frame = pd.DataFrame({"x": x, "y": x})
    blocks = with_relations(TableEncoder.fit(frame, infer_schema(frame)), frame).layout.blocks
    assert passes_of(blocks, [2], 4) == [[2]]
    assert passes_of(blocks, [], 4) == []
