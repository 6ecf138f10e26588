"""Draw an evaluation report as one HTML page; computes nothing."""

from synthgan.report.html import render_gain_html, render_html, write_gain_html, write_html
from synthgan.report.tuning import render_tuning

__all__ = ["render_gain_html", "render_html", "render_tuning", "write_gain_html", "write_html"]
