"""What never occurs together: found where it cannot be chance, and nowhere else."""

from __future__ import annotations

import dataclasses

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from synthgan import infer_schema
from synthgan.encoding import TableEncoder, protect
from synthgan.encoding.finding import learned_encoder, with_zeros
from synthgan.encoding.zeros import Zeros, coarse_cells, with_implied, zeros_of_state

N_ROWS = 1500


def shops(n: int = N_ROWS, seed: int = 0) -> pd.DataFrame:
    """Towns of three countries, what is measured in some rows only, a unit of each size, and a bystander."""
    rng = np.random.default_rng(seed)
    town = np.minimum(rng.geometric(0.06, n), 60)
    measured = rng.random(n) < 0.3
    size = rng.choice(["S", "M", "L"], n)
    return pd.DataFrame(
        {
            "town": [f"town {k}" for k in town],
            "country": np.array(["A", "B", "C"])[town % 3],
            "measured": np.where(measured, "yes", "no"),
            "level": np.where(measured, rng.normal(5, 1, n).round(2), np.nan),
            "size": size,
            "grams": pd.Series(size).map({"S": 100, "M": 250, "L": 500}),
            "bystander": rng.choice(list("pqrs"), n),
        }
    )


def fitted(frame: pd.DataFrame) -> TableEncoder:
    return with_zeros(TableEncoder.fit(frame, infer_schema(frame)), frame)


def columns(encoder: TableEncoder) -> set[tuple[object, object]]:
    blocks = encoder.layout.blocks
    return {(blocks[one.one].column, blocks[one.other].column) for one in encoder.zeros}


def pairs(encoder: TableEncoder, frame: pd.DataFrame, one: str, other: str) -> set[tuple[int, int]]:
    """Coarse cells of two columns that some row holds together."""
    table, held = encoder.encode(frame), []
    for name in (one, other):
        (block,) = encoder.layout.blocks_of(name)
        flat, _ = encoder.layout.blocks[block].cells.flatten(*encoder.block_values(table, block))
        held.append(coarse_cells(encoder.layout.blocks[block])[flat].tolist())
    return set(zip(*held, strict=True))


@pytest.fixture(scope="module")
def encoder() -> TableEncoder:
    return fitted(shops())


def test_what_cannot_be_chance_is_found_and_nothing_else(encoder: TableEncoder) -> None:
    assert columns(encoder) == {("town", "country"), ("measured", "level"), ("size", "grams")}


def test_every_pair_of_what_never_mixes_is_told_apart(encoder: TableEncoder) -> None:
    for zeros in encoder.zeros:
        one, other = (str(encoder.layout.blocks[at].column) for at in (zeros.one, zeros.other))
        seen = pairs(encoder, shops(), one, other)
        assert set(zip(*np.nonzero(~zeros.never), strict=True)) == seen


def test_it_is_said_in_words(encoder: TableEncoder) -> None:
    assert encoder.exclusions() == (
        "country follows from town",
        "whether level is there follows from measured",
        "size and grams follow from each other",
    )
    frame = pd.DataFrame({"day": np.arange(900) % 30, "month": np.arange(900) // 75})
    frame = frame[(frame["day"] < 28) | (frame["month"] != 1)]
    assert not fitted(frame).exclusions()  # 5 rows of two days: nothing to conclude from
    many = pd.concat([frame] * 20, ignore_index=True)
    assert fitted(many).exclusions() == ("2 of 360 pairs of day and month never occur",)


@settings(deadline=None, max_examples=40)
@given(
    seed=st.integers(0, 10**6),
    n_rows=st.integers(20, 3000),
    sizes=st.lists(st.integers(2, 200), min_size=2, max_size=6),
    skew=st.floats(0.2, 3.0),
)
def test_independent_columns_show_nothing(seed: int, n_rows: int, sizes: list[int], skew: float) -> None:
    rng = np.random.default_rng(seed)
    cells = [rng.choice(k, n_rows, p=(w := rng.dirichlet(np.full(k, skew))) / w.sum()) for k in sizes]
    frame = pd.DataFrame({f"c{at}": [f"v{k}" for k in own] for at, own in enumerate(cells)})
    schema = infer_schema(frame, dict.fromkeys(frame, "categorical"))
    assert not with_zeros(TableEncoder.fit(frame, schema), frame).zeros  # one table in a hundred may


def test_one_row_that_holds_both_is_enough_to_the_contrary() -> None:
    frame = shops()
    frame.loc[7, ["size", "grams"]] = ["S", 500]
    encoder = fitted(frame)
    (zeros,) = (one for one in encoder.zeros if encoder.layout.blocks[one.one].column == "size")
    assert zeros.never.sum() == 4  # M and 250 still go together; that L and 100 never do may be luck like the one row
    assert encoder.exclusions()[-1] == "4 of 9 pairs of size and grams never occur"


def test_pairs_that_are_merely_rare_are_no_rule() -> None:
    rng = np.random.default_rng(0)
    n = 20_000
    one, other = rng.integers(0, 12, n), rng.integers(0, 12, n)
    rare = rng.random((12, 12)) < 0.3  # of these some are never seen, and some once or twice
    keep = ~rare[one, other] | (rng.random(n) < 0.01)
    frame = pd.DataFrame({"one": one[keep], "other": other[keep]}).astype(str)
    schema = infer_schema(frame, {"one": "categorical", "other": "categorical"})
    seen = pd.crosstab(frame["one"], frame["other"]).to_numpy()
    assert (seen == 0).any()
    assert ((seen > 0) & (seen < 3)).any()
    assert not with_zeros(TableEncoder.fit(frame, schema), frame).zeros


def test_replaced_categories_are_no_evidence() -> None:
    frame = shops()
    frame.loc[:3, "town"], frame.loc[:3, "country"] = "hamlet", "C"  # its rows are given to towns of any country
    shown = protect(frame, infer_schema(frame), 5)
    assert shown.replaced["town"].sum() >= 4
    assert "country follows from town" in learned_encoder(shown, 5).exclusions()
    assert "country follows from town" not in learned_encoder(dataclasses.replace(shown, replaced={}), 5).exclusions()


def test_what_formulas_say_is_not_said_again() -> None:
    when = pd.Series(pd.Timestamp("2020-01-01") + pd.to_timedelta(np.arange(N_ROWS) % 700, unit="D"))
    frame = pd.DataFrame({"when": when, "month": when.dt.month, "season": (when.dt.month % 12 // 3).astype(str)})
    schema = infer_schema(frame, {"season": "categorical"})
    encoder = learned_encoder(protect(frame, schema, 1), 1)
    assert encoder.exclusions()[-1] == "season follows from month"
    assert ("when", "month") not in columns(encoder)


def test_what_follows_from_zeros_follows() -> None:
    """As a naive search over all rows that could be says."""
    rng = np.random.default_rng(1)
    sizes = (3, 4, 3, 2)
    found = {(a, b): rng.random((sizes[a], sizes[b])) < 0.4 for a, b in ((0, 1), (1, 2), (0, 2), (2, 3))}
    every = with_implied([Zeros(*pair, never) for pair, never in found.items()])
    told = {(zeros.one, zeros.other): zeros.never for zeros in every}
    for (a, b), never in found.items():
        assert (told[a, b] >= never).all()
    rows = np.stack(np.meshgrid(*map(np.arange, sizes), indexing="ij"), axis=-1).reshape(-1, 4)
    fits = ~np.any([never[rows[:, a], rows[:, b]] for (a, b), never in found.items()], axis=0)
    assert fits.any()
    for (a, b), never in told.items():
        possible = set(map(tuple, rows[fits][:, [a, b]].tolist()))
        assert not possible & set(zip(*np.nonzero(never), strict=True))
    assert (1, 3) in told or (0, 3) in told  # of columns that nothing was known of


def test_state_is_kept_and_checked(encoder: TableEncoder) -> None:
    again = TableEncoder.from_state(encoder.schema, encoder.state())
    assert [(one.one, one.other, one.never.tolist()) for one in again.zeros] == [
        (one.one, one.other, one.never.tolist()) for one in encoder.zeros
    ]
    good = encoder.zeros[0].state()
    for bad in (
        good | {"one": good["other"], "other": good["one"]},
        good | {"one": True},
        good | {"other": 99},
        good | {"never": good["never"].astype(int)},
        good | {"never": good["never"][:-1]},
        good | {"never": [[True]]},
    ):
        with pytest.raises(ValueError, match=r"zeros are of|pairs of two columns"):
            zeros_of_state([bad], encoder.layout)
    with pytest.raises(ValueError, match="one table"):
        zeros_of_state([good, good], encoder.layout)


def test_a_word_in_place_of_a_number_is_no_number() -> None:
    rng = np.random.default_rng(3)
    asked = rng.random(N_ROWS) < 0.7
    answer = pd.Series(rng.normal(50, 9, N_ROWS).round(1).astype(str)).where(asked, "?")
    frame = pd.DataFrame({"asked": np.where(asked, "yes", "no"), "answer": answer})
    encoder = fitted(frame)
    assert encoder.schema["answer"].marks == ("?",)
    assert encoder.exclusions() == ("whether answer is there follows from asked",)
