"""How good a setting is: rows drawn by a model fitted on part of the table, held against the other part."""

from __future__ import annotations

import dataclasses
import math
import time
from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
import pandas as pd
from sklearn.base import clone

from synthgan.errors import DivergedError, InputError
from synthgan.evaluation.detection import detect
from synthgan.evaluation.frames import make_tables
from synthgan.rng import numpy_stream
from synthgan.schema import ColumnName, Schema
from synthgan.synthesizers.base import TableSynthesizer
from synthgan.training import StepReport

__all__ = ["Attempt", "Judge"]

HELD_OUT = 1 / 3
MIN_ROWS = 60
N_SAMPLES = 2
MAX_ROWS = 5000
N_TREES = 50
N_LOOKS = 20


@dataclasses.dataclass(frozen=True, slots=True)
class Attempt:
    """One fit and what became of it.

    Parameters
    ----------
    score : float or None
        None when it was given up or failed.
    curve : tuple of (share, score)
        As in `TrialResult`.
    seconds : float
    state : str
        ``"complete"``, ``"pruned"``, ``"failed"``, or ``"interrupted"`` by Ctrl-C.
    note : str
    """

    score: float | None
    curve: tuple[tuple[float, float], ...]
    seconds: float
    state: str
    note: str = ""


class Judge:
    """Fits a synthesizer on two thirds of a table and scores its rows on the last third.

    The score is `synthgan.evaluate`'s C2ST_holdout, the mean of two samples: 1 cannot be told from real rows, 0 always
    can. Copying the rows that were fitted does not help, for it is other rows that they are compared with.

    Parameters
    ----------
    frame : DataFrame
    schema : Schema
    target : column name or None
    seed : int
        The split, the samples and the models' seeds follow from it, so settings are compared on the same draws.

    Raises
    ------
    InputError
        For a table of fewer than 60 rows.
    """

    def __init__(self, frame: pd.DataFrame, schema: Schema, target: ColumnName | None, seed: int) -> None:
        if len(frame) < MIN_ROWS:
            raise InputError(
                f"tuning holds a third of the rows out, so it needs at least {MIN_ROWS}; there are {len(frame)}"
            )
        order = numpy_stream(seed, "tuning/split").permutation(len(frame))
        cut = round(len(frame) * (1 - HELD_OUT))
        self.train = frame.iloc[np.sort(order[:cut])].reset_index(drop=True)
        self.holdout = frame.iloc[np.sort(order[cut:])].reset_index(drop=True)
        self.schema, self.target, self.seed = schema, target, seed

    def fingerprint(self) -> str:
        """Return a hash of the rows and how they are split."""
        tables = make_tables(self.train, self.train, self.holdout, self.schema)
        sides = [tables.real.keys, tables.holdout.keys] if tables.holdout else [tables.real.keys]
        return "-".join(f"{int(np.add.reduce(keys, dtype=np.uint64)):016x}" for keys in sides)

    def attempt(
        self,
        model: TableSynthesizer,
        settings: Mapping[str, Any],
        number: int,
        give_up: Callable[[int, float], bool] | None = None,
        deadline: float = math.inf,
    ) -> Attempt:
        """Fit with `settings` and score.

        Parameters
        ----------
        model : synthesizer
            Gives what `settings` do not.
        settings : mapping of str to plain values
        number : int
            Which seed: 0 the tuning's own, 1 the next, ...
        give_up : callable, optional
            Told of the looks at held-out rows while training runs, about 20 times: which, and the score there (more is
            better); returning True ends it.
        deadline : float
            By `time.monotonic`; training that is not done by then is given up.
        """
        began = time.monotonic()
        curve: list[tuple[float, float]] = []
        verdict: list[str] = []

        def watch(report: StepReport) -> bool:
            if time.monotonic() > deadline:
                verdict.append("out of time")
            elif report.validation is not None and math.isfinite(report.validation):
                share = min(report.step / report.n_steps, 1.0)
                look = int(N_LOOKS * share)
                if not curve or look > int(N_LOOKS * curve[-1][0]):
                    curve.append((round(share, 4), round(-report.validation, 6)))
                    if give_up is not None and give_up(look, -report.validation):
                        verdict.append("worse than the others so far")
            return bool(verdict)

        def over(state: str, score: float | None = None, note: str = "") -> Attempt:
            return Attempt(score, tuple(curve), round(time.monotonic() - began, 2), state, note)

        try:
            tried = clone(model).set_params(**settings, random_state=(self.seed + number) % 2**32)
            tried.fit(self.train, schema=self.schema, target=self.target, callback=watch)
            if verdict:
                return over("pruned", note=verdict[0])
            if tried.interrupted_:
                return over("interrupted")
            return over("complete", round(self._score(tried, number), 6))
        except DivergedError as error:
            return over("failed", note=str(error))

    def _score(self, model: TableSynthesizer, number: int) -> float:
        scores = []
        for k in range(N_SAMPLES):
            rows = model.sample(len(self.train), random_state=N_SAMPLES * number + k)
            tables = make_tables(self.train, rows, self.holdout, self.schema)
            held = tables.holdout if tables.holdout is not None else tables.real
            found = detect(tables, held, tables.synthetic, max_rows=MAX_ROWS, n_trees=N_TREES, seed=self.seed)
            scores.append(found.score)
        return float(np.mean(scores))
