"""Draw an evaluation report as one HTML page; computes nothing."""

from synthgan.report.html import render_html, write_html

__all__ = ["render_html", "write_html"]
