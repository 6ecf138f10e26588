"""Sampling: prefixes, batches, seeds, passes."""

from __future__ import annotations

from typing import Any, cast

import numpy as np
import pandas as pd
import pytest

from synthgan import SynthGAN
from synthgan.conditioning.space import ConditionSpace
from synthgan.errors import ConfigError, NotFittedError
from synthgan.models import Ensemble
from synthgan.sampling.drawing import FIRST_SLICE_ROWS, SLICE_ROWS, Drawing, batches
from synthgan.sampling.parts import Part
from synthgan.sampling.sampler import CHUNK_ROWS, Sampler

SETTINGS: list[dict[str, Any]] = [
    {},
    {"conditions": {"age": (30, 50), "text": {"red", "rare"}, "hour": ("2020-03-01 10:00", None), "Bool": None}},
    {"n_passes": 1},
    {"n_passes": 3, "conditions": {"zulu": ("2021-06-01", "2021-07-01")}},
]


@pytest.mark.parametrize("settings", SETTINGS)
def test_few_rows_are_the_head_of_many(barely: SynthGAN, settings: dict[str, Any]) -> None:
    many = barely.sample(5000, random_state=3, **settings)
    for n in (0, 1, 10, FIRST_SLICE_ROWS, FIRST_SLICE_ROWS + 1, SLICE_ROWS + 1, CHUNK_ROWS, CHUNK_ROWS + 1):
        pd.testing.assert_frame_equal(barely.sample(n, random_state=3, **settings), many.head(n), check_exact=True)


@pytest.mark.parametrize("first", [True, False])
@pytest.mark.parametrize("n_rows", [0, 1, FIRST_SLICE_ROWS, SLICE_ROWS + 1, CHUNK_ROWS])
def test_batches_cover_the_rows_wanted_once(first: bool, n_rows: int) -> None:
    found = [part for batch in batches(n_rows, first=first) for part in batch]
    covered = np.concatenate([np.arange(part.start, part.stop) for part in found] or [np.empty(0)])
    np.testing.assert_array_equal(covered, np.arange(len(covered)))
    assert n_rows <= len(covered) < n_rows + SLICE_ROWS


def test_a_small_sample_has_many_column_orders(barely: SynthGAN, monkeypatch: pytest.MonkeyPatch) -> None:
    """Of 300 rows, eight slices, every one is filled in an order of its own; and the next sample in others."""
    drawn: list[tuple[int, ...]] = []

    complete = Drawing._complete

    def recorded(self: Drawing, parts: list[Part]) -> None:
        drawn.extend(tuple(block for group in part.groups for block in group) for part in parts)
        complete(self, parts)

    monkeypatch.setattr(Drawing, "_complete", recorded)
    model = barely.model_
    sampler = Sampler(cast(Ensemble, model.generator), model.encoder)
    for seed in (0, 1):
        list(sampler.chunks(300, ConditionSpace(model.encoder).none(), seed))
    assert len(drawn) == len(set(drawn)) == 16
    assert {tuple(sorted(order)) for order in drawn} == {tuple(range(len(model.encoder.layout)))}


@pytest.mark.parametrize("settings", [*SETTINGS, {"class_counts": {"red": 6000, "blue": 3000}}])
def test_batches_put_together_are_the_sample(barely: SynthGAN, settings: dict[str, Any]) -> None:
    n = None if "class_counts" in settings else 9000
    batches = list(barely.sample_batches(n, random_state=4, **settings))
    assert len(batches) > 2
    assert max(map(len, batches)) <= CHUNK_ROWS
    whole = barely.sample(n, random_state=4, **settings)
    pd.testing.assert_frame_equal(pd.concat(batches, ignore_index=True), whole, check_exact=True)
    assert len(whole) == 9000


def test_ids_go_on_over_batches(barely: SynthGAN, kinds: pd.DataFrame) -> None:
    rows = barely.sample(5000, random_state=0)
    for name in ("user_id", "row_id", "some_id"):
        assert rows[name].dropna().is_unique
        assert not set(rows[name].dropna()) & set(kinds[name].dropna())


def test_no_rows_have_the_columns_all_the_same(barely: SynthGAN, kinds: pd.DataFrame) -> None:
    for more in ({}, {"conditions": {"age": 30}}, {"conditions": pd.DataFrame({"age": []}), "n_samples": 0}):
        empty = barely.sample(**{"n_samples": 0, **more})
        assert len(empty) == 0
        assert empty.dtypes.equals(kinds.dtypes)


def test_without_a_number_there_are_as_many_rows_as_were_fitted(barely: SynthGAN, kinds: pd.DataFrame) -> None:
    assert len(barely.sample(random_state=0)) == len(kinds)


def test_seeds(barely: SynthGAN) -> None:
    assert barely.sample(50, random_state=1).equals(barely.sample(50, random_state=np.int64(1)))
    assert not barely.sample(50, random_state=1).equals(barely.sample(50, random_state=2))
    assert not barely.sample(50).equals(barely.sample(50))
    stream = np.random.default_rng(0)
    first, second = barely.sample(50, random_state=stream), barely.sample(50, random_state=stream)
    assert not first.equals(second)
    assert barely.sample(50, random_state=np.random.default_rng(0)).equals(first)


def test_a_time_is_missing_as_a_whole(barely: SynthGAN, kinds: pd.DataFrame) -> None:
    for n_passes in (None, 1):
        share = barely.sample(4000, random_state=0, n_passes=n_passes)[["hour", "berlin", "zulu"]].isna().mean()
        # Drawn apart, day and time of day would be missing in twice as many rows.
        assert (share < 1.5 * kinds[["hour", "berlin", "zulu"]].isna().mean()).all()


@pytest.mark.parametrize(
    "bad",
    [
        {"n_samples": -1},
        {"n_samples": 1.5},
        {"n_samples": True},
        {"n_samples": "10"},
        {"n_passes": 0},
        {"n_passes": 2.5},
        {"random_state": -1},
        {"random_state": "seed"},
    ],
    ids=str,
)
def test_bad_settings(barely: SynthGAN, bad: dict[str, Any]) -> None:
    with pytest.raises(ConfigError, match=next(iter(bad))):
        barely.sample(**{"n_samples": 3, **bad})


def test_nothing_before_fit(tmp_path: Any) -> None:
    model = SynthGAN()
    for call in (
        lambda: model.sample(3),
        lambda: model.impute(pd.DataFrame({"a": [1.0]})),
        lambda: model.score_samples(pd.DataFrame({"a": [1.0]})),
        lambda: model.save(tmp_path / "m.synthgan"),
        lambda: model.info_,
    ):
        with pytest.raises(NotFittedError, match="fit"):
            call()
    assert list(tmp_path.iterdir()) == []


def test_a_table_of_constants_and_ids_needs_no_network() -> None:
    table = pd.DataFrame({"id": [f"k{i}" for i in range(30)], "one": 1, "none": None})
    model = SynthGAN(random_state=0).fit(table, target="one")
    rows = model.sample(5000, random_state=0)
    assert rows.dtypes.equals(table.dtypes)
    assert rows["id"].is_unique
    assert (rows["one"] == 1).all()
    assert model.score_samples(table).tolist() == [0.0] * 30
    assert model.impute(table)["one"].tolist() == [1] * 30
    assert len(model.sample(class_counts={1: 7})) == 7
