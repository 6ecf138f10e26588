"""Judge any synthetic table, knowing nothing of the model that made it."""

from synthgan.evaluation.comparison import Comparison
from synthgan.evaluation.evaluate import evaluate
from synthgan.evaluation.reference import sdmetrics_scores
from synthgan.evaluation.result import EvaluationReport, Metric, Theme

__all__ = ["Comparison", "EvaluationReport", "Metric", "Theme", "evaluate", "sdmetrics_scores"]
