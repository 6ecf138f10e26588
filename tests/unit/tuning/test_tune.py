"""Tuning finds better settings, counts honestly, and goes on from its file."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import textwrap
import time

import numpy as np
import optuna
import pandas as pd
import pytest

from synthgan import CTGAN, SynthGAN
from synthgan.errors import ConfigError, InputError
from synthgan.schema import infer_schema
from synthgan.tuning import Choice, Range, TuningResult, default_space, read_config, tune, write_config
from synthgan.tuning.scoring import Attempt, Judge
from synthgan.tuning.study import Study

SPACE = {"generator_lr": Range(1e-3, 1e-2, log=True), "hidden_dim": Range(16, 64, log=True)}


@pytest.fixture(scope="module")
def table() -> pd.DataFrame:
    rng = np.random.default_rng(0)
    kind = rng.choice(["a", "b", "c"], 240)
    x = np.select([kind == "a", kind == "b"], [0.0, 4.0], 8.0) + rng.normal(size=240)
    return pd.DataFrame({"kind": kind, "x": x, "y": 2 * x + rng.normal(size=240)})


@pytest.fixture(scope="module")
def bad_start() -> SynthGAN:
    return SynthGAN(epochs=40, hidden_dim=2, generator_lr=1e-6)


@pytest.fixture(scope="module")
def found(table, bad_start):
    return tune(bad_start, table, target="kind", space=SPACE, n_trials=6, n_finalists=2, n_seeds=2)


def test_a_bad_start_is_improved(found):
    assert found.start.settings == {"generator_lr": 1e-6, "hidden_dim": 2}
    assert found.best.number > 0
    assert found.best.mean > found.start.mean + 0.05  # the target's trees tell much without any network
    assert found.best.curve[-1][1] > found.start.curve[-1][1] + 0.1  # held-out likelihood is the network's alone


def test_the_best_were_tried_with_every_seed(found):
    tried = sorted(len(trial.scores) for trial in found.trials if trial.scores)
    assert tried[-2:] == [2, 2]
    assert tried[:-2] == [1] * (len(tried) - 2)
    assert found.best.mean == pytest.approx(np.mean(list(found.best.scores.values())))


def test_settings_lie_in_the_space_and_what_was_not_searched_is_kept(found):
    for trial in found.trials[1:]:
        assert 1e-3 <= trial.settings["generator_lr"] <= 1e-2
        assert isinstance(trial.settings["hidden_dim"], int)
        assert 16 <= trial.settings["hidden_dim"] <= 64
    assert found.settings == {"epochs": 40} | found.best.settings


def test_the_same_call_finds_the_same(found, table, bad_start):
    again = tune(bad_start, table, target="kind", space=SPACE, n_trials=3, n_finalists=1, n_seeds=1)
    assert [trial.settings for trial in again.trials] == [trial.settings for trial in found.trials[:3]]
    assert [trial.score for trial in again.trials] == [trial.score for trial in found.trials[:3]]


def test_json_brings_the_result_back(found):
    assert TuningResult.from_dict(json.loads(found.to_json())) == found
    with pytest.raises(InputError, match="no tuning result"):
        TuningResult.from_dict({"trials": 3})


def test_the_config_fits_a_model(found, table, tmp_path):
    found.write_config(tmp_path / "best.toml")
    model, settings = read_config(tmp_path / "best.toml")
    assert (model, settings) == ("SynthGAN", found.settings)
    assert SynthGAN(**settings).get_params()["hidden_dim"] == found.best.settings["hidden_dim"]


def test_settings_behind_the_median_of_the_others_are_given_up():
    study = Study(optuna, None, {}, {"lr": Range(0.0, 1.0)}, 0)
    for number in range(6):
        asked, _ = study.ask()
        assert not any(asked.give_up(look, -1.0 - number) for look in range(4))  # too early to tell
        asked.give_up(10, -1.0 - number)
        study.tell(asked, Attempt(0.5, (), 1.0, "complete"))
    for score, expected in ((-0.5, False), (-9.0, True)):
        asked, _ = study.ask()
        assert asked.give_up(10, score) is expected
        study.tell(asked, Attempt(None, (), 1.0, "pruned"))
    assert [trial.score for trial in study.trials()] == [0.5] * 6 + [None] * 2


def test_what_is_given_up_has_no_score(table):
    judge = Judge(table, infer_schema(table), None, 0)
    looks = []
    attempt = judge.attempt(SynthGAN(epochs=60), {"hidden_dim": 8}, 0, lambda look, score: looks.append(score) or True)
    assert (attempt.state, attempt.score) == ("pruned", None)
    assert len(looks) == len(attempt.curve) == 1
    assert judge.attempt(SynthGAN(epochs=60), {"hidden_dim": 8}, 0, deadline=0.0).note == "out of time"


def test_a_search_goes_on_from_its_file(table, bad_start, tmp_path):
    options = {"space": SPACE, "n_finalists": 1, "n_seeds": 1, "storage": tmp_path / "trials.db"}
    first = tune(bad_start, table, n_trials=2, **options)
    told = []
    more = tune(bad_start, table, n_trials=4, callback=told.append, **options)
    assert more.trials[:2] == first.trials
    assert [trial.number for trial in told] == [2, 3]
    assert len({json.dumps(trial.settings) for trial in more.trials}) == 4  # nothing is drawn twice


def test_the_file_of_another_tuning_is_refused(table, bad_start, tmp_path):
    options = {"space": SPACE, "n_trials": 1, "n_seeds": 1, "storage": tmp_path / "trials.db"}
    tune(bad_start, table, **options)
    with pytest.raises(ConfigError, match="another table"):
        tune(bad_start, table[:200], **options)
    with pytest.raises(ConfigError, match="another seed"):
        tune(bad_start, table, random_state=1, **options)


def test_no_time_is_left_for_more_than_the_start(table, bad_start):
    found = tune(bad_start, table, space=SPACE, max_seconds=0.01)
    assert len(found.trials) == 1
    assert found.best == found.start


def test_a_callback_ends_the_search(table, bad_start):
    found = tune(bad_start, table, space=SPACE, n_trials=9, n_seeds=1, callback=lambda trial: trial.number == 1)
    assert len(found.trials) == 2


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"space": {"colour": Range(1, 2)}}, "no parameter 'colour'"),
        ({"space": {}}, "nothing to search"),
        ({"n_trials": 0}, "n_trials"),
        ({"max_seconds": -1}, "max_seconds"),
        ({"target": "none"}, "target 'none'"),
    ],
)
def test_what_cannot_be_tuned_is_refused(table, options, message):
    with pytest.raises(InputError, match=message):
        tune(SynthGAN(), table, **options)


def test_too_few_rows_are_refused(table):
    with pytest.raises(InputError, match="at least 60"):
        tune(SynthGAN(), table[:59])


@pytest.mark.parametrize(
    "make", [lambda: Range(2, 1), lambda: Range(0, 1, log=True), lambda: Choice(()), lambda: Choice(([],))]
)
def test_empty_and_odd_spaces_are_refused(make):
    with pytest.raises(ConfigError):
        make()


def test_the_default_space_fits_the_model():
    assert set(default_space(SynthGAN())) == {"generator_lr", "batch_size", "hidden_dim"}
    assert "discriminator_lr" in default_space(SynthGAN(adversarial_share=0.3))
    sizes = default_space(CTGAN(pac=7))["batch_size"]
    assert all(size % 7 == 0 for size in sizes.options)


def test_config_files_that_are_none_are_refused(tmp_path):
    path = tmp_path / "c.toml"
    with pytest.raises(InputError, match="cannot read"):
        read_config(path)
    for text, message in (("= 3", "no TOML"), ("colour = 1", "colour"), ("model = 3", "must hold")):
        path.write_text(text)
        with pytest.raises(InputError, match=message):
            read_config(path)


def test_a_config_keeps_its_values(tmp_path):
    settings = {"text": 'a "quoted" \\ name', "whole": 3, "number": 1.5e-7, "truth": True, "list": [1, 2], "none": None}
    write_config(tmp_path / "c.toml", "TVAE", settings, "about")
    assert read_config(tmp_path / "c.toml") == ("TVAE", {k: v for k, v in settings.items() if v is not None})


@pytest.mark.slow
def test_a_killed_search_goes_on(tmp_path):
    script = textwrap.dedent(
        """
        import sys, json
        from synthgan import SynthGAN
        from synthgan.datasets import load_dataset
        from synthgan.tuning import Range, tune
        found = tune(SynthGAN(epochs=10, hidden_dim=8), load_dataset("penguins")[:90],
                     n_trials=int(sys.argv[1]), n_seeds=1,
                     space={"generator_lr": Range(1e-3, 5e-3)}, storage="trials.db",
                     callback=lambda trial: print("trial", trial.number, flush=True))
        print(json.dumps([trial.settings for trial in found.trials]))
        """
    )
    command = [sys.executable, "-c", script]
    environment = os.environ | {"OMP_NUM_THREADS": "1"}
    victim = subprocess.Popen(
        [*command, "1000"], cwd=tmp_path, env=environment, stdout=subprocess.PIPE, text=True, stderr=subprocess.PIPE
    )
    assert victim.stdout is not None
    assert [victim.stdout.readline().strip() for _ in range(2)] == ["trial 0", "trial 1"]
    time.sleep(0.1)  # in the middle of the next
    victim.send_signal(signal.SIGKILL)
    victim.communicate(timeout=60)
    done = subprocess.run(
        [*command, "4"], cwd=tmp_path, env=environment, capture_output=True, text=True, timeout=280, check=True
    )
    told = [line for line in done.stdout.splitlines() if line.startswith("trial")]
    assert told[0] in ("trial 2", "trial 3")
    assert told[-1] == "trial 3"
    settings = json.loads(done.stdout.splitlines()[-1])
    assert len({json.dumps(it) for it in settings}) == 4
