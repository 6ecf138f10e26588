"""A training put down and taken up again is the training that was never put down."""

from __future__ import annotations

import hashlib
import logging
import math
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
import torch

from synthgan import SynthGAN, infer_schema
from synthgan.encoding import TableEncoder
from synthgan.errors import ArchiveError, ConfigError, DivergedError, InputError
from synthgan.models import CodeAxis, DiscriminatorConfig, GeneratorConfig
from synthgan.persistence import CheckpointFolder
from synthgan.training import Training, TrainingConfig, TrainState, new_state

SIZES: dict[str, Any] = {"epochs": 40, "batch_size": 60, "hidden_dim": 8, "random_state": 3}


@pytest.fixture(scope="module")
def table() -> pd.DataFrame:
    rng = np.random.default_rng(0)
    x = rng.integers(0, 5, 150)
    return pd.DataFrame({"x": x, "y": x * 2 + rng.integers(0, 2, 150), "z": rng.normal(size=150)})


def fresh(table: pd.DataFrame, *, stand_ins: bool = False, **settings: Any) -> Training:
    encoder = TableEncoder.fit(table, infer_schema(table))
    config = TrainingConfig(**{"epochs": 40, "batch_size": 50, "adversarial_share": 0.4, **settings})
    axis = CodeAxis(encoder.layout)
    sizes = GeneratorConfig(hidden_dim=8, dropout=0.1), DiscriminatorConfig(8, 2)
    rows = encoder.encode(table)
    return Training(new_state(rows, axis, config, *sizes, 0, torch.float32, encoder=encoder if stand_ins else None))


def leaves(value: Any, path: str = "") -> dict[str, Any]:
    """Every tensor's digest and every plain value of a nested state, by path; the clock aside."""
    if isinstance(value, torch.Tensor):
        return {path: hashlib.sha256(value.contiguous().numpy().tobytes()).hexdigest()}
    if isinstance(value, dict):
        items: Any = value.items()
    elif isinstance(value, (list, tuple)):
        items = enumerate(value)
    else:
        return {} if "seconds" in path else {path: repr(value)}
    return {key: leaf for name, item in items for key, leaf in leaves(item, f"{path}/{name}").items()}


@pytest.mark.slow
def test_every_step_is_the_same_after_a_resumption_at_any_step(table: pd.DataFrame, tmp_path: Path) -> None:
    straight = fresh(table, stand_ins=True)
    after, stage_of = [], []
    for _ in straight.steps():
        after.append(leaves(straight.state_dict()))
        stage_of.append(straight.record.progress.stage)
    stages = set()
    for turn in [*(stage_of.index(stage) + 6 for stage in dict.fromkeys(stage_of[:-1])), len(after) - 1]:
        first = fresh(table, stand_ins=True)
        steps = first.steps()
        for _ in range(turn + 1):
            next(steps)
        folder = CheckpointFolder(tmp_path / str(turn))
        folder.write(turn, {}, first.state_dict())
        second, found = fresh(table, stand_ins=True), folder.read()
        assert found is not None
        second.load_state_dict(found[1])
        stages.add(second.record.progress.stage)
        assert leaves(second.state_dict()) == after[turn]
        last = min(turn + 12, len(after) - 1) if len(stages) > 1 else len(after) - 1  # the first goes the whole way
        seen = turn
        for seen, _ in enumerate(second.steps(), turn + 1):
            if seen in (turn + 1, turn + 12, len(after) - 1):
                assert leaves(second.state_dict()) == after[seen], (turn, seen)
            if seen == last:
                break
        assert seen == last
    assert stages == {"stand-ins", "likelihood", "anneal", "passes", "adversarial", "done"}


def test_whatever_training_changes_is_in_the_state(table: pd.DataFrame) -> None:
    fixed = {"config", "train", "held_out", "stand_ins", "pool", "records", "recording", "code_share"}
    training = fresh(table)
    assert set(TrainState.__dataclass_fields__) == set(training.state.state_dict()) | fixed
    # Whoever gives Training another attribute that changes while it runs has to put it into its state_dict.
    settled = {"n_steps", "evaluate_every", "held_out", "learned", "_start"}
    record = {"best_snapshot", "sums", "progress", "monitor"}
    steps = {"n_steps", "n_stand_ins", "n_likelihood", "n_passes", "n_adversarial"}
    assert set(vars(training)) == {"state", "record", "legs"} | steps
    assert set(vars(training.legs)) == {"record", "first", "most"}
    assert set(vars(training.record)) == {"state"} | record | settled
    assert set(training.state_dict()) == {"state", "best", "sums", "progress", "monitor"}


class Killed(BaseException):
    """What a test raises in place of a signal."""


@pytest.mark.parametrize(("share", "at"), [(0.0, 40), (0.0, 92), (0.4, 20), (0.4, 80)])
def test_a_fit_that_was_killed_goes_on(table: pd.DataFrame, tmp_path: Path, share: float, at: int) -> None:
    def kill(report: Any) -> None:
        if report.step >= at:
            raise Killed

    settings = {**SIZES, "adversarial_share": share}
    straight = SynthGAN(**settings).fit(table)
    with pytest.raises(Killed):
        SynthGAN(**settings).fit(table, checkpoint=tmp_path, checkpoint_every=7, callback=kill)
    assert len(list(tmp_path.iterdir())) == 2
    resumed = SynthGAN(**settings).fit(table, checkpoint=tmp_path, checkpoint_every=7, resume=True)
    assert leaves(dict(resumed.model_.generator.state_dict())) == leaves(dict(straight.model_.generator.state_dict()))
    columns = [name for name in straight.history_ if name != "seconds"]
    pd.testing.assert_frame_equal(resumed.history_[columns], straight.history_[columns])
    assert not resumed.interrupted_


def test_a_finished_training_is_there_at_once(table: pd.DataFrame, tmp_path: Path) -> None:
    first = SynthGAN(**SIZES).fit(table, checkpoint=tmp_path)
    steps: list[int] = []
    again = SynthGAN(**SIZES).fit(table, checkpoint=tmp_path, resume=True, callback=lambda r: steps.append(r.step))
    assert steps == []
    assert again.sample(40, random_state=0).equals(first.sample(40, random_state=0))


def test_stop_is_asked_after_each_step_and_puts_the_training_down(table: pd.DataFrame, tmp_path: Path) -> None:
    asked = iter(range(1000))
    model = SynthGAN(**SIZES).fit(table, checkpoint=tmp_path, stop=lambda: next(asked) == 12)
    assert model.interrupted_
    assert CheckpointFolder(tmp_path).steps == [13]
    assert len(model.sample(5)) == 5
    resumed = SynthGAN(**SIZES).fit(table, checkpoint=tmp_path, resume=True)
    assert resumed.score_samples(table).tolist() == SynthGAN(**SIZES).fit(table).score_samples(table).tolist()


def test_the_seed_is_taken_from_the_checkpoint(table: pd.DataFrame, tmp_path: Path) -> None:
    settings = {**SIZES, "random_state": None}
    first = SynthGAN(**settings).fit(table, checkpoint=tmp_path, stop=lambda: True)
    assert SynthGAN(**settings).fit(table, checkpoint=tmp_path, resume=True).seed_ == first.seed_


OTHERS: list[tuple[Callable[[pd.DataFrame], pd.DataFrame], dict[str, Any], dict[str, Any], str]] = [
    (lambda t: t.assign(x=t["x"] + 1), {}, {}, "another table"),
    (lambda t: t.iloc[::-1], {}, {}, "another table"),
    (lambda t: t.head(140), {}, {}, "another table"),
    (lambda t: t.rename(columns={"x": "u"}), {}, {}, "what the columns are"),
    (lambda t: t, {"batch_size": 50}, {}, "batch_size 60, not 50"),
    (lambda t: t, {"generator_lr": 0.01}, {}, "generator_lr"),
    (lambda t: t, {"hidden_dim": 9}, {}, "hidden_dim"),
    (lambda t: t, {"random_state": 4}, {}, "seed 3, not 4"),
    (lambda t: t, {}, {"discrete_columns": ["x"]}, "what the columns are"),
]


@pytest.mark.parametrize(("change", "settings", "options", "word"), OTHERS)
def test_other_data_or_settings_are_refused(
    table: pd.DataFrame, tmp_path: Path, change: Any, settings: dict[str, Any], options: dict[str, Any], word: str
) -> None:
    SynthGAN(**SIZES).fit(table, checkpoint=tmp_path, stop=lambda: True)
    kept = {entry: entry.read_bytes() for entry in tmp_path.iterdir()}
    with pytest.raises(InputError, match=word):
        SynthGAN(**{**SIZES, **settings}).fit(change(table), checkpoint=tmp_path, resume=True, **options)
    assert {entry: entry.read_bytes() for entry in tmp_path.iterdir()} == kept


@pytest.mark.parametrize(("before", "after"), [(0.05, None), (None, 1e-3)])
def test_seconds_may_change_on_the_way(
    table: pd.DataFrame, tmp_path: Path, before: float | None, after: float | None
) -> None:
    """However few they are: they decide nothing about the networks."""
    settings = {"hidden_dim": 8, "random_state": 0}
    SynthGAN(**settings, max_seconds=before).fit(table, checkpoint=tmp_path, stop=lambda: True)
    resumed = SynthGAN(**settings, max_seconds=after).fit(table, checkpoint=tmp_path, resume=True)
    assert not resumed.interrupted_
    assert len(resumed.model_.generator.members) == 2


def test_a_checkpoint_in_the_way_is_not_overwritten(table: pd.DataFrame, tmp_path: Path) -> None:
    SynthGAN(**SIZES).fit(table, checkpoint=tmp_path, stop=lambda: True)
    with pytest.raises(ConfigError, match="step 1: take it up"):
        SynthGAN(**SIZES).fit(table, checkpoint=tmp_path)


@pytest.mark.parametrize("every", [0, -1, 1.5, True, "1"])
def test_checkpoint_every_is_checked(table: pd.DataFrame, tmp_path: Path, every: Any) -> None:
    with pytest.raises(ConfigError, match="checkpoint_every"):
        SynthGAN(**SIZES).fit(table, checkpoint=tmp_path, checkpoint_every=every)


def test_a_folder_that_cannot_be_made(table: pd.DataFrame, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(InputError, match="file"):
        SynthGAN(**SIZES).fit(table, checkpoint=tmp_path / "file")


def test_the_last_sound_checkpoint_is_taken(
    table: pd.DataFrame, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    asked = iter(range(1000))
    SynthGAN(**SIZES).fit(table, checkpoint=tmp_path, checkpoint_every=5, stop=lambda: next(asked) == 12)
    newest = max(tmp_path.iterdir())
    newest.write_bytes(newest.read_bytes()[:-100])
    leftover = tmp_path / f".{newest.name}.0123abcd.tmp"
    leftover.write_bytes(b"half")
    with caplog.at_level(logging.WARNING, "synthgan"):
        resumed = SynthGAN(**SIZES).fit(table, checkpoint=tmp_path, resume=True)
    assert "step 13 is left out" in caplog.text
    assert not leftover.exists()
    assert resumed.score_samples(table).tolist() == SynthGAN(**SIZES).fit(table).score_samples(table).tolist()
    for entry in tmp_path.iterdir():
        entry.write_bytes(b"PK")
    with pytest.raises(ArchiveError, match="no checkpoint"):
        SynthGAN(**SIZES).fit(table, checkpoint=tmp_path, resume=True)


def test_a_checkpoint_of_another_network_is_refused(table: pd.DataFrame, tmp_path: Path) -> None:
    SynthGAN(**SIZES).fit(table, checkpoint=tmp_path, stop=lambda: True)
    folder = CheckpointFolder(tmp_path)
    found = folder.read()
    assert found is not None
    about, state = found
    fields = {key: value for key, value in about.items() if key not in ("kind", "format", "sha256", "digest")}
    state["training"]["state"]["generator"].pop("members.0.head.bias")
    folder.write(2, fields, state)
    with pytest.raises(ArchiveError, match="does not fit"):
        SynthGAN(**SIZES).fit(table, checkpoint=tmp_path, resume=True)


def poison(training: Training, value: float) -> None:
    """Spoil the weights, as a batch does that no gradient is finite on."""
    with torch.no_grad():
        training.state.generator.members[0].first.weight[0].fill_(value)


def poison_all(training: Training, steps: Iterator[Any], value: float) -> None:
    for _ in steps:
        poison(training, value)


@pytest.mark.parametrize("value", [math.nan, math.inf])
def test_three_returns_then_training_is_given_up(
    table: pd.DataFrame, caplog: pytest.LogCaptureFixture, value: float
) -> None:
    training = fresh(table, epochs=10**3, adversarial_share=0)
    steps = training.steps()
    for _ in range(260):
        next(steps)
    best, step = training.record.best_snapshot, training.record.progress.best_step
    assert step > 0
    with caplog.at_level(logging.WARNING, "synthgan"), pytest.raises(DivergedError, match=f"step {step} are kept") as e:
        poison_all(training, steps, value)
    assert e.value.kept
    assert caplog.text.count("rate lowered") == 3
    assert training.record.progress.rate_scale == pytest.approx(1 / 27)
    kept = best.tensors[len(training.state.average) :]
    assert all(map(torch.equal, training.state.generator.parameters(), kept))


@pytest.mark.parametrize("value", [math.nan, math.inf])
def test_one_poisoned_batch_is_survived(table: pd.DataFrame, value: float) -> None:
    training = fresh(table, epochs=10**3, adversarial_share=0)
    steps = training.steps()
    for step in range(1, 400):
        if step == 205:
            poison(training, value)
        next(steps)
    assert training.record.progress.recoveries == 1
    assert math.isfinite(training.record.progress.best)
    assert all(bool(weight.isfinite().all()) for weight in training.state.generator.parameters())


def test_without_held_out_rows_no_weights_but_finite_ones_are_kept() -> None:
    training = fresh(pd.DataFrame({"x": [1, 2], "y": ["a", "b"]}), adversarial_share=0)
    assert len(training.state.held_out) == 0
    steps = training.steps()
    for _ in range(12):
        next(steps)
    with torch.no_grad():
        training.state.average[0].fill_(math.nan)
    for _ in range(10):
        next(steps)
    assert training.record.progress.recoveries == 1
    assert training.record.best_snapshot.finite()


def test_a_diverged_fit_keeps_the_best_model(table: pd.DataFrame) -> None:
    model = SynthGAN(**{**SIZES, "epochs": 1000})

    def spoil(report: Any) -> None:
        if report.step >= 300:
            raise DivergedError("spoilt", kept=True)

    with pytest.raises(DivergedError):
        model.fit(table, callback=spoil)
    assert len(model.sample(5)) == 5
    assert model.history_["step"].max() >= 300


def test_columns_that_say_nothing_do_not_diverge() -> None:
    flat = pd.DataFrame({"a": [1.0] * 60, "b": [0] * 59 + [1], "c": ["x"] * 60, "d": [1e300, -1e300] * 30})
    rows = SynthGAN(epochs=20, hidden_dim=8, random_state=0).fit(flat).sample(20, random_state=0)
    assert (rows["a"] == 1.0).all()
    assert np.isfinite(rows["d"]).all()
