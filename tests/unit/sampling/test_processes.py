"""Drawing in several processes."""

from __future__ import annotations

import os
import signal
from collections.abc import Iterator

import pandas as pd
import pytest

from synthgan import SynthGAN
from synthgan.errors import ConfigError, OutOfMemoryError
from synthgan.sampling.processes import AHEAD, mapped


def square_and_process(number: int) -> tuple[int, int]:
    return number * number, os.getpid()


def end(number: int) -> int:
    if number == 2:
        os.kill(os.getpid(), signal.SIGKILL)
    return number


def test_results_come_in_order_from_other_processes() -> None:
    found = list(mapped(square_and_process, iter(range(40)), 2))
    assert [square for square, _ in found] == [number * number for number in range(40)]
    assert os.getpid() not in {process for _, process in found}


def test_no_more_is_asked_for_than_can_soon_be_worked_on() -> None:
    asked: list[int] = []

    def arguments() -> Iterator[int]:
        for number in range(1000):
            asked.append(number)
            yield number

    results = mapped(abs, arguments(), 2)
    for place, _ in zip(range(10), results, strict=False):
        assert len(asked) <= place + 1 + 2 * AHEAD
    results.close()  # type: ignore[attr-defined]
    assert len(asked) < 20


def test_a_process_that_is_ended_is_an_error_and_the_next_call_works() -> None:
    with pytest.raises(OutOfMemoryError, match="smaller n_jobs"):
        list(mapped(end, iter(range(4)), 2))
    assert list(mapped(abs, iter([-1, -2]), 2)) == [1, 2]


@pytest.mark.parametrize(
    "settings",
    [
        {"n_samples": 9000},
        {"n_samples": 9000, "n_passes": 1, "conditions": {"age": (30, 50), "text": {"red", "rare"}}},
        {"class_counts": {"red": 6000, "blue": 3000}},
    ],
    ids=str,
)
def test_rows_do_not_depend_on_the_number_of_processes(barely: SynthGAN, settings: dict[str, object]) -> None:
    alone = barely.sample(random_state=4, **settings)  # type: ignore[arg-type]
    pd.testing.assert_frame_equal(barely.sample(random_state=4, n_jobs=2, **settings), alone, check_exact=True)  # type: ignore[arg-type]
    assert len(alone) == 9000


@pytest.mark.parametrize("n_jobs", [0, -2, 1.5, True, "2", None])
def test_a_number_of_processes_that_cannot_be_is_refused(barely: SynthGAN, n_jobs: object) -> None:
    with pytest.raises(ConfigError, match="n_jobs"):
        barely.sample(10, n_jobs=n_jobs)  # type: ignore[arg-type]
