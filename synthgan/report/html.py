"""One self-contained HTML page from an evaluation report: lays out and draws, computes nothing."""

from __future__ import annotations

import base64
import functools
import hashlib
import json
import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import jinja2
import pandas as pd
from markupsafe import Markup

from synthgan.evaluation.comparison import Comparison
from synthgan.evaluation.definitions import DEFINITIONS
from synthgan.evaluation.gain import GainReport
from synthgan.evaluation.result import EvaluationReport
from synthgan.io import atomic_write
from synthgan.report import sections
from synthgan.report.gain import gain_page

__all__ = ["render_gain_html", "render_html", "render_page", "write_gain_html", "write_html"]


def render_html(
    report: EvaluationReport | Comparison,
    *,
    history: pd.DataFrame | None = None,
    reference: Mapping[str, Any] | None = None,
    gain: GainReport | None = None,
    title: str | None = None,
) -> str:
    """Return the report as one HTML page that loads nothing and runs no script.

    Parameters
    ----------
    report : EvaluationReport or Comparison
    history : DataFrame, optional
        Training curves: one row a record; a column ``step``, ``epoch`` or ``seconds`` is the horizontal axis, every
        other numeric column a chart. A comparison has no place for them.
    reference : dict, optional
        What `sdmetrics_scores` said of the same tables, to be shown beside our scores; for a comparison one such dict
        for each candidate, by its name.
    gain : GainReport, optional
        What the rows do for classifiers: a section of the page about one table.
    title : str, optional

    Returns
    -------
    str
        HTML5; colour scheme, width and print are left to the reader's device.
    """
    # The page carries its own numbers as JSON: the report's, and the reference's beside them.
    data = report.to_dict() | ({} if reference is None else {"sdmetrics": reference})
    data |= {} if gain is None else {"gain": gain.to_dict()}
    if isinstance(report, Comparison):
        values = sections.comparison(report, reference)
        return render_page("comparison.html.j2", title or "Synthetic tables side by side", data, values)
    values = sections.single(report, history, reference, gain)
    return render_page("single.html.j2", title or "How good is this synthetic table?", data, values)


def write_html(
    report: EvaluationReport | Comparison,
    path: str | os.PathLike[str],
    *,
    history: pd.DataFrame | None = None,
    reference: Mapping[str, Any] | None = None,
    gain: GainReport | None = None,
    title: str | None = None,
) -> None:
    """Write `render_html`'s page to `path`, whole or not at all."""
    page = render_html(report, history=history, reference=reference, gain=gain, title=title)
    with atomic_write(Path(path)) as file:
        file.write(page.encode())


def render_gain_html(report: GainReport, *, title: str | None = None) -> str:
    """Return a gain report as one HTML page that loads nothing and runs no script.

    Parameters
    ----------
    report : GainReport
    title : str, optional
    """
    return render_page("gain.html.j2", title or "Do generated rows help?", report.to_dict(), gain_page(report))


def write_gain_html(report: GainReport, path: str | os.PathLike[str], *, title: str | None = None) -> None:
    """Write `render_gain_html`'s page to `path`, whole or not at all."""
    page = render_gain_html(report, title=title)
    with atomic_write(Path(path)) as file:
        file.write(page.encode())


@functools.cache
def _environment() -> jinja2.Environment:
    return jinja2.Environment(
        loader=jinja2.PackageLoader("synthgan.report"),
        autoescape=True,
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
    )


def render_page(template: str, title: str, data: Mapping[str, Any], values: Mapping[str, Any]) -> str:
    """Return a template of this room filled with `values`, its style under a strict policy and `data` embedded."""
    environment = _environment()
    style = (environment.loader.get_source(environment, "style.css")[0]).strip()  # type: ignore[union-attr]
    digest = base64.b64encode(hashlib.sha256(style.encode()).digest()).decode()
    # Inside a script element only "<" could end it early or open a comment.
    embedded = json.dumps(data, allow_nan=False, ensure_ascii=False)
    embedded = embedded.replace("<", "\\u003c").replace(">", "\\u003e").replace("&", "\\u0026")
    return environment.get_template(template).render(
        title=title,
        style=Markup(style),
        style_hash=Markup(f"sha256-{digest}"),
        embedded=Markup(embedded),
        definitions=DEFINITIONS,
        **values,
    )
