"""What never occurs together is not drawn together, in any mode, unless conditions ask for it."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
import torch

from synthgan import SynthGAN, load
from synthgan.conditioning.space import ConditionSpace
from synthgan.encoding.finding import with_zeros
from synthgan.encoding.zeros import coarse_cells
from synthgan.models import CodeAxis
from synthgan.sampling.possible import Possible

N_ROWS = 1200
TOWNS = 400


@pytest.fixture(scope="module")
def frame() -> pd.DataFrame:
    """Towns (more than there are codes) of regions of countries, a level where it is measured, and sizes in grams."""
    rng = np.random.default_rng(0)
    town = np.concatenate([np.arange(TOWNS), rng.integers(0, TOWNS, 3 * N_ROWS)])
    n = len(town)
    measured, size = rng.random(n) < 0.3, rng.choice(["S", "M", "L"], n)
    return pd.DataFrame(
        {
            "town": [f"town {k}" for k in town],
            "region": [f"region {k % 20}" for k in town],
            "country": [f"country {k % 5}" for k in town],
            "measured": np.where(measured, "yes", "no"),
            "level": np.where(measured, rng.normal(5, 1, n).round(2), np.nan),
            "size": size,
            "grams": pd.Series(size).map({"S": 100, "M": 250, "L": 500}),
        }
    )


@pytest.fixture(scope="module")
def model(frame: pd.DataFrame) -> SynthGAN:
    """Of a network that has seen next to nothing."""
    quick = {"epochs": 1, "hidden_dim": 16, "stand_ins": False, "protect_rare": 1, "random_state": 0}
    return SynthGAN(**quick, select=2).fit(frame, target="size")  # type: ignore[arg-type]


def check(rows: pd.DataFrame, frame: pd.DataFrame) -> None:
    """All pairs of towns and regions, regions and countries, and so on, are some of the table's."""
    for one, other in (("town", "region"), ("town", "country"), ("region", "country"), ("size", "grams")):
        assert set(zip(rows[one], rows[other], strict=True)) <= set(zip(frame[one], frame[other], strict=True))
    assert ((rows["measured"] == "yes") == rows["level"].notna()).all()


@pytest.mark.parametrize("settings", [{}, {"n_passes": 1}, {"n_passes": 3}, {"select": 1}, {"n_jobs": 2}])
def test_sampled_rows_hold_nothing_that_never_occurs(
    model: SynthGAN, frame: pd.DataFrame, settings: dict[str, int]
) -> None:
    check(model.sample(1500, random_state=1, **settings), frame)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    "conditions",
    [
        {"country": "country 3"},
        {"country": {"country 3", "country 1"}, "size": {"S", "M"}},
        {"region": {"region 7", "region 12"}},
        {"level": (4.0, 6.0)},
        {"level": None},
        {"town": {"town 3", "town 17", "town 399"}, "country": {"country 2", "country 3"}},
        {"grams": (200, 600)},
    ],
)
def test_conditions_are_kept_and_nothing_that_never_occurs_comes_with_them(
    model: SynthGAN, frame: pd.DataFrame, conditions: dict[str, object]
) -> None:
    rows = model.sample(300, conditions=conditions, random_state=2)
    check(rows, frame)
    for name, wanted in conditions.items():
        if isinstance(wanted, set):
            assert set(rows[name]) <= wanted
        elif isinstance(wanted, tuple):
            assert rows[name].between(*wanted).all()
        else:
            assert (rows[name].isna() if wanted is None else rows[name] == wanted).all()


def test_rows_that_are_given_in_part_are_completed_by_what_occurs_with_them(
    model: SynthGAN, frame: pd.DataFrame
) -> None:
    given = frame[["country", "grams", "level"]].iloc[::7].reset_index(drop=True)
    rows = model.sample(conditions=given, random_state=3)
    check(rows, frame)
    pd.testing.assert_frame_equal(rows[["country", "grams"]], given[["country", "grams"]])
    check(model.sample(class_counts={"S": 40, "L": 60}, random_state=4), frame)
    holes = frame.iloc[::5].reset_index(drop=True)
    lost = np.random.default_rng(0).random(holes.shape) < 0.4
    lost[:, 4] = False
    filled = model.impute(holes.mask(pd.DataFrame(lost, columns=holes.columns)), random_state=0)
    assert filled["level"].notna().all()  # also where none was measured: a table that is asked for complete is so
    check(filled[holes["level"].notna()], frame)


def test_conditions_come_first(model: SynthGAN) -> None:
    rows = model.sample(50, conditions={"town": "town 3", "country": "country 1", "size": "S"}, random_state=5)
    assert (rows["town"] == "town 3").all()
    assert (rows["country"] == "country 1").all()  # the town's is country 3
    assert (rows["grams"] == 100).all()
    either = model.sample(50, conditions={"town": {"town 3"}, "country": {"country 1", "country 2"}}, random_state=5)
    assert (either["town"] == "town 3").all()
    assert set(either["country"]) <= {"country 1", "country 2"}


def test_files_hold_what_never_occurs(model: SynthGAN, frame: pd.DataFrame, tmp_path: object) -> None:
    path = f"{tmp_path}/model.synthgan"
    model.save(path)
    again = load(path)
    assert again.exclusions_ == model.exclusions_
    assert "country follows from region" in again.exclusions_
    pd.testing.assert_frame_equal(again.sample(50, random_state=0), model.sample(50, random_state=0))


def test_what_is_open_is_what_a_naive_look_says(model: SynthGAN, frame: pd.DataFrame) -> None:
    encoder = model.model_.encoder
    layout = encoder.layout
    possible = Possible(encoder, CodeAxis(layout), ConditionSpace(encoder).none().restrictions)
    table = encoder.encode(frame[:200])
    held, filled = possible.nothing(200), np.random.default_rng(0).random((200, len(layout))) < 0.5
    coarse = {}
    for block in possible.place:
        code, position = (torch.from_numpy(values) for values in encoder.block_values(table, block))
        found = possible.held(block, code.long() + int(layout.offsets[block]), position)
        coarse[block] = found.numpy()
        held[:, possible.place[block]] = torch.where(torch.from_numpy(filled[:, block]), found, -1)
    for block in possible.place:
        own, cells = coarse_cells(layout.blocks[block]), layout.blocks[block].cells
        allowed = np.ones((200, len(own)), bool)
        for zeros in encoder.all_zeros:
            for at, partner, never in ((zeros.one, zeros.other, zeros.never), (zeros.other, zeros.one, zeros.never.T)):
                if at == block:
                    allowed &= ~(never[own][:, coarse[partner]].T & filled[:, [partner]])
        assert allowed.any(axis=1).all()
        is_open = possible.open(block, held)
        np.testing.assert_array_equal(is_open.cells.numpy() == 0, allowed)
        share = np.stack([np.bincount(cells.code, cells.weight * row) for row in allowed])
        np.testing.assert_allclose(is_open.codes.exp().numpy(), share, atol=1e-5)


def test_tables_without_any_are_sampled_as_before(model: SynthGAN) -> None:
    rng = np.random.default_rng(0)
    frame = pd.DataFrame({"one": rng.choice(list("abc"), 300), "other": rng.normal(size=300)})
    plain = SynthGAN(epochs=1, hidden_dim=8, select=1, random_state=0).fit(frame)
    assert plain.exclusions_ == ()
    possible = Possible(plain.model_.encoder, CodeAxis(plain.model_.encoder.layout), {})
    assert not possible.place
    assert possible.nothing(5).shape == (5, 0)
    assert with_zeros(plain.model_.encoder, frame).zeros == ()
