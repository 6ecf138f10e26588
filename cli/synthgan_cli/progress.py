"""The plan before training, and bars with the time left, on stderr."""

from __future__ import annotations

import time
from collections.abc import Iterable, Iterator
from types import TracebackType
from typing import TYPE_CHECKING, Any, Self

from synthgan_cli.console import Notes, stderr

if TYPE_CHECKING:
    import pandas as pd
    from rich.progress import Progress

    from synthgan.synthesizers import FitPlan
    from synthgan.training import Alarm, StepReport

__all__ = ["CountBar", "TrainingBar", "duration", "plan_text"]


def plan_text(plan: FitPlan, max_seconds: float | None) -> str:
    """Return what training will take, in one line."""
    limited = max_seconds is not None and max_seconds <= (plan.estimated_seconds or max_seconds)
    seconds = max_seconds if limited else plan.estimated_seconds
    more = f" (up to {plan.n_most:,} where they pay)" if plan.n_most > plan.n_steps else " at most"
    parts = [
        f"{plan.n_rows:,} rows x {plan.n_columns} columns",
        f"{plan.n_codes:,} codes wide",
        *([f"{n_members} generators"] if (n_members := plan.generator_config.n_members) > 1 else []),
        *(["stand-ins"] if plan.stand_ins else []),
        f"{plan.bytes_per_row} B a row",
        f"{plan.memory_bytes / 1e6:,.0f} MB of memory ({plan.peak_bytes / 1e6:,.0f} MB with the program and the table)",
        f"batches of {min(plan.batch_size, plan.n_rows):,} rows",
        f"{plan.n_steps:,} steps{more} on {plan.device}",
        *([] if seconds is None else [f"{'at most' if limited else 'about'} {duration(seconds)}"]),
    ]
    return "plan: " + ", ".join(parts)


def duration(seconds: float) -> str:
    """Write seconds for people.

    Examples
    --------
    >>> duration(4.2), duration(75), duration(3725)
    ('4 s', '1 min 15 s', '1 h 2 min')
    """
    whole = round(seconds)
    if whole < 60:
        return f"{whole} s"
    minutes, rest = divmod(whole, 60)
    if minutes < 60:
        return f"{minutes} min {rest} s" if rest else f"{minutes} min"
    return f"{minutes // 60} h {minutes % 60} min"


class _Bar:
    """A progress bar that draws only on a terminal."""

    def __init__(self, notes: Notes, description: str, total: float, *texts: str) -> None:
        self._progress: Progress | None = None
        if notes.live:
            from rich.progress import BarColumn, Progress, TaskProgressColumn, TextColumn, TimeRemainingColumn

            self._progress = Progress(
                TextColumn("{task.description}"),
                BarColumn(),
                TaskProgressColumn(),
                TimeRemainingColumn(),
                *(TextColumn(text) for text in texts),
                console=stderr(),
                transient=True,
            )
            self._task = self._progress.add_task(description, total=total, info="")

    def __enter__(self) -> Self:
        if self._progress:
            self._progress.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._progress:
            self._progress.stop()

    def _show(self, **values: Any) -> None:
        if self._progress:
            self._progress.update(self._task, **values)


class TrainingBar(_Bar):
    """Training, by the share of its steps or of its seconds that is gone, whichever is more."""

    def __init__(self, notes: Notes, max_seconds: float | None) -> None:
        super().__init__(notes, "encoding", 1.0, "{task.fields[info]}")
        self._max_seconds = max_seconds
        self._last: StepReport | None = None
        self._best: float | None = None
        self.alarms: list[Alarm] = []
        self._started = time.monotonic()

    def update(self, report: StepReport) -> None:
        """Take a report of the training loop."""
        self._last = report
        self.alarms += report.alarms
        if report.validation is not None and (self._best is None or report.validation < self._best):
            self._best = report.validation
        share = report.step / report.n_steps
        if self._max_seconds:
            share = max(share, report.seconds / self._max_seconds)
        losses = " ".join(f"{name} {value:.3f}" for name, value in report.losses.items())
        best = "" if self._best is None else f" held-out {self._best:.3f}"
        info = f"step {report.step:,}/{report.n_steps:,} {losses}{best}"
        self._show(completed=min(share, 1.0), description="training", info=info)

    def outcome(self) -> str:
        """Say how training went."""
        text = f"trained in {duration(time.monotonic() - self._started)}"
        if self._last is not None:
            text += f", {self._last.step:,} of {self._last.n_steps:,} steps"
        if self._best is not None:
            text += f", best held-out loss {self._best:.4f}"
        return text


class CountBar(_Bar):
    """Rows, folds or whatever is made so far."""

    def __init__(self, notes: Notes, description: str, total: int, unit: str) -> None:
        super().__init__(notes, description, total, f"{{task.completed:,.0f}}/{{task.total:,.0f}} {unit}")

    def reach(self, n: int) -> None:
        """Show that there are so many."""
        self._show(completed=n)

    def over(self, tables: Iterable[pd.DataFrame]) -> Iterator[pd.DataFrame]:
        """Count the rows of tables as they go by."""
        for table in tables:
            yield table
            self._show(advance=len(table))
