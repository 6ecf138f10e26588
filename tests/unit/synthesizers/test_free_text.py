"""Free text is not learned: a fit says so, samples number it, and nothing of it is in the file."""

from __future__ import annotations

import logging
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from synthgan import CTGAN, TVAE, Synthesizer, SynthGAN, VanillaGAN, load
from synthgan.errors import ConditionError
from synthgan.schema import ColumnKind

N = 200


@pytest.fixture(scope="module")
def table() -> pd.DataFrame:
    stream = np.random.default_rng(0)
    note = pd.Series([f"the customer called {i} times about grapes" for i in range(N)], dtype=object)
    return pd.DataFrame(
        {"note": note.mask(stream.random(N) < 0.3), "size": stream.normal(size=N), "kind": stream.choice(["a", "b"], N)}
    )


@pytest.mark.parametrize("kind", [SynthGAN, CTGAN, TVAE, VanillaGAN])
def test_free_text_is_numbered(
    kind: type[Synthesizer], table: pd.DataFrame, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level(logging.WARNING, "synthgan"):
        kind(epochs=30, random_state=0).fit(table, target="kind").save(tmp_path / "m.synthgan")
    assert "'note' is free text" in caplog.text
    assert b"grapes" not in (tmp_path / "m.synthgan").read_bytes()
    model = load(tmp_path / "m.synthgan")
    assert model.schema_["note"].kind is ColumnKind.TEXT
    rows = model.sample(2000, random_state=0)
    present = rows["note"].dropna()
    assert list(rows) == list(table)
    assert present.tolist() == [f"text-{row + 1}" for row in present.index]
    assert 0 < len(present) < 2000
    if kind is SynthGAN:
        assert rows["note"].isna().mean() == pytest.approx(table["note"].isna().mean(), abs=0.1)


def test_what_can_be_asked_of_it(table: pd.DataFrame) -> None:
    model = SynthGAN(epochs=2, hidden_dim=8, random_state=0).fit(table)
    assert model.impute(table)["note"].equals(table["note"]), "nothing can be made up for it"
    assert np.isfinite(model.score_samples(table.head(5))).all()
    with pytest.raises(ConditionError, match="'note' is free text"):
        model.sample(3, conditions={"note": "the customer"})


def test_a_table_of_nothing_else(table: pd.DataFrame) -> None:
    model = SynthGAN(random_state=0).fit(table[["note"]].dropna())
    assert model.sample(3)["note"].tolist() == ["text-1", "text-2", "text-3"]
