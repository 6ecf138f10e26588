"""The page of a tuning shows every trial, loads nothing, and takes names as text."""

from __future__ import annotations

import re

import pytest

from synthgan.report import render_tuning

HOSTILE = "<script>alert(1)</script>"


def trial(number: int, score: float | None, state: str = "complete", **settings: object) -> dict[str, object]:
    curve = [[0.1, -2.0], [0.5, -1.5 - number / 10]]
    return {
        "number": number, "settings": {"lr": 0.001, "kind": "a", **settings}, "state": state, "score": score,
        "scores": {} if score is None else {"0": score}, "curve": curve, "seconds": 1.5, "note": "",
    }  # fmt: skip


@pytest.fixture(scope="module")
def data() -> dict[str, object]:
    trials = [trial(0, 0.2, lr=None), trial(1, 0.6, kind="b"), trial(2, None, "pruned"), trial(3, 0.4, lr=0.01)]
    return {
        "model": "SynthGAN", "trials": trials, "best": trials[1], "start": trials[0],
        "fixed": {"epochs": 3, HOSTILE: HOSTILE},
        "space": {
            "lr": {"kind": "range", "low": 0.0001, "high": 0.1, "log": True},
            "kind": {"kind": "choice", "options": ["a", "b"]},
        },
        "importance": {"lr": 0.75, "kind": 0.25},
        "run": {"rows fitted": 1000, "rows held out": 500, "seconds": 3.0},
    }  # fmt: skip


@pytest.fixture(scope="module")
def page(data) -> str:
    return render_tuning(data)


def test_each_complete_trial_is_a_dot_and_each_looked_at_a_line(page):
    history = re.search(r'aria-labelledby="history-t.*?</svg>', page, re.DOTALL)
    assert history is not None
    assert history[0].count("<circle") == 3
    looks = re.search(r'aria-labelledby="looks-t.*?</svg>', page, re.DOTALL)
    assert looks is not None
    assert looks[0].count("line-a") == 3
    assert looks[0].count("line-d") == 1


def test_a_setting_outside_the_space_has_no_place_in_its_slice(page):
    slices = [re.search(rf'aria-labelledby="slice{i}-t.*?</svg>', page, re.DOTALL) for i in (0, 1)]
    assert [found[0].count("<circle") for found in slices if found] == [2, 3]


def test_the_table_holds_every_trial_the_best_first(page):
    body = page.split("All trials, the best first")[1].split("</table>")[0]
    assert re.findall(r'<th scope="row">(\d)</th>', body) == ["1", "3", "0", "2"]


def test_nothing_runs_and_names_are_text(page):
    assert "<script>alert" not in page
    assert page.count("<script") == 1  # the embedded results
    assert not re.search(r'(?:src|href)="(?!#|data:)', page)


def test_few_trials_have_a_page_too(data):
    start = data["trials"][0]
    page = render_tuning(data | {"trials": [start], "best": start, "importance": {}})
    assert "What mattered" not in page
