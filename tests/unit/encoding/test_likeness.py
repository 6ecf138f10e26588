"""Levels that are alike are found to be, whatever they are called and however many rows they have."""

from __future__ import annotations

import numpy as np
import pandas as pd

from synthgan import infer_schema
from synthgan.encoding import TableEncoder
from synthgan.encoding.finding import with_likeness
from synthgan.encoding.likeness import likeness_order


def test_levels_of_a_group_are_side_by_side() -> None:
    rng = np.random.default_rng(0)
    group = rng.permutation(np.repeat(np.arange(4), 16))
    index = rng.choice(64, 4000)
    features = [
        ((group[index] >> bit & 1) + rng.normal(0, 1, len(index)))[:, None].astype(np.float32) for bit in (0, 1)
    ]
    noise = rng.normal(0, 100, (len(index), 3)).astype(np.float32)
    found = group[likeness_order(index, 64, [*features, noise])]
    assert (np.diff(found) != 0).sum() == 3


def test_along_one_direction_levels_are_in_its_order() -> None:
    rng = np.random.default_rng(0)
    truth = rng.permutation(100)
    index = rng.choice(100, 20_000)
    year = (truth[index] + rng.normal(0, 3, len(index)))[:, None].astype(np.float32)
    found = truth[likeness_order(index, 100, [year])]
    assert abs(np.corrcoef(found, np.arange(100))[0, 1]) > 0.99


def test_of_very_many_features_the_telling_ones_count() -> None:
    rng = np.random.default_rng(0)
    truth = rng.permutation(50)
    index = rng.choice(50, 3000)
    year = (truth[index] + rng.normal(0, 3, len(index)))[:, None].astype(np.float32)
    noise = [rng.normal(0, 1, (len(index), 200)).astype(np.float32) for _ in range(2)]
    found = truth[likeness_order(index, 50, [noise[0], year, noise[1]])]
    assert abs(np.corrcoef(found, np.arange(50))[0, 1]) > 0.95


def test_every_level_has_one_place_and_missing_cells_none() -> None:
    index = np.array([0, -1, 2, 2, -1, 4])
    order = likeness_order(index, 6, [np.arange(6, dtype=np.float32)[:, None]])
    assert sorted(order) == list(range(6))
    assert sorted(likeness_order(index, 6, [])) == list(range(6))
    assert sorted(likeness_order(np.full(6, -1), 6, [np.ones((6, 2), np.float32)])) == list(range(6))
    constant = np.ones((6, 2), np.float32)
    assert sorted(likeness_order(index, 6, [constant])) == list(range(6))


def test_a_table_of_many_levels_comes_back_and_alike_ones_share_codes() -> None:
    rng = np.random.default_rng(0)
    region = rng.choice(8, 600)
    town = rng.choice(600, 12_000)
    frame = pd.DataFrame({"town": [f"t{k}" for k in town], "region": [f"r{region[k]}" for k in town]})
    frame.loc[:9, "town"] = None
    encoder = with_likeness(TableEncoder.fit(frame, infer_schema(frame)), frame)
    pd.testing.assert_frame_equal(encoder.decode(encoder.encode(frame)), frame)
    towns = encoder.encoders["town"]
    of = region[[int(level[1:]) for level in towns.levels]]
    codes = towns.cells.code[: len(of)]
    together = codes[1:] == codes[:-1]
    assert (of[1:] == of[:-1])[together].mean() > 0.95
