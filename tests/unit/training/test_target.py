"""The target's trees: their gradients, what they learn, and the rows that are drawn with them."""

from __future__ import annotations

import copy
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pandas as pd
import pytest
import torch
from scipy.special import log_softmax

from synthgan import SynthGAN
from synthgan.encoding import TableEncoder
from synthgan.errors import ArchiveError
from synthgan.models import CodeAxis, Ensemble, GeneratorConfig
from synthgan.models.features import rows_of
from synthgan.models.target import MAX_CLASSES, ClassTrees, NumberTrees, TargetTrees
from synthgan.persistence import read_archive, write_archive
from synthgan.rng import numpy_stream
from synthgan.sampling.drawing import batches
from synthgan.schema import infer_schema
from synthgan.synthesizers.targeted import MIN_ROWS, target_block
from synthgan.training.growth import SHALLOW, Classes, Numbers
from synthgan.training.target import fit_target, nats

N = 3000
CLASSES = ["low", "middle", "high"]


def table(n: int, stream: np.random.Generator) -> pd.DataFrame:
    """Three classes by the signs of two numbers, one row in ten of a class by chance; `place` says nothing."""
    x, y = stream.normal(size=(2, n))
    kind = np.where(x * y > 0.3, 2, np.where(x * y < -0.3, 0, 1))
    kind = np.where(stream.random(n) < 0.1, stream.integers(0, 3, n), kind)
    place = stream.integers(0, 40, n).astype(str)
    return pd.DataFrame({"x": x, "y": y, "place": place, "kind": np.array(CLASSES)[kind]})


@pytest.fixture(scope="module")
def frame() -> pd.DataFrame:
    return table(N, numpy_stream(0, "test"))


@pytest.fixture(scope="module")
def encoder(frame: pd.DataFrame) -> TableEncoder:
    return TableEncoder.fit(frame, infer_schema(frame))


@pytest.fixture(scope="module")
def model(frame: pd.DataFrame) -> SynthGAN:
    return SynthGAN(epochs=30, hidden_dim=32, random_state=0).fit(frame, target="kind")


@pytest.fixture(scope="module")
def trees(model: SynthGAN) -> TargetTrees:
    found = generator(model).target
    assert found is not None
    return found


def generator(model: SynthGAN) -> Ensemble:
    found = model.model_.generator
    assert isinstance(found, Ensemble)
    return found


def untrained(axis: CodeAxis) -> Ensemble:
    """Networks that know nothing."""
    torch.manual_seed(0)
    networks = Ensemble(axis, GeneratorConfig(hidden_dim=8)).eval()
    networks.fold()
    return networks


@pytest.mark.parametrize("n_codes", [2, 4])
def test_derivatives_are_those_of_the_loss(n_codes: int) -> None:
    stream = numpy_stream(1, "test")
    codes = stream.integers(0, n_codes, 20, dtype=np.uint8)
    learner = Classes(codes, n_codes)
    learner.scores = stream.normal(size=learner.scores.shape)
    slope, bend = learner.derivatives()
    loss = lambda scores: 20 * learner.loss(scores, codes)  # noqa: E731
    for row, score in [(0, 0), (7, 0), (19, learner.scores.shape[1] - 1)]:
        step = np.zeros(learner.scores.shape)
        step[row, score] = 1e-4
        up, here, down = (loss(learner.scores + sign * step) for sign in (1, 0, -1))
        assert slope[score, row] == pytest.approx((up - down) / 2e-4, abs=1e-6)
        factor = 1 if n_codes == 2 else 2
        assert bend[score, row] == pytest.approx(factor * (up - 2 * here + down) / 1e-8, abs=1e-4)


def test_logits_are_those_of_networks_and_of_base_and_leaves(encoder: TableEncoder) -> None:
    """Against trees that are walked one by one, in float64."""
    axis = CodeAxis(encoder.layout)
    for block in (2, 3):
        trees = ClassTrees(axis, block, n_trees=5, depth=3)
        draw = torch.Generator().manual_seed(0)
        trees.bins.random_(0, 50, generator=draw)
        trees.block.random_(0, len(encoder.layout), generator=draw)
        trees.threshold.random_(0, 50, generator=draw)
        trees.leaf.normal_(generator=draw)
        trees.base.normal_(generator=draw)
        trees.tilt.copy_(torch.tensor([0.3, 0.9]))
        rows = rows_of(axis, encoder.encode(table(30, numpy_stream(2, "test"))))
        network = torch.randn(30, len(trees.base), generator=draw)
        for row, found in enumerate(trees(axis, rows, network)):
            expected = trees.base.double().numpy().copy()
            for tree in range(5):
                leaf = 0
                for asked, limit in zip(trees.block[tree].tolist(), trees.threshold[tree].tolist(), strict=True):
                    code, n_cells = int(rows.codes[row, asked]), int(axis.n_cells[rows.codes[row, asked]])
                    cell = min(int(float(rows.positions[row, asked]) * n_cells), n_cells - 1)
                    leaf = 2 * leaf + (int(trees.bins[code, cell]) > limit)
                expected += trees.leaf[tree, leaf].double().numpy()
            both = 0.3 * log_softmax(network[row].double().numpy()) + 0.9 * log_softmax(expected)
            np.testing.assert_allclose(found.numpy(), both, atol=1e-5)


def test_two_classes_take_one_score(encoder: TableEncoder, frame: pd.DataFrame) -> None:
    two = frame.assign(kind=frame["kind"] == "low")
    coder = TableEncoder.fit(two, infer_schema(two))
    axis, block = CodeAxis(coder.layout), target_block(coder.layout, "kind", N)
    assert block is not None
    rows = coder.encode(two)
    found = fit_target(untrained(axis), block, rows, rows, numpy_stream(0, "test")).trees
    assert isinstance(found, ClassTrees)
    assert found.leaf.shape[2] == 1
    scores = found.scores(axis, rows_of(axis, rows))
    logits = found.terms(torch.zeros(len(two), 2), scores)[:, :, 1]
    torch.testing.assert_close(logits[:, 1] - logits[:, 0], scores[:, 0] + found.base[1] - found.base[0])
    likelier = (logits[:, 1] > logits[:, 0]).numpy()
    assert (likelier == two["kind"].to_numpy()).mean() > 0.85


def test_trees_learn_what_can_be_known(encoder: TableEncoder, frame: pd.DataFrame) -> None:
    """What the best guess would cost is known; without the trees it is the entropy of the shares, 1.03 nats."""
    axis, block = CodeAxis(encoder.layout), target_block(encoder.layout, "kind", N)
    assert block is not None
    watched, fresh = (encoder.encode(table(1000, numpy_stream(seed, "test"))) for seed in (3, 4))
    networks = untrained(axis)
    found = fit_target(networks, block, encoder.encode(frame), watched, numpy_stream(0, "test")).trees
    assert isinstance(found, ClassTrees)
    best = -(0.9 + 0.1 / 3) * np.log(0.9 + 0.1 / 3) - 2 * (0.1 / 3) * np.log(0.1 / 3)
    assert best == pytest.approx(0.291, abs=0.001)
    assert nats(found, networks, block, fresh) < best + 0.15
    none = ClassTrees(axis, block, 0, 6)
    none.base.copy_(found.base)
    none.tilt.copy_(found.tilt)
    assert nats(none, networks, block, fresh) > 1.0


def test_a_small_table_gets_no_trees(encoder: TableEncoder) -> None:
    found = [target_block(encoder.layout, "kind", n) for n in (MIN_ROWS - 1, MIN_ROWS)]
    assert found == [None, 3]


def test_no_seconds_no_trees(encoder: TableEncoder, frame: pd.DataFrame) -> None:
    axis, block = CodeAxis(encoder.layout), target_block(encoder.layout, "kind", N)
    assert block is not None
    rows = encoder.encode(frame)
    assert len(fit_target(untrained(axis), block, rows, rows, numpy_stream(0, "test"), max_seconds=0).trees.leaf) == 0


def test_categories_are_ordered_by_their_shares() -> None:
    """Of two classes the first axis is the share; few rows of a category pull it to the middle."""
    stream = numpy_stream(5, "test")
    cells = stream.integers(0, 12, 2000)
    codes = (stream.random(2000) < cells / 12).astype(np.uint8)
    order = Classes(codes, 2).order(cells, 12)
    ones, all_ = (np.bincount(cells[keep], minlength=12) for keep in (codes == 1, codes < 2))
    shrunk = (ones + 10 * codes.mean()) / (all_ + 10)
    expected = np.argsort(shrunk)
    assert order.tolist() in (expected.tolist(), expected[::-1].tolist())


def test_which_targets_get_trees() -> None:
    stream = numpy_stream(6, "test")
    frame = pd.DataFrame(
        {
            "number": stream.normal(size=400),
            "grade": stream.integers(3, 9, 400),
            "two": stream.integers(0, 2, 400),
            "many": stream.integers(0, MAX_CLASSES + 8, 400).astype(str),
            "one": "same",
            "when": pd.Timestamp("2024-01-01") + pd.to_timedelta(stream.integers(0, 10**6, 400), unit="s"),
        }
    )
    layout = TableEncoder.fit(frame, infer_schema(frame)).layout
    found = {name for name in [*frame, None] if target_block(layout, name, N) is not None}
    assert found == {"grade", "two", "number"}
    holes = frame.assign(number=frame["number"].where(frame["number"] < 1))
    assert target_block(TableEncoder.fit(holes, infer_schema(holes)).layout, "number", N) is None


def bump(n: int, stream: np.random.Generator) -> pd.DataFrame:
    """A number that is the product of two others, and noise: R2 of the best guess is .8."""
    x, y = stream.normal(size=(2, n))
    return pd.DataFrame({"x": x, "y": y, "z": x * y + 0.5 * stream.normal(size=n)})


@pytest.fixture(scope="module")
def numbers() -> SynthGAN:
    return SynthGAN(epochs=30, hidden_dim=32, random_state=0).fit(bump(N, numpy_stream(20, "test")), target="z")


def r2(rows: pd.DataFrame) -> float:
    return float(1 - np.var(rows["z"] - rows["x"] * rows["y"]) / np.var(rows["z"]))


def test_a_number_follows_the_rest(numbers: SynthGAN) -> None:
    found = generator(numbers)
    assert isinstance(found.target, NumberTrees)
    with_trees = [r2(numbers.sample(3000, random_state=1, **way)) for way in ({"select": 1}, {"n_passes": 1})]
    trees, found.target = found.target, None
    without = [r2(numbers.sample(3000, random_state=1, **way)) for way in ({"select": 1}, {"n_passes": 1})]
    found.target = trees
    assert min(with_trees) > 0.4
    assert all(one > other + 0.5 for one, other in zip(with_trees, without, strict=True))


def test_a_number_in_a_range_stays_there(numbers: SynthGAN) -> None:
    rows = numbers.sample(500, conditions={"z": (0.5, 1.0)}, random_state=2)
    assert rows["z"].between(0.5, 1.0).all()
    assert numbers.sample(3, conditions={"z": 0.25}, random_state=3)["z"].tolist() == [0.25] * 3


def test_a_file_keeps_the_trees_of_a_number(numbers: SynthGAN, tmp_path: Path) -> None:
    path = tmp_path / "m.synthgan"
    numbers.save(path)
    pd.testing.assert_frame_equal(SynthGAN.load(path).sample(90, random_state=6), numbers.sample(90, random_state=6))


def test_logits_of_a_number_are_those_of_the_formula(numbers: SynthGAN) -> None:
    trees, found = generator(numbers).target, generator(numbers)
    assert isinstance(trees, NumberTrees)
    rows = rows_of(found.axis, numbers.model_.encoder.encode(bump(40, numpy_stream(21, "test"))))
    network = torch.randn(40, len(trees.position), generator=torch.Generator().manual_seed(0))
    a, b, g = trees.tilt.double().numpy()
    z, mean = trees.position.double().numpy(), trees.scores(found.axis, rows).double().numpy()
    expected = a * log_softmax(network.double().numpy(), axis=1) + b * mean * z - g * z**2 / 2
    np.testing.assert_allclose(trees(found.axis, rows, network).numpy(), expected, atol=1e-4)


def test_the_tilt_is_the_likeliest(numbers: SynthGAN) -> None:
    """On the rows that it was fitted on, where these are many, any other is worse: the loss is convex."""
    found, encoder = generator(numbers), numbers.model_.encoder
    learned, watched = (encoder.encode(bump(n, numpy_stream(n, "test"))) for n in (2000, 20_000))
    trees = fit_target(found, 2, learned, watched, numpy_stream(0, "test")).trees
    assert isinstance(trees, NumberTrees)
    best = nats(trees, found, 2, watched)
    assert best < nats(None, found, 2, watched)
    for at in range(3):
        for step in (-0.1, 0.1):
            trees.tilt[at] += step
            assert nats(trees, found, 2, watched) > best
            trees.tilt[at] -= step


@pytest.fixture(scope="module")
def by_default(frame: pd.DataFrame) -> SynthGAN:
    return SynthGAN(select=1, random_state=0).fit(frame)


@pytest.mark.slow
@pytest.mark.parametrize("scale", [0.0, 1.0])
def test_networks_have_a_say_where_it_helps(
    encoder: TableEncoder, frame: pd.DataFrame, by_default: SynthGAN, scale: float
) -> None:
    """Trees of 100 rows leave something to networks that have learned 3,000, but nothing to such as know nothing."""
    block = target_block(encoder.layout, "kind", N)
    assert block is not None
    rows, watched = encoder.encode(frame.head(100)), encoder.encode(table(300, numpy_stream(3, "test")))
    networks = copy.deepcopy(generator(by_default))
    for weight in networks.parameters():
        weight.data *= scale
    found = fit_target(networks, block, rows, watched, numpy_stream(0, "test")).trees
    assert found.tilt.tolist() == ([0.5, 0.5] if scale else [0.0, 1.0])
    assert found.reads_network == bool(scale)
    assert isinstance(found, ClassTrees)
    other = copy.deepcopy(found)
    other.tilt.copy_(torch.tensor([0.0, 1.0] if scale else [0.5, 0.5]))
    unseen = encoder.encode(table(2000, numpy_stream(4, "test")))
    assert nats(found, networks, block, unseen) < nats(other, networks, block, unseen)


def test_a_handful_of_watched_rows_does_not_decide() -> None:
    """Fifty of 450 rows say the contrary: all rows together tell how many trees there are, and how deep."""
    rng = numpy_stream(5, "test")
    x = rng.normal(size=(5450, 3))
    kind = rng.random(len(x)) < 1 / (1 + np.exp(-2 * x[:, 0] - x[:, 1]))
    kind[:50] = ~kind[:50]
    frame = pd.DataFrame(x, columns=list("abc")).assign(kind=np.where(kind, "yes", "no"))
    encoder = TableEncoder.fit(frame[:450], infer_schema(frame[:450]))
    rows, networks = encoder.encode(frame), untrained(CodeAxis(encoder.layout))
    watched, learned, unseen = (rows.take(slice(*ends)) for ends in ((0, 50), (50, 450), (450, None)))
    found = fit_target(networks, 3, learned, watched, numpy_stream(0, "test"))
    assert found.few
    assert found.by_trees.mean() > found.by_networks.mean()  # the fifty by trees that have not seen them
    assert len(found.trees.leaf) > 10
    assert found.trees.block.shape[1] == SHALLOW
    by_trees = nats(found.trees, networks, 3, unseen)
    assert by_trees < 0.85 * nats(None, networks, 3, unseen)


def test_networks_without_a_say_are_not_asked(flat: SynthGAN) -> None:
    """With a say they are, and change the shares: of two even guesses the product is the square root of either's."""
    trees = generator(flat).target
    assert trees is not None
    for network, wanted in ((0.0, np.array([0.6, 0.3, 0.1])), (0.5, np.sqrt([0.6, 0.3, 0.1]))):
        trees.tilt.copy_(torch.tensor([network, 1.0 - network]))
        shares = flat.sample(20_000, select=1, random_state=10)["y"].value_counts(normalize=True)
        np.testing.assert_allclose(shares[["p", "q", "r"]], wanted / wanted.sum(), atol=0.02)
    trees.tilt.copy_(torch.tensor([0.0, 1.0]))


@pytest.mark.parametrize("scale", [3, 10, 30])
def test_the_tilt_of_overconfident_networks_is_likelier_than_they_are(numbers: SynthGAN, scale: float) -> None:
    """A plain Newton step overshoots there, to powers a below 0."""
    found, encoder = copy.deepcopy(generator(numbers)), numbers.model_.encoder
    for member in found.members:
        member.head.weight.data *= scale
    learned, watched = (encoder.encode(bump(n, numpy_stream(n, "test"))) for n in (2000, 500))
    trees = fit_target(found, 2, learned, watched, numpy_stream(0, "test")).trees
    assert isinstance(trees, NumberTrees)
    assert nats(trees, found, 2, watched) < nats(None, found, 2, watched)
    assert -0.01 < float(trees.tilt[0]) < 1
    assert bool(trees.tilt.abs().max() < 100)


def test_derivatives_of_numbers_are_those_of_the_loss() -> None:
    stream = numpy_stream(22, "test")
    codes = stream.integers(0, 9, 20, dtype=np.uint8)
    learner = Numbers(codes, 9)
    learner.scores = stream.normal(size=(20, 1))
    slope, bend = learner.derivatives()
    step = np.zeros((20, 1))
    step[4] = 1e-4
    up, down = (10 * learner.loss(learner.scores + sign * step, codes) for sign in (1, -1))
    assert slope[0, 4] == pytest.approx((up - down) / 2e-4, abs=1e-6)
    assert bend.tolist() == [[1.0] * 20]
    means = [
        learner.base[codes[np.arange(20) % 3 == one]].sum() / (sum(np.arange(20) % 3 == one) + 10) for one in range(3)
    ]
    assert learner.order(np.arange(20) % 3, 3).tolist() == np.argsort(means).tolist()


def shares_by_sign(rows: pd.DataFrame) -> npt.NDArray[np.float64]:
    high = (rows["x"] * rows["y"] > 0.3).to_numpy()
    return np.array([np.mean(rows["kind"][where] == "high") for where in (high, ~high)])


def test_the_target_follows_the_rest_as_in_the_table(model: SynthGAN, trees: TargetTrees) -> None:
    """Also in one pass. So few steps of training leave pairs of x and y a little off, and with them the shares."""
    wanted = shares_by_sign(table(50_000, numpy_stream(7, "test")))
    for way in ({}, {"select": 1}, {"n_passes": 1}):
        found = shares_by_sign(model.sample(3000, random_state=1, **way))
        np.testing.assert_allclose(found, wanted, atol=0.12)


def test_draws_are_from_the_trees(model: SynthGAN, trees: TargetTrees) -> None:
    """The mean log-probability that the trees give their own draws is what they expect of it."""
    rows = model.sample(3000, select=1, random_state=2)
    found = generator(model)
    axis, coded = found.axis, rows_of(found.axis, model.model_.encoder.encode(rows))
    network = found.given_others(coded, trees.target)
    logs = log_softmax(trees(axis, coded, network).detach().double().numpy(), axis=1)
    code = (coded.codes[:, trees.target] - axis.offsets[trees.target]).numpy()
    expected, spread = (np.exp(logs) * logs).sum(axis=1), logs.std()
    assert logs[np.arange(3000), code].mean() == pytest.approx(expected.mean(), abs=5 * spread / 3000**0.5)


def test_given_targets_stay_and_the_others_follow_them(model: SynthGAN, frame: pd.DataFrame) -> None:
    counts = {"high": 900, "low": 600}
    rows = model.sample(class_counts=counts, random_state=3)
    assert rows["kind"].value_counts().to_dict() == counts
    for kind in counts:
        real, drawn = (np.mean(np.sign(one["x"] * one["y"])[one["kind"] == kind]) for one in (frame, rows))
        assert drawn == pytest.approx(real, abs=0.1)


def test_candidates_for_a_given_target_count_by_what_the_trees_say(model: SynthGAN, frame: pd.DataFrame) -> None:
    """Rows given a class are chosen so that the class fits them better than without the choice."""
    fits = [
        np.mean(rows["x"] * rows["y"] > 0.3)
        for select in (1, 8)
        for rows in [model.sample(2000, conditions={"kind": "high"}, select=select, random_state=4)]
    ]
    real = np.mean((frame["x"] * frame["y"] > 0.3)[frame["kind"] == "high"])
    assert abs(fits[1] - real) < abs(fits[0] - real) + 0.02
    assert abs(fits[1] - real) < 0.06


def test_holes_of_the_target_are_filled_by_the_trees(model: SynthGAN, frame: pd.DataFrame) -> None:
    holed = table(1500, numpy_stream(8, "test"))
    truth = holed["kind"].copy()
    holed["kind"] = None
    filled = model.impute(holed, random_state=0)
    # A draw hits the row's class with the sum of its squared shares: 0.874.
    assert np.mean(filled["kind"] == truth) == pytest.approx(0.874, abs=0.1)


def test_heads_are_the_same_with_trees(model: SynthGAN, numbers: SynthGAN) -> None:
    for one in (model, numbers):
        pd.testing.assert_frame_equal(one.sample(30, random_state=5), one.sample(700, random_state=5).head(30))


def test_numbers_are_drawn_from_networks_and_trees_whether_they_came_before_or_not(numbers: SynthGAN) -> None:
    """As with categories: the mean log-probability of what is drawn last, or again, is what is expected of it."""
    rows = numbers.sample(4096, select=1, random_state=2)
    found = generator(numbers)
    axis, trees = found.axis, found.target
    assert isinstance(trees, NumberTrees)
    coded = rows_of(axis, numbers.model_.encoder.encode(rows))
    logs = trees(axis, coded, found.given_others(coded, 2)).detach()
    logs = log_softmax(logs.double().numpy(), axis=1)
    drawn = logs[np.arange(len(rows)), (coded.codes[:, 2] - axis.offsets[2]).numpy()]
    expected = (np.exp(logs) * logs).sum(axis=1)
    stop = [0, *(batch[-1].stop for batch in batches(4096, first=True))]
    starts = np.array(stop[:-1])
    for start in (0, 1):  # every other batch
        own = np.concatenate([np.arange(at, stop[place + 1]) for place, at in enumerate(starts) if place % 2 == start])
        error = np.std(drawn[own] - expected[own]) / len(own) ** 0.5
        assert abs(np.mean(drawn[own] - expected[own])) < 4 * error
    assert r2(rows) > 0.5


def test_numbers_that_are_given_in_some_rows_are_drawn_in_the_others_alone(numbers: SynthGAN) -> None:
    """Rows whose z is given keep it, drawn twice or not; where it is not, it follows x and y."""
    whole = bump(2000, numpy_stream(21, "test"))
    holed = whole.copy()
    holed.loc[::2, "z"] = np.nan
    holed.loc[1::2, "x"] = np.nan
    filled = numbers.impute(holed, random_state=0)
    known = holed.notna()
    pd.testing.assert_frame_equal(filled[known], holed)
    assert r2(filled[::2]) > 0.4


def tell(model: SynthGAN, shares: dict[str, float]) -> None:
    """Have trees say how y is shared out whatever x, and nothing else say anything."""
    found, values = generator(model), pd.DataFrame({"x": "a", "y": list(shares)})
    for weight in found.parameters():
        weight.data.zero_()
    assert found.critic is not None
    found.critic.leaf.zero_()
    found.critic.margin.zero_()
    found.critic.share.zero_()  # not known: samples are not to have the shares of the table either
    found.target = ClassTrees(found.axis, 1, 1, 6)
    found.target.tilt.copy_(torch.tensor([0.0, 1.0]))
    codes = torch.from_numpy(model.model_.encoder.encode(values).codes[:, 1]).long()
    found.target.base[codes] = torch.tensor(list(shares.values())).log()


@pytest.fixture(scope="module")
def flat() -> SynthGAN:
    stream = numpy_stream(9, "test")
    frame = pd.DataFrame({"x": stream.choice(["a", "b"], 2500), "y": stream.choice(["p", "q", "r"], 2500)})
    model = SynthGAN(epochs=1, hidden_dim=8, random_state=0).fit(frame, target="y")
    tell(model, {"p": 0.6, "q": 0.3, "r": 0.1})
    return model


def test_a_restricted_target_counts_once(flat: SynthGAN) -> None:
    """The networks draw it evenly of the two that are allowed; the choice among candidates makes that 2 to 1."""
    for select, share in ((1, 1 / 2), (8, 2 / 3)):
        rows = flat.sample(20_000, conditions={"x": "a", "y": {"p", "q"}}, select=select, random_state=9)
        assert set(rows["y"]) == {"p", "q"}
        assert np.mean(rows["y"] == "p") == pytest.approx(share, abs=0.02)


def test_a_free_target_is_drawn_as_the_trees_say(flat: SynthGAN) -> None:
    for select in (1, 8):
        shares = flat.sample(20_000, select=select, random_state=10)["y"].value_counts(normalize=True)
        np.testing.assert_allclose(shares[["p", "q", "r"]], [0.6, 0.3, 0.1], atol=0.02)


@pytest.mark.parametrize("other", ["same", None])
def test_a_target_alone_in_its_table(other: object) -> None:
    frame = pd.DataFrame({"kind": ["a", "b", "c"] * 150, "other": other})
    assert len(SynthGAN(epochs=1, hidden_dim=8, random_state=0).fit(frame, target="kind").sample(7)) == 7


def test_a_resumed_fit_has_the_same_trees(frame: pd.DataFrame, tmp_path: Path) -> None:
    settings = {"epochs": 8, "hidden_dim": 8, "random_state": 0, "select": 1}
    whole = SynthGAN(**settings).fit(frame, target="kind")
    asked = {"target": "kind", "checkpoint": tmp_path, "checkpoint_every": 5}
    SynthGAN(**settings).fit(frame, **asked, stop=iter([False] * 12 + [True] * 99).__next__)
    again = SynthGAN(**settings).fit(frame, **asked, resume=True)
    pd.testing.assert_frame_equal(again.sample(300, random_state=1), whole.sample(300, random_state=1))


def test_an_interrupt_costs_only_the_trees(frame: pd.DataFrame, monkeypatch: pytest.MonkeyPatch) -> None:
    def interrupt(*_: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr("synthgan.synthesizers.targeted.fit_target", interrupt)
    found = SynthGAN(epochs=1, hidden_dim=8, random_state=0).fit(frame, target="kind")
    assert generator(found).target is None
    assert len(found.sample(7)) == 7


def test_a_target_that_follows_takes_few_trees() -> None:
    """Each tree tells it a little better, without end: there are enough when that is next to nothing."""
    stream = numpy_stream(3, "test")
    size = stream.integers(0, 7, 1500)
    frame = pd.DataFrame(
        {"size": size.astype(str), "x": stream.normal(size=1500), "name": np.array(list("abcdefg"))[size]}
    )
    encoder = TableEncoder.fit(frame, infer_schema(frame))
    table, axis = encoder.encode(frame), CodeAxis(encoder.layout)
    trees = fit_target(
        untrained(axis), 2, table.take(slice(300, None)), table.take(slice(300)), numpy_stream(0, "x")
    ).trees
    assert len(trees.leaf) < 150
    assert nats(trees, untrained(axis), 2, table.take(slice(300))) < 0.01


def test_seconds_are_kept(frame: pd.DataFrame) -> None:
    found = SynthGAN(epochs=10**6, hidden_dim=8, max_seconds=0.5, select=1, random_state=0).fit(frame, target="kind")
    assert len(found.sample(7)) == 7


def test_trees_that_ask_about_their_own_target_are_refused(model: SynthGAN, tmp_path: Path) -> None:
    path = tmp_path / "m.synthgan"
    model.save(path)
    manifest, state, weights = read_archive(path)
    weights["target.block"][0, 0] = manifest["generator"]["target"]
    rest = {key: value for key, value in manifest.items() if key not in ("kind", "format", "sha256", "digest")}
    write_archive(path, rest, state, weights)
    with pytest.raises(ArchiveError, match="target"):
        SynthGAN.load(path)


def test_a_file_of_before_has_what_trees_say_alone(model: SynthGAN, tmp_path: Path) -> None:
    path = tmp_path / "m.synthgan"
    model.save(path)
    manifest, state, weights = read_archive(path)
    del weights["target.tilt"]
    rest = {key: value for key, value in manifest.items() if key not in ("kind", "format", "sha256", "digest")}
    write_archive(path, rest, state, weights)
    found = generator(SynthGAN.load(path)).target
    assert found is not None
    assert found.tilt.tolist() == [0.0, 1.0]


def test_a_number_of_which_networks_say_nothing(numbers: SynthGAN) -> None:
    trees = generator(numbers).target
    assert trees is not None
    kept = trees.tilt.clone()
    trees.tilt[0] = 0.0
    assert len(numbers.sample(200, random_state=0)) == 200
    trees.tilt.copy_(kept)


def test_a_file_keeps_the_trees(model: SynthGAN, tmp_path: Path) -> None:
    path = tmp_path / "m.synthgan"
    model.save(path)
    again = SynthGAN.load(path)
    pd.testing.assert_frame_equal(again.sample(200, random_state=6), model.sample(200, random_state=6))


@pytest.mark.parametrize("target", [-1, 99, 1.0, "x", True, 0])
def test_a_target_out_of_range_is_refused(model: SynthGAN, tmp_path: Path, target: object) -> None:
    path = tmp_path / "m.synthgan"
    model.save(path)
    manifest, state, weights = read_archive(path)
    rest = {key: value for key, value in manifest.items() if key not in ("kind", "format", "sha256", "digest")}
    rest["generator"]["target"] = target
    write_archive(path, rest, state, weights)
    with pytest.raises(ArchiveError, match="target"):
        SynthGAN.load(path)


def test_without_a_target_there_are_no_trees(frame: pd.DataFrame) -> None:
    assert generator(SynthGAN(epochs=1, hidden_dim=8, random_state=0).fit(frame)).target is None
