"""Levels that go with levels: found where there are some, kept where enough rows hold them, and drawn together."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from synthgan import infer_schema
from synthgan.encoding import TableEncoder
from synthgan.encoding.finding import with_pairings
from synthgan.encoding.pairings import MAX_SOURCES


def towns(n: int, seed: int = 0) -> pd.DataFrame:
    """Towns in their countries, shops of which each is in some towns, and a bystander."""
    rng = np.random.default_rng(seed)
    town = rng.choice(60, n)
    shop = (town + 7 * rng.choice(3, n)) % 50
    return pd.DataFrame(
        {
            "town": [f"town {k}" for k in town],
            "country": [f"country {k % 9}" for k in town],
            "shop": [f"shop {k}" for k in shop],
            "bystander": rng.choice(list("abcdefgh"), n),
        }
    )


@pytest.fixture(scope="module")
def encoder() -> TableEncoder:
    frame = towns(6000)
    return with_pairings(TableEncoder.fit(frame, infer_schema(frame)), frame, 5)


def test_what_goes_together_is_found_and_nothing_else(encoder: TableEncoder) -> None:
    pairs = {(pairing.target, pairing.source) for pairing in encoder.pairings}
    assert pairs == {(0, 1), (1, 0), (0, 2), (2, 0), (1, 2), (2, 1)}
    first = {pairing.target: pairing.source for pairing in reversed(encoder.pairings)}
    assert first == {0: 2, 1: 0, 2: 0}


def test_shares_are_those_of_the_rows(encoder: TableEncoder) -> None:
    frame = towns(6000)
    counted = pd.crosstab(frame["town"], frame["shop"])
    pairing = next(one for one in encoder.pairings if (one.target, one.source) == (2, 0))
    source, target = (encoder.encoders[name].levels for name in ("town", "shop"))
    counted = counted.loc[list(source), list(target)].to_numpy()
    shares, share = pairing.shares()
    np.testing.assert_allclose(shares.sum(axis=1), 1)
    np.testing.assert_allclose(share, counted.sum(axis=0) / 6000, atol=1e-3)
    np.testing.assert_allclose(shares, counted / counted.sum(axis=1, keepdims=True), atol=0.05)
    exact = with_pairings(TableEncoder.fit(frame, infer_schema(frame)), frame, 1).pairings
    (pairing,) = (one for one in exact if (one.target, one.source) == (2, 0))
    counted = pd.crosstab(frame["town"], frame["shop"]).loc[list(source), list(target)].to_numpy()
    prior = pairing.prior_rows * counted.sum(axis=0) / 6000
    np.testing.assert_allclose(
        pairing.shares()[0], (counted + prior) / (counted.sum(axis=1, keepdims=True) + pairing.prior_rows), atol=1e-5
    )


def test_pairs_of_few_rows_are_in_no_file() -> None:
    frame = towns(6000)
    rare = frame.copy()
    rare.loc[:3, ["town", "shop"]] = ["town 0", "shop 49"]
    encoder = with_pairings(TableEncoder.fit(rare, infer_schema(rare)), rare, 5)
    assert all((pairing.pairs[:, 2] >= 5).all() for pairing in encoder.pairings)
    names = [encoder.encoders[name].levels for name in ("town", "shop")]
    at = names[0].index("town 0"), names[1].index("shop 49")
    (pairing,) = (one for one in encoder.pairings if (one.target, one.source) == (2, 0))
    assert not (pairing.pairs[:, :2] == at).all(axis=1).any()


def test_what_is_left_out_is_not_found_by_subtracting() -> None:
    town = np.repeat(np.arange(60), 50)
    frame = pd.DataFrame({"town": [f"t{k}" for k in town], "ill": town % 3 == 1})
    alone = frame.copy()
    alone.loc[300, "ill"] = True  # one of town 6, where nobody else is
    found = [
        {(one.target, one.source): one for one in with_pairings(TableEncoder.fit(it, infer_schema(it)), it, 5).pairings}
        for it in (frame, alone)
    ]
    assert found[0].keys() == found[1].keys() == {(0, 1), (1, 0)}
    for key, one in found[1].items():
        assert (one.pairs[:, 2] % 5 == 0).all()
        assert (one.rest % 5 == 0).all()
        assert (one.target_rows % 5 == 0).all()
        for name in ("pairs", "rest", "target_rows"):
            np.testing.assert_array_equal(getattr(one, name), getattr(found[0][key], name))


def test_where_most_pairs_are_held_by_few_rows_there_is_no_pairing() -> None:
    rng = np.random.default_rng(0)
    a, step = rng.integers(0, 200, 8000), rng.integers(0, 16, 8000) ** 2 * 13
    frame = pd.DataFrame({"a": [f"a{k}" for k in a], "b": [f"b{k}" for k in (a * 7 + step) % 200]})
    encoder = TableEncoder.fit(frame, infer_schema(frame))
    assert with_pairings(encoder, frame, 5).pairings == ()
    assert len(with_pairings(encoder, frame, 1).pairings) == 2


def test_numbers_take_part_where_their_exact_value_tells() -> None:
    rng = np.random.default_rng(0)
    town = rng.choice(80, 6000)
    frame = pd.DataFrame(
        {
            "town": [f"t{k}" for k in town],
            "postcode": (town * 7919) % 80 * 100,
            "smooth": town + rng.normal(0, 4, len(town)),
            "missing": np.where(town % 7 == 0, np.nan, rng.normal(size=len(town))),
        }
    )
    found = with_pairings(TableEncoder.fit(frame, infer_schema(frame)), frame, 5).pairings
    assert {(one.target, one.source) for one in found} == {(0, 1), (1, 0)}


def test_few_levels_and_chance_are_no_pairing() -> None:
    rng = np.random.default_rng(0)
    few = rng.choice(10, 2000)
    frame = pd.DataFrame(
        {
            "few": [f"x{k}" for k in few],
            "same": [f"y{k}" for k in few],
            "many": [f"z{k}" for k in rng.choice(100, 2000)],
        }
    )
    assert with_pairings(TableEncoder.fit(frame, infer_schema(frame)), frame, 5).pairings == ()


def test_state_round_trip_and_refusals(encoder: TableEncoder) -> None:
    state = encoder.state()
    again = TableEncoder.from_state(encoder.schema, state)
    for one, other in zip(encoder.pairings, again.pairings, strict=True):
        np.testing.assert_array_equal(one.shares()[0], other.shares()[0])
    assert TableEncoder.from_state(encoder.schema, {k: v for k, v in state.items() if k != "pairings"}).pairings == ()
    good = state["pairings"][0]
    beyond, more = good["pairs"].copy(), good["pairs"].copy()
    beyond[0, 1] = 1000
    more[0, 2] = 2**60
    for bad in (
        {"target": 99},
        {"source": good["target"]},
        {"target": str(good["target"])},
        {"source": True},
        {"prior_rows": 0.0},
        {"prior_rows": 5e-324},
        {"prior_rows": np.nan},
        {"pairs": good["pairs"][:, :2]},
        {"pairs": good["pairs"].astype(float)},
        {"pairs": beyond},
        {"pairs": more},
        {"pairs": np.concatenate([good["pairs"], good["pairs"][:1]])},
        {"rest": good["rest"][:-1]},
        {"target_rows": -good["target_rows"]},
    ):
        with pytest.raises(ValueError, match=r"pair"):
            TableEncoder.from_state(encoder.schema, state | {"pairings": [good | bad]})
    for pairings in (state["pairings"][::-1], [good] * (MAX_SOURCES + 1), [good] * 2):
        with pytest.raises(ValueError, match="pairing"):
            TableEncoder.from_state(encoder.schema, state | {"pairings": pairings})
