"""Choosing candidates in proportion to their weights."""

from __future__ import annotations

import copy
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from synthgan import SynthGAN
from synthgan.conditioning.space import ConditionSpace
from synthgan.encoding import EncodedTable
from synthgan.errors import ArchiveError, ConfigError
from synthgan.models.critic import Critic
from synthgan.persistence import read_archive, write_archive
from synthgan.rng import numpy_stream
from synthgan.sampling import Sampler
from synthgan.sampling.selection import resample, resample_groups
from synthgan.synthesizers import critique


@settings(max_examples=60, deadline=None)
@given(st.lists(st.floats(-50, 50), min_size=1, max_size=40), st.data())
def test_each_candidate_is_taken_at_most_once(log_weight: list[float], data: st.DataObject) -> None:
    n_kept = data.draw(st.integers(1, len(log_weight)))
    kept = resample(np.array(log_weight), n_kept, numpy_stream(0, "test"))
    assert len(kept) == n_kept == len(set(kept.tolist()))


def test_frequencies_are_the_weights() -> None:
    log_weight = np.log([1.0, 2.0, 3.0, 4.0, 10.0])  # of 2 kept: 0.1, 0.2, 0.3, 0.4 and 1
    counts = np.zeros(5)
    n_rounds = 4000
    for round_ in range(n_rounds):
        counts[resample(log_weight, 2, numpy_stream(1, "test", round_))] += 1
    # standard error of a frequency: at most 0.008
    np.testing.assert_allclose(counts / n_rounds, [0.1, 0.2, 0.3, 0.4, 1.0], atol=0.03)


def test_rows_take_candidates_of_their_own_group() -> None:
    group = np.array([3, 1, 3, 1, 1, 0])
    log_weight = numpy_stream(0, "test").normal(size=4 * len(group))
    kept = resample_groups(log_weight, group, numpy_stream(1, "test"))
    assert group[kept % len(group)].tolist() == group.tolist()
    assert len(set(kept.tolist())) == len(group)


@pytest.fixture(scope="module")
def frame() -> pd.DataFrame:
    rng = numpy_stream(0, "frame")
    x = rng.normal(size=5000)
    return pd.DataFrame(
        {"x": x.round(3), "y": (x**2 + 0.05 * rng.normal(size=5000)).round(3), "label": np.where(x > 0, "up", "down")}
    )


@pytest.fixture(scope="module")
def model(frame: pd.DataFrame) -> SynthGAN:
    return SynthGAN(epochs=20, hidden_dim=32, random_state=0).fit(frame, target="label")


def off_the_curve(rows: pd.DataFrame) -> float:
    return float((abs(rows["y"] - rows["x"] ** 2) > 0.3).mean())


def test_the_critic_removes_what_the_generator_gets_wrong(model: SynthGAN) -> None:
    """So short a training leaves many rows off the curve y = x^2; selection must take out a good part of them."""
    drawn = model.sample(6000, select=1, random_state=1)
    chosen = model.sample(6000, select=8, random_state=1)
    assert off_the_curve(drawn) > 0.1
    assert off_the_curve(chosen) < 0.75 * off_the_curve(drawn)


def test_selected_rows_keep_the_marginals(frame: pd.DataFrame, model: SynthGAN) -> None:
    """About: of four candidates one is taken, so a weight above four counts as four."""
    chosen = model.sample(6000, random_state=2)
    deciles = frame["x"].quantile(np.arange(0.1, 1, 0.1)).to_numpy()
    below = [(chosen["x"] <= cut).mean() for cut in deciles]
    np.testing.assert_allclose(below, np.arange(0.1, 1, 0.1), atol=0.06)
    assert (chosen["label"] == "up").mean() == pytest.approx((frame["label"] == "up").mean(), abs=0.04)


def test_selection_keeps_counts_conditions_and_prefixes(model: SynthGAN) -> None:
    counts = model.sample(class_counts={"up": 37, "down": 700}, random_state=3)["label"].value_counts()
    assert counts.to_dict() == {"up": 37, "down": 700}
    assert (model.sample(300, conditions={"x": (1.0, 2.0)}, random_state=3)["x"].between(1.0, 2.0)).all()
    asked = pd.DataFrame({"x": [0.5, 0.5, -1.0, None], "label": [None, "up", "down", None]})
    answered = model.sample(conditions=asked, random_state=4)
    assert answered["x"].tolist()[:3] == [0.5, 0.5, -1.0]
    assert answered["label"].tolist()[1:3] == ["up", "down"]
    long, short = (model.sample(n, random_state=5) for n in (1200, 30))
    pd.testing.assert_frame_equal(long.head(30), short)


def test_a_model_without_a_critic_says_so(frame: pd.DataFrame) -> None:
    model = SynthGAN(epochs=2, hidden_dim=8, select=1, random_state=0).fit(frame)
    with pytest.raises(ConfigError, match="needs a critic"):
        model.sample(5, select=2)
    with pytest.raises(ConfigError, match="from 1 to 64"):
        model.sample(5, select=0)
    assert len(model.sample(5)) == 5


def test_a_saved_critic_chooses_the_same_rows(model: SynthGAN, tmp_path: Path) -> None:
    model.save(tmp_path / "m.synthgan")
    again = SynthGAN.load(tmp_path / "m.synthgan", device="cpu")
    pd.testing.assert_frame_equal(again.sample(200, random_state=6), model.sample(200, random_state=6))


@pytest.mark.parametrize(
    ("weight", "value"),
    [
        ("critic.block", -1),
        ("critic.block", 99),
        ("critic.share", -1.0),
        ("critic.share", 1.0),
        ("critic.overlap", 2.0),
        ("critic.group", 2),
    ],
)
def test_a_critic_of_other_columns_or_impossible_shares_is_refused(
    model: SynthGAN, tmp_path: Path, weight: str, value: float
) -> None:
    path = tmp_path / "m.synthgan"
    model.save(path)
    manifest, state, weights = read_archive(path)
    weights[weight].view(-1)[0] = value
    rest = {key: value for key, value in manifest.items() if key not in ("kind", "format", "sha256", "digest")}
    write_archive(path, rest, state, weights)
    with pytest.raises(ArchiveError, match="critic"):
        SynthGAN.load(path)


@pytest.mark.parametrize("groups", [0, 1, 3, 5, 1000, 2.0, "2", None])
def test_groups_that_do_not_go_with_the_shares_are_refused(model: SynthGAN, tmp_path: Path, groups: object) -> None:
    path = tmp_path / "m.synthgan"
    model.save(path)
    manifest, state, weights = read_archive(path)
    assert manifest["generator"]["critic_groups"] == 2
    manifest["generator"]["critic_groups"] = groups
    rest = {key: value for key, value in manifest.items() if key not in ("kind", "format", "sha256", "digest")}
    write_archive(path, rest, state, weights)
    with pytest.raises(ArchiveError):
        SynthGAN.load(path)


def test_no_sample_is_of_rows_that_the_critic_learned_from(
    frame: pd.DataFrame, model: SynthGAN, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Not with the fit's own seed either: chosen among rows it knows by heart, a sample looks better than others."""
    fitted = model.model_
    seen: list[EncodedTable] = []
    fit_critic = critique.fit_critic

    def watched(*given: Any) -> Critic:
        seen.append(given[2])
        return fit_critic(*given)

    monkeypatch.setattr(critique, "fit_critic", watched)
    generator = copy.deepcopy(fitted.generator)
    critique.add_critic(generator, fitted.encoder, fitted.encoder.encode(frame), model.seed_, 8, 5, None)
    sampler = Sampler(generator, fitted.encoder)
    _, drawn = next(sampler.chunks(4000, ConditionSpace(fitted.encoder).none(), model.seed_))
    known = {row.tobytes() for row in seen[0].positions}
    again = np.mean([row.tobytes() in known for row in drawn.positions])
    assert again < 0.3  # chance alone, as the values of this table are rounded; with that seed it would be all


def test_an_interrupted_critic_costs_only_itself(frame: pd.DataFrame, monkeypatch: pytest.MonkeyPatch) -> None:
    def interrupt(*_: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr("synthgan.synthesizers.critique.fit_critic", interrupt)
    model = SynthGAN(epochs=1, hidden_dim=8, random_state=0).fit(frame)
    assert len(model.sample(7)) == 7


def test_whoever_cuts_training_short_does_not_wait_for_a_critic(frame: pd.DataFrame) -> None:
    model = SynthGAN(epochs=10**6, hidden_dim=8, random_state=0).fit(frame, callback=lambda report: report.step >= 40)
    assert model.interrupted_
    assert model.model_.generator.critic is None
    assert len(model.sample(7)) == 7


def test_a_critic_without_time_still_sets_the_marginals(frame: pd.DataFrame) -> None:
    model = SynthGAN(epochs=10**6, hidden_dim=8, max_seconds=0.2, random_state=0).fit(frame)
    critic = model.model_.generator.critic
    assert critic.margin.any()
    assert 1 <= len(critic.leaf) < critique.n_trees(len(frame))
    assert len(model.sample(7)) == 7


@pytest.mark.parametrize("conditions", [None, {"label": "up"}])
def test_chosen_rows_do_not_depend_on_the_number_of_processes(
    model: SynthGAN, conditions: dict[str | int, Any] | None
) -> None:
    alone = model.sample(1500, conditions=conditions, random_state=7)
    side_by_side = model.sample(1500, conditions=conditions, random_state=7, n_jobs=2)
    pd.testing.assert_frame_equal(side_by_side, alone, check_exact=True)
