"""The canonical form: one row is one row, however it is written, ordered or typed."""

from __future__ import annotations

import io

import numpy as np
import pandas as pd
from hypothesis import given
from hypothesis import strategies as st

from synthgan.evaluation.canonical import level_text
from synthgan.evaluation.frames import make_tables

CELLS = {
    "number": st.one_of(st.none(), st.floats(-1e6, 1e6), st.just(0.1 + 0.2)),
    "count": st.integers(-3, 3),
    "flag": st.booleans(),
    "level": st.sampled_from(["a", "1", "<b>", "ü", "x,y", 'q"']),
    "when": st.datetimes(min_value=pd.Timestamp("1990-01-01"), max_value=pd.Timestamp("2030-01-01")),
}


def frame_of(rows: list[dict]) -> pd.DataFrame:
    frame = pd.DataFrame(rows, columns=list(CELLS))
    return frame.astype({"number": float, "when": "datetime64[ns]"})


ROWS = st.lists(st.fixed_dictionaries(CELLS), min_size=2, max_size=12).map(frame_of)


@given(ROWS)
def test_a_table_read_back_from_csv_is_a_copy(frame):
    text = frame.to_csv(index=False)
    tables = make_tables(frame, pd.read_csv(io.StringIO(text), float_precision="round_trip"))
    assert (tables.real.keys == tables.synthetic.keys).all()


@given(ROWS, st.randoms(use_true_random=False))
def test_the_order_of_rows_and_columns_is_forgotten(frame, random):
    rows, columns = list(range(len(frame))), list(frame.columns)
    random.shuffle(rows)
    random.shuffle(columns)
    tables = make_tables(frame, frame.iloc[rows][columns])
    assert (tables.real.keys == tables.synthetic.keys).all()
    assert np.array_equal(tables.real.numbers, tables.synthetic.numbers, equal_nan=True)
    assert (tables.real.codes == tables.synthetic.codes).all()


@given(ROWS, st.integers(0, 4))
def test_changing_one_cell_changes_one_key(frame, which):
    name = frame.columns[which]
    other = frame.copy()
    changed = {
        "number": 2e7,
        "count": 99,
        "flag": not frame["flag"][0],
        "level": "new",
        "when": pd.Timestamp("1980-01-01"),
    }
    other.loc[0, name] = changed[name]
    whole = pd.concat([frame] * 5, ignore_index=True)  # so that no column is an id, and kinds stay as they are
    tables = make_tables(whole, pd.concat([other] * 5, ignore_index=True))
    if name in tables.ids:
        return
    missing = set(tables.synthetic.keys.tolist()) - set(tables.real.keys.tolist())
    assert len(missing) == 1


def test_levels_are_text():
    assert [level_text(x) for x in (1, 1.0, "1", np.int8(1), np.float32(1))] == ["1"] * 5
    assert [level_text(x) for x in (True, np.True_, 0.5, "True")] == ["True", "True", "0.5", "True"]


def test_codes_are_in_order_of_the_real_frequency_and_unseen_levels_come_last(real, fresh):
    fresh = fresh.assign(plan=fresh["plan"].replace("pro", "enterprise"))
    tables = make_tables(real, fresh)
    place = tables.categorical.index("plan")
    assert tables.levels[place] == ("free", "basic", "pro", "enterprise")
    assert tables.n_real_levels[place] == 3
    assert (tables.column(tables.synthetic, "plan") == 4).sum() == (fresh["plan"] == "enterprise").sum()


def test_the_inputs_stay_as_they_are(mixed_table):
    before = mixed_table.copy(deep=True)
    make_tables(mixed_table, mixed_table[::-1])
    pd.testing.assert_frame_equal(mixed_table, before)


def test_every_kind_of_column_survives_csv(mixed_table):
    tables = make_tables(mixed_table, pd.read_csv(io.StringIO(mixed_table.to_csv(index=False))))
    assert (tables.real.keys == tables.synthetic.keys).all()
    assert (np.sort(tables.real.ids, axis=0) == np.sort(tables.synthetic.ids, axis=0)).all()
