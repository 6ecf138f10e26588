"""The page: self-contained, escaped, readable by machines, and small."""

from __future__ import annotations

import base64
import hashlib
import json
import re
import time
from html.parser import HTMLParser

import numpy as np
import pandas as pd
import pytest

from synthgan.evaluation import Comparison, EvaluationReport, evaluate
from synthgan.report import render_html, write_html

HOSTILE = "<script>alert('x')</script>"
VOID = {"meta", "link", "br", "hr", "img", "input"}


class Page(HTMLParser):
    """Collects elements and checks that every tag is closed in order."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.open: list[str] = []
        self.elements: list[tuple[str, dict[str, str | None]]] = []
        self.text: list[str] = []
        self.feed(text)
        self.close()
        assert self.open == []

    def handle_starttag(self, tag, attrs):
        self.elements.append((tag, dict(attrs)))
        if tag not in VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag, attrs):
        self.elements.append((tag, dict(attrs)))

    def handle_endtag(self, tag):
        assert self.open.pop() == tag

    def handle_data(self, data):
        self.text.append(data)

    def all(self, tag: str) -> list[dict[str, str | None]]:
        return [attributes for name, attributes in self.elements if name == tag]


def table(n_rows: int, seed: int, n_columns: int = 4) -> pd.DataFrame:
    rng = np.random.default_rng(seed)
    base = rng.normal(size=n_rows)
    out = {f"number {i}": base + rng.normal(size=n_rows) for i in range(n_columns // 2)}
    out |= {f"level {i}": rng.choice(["a", "b & c", HOSTILE], n_rows) for i in range(n_columns // 2)}
    return pd.DataFrame(out | {HOSTILE: base > 0, 'quo"te': rng.integers(0, 9, n_rows) * 1.5, "long" * 50: base})


@pytest.fixture(scope="module")
def report() -> EvaluationReport:
    return evaluate(table(300, 0), table(300, 1), holdout=table(300, 2), target=HOSTILE, profile="quick")


@pytest.fixture(scope="module")
def history() -> pd.DataFrame:
    step = np.arange(50)
    return pd.DataFrame({"step": step, "loss": np.exp(-step / 9), "fidelity <b>": step / 50, "phase": "adversarial"})


@pytest.fixture(scope="module")
def html(report, history) -> str:
    return render_html(report, history=history, title=f"Report on {HOSTILE}")


def test_a_leak_is_never_drawn_as_good() -> None:
    real, holdout = table(400, 1), table(400, 2)
    bars = {}
    for name, rows in {"copy": real, "fresh": table(400, 3)}.items():
        report = evaluate(real, rows, holdout=holdout, profile="quick")
        bars[name] = next(m for m in Page(render_html(report)).all("meter") if m["aria-label"] == "privacy score")
    assert float(bars["copy"]["value"]) < float(bars["copy"]["low"])
    assert float(bars["fresh"]["value"]) > float(bars["fresh"]["high"])


def test_every_section_is_there(html):
    page = Page(html)
    ids = [attributes["id"] for _, attributes in page.elements if "id" in attributes]
    assert len(ids) == len(set(ids))
    sections = [
        "verdict",
        "run",
        "columns",
        "pairs",
        "joint",
        "utility",
        "privacy",
        "coverage",
        "training",
        "definitions",
    ]
    assert [item for item in ids if item in sections] == sections
    links = [attributes["href"] for attributes in page.all("a")]
    assert links == ["#content", *(f"#{name}" for name in sections)]
    assert "no proof of privacy" in html


def test_nothing_is_loaded_and_nothing_runs(html):
    page = Page(html)
    assert [attributes["type"] for attributes in page.all("script")] == ["application/json"]
    assert not page.all("img")
    assert not page.all("iframe")
    assert [attributes["href"] for attributes in page.all("link")] == ["data:,"]
    for _, attributes in page.elements:
        assert "src" not in attributes
        assert "style" not in attributes
        assert not any(name.startswith("on") for name in attributes)
    assert re.search(r"https?://|url\(|@import", html) is None


def test_the_policy_allows_this_style_only(html):
    policy = next(a["content"] for a in Page(html).all("meta") if a.get("http-equiv") == "Content-Security-Policy")
    style = re.search(r"<style>(.*?)</style>", html, re.DOTALL).group(1)
    digest = base64.b64encode(hashlib.sha256(style.encode()).digest()).decode()
    assert f"style-src 'sha256-{digest}'" in policy
    assert policy.startswith("default-src 'none'")


def test_hostile_names_are_text(html):
    assert HOSTILE not in html
    assert "<b>" not in html
    assert f"Report on {HOSTILE}" in "".join(Page(html).text)


def test_the_results_are_embedded(html, report):
    embedded = re.search(r'<script type="application/json" id="results">(.*?)</script>', html, re.DOTALL).group(1)
    assert EvaluationReport.from_json(embedded) == report


def test_every_chart_is_described_and_has_its_data(html):
    page = Page(html)
    charts = [a for a in page.all("svg") if a.get("role") == "img"]
    assert len(charts) > 20
    ids = {attributes.get("id") for tag, attributes in page.elements if tag in ("title", "desc")}
    for chart in charts:
        title, description = chart["aria-labelledby"].split()
        assert {title, description} <= ids
    figures = html.count("<figure")
    assert html.count("<table") >= figures / 3
    for figure in re.findall(r"<figure>.*?</figure>", html, re.DOTALL):
        assert "<details>" in figure or "fuller colour" in figure  # the three maps share one table below


def test_figures_without_numbers_are_left_out(report):
    bare = evaluate(table(300, 0), table(300, 1), profile="quick")
    page = render_html(bare)
    assert 'id="training"' not in page
    assert 'id="reference"' not in page
    assert "No holdout rows were given" in page
    assert "not scored" in page
    Page(page)


def test_a_tiny_table_has_a_page():
    frame = pd.DataFrame({"x": [1.5, 2.5, 3.5, 2.5], "empty": np.nan})
    Page(render_html(evaluate(frame, frame[:3], holdout=frame, target="x", profile="quick")))


def test_candidates_are_drawn_side_by_side():
    real = table(300, 0)
    comparison = evaluate(real, {"ours": table(300, 1), HOSTILE: real}, profile="quick")
    html = render_html(comparison)
    text = "".join(Page(html).text)
    assert HOSTILE not in html
    assert HOSTILE in text
    assert "2 synthetic tables" in text
    embedded = re.search(r'id="results">(.*?)</script>', html, re.DOTALL).group(1)
    assert Comparison.from_json(embedded) == comparison


def scores(shapes: float) -> dict[str, object]:
    """Return what sdmetrics_scores would, without its seconds of work."""
    both = {"Column Shapes": shapes, "Column Pair Trends": 0.25}
    return {
        "version": "1.2.3",
        "all pairs": both | {"correlation threshold": 0, "association threshold": 0},
        "default thresholds": {"Column Shapes": shapes, "correlation threshold": 0.55, "association threshold": 0.35},
        "diagnostic": {"Data Validity": 0.875, "Data Structure": 1.0},
    }


def test_the_reference_stands_beside_our_scores(report):
    html = render_html(report, reference=scores(0.4321))
    text = " ".join("".join(Page(html).text).split())
    assert 'href="#reference"' in html
    assert "sdmetrics 1.2.3 beside our scores" in text
    assert "(both thresholds 0)" in text
    assert "correlation is at most 0.55 or whose real association is at most 0.35" in text
    row = re.search(r">Column Shapes</th>(.*?)</tr>", html).group(1)
    ours = report.metric("ColumnShapes")
    assert re.findall(r"\d\.\d{4}", row) == [f"{ours.value:.4f}", f"{ours.floor:.4f}", "0.4321", "0.4321"]
    row = re.search(r">Column Pair Trends</th>(.*?)</tr>", html).group(1)
    assert row.endswith('0.2500</td><td class="n"><span class="soft">none</span></td>')
    embedded = re.search(r'id="results">(.*?)</script>', html, re.DOTALL).group(1)
    assert json.loads(embedded)["sdmetrics"] == scores(0.4321)
    assert EvaluationReport.from_json(embedded) == report


def test_each_candidate_has_its_reference(report):
    comparison = Comparison({"ours": report, HOSTILE: report})
    html = render_html(comparison, reference={"ours": scores(0.1111), HOSTILE: scores(0.2222)})
    text = "".join(Page(html).text)
    assert HOSTILE not in html
    assert "ours: sdmetrics 1.2.3" in text
    assert f"{HOSTILE}: sdmetrics 1.2.3" in text
    assert html.count("0.1111") == html.count("0.2222") == 4  # two cells each, and twice in the JSON


def test_sixty_columns_stay_small_and_fast():
    report = evaluate(table(300, 0, 57), table(300, 1, 57), profile="quick")
    assert len(report.run["columns"]["numeric"]) + len(report.run["columns"]["categorical"]) >= 59
    started = time.process_time()
    html = render_html(report)
    assert time.process_time() - started < 2
    assert len(html.encode()) < 2_000_000


def test_a_page_is_written_whole(tmp_path, report, html, history):
    path = tmp_path / "report.html"
    write_html(report, path, history=history, title=f"Report on {HOSTILE}")
    assert path.read_text(encoding="utf-8") == html
    assert list(tmp_path.iterdir()) == [path]


def test_rendering_computes_nothing_that_is_not_in_the_json(report, history):
    again = EvaluationReport.from_json(json.dumps(report.to_dict()))
    assert render_html(again, history=history) == render_html(report, history=history)
