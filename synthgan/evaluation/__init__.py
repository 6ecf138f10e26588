"""Judge any synthetic table, knowing nothing of the model that made it."""

from synthgan.evaluation.evaluate import evaluate
from synthgan.evaluation.result import Comparison, EvaluationReport, Metric, Theme

__all__ = ["Comparison", "EvaluationReport", "Metric", "Theme", "evaluate"]
