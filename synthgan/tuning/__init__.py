"""Find the settings of a synthesizer that suit a table (needs ``synthgan[tune]``)."""

from synthgan.tuning.config import read_config, write_config
from synthgan.tuning.result import TrialResult, TuningResult
from synthgan.tuning.space import Choice, Range, default_space
from synthgan.tuning.tune import tune

__all__ = [
    "Choice",
    "Range",
    "TrialResult",
    "TuningResult",
    "default_space",
    "read_config",
    "tune",
    "write_config",
]
