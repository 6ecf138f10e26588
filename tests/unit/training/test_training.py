"""Training ends, keeps the best weights, leaves global state alone, and does not survive what is not finite."""

from __future__ import annotations

import dataclasses
import logging
import random
import time
from typing import Any

import numpy as np
import pandas as pd
import pytest
import torch

from synthgan import SynthGAN, infer_schema
from synthgan.encoding import TableEncoder
from synthgan.errors import ConfigError, DivergedError
from synthgan.models import CodeAxis, DiscriminatorConfig, GeneratorConfig
from synthgan.training import StepReport, Training, TrainingConfig, new_state, train

WRONG: dict[str, list[Any]] = {
    "epochs": [0, 1.5, "1", True],
    "batch_size": [0, None, 1.5],
    "generator_lr": [-1, 2, None, float("nan")],
    "discriminator_lr": [-1, 2, None],
    "max_seconds": [-1, "1", float("nan"), float("inf")],
    "adversarial_share": [-0.1, 0.96, None],
    "discriminator_steps": [0, 1.5, None],
    "gradient_penalty": [-1, None],
    "moment_weight": [-1, None],
    "ema_decay": [-0.1, 1.1, None],
}
RIGHT: dict[str, list[Any]] = {
    "epochs": [None, 1, np.int64(3)],
    "batch_size": [1, 10**9],
    "generator_lr": [1e-6, 1.0, np.float32(0.1)],
    "max_seconds": [None, 0.1, 5],
    "adversarial_share": [0, 0.95],
}


@pytest.fixture(scope="module")
def table() -> pd.DataFrame:
    rng = np.random.default_rng(0)
    x = rng.integers(0, 5, 400)
    return pd.DataFrame(
        {"x": x, "y": x * 2 + rng.integers(0, 2, 400), "z": rng.normal(size=400), "w": rng.choice(["a", "b"], 400)}
    )


def test_every_setting_is_checked() -> None:
    fields = {field.name for field in dataclasses.fields(TrainingConfig)}
    assert fields == set(WRONG), "a setting without a test of its range"
    for name, values in WRONG.items():
        for value in values:
            with pytest.raises(ConfigError, match=name):
                TrainingConfig(**{name: value})
    for name, values in RIGHT.items():
        for value in values:
            assert getattr(TrainingConfig(**{name: value}), name) == value


def test_defaults_live_once() -> None:
    config = TrainingConfig()
    for name, value in SynthGAN().get_params().items():
        if hasattr(config, name):
            assert value == getattr(config, name), name


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("epochs", 3),
        ("batch_size", 50),
        ("generator_lr", 0.01),
        ("discriminator_lr", 0.01),
        ("discriminator_steps", 2),
        ("adversarial_share", 0.2),
        ("hidden_dim", 12),
    ],
)
def test_every_hyper_parameter_makes_a_difference(table: pd.DataFrame, name: str, value: Any) -> None:
    base: dict[str, Any] = {
        "epochs": 4,
        "batch_size": 100,
        "hidden_dim": 8,
        "adversarial_share": 0.5,
        "random_state": 0,
    }
    one, other = (SynthGAN(**settings).fit(table).score_samples(table) for settings in (base, {**base, name: value}))
    assert not np.array_equal(one, other)


@pytest.mark.parametrize("adversarial_share", [0.0, 0.5])
def test_the_same_seed_gives_the_same_model(table: pd.DataFrame, adversarial_share: float, tmp_path: Any) -> None:
    settings: dict[str, Any] = {"epochs": 3, "hidden_dim": 8, "batch_size": 100, "adversarial_share": adversarial_share}
    for place in ("a", "b"):
        SynthGAN(random_state=7, **settings).fit(table).save(tmp_path / place)
    names = ["state.json", "arrays.safetensors", "weights.safetensors"]
    import zipfile

    with zipfile.ZipFile(tmp_path / "a") as first, zipfile.ZipFile(tmp_path / "b") as second:
        for name in names[1:]:
            assert first.read(name) == second.read(name)
    other = SynthGAN(random_state=8, **settings).fit(table)
    same = SynthGAN.load(tmp_path / "a")
    assert not other.sample(50, random_state=0).equals(same.sample(50, random_state=0))


def test_global_random_state_is_neither_read_nor_changed(table: pd.DataFrame, tmp_path: Any) -> None:
    def states() -> tuple[Any, ...]:
        kind, keys, *rest = np.random.get_state()  # noqa: NPY002
        return random.getstate(), kind, keys.tolist(), rest, torch.get_rng_state().tolist()

    settings: dict[str, Any] = {"epochs": 2, "hidden_dim": 8, "adversarial_share": 0.5, "random_state": 0}
    random.seed(1)
    np.random.seed(1)  # noqa: NPY002
    torch.manual_seed(1)
    before = states()
    model = SynthGAN(**settings).fit(table)
    rows = model.sample(100, random_state=0)
    model.impute(table, random_state=0)
    model.score_samples(table)
    model.save(tmp_path / "m")
    SynthGAN.load(tmp_path / "m").sample(10)
    assert states() == before
    torch.manual_seed(2)
    np.random.seed(2)  # noqa: NPY002
    assert SynthGAN(**settings).fit(table).sample(100, random_state=0).equals(rows)


def test_max_seconds_ends_training(table: pd.DataFrame) -> None:
    for share in (0.0, 0.5):
        start = time.monotonic()
        model = SynthGAN(epochs=10**6, hidden_dim=8, max_seconds=0.5, adversarial_share=share, random_state=0).fit(
            table
        )
        assert time.monotonic() - start < 6
        assert not model.interrupted_
        assert len(model.sample(10)) == 10


def test_reports_tell_how_training_goes(table: pd.DataFrame) -> None:
    seen: list[StepReport] = []
    model = SynthGAN(
        epochs=40, batch_size=100, hidden_dim=8, adversarial_share=0.2, stand_ins=True, random_state=0
    )  # fmt: skip
    model.fit(table, callback=lambda report: seen.append(report))
    phases = ["stand-ins", "likelihood", "anneal", "passes", "adversarial"]
    assert [report.phase for report in seen] == sorted((report.phase for report in seen), key=phases.index)
    assert set(phases) == {report.phase for report in seen}
    steps = [report.step for report in seen]
    assert steps == sorted(steps)
    assert all(report.step <= report.n_steps for report in seen)
    assert all(np.isfinite(value) for report in seen for value in report.losses.values())
    measured = [report for report in seen if report.validation is not None]
    assert measured
    assert all(report.best <= report.validation for report in measured)
    assert len(model.history_) == len(seen)
    assert {"step", "seconds", "phase", "likelihood", "validation", "best"} <= set(model.history_)


def test_the_best_weights_are_kept(table: pd.DataFrame) -> None:
    # A rate this high forgets what it had: the last weights are far from the best ones.
    encoder = TableEncoder.fit(table, infer_schema(table))
    axis = CodeAxis(encoder.layout)
    config = TrainingConfig(epochs=40, batch_size=50, generator_lr=0.3)
    state = new_state(
        encoder.encode(table), axis, config, GeneratorConfig(hidden_dim=16), DiscriminatorConfig(8, 1), 0, torch.float32
    )
    best: list[torch.Tensor] = []
    scores = []
    for report in train(state):
        if report.validation is not None:
            scores.append(report.validation)
            if report.validation == min(scores):
                best = [weight.clone() for weight in state.average]
    assert report.best == min(scores) < scores[-1]
    for (name, weight), kept in zip(state.generator.named_parameters(), best, strict=True):
        assert torch.equal(weight, kept) or ".late." in name  # which learned on top of the best


def test_the_late_layer_learns_to_follow_on_a_network_that_stays() -> None:
    table = pd.DataFrame({"x": list("abcd") * 100, "y": list("efgh") * 100})
    encoder = TableEncoder.fit(table, infer_schema(table))
    axis = CodeAxis(encoder.layout)
    state = new_state(
        encoder.encode(table), axis, TrainingConfig(epochs=200, batch_size=100), GeneratorConfig(hidden_dim=32),
        DiscriminatorConfig(8, 1), 0, torch.float32,
    )  # fmt: skip
    training = Training(state)
    before: list[torch.Tensor] = []
    scores = []
    for report in training.steps():
        if report is not None and report.phase == "passes":
            assert report.validation is None  # it would be of other questions than before
            scores.append(training.progress.score)
            others = [weight.clone() for name, weight in state.generator.named_parameters() if ".late." not in name]
            assert not before or all(map(torch.equal, others, before))
            before = others
    assert scores[-1] < scores[0] - 0.2  # most questions are about the first column of a pass
    assert training.progress.late_best == pytest.approx(min(scores))
    sampled = SynthGAN(epochs=200, batch_size=100, hidden_dim=32, random_state=0).fit(table).sample(400, n_passes=1)
    follows = sampled["y"].map(dict(zip("efgh", "abcd", strict=True))) == sampled["x"]
    assert follows.mean() > 0.95


def test_a_callback_ends_training_and_the_model_is_usable(table: pd.DataFrame) -> None:
    model = SynthGAN(epochs=10**6, batch_size=100, hidden_dim=8, random_state=0)
    model.fit(table, callback=lambda report: report.step >= 40)
    assert model.interrupted_
    assert model.history_["step"].max() < 100
    assert model.sample(20).dtypes.equals(table.dtypes)


def test_ctrl_c_keeps_the_model(table: pd.DataFrame, caplog: pytest.LogCaptureFixture) -> None:
    def press(report: StepReport) -> None:
        if report.step >= 40:
            raise KeyboardInterrupt

    with caplog.at_level(logging.WARNING, "synthgan"):
        model = SynthGAN(epochs=10**6, batch_size=100, hidden_dim=8, random_state=0).fit(table, callback=press)
    assert model.interrupted_
    assert "interrupted" in caplog.text
    assert len(model.sample(20)) == 20


def test_an_error_of_the_callback_is_the_callers(table: pd.DataFrame) -> None:
    def fail(report: StepReport) -> None:
        raise ZeroDivisionError

    model = SynthGAN(epochs=50, batch_size=100, hidden_dim=8)
    with pytest.raises(ZeroDivisionError):
        model.fit(table, callback=fail)
    assert not hasattr(model, "model_")


def test_weights_that_are_not_finite_end_training(table: pd.DataFrame) -> None:
    encoder = TableEncoder.fit(table, infer_schema(table))
    state = new_state(
        encoder.encode(table),
        CodeAxis(encoder.layout),
        TrainingConfig(epochs=50, batch_size=50),
        GeneratorConfig(hidden_dim=8),
        DiscriminatorConfig(8, 1),
        0,
        torch.float32,
    )
    with torch.no_grad():
        state.generator.members[0].head.bias[0] = float("nan")
    with pytest.raises(DivergedError, match="generator_lr"):
        list(train(state))


def test_silent_unless_asked(table: pd.DataFrame, caplog: pytest.LogCaptureFixture, capsys: Any) -> None:
    with caplog.at_level(logging.INFO, "synthgan"):
        SynthGAN(epochs=30, batch_size=100, hidden_dim=8, random_state=0).fit(table).sample(10)
        assert "held-out nats" not in caplog.text
        SynthGAN(epochs=30, batch_size=100, hidden_dim=8, random_state=0, verbose=1).fit(table)
        assert "held-out nats" in caplog.text
    assert capsys.readouterr() == ("", "")


@pytest.mark.slow
def test_steps_go_on_as_long_as_they_pay() -> None:
    """Thirty columns that all follow from one take longer to learn than the rows say; noise does not.

    With four of them beside noise there is more to learn than a quarter of a nat, but three times as much by heart.
    """
    stream = np.random.default_rng(0)
    kind, noise = stream.integers(0, 12, 300), stream.integers(0, 12, (300, 30))
    same = np.stack([stream.permutation(12)[kind] for _ in range(30)], axis=1)
    ended = {}
    for name, values in (("same", same), ("noise", noise), ("both", np.hstack([same[:, :4], noise]))):
        frame = pd.DataFrame(values, columns=[f"c{at}" for at in range(values.shape[1])]).astype(str)
        model = SynthGAN(hidden_dim=32, stand_ins=False, n_members=1, random_state=0).fit(frame)
        history = model.history_
        ended[name] = int(history.loc[history["phase"] == "likelihood", "step"].max())
        assert (history["step"] <= history["n_steps"]).all()
    by_size, most = (2 * steps // 3 for steps in (TrainingConfig().n_steps(250), TrainingConfig().n_most(250)))
    assert max(ended["noise"], ended["both"]) <= by_size < ended["same"] <= most


def test_epochs_set_are_the_most_there_are() -> None:
    config = TrainingConfig(epochs=7)
    assert config.n_most(400) == config.n_steps(400) == 7
    assert TrainingConfig().n_most(400) == 4 * TrainingConfig().n_steps(400)
    game = TrainingConfig(adversarial_share=0.5)
    assert game.n_most(2000) - game.n_adversarial(2000) == 4 * (game.n_steps(2000) - game.n_adversarial(2000))
    assert TrainingConfig().n_most(10**6) == TrainingConfig().n_steps(10**6)
