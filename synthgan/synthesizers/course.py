"""The course of a fit: reports heard, checkpoints written, wishes to end it early obeyed."""

from __future__ import annotations

import logging
from collections.abc import Callable, Generator, Mapping
from typing import Any

from synthgan.errors import ConfigError
from synthgan.synthesizers.checkpoints import Checkpoints, Resumable
from synthgan.synthesizers.protocol import Callback
from synthgan.training import StepReport

__all__ = ["Course"]

logger = logging.getLogger(__name__)


class Course:
    """Whoever wants to know of a training while it runs, or may end it.

    Parameters
    ----------
    callback : callable or None
        Told of each report; returning True ends training.
    stop : callable or None
        Asked after each step; returning True ends training.
    log : callable
        Told of each report.
    checkpoints : Checkpoints or None
        Where to put the training down.

    Attributes
    ----------
    history : list of dict
        The reports, flat.
    interrupted : bool
        Whether training was ended early.
    """

    def __init__(
        self,
        callback: Callback | None,
        stop: Callable[[], bool] | None,
        log: Callable[[StepReport], None],
        checkpoints: Checkpoints | None,
    ) -> None:
        self._callback, self._stop, self._log, self._checkpoints = callback, stop, log, checkpoints
        self.history: list[dict[str, Any]] = []
        self.interrupted = False

    def follow(
        self,
        steps: Generator[StepReport | None] | Generator[StepReport],
        training: Resumable | None,
        about: Mapping[str, Any],
    ) -> None:
        """Train to the end, or until somebody ends it; `about` is the identity for checkpoints.

        Raises
        ------
        ConfigError
            When checkpoints are wanted of a training that cannot be put down.
        """
        try:
            if self._checkpoints is not None:
                if training is None:
                    raise ConfigError(f"{about['model']} cannot be put down and taken up again; leave out checkpoint")
                self.history += self._checkpoints.take_up(training, about)
            for report in steps:
                ended = self._heard(report)
                if self._checkpoints is not None and training is not None:
                    if ended or training.over or training.step % self._checkpoints.every == 0:
                        self._checkpoints.put_down(training, about, self.history)
                if ended:
                    self.interrupted = True
                    return
        except KeyboardInterrupt:
            self.interrupted = True
            step = self.history[-1]["step"] if self.history else 0
            logger.warning("interrupted after step %d; the best weights so far are kept", step)
        finally:
            steps.close()

    def _heard(self, report: StepReport | None) -> bool:
        """Pass a step on; returns whether somebody wants training to end."""
        ended = False
        if report is not None:
            self.history.append(report.flat())
            self._log(report)
            ended = self._callback is not None and bool(self._callback(report))
        return ended or (self._stop is not None and self._stop())
