"""The gain measurement: honest by construction, and resumable."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from synthgan import SynthGAN
from synthgan.augmentation import GainReport, augmentation_gain
from synthgan.errors import ConfigError, InputError
from synthgan.evaluation.gain import GAIN, HARM, NO_EVIDENCE

from .conftest import Resampler, noise_table

ARMS = ("none", "duplicate", "random oversampling")  # no committee: it takes seconds
QUICK: dict[str, Any] = {
    "learners": ["logistic regression"],
    "recipes": ["balance by nothing", "1 by nothing"],
    "arms": ARMS[:2],
}


def plain(report: GainReport) -> dict[str, Any]:
    """A report without the seconds it took."""
    data = report.to_dict()
    data["run"].pop("seconds")
    return data


def test_nothing_is_fitted_on_a_row_that_is_tested(noise: pd.DataFrame, resampler: Resampler) -> None:
    fitted_before = resampler.fit(noise, target="y")  # a leak, if it were used as it is
    Resampler.seen.clear()
    augmentation_gain(noise, "y", repeats=2, generator=fitted_before, **QUICK)
    assert len(Resampler.seen) == 2 * 2 * 2  # repeats, folds, and once more inside each for validation
    outer = [set(frame["key"]) for frame in Resampler.seen if len(frame) == 45]
    inner = [set(frame["key"]) for frame in Resampler.seen if len(frame) == 30]
    assert len(outer) == len(inner) == 4
    assert all(small < large for small, large in zip(inner, outer, strict=True))
    for first, second in (outer[:2], outer[2:]):  # the two folds of a repeat: each is tested on the other's rows
        assert first & second == set()
        assert first | second == set(noise["key"])


def test_a_generator_that_copies_rows_never_gains(resampler: Resampler) -> None:
    rng = np.random.default_rng(0)
    table = pd.DataFrame({"x": rng.normal(size=120), "z": rng.normal(size=120)})
    table["y"] = np.where(table["x"] + rng.normal(size=120) > 0.8, "yes", "no")
    for seed in range(2):
        report = augmentation_gain(
            table, "y", generator=resampler, random_state=seed, repeats=3, **QUICK | {"arms": ARMS}
        )
        assert {f.verdict for f in report.findings} <= {NO_EVIDENCE, HARM}


@pytest.mark.slow
def test_no_gain_where_there_is_nothing_to_learn(resampler: Resampler) -> None:
    verdicts = [
        augmentation_gain(
            noise_table(60, seed), "y", generator=resampler, random_state=seed, repeats=3, **QUICK | {"arms": ARMS}
        ).verdict
        for seed in range(40)
    ]
    assert verdicts.count(NO_EVIDENCE) >= 38


def test_a_generator_that_knows_more_gains(resampler: Resampler) -> None:
    """The test has power: rows from the true law, as many as one likes, are found to help."""
    rng = np.random.default_rng(0)

    def draw(n: int) -> pd.DataFrame:
        x = rng.normal(size=(n, 12))
        return pd.DataFrame(x).assign(y=np.where(x[:, :6].sum(axis=1) + rng.normal(size=n) > 0, "yes", "no"))

    truth = draw(4000)

    class Oracle(Resampler):
        def fit(self, X: pd.DataFrame, y: Any = None, *, target: Any = None) -> Any:
            super().fit(X, target=target)
            names = {"no": "class 0", "yes": "class 1"}
            self.rows_ = truth.drop(columns="y").assign(**{target: truth["y"].map(names)})
            return self

    report = augmentation_gain(
        draw(3000),
        "y",
        n_grid=[40],
        max_test_rows=400,
        generator=Oracle(),
        **QUICK | {"recipes": ["8 by nothing"], "arms": ["none", "duplicate"]},
    )
    assert report.verdict == GAIN
    assert report.finding("logistic regression").low > 0


def test_the_report_survives_json(noise: pd.DataFrame, resampler: Resampler) -> None:
    report = augmentation_gain(noise, "y", repeats=1, n_grid=[30, None], generator=resampler, **QUICK)
    assert GainReport.from_json(report.to_json()) == report
    assert report.sizes == [30, 45]
    assert len(report.findings) == 2 * 9
    assert "logistic regression" in report.summary()
    assert "<table>" in report._repr_html_()
    with pytest.raises(InputError, match="no finding"):
        report.finding("nobody")
    with pytest.raises(InputError, match="format"):
        GainReport.from_json("{}")


def test_a_resumed_run_gives_the_same_report(noise: pd.DataFrame, resampler: Resampler, tmp_path: Path) -> None:
    whole = augmentation_gain(noise, "y", repeats=2, generator=resampler, folder=tmp_path / "a", **QUICK)
    part = augmentation_gain(noise, "y", repeats=2, generator=resampler, folder=tmp_path / "b", max_seconds=0, **QUICK)
    assert part.run["folds_done"] == 1
    assert part.verdict == NO_EVIDENCE
    assert part.finding("logistic regression").low is None
    again = augmentation_gain(noise, "y", repeats=2, generator=resampler, folder=tmp_path / "b", **QUICK)
    assert plain(again) == plain(whole)
    Resampler.seen.clear()
    augmentation_gain(noise, "y", repeats=2, generator=resampler, folder=tmp_path / "b", **QUICK)
    assert Resampler.seen == []  # all from disk


@pytest.mark.slow
def test_folds_side_by_side_give_the_same_report(noise: pd.DataFrame) -> None:
    options = QUICK | {"repeats": 1, "generator": SynthGAN(epochs=2, hidden_dim=16)}
    assert plain(augmentation_gain(noise, "y", n_jobs=2, **options)) == plain(augmentation_gain(noise, "y", **options))


@pytest.mark.slow
def test_a_killed_run_goes_on(tmp_path: Path) -> None:
    noise_table(80, 3).to_csv(tmp_path / "table.csv", index=False)
    killed = tmp_path / "killed"
    code = (
        "import sys; import pandas as pd; from synthgan import SynthGAN\n"
        "from synthgan.augmentation import augmentation_gain\n"
        "augmentation_gain(pd.read_csv(sys.argv[1]), 'y', repeats=2, learners=['logistic regression'],"
        " recipes=['1 by nothing'], arms=['none', 'duplicate'], generator=SynthGAN(epochs=3, hidden_dim=16),"
        " folder=sys.argv[2])"
    )
    victim = subprocess.Popen([sys.executable, "-c", code, tmp_path / "table.csv", killed])
    deadline = time.monotonic() + 600
    while not list(killed.glob("n-*.json")):
        assert victim.poll() is None
        assert time.monotonic() < deadline
        time.sleep(0.02)
    os.kill(victim.pid, signal.SIGKILL)
    victim.wait()
    assert 1 <= len(list(killed.glob("n-*.json"))) < 4
    reports = [
        augmentation_gain(
            pd.read_csv(tmp_path / "table.csv"),
            "y",
            repeats=2,
            generator=SynthGAN(epochs=3, hidden_dim=16),
            folder=folder,
            **QUICK | {"recipes": ["1 by nothing"]},
        )
        for folder in (killed, None)
    ]
    assert plain(reports[0]) == plain(reports[1])


def test_a_folder_of_another_measurement_is_refused(noise: pd.DataFrame, resampler: Resampler, tmp_path: Path) -> None:
    augmentation_gain(noise, "y", repeats=1, generator=resampler, folder=tmp_path, **QUICK)
    with pytest.raises(InputError, match="another measurement: its data differ"):
        augmentation_gain(noise_table(90, 1), "y", repeats=1, generator=resampler, folder=tmp_path, **QUICK)
    with pytest.raises(InputError, match="repeats"):
        augmentation_gain(noise, "y", repeats=2, generator=resampler, folder=tmp_path, **QUICK)
    (tmp_path / "measurement.json").unlink()
    with pytest.raises(InputError, match="empty folder"):
        augmentation_gain(noise, "y", repeats=1, generator=resampler, folder=tmp_path, **QUICK)


def test_progress_counts_folds(noise: pd.DataFrame, resampler: Resampler) -> None:
    seen: list[tuple[int, int]] = []
    augmentation_gain(
        noise, "y", repeats=2, generator=resampler, callback=lambda at: seen.append((at.done, at.total)), **QUICK
    )
    assert seen == [(1, 4), (2, 4), (3, 4), (4, 4)]


@pytest.mark.parametrize(
    ("options", "error", "match"),
    [
        ({"target": "z"}, InputError, "'z' is not a column"),
        ({"target": "key"}, InputError, "from 2 to 20"),
        ({"learners": ["guess"]}, ConfigError, "learners are some of"),
        ({"arms": "none"}, ConfigError, "arms are some of"),
        ({"recipes": ["lots"]}, ConfigError, "a recipe is"),
        ({"recipes": []}, ConfigError, "at least one"),
        ({"repeats": 0}, ConfigError, "repeats"),
        ({"n_grid": [5]}, ConfigError, "n_grid"),
    ],
)
def test_bad_requests(noise: pd.DataFrame, options: dict[str, Any], error: type[Exception], match: str) -> None:
    with pytest.raises(error, match=match):
        augmentation_gain(noise, options.pop("target", "y"), **options)


def test_every_arm_is_scored_and_rows_without_a_target_are_left_out(resampler: Resampler) -> None:
    table = noise_table(90, 0)
    table.loc[:4, "y"] = None
    report = augmentation_gain(table, "y", repeats=1, learners=["boosted trees"], generator=resampler)
    arms = {row["arm"] for row in report.scores}
    assert len(arms) == 8
    assert report.run["rows"] == 85
    assert "5 rows without a target" in report.run["notes"][0]
    assert json.loads(report.to_json())["chosen"][0]["recipes"]
    assert report.findings[0].control_low is not None
