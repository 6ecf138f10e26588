"""What the monitor raises alarms about, and what it measures."""

from __future__ import annotations

import numpy as np
import pytest
from sklearn.metrics import roc_auc_score

from synthgan.encoding.vectors import VectorLayout
from synthgan.training import Monitor, StepReport
from synthgan.training.looks import Gallery, rank_accuracy
from synthgan.training.monitor import ADVICE, Alarm, Limits

HEALTHY = {
    "generator_gradient": 0.02,
    "discriminator_gradient": 0.05,
    "discriminator_accuracy": 0.7,
    "discriminator_accuracy_low": 0.65,
    "discriminator_accuracy_high": 0.75,
    "fidelity": 0.9,
    "mode_coverage": 1.0,
    "diversity": 0.95,
}
SICK = {
    "vanishing gradients": {"generator_gradient": 1e-7},
    "exploding gradients": {"discriminator_gradient": float("inf")},
    "overpowering discriminator": {"discriminator_accuracy": 0.999},
    "mode collapse": {"mode_coverage": 0.2},
}


def run(changes: dict[str, float], n: int = 12, start: int = 600) -> list[Alarm]:
    monitor = Monitor()
    for step in range(n):
        monitor.observe(start + step * 20, 1000, HEALTHY | changes)
    return monitor.alarms


def test_a_healthy_training_raises_nothing() -> None:
    assert run({}) == []


@pytest.mark.parametrize("name", list(SICK))
def test_each_trouble_is_named_once_with_its_advice(name: str) -> None:
    alarms = run(SICK[name])
    assert [alarm.name for alarm in alarms] == [name]
    assert alarms[0].advice == ADVICE[name]
    assert name in str(alarms[0])
    assert alarms[0].advice in str(alarms[0])


def test_one_bad_look_is_no_alarm() -> None:
    monitor = Monitor()
    for step in range(40):
        bad = SICK["mode collapse"] if step % 3 == 0 else {}
        assert monitor.observe(600 + step, 1000, HEALTHY | bad) == ()


def test_rows_may_lack_variety_at_first() -> None:
    assert run(SICK["mode collapse"], n=6, start=0) == []
    assert [alarm.name for alarm in run({"diversity": 0.01})] == ["mode collapse"]


def test_a_sure_discriminator_is_no_trouble_while_rows_get_better() -> None:
    monitor = Monitor()
    for step in range(12):
        rising = {"discriminator_accuracy": 1.0, "fidelity": 0.3 + 0.05 * step}
        monitor.observe(600 + step, 1000, HEALTHY | rising)
    assert monitor.alarms == []


def test_gradients_explode_beside_what_is_usual() -> None:
    monitor = Monitor()
    for step in range(20):
        monitor.observe(step, 1000, {"generator_gradient": 0.01})
    raised = [monitor.observe(step, 1000, {"generator_gradient": 50.0}) for step in range(20, 30)]
    assert [alarm.name for alarms in raised for alarm in alarms] == ["exploding gradients"]


def test_convergence_is_an_interval_around_a_half() -> None:
    monitor = Monitor()
    monitor.observe(100, 1000, HEALTHY)
    assert monitor.converged_at is None
    cannot_tell = {"discriminator_accuracy_low": 0.47, "discriminator_accuracy_high": 0.55}
    monitor.observe(120, 1000, HEALTHY | cannot_tell)
    monitor.observe(140, 1000, HEALTHY | cannot_tell)
    assert monitor.converged_at == 120
    monitor.observe(160, 1000, HEALTHY)
    assert monitor.converged_at is None


def test_limits_can_be_set() -> None:
    monitor = Monitor(Limits(patience=1, coverage=1.1))
    assert [alarm.name for alarm in monitor.observe(900, 1000, HEALTHY)] == ["mode collapse"]


def test_a_report_gives_trackers_plain_numbers() -> None:
    alarm = Alarm("mode collapse", 40, "20 % are reached")
    report = StepReport(40, 100, 1.5, "adversarial", {"generator": 0.7}, 0.2, 0.1, {"fidelity": 0.8}, (alarm,))
    assert report.metrics() == {"seconds": 1.5, "generator": 0.7, "validation": 0.2, "fidelity": 0.8}
    assert all(type(value) is float for value in report.metrics().values())
    flat = report.flat()
    assert flat["alarms"] == str(alarm)
    assert (flat["step"], flat["phase"], flat["fidelity"]) == (40, "adversarial", 0.8)


def test_rank_accuracy_is_the_area_under_the_curve() -> None:
    rng = np.random.default_rng(0)
    real, fake = rng.normal(0.5, 1, 300).astype("f4"), rng.normal(0, 1, 200).astype("f4").round(1)
    accuracy, low, high = rank_accuracy(real, fake)
    expected = roc_auc_score([1] * 300 + [0] * 200, np.concatenate([real, fake]))
    assert accuracy == pytest.approx(expected)
    assert low < expected < high
    inside = 0
    for seed in range(200):
        rng = np.random.default_rng(seed)
        _, low, high = rank_accuracy(rng.normal(size=100).astype("f4"), rng.normal(size=100).astype("f4"))
        inside += low <= 0.5 <= high
    assert 0.9 < inside / 200 < 0.99


def clusters(rng: np.random.Generator, n: int, kept: range) -> np.ndarray:
    centre = rng.choice(list(kept), n)
    points = np.c_[np.cos(centre * np.pi / 4), np.sin(centre * np.pi / 4)] * 10 + rng.normal(0, 0.1, (n, 2))
    return points.astype(np.float32)


def test_looks_see_fidelity_coverage_and_diversity() -> None:
    rng = np.random.default_rng(0)
    layout = VectorLayout(2, (), ())
    gallery = Gallery(clusters(rng, 500, range(8)), clusters(rng, 500, range(8)), layout)
    whole = gallery.compare(clusters(rng, 500, range(8)))
    assert whole["fidelity"] > 0.9
    assert whole["mode_coverage"] == 1.0
    assert whole["diversity"] == pytest.approx(1, abs=0.1)
    half = gallery.compare(clusters(rng, 500, range(4)))
    assert 0.3 < half["mode_coverage"] < 0.7
    one = gallery.compare(np.tile(clusters(rng, 1, range(1)), (500, 1)))
    assert one["mode_coverage"] < 0.2
    assert one["diversity"] < 0.01
    assert one["fidelity"] < half["fidelity"] < whole["fidelity"]


def test_looks_at_categories() -> None:
    rng = np.random.default_rng(0)
    layout = VectorLayout(0, (2, 3), (True, True))

    def rows(p: float) -> np.ndarray:
        first = np.eye(2, dtype=np.float32)[(rng.random(4000) < p).astype(int)]
        return np.concatenate([first, np.eye(3, dtype=np.float32)[rng.integers(0, 3, 4000)]], axis=1)

    gallery = Gallery(rows(0.5), rows(0.5)[:500], layout)
    assert gallery.compare(rows(0.5))["fidelity"] > 0.97
    assert gallery.compare(rows(0.9))["fidelity"] == pytest.approx(1 - 0.4 / 2, abs=0.03)
