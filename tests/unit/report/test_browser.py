"""The page in a real browser: silent console, no request, no serious accessibility violation, at any width.

Needs Debian's ``chromium``; the accessibility check also axe-core (``npm install --no-save axe-core`` in the checkout,
or the path of axe.min.js in the environment variable AXE_CORE).
"""

from __future__ import annotations

import functools
import html as html_text
import json
import os
import re
import shutil
import subprocess
import threading
from collections.abc import Iterator
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from synthgan.evaluation import evaluate
from synthgan.report import write_html

BROWSER = next(
    (path for name in ("chromium", "chromium-browser", "google-chrome") if (path := shutil.which(name))), None
)
AXE = Path(os.environ.get("AXE_CORE", Path(__file__).parents[3] / "node_modules/axe-core/axe.min.js"))
OPTIONS = [
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-dev-shm-usage",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--no-first-run",
    "--enable-logging=stderr",
    "--virtual-time-budget=30000",
    "--dump-dom",
]
DARK = "--blink-settings=preferredColorScheme=0"

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(BROWSER is None, reason="no chromium on this machine: apt-get install chromium"),
]


class Site:
    """A folder served to the browser, and what was asked of it."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.asked: list[str] = []
        site = self

        class Handler(SimpleHTTPRequestHandler):
            def log_message(self, *args: object) -> None:
                site.asked.append(self.path)

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), functools.partial(Handler, directory=str(folder)))
        threading.Thread(target=self.server.serve_forever, daemon=True).start()

    def open(self, page: str, *options: str) -> tuple[str, str]:
        """Return the page's DOM after loading and what the browser logged."""
        url = f"http://127.0.0.1:{self.server.server_port}/{page}"
        profile = f"--user-data-dir={self.folder / 'profile'}"
        done = subprocess.run([BROWSER, *OPTIONS, profile, *options, url], capture_output=True, text=True, timeout=120)
        assert done.returncode == 0, done.stderr
        return done.stdout, done.stderr


@pytest.fixture(scope="module")
def site(tmp_path_factory) -> Iterator[Site]:
    def table(seed: int) -> pd.DataFrame:
        rng = np.random.default_rng(seed)
        x = rng.normal(size=300)
        wide = {f"a rather long column name, number {i}": x + rng.normal(size=300) for i in range(3)}
        level = rng.choice(["<b>bold</b>", "w" * 120], 300)
        return pd.DataFrame({"x": x, "level": level, **wide, "buys": np.where(x > 0, "yes", "no")})

    site = Site(tmp_path_factory.mktemp("site"))
    history = pd.DataFrame({"step": np.arange(9), "loss": 1 / np.arange(1, 10)})
    report = evaluate(table(0), table(1), holdout=table(2), target="buys", profile="quick")
    scores = {
        "version": "1.2.3",
        "all pairs": {"Column Shapes": 0.9, "Column Pair Trends": 0.8},
        "default thresholds": {"correlation threshold": 0.5, "association threshold": 0.3},
        "diagnostic": {"Data Validity": 1.0},
    }
    write_html(report, site.folder / "report.html", history=history, reference=scores)
    both = evaluate(table(0), {"one": table(1), "another": table(3)}, holdout=table(2), profile="quick")
    write_html(both, site.folder / "comparison.html", reference={"one": scores, "another": scores})
    yield site
    site.server.shutdown()
    site.server.server_close()


@pytest.mark.parametrize("page", ["report.html", "comparison.html"])
def test_the_console_is_silent_and_nothing_is_requested(site, page):
    site.asked.clear()
    net_log = site.folder / "net.json"
    dom, log = site.open(page, f"--log-net-log={net_log}")
    assert "Verdict" in dom
    assert "CONSOLE" not in log, log
    assert site.asked == [f"/{page}"]
    asked = set(re.findall(r'"url":"https?://([^"/:]+)', net_log.read_text()))
    assert {host for host in asked if "google" not in host} == {"127.0.0.1"}  # Google's: the browser's own services


def instrumented(site: Site, page: str, script: str) -> None:
    """Write a copy of `page` that may run `script`; its promise's value ends up in the element #result."""
    text = (site.folder / page).read_text()
    text = re.sub(r'<meta http-equiv="Content-Security-Policy"[^>]*>', "", text)
    show = "document.body.appendChild(Object.assign(document.createElement('pre'), {id: 'result', textContent: text}))"
    runner = f"<script>({script}).then(JSON.stringify).then(text => {show})</script>"
    (site.folder / f"run-{page}").write_text(text.replace("</body>", runner + "</body>"))


def result(dom: str) -> object:
    return json.loads(html_text.unescape(re.search(r'<pre id="result">(.*?)</pre>', dom, re.DOTALL).group(1)))


@pytest.mark.skipif(not AXE.exists(), reason="no axe-core: npm install --no-save axe-core, or set AXE_CORE")
@pytest.mark.parametrize("page", ["report.html", "comparison.html"])
@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_no_serious_accessibility_violation(site, page, scheme):
    shutil.copy(AXE, site.folder / "axe.js")
    instrumented(site, page, "axe.run()")
    copy = site.folder / f"run-{page}"
    copy.write_text(
        copy.read_text().replace("<head>", '<head><script src="axe.js"></script>').replace("<details", "<details open")
    )
    dom, _ = site.open(copy.name, *([DARK] if scheme == "dark" else []))
    found = result(dom)
    assert found["passes"], "axe did not run"
    serious = [
        (item["id"], item["help"], [node["html"][:150] for node in item["nodes"][:3]])
        for item in found["violations"]
        if item["impact"] in ("serious", "critical")
    ]
    assert serious == []


def test_nothing_sticks_out(site):
    frames = [(page, width) for page in ("report.html", "comparison.html") for width in (320, 768, 1280)]
    shown = "".join(f'<iframe width="{width}" height="900" src="{page}"></iframe>' for page, width in frames)
    (site.folder / "frames.html").write_text(f"<!doctype html><body>{shown}</body>")
    measure = (
        "new Promise(done => onload = () => done([...document.querySelectorAll('iframe')].map("
        "({contentDocument: {documentElement: page}}) => [page.scrollWidth, page.clientWidth])))"
    )
    instrumented(site, "frames.html", measure)
    dom, _ = site.open("run-frames.html")
    measured = dict(zip(frames, result(dom), strict=True))
    assert {frame: widths for frame, widths in measured.items() if widths[0] > widths[1]} == {}
    assert all(0 < there <= width for (_, width), (_, there) in measured.items())
