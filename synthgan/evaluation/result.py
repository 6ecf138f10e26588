"""What an evaluation says: metrics with their companions, themes with a verdict, and the report that holds both."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from typing import Any, ClassVar, Self

from synthgan.errors import InputError
from synthgan.evaluation import texts
from synthgan.evaluation.document import JsonDocument
from synthgan.schema.table import ColumnName

__all__ = ["THEMES", "EvaluationReport", "Metric", "Theme"]

THEMES = ("fidelity", "utility", "privacy", "coverage")


@dataclasses.dataclass(frozen=True, slots=True)
class Metric:
    """One number and what it has to be read beside.

    Parameters
    ----------
    name : str
        The metric, as `synthgan.evaluation.definitions` defines it.
    columns : tuple of column names
        The columns it is about; empty for the whole table.
    value : float or None
        None when it could not be computed; `note` says why.
    ceiling : float or None
        What a perfect generator gets: real rows against real rows, or the formula for samples of these sizes.
    floor : float or None
        What a table without any joint structure gets (each real column shuffled on its own). For privacy metrics: what
        a copy of the real rows gets.
    low, high : float or None
        A 95 % interval for `value`, to be held against `ceiling`: where the ceiling was measured its error is in it.
    note : str
        The reason of a failure, or how to read the number.
    """

    name: str
    columns: tuple[ColumnName, ...] = ()
    value: float | None = None
    ceiling: float | None = None
    floor: float | None = None
    low: float | None = None
    high: float | None = None
    note: str = ""

    @property
    def failed(self) -> bool:
        """Whether the metric could not be computed."""
        return self.value is None

    def scaled(self, floor: float | None = None) -> float | None:
        """Return ``(value - floor) / (ceiling - floor)`` clipped to [0, 1]: 1 is as good as real rows.

        Parameters
        ----------
        floor : float, optional
            Taken in place of the metric's own floor.

        Returns
        -------
        float or None
            None when a part is missing, or ceiling and floor are too close to tell anything: nearer than 0.02 or than
            the interval is wide.

        Examples
        --------
        >>> Metric("TSTR", value=0.75, ceiling=1.0, floor=0.5).scaled()
        0.5
        """
        floor = self.floor if floor is None else floor
        if self.value is None or self.ceiling is None or floor is None:
            return None
        width = 0.0 if self.low is None or self.high is None else self.high - self.low
        if abs(self.ceiling - floor) < max(0.02, width):
            return None
        return min(1.0, max(0.0, (self.value - floor) / (self.ceiling - floor)))

    def to_dict(self) -> dict[str, Any]:
        """Return a JSON-ready dict."""
        return dataclasses.asdict(self) | {"columns": list(self.columns)}

    @classmethod
    def from_dict(cls, data: Mapping[str, Any]) -> Metric:
        """Rebuild a metric from `to_dict`'s output."""
        return cls(**{**data, "columns": tuple(data["columns"])})


@dataclasses.dataclass(frozen=True, slots=True)
class Theme:
    """The answer to one question about the table.

    Parameters
    ----------
    score : float or None
        In [0, 1]: the weakest of the theme's headline metrics, scaled so that 0 is the floor and 1 the ceiling. None
        when it was not measured.
    verdict : str
        The answer in words.
    metric : str or None
        The metric that set the score.
    """

    score: float | None
    verdict: str
    metric: str | None = None


@dataclasses.dataclass(frozen=True)
class EvaluationReport(JsonDocument):
    """How good a synthetic table is.

    Parameters
    ----------
    themes : dict of str to Theme
        ``fidelity``, ``utility``, ``privacy`` and ``coverage``. They are never blended into one score.
    metrics : tuple of Metric
        Every number, the failed ones too.
    run : dict
        The run card: rows, columns, data hashes, seed, profile, versions, seconds, and what was subsampled.
    details : dict
        What the charts draw, as plain lists: no real row, no count under 5.
    """

    kind: ClassVar[str] = "evaluation report"

    themes: dict[str, Theme]
    metrics: tuple[Metric, ...]
    run: dict[str, Any]
    details: dict[str, Any]

    def metric(self, name: str, *columns: ColumnName) -> Metric:
        """Return the metric of that name about these columns.

        Raises
        ------
        InputError
            When there is none.
        """
        for metric in self.metrics:
            if metric.name == name and metric.columns == columns:
                return metric
        known = sorted({metric.name for metric in self.metrics if not metric.columns})
        raise InputError(
            f"no metric {name!r} about {list(columns) or 'the whole table'} in this report; it has {known}"
        )

    @property
    def headline(self) -> list[Metric]:
        """The metrics about the whole table."""
        return [metric for metric in self.metrics if not metric.columns]

    def _parts(self) -> dict[str, Any]:
        return {
            "themes": {name: dataclasses.asdict(theme) for name, theme in self.themes.items()},
            "metrics": [metric.to_dict() for metric in self.metrics],
            "run": self.run,
            "details": self.details,
        }

    @classmethod
    def _from_parts(cls, data: Mapping[str, Any]) -> Self:
        return cls(
            themes={name: Theme(**theme) for name, theme in data["themes"].items()},
            metrics=tuple(Metric.from_dict(metric) for metric in data["metrics"]),
            run=dict(data["run"]),
            details=dict(data["details"]),
        )

    def summary(self) -> str:
        """Return the report as plain text for a terminal: verdicts, then the table-wide metrics."""
        return texts.summary(self)

    def to_markdown(self) -> str:
        """Return the report as Markdown for a pull request."""
        return texts.markdown(self)

    def _repr_html_(self) -> str:
        """Return the verdicts and table-wide metrics as two small HTML tables, for notebooks."""
        return texts.html(self)
