"""Rows as vectors of scalars and one-hot segments: building them, drawing them, and the likelihood of their codes."""

from __future__ import annotations

import torch
from torch import Tensor

from synthgan.encoding.vectors import VectorLayout

__all__ = ["CodeDraw", "draw_codes", "harden", "one_hot", "relax", "segment_cross_entropy", "to_rows"]

TEMPERATURE = 0.2
"""Of the Gumbel-softmax: low enough that generated segments are nearly one-hot."""


def to_rows(scalars: Tensor, codes: Tensor, layout: VectorLayout) -> Tensor:
    """Return rows (n, width): scalars (float32, (n, n_scalars)) and the one-hots of codes (int64, (n, n_segments)).

    Examples
    --------
    >>> layout = VectorLayout(1, (2, 3), (True, True))
    >>> to_rows(torch.tensor([[0.5]]), torch.tensor([[1, 0]]), layout).tolist()
    [[0.5, 0.0, 1.0, 1.0, 0.0, 0.0]]
    """
    rows = torch.zeros(len(scalars), layout.width, device=scalars.device)
    rows[:, : layout.n_scalars] = scalars
    if layout.sizes:
        rows.scatter_(1, codes + torch.from_numpy(layout.offsets).to(codes.device), 1.0)
    return rows


def relax(raw: Tensor, layout: VectorLayout, stream: torch.Generator, *, bounded: bool) -> Tensor:
    r"""Turn a generator's raw output into rows that gradients pass through.

    Scalars become :math:`\tanh` of the output where `bounded`; segments a draw of the Gumbel-softmax,

    .. math:: \operatorname{softmax}\left((l + g) / \tau\right), \quad g = -\log(-\log u), \; u \sim U(0, 1)

    Parameters
    ----------
    raw : Tensor of float32, shape (n, width)
        Scalars and logits.
    layout : VectorLayout
        What is where.
    stream : torch.Generator
        Of the Gumbel noise.
    bounded : bool
        Whether scalars lie in [-1, 1].

    References
    ----------
    Jang, Gu, Poole 2016 (arXiv 1611.01144).
    """
    scalars, logits = raw[:, : layout.n_scalars], raw[:, layout.n_scalars :]
    parts = [torch.tanh(scalars) if bounded else scalars]
    if layout.sizes:
        uniform = torch.rand(logits.shape, generator=stream, device=logits.device)
        noisy = (logits - uniform.log_().neg_().log_()) / TEMPERATURE
        # Codes down, rows across: a segment is one piece of memory then, and all of this three times as fast.
        upright = torch.split(noisy.t().contiguous(), list(layout.sizes))
        parts.append(torch.cat([torch.softmax(part, dim=0) for part in upright]).t())
    return torch.cat(parts, dim=1)


def harden(rows: Tensor, layout: VectorLayout) -> tuple[Tensor, Tensor]:
    """Return the scalars (n, n_scalars) and the likeliest codes (n, n_segments) of rows or relaxed rows."""
    segments = torch.split(rows[:, layout.n_scalars :], list(layout.sizes), dim=1) if layout.sizes else ()
    codes = [part.argmax(dim=1) for part in segments]
    none = torch.zeros(len(rows), 0, dtype=torch.int64, device=rows.device)
    return rows[:, : layout.n_scalars], torch.stack(codes, dim=1) if codes else none


def segment_cross_entropy(raw: Tensor, codes: Tensor, layout: VectorLayout) -> Tensor:
    """Negative log-probability of each segment's code: raw (n, width), codes (n, n_segments) -> (n, n_segments)."""
    logits = raw[:, layout.n_scalars :]
    totals = [torch.logsumexp(part, dim=1) for part in torch.split(logits, list(layout.sizes), dim=1)]
    places = codes + torch.from_numpy(layout.offsets - layout.n_scalars).to(codes.device)
    return torch.stack(totals, dim=1) - logits.gather(1, places)


class CodeDraw:
    """Training-by-sampling: draws categories evenly by logarithm of their frequency, and rows that hold them.

    A segment of levels is chosen uniformly, then one of its codes with probability proportional to ``log(count + 1)``
    (so that rare ones are seen often), then a row that holds it.

    Parameters
    ----------
    codes : Tensor of int64, shape (n_rows, n_segments)
        The table.
    layout : VectorLayout
        Which of the segments are levels.

    Attributes
    ----------
    width : int
        Codes of all segments of levels, side by side.
    by_log, by_count : Tensor of float64, shape (width,)
        Where the codes' shares end on an axis on which segment ``k`` takes up ``[k, k + 1)``: shares in training, and
        those of the table.

    References
    ----------
    Xu et al. 2019, section 4.3 (arXiv 1907.00503).
    """

    def __init__(self, codes: Tensor, layout: VectorLayout) -> None:
        self.segments = [index for index, own in enumerate(layout.category) if own]
        sizes = [layout.sizes[index] for index in self.segments]
        self.width = sum(sizes)
        device = codes.device
        self.layout = layout
        self.first = torch.tensor([0, *sizes], device=device).cumsum(0)[:-1]
        self.which = torch.arange(len(sizes), device=device).repeat_interleave(torch.tensor(sizes, device=device))
        offsets = torch.from_numpy(layout.offsets[self.segments]).to(device)
        self.place = torch.arange(self.width, device=device) - self.first[self.which] + offsets[self.which]
        picked = codes[:, self.segments]
        counts = [torch.bincount(picked[:, k], minlength=size) for k, size in enumerate(sizes)]
        self.order = torch.cat([picked[:, k].argsort(stable=True) for k in range(len(sizes))])
        self.count = torch.cat(counts)
        self.start = self.count.cumsum(0) - self.count  # every segment holds each row once
        self.by_log = _ends([torch.log1p(count.double()) for count in counts])
        self.by_count = _ends([count.double() for count in counts])

    def codes(self, n: int, stream: torch.Generator) -> Tensor:
        """Draw `n` codes by logarithm of their frequency."""
        return draw_codes(self.by_log, len(self.segments), n, stream)

    def rows(self, code: Tensor, stream: torch.Generator) -> Tensor:
        """Return the index of a random row that holds each code."""
        uniform = torch.rand(len(code), dtype=torch.float64, generator=stream, device=code.device)
        place = torch.minimum((uniform * self.count[code]).long(), self.count[code] - 1)
        return self.order[self.start[code] + place]

    def code_of(self, codes: Tensor, stream: torch.Generator) -> Tensor:
        """Return one of the codes that each row (of codes (n, n_segments)) holds, on the common axis."""
        which = torch.randint(len(self.segments), (len(codes),), generator=stream, device=codes.device)
        picked = codes[:, self.segments].gather(1, which[:, None])[:, 0]
        return self.first[which] + picked

    def cross_entropy(self, raw: Tensor, code: Tensor) -> Tensor:
        """Negative log-probability of the codes (n,) asked for, in raw rows (n, width): (n,)."""
        places = zip(self.layout.offsets[self.segments], (self.layout.sizes[k] for k in self.segments), strict=True)
        upright = raw.t().contiguous()
        totals = torch.stack([torch.logsumexp(upright[start : start + size], dim=0) for start, size in places], dim=1)
        asked = self.which[code][:, None]
        return (totals.gather(1, asked) - raw.gather(1, self.place[code][:, None]))[:, 0]


def draw_codes(ends: Tensor, n_segments: int, n: int, stream: torch.Generator) -> Tensor:
    """Draw `n` codes (int64) on the segments' common axis: a segment uniformly, then a code by the shares in `ends`."""
    which = torch.randint(n_segments, (n,), generator=stream, device=ends.device)
    uniform = torch.rand(n, dtype=torch.float64, generator=stream, device=ends.device)
    return torch.searchsorted(ends, which + uniform, right=True).clamp_(max=len(ends) - 1)


def one_hot(code: Tensor, width: int) -> Tensor:
    """Return the condition vectors (n, width) of codes (n,)."""
    return torch.zeros(len(code), width, device=code.device).scatter_(1, code[:, None], 1.0)


def _ends(weights: list[Tensor]) -> Tensor:
    """Upper ends of the codes' shares of [k, k + 1) for the k-th segment, on one axis."""
    return torch.cat([k + weight.cumsum(0) / weight.sum() for k, weight in enumerate(weights)])
