"""From metrics to verdicts: each theme is as good as the weakest of its headline metrics.

Scores are ``(value - floor) / (ceiling - floor)``: 0 is a table with nothing joint in it (for privacy: a copy of the
real rows), 1 is real rows. Themes are never blended into one number, and no metric is averaged away inside one.
"""

from __future__ import annotations

from collections.abc import Sequence

from synthgan.evaluation.estimate import Z95
from synthgan.evaluation.result import Metric, Theme
from synthgan.schema.table import ColumnName

__all__ = ["TRACES", "UNSAFE", "leaks", "make_themes"]

# Shuffled columns reach the ceiling of these, so what they are scaled from is 0.
MARGINAL = ("ColumnShapes", "CategoryCoverage", "RangeCoverage", "EntropyRatio", "RarestClass")
FIDELITY = ("ColumnShapes", "PairTrends", "C2ST_holdout")
COVERAGE = (
    "CategoryCoverage",
    "RangeCoverage",
    "EntropyRatio",
    "BetaRecall",
    "Coverage",
    "DuplicateRate",
    "RarestClass",
)
PRIVACY = (
    "ExactCopies",
    "DCRShare",
    "MembershipDistance",
    "MembershipDensity",
    "SinglingOut",
    "AttributeInference",
)
NOT_PROOF = (
    "This is no proof of privacy: only a differential-privacy guarantee bounds what can be learnt about a person."
)
# A one-sided alarm at 1 in 40 for six tests together (Bonferroni).
ALARM_Z = 2.64
# A leak beyond chance but under a twentieth of what a copy of the real rows leaks is called by a milder name.
SMALL_LEAK = 0.95
TRACES, UNSAFE = "Traces of real rows", "Unsafe: real rows shine through"

WORDS = ((0.95, "as good as real rows"), (0.8, "close to real"), (0.5, "fair"), (0.2, "weak"), (0.0, "poor"))


def make_themes(metrics: Sequence[Metric], target: ColumnName | None, has_holdout: bool) -> dict[str, Theme]:
    """Return the verdict of each theme.

    Parameters
    ----------
    metrics : sequence of Metric
    target : column name or None
    has_holdout : bool
    """
    whole = {metric.name: metric for metric in metrics if not metric.columns}
    detector = "C2ST_holdout" if has_holdout else "C2ST_train"
    fidelity = [detector if name == "C2ST_holdout" else name for name in FIDELITY]
    utility = [name for name in whole if name.startswith("TSTR_")]
    return {
        "fidelity": _weakest(whole, fidelity, "Fidelity could not be measured"),
        "utility": _weakest(
            whole, utility, "Not measured: name a target column" if target is None else "The models could not be scored"
        ),
        "privacy": _privacy(whole, has_holdout),
        "coverage": _weakest(whole, COVERAGE, "Coverage could not be measured"),
    }


def _weakest(whole: dict[str, Metric], names: Sequence[str], otherwise: str) -> Theme:
    scores = {}
    for name in names:
        if name in whole:
            scaled = whole[name].scaled(0.0 if name in MARGINAL else None)
            if scaled is not None:
                scores[name] = scaled
    failed = [name for name in names if name in whole and whole[name].failed]
    missing = f" Could not be computed: {', '.join(failed)}." if failed else ""
    if not scores:
        return Theme(None, otherwise + "." + missing)
    name = min(scores, key=lambda key: scores[key])
    score, metric = scores[name], whole[name]
    text = f"{_word(score).capitalize()}: {name} is {metric.value:.3f}, real rows get {metric.ceiling:.3f}"
    # The floor is worth a word only where shuffled columns set it.
    text += "." if name in MARGINAL or name == "DuplicateRate" else f", shuffled columns {metric.floor:.3f}."
    return Theme(score, text + missing, name)


def _word(score: float) -> str:
    return next(word for least, word in WORDS if score >= least)


def leaks(whole: dict[str, Metric]) -> list[Metric]:
    """Return the privacy metrics that are worse than their control by more than chance."""
    out = []
    for name in PRIVACY:
        metric = whole.get(name)
        if (
            metric is None
            or metric.value is None
            or metric.ceiling is None
            or metric.low is None
            or metric.high is None
        ):
            continue
        spread = max(metric.high - metric.value, metric.value - metric.low) / Z95  # one side may be cut at 0 or 1
        if metric.value - metric.ceiling > ALARM_Z * spread:
            out.append(metric)
    return out


def _privacy(whole: dict[str, Metric], has_holdout: bool) -> Theme:
    found = leaks(whole)
    told = "; ".join(f"{metric.name} is {metric.value:.3f}, its control {metric.ceiling:.3f}" for metric in found)
    scores = {name: scaled for name in PRIVACY if name in whole and (scaled := whole[name].scaled()) is not None}
    worst = min(scores, key=lambda key: scores[key]) if scores else None
    if found:
        leaked = [score for metric in found if (score := metric.scaled()) is not None]
        small = bool(leaked) and min(leaked) >= SMALL_LEAK
        word = TRACES if small else UNSAFE
        return Theme(scores[worst] if worst else None, f"{word}. {told}.", worst)
    if not has_holdout:
        return Theme(
            None, f"Not measured: it needs holdout rows that the generator never saw. No excess of copies. {NOT_PROOF}"
        )
    if worst is None:
        return Theme(None, f"None of the tests could be computed. {NOT_PROOF}")
    return Theme(scores[worst], f"No leak found by {len(scores)} tests. {NOT_PROOF}", worst)
