"""Columns that are never below another one: found, drawn in order, and kept to."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping

import numpy as np
import numpy.typing as npt
import pandas as pd
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from synthgan import SynthGAN, infer_schema, load
from synthgan.encoding import TableEncoder
from synthgan.encoding.bounds import bounds_of
from synthgan.encoding.continuous import NumericEncoder
from synthgan.encoding.encoded import within_bounds
from synthgan.encoding.finding import with_derived, with_gaps, with_orders
from synthgan.encoding.grid import Grid
from synthgan.encoding.orders import Order, find_orders, orders_of_state, rearranged
from synthgan.models import CodeAxis, Generator, GeneratorConfig
from synthgan.models.features import rows_of
from synthgan.training.standins import draw_stand_ins

N = 700
FREE = {"low": Grid(0), "high": Grid(0)}


def make(n: int = N) -> pd.DataFrame:
    """Careers: age > years worked >= years here >= years in the role; opened <= closed, often by months."""
    stream = np.random.default_rng(0)
    age = stream.integers(20, 61, n)
    worked = (stream.random(n) * (age - 17)).astype(int)
    here = np.where(stream.random(n) < 0.3, worked, (stream.random(n) * (worked + 1)).astype(int))
    role = (stream.random(n) * (here + 1)).astype(int)
    opened = pd.Series(pd.Timestamp("2023-01-01") + pd.to_timedelta(stream.integers(0, 365 * 24, n), unit="h"))
    closed = (opened + pd.to_timedelta(stream.exponential(120, n).round(3), unit="D")).dt.floor("min")
    return pd.DataFrame(
        {
            "age": age,
            "worked": worked,
            "here": here,
            "role": pd.Series(role, dtype="Int64").mask(stream.random(n) < 0.1),
            "opened": opened,
            "closed": closed.mask(stream.random(n) < 0.1),
            "left": stream.choice(["yes", "no"], n),
        }
    )


def told(frame: pd.DataFrame) -> list[str]:
    return [str(one) for one in find_orders(frame, infer_schema(frame), [])]


def in_order(rows: pd.DataFrame) -> bool:
    pairs = [("worked", "age"), ("here", "worked"), ("role", "here"), ("opened", "closed")]
    return not any((rows[low] > rows[high]).fillna(False).any() for low, high in pairs)


def test_orders_are_found_and_none_that_follows_from_others() -> None:
    frame = make()
    assert told(frame) == ["age > worked", "worked >= here", "here >= role", "closed >= opened"]
    broken = frame.assign(here=frame["here"].where(frame.index != 7, frame["worked"] + 1))
    assert set(told(broken)) == {"age > worked", "worked >= role", "here >= role", "closed >= opened"}
    assert told(frame.head(40)) == [], "few rows"
    holes = frame.assign(here=frame["here"].astype("Int64").mask(frame.index % 5 == 0))
    assert "worked >= role" in told(holes), "where there is nothing between them, nothing else says so"


def test_what_may_be_chance_is_no_order() -> None:
    stream = np.random.default_rng(1)
    high, low = stream.normal(10, 1, N), stream.normal(6.5, 1, N)
    kept = high > low
    assert (~kept).sum() < 20
    assert told(pd.DataFrame({"high": high[kept], "low": low[kept]})) == []
    assert told(pd.DataFrame({"a": stream.normal(0, 1, N), "b": stream.normal(99, 1, N)})) == [], "nothing to go wrong"
    high, low = stream.normal(10, 1, 20_000), stream.normal(5.8, 1, 20_000)
    assert 20 < (low > high).sum() < 100
    assert told(pd.DataFrame({"high": high, "low": np.minimum(low, high)})) == [], "hardly anything to go wrong"


def test_formulas_and_gaps_are_not_told_twice() -> None:
    stream = np.random.default_rng(2)
    net, tax = stream.integers(1, 400, N), stream.integers(0, 300, N)
    start = pd.Series(pd.Timestamp("2022-01-01") + pd.to_timedelta(stream.integers(0, 700, N), unit="D"))
    frame = pd.DataFrame(
        {"net": net, "tax": tax, "total": net + tax, "start": start, "end": start + pd.to_timedelta(net % 9, unit="D")}
    )
    encoder = with_derived(TableEncoder.fit(frame, infer_schema(frame)), frame)
    encoder = with_orders(with_gaps(encoder, frame), frame)
    assert encoder.rules.told() == ("total = net + tax", "end >= start")


@pytest.fixture(scope="module")
def model(tmp_path_factory: pytest.TempPathFactory) -> SynthGAN:
    path = tmp_path_factory.mktemp("orders") / "m.synthgan"
    SynthGAN(epochs=30, hidden_dim=32, select=2, random_state=0).fit(make(), target="left").save(path)
    out = load(path)
    assert isinstance(out, SynthGAN)
    return out


@pytest.mark.parametrize("settings", [{}, {"n_passes": 1}, {"select": 1}, {"class_counts": {"yes": 400, "no": 100}}])
def test_samples_are_in_order(model: SynthGAN, settings: dict[str, object]) -> None:
    frame, rows = make(), model.sample(**({"n_samples": 500} | settings), random_state=0)  # type: ignore[arg-type]
    assert model.formulas_ == ("age > worked", "worked >= here", "here >= role", "closed >= opened")
    assert rows.dtypes.equals(frame.dtypes)
    assert in_order(rows)
    assert rows["role"].isna().mean() == pytest.approx(0.1, abs=0.06)


def test_conditions_on_either_side_stay_exact(model: SynthGAN) -> None:
    rows = model.sample(
        300, conditions={"worked": 12, "role": (3, 9), "closed": ("2023-06-01", "2023-06-30")}, random_state=0
    )
    assert set(rows["worked"]) == {12}
    assert rows["role"].between(3, 9).all()
    assert rows["closed"].between("2023-06-01", "2023-06-30 23:59:59").all()
    assert in_order(rows)
    wanted = make()[["age", "role"]].query("role < 20").head(90).reset_index(drop=True)
    rows = model.sample(conditions=wanted, random_state=0)
    pd.testing.assert_frame_equal(rows[["age", "role"]], wanted)
    assert in_order(rows)


def test_conditions_go_before_orders(model: SynthGAN) -> None:
    rows = model.sample(50, conditions={"worked": 5, "here": 20}, random_state=0)
    assert set(rows["worked"]) == {5}
    assert set(rows["here"]) == {20}


def test_holes_are_filled_in_order(model: SynthGAN) -> None:
    frame = make()
    holes = frame.assign(
        worked=frame["worked"].astype("Int64").mask(frame.index % 2 == 0),
        closed=frame["closed"].mask(frame.index % 3 == 0),
    )
    filled = model.impute(holes, random_state=0)
    assert in_order(filled)
    assert filled["worked"][1::2].eq(frame["worked"][1::2]).all()
    assert np.isfinite(model.score_samples(frame)).all()


def test_the_table_keeps_to_its_bounds_and_stand_ins_do() -> None:
    frame = make()
    encoder = with_orders(TableEncoder.fit(frame, infer_schema(frame)), frame)
    table = encoder.encode(frame)
    assert within_bounds(encoder.layout, table).all()
    rows = draw_stand_ins(encoder, table, 2000, 0)
    assert len(rows) == 2000
    assert within_bounds(encoder.layout, rows).all()
    shuffled = frame.assign(worked=frame["worked"].sample(frac=1, random_state=0).to_numpy())
    assert (out := shuffled["worked"] > shuffled["age"] + 3).any()
    assert not within_bounds(encoder.layout, encoder.encode(shuffled))[out].any()
    again = TableEncoder.from_state(encoder.schema, encoder.state())
    assert [str(one) for one in again.orders] == [str(one) for one in encoder.orders]
    for one, other in zip(encoder.layout.bounds, again.layout.bounds, strict=True):
        np.testing.assert_array_equal(one.cell, other.cell)


@given(st.lists(st.integers(0, 60), min_size=12, max_size=40), st.lists(st.integers(0, 60), min_size=12, max_size=40))
def test_bounds_are_those_of_all_numbers_in_order(low: list[int], high: list[int]) -> None:
    below, above = (NumericEncoder.fit(np.array(own, float), Grid(0), 4, min_rows=3) for own in (low, high))
    least, most = bounds_of(0, below, 1, above)
    every = np.arange(-3.0, 64)
    x, y = (one.cells.flatten(*one.encode(every)[:2])[0] for one in (below, above))
    for cell in np.unique(x):
        assert least.cell[cell] == min(y[b] for a in range(len(x)) if x[a] == cell for b in range(a, len(y)))
    for cell in np.unique(y):
        assert most.cell[cell] == max(x[a] for b in range(len(y)) if y[b] == cell for a in range(b + 1))


def test_the_network_leaves_no_room_for_what_is_out_of_order() -> None:
    frame = make()[["age", "worked", "left"]]
    encoder = with_orders(TableEncoder.fit(frame, infer_schema(frame)), frame)
    axis = CodeAxis(encoder.layout)
    network = Generator(axis, GeneratorConfig(hidden_dim=8, late_dim=8)).eval()
    rows, age = rows_of(axis, encoder.encode(frame)), encoder.encoders["age"]
    known = torch.zeros_like(rows.codes, dtype=torch.bool)
    known[:, 1] = True
    assert isinstance(age, NumericEncoder)
    every = torch.softmax(
        network.logits(network.read(rows, known), network.clues(rows, known))[:, : age.cells.n_codes], 1
    )
    one = torch.softmax(network.block_logits(network.read(rows, known), 0, network.clues(rows, known, 0)), 1)
    torch.testing.assert_close(every, one)
    highest = np.maximum.reduceat(age.high, age.cells.first)[: age.cells.n_codes]
    below = torch.from_numpy(np.r_[highest[1:], np.inf][None] < frame["worked"].to_numpy()[:, None])
    assert below.any()
    assert one[below].max() < 1e-9
    nothing = torch.zeros_like(known)
    free = torch.softmax(network.block_logits(network.read(rows, nothing), 0, network.clues(rows, nothing, 0)), 1)
    assert (free > 1e-6).all()


numbers = st.lists(st.one_of(st.none(), st.integers(-9, 9)), min_size=8, max_size=8)


@given(numbers, numbers, st.booleans(), st.booleans(), st.booleans())
def test_numbers_change_places_or_move(
    low: list[int | None], high: list[int | None], strict: bool, low_stays: bool, high_stays: bool
) -> None:
    stays = {"low": low_stays, "high": high_stays}
    one, x, y = Order("low", "high", strict), np.array(low, float), np.array(high, float)
    new_x, new_y = rearranged(one, x, y, FREE, lambda name, values: np.full(len(values), not stays[name]))
    bad = one.broken(x, y)
    np.testing.assert_array_equal(new_x[~bad], x[~bad])
    np.testing.assert_array_equal(new_y[~bad], y[~bad])
    assert not stays["low"] or np.array_equal(new_x, x, equal_nan=True)
    assert not stays["high"] or np.array_equal(new_y, y, equal_nan=True)
    assert one.broken(new_x, new_y).any() == (bad.any() and low_stays and high_stays)
    apart = bad & (x != y)
    if not low_stays and not high_stays:
        np.testing.assert_array_equal(new_x[apart], y[apart])
        np.testing.assert_array_equal(new_y[apart], x[apart])
    elif not low_stays or not high_stays:
        np.testing.assert_array_equal((new_y - new_x)[apart], (x - y)[apart])


def test_numbers_stay_on_their_grids_and_inside_their_bounds() -> None:
    grids: Mapping[str, Grid] = {"low": Grid(0, 5, 0, 20), "high": Grid(2, 1, 3.0, 30.0)}

    def may(name: str, values: npt.NDArray[np.float64]) -> npt.NDArray[np.bool_]:
        return (values >= grids[name].low) & (values <= grids[name].high)

    one = Order("low", "high", False)
    early = rearranged(one, np.array([15.0, 10]), np.array([10.0, 7.25]), grids, may, only_swapped=True)  # type: ignore[arg-type]
    assert [own.tolist() for own in early] == [[10, 10], [15, 7.25]]
    x, y = rearranged(one, np.array([15.0, 10, 5]), np.array([10.0, 7.25, 3.5]), grids, may)  # type: ignore[arg-type]
    assert x.tolist() == [10, 5, 5], "10 is on its grid, and 4.5 nearly; 2 is not, so 3.5 goes to the other side of 5"
    assert y.tolist() == [15, 7.25, 6.5]
    same = np.array([10.0, 0])
    x, y = rearranged(dataclasses.replace(one, strict=True), same, np.array([10.0, 3]), grids, may)  # type: ignore[arg-type]
    assert x.tolist() == [5, 0]
    assert y.tolist() == [10, 3]


def test_large_numbers_are_compared_as_they_are_written() -> None:
    grids = {"low": Grid(2), "high": Grid(2)}
    same = np.round(np.random.default_rng(0).integers(10**8, 10**11, 2000) / 100, 2)
    strict = rearranged(
        Order("low", "high", True), same, same, grids, lambda name, own: np.full(len(own), name == "low")
    )
    assert (strict[0] < strict[1]).all()
    assert np.allclose(strict[1] - strict[0], 0.01, atol=1e-5)


def barely(frame: pd.DataFrame, **settings: object) -> SynthGAN:
    quick = {"epochs": 3, "hidden_dim": 8, "select": 1, "stand_ins": False, "random_state": 0} | settings
    return SynthGAN(**quick).fit(frame)  # type: ignore[arg-type]


def test_formulas_go_before_orders() -> None:
    stream = np.random.default_rng(0)
    net, tax = stream.integers(1, 400, N), stream.integers(0, 300, N)
    cap, floor = (net * stream.uniform(1, 4, N)).astype(int), (tax * stream.random(N)).astype(int)
    model = barely(pd.DataFrame({"net": net, "tax": tax, "total": net + tax, "cap": cap, "floor": floor}))
    assert {"total = net + tax", "tax >= floor", "cap >= net"} <= set(model.formulas_)
    rows = model.sample(300, random_state=0)
    assert (rows["net"] + rows["tax"] == rows["total"]).all()
    assert (rows["cap"] >= rows["net"]).all()
    assert (rows["tax"] >= rows["floor"]).all()
    rows = model.sample(300, conditions={"total": 300, "cap": 50}, random_state=0)
    assert (rows["net"] + rows["tax"] == 300).all()
    assert set(rows["cap"]) == {50}
    assert (rows["net"] <= 50).all()
    head = model.sample(37, conditions={"total": 300, "cap": 50}, random_state=0)
    pd.testing.assert_frame_equal(head, rows.head(37))
    rows = model.sample(100, conditions={"total": 500, "cap": (100, 150)}, random_state=0)
    assert (rows["net"] + rows["tax"] == 500).all(), "tax is 299 at most: there is no such row in order"
    assert rows["cap"].between(100, 150).all()


def test_orders_of_totals() -> None:
    stream = np.random.default_rng(0)
    cost = stream.integers(100, 9000, N)
    profit = (cost * stream.uniform(-0.8, 0.8, N)).astype(int)
    both = (np.minimum(cost, cost + profit) * stream.random(N)).astype(int)
    frame = pd.DataFrame({"cost": cost, "profit": profit, "revenue": cost + profit, "a": both})
    model = barely(frame.assign(b=(both * stream.random(N)).astype(int)))
    assert {"cost >= a", "revenue >= a", "a >= b"} <= set(model.formulas_)
    rows = model.sample(300, random_state=0)
    assert (rows["cost"] + rows["profit"] == rows["revenue"]).all()
    assert (rows["revenue"] >= rows["a"]).all()
    assert (rows["cost"] >= rows["a"]).all()
    parts = {f"part {at}": stream.integers(0, 100, N) for at in range(2)}
    shares = {f"share {at}": (own * stream.random(N)).astype(int) for at, own in enumerate(parts.values())}
    frame = pd.DataFrame(parts | shares)
    frame["all"], frame["some"] = sum(parts.values()), sum(shares.values())
    assert not any("all" in one and "some" in one and ">" in one for one in barely(frame).formulas_)


@pytest.mark.parametrize("condition", [{"high": (0.0, 20.0)}, {"low": (80.0, None)}, {"low": (0.0, None)}])
def test_conditions_do_not_pile_numbers_up(condition: dict[str, object]) -> None:
    stream = np.random.default_rng(1)
    high = stream.exponential(100, N).round(1)
    frame = pd.DataFrame({"high": high, "low": (high * stream.random(N)).round(1), "x": stream.normal(size=N)})
    rows = barely(frame, epochs=40, hidden_dim=32).sample(500, conditions=condition, random_state=0)
    assert (rows["high"] >= rows["low"]).all()
    assert (rows["high"] == rows["low"]).mean() < 0.05


def test_times_stay_on_their_clocks() -> None:
    stream = np.random.default_rng(2)
    opened = pd.Series(pd.Timestamp("2023-01-01") + pd.to_timedelta(stream.integers(0, 365 * 24, N), unit="h"))
    closed = opened + pd.to_timedelta(stream.exponential(120 * 86400, N).astype(int), unit="s")
    noon = closed.dt.normalize() + pd.to_timedelta(stream.integers(1, 300, N), unit="D") + pd.Timedelta(hours=12)
    frame = pd.DataFrame({"opened": opened, "closed": closed, "noon": noon})
    model = barely(frame)
    assert model.formulas_ == ("closed >= opened", "noon >= closed")
    rows = model.sample(400, conditions={"closed": ("2023-05-01", "2023-06-30")}, random_state=0)
    assert (rows["closed"] >= rows["opened"]).all()
    assert (rows["noon"] >= rows["closed"]).all()
    assert (rows["opened"] == rows["opened"].dt.floor("h")).all()
    assert set(rows["noon"].dt.hour) == {12}
    text = frame.assign(
        noon=1, opened=opened.dt.strftime("%Y-%m-%d %H:%M:%S"), closed=closed.dt.strftime("%Y-%m-%d %H:%M")
    )
    text["opened"] = (opened + pd.to_timedelta(stream.integers(0, 59, N), unit="s")).dt.strftime("%Y-%m-%d %H:%M:%S")
    text["closed"] = (closed + pd.Timedelta(minutes=1)).dt.strftime("%Y-%m-%d %H:%M")
    rows = barely(text).sample(400, conditions={"opened": ("2023-05-01", "2023-06-30")}, random_state=0)
    assert (pd.to_datetime(rows["closed"]) >= pd.to_datetime(rows["opened"])).all()


def test_rows_in_order_that_nobody_saw_are_not_held_impossible() -> None:
    stream = np.random.default_rng(3)
    high = np.where(stream.random(500) < 0.5, stream.integers(0, 40, 500), 1000)
    model = barely(pd.DataFrame({"high": high, "low": (high * stream.random(500)).astype(int)}))
    unseen = pd.DataFrame({"high": [600, 700, 500, 400, 450], "low": [550, 600, 480, 300, 440]})
    assert (model.score_samples(unseen) > -30).all()


def test_single_precision_changes_places() -> None:
    stream = np.random.default_rng(4)
    high = stream.exponential(100, N).round(2)
    frame = pd.DataFrame({"high": high, "low": (high * stream.random(N)).round(2)}).astype("float32")
    rows = barely(frame).sample(1000, random_state=0)
    assert (rows["high"] >= rows["low"]).all()
    assert (rows["high"] == rows["low"]).mean() < 0.02


def test_files_with_other_orders_are_refused() -> None:
    frame = make()
    schema = infer_schema(frame)
    for item in ({"low": "age", "high": "age"}, {"low": "age", "high": "opened"}, {"low": "left", "high": "left"}):
        with pytest.raises(ValueError, match="order"):
            orders_of_state([item | {"strict": False}], schema)
    encoder = TableEncoder.fit(frame, schema)
    assert TableEncoder.from_state(schema, {k: v for k, v in encoder.state().items() if k != "orders"}).orders == ()
