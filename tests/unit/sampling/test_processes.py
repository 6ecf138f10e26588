"""Drawing in several processes."""

from __future__ import annotations

import multiprocessing
import os
import signal
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pandas as pd
import pytest

from synthgan import SynthGAN
from synthgan.errors import ConfigError, OutOfMemoryError
from synthgan.sampling.processes import AHEAD, check_jobs, mapped


def square_and_process(number: int) -> tuple[int, int]:
    return number * number, os.getpid()


def map_here() -> None:
    os._exit(0 if list(mapped(abs, iter([-1, -2]), 2)) == [1, 2] else 1)


def jobs_here() -> int:
    return check_jobs(4)


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


def test_nothing_is_left_in_the_temporary_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    whole, begun = (mapped(abs, iter(range(-40, 0)), 2) for _ in range(2))
    assert list(whole) == list(range(40, 0, -1))
    assert next(begun) == 40
    assert len(list(tmp_path.iterdir())) == 1
    begun.close()  # type: ignore[attr-defined]
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize(
    "settings",
    [
        {"n_samples": 9000},
        {"n_samples": 9000, "n_passes": 1, "conditions": {"age": (30, 50), "text": {"red", "rare"}}},
        {"class_counts": {"red": 6000, "blue": 3000}},
        {"n_samples": 9000, "conditions": {"hour": ("2020-03-01 10:00", None), "zulu": ("2021-06-01", "2021-07-01")}},
    ],
)
def test_rows_do_not_depend_on_the_number_of_processes(barely: SynthGAN, settings: dict[str, object]) -> None:
    alone = barely.sample(random_state=4, **settings)  # type: ignore[arg-type]
    pd.testing.assert_frame_equal(barely.sample(random_state=4, n_jobs=2, **settings), alone, check_exact=True)  # type: ignore[arg-type]
    assert len(alone) == 9000


def test_two_samples_at_once(barely: SynthGAN) -> None:
    """One of them is not finished; the other wants another number of processes."""
    ways = [barely.sample_batches(12_000, random_state=5, n_jobs=n_jobs) for n_jobs in (2, 3)]
    first, second = next(ways[0]), next(ways[1])
    ways[1].close()  # type: ignore[attr-defined]
    found = pd.concat([first, *ways[0]], ignore_index=True)
    pd.testing.assert_frame_equal(found, barely.sample(12_000, random_state=5), check_exact=True)
    pd.testing.assert_frame_equal(second, first)


def test_processes_that_ended_while_they_waited_are_replaced() -> None:
    processes = {process for _, process in mapped(square_and_process, iter(range(20)), 2)}
    for process in processes:
        os.kill(process, signal.SIGKILL)
    assert [square for square, _ in mapped(square_and_process, iter(range(3)), 2)] == [0, 1, 4]


@pytest.mark.skipif("fork" not in multiprocessing.get_all_start_methods(), reason="no forks here")
@pytest.mark.filterwarnings("ignore::DeprecationWarning")  # later Pythons advise against forks, and people make them
def test_a_forked_process_has_processes_of_its_own() -> None:
    list(mapped(abs, iter(range(4)), 2))
    child = multiprocessing.get_context("fork").Process(target=map_here)
    child.start()
    child.join(60)
    child.kill()
    assert child.exitcode == 0


def test_a_daemon_draws_alone() -> None:
    """It may not have processes of its own."""
    with multiprocessing.get_context("fork").Pool(1) as pool:
        assert pool.apply_async(jobs_here).get(timeout=60) == 1


@pytest.mark.parametrize("n_jobs", [0, -2, 1.5, True, "2", None])
def test_a_number_of_processes_that_cannot_be_is_refused(barely: SynthGAN, n_jobs: object) -> None:
    with pytest.raises(ConfigError, match="n_jobs"):
        barely.sample(10, n_jobs=n_jobs)  # type: ignore[arg-type]
