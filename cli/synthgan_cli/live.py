"""Training curves in the terminal, redrawn while training runs."""

from __future__ import annotations

import math
from collections.abc import Sequence
from types import TracebackType
from typing import TYPE_CHECKING, Self

from synthgan_cli.console import Notes, stderr
from synthgan_cli.progress import TrainingBar

if TYPE_CHECKING:
    from rich.console import RenderableType

    from synthgan.training import StepReport

__all__ = ["LiveCurves", "braille"]

# Bits of a braille character, by row and column of its 4 x 2 dots.
DOTS = ((0x01, 0x08), (0x02, 0x10), (0x04, 0x20), (0x40, 0x80))
HEIGHT = 6
# What is drawn, and how it is called; whatever has not been reported is left out.
CURVES = {
    "likelihood": "loss: likelihood",
    "discriminator": "loss: discriminator",
    "generator": "loss: generator",
    "reconstruction": "loss: reconstruction",
    "divergence": "loss: divergence",
    "validation": "held-out score (less is better)",
    "fidelity": "fidelity to rows held out",
    "discriminator_accuracy": "discriminator's accuracy (.5: cannot tell)",
    "mode_coverage": "groups of rows reached",
}


def braille(points: Sequence[tuple[float, float]], width: int, height: int) -> list[str]:
    """Draw points as lines of braille characters, `height` lines of `width` characters.

    Parameters
    ----------
    points : sequence of (x, y)
        In order of x; those that are not finite are left out.
    width, height : int
        Characters, each of which has two by four dots.

    Examples
    --------
    >>> braille([(0, 0), (1, 1), (2, 2), (3, 3)], 2, 1)
    ['⡠⠊']
    """
    known = [(x, y) for x, y in points if math.isfinite(x) and math.isfinite(y)]
    cells = [[0] * width for _ in range(height)]
    if known:
        left, right = known[0][0], known[-1][0]
        low, high = min(y for _, y in known), max(y for _, y in known)
        for x, y in known:
            column = round((x - left) / ((right - left) or 1) * (2 * width - 1))
            row = round((high - y) / ((high - low) or 1) * (4 * height - 1))
            cells[row // 4][column // 2] |= DOTS[row % 4][column % 2]
    return ["".join(chr(0x2800 + cell) for cell in line) for line in cells]


class LiveCurves(TrainingBar):
    """The bar of `TrainingBar` under the curves of losses, fidelity and balance."""

    def __init__(self, notes: Notes, max_seconds: float | None) -> None:
        super().__init__(notes, max_seconds)
        self._curves: dict[str, list[tuple[float, float]]] = {}
        self._live = None
        if self._progress is None:
            notes.say("--live draws on a terminal only; this is none")
            return
        from rich.live import Live

        self._live = Live(console=stderr(), auto_refresh=False, transient=False, vertical_overflow="crop")

    def __enter__(self) -> Self:
        if self._live:
            self._live.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._live:
            self._live.stop()

    def update(self, report: StepReport) -> None:
        """Take a report of the training loop."""
        super().update(report)
        metrics = report.metrics()
        for name in CURVES:
            if name in metrics:
                self._curves.setdefault(name, []).append((float(report.step), metrics[name]))
        if self._live:
            self._live.update(self._drawn(), refresh=True)

    def _drawn(self) -> RenderableType:
        from rich.columns import Columns
        from rich.console import Group
        from rich.panel import Panel
        from rich.text import Text

        across = 2 if stderr().width >= 72 else 1
        width = max(stderr().width // across - 6, 16)
        panels = [
            Panel(
                Text("\n".join(braille(points, width, HEIGHT))),
                title=f"{CURVES[name]}: {points[-1][1]:.3f}",
                title_align="left",
                width=width + 4,
            )
            for name, points in self._curves.items()
        ]
        alarms = [Text(f"{alarm.name}: {alarm.advice}", style="yellow") for alarm in self.alarms]
        progress = [] if self._progress is None else [self._progress]
        return Group(Columns(panels), *alarms, *progress)
