"""Where numbers lie, and what lines guess of rows that they have not seen."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
import pandas as pd
import pytest

from synthgan import infer_schema
from synthgan.encoding import TableEncoder
from synthgan.rng import numpy_stream
from synthgan.training.lines import LEAST_LOG, BlockColumns, Guess, normal_scores

Floats = npt.NDArray[np.floating]


def test_scores_are_those_of_a_normal_distribution_and_keep_order() -> None:
    values = numpy_stream(0, "test").gamma(1, 100, 20_000)
    scores = normal_scores(values, values)
    assert scores.mean() == pytest.approx(0, abs=1e-6)
    assert scores.std() == pytest.approx(1, abs=1e-3)
    assert np.array_equal(np.argsort(scores), np.argsort(values))
    beyond = normal_scores(np.array([-1.0, 1e9]), values)
    assert np.isfinite(beyond).all()
    assert beyond.tolist() == [scores.min(), scores.max()]


def test_equal_values_share_the_score_of_their_middle() -> None:
    values = np.array([0.0, 0.0, 0.0, 0.0, 1.0, 2.0, 3.0, 4.0])
    assert np.allclose(
        normal_scores(np.array([0.0]), values), normal_scores(np.array([2.0]), np.arange(0.5, 8)), atol=0.2
    )
    assert len(set(normal_scores(values[:4], values))) == 1


def test_guesses_of_numbers_are_made_without_a_rows_own() -> None:
    """Numbers that follow nothing are not guessed, though a line through them all knows many by heart."""
    rng = numpy_stream(1, "test")
    features, answers = rng.normal(size=(200, 100)).astype(np.float32), rng.normal(size=200)
    guess = Guess(features, answers, 5, ordered=True)
    own, unseen = (np.corrcoef(said[:, 0], answers)[0, 1] for said in (guess(features), guess.left_out))
    assert own > 0.5
    assert unseen < 0.25
    follows = features[:, 0] + 0.3 * answers
    assert np.corrcoef(Guess(features[:, :3], follows, 5, ordered=True).left_out[:, 0], follows)[0, 1] > 0.9


def test_odds_are_of_rows_not_learned_from() -> None:
    """Labels that follow nothing are guessed at their shares, though there are as many features as rows."""
    rng = numpy_stream(2, "test")
    features, classes = rng.normal(size=(200, 100)).astype(np.float32), rng.choice([3, 5], 200, p=[0.7, 0.3])
    odds = Guess(features, classes, 0, ordered=False)
    own, unseen = (
        np.exp(said[np.arange(200), (classes == 5).astype(int)]).mean() for said in (odds(features), odds.left_out)
    )
    assert own > 0.75
    assert unseen < 0.65
    np.testing.assert_allclose(np.exp(odds.left_out).sum(axis=1), 1, atol=2e-3)


def test_odds_follow_what_tells() -> None:
    rng = numpy_stream(3, "test")
    x = rng.normal(size=(2000, 1))
    classes = (rng.random(2000) < 1 / (1 + np.exp(-2 * x[:, 0]))).astype(np.uint8)
    query = np.array([[-1.0], [0.0], [1.0]], np.float32)
    said = np.exp(Guess(x.astype(np.float32), classes, 0, ordered=False)(query.astype(np.float32)))
    np.testing.assert_allclose(said[:, 1], 1 / (1 + np.exp([2.0, 0.0, -2.0])), atol=0.05)


def test_a_class_of_one_row_is_no_trouble() -> None:
    rng = numpy_stream(4, "test")
    classes = np.array([0] * 30 + [1] * 29 + [7])
    odds = Guess(rng.normal(size=(60, 2)).astype(np.float32), classes, 0, ordered=False)
    assert odds.left_out.shape == (60, 3)
    assert odds.left_out[59, 2] == LEAST_LOG
    assert np.isfinite(odds.left_out).all()
    two = Guess(rng.normal(size=(60, 2)).astype(np.float32), np.arange(60) == 9, 0, ordered=False)
    assert two.left_out[9].tolist() == [0.0, LEAST_LOG]  # nobody else has seen one
    assert np.isfinite(two.left_out).all()


@pytest.mark.parametrize("size", [0.0, 1.0, 1e160, 1e300])
def test_numbers_of_any_size_have_scores(size: float) -> None:
    rng = numpy_stream(14, "test")
    frame = pd.DataFrame({"x": size * rng.uniform(-1, 1, 60), "y": rng.random(60)})
    encoder = TableEncoder.fit(frame, infer_schema(frame, {"x": "numeric"}))
    rows = encoder.encode(frame)
    scores = BlockColumns(encoder.layout, rows, encoder.numbers(rows)[:, 0], 0).scores
    assert scores is not None
    assert np.abs(scores).max() < 5
    assert len(np.unique(scores)) == (60 if size else 1)


@pytest.fixture
def columns() -> tuple[pd.DataFrame, list[BlockColumns], list[Floats]]:
    rng = numpy_stream(10, "test")
    frame = pd.DataFrame(
        {
            "plain": rng.uniform(10, 20, 400).round(2),
            "far": np.exp(2 * rng.normal(size=400)),
            "holes": np.where(rng.random(400) < 0.2, np.nan, rng.normal(size=400)),
            "kind": rng.choice(["a", "b", "c"], 400),
        }
    )
    encoder = TableEncoder.fit(frame, infer_schema(frame))
    rows = encoder.encode(frame)
    numbers = encoder.numbers(rows)
    made = [BlockColumns(encoder.layout, rows, numbers[:, block], block) for block in range(4)]
    return frame, made, [one.of(rows) for one in made]


def test_numbers_lie_where_they_are_or_by_rank_where_some_are_far_out(
    columns: tuple[pd.DataFrame, list[BlockColumns], list[Floats]],
) -> None:
    frame, (plain, far, _, kind), features = columns
    own = (frame["plain"] - frame["plain"].mean()) / frame["plain"].std(ddof=0)
    np.testing.assert_allclose(plain.scores, own, atol=1e-3)
    np.testing.assert_allclose(features[0][:, 0], own, atol=1e-3)
    assert far.scores is not None
    assert np.abs(far.scores).max() < 4
    assert np.corrcoef(far.scores, np.log(frame["far"]))[0, 1] > 0.99
    assert kind.scores is None
    assert features[3].sum(axis=1).tolist() == [1.0] * 400


def test_what_is_missing_does_not_lie_on_the_line(
    columns: tuple[pd.DataFrame, list[BlockColumns], list[Floats]],
) -> None:
    frame, _, (_, _, features, _) = columns
    missing = frame["holes"].isna().to_numpy()
    assert any(np.array_equal(column.astype(bool), missing) for column in features[:, 1:].T)
    known = features[~missing, 0]
    assert (np.diff(known[np.argsort(frame["holes"].to_numpy()[~missing])]) >= 0).all()
