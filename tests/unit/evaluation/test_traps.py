"""The traps of synthetic-data evaluation: each one fools a usual score and must not fool ours."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from synthgan.errors import ConfigError, InputError
from synthgan.evaluation import EvaluationReport, evaluate, sdmetrics_scores
from synthgan.schema import infer_schema


@pytest.fixture(scope="module")
def fresh_report(real, holdout, fresh) -> EvaluationReport:
    return evaluate(real, fresh, holdout=holdout, target="churn", profile="quick")


@pytest.fixture(scope="module")
def copy_report(real, holdout) -> EvaluationReport:
    copies = real.sample(len(real), replace=True, random_state=0)
    return evaluate(real, copies, holdout=holdout, target="churn", profile="quick")


def value(report: EvaluationReport, name: str, *columns: str) -> float:
    found = report.metric(name, *columns).value
    assert found is not None, report.metric(name, *columns).note
    return found


def test_fresh_real_rows_get_full_marks(fresh_report):
    scores = {name: theme.score for name, theme in fresh_report.themes.items()}
    assert all(score is not None and score > 0.85 for score in scores.values()), scores
    assert "No leak found" in fresh_report.themes["privacy"].verdict


def test_shuffled_columns_have_perfect_shapes_and_no_fidelity(real, holdout, shuffle):
    report = evaluate(real, shuffle(real), holdout=holdout, target="churn", profile="quick")
    assert value(report, "ColumnShapes") == pytest.approx(1.0)
    assert value(report, "C2ST_AUC_holdout") > 0.9
    assert report.themes["fidelity"].score < 0.1
    assert report.themes["fidelity"].verdict.startswith("Poor")
    assert report.themes["utility"].score < 0.3


def test_sdmetrics_is_given_with_and_without_its_thresholds(real, shuffle):
    scores = sdmetrics_scores(real, shuffle(real))
    assert scores["all pairs"]["correlation threshold"] == scores["all pairs"]["association threshold"] == 0
    assert scores["default thresholds"]["correlation threshold"] == 0.5
    assert scores["default thresholds"]["association threshold"] == 0.3
    assert 0 < scores["all pairs"]["Column Pair Trends"] < 1
    assert scores["diagnostic"]["Data Structure"] == 1.0


def test_a_shifted_column_costs_its_mixed_pairs(real, holdout, fresh):
    report = evaluate(real, fresh.assign(x=fresh["x"] + 1000), holdout=holdout, profile="quick")
    assert value(report, "ContingencySimilarity", "x", "plan") < 0.3
    assert value(report, "CorrelationSimilarity", "x", "y") < 0.6
    assert report.themes["fidelity"].score < 0.05


def test_one_outlier_is_harmless(real, holdout, fresh, fresh_report):
    outlier = fresh.copy()
    outlier.loc[0, "x"] = 1e9
    report = evaluate(real, outlier, holdout=holdout, target="churn", profile="quick")
    for metric in fresh_report.metrics:
        if len(metric.columns) == 2:
            assert value(report, metric.name, *metric.columns) == pytest.approx(metric.value, abs=0.01), metric.columns
    assert report.themes["fidelity"].score == pytest.approx(fresh_report.themes["fidelity"].score, abs=0.05)


def test_a_copy_looks_fine_to_the_detector_and_is_called_unsafe(copy_report):
    assert value(copy_report, "C2ST_train") > value(copy_report, "C2ST_holdout")
    assert value(copy_report, "ExactCopies") == 1.0
    assert value(copy_report, "DCRShare") > 0.65
    assert copy_report.metric("DCRShare").low > 0.5
    assert copy_report.themes["privacy"].score < 0.1
    assert copy_report.themes["privacy"].verdict.startswith("Unsafe")


def test_the_attacks_find_the_copied_rows_and_not_the_fresh_ones(copy_report, fresh_report):
    for name in ("MembershipDistance", "AttributeInference"):
        assert copy_report.metric(name).low > copy_report.metric(name).ceiling, name
        assert fresh_report.metric(name).low <= fresh_report.metric(name).ceiling, name
    assert value(copy_report, "MembershipTPR_1%") > 0.2


def test_unequal_references_do_not_look_like_a_leak(make_table):
    real, holdout, fresh = make_table(3000, 4), make_table(350, 5), make_table(600, 6)
    metric = evaluate(real, fresh, holdout=holdout, profile="quick").metric("DCRShare")
    assert metric.low <= 0.5 <= metric.high
    assert "350 real and 350 holdout" in metric.note


def test_ten_per_cent_of_copies_are_detected(real, holdout, fresh):
    planted = pd.concat([fresh[50:], real[:50]])
    report = evaluate(real, planted, holdout=holdout, profile="quick")
    assert value(report, "ExactCopies") == pytest.approx(0.1)
    assert report.themes["privacy"].verdict.startswith("Unsafe")


@pytest.mark.parametrize("side", ["real", "synthetic", "holdout"])
def test_a_level_on_one_side_only_crashes_nothing(real, holdout, fresh, side):
    frames = {"real": real.copy(), "synthetic": fresh.copy(), "holdout": holdout.copy()}
    for name, level in (("plan", "enterprise"), ("churn", "perhaps")):
        frames[side].loc[frames[side].index[:20], name] = level
    report = evaluate(frames["real"], frames["synthetic"], holdout=frames["holdout"], target="churn", profile="quick")
    expected = 0.0 if side == "holdout" else 20 / 500
    share = 1 - value(report, "TVComplement", "plan")
    assert share >= expected
    failed = {m.name for m in report.headline if m.failed}
    assert failed <= {"MembershipTPR_0.1%", "RarestClass"}  # these need a thousand rows, or fifty of the class


def test_numbers_and_their_text_are_one_level():
    rng = np.random.default_rng(0)
    grade, x = rng.integers(1, 4, 300), rng.normal(size=300)
    real = pd.DataFrame({"grade": pd.Categorical(grade), "x": x})
    for written in (grade.astype(str), grade.astype(float), pd.Series(grade).astype(object)):
        report = evaluate(real, pd.DataFrame({"grade": written, "x": x}), profile="quick")
        assert value(report, "TVComplement", "grade") == 1.0
        assert value(report, "ExactCopies") == 1.0


def test_order_of_rows_and_columns_changes_nothing(real, holdout, fresh, fresh_report):
    turned = [
        frame.sample(frac=1, random_state=seed)[frame.columns[::-1]]
        for seed, frame in enumerate((real, fresh, holdout))
    ]
    report = evaluate(turned[0], turned[1], holdout=turned[2], target="churn", profile="quick")
    left, right = fresh_report.to_dict(), report.to_dict()
    assert left["metrics"] == right["metrics"]
    assert left["themes"] == right["themes"]
    assert left["details"] == right["details"]
    assert left["run"]["data_hash"] == right["run"]["data_hash"]


def test_the_seed_hardly_matters(real, holdout, fresh, fresh_report):
    report = evaluate(real, fresh, holdout=holdout, target="churn", profile="quick", random_state=7)
    for name in ("ColumnShapes", "PairTrends", "ExactCopies"):
        assert value(report, name) == pytest.approx(value(fresh_report, name), abs=0.005)
    assert value(report, "C2ST_AUC_holdout") == pytest.approx(value(fresh_report, "C2ST_AUC_holdout"), abs=0.06)


def test_the_same_call_gives_the_same_report(real, holdout, fresh, fresh_report):
    state = np.random.get_state()[1].copy()  # noqa: NPY002 - it must stay as it is
    again = evaluate(real, fresh, holdout=holdout, target="churn", profile="quick")
    assert again.metrics == fresh_report.metrics
    assert (np.random.get_state()[1] == state).all()  # noqa: NPY002


def test_awkward_columns_are_judged(real, holdout, fresh):
    def awkward(frame: pd.DataFrame, start: int) -> pd.DataFrame:
        n = len(frame)
        return frame.assign(
            who=[f"user-{start + i:06d}" for i in range(n)],
            constant=7,
            empty=np.nan,
            whole=np.arange(n) % 5,
        )

    a, b, c = awkward(real, 0), awkward(fresh, 10_000)[:400], awkward(holdout, 20_000)[:300]
    b = b.assign(whole=b["whole"].astype(float))
    report = evaluate(a, b, holdout=c, profile="quick")
    assert value(report, "IdReuse", "who") == 0.0
    assert report.run["columns"]["left out (ids, text)"] == ["who"]
    assert value(report, "TVComplement", "constant") == 1.0
    assert value(report, "TVComplement", "empty") == 1.0
    assert report.themes["fidelity"].score > 0.7


def test_a_target_of_one_class_fails_alone_and_says_why(real, holdout, fresh):
    report = evaluate(
        real.assign(churn="no"),
        fresh.assign(churn="no"),
        holdout=holdout.assign(churn="no"),
        target="churn",
        profile="quick",
    )
    metric = report.metric("TSTR_boosted_trees")
    assert metric.failed
    assert "churn" in metric.note
    assert report.themes["utility"].score is None
    assert report.themes["fidelity"].score is not None
    assert "failed" in report.summary()


def test_a_synthetic_target_of_one_class_is_chance(real, holdout, fresh):
    report = evaluate(real, fresh.assign(churn="no"), holdout=holdout, target="churn", profile="quick")
    assert value(report, "TSTR_boosted_trees") == 0.5
    assert report.themes["utility"].score < 0.1


def test_a_collapsed_generator_covers_little(real, holdout):
    modes = real[real["plan"] == "free"][:20]
    report = evaluate(real, pd.concat([modes] * 40, ignore_index=True), holdout=holdout, profile="quick")
    assert value(report, "DuplicateRate") > 0.9
    assert value(report, "CategoryCoverage", "plan") == pytest.approx(1 / 3)
    assert report.themes["coverage"].score < 0.2


def test_hostile_names_and_levels_are_judged(real, holdout, fresh):
    hostile = {
        "x": "<script>alert(1)</script>",
        "plan": "q\"uo'te",
        "y": "w" * 200,
        "since": "📅 | pipe",
        "amount": " ",
    }
    a, b, c = (frame.rename(columns=hostile) for frame in (real, fresh, holdout))
    report = evaluate(a, b, holdout=c, profile="quick")
    assert value(report, "KSComplement", "<script>alert(1)</script>") > 0.9
    assert EvaluationReport.from_json(report.to_json()) == report
    assert "<script>" not in report._repr_html_()


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda f: pd.concat([f, f[["x"]]], axis=1), "repeats"),
        (lambda f: f.drop(columns="x"), "lacks"),
        (lambda f: f.assign(more=1), "drop them"),
        (lambda f: f[:1], "2 rows"),
        (lambda f: f["x"].tolist(), "must be a table"),
    ],
)
def test_tables_that_cannot_be_judged_are_refused(real, fresh, change, message):
    with pytest.raises(InputError, match=message):
        evaluate(real, change(fresh), profile="quick")


def test_unknown_target_and_profile_are_refused(real, fresh):
    with pytest.raises(InputError, match="'income' is not a column"):
        evaluate(real, fresh, target="income")
    with pytest.raises(ConfigError, match="full"):
        evaluate(real, fresh, profile="slow")


def test_without_holdout_privacy_is_not_scored_but_copies_are_named(real, fresh):
    report = evaluate(real, fresh, target="churn", profile="quick")
    assert report.themes["privacy"].score is None
    assert "holdout" in report.themes["privacy"].verdict
    assert report.metric("DCRShare").failed
    assert report.themes["fidelity"].score > 0.7
    copied = evaluate(real, real, profile="quick")
    assert copied.themes["privacy"].verdict.startswith("Unsafe")


def test_tiny_tables_crash_nothing(real, holdout, fresh):
    report = evaluate(real[:8], fresh[:5], holdout=holdout[:4], target="churn", profile="quick")
    assert report.metric("C2ST_train").failed
    assert value(report, "ColumnShapes") > 0


def test_other_frames_are_taken(real, fresh):
    import pyarrow as pa

    report = evaluate(pa.Table.from_pandas(real), pa.Table.from_pandas(fresh), profile="quick")
    assert value(report, "ColumnShapes") > 0.9


def test_copies_with_a_little_noise_are_found_by_distance(real, holdout):
    rng = np.random.default_rng(0)
    noisy = real.assign(x=real["x"] + rng.normal(0, 0.02, 500), y=real["y"] + rng.normal(0, 0.02, 500))
    report = evaluate(real, noisy, holdout=holdout, profile="quick")
    assert value(report, "ExactCopies") == 0.0
    assert value(report, "DCRShare") > 0.7
    assert report.themes["privacy"].verdict.startswith("Unsafe")


def test_numbers_at_the_end_of_the_float_range_are_judged(real, holdout, fresh):
    a, b, c = (frame.assign(x=frame["x"] * 1e307, y=frame["y"] * 1e-307) for frame in (real, fresh, holdout))
    report = evaluate(a, b, holdout=c, profile="quick")
    assert value(report, "CorrelationSimilarity", "x", "y") > 0.95
    assert report.themes["fidelity"].score > 0.7


def test_a_single_column_is_judged(real, holdout, fresh):
    report = evaluate(real[["x"]], fresh[["x"]], holdout=holdout[["x"]], profile="quick")
    assert report.metric("PairTrends").failed
    assert report.themes["fidelity"].score > 0.7


def test_a_target_without_a_value_and_labels_that_are_numbers(real, holdout, fresh):
    a, b, c = (frame.assign(churn=np.nan).set_axis(range(6), axis=1) for frame in (real, fresh, holdout))
    report = evaluate(a, b, holdout=c, target=5, profile="quick")
    assert report.metric("RarestClass").failed
    assert report.metric("TSTR_linear_model").failed
    assert value(report, "KSComplement", 0) > 0.9
    assert EvaluationReport.from_json(report.to_json()) == report


def test_a_declared_schema_decides_what_a_column_is(real, fresh):
    coded = [frame.assign(plan=frame["plan"].map({"free": 10, "basic": 20, "pro": 35})) for frame in (real, fresh)]
    guessed = infer_schema(coded[0], overrides={"plan": "numeric"})
    assert value(evaluate(*coded, schema=guessed, profile="quick"), "KSComplement", "plan") > 0.9
    declared = infer_schema(coded[0], overrides={"plan": "categorical"})
    assert value(evaluate(*coded, schema=declared, profile="quick"), "TVComplement", "plan") > 0.9


def test_a_leak_is_named_by_its_size(real, holdout, fresh):
    few = evaluate(real, pd.concat([fresh[20:], real[:20]]), holdout=holdout, profile="quick")
    assert few.themes["privacy"].verdict.startswith("Traces of real rows. ExactCopies is 0.040")
