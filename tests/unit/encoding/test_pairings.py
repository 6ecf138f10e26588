"""Levels that go with levels: found where there are some, kept where enough rows hold them, and drawn together."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from synthgan import infer_schema
from synthgan.encoding import TableEncoder
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
    return TableEncoder.fit(frame, infer_schema(frame)).with_pairings(frame, 5)


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
    np.testing.assert_allclose(share, counted.sum(axis=0) / 6000, atol=1e-4)
    np.testing.assert_allclose(shares, counted / counted.sum(axis=1, keepdims=True), atol=0.05)


def test_pairs_of_few_rows_are_in_no_file() -> None:
    frame = towns(6000)
    rare = frame.copy()
    rare.loc[:3, ["town", "shop"]] = ["town 0", "shop 49"]
    encoder = TableEncoder.fit(rare, infer_schema(rare)).with_pairings(rare, 5)
    assert all((pairing.pairs[:, 2] >= 5).all() for pairing in encoder.pairings)
    names = [encoder.encoders[name].levels for name in ("town", "shop")]
    at = names[0].index("town 0"), names[1].index("shop 49")
    (pairing,) = (one for one in encoder.pairings if (one.target, one.source) == (2, 0))
    assert not (pairing.pairs[:, :2] == at).all(axis=1).any()


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
    assert TableEncoder.fit(frame, infer_schema(frame)).with_pairings(frame, 5).pairings == ()


def test_state_round_trip_and_refusals(encoder: TableEncoder) -> None:
    state = encoder.state()
    again = TableEncoder.from_state(encoder.schema, state)
    for one, other in zip(encoder.pairings, again.pairings, strict=True):
        np.testing.assert_array_equal(one.shares()[0], other.shares()[0])
    assert TableEncoder.from_state(encoder.schema, {k: v for k, v in state.items() if k != "pairings"}).pairings == ()
    good = state["pairings"][0]
    beyond, more = good["pairs"].copy(), good["pairs"].copy()
    beyond[0, 1] = 1000
    more[0, 2] = 100_000
    for bad in (
        {"target": 99},
        {"source": good["target"]},
        {"prior_rows": 0.0},
        {"prior_rows": np.nan},
        {"pairs": good["pairs"][:, :2]},
        {"pairs": good["pairs"].astype(float)},
        {"pairs": beyond},
        {"pairs": more},
        {"pairs": np.concatenate([good["pairs"], good["pairs"][:1]])},
        {"source_rows": good["source_rows"][:-1]},
        {"target_rows": -good["target_rows"]},
    ):
        with pytest.raises(ValueError, match=r"pair"):
            TableEncoder.from_state(encoder.schema, state | {"pairings": [good | bad]})
    for pairings in (state["pairings"][::-1], [good] * (MAX_SOURCES + 1), [good] * 2):
        with pytest.raises(ValueError, match="pairing"):
            TableEncoder.from_state(encoder.schema, state | {"pairings": pairings})
