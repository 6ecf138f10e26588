"""Synthetic tabular data: fit a conditional GAN on a table, sample rows, judge them."""

__version__ = "0.1.0"
