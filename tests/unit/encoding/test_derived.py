"""Numbers that follow from another column, found and kept to the last digit."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from synthgan import SynthGAN, infer_schema, load
from synthgan.encoding.derived import Derived, derived_of_state
from synthgan.encoding.formulas import find_derived
from synthgan.encoding.grid import Grid

N = 400


def found(**columns: npt.ArrayLike | pd.Series) -> tuple[Derived, ...]:
    frame = pd.DataFrame(columns)
    return find_derived(frame, infer_schema(frame))


@settings(max_examples=60, deadline=None)
@given(st.integers(-9999, 9999).filter(bool), st.integers(0, 4), st.integers(-500, 500), st.integers(0, 2**31))
def test_any_line_is_found_and_its_numbers_come_back(slope: int, digits: int, shift: int, seed: int) -> None:
    x = np.random.default_rng(seed).integers(1, 5000, N)
    line = Derived("y", ("x",), "x", slope / 10**digits, float(shift))
    frame = pd.DataFrame({"x": x, "y": np.round(line.slope * x + shift, 4)})
    (one,) = find_derived(frame, infer_schema(frame))
    assert (one.target, one.sources, one.function) == ("y", ("x",), "x")
    schema = infer_schema(frame)
    rounded = Grid(schema["y"].decimals, schema["y"].step).snap(one.values(frame, schema))
    np.testing.assert_allclose(rounded, frame["y"], rtol=0, atol=1e-9)


def test_of_two_lines_that_agree_the_one_of_fewer_digits_is_told() -> None:
    start = np.random.default_rng(0).integers(1940, 2020, N)
    assert (np.round(1.0005 * start) == start + 1).all()
    (one,) = found(start=start, end=start + 1)
    assert str(one) == "end = start + 1"


def test_rounded_prices_have_the_slope_that_somebody_chose() -> None:
    minutes = np.round(np.random.default_rng(0).uniform(0, 400, N), 1)
    (one,) = found(minutes=minutes, charge=np.round(0.17 * minutes, 2))
    assert one == Derived("charge", ("minutes",), "x", 0.17, 0.0)
    (one,) = found(charge=np.round(0.017 * minutes, 2), minutes=minutes)
    assert (one.target, one.sources) == ("charge", ("minutes",)), "the coarser one follows, wherever it stands"


@pytest.mark.parametrize(
    ("function", "values"),
    [("x^2", np.square), ("sqrt", np.sqrt), ("log", np.log), ("exp", np.exp), ("1/x", np.reciprocal)],
)
def test_functions(function: str, values: np.ufunc) -> None:
    x = np.random.default_rng(1).uniform(0.5, 9, N)
    (one,) = found(x=x, y=3 * values(x) + 2)
    assert one.function == function
    frame = pd.DataFrame({"x": x})
    np.testing.assert_allclose(one.values(frame, infer_schema(frame)), 3 * values(x) + 2)


def test_parts_of_times_and_chains() -> None:
    stream = np.random.default_rng(2)
    when = pd.Series(pd.Timestamp("2019-01-01") + pd.to_timedelta(stream.integers(0, 3 * 365 * 24 * 60, N), unit="min"))
    one = {each.target: each for each in found(when=when, month=when.dt.month, weekday=when.dt.dayofweek + 1)}
    assert one == {
        "month": Derived("month", ("when",), "month"),
        "weekday": Derived("weekday", ("when",), "dayofweek", 1.0, 1.0),
    }
    x = stream.integers(0, 1000, N)
    two = found(x=x, y=2 * x, z=4 * x)
    assert {(each.target, each.sources) for each in two} == {("y", ("x",)), ("z", ("x",))}, "all from one that is drawn"


def test_what_does_not_follow_is_left_alone() -> None:
    stream = np.random.default_rng(3)
    x = stream.integers(1, 1000, N)
    wrong = (2 * x).copy()
    wrong[7] += 9
    assert found(x=x, y=wrong) == ()
    assert found(x=x[:40], y=2 * x[:40]) == (), "few rows"
    assert found(x=x % 5, y=2 * (x % 5)) == (), "few values"
    assert found(x=x, y=x + stream.normal(size=N)) == ()
    holes = pd.Series(x.astype(float)).mask(x % 7 == 0)
    (one,) = found(x=holes, y=2 * x)
    assert one.target == "x", "y is there where x is not"
    (one,) = found(x=x, y=2 * holes)
    assert one.target == "y"


@pytest.fixture(scope="module")
def frame() -> pd.DataFrame:
    stream = np.random.default_rng(4)
    minutes = np.round(stream.gamma(3, 60, N), 1)
    when = pd.Timestamp("2023-01-01") + pd.to_timedelta(stream.integers(0, 365, N), unit="D")
    charge = pd.Series(np.round(0.17 * minutes, 2)).mask(stream.random(N) < 0.1)
    return pd.DataFrame(
        {"minutes": minutes, "charge": charge, "when": when, "month": when.month, "plan": minutes > 150}
    )


@pytest.fixture(scope="module")
def model(frame: pd.DataFrame, tmp_path_factory: pytest.TempPathFactory) -> SynthGAN:
    path = tmp_path_factory.mktemp("derived") / "m.synthgan"
    SynthGAN(epochs=200, hidden_dim=16, random_state=0).fit(frame).save(path)
    out = load(path)
    assert isinstance(out, SynthGAN)
    return out


def follows(rows: pd.DataFrame, *, high: float) -> npt.NDArray[np.bool_]:
    exact = np.abs(rows["charge"] - 0.17 * rows["minutes"]) <= 0.0051
    return np.asarray(exact | rows["charge"].isna() | (rows["charge"] >= high))


def test_samples_follow_to_the_last_digit(model: SynthGAN, frame: pd.DataFrame) -> None:
    rows = model.sample(3000, random_state=0)
    assert follows(rows, high=model.schema_["charge"].high).all()
    assert rows["charge"].isna().mean() == pytest.approx(0.1, abs=0.05)
    assert (rows["month"] == rows["when"].dt.month).all()
    assert rows.dtypes.equals(frame.dtypes)


def test_conditions_stay_exact_on_either_side(model: SynthGAN) -> None:
    high = model.schema_["charge"].high
    of_source = model.sample(200, conditions={"minutes": (100.0, 200.0)}, random_state=0)
    assert of_source["minutes"].between(100, 200).all()
    assert follows(of_source, high=high).all()
    of_target = model.sample(200, conditions={"charge": (20.0, 30.0), "month": 3}, random_state=0)
    assert of_target["charge"].between(20, 30).all()
    assert (of_target["month"] == 3).all()


def test_rows_of_a_frame_are_fixed_one_by_one(model: SynthGAN, frame: pd.DataFrame) -> None:
    charge = frame["charge"][frame["charge"].between(5, 80)].head(100).reset_index(drop=True)
    given_some = pd.DataFrame({"charge": charge.mask(charge.index % 2 == 1)})
    rows = model.sample(conditions=given_some, random_state=0)
    free = given_some["charge"].isna()
    assert rows["charge"][~free].equals(charge[~free])
    assert follows(rows[free], high=model.schema_["charge"].high).all()


def test_holes_are_filled_by_what_follows(model: SynthGAN, frame: pd.DataFrame) -> None:
    holes = frame.head(50).assign(month=pd.NA)
    filled = model.impute(holes, random_state=0)
    assert (filled["month"] == frame["when"].head(50).dt.month).all()
    filled = model.impute(frame.assign(charge=np.nan), random_state=0)
    assert (np.abs(filled["charge"] - 0.17 * frame["minutes"]) <= 0.0051).sum() + filled["charge"].isna().sum() == N


def test_one_large_value_excuses_nothing() -> None:
    """Neither in columns of amounts, nor among those of very different sizes."""
    stream = np.random.default_rng(5)
    a = stream.uniform(0, 1000, N)
    b = a + stream.normal(0, 20, N)
    a[0] = b[0] = 1e9
    assert found(a=a, b=b) == ()
    x = stream.lognormal(0, 4, 5000)
    assert found(x=x, y=x + stream.normal(0, 0.02, 5000)) == ()


def test_a_range_as_wide_as_the_column_is_kept_to() -> None:
    x = np.random.default_rng(6).uniform(0.5, 9, N)
    model = SynthGAN(epochs=5, hidden_dim=8, random_state=0).fit(pd.DataFrame({"x": x, "y": 3 * x**2 + 2}))
    low, high = np.quantile(3 * x**2 + 2, [0.01, 0.99])
    rows = model.sample(3000, conditions={"y": (low, high)}, random_state=0)
    assert rows["y"].between(low, high).all()


@pytest.mark.parametrize(
    "wrong",
    [
        {"function": "sin"},
        {"function": "month"},
        {"slope": float("nan")},
        {"sources": ["nothing"]},
        {"target": "when"},
        {"sources": ["charge"]},
        {"sources": ["minutes", "month"]},
        {"weights": [1.0]},
        {"function": "sum"},
        {"function": "sum", "sources": ["minutes", "month"], "weights": [1.0]},
        {"function": "sum", "sources": ["minutes", "minutes"], "weights": [1.0, 1.0]},
        {"function": "product", "sources": ["minutes", "when"], "weights": [1.0, 1.0]},
        {"function": "sum", "sources": ["minutes", "month"], "weights": [1.0, float("inf")]},
        {"color": 1},
    ],
)
def test_files_of_nonsense_are_refused(model: SynthGAN, wrong: dict[str, object]) -> None:
    good = Derived("charge", ("minutes",), "x", 0.17).state()
    assert derived_of_state([good], model.schema_) == (Derived("charge", ("minutes",), "x", 0.17),)
    with pytest.raises((ValueError, KeyError, TypeError)):
        derived_of_state([good | wrong], model.schema_)
