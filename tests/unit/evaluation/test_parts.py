"""The judge's parts against closed forms, naive references and the libraries they must agree with."""

from __future__ import annotations

import itertools

import numpy as np
import pandas as pd
import pytest
from scipy.stats import ks_2samp
from sklearn.metrics import roc_auc_score

from synthgan.evaluation.associations import correlation_similarity, cramers_v
from synthgan.evaluation.bins import decile_edges
from synthgan.evaluation.boosting import auc
from synthgan.evaluation.collapse import _range_coverage
from synthgan.evaluation.detection import detect, null_spread
from synthgan.evaluation.frames import make_tables
from synthgan.evaluation.geometry import _knn_radius, alpha_beta, density_coverage
from synthgan.evaluation.marginals import expected_ks, expected_tv, ks_complement, tv_complement
from synthgan.evaluation.neighbours import Space, nearest
from synthgan.evaluation.privacy import dcr_share


@pytest.fixture
def rng() -> np.random.Generator:
    return np.random.default_rng(0)


def test_shapes_and_trends_agree_with_sdmetrics(real, fresh):
    from sdmetrics.column_pairs import CorrelationSimilarity
    from sdmetrics.single_column import KSComplement, TVComplement

    tables = make_tables(real, fresh)
    for name in ("x", "y", "amount"):
        ours = ks_complement(tables.column(tables.real, name), tables.column(tables.synthetic, name)).value
        assert ours == pytest.approx(KSComplement.compute(real[name], fresh[name]), abs=1e-12)
    for name in ("plan", "churn"):
        ours = tv_complement(tables.column(tables.real, name), tables.column(tables.synthetic, name)).value
        assert ours == pytest.approx(TVComplement.compute(real[name], fresh[name]), abs=1e-12)
    for x, y in itertools.combinations(("x", "y", "amount"), 2):
        ours = correlation_similarity((real[x], real[y]), (fresh[x], fresh[y]))[0].value
        assert ours == pytest.approx(CorrelationSimilarity.compute(real[[x, y]], fresh[[x, y]]), abs=1e-12)


def test_ks_is_scipys_and_ignores_missing(rng):
    a, b = rng.normal(size=300), rng.normal(0.3, 1.2, size=170)
    with_missing = np.append(b, [np.nan] * 30)
    assert ks_complement(a, with_missing).value == pytest.approx(1 - ks_2samp(a, b).statistic, abs=1e-12)
    assert ks_complement(a, np.full(5, np.nan)).value == 0.0


@pytest.mark.parametrize("draw", ["continuous", "rounded", "zeros"])
def test_the_ks_ceiling_is_what_real_samples_reach(rng, draw):
    def sample(n: int) -> np.ndarray:
        x = rng.normal(size=n)
        return {"continuous": x, "rounded": np.round(x), "zeros": np.where(x > 1, x, 0.0)}[draw]

    seen = [1 - ks_complement(sample(400), sample(300)).value for _ in range(300)]
    expected = np.mean([expected_ks(np.sort(sample(400)), 300) for _ in range(5)])
    assert expected == pytest.approx(np.mean(seen), rel=0.1)


@pytest.mark.parametrize("n_levels", [2, 10, 400])
def test_the_tv_ceiling_is_what_real_samples_reach(rng, n_levels):
    p = rng.dirichlet(np.ones(n_levels))
    seen = [0.5 * np.abs(rng.multinomial(300, p) / 300 - rng.multinomial(500, p) / 500).sum() for _ in range(400)]
    assert expected_tv(p, 300, 500) == pytest.approx(np.mean(seen), rel=0.06)


@pytest.mark.parametrize(("n_levels", "error"), [(5, 0.012), (400, 0.012), (3000, 0.07)])
def test_the_ceiling_of_a_sparse_table_counts_what_was_not_seen(rng, n_levels, error):
    p = rng.dirichlet(np.ones(n_levels))
    seen, expected = [], []
    for _ in range(40):
        estimate = tv_complement(rng.choice(n_levels, 500, p=p), rng.choice(n_levels, 500, p=p))
        seen.append(estimate.value)
        expected.append(estimate.ceiling)
    assert np.mean(expected) == pytest.approx(np.mean(seen), abs=error)  # shares as counted: 0.3 off with 3000 levels


@pytest.mark.parametrize("shift", [0.0, 0.5])
def test_spreads_are_those_of_repeated_samples(rng, shift):
    found = [ks_complement(rng.normal(size=400), rng.normal(shift, size=400)) for _ in range(300)]
    assert np.mean([e.spread for e in found]) == pytest.approx(np.std([e.value for e in found]), rel=0.35)
    p, q = np.array([0.5, 0.3, 0.2]), np.array([0.5, 0.3, 0.2]) + shift * np.array([0.2, -0.1, -0.1])
    found = [tv_complement(rng.choice(3, 400, p=p), rng.choice(3, 400, p=q)) for _ in range(300)]
    assert np.mean([e.spread for e in found]) == pytest.approx(np.std([e.value for e in found]), rel=0.35)


def test_auc_and_its_spread(rng):
    y = rng.random(400) < 0.3
    score = np.round(rng.normal(size=400) + y, 1)  # with ties
    value, influence = auc(y, score)
    assert value == pytest.approx(roc_auc_score(y, score), abs=1e-12)
    again = []
    for _ in range(300):
        index = rng.integers(0, 400, 400)
        again.append(roc_auc_score(y[index], score[index]))
    assert influence.std() / 20 == pytest.approx(np.std(again), rel=0.2)


def test_the_null_spread_is_that_of_mann_and_whitney(rng):
    y = np.repeat([True, False], [40, 60])
    values = [auc(y, rng.normal(size=100))[0] for _ in range(1000)]
    assert null_spread(40, 60) == pytest.approx(np.std(values), rel=0.1)


def test_the_detector_is_at_chance_on_one_source_and_certain_on_two(make_table):
    tables = make_tables(make_table(600, 1), make_table(600, 2), make_table(600, 3))
    same = detect(tables, tables.holdout, tables.synthetic, max_rows=600, n_trees=30, seed=0)
    assert abs(same.auc - 0.5) < 4 * null_spread(600, 600)
    shuffled = tables.real.shuffled(np.random.default_rng(0))
    other = detect(tables, tables.real, shuffled, max_rows=600, n_trees=30, seed=0, importance=True)
    assert other.auc > 0.9
    assert max(other.importance, key=other.importance.__getitem__) in ("x", "y", "since")


def test_small_tables_are_divided_into_folds_again_and_again(make_table):
    tables = make_tables(make_table(40, 1), make_table(40, 2))

    def spread(min_scored):
        found = [
            detect(tables, tables.real, tables.synthetic, max_rows=40, n_trees=5, seed=seed, min_scored=min_scored).auc
            for seed in range(0, 700, 100)
        ]
        return np.std(found)

    assert spread(min_scored=8 * 80) < 0.6 * spread(min_scored=0)


def test_columns_of_thousands_of_levels_can_be_told_apart(rng):
    n = 3000
    real = pd.DataFrame({"tail": [f"N{i}" for i in rng.integers(0, 400, n)], "x": rng.normal(size=n)})
    other = pd.DataFrame({"tail": [f"N{i}" for i in rng.integers(0, 800, n)], "x": rng.normal(size=n)})
    schema_free = make_tables(real, other)
    assert schema_free.categorical == ("tail",)
    found = detect(schema_free, schema_free.real, schema_free.synthetic, max_rows=n, n_trees=30, seed=0)
    assert found.auc > 0.7


def test_bins_come_from_the_real_column_and_a_spike_has_its_own(rng):
    values = np.where(rng.random(1000) < 0.95, 0.0, rng.exponential(size=1000))
    edges = decile_edges(values)
    shares = np.bincount(np.searchsorted(edges, values, side="right")) / 1000
    assert len(edges) >= 4
    assert shares[0] == pytest.approx(np.mean(values == 0))
    assert len(decile_edges(np.full(10, np.nan))) == 0
    assert len(decile_edges(np.full(10, 3.0))) == 0


def test_correlation_of_a_constant_column(rng):
    x, constant = rng.normal(size=50), np.full(50, 0.1)
    assert correlation_similarity((x, constant), (x, x)) is None
    assert correlation_similarity((x, x), (x, constant))[0].value == pytest.approx(0.5)


def test_cramers_v_of_the_extremes():
    assert cramers_v(np.eye(3) / 3) == pytest.approx(1.0)
    assert cramers_v(np.outer([0.2, 0.8], [0.5, 0.5])) == pytest.approx(0.0, abs=1e-7)
    assert cramers_v(np.array([[0.4, 0.6]])) == 0.0


def test_nearest_neighbours_are_those_of_a_double_loop(real, fresh):
    tables = make_tables(real, fresh)
    space = Space(tables)
    queries, references = space.points(tables.synthetic.take(np.arange(40))), space.points(tables.real)
    distances, positions = nearest(queries, references, k=3)
    gaps = np.array(
        [
            [
                np.abs(queries.numbers[:, i] - references.numbers[:, j]).sum()
                + (queries.codes[:, i] != references.codes[:, j]).sum()
                for j in range(len(references))
            ]
            for i in range(40)
        ]
    )
    assert np.allclose(distances, np.sort(gaps, axis=1)[:, :3], atol=1e-5)
    assert np.allclose(np.take_along_axis(gaps, positions, axis=1), distances, atol=1e-5)
    with pytest.raises(ValueError, match="as many reference rows"):
        nearest(queries, references, k=501)


def test_dcr_share_of_a_leak_and_of_none(make_table):
    tables = make_tables(make_table(1500, 1), make_table(1500, 2), make_table(1500, 3))
    space = Space(tables)
    real, fresh, holdout = (space.points(rows) for rows in (tables.real, tables.synthetic, tables.holdout))

    def share(queries):
        (da, ia), (db, ib) = nearest(queries, real), nearest(queries, holdout)
        return dcr_share(da[:, 0], db[:, 0], ia[:, 0], ib[:, 0])

    value, spread = share(fresh)
    assert abs(value - 0.5) < 3 * spread
    assert share(real)[0] > 0.99
    assert share(holdout)[0] < 0.01


def test_geometry_of_the_same_of_a_mode_and_of_noise(rng):
    real, same = rng.normal(size=(400, 3)), rng.normal(size=(400, 3))
    radius = _knn_radius(real)
    alpha, beta = (value for value, _ in alpha_beta(real, same))
    density, coverage = (value for value, _ in density_coverage(real, same, radius))
    assert alpha > 0.9
    assert beta > 0.85
    assert density == pytest.approx(1.0, abs=0.15)
    assert coverage > 0.9
    mode = 0.05 * rng.normal(size=(400, 3))
    assert alpha_beta(real, mode)[0][0] < 0.3
    assert density_coverage(real, mode, radius)[1][0] < 0.2
    far = real + 100
    assert alpha_beta(real, far)[0][0] == pytest.approx(0.0, abs=0.05)
    assert density_coverage(real, far, radius) == [(0.0, 0.0), (0.0, 0.0)]


def test_density_and_coverage_are_those_of_a_double_loop(rng):
    real, synthetic = rng.normal(size=(60, 2)), rng.normal(0.5, 1, size=(50, 2))
    gaps = np.sqrt(((real[:, None] - real) ** 2).sum(axis=2))
    radius = np.sort(gaps, axis=1)[:, 5]
    assert np.allclose(_knn_radius(real), radius)
    inside = np.sqrt(((real[:, None] - synthetic) ** 2).sum(axis=2)) <= radius[:, None]
    (density, _), (coverage, _) = density_coverage(real, synthetic, radius)
    assert density == pytest.approx(inside.sum(axis=0).mean() / 5)
    assert coverage == pytest.approx(inside.any(axis=1).mean())


def test_range_coverage(rng):
    real = np.linspace(0, 100, 1001)
    assert _range_coverage(real, real) == 1.0
    assert _range_coverage(real, np.array([25.0, 75.0])) == pytest.approx(50 / 98)
    assert _range_coverage(real, np.array([np.nan])) == 0.0
    assert _range_coverage(np.array([np.nan]), real) is None


@pytest.mark.parametrize("zone", [None, "Europe/Berlin"])
def test_datetimes_agree_whatever_their_form(zone):
    times = pd.Series(pd.date_range("2021-01-01", periods=50, freq="7h", tz=zone))
    text = times.astype(str)
    x = np.arange(50.0)
    tables = make_tables(pd.DataFrame({"t": times, "x": x}), pd.DataFrame({"t": text, "x": x}))
    assert tables.datetimes == {"t"}
    assert (tables.real.keys == tables.synthetic.keys).all()


def test_infinity_and_unreadable_numbers_count_as_missing():
    real = pd.DataFrame({"x": np.arange(40.0) ** 1.5, "y": np.arange(40.0) * 1.1})
    odd = real.astype(object)
    odd.loc[0, "x"], odd.loc[1, "x"] = np.inf, "n/a"
    tables = make_tables(real, odd)
    assert np.isnan(tables.synthetic.numbers[:, tables.numeric.index("x")]).sum() == 2
