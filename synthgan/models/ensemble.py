"""Generators of one table that answer together, the target's trees, and the critic of the rows they draw."""

from __future__ import annotations

import math
from collections.abc import Sequence

import torch
from torch import Tensor, nn

from synthgan.models.axis import CodeAxis
from synthgan.models.critic import Critic
from synthgan.models.features import Rows
from synthgan.models.generator import Generator, GeneratorConfig
from synthgan.models.guides import Clues
from synthgan.models.late import PassState
from synthgan.models.target import make_target

__all__ = ["Ensemble", "log_mean", "mean_distribution"]


class Ensemble(nn.Module):
    r"""Generators with weights and batches of their own, whose probabilities are averaged draw by draw.

    .. math:: p(c_b \mid x_{known}) = \frac{1}{K} \sum_{k=1}^{K} p_k(c_b \mid x_{known})

    for the code c of a block b, and again for the cell given that code. Of few rows a network learns much that is
    chance, and every network something else: their mean is likelier to hold for rows that none has seen
    (Lakshminarayanan, Pritzel, Blundell 2017, arXiv 1612.01474). An ensemble of one is the generator itself.

    Parameters
    ----------
    axis : CodeAxis
        The table's layout on the device.
    config : GeneratorConfig
        Sizes: `n_members` generators, and the critic's.

    Attributes
    ----------
    members : ModuleList of Generator
        The generators.
    critic : Critic or None
        Of the rows that they draw together.
    target : TargetTrees or None
        What one block is drawn from when all others are.

    Shape
    -----
    Where a `Generator` takes or returns first-layer sums or a state, here it is a tuple, one for each member.
    """

    def __init__(self, axis: CodeAxis, config: GeneratorConfig) -> None:
        super().__init__()
        self.axis = axis
        self.config = config
        self.members: Sequence[Generator] = nn.ModuleList(  # type: ignore[assignment]
            Generator(axis, config) for _ in range(config.n_members)
        )
        counted = config.target, config.critic_groups
        self.critic = Critic(axis, config.critic_trees, config.critic_depth, *counted) if config.critic_trees else None
        self.target = (
            make_target(axis, config.target, config.target_trees, config.target_depth) if config.target_trees else None
        )

    @property
    def cell_blocks(self) -> tuple[int, ...]:
        """Blocks of which codes have several cells."""
        return self.members[0].cells.blocks

    @property
    def folded(self) -> bool:
        """Whether training is over; see `Generator.fold`."""
        return self.members[0].folded

    def start_from(self, counts: Tensor) -> None:
        """Start the logits at the marginals; see `Generator.start_from`."""
        for member in self.members:
            member.start_from(counts)

    def start_relations(self, rows: Rows) -> None:
        """Start the relations at what `rows` of the table show."""
        for member in self.members:
            member.start_relations(rows)

    def empty(self, n_rows: int) -> tuple[Tensor, ...]:
        """First-layer sums of rows of which nothing is known."""
        return tuple(member.empty(n_rows) for member in self.members)

    def begin(self, sums: tuple[Tensor, ...]) -> tuple[PassState, ...]:
        """Begin a pass: run the networks on their sums."""
        return tuple(member.begin(own) for member, own in zip(self.members, sums, strict=True))

    def begin_all(self, parts: Sequence[tuple[Tensor, ...]]) -> list[tuple[PassState, ...]]:
        """Begin a pass of several parts, given by their sums: they go through the networks together.

        Sums of one row are those of rows of which nothing is known, which is the same in all parts.
        """
        if all(len(part[0]) == 1 for part in parts):
            pairs = zip(self.members, self.begin(parts[0]), strict=True)
            return [tuple(state._replace(logits=own.head(state.hidden).float()) for own, state in pairs)] * len(parts)
        states = self.begin(tuple(map(torch.cat, zip(*parts, strict=True))))
        hidden = (torch.split(state.hidden, [len(part[0]) for part in parts]) for state in states)
        return [tuple(map(PassState, own)) for own in zip(*hidden, strict=True)]

    def fill(
        self,
        sums: tuple[Tensor, ...],
        block: int,
        codes: Tensor,
        positions: Tensor,
        given: Tensor | None = None,
    ) -> tuple[Tensor, ...]:
        """Sums after one more block; see `Generator.fill`."""
        pairs = zip(self.members, sums, strict=True)
        return tuple(member.fill(own, block, codes, positions, given) for member, own in pairs)

    def follow(
        self,
        states: tuple[PassState, ...],
        block: int,
        codes: Tensor,
        positions: Tensor,
        given: Tensor | None = None,
    ) -> tuple[PassState, ...]:
        """A pass's states after one more block; see `Generator.follow`."""
        pairs = zip(self.members, states, strict=True)
        return tuple(member.follow(own, block, codes, positions, given) for member, own in pairs)

    def clues(self, rows: Rows, filled: Tensor, block: int) -> Clues:
        """What filled blocks (n, B) of the rows say of `block`."""
        return self.members[0].clues(rows, filled, block)

    def block_logits(self, states: tuple[PassState, ...], block: int, clues: Clues = ()) -> Tensor:
        """Logits (n, n_codes of the block) of the mean distribution."""
        pairs = zip(self.members, states, strict=True)
        return mean_distribution([member.block_logits(own, block, clues) for member, own in pairs])

    def block_cell_logits(self, states: tuple[PassState, ...], block: int, codes: Tensor, clues: Clues = ()) -> Tensor:
        """Logits (n, M) of the mean distribution over the cells of `codes` (n,) in one block."""
        pairs = zip(self.members, states, strict=True)
        return mean_distribution([member.block_cell_logits(own, block, codes, clues) for member, own in pairs])

    def given_others(self, rows: Rows, block: int) -> Tensor:
        """Logits (n, n_codes of the block) by the networks, when all other blocks are known."""
        codes, positions = rows
        sums, known = self.empty(len(codes)), torch.ones_like(codes, dtype=torch.bool)
        known[:, block] = False
        for other in range(codes.shape[1]):
            if other != block:
                sums = self.fill(sums, other, codes[:, other], positions[:, other])
        return self.block_logits(self.begin(sums), block, self.clues(rows, known, block))

    def fold(self) -> None:
        """Make all members ready to sample; see `Generator.fold`."""
        for member in self.members:
            member.fold()

    def set_compute_dtype(self, dtype: torch.dtype) -> None:
        """Multiply in `dtype` from now on."""
        for member in self.members:
            member.set_compute_dtype(dtype)


def mean_distribution(logits: Sequence[Tensor]) -> Tensor:
    """Logits (n, m) of the mean of the distributions with these logits, each (n, m); a single one stays as it is.

    Examples
    --------
    >>> certain, even = torch.tensor([[0.0, -1e4]]), torch.tensor([[0.0, 0.0]])
    >>> torch.softmax(mean_distribution([certain, even]), dim=1)
    tensor([[0.7500, 0.2500]])
    """
    if len(logits) == 1:
        return logits[0]
    return log_mean([torch.log_softmax(own, dim=1) for own in logits])


def log_mean(logs: Sequence[Tensor]) -> Tensor:
    """Log of the mean of numbers that are given by their logs, entry by entry; a single one stays as it is."""
    return logs[0] if len(logs) == 1 else torch.logsumexp(torch.stack(list(logs)), dim=0) - math.log(len(logs))
