"""Weights of terms, by few rows and by many."""

from __future__ import annotations

import pytest
import torch
from torch import Tensor

from synthgan.training.tilt import likeliest, share_of

START = torch.tensor([0.5, 1.0, 0.3], dtype=torch.float64)


def terms_of(n: int, draw: torch.Generator) -> Tensor:
    return torch.randn(n, 9, 3, generator=draw, dtype=torch.float64)


def nats(terms: Tensor, code: Tensor, weights: Tensor) -> float:
    logs = torch.log_softmax((terms * weights).sum(dim=2), dim=1)
    return float(-logs.gather(1, code[:, None]).mean())


def codes(terms: Tensor, weights: Tensor, draw: torch.Generator) -> Tensor:
    return torch.multinomial(torch.softmax((terms * weights).sum(dim=2), dim=1), 1, generator=draw)[:, 0]


@pytest.mark.parametrize("truth", [(0.5, 1.0, 0.3), (1.0, 0.2, -0.1)])
def test_many_rows_tell_what_made_them(truth: tuple[float, ...]) -> None:
    draw = torch.Generator().manual_seed(0)
    weights = torch.tensor(truth, dtype=torch.float64)
    terms = terms_of(50_000, draw)
    found = likeliest(START, terms, codes(terms, weights, draw))
    torch.testing.assert_close(found, weights, atol=0.03, rtol=0)


def test_few_rows_do_little_harm() -> None:
    """Where the start is right, 40 rows alone cost 3 / (2 * 40) = .038 nats (Akaike); with a hundred more .003."""
    draw = torch.Generator().manual_seed(1)
    unseen = terms_of(20_000, draw)
    right = codes(unseen, START, draw)
    least, costs = nats(unseen, right, START), []
    for _ in range(20):
        terms = terms_of(40, draw)
        costs.append(nats(unseen, right, likeliest(START, terms, codes(terms, START, draw))) - least)
    assert sum(costs) / len(costs) < 0.01
    assert share_of(40) == pytest.approx(40 / 140)


def test_few_rows_are_heard() -> None:
    """Where the start is wrong, what they say is better than that, and not as good as what made them."""
    draw = torch.Generator().manual_seed(2)
    weights = torch.tensor([1.0, 0.0, -0.5], dtype=torch.float64)
    unseen = terms_of(20_000, draw)
    right, few = codes(unseen, weights, draw), terms_of(40, draw)
    found = likeliest(START, few, codes(few, weights, draw))
    assert nats(unseen, right, weights) < nats(unseen, right, found) < nats(unseen, right, START)
