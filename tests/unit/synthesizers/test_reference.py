"""What holds for every reference model, however little it was trained."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
import torch

from synthgan import CTGAN, TVAE, SynthGAN, VanillaGAN, load
from synthgan.errors import ArchiveError, ConditionError, ConfigError, DivergedError, NotFittedError
from synthgan.synthesizers.vectors import VectorSynthesizer

MODELS: dict[type[VectorSynthesizer], dict[str, Any]] = {
    VanillaGAN: {"epochs": 2, "generator_dims": (16,), "discriminator_dims": (16,), "random_state": 0},
    CTGAN: {"epochs": 2, "generator_dims": (16,), "discriminator_dims": (16,), "random_state": 0},
    TVAE: {"epochs": 2, "encoder_dims": (16,), "decoder_dims": (16,), "random_state": 0},
}
EVERY = pytest.mark.parametrize("kind", list(MODELS), ids=lambda kind: kind.__name__)


def new(kind: type[VectorSynthesizer], **settings: Any) -> VectorSynthesizer:
    return kind(**{**MODELS[kind], **settings})


@pytest.fixture(scope="module")
def table() -> pd.DataFrame:
    rng = np.random.default_rng(0)
    n = 120
    return pd.DataFrame(
        {
            "id": [f"k{i:03d}" for i in range(n)],
            "size": pd.Categorical(rng.choice(["S", "M", "L"], n), categories=["S", "M", "L"], ordered=True),
            "age": pd.array(np.where(rng.random(n) < 0.2, None, rng.integers(18, 90, n)), dtype="Int64"),
            "price": np.round(rng.lognormal(2, 1, n), 2),
            "plan": pd.Series(np.where(rng.random(n) < 0.3, None, rng.choice(["a", "b"], n)), dtype=object),
            "seen": pd.Timestamp("2021-03-01 10:00") + pd.to_timedelta(rng.integers(0, 9999, n), unit="h"),
            "flag": rng.random(n) < 0.5,
            "country": "DE",
        }
    )


@pytest.fixture(scope="module")
def fitted(table: pd.DataFrame) -> dict[type[VectorSynthesizer], VectorSynthesizer]:
    torch.set_num_threads(1)
    return {kind: new(kind).fit(table, target="size") for kind in MODELS}


Fitted = dict[type[VectorSynthesizer], VectorSynthesizer]


@EVERY
def test_rows_are_of_the_tables_kinds(kind: type[VectorSynthesizer], fitted: Fitted, table: pd.DataFrame) -> None:
    rows = fitted[kind].sample(500, random_state=0)
    assert rows.dtypes.equals(table.dtypes)
    assert rows["price"].between(table["price"].min(), table["price"].max()).all()
    assert (rows["price"].round(2) == rows["price"]).all()
    assert set(rows["plan"].dropna()) <= {"a", "b"}
    assert rows["age"].dropna().between(18, 90).all()
    assert (rows["country"] == "DE").all()
    assert rows["id"].is_unique
    assert not set(rows["id"]) & set(table["id"])


@EVERY
def test_a_seed_is_a_sample_and_a_short_one_its_head(kind: type[VectorSynthesizer], fitted: Fitted) -> None:
    model = fitted[kind]
    rows = model.sample(3000, random_state=3)
    assert model.sample(100, random_state=3).equals(rows.head(100))
    assert not model.sample(100, random_state=4).equals(rows.head(100))
    batches = list(model.sample_batches(3000, random_state=3))
    assert len(batches) > 1
    pd.testing.assert_frame_equal(pd.concat(batches, ignore_index=True), rows)
    given = {"conditions": {"flag": True}, "random_state": 3}
    assert model.sample(30, **given).equals(model.sample(60, **given).head(30))
    assert len(model.sample()) == 120
    assert model.sample(0).dtypes.equals(rows.dtypes)


@EVERY
def test_equal_seeds_are_equal_fits_and_the_global_state_stays(
    kind: type[VectorSynthesizer], fitted: Fitted, table: pd.DataFrame
) -> None:
    before = torch.get_rng_state(), np.random.get_state()[1].copy()  # noqa: NPY002
    again = new(kind).fit(table, target="size")
    assert again.sample(50, random_state=0).equals(fitted[kind].sample(50, random_state=0))
    assert torch.equal(torch.get_rng_state(), before[0])
    assert np.array_equal(np.random.get_state()[1], before[1])  # noqa: NPY002
    other = new(kind, random_state=1).fit(table)
    assert not other.sample(50, random_state=0).equals(fitted[kind].sample(50, random_state=0))


@EVERY
def test_a_file_holds_the_model(kind: type[VectorSynthesizer], fitted: Fitted, tmp_path: Path) -> None:
    model, path = fitted[kind], tmp_path / "m.synthgan"
    model.save(path)
    for loaded in (load(path, device="cpu"), kind.load(path, device="cpu")):
        assert type(loaded) is kind
        pd.testing.assert_frame_equal(loaded.sample(200, random_state=1), model.sample(200, random_state=1))
        assert {**loaded.info_, "parameters": 0} == {**model.info_, "parameters": 0}
        assert loaded.target_ == "size"
        assert loaded.history_["fidelity"].equals(model.history_["fidelity"])
    model.save(tmp_path / "again.synthgan")
    assert path.read_bytes() == (tmp_path / "again.synthgan").read_bytes()
    with pytest.raises(ArchiveError, match=f"holds a {kind.__name__}, not a SynthGAN"):
        SynthGAN.load(path)


def test_load_reads_a_synthgan(table: pd.DataFrame, tmp_path: Path) -> None:
    SynthGAN(epochs=1, hidden_dim=8, random_state=0).fit(table).save(tmp_path / "m.synthgan")
    assert type(load(tmp_path / "m.synthgan")) is SynthGAN
    with pytest.raises(ArchiveError, match="holds a SynthGAN, not a CTGAN"):
        CTGAN.load(tmp_path / "m.synthgan")


@EVERY
def test_class_counts_are_exact(kind: type[VectorSynthesizer], fitted: Fitted) -> None:
    rows = fitted[kind].sample(class_counts={"L": 30, "S": 0, "M": 12}, random_state=0)
    assert rows["size"].tolist() == ["L"] * 30 + ["M"] * 12
    assert rows["id"].is_unique
    both = fitted[kind].sample(class_counts={"S": 5}, conditions={"flag": True}, random_state=0)
    assert both["size"].tolist() == ["S"] * 5
    assert both["flag"].all()


@EVERY
def test_conditions_are_kept(kind: type[VectorSynthesizer], fitted: Fitted) -> None:
    wanted = {
        "plan": {"a", None},
        "flag": False,
        "age": (20, 80),
        "seen": ("2021-03-05", "2022-04-01"),
        "country": "DE",
    }
    rows = fitted[kind].sample(40, conditions=wanted, random_state=0)
    assert len(rows) == 40
    assert (rows["plan"].isna() | (rows["plan"] == "a")).all()
    assert not rows["flag"].any()
    assert rows["age"].between(20, 80).all()
    assert rows["seen"].between("2021-03-05", "2022-04-01 23:59").all()
    missing = fitted[kind].sample(5, conditions={"plan": None}, random_state=0)
    assert missing["plan"].isna().all()


@EVERY
@pytest.mark.parametrize(
    ("asked", "words"),
    [
        ({"conditions": {"nothing": 1}}, "no column 'nothing'"),
        ({"conditions": {"plan": "z"}}, "never held 'z'"),
        ({"conditions": {"country": "FR"}}, "'DE' in every row"),
        ({"conditions": pd.DataFrame({"plan": ["a"]})}, "use SynthGAN"),
        ({"class_counts": {"XL": 3}}, "'XL'"),
        ({"class_counts": {"S": -1}}, "whole numbers"),
        ({"class_counts": {"S": 3}, "n_samples": 4}, "ask for 3 rows"),
        ({"class_counts": {"S": 3}, "conditions": {"size": "S"}}, "a condition and class counts"),
    ],
)
def test_what_cannot_be_is_said(
    kind: type[VectorSynthesizer], fitted: Fitted, asked: dict[str, Any], words: str
) -> None:
    with pytest.raises(ConditionError, match=words):
        fitted[kind].sample(**asked)


def test_a_condition_that_never_comes_up_ends_in_advice() -> None:
    apart = pd.DataFrame({"x": [0.0] * 20 + [100.0] * 20})  # rows of a generator that has learned nothing lie between
    model = VanillaGAN(epochs=1, generator_dims=(4,), discriminator_dims=(4,), random_state=0).fit(apart)
    with pytest.raises(ConditionError, match=r"found 0 of 5 rows .* use SynthGAN"):
        model.sample(5, conditions={"x": (0, 1)}, random_state=0)


@EVERY
def test_small_and_odd_tables(kind: type[VectorSynthesizer]) -> None:
    for table in (
        pd.DataFrame({"x": [1, 2]}),
        pd.DataFrame({"x": [0.5, 0.5, 1.5] * 7}),
        pd.DataFrame({"c": list("abcabcab")}),
        pd.DataFrame({"id": [f"k{i}" for i in range(30)], "one": 1}),
        pd.DataFrame({"x": [1.0, None, 3.0, 4.0] * 3, "y": [True, None, False, True] * 3}),
    ):
        for batch_size in (7, 1000):
            model = new(kind, batch_size=batch_size).fit(table)
            assert model.sample(30, random_state=0).dtypes.equals(table.dtypes)


@EVERY
@pytest.mark.parametrize("settings", [{"epochs": 0}, {"batch_size": 1.5}, {"max_seconds": -1}])
def test_settings_out_of_range(kind: type[VectorSynthesizer], settings: dict[str, Any], table: pd.DataFrame) -> None:
    with pytest.raises(ConfigError, match=next(iter(settings))):
        new(kind, **settings).fit(table)


@pytest.mark.parametrize(
    ("kind", "settings"),
    [
        (VanillaGAN, {"loss": "mean"}),
        (VanillaGAN, {"optimizer": "adamw"}),
        (VanillaGAN, {"output": "sigmoid"}),
        (VanillaGAN, {"activation": "gelu"}),
        (VanillaGAN, {"generator_dims": 256}),
        (VanillaGAN, {"discriminator_dims": (0,)}),
        (VanillaGAN, {"noise_dim": 0}),
        (CTGAN, {"pac": 0}),
        (CTGAN, {"generator_lr": 2}),
        (TVAE, {"kl_weight": -1}),
        (TVAE, {"latent_dim": 2.5}),
    ],
)
def test_settings_of_one_model(kind: type[VectorSynthesizer], settings: dict[str, Any], table: pd.DataFrame) -> None:
    with pytest.raises(ConfigError, match=next(iter(settings))):
        new(kind, **settings).fit(table)


@pytest.mark.parametrize("loss", ["minimax", "non-saturating", "wgan-gp", "hinge", "relativistic"])
@pytest.mark.parametrize("optimizer", ["adam", "sgd"])
def test_every_loss_trains_with_either_optimizer(loss: str, optimizer: str, table: pd.DataFrame) -> None:
    few = {"loss": loss, "optimizer": optimizer, "output": "tanh", "activation": "relu", "discriminator_steps": 2}
    model = new(VanillaGAN, **few).fit(table)
    other = new(VanillaGAN, **{**few, "loss": "hinge" if loss != "hinge" else "minimax"}).fit(table)
    assert np.isfinite(model.history_["generator"]).all()
    assert not model.sample(50, random_state=0).equals(other.sample(50, random_state=0))


@EVERY
def test_before_fit(kind: type[VectorSynthesizer], tmp_path: Path) -> None:
    for call in (lambda m: m.sample(3), lambda m: m.save(tmp_path / "m"), lambda m: m.info_):
        with pytest.raises(NotFittedError, match=kind.__name__):
            call(new(kind))


@EVERY
def test_the_callback_hears_plain_numbers_and_may_end_it(kind: type[VectorSynthesizer], table: pd.DataFrame) -> None:
    heard: list[dict[str, float]] = []

    def listen(report: Any) -> bool:
        heard.append(report.metrics())
        return len(heard) == 2

    model = new(kind, epochs=200, batch_size=40).fit(table, callback=listen)
    assert model.interrupted_
    assert len(heard) == len(model.history_) == 2
    assert all(type(value) is float for numbers in heard for value in numbers.values())
    assert {"fidelity", "mode_coverage", "diversity"} <= set(heard[0])
    assert len(model.sample(10)) == 10


@EVERY
def test_seconds_are_kept_to(kind: type[VectorSynthesizer], table: pd.DataFrame) -> None:
    model = new(kind, epochs=10_000_000, max_seconds=0.3).fit(table)
    assert model.history_["seconds"].iloc[-1] < 5
    assert not model.interrupted_


def test_a_training_that_breaks_down_says_so(table: pd.DataFrame) -> None:
    model = new(VanillaGAN, loss="wgan-gp", optimizer="sgd", generator_lr=100.0, discriminator_lr=100.0, epochs=200)
    with pytest.raises(DivergedError, match="Lower the learning rates"):
        model.fit(table)


def test_ctgan_asks_for_the_class() -> None:
    """Rows follow a rare condition only if the network is given it: by rejection one in two hundred would."""
    rng = np.random.default_rng(0)
    size = np.where(rng.random(1000) < 0.005, "rare", "common")
    size[:4] = "rare"
    rates = {"generator_lr": 2e-3, "discriminator_lr": 2e-3}
    model = CTGAN(epochs=45, batch_size=200, generator_dims=(32,), discriminator_dims=(32,), random_state=0, **rates)
    model.fit(pd.DataFrame({"size": size, "x": rng.normal(size=1000)}), target="size")
    encoder, generator = model.model_.encoder, model.model_.generator
    code = model._asked(encoder, {"size": "rare"})
    _, codes = generator.draw(2000, torch.Generator().manual_seed(0), code)
    asked = (codes[:, encoder.segment_of("size")] == encoder.level_index("size", "rare")).float().mean()
    assert asked > 0.5
    share = (model.sample(5000, random_state=0)["size"] == "rare").mean()
    assert share < 0.1  # and unasked it is as rare as it is, nearly
