"""What a gain measurement found: scores of every arm, differences with intervals, and a verdict in three words."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping, Sequence
from typing import Any, ClassVar, Self

from synthgan.errors import InputError
from synthgan.evaluation import gaintexts
from synthgan.evaluation.document import JsonDocument
from synthgan.evaluation.paired import against_best, corrected_difference, holm

__all__ = ["CANDIDATE", "CONTROL", "GAIN", "HARM", "METRICS", "NO_EVIDENCE", "Finding", "GainReport", "conclude"]

CANDIDATE = "generated rows"
"""The arm that is judged; the others are its cheap rivals."""

CONTROL = "labelled independent columns"
"""The arm that has the same labels without a generator. It is no rival: the difference from it is what the generator's
part of a gain is."""

GAIN, NO_EVIDENCE, HARM = "gain", "no evidence of gain", "harm"
ALPHA = 0.025  # on each side

METRICS = {
    "average_precision": 1,
    "log_loss": -1,
    "roc_auc": 1,
    "brier": -1,
    "calibration_error": -1,
    "f1": 1,
    "balanced_accuracy": 1,
    "f1_at_half": 1,
    "balanced_accuracy_at_half": 1,
}
"""Every score, and whether more (1) or less (-1) of it is better."""

PRIMARY = "average_precision"
"""The score that the overall verdict goes by, named before anything is measured."""


@dataclasses.dataclass(frozen=True, slots=True)
class Finding:
    """The answer for one learner, one metric and one size of the training rows.

    Parameters
    ----------
    n_rows : int
        Rows learned from.
    learner, metric : str
    verdict : str
        ``"gain"``: better than every cheap arm, Holm-corrected over the learners at 2.5 %. ``"harm"``: worse than no
        augmentation, likewise. Else ``"no evidence of gain"``.
    difference, low, high : float or None
        From the best cheap arm, with its 95 % interval; above 0 is better, whatever the metric. None with fewer than
        two folds.
    baseline : str
        The cheap arm that scored best.
    p_gain : float
        Holm-adjusted one-sided p-value of "not better than every cheap arm".
    none_difference, none_low, none_high : float or None
        The same from no augmentation.
    p_harm : float
        Holm-adjusted one-sided p-value of "not worse than no augmentation".
    control_difference, control_low, control_high : float or None
        The same from rows whose columns are drawn independently and labelled as the generated ones are: what is left is
        the generator's own merit. None when that was not measured.
    """

    n_rows: int
    learner: str
    metric: str
    verdict: str
    difference: float | None
    low: float | None
    high: float | None
    baseline: str
    p_gain: float
    none_difference: float | None
    none_low: float | None
    none_high: float | None
    p_harm: float
    control_difference: float | None = None
    control_low: float | None = None
    control_high: float | None = None


@dataclasses.dataclass(frozen=True)
class GainReport(JsonDocument):
    """The answer to "did adding generated rows help?", with all that it rests on.

    Parameters
    ----------
    verdict : str
        ``"gain"``, ``"no evidence of gain"`` or ``"harm"``: by average precision at the largest number of rows. Gain
        (or harm) means for at least one learner, and harm (or gain) for none.
    findings : tuple of Finding
    scores : tuple of dict
        ``n_rows, learner, arm, metric, mean, values``: one value a fold.
    chosen : tuple of dict
        ``n_rows, learner, recipes``: what the validation rows of each fold chose to generate.
    run : dict
        The run card.
    """

    kind: ClassVar[str] = "gain report"

    verdict: str
    findings: tuple[Finding, ...]
    scores: tuple[dict[str, Any], ...]
    chosen: tuple[dict[str, Any], ...]
    run: dict[str, Any]

    def finding(self, learner: str, metric: str = PRIMARY, n_rows: int | None = None) -> Finding:
        """Return the finding of that learner and metric; by default at the largest number of rows.

        Raises
        ------
        InputError
            When there is none.
        """
        n_rows = self.sizes[-1] if n_rows is None else n_rows
        for found in self.findings:
            if (found.learner, found.metric, found.n_rows) == (learner, metric, n_rows):
                return found
        raise InputError(
            f"no finding about {learner!r}, {metric!r} at {n_rows} rows; there are "
            f"{sorted({f.learner for f in self.findings})}, {list(METRICS)} and {self.sizes}"
        )

    @property
    def sizes(self) -> list[int]:
        """The numbers of rows learned from, ascending."""
        return sorted({found.n_rows for found in self.findings})

    def _parts(self) -> dict[str, Any]:
        return {
            "verdict": self.verdict,
            "findings": [dataclasses.asdict(found) for found in self.findings],
            "scores": list(self.scores),
            "chosen": list(self.chosen),
            "run": self.run,
        }

    @classmethod
    def _from_parts(cls, data: Mapping[str, Any]) -> Self:
        return cls(
            verdict=str(data["verdict"]),
            findings=tuple(Finding(**found) for found in data["findings"]),
            scores=tuple(dict(row) for row in data["scores"]),
            chosen=tuple(dict(row) for row in data["chosen"]),
            run=dict(data["run"]),
        )

    def summary(self) -> str:
        """Return the report as plain text."""
        return gaintexts.summary(self)

    def _repr_html_(self) -> str:
        """Return the findings as an HTML table, for notebooks."""
        return gaintexts.html(self)


def conclude(folds: Sequence[Mapping[str, Any]], arms: Sequence[str], run: Mapping[str, Any]) -> GainReport:
    """Draw the conclusions from finished folds.

    Parameters
    ----------
    folds : sequence of dict
        Each with ``n_rows, rows_learned, rows_tested, scores[learner][arm][metric], chosen[learner]``.
    arms : sequence of str
        The cheap arms; the first is no augmentation.
    run : dict
        The run card; ``rows`` is the number of rows that the folds were drawn from.
    """
    findings: list[Finding] = []
    scores: list[dict[str, Any]] = []
    chosen: list[dict[str, Any]] = []
    groups: dict[Any, list[Mapping[str, Any]]] = {}
    for fold in folds:
        groups.setdefault(fold["n_rows"], []).append(fold)
    for group in sorted(groups.values(), key=_size):
        size, share = _size(group), max(fold["rows_tested"] for fold in group) / run["rows"]
        learners = list(group[0]["scores"])
        chosen += [
            {"n_rows": size, "learner": learner, "recipes": [fold["chosen"][learner] for fold in group]}
            for learner in learners
        ]
        for metric in METRICS:
            values = {learner: _values(group, learner, metric) for learner in learners}
            scores += [
                {"n_rows": size, "learner": learner, "arm": arm, "metric": metric, "mean": sum(v) / len(v), "values": v}
                for learner, by_arm in values.items()
                for arm, v in by_arm.items()
            ]
            findings += _find(size, metric, values, arms, share)
    return GainReport(_verdict(findings), tuple(findings), tuple(scores), tuple(chosen), dict(run))


def _size(group: Sequence[Mapping[str, Any]]) -> int:
    return round(sum(int(fold["rows_learned"]) for fold in group) / len(group))


def _values(group: Sequence[Mapping[str, Any]], learner: str, metric: str) -> dict[str, list[float]]:
    """Return arm -> one value a fold, for the arms that every fold has."""
    names = [arm for arm in group[0]["scores"][learner] if all(arm in fold["scores"][learner] for fold in group)]
    return {arm: [float(fold["scores"][learner][arm][metric]) for fold in group] for arm in names}


def _find(
    size: int, metric: str, values: Mapping[str, Mapping[str, list[float]]], arms: Sequence[str], share: float
) -> list[Finding]:
    found: list[dict[str, Any]] = []
    for learner, by_arm in values.items():
        sign, ours = METRICS[metric], by_arm[CANDIDATE]
        differences = {
            arm: [sign * (a - b) for a, b in zip(ours, by_arm[arm], strict=True)] for arm in arms if arm in by_arm
        }
        rivals = {arm: values for arm, values in differences.items() if arm != CONTROL}
        if len(ours) < 2:
            found.append(_unknown(learner, rivals))
            continue
        baseline, best = against_best(rivals, share)
        none = corrected_difference(rivals[arms[0]], share)
        found.append(
            {"learner": learner, "difference": best.mean, "low": best.low, "high": best.high, "baseline": baseline}
            | {"p_gain": best.p_better, "p_harm": none.p_worse}
            | {"none_difference": none.mean, "none_low": none.low, "none_high": none.high}
        )
        if CONTROL in differences:
            own = corrected_difference(differences[CONTROL], share)
            found[-1] |= {"control_difference": own.mean, "control_low": own.low, "control_high": own.high}
    for key in ("p_gain", "p_harm"):
        for row, adjusted in zip(found, holm([row[key] for row in found]), strict=True):
            row[key] = adjusted
    return [Finding(n_rows=size, metric=metric, verdict=_word(row["p_gain"], row["p_harm"]), **row) for row in found]


def _unknown(learner: str, rivals: Mapping[str, Sequence[float]]) -> dict[str, Any]:
    nothing = dict.fromkeys(("difference", "low", "high", "none_difference", "none_low", "none_high"))
    closest = min(rivals, key=lambda arm: sum(rivals[arm]))
    return nothing | {"learner": learner, "baseline": closest, "p_gain": 1.0, "p_harm": 1.0}


def _word(p_gain: float, p_harm: float) -> str:
    return GAIN if p_gain <= ALPHA else HARM if p_harm <= ALPHA else NO_EVIDENCE


def _verdict(findings: Sequence[Finding]) -> str:
    largest = max(found.n_rows for found in findings)
    words = {found.verdict for found in findings if found.metric == PRIMARY and found.n_rows == largest}
    if GAIN in words and HARM not in words:
        return GAIN
    return HARM if HARM in words and GAIN not in words else NO_EVIDENCE
