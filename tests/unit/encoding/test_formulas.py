"""Totals and products of other columns, found and kept to the last digit."""

from __future__ import annotations

import io
from itertools import permutations

import numpy as np
import numpy.typing as npt
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from synthgan import SynthGAN, infer_schema, load
from synthgan.encoding.derived import Derived, derived_of_state, in_order
from synthgan.encoding.formulas import find_derived
from synthgan.rng import numpy_stream

N = 400


def found(**columns: npt.ArrayLike) -> list[str]:
    frame = pd.DataFrame(columns)
    return [str(one) for one in find_derived(frame, infer_schema(frame))]


@settings(max_examples=40, deadline=None)
@given(
    st.lists(st.sampled_from([-3, -1, 0.25, 1, 1, 1, 2, 100]), min_size=2, max_size=6),
    st.integers(-50, 50),
    st.integers(0, 2**31),
)
def test_any_sum_is_found(weights: list[float], shift: int, seed: int) -> None:
    stream = np.random.default_rng(seed)
    parts = {f"part{at}": stream.integers(0, 40 * (at + 1), N) for at in range(len(weights))}
    total = sum(weight * part for weight, part in zip(weights, parts.values(), strict=True)) + shift
    frame = pd.DataFrame({**parts, "total": total})
    (one,) = find_derived(frame, infer_schema(frame))
    assert len(one.sources) == len(weights)
    np.testing.assert_allclose(one.values(frame, infer_schema(frame)), frame[one.target], atol=1e-6)


@settings(max_examples=40, deadline=None)
@given(st.lists(st.sampled_from([-1, 1, 1, 1, 2]), min_size=2, max_size=4), st.integers(0, 2**31))
def test_any_product_is_found(powers: list[int], seed: int) -> None:
    stream = np.random.default_rng(seed)
    parts = {f"part{at}": np.round(stream.lognormal(1, 0.5, N), 3) + 0.1 for at in range(len(powers))}
    frame = pd.DataFrame({**parts, "y": np.prod([p**k for p, k in zip(parts.values(), powers, strict=True)], axis=0)})
    (one,) = find_derived(frame, infer_schema(frame))
    assert one.function == "product"
    assert len(one.sources) == len(powers)
    np.testing.assert_allclose(one.values(frame, infer_schema(frame)), frame[one.target], rtol=1e-5)


def test_sums_of_numbers_of_single_precision_are_found_in_a_file() -> None:
    rng = numpy_stream(4, "test")
    red, green, blue = (rng.gamma(2, 20, 400).astype(np.float32) for _ in range(3))
    mean = (red + green + blue) / np.float32(3)
    picture = {"red": red, "green": green, "blue": blue, "mean": mean, "excess": np.float32(3) * (red - mean)}
    text = pd.DataFrame(picture).to_csv(index=False)
    frame = pd.read_csv(io.StringIO(text))
    assert (frame.dtypes == np.float64).all()
    schema = infer_schema(frame)
    assert all(spec.decimals is None for spec in schema)
    derived = find_derived(frame, schema)
    assert len(derived) == 2
    for one in derived:
        off = np.abs(one.values(frame, schema) - frame[one.target])
        assert off.max() < 1e-5 * frame[one.target].abs().max()
    for other in (1_700_000_000 + rng.integers(0, 86_400, 400), 1e7 + rng.random(400), 2020 + rng.integers(0, 3, 400)):
        a, b = rng.normal(size=(2, 400))
        noisy = pd.DataFrame({"a": a, "b": b, "other": other, "y": a + 2 * b + 5e-4 * rng.normal(size=400)})
        assert find_derived(noisy, infer_schema(noisy)) == ()
    noisy = frame.assign(mean=frame["mean"] + rng.normal(0, 1e-3, 400))
    assert not any("mean" in (one.target, *one.sources) for one in find_derived(noisy, infer_schema(noisy)))


def test_a_third_is_written_as_a_third() -> None:
    rng = numpy_stream(5, "test")
    yard = rng.integers(1, 9000, 300)
    frame = pd.DataFrame({"feet": yard, "yards": (yard / 3).round(2)})
    (one,) = find_derived(frame, infer_schema(frame))
    assert max(one.slope, 1 / one.slope) == pytest.approx(3, abs=1e-9)


def test_the_total_follows_and_not_a_part_of_it() -> None:
    stream = np.random.default_rng(0)
    a, b, c = (stream.integers(0, high, N) for high in (100, 50, 30))
    assert found(total=a + b + c, a=a, b=b, c=c) == ["total = a + b + c"], "wherever it stands"
    assert found(end=a + b, start=a, days=b) == ["end = start + days"], "what varies most"
    assert found(large=a, less=b, change=a - b) == ["change = large - less"]
    assert found(a=a, b=b, c=c, mean=np.round((a + b + c) / 3, 2)) == ["mean = a / 3 + b / 3 + c / 3"]
    hour, minute = stream.integers(0, 24, N), stream.integers(0, 60, N)
    assert found(clock=100 * hour + minute, hour=hour, minute=minute) == ["clock = 100 * hour + minute"]
    price, n = np.round(stream.gamma(2, 20, N) + 1, 2), stream.integers(1, 9, N)
    assert found(n=n, amount=np.round(price * n, 2), price=price) == ["amount = n * price"]
    weight, height = np.round(stream.normal(70, 10, N), 1), np.round(stream.normal(1.7, 0.1, N), 2)
    assert found(weight=weight, height=height, bmi=np.round(weight / height**2, 1)) == ["bmi = weight / height^2"]


def test_formulas_of_what_follows_by_formulas() -> None:
    stream = np.random.default_rng(1)
    price, n = np.round(stream.gamma(2, 20, N) + 1, 2), stream.integers(1, 9, N)
    amount = np.round(price * n, 2)
    tax = np.round(0.19 * amount, 2)
    lines = found(price=price, n=n, amount=amount, tax=tax, gross=np.round(amount + tax, 2))
    assert lines == ["amount = price * n", "tax = 0.19 * amount", "gross = amount + tax"]
    there, back = Derived("a", ("b", "c"), "sum", weights=(1.0, 1.0)), Derived("b", ("a",), "x", 2.0)
    assert in_order([there, back]) is None
    assert in_order([there, Derived("c", ("d",), "x")]) == [Derived("c", ("d",), "x"), there]


def test_formulas_are_read_in_any_order_that_can_be_followed() -> None:
    stream = np.random.default_rng(7)
    schema = infer_schema(pd.DataFrame({name: stream.normal(size=N) for name in "abcdz"}))
    good = [
        Derived("b", ("z",), "x", 2.0),
        Derived("a", ("c",), "x"),
        Derived("d", ("z", "b"), "sum", weights=(1.0, 1.0)),
    ]
    for first, second, third in permutations(range(3)):
        state = [good[place].state() for place in (first, second, third)]
        if [first, second, third].index(0) < [first, second, third].index(2):
            assert [one.state() for one in derived_of_state(state, schema)] == state
        else:
            with pytest.raises(ValueError, match="'d' follows from columns"):
                derived_of_state(state, schema)


def test_one_of_several_is_told_by_the_others() -> None:
    """Columns of zeros and ones of which one is always raised."""
    level = np.random.default_rng(2).integers(0, 4, N)
    (line,) = found(**{f"is{at}": (level == at).astype(int) for at in range(4)})
    assert line.count("is") == 4
    assert line.endswith("+ 1")


def test_what_is_no_sum_is_left_alone() -> None:
    stream = np.random.default_rng(3)
    a, b = stream.integers(0, 100, N), stream.integers(0, 50, N)
    wrong = a + b
    wrong[7] += 1
    assert found(a=a, b=b, total=wrong) == []
    assert found(a=a[:40], b=b[:40], total=(a + b)[:40]) == [], "few rows"
    rare = (np.arange(N) < 6).astype(int)
    assert found(a=a % 2, rare=rare, either=(a % 2) + rare) == [], "few rows that tell what a part is for"
    large = stream.normal(10_000, 100, (2, N))
    assert len(found(a=large[0], b=large[1], c=large[1] + 0.5 * large[0])) == 1
    assert found(a=large[0], b=large[0] + (gap := stream.normal(0, 1, N)), gap=np.round(gap)) == [], (
        "a small difference of large numbers would be drawn with the errors of those"
    )
    holes = np.where(a % 7 == 0, np.nan, a)
    assert found(a=holes, b=b, total=a + b) == ["a = total - b"], "the total is there where a part is not"
    noise = stream.integers(0, 6, (20, N))
    assert found(**{f"n{at}": own for at, own in enumerate(noise)}) == []


@pytest.fixture(scope="module")
def frame() -> pd.DataFrame:
    stream = np.random.default_rng(4)
    a, b, c = (stream.integers(0, high, N) for high in (100, 50, 30))
    price, n = np.round(stream.gamma(2, 20, N) + 1, 2), stream.integers(1, 9, N)
    amount = np.round(price * n, 2)
    return pd.DataFrame({"a": a, "b": b, "c": c, "total": a + b + c, "price": price, "n": n, "amount": amount})


@pytest.fixture(scope="module")
def model(frame: pd.DataFrame, tmp_path_factory: pytest.TempPathFactory) -> SynthGAN:
    path = tmp_path_factory.mktemp("formulas") / "m.synthgan"
    SynthGAN(epochs=20, hidden_dim=16, random_state=0).fit(frame).save(path)
    out = load(path)
    assert isinstance(out, SynthGAN)
    return out


def off(rows: pd.DataFrame) -> tuple[float, float]:
    """Share of rows in which the total, and the amount, do not agree."""
    total = rows["total"] != rows["a"] + rows["b"] + rows["c"]
    return float(total.mean()), float(((rows["amount"] - rows["price"] * rows["n"]).abs() > 0.0051).mean())


def test_samples_keep_to_formulas_and_to_bounds(model: SynthGAN, frame: pd.DataFrame) -> None:
    rows = model.sample(5000, random_state=0)
    assert off(rows) == (0.0, 0.0)
    assert rows.max().le(frame.max()).all()
    assert rows.dtypes.equals(frame.dtypes)
    assert rows.head(100).equals(model.sample(100, random_state=0))


def test_parts_give_way_where_the_total_is_given(model: SynthGAN) -> None:
    rows = model.sample(500, conditions={"total": 100}, random_state=0)
    assert rows["total"].eq(100).all()
    assert off(rows) == (0.0, 0.0)
    rows = model.sample(500, conditions={"total": (90, 100), "a": 60}, random_state=0)
    assert rows["total"].between(90, 100).all()
    assert rows["a"].eq(60).all()
    assert off(rows) == (0.0, 0.0)


def test_a_product_is_another_one_in_the_same_range(model: SynthGAN) -> None:
    """Hardly any price has a given product; but nearly all products are near one that some price has."""
    rows = model.sample(500, conditions={"amount": (50.0, 60.0)}, random_state=0)
    assert rows["amount"].between(50, 60).all()
    assert max(off(rows)) <= 0.005


def test_conditions_go_before_formulas(model: SynthGAN) -> None:
    given = {"total": 100, "a": 30, "b": 20, "c": 10}
    rows = model.sample(20, conditions=given, random_state=0)
    assert rows[list(given)].eq(pd.Series(given)).all(axis=None)


def test_holes_are_filled_forwards_and_backwards(model: SynthGAN, frame: pd.DataFrame) -> None:
    stream = np.random.default_rng(5)
    holes = frame.astype(float)
    which = stream.choice(["a", "b", "total", "amount", "none"], N)
    for name in ("a", "b", "total", "amount"):
        holes.loc[which == name, name] = np.nan
    filled = model.impute(holes, random_state=0)
    assert off(filled) == (0.0, 0.0)
    assert filled[["a", "b", "c", "total"]].eq(frame[["a", "b", "c", "total"]]).all(axis=None), (
        "nothing else is possible"
    )


def test_a_part_that_often_is_the_total_gives_way_too() -> None:
    """A total without extras repeats its one part to the last digit, and is flagged so."""
    stream = np.random.default_rng(6)
    rate = np.round(stream.uniform(40, 200, 600), 2)
    extras = np.where(stream.random(600) < 0.6, 0.0, np.round(stream.uniform(5, 60, 600), 2))
    frame = pd.DataFrame({"rate": rate, "extras": extras, "total": np.round(rate + extras, 2)})
    model = SynthGAN(epochs=30, hidden_dim=16, select=1, random_state=0).fit(frame)
    assert model.formulas_ == ("total = rate + extras",)
    assert model._fitted().encoder.layout.flags, "or else there is nothing to see here"
    rows = model.sample(1000, conditions={"total": (100.0, 150.0)}, random_state=0)
    assert rows["total"].between(100, 150).all()
    assert (rows["total"] - rows["rate"] - rows["extras"]).abs().max() < 0.006
    assert model.plan(frame).n_columns == 3
