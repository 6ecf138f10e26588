"""Generator against discriminator: what every such game shares, and the textbook's."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator

import torch
from torch import Tensor, nn

from synthgan.encoding.vectors import VectorLayout, VectorTable
from synthgan.models.mlp import Mlp
from synthgan.models.textbook_losses import AdversarialLoss, gradient_penalty
from synthgan.models.vanilla import VanillaGenerator
from synthgan.models.vectors import to_rows
from synthgan.rng import torch_stream
from synthgan.training.looks import Gallery, rank_accuracy
from synthgan.training.rounds import gradient_share
from synthgan.training.state import n_held_out

__all__ = ["LOOK_ROWS", "AdversarialGame", "SplitRows", "VanillaGame", "batches", "gallery", "split_rows"]

LOOK_ROWS = 500


@dataclasses.dataclass(frozen=True, slots=True)
class SplitRows:
    """A table on the training device, and the rows held out from it.

    Parameters
    ----------
    layout : VectorLayout
        What rows are.
    scalars, codes : Tensor of float32, int64, shape (n, n_scalars), (n, n_segments)
        Rows to train on.
    held_scalars, held_codes : Tensor
        Rows to watch; in a table of fewer than five rows, some that are trained on.
    """

    layout: VectorLayout
    scalars: Tensor
    codes: Tensor
    held_scalars: Tensor
    held_codes: Tensor

    def __len__(self) -> int:
        return len(self.scalars)

    def rows(self, index: Tensor) -> Tensor:
        """Return training rows (n, width) by index (n,)."""
        return to_rows(self.scalars[index], self.codes[index], self.layout)


def split_rows(table: VectorTable, layout: VectorLayout, seed: int, device: torch.device) -> SplitRows:
    """Hold `n_held_out` rows out, at random."""
    order = torch.randperm(len(table), generator=torch_stream(seed, "held out")).numpy()
    cut = n_held_out(len(table))
    scalars, codes = (torch.from_numpy(part).to(device) for part in (table.scalars, table.codes))
    train = torch.from_numpy(order[cut:]).to(device)
    held = torch.from_numpy(order[: min(max(cut, 2), LOOK_ROWS)]).to(device)
    return SplitRows(layout, scalars[train], codes[train], scalars[held], codes[held])


def batches(n_rows: int, batch_size: int, stream: torch.Generator) -> Iterator[Tensor]:
    """Row indices, batch after batch, each row once per epoch; a smaller table is one batch."""
    size = min(batch_size, n_rows)
    while True:
        order = torch.randperm(n_rows, generator=stream, device=stream.device)
        yield from torch.split(order[: n_rows - n_rows % size], size)


def gallery(table: SplitRows) -> Gallery:
    """Return the real rows to compare generated ones with: those held out, and as many as are needed for groups."""
    held = to_rows(table.held_scalars, table.held_codes, table.layout)
    some = table.rows(torch.arange(min(LOOK_ROWS, len(table)), device=table.scalars.device))
    return Gallery(held.cpu().numpy(), some.cpu().numpy(), table.layout)


class AdversarialGame:
    """What the textbook's game and CTGAN's share: alternating steps, each with the other network held constant."""

    phase = "adversarial"

    def __init__(
        self,
        table: SplitRows,
        generator: nn.Module,
        discriminator: nn.Module,
        optimizers: tuple[torch.optim.Optimizer, torch.optim.Optimizer],
        loss: AdversarialLoss,
        discriminator_steps: int,
        seed: int,
    ) -> None:
        self.table, self.generator, self.discriminator = table, generator, discriminator
        self.generator_optimizer, self.discriminator_optimizer = optimizers
        self.loss, self.discriminator_steps = loss, discriminator_steps
        device = table.scalars.device
        self.stream = torch_stream(seed, "noise", device=device)
        self.watching = torch_stream(seed, "looks", device=device)
        self.gallery = gallery(table)

    def step(self) -> dict[str, Tensor]:
        """Take the discriminator's steps, then one of the generator."""
        for _ in range(self.discriminator_steps):
            discriminator = self._discriminator_step()
        return {"discriminator": discriminator, "generator": self._generator_step()}

    def gradients(self) -> dict[str, float]:
        """Return the norms of both networks' gradients, as shares of those of the weights."""
        return {
            "generator_gradient": gradient_share(self.generator),
            "discriminator_gradient": gradient_share(self.discriminator),
        }

    @torch.no_grad()
    def look(self) -> dict[str, float]:
        """Compare generated rows with rows held out, by themselves and through the discriminator's eyes."""
        self.generator.eval()
        self.discriminator.eval()
        real, fake = self._unseen()
        real_score, fake_score = (self._score(rows).cpu().numpy() for rows in (real, fake))
        accuracy, low, high = rank_accuracy(real_score, fake_score)
        found = self.gallery.compare(fake[:, : self.table.layout.width].cpu().numpy())
        self.generator.train()
        self.discriminator.train()
        balance = {"": accuracy, "_low": low, "_high": high}
        return found | {f"discriminator_accuracy{name}": value for name, value in balance.items()}

    def finish(self) -> None:
        """Put the generator into eval mode."""
        self.generator.eval()

    def _score(self, rows: Tensor) -> Tensor:
        """Return the discriminator's scores, as a vector."""
        score: Tensor = self.discriminator(rows)
        return score.flatten()

    def _discriminator_step(self) -> Tensor:
        real, fake = self._deal()
        real_score, fake_score = self._score(torch.cat([real, fake])).chunk(2)
        loss = total = self.loss.discriminator(real_score, fake_score)
        if self.loss.penalty:
            mix = torch.rand(len(real_score), generator=self.stream, device=real.device)
            total = loss + self.loss.penalty * gradient_penalty(self._score, real, fake, mix)
        self.discriminator_optimizer.zero_grad(set_to_none=True)
        total.backward()  # type: ignore[no-untyped-call]
        self.discriminator_optimizer.step()
        return loss.detach()

    def _generator_step(self) -> Tensor:
        self.discriminator.requires_grad_(False)
        loss = self._generator_loss()
        self.generator_optimizer.zero_grad(set_to_none=True)
        loss.backward()  # type: ignore[no-untyped-call]
        self.generator_optimizer.step()
        self.discriminator.requires_grad_(True)
        return loss.detach()

    def _deal(self) -> tuple[Tensor, Tensor]:
        """Return real and generated rows for the discriminator; no gradient flows into the generator."""
        raise NotImplementedError

    def _generator_loss(self) -> Tensor:
        raise NotImplementedError

    def _unseen(self) -> tuple[Tensor, Tensor]:
        """Return held-out and generated rows as the discriminator takes them."""
        raise NotImplementedError


class VanillaGame(AdversarialGame):
    """The textbook's: rows in epochs, noise, two plain networks.

    Parameters
    ----------
    table : SplitRows
        The rows.
    generator, discriminator : VanillaGenerator, Mlp
        What is trained.
    optimizers : tuple of Optimizer
        The generator's and the discriminator's.
    loss : AdversarialLoss
        What they play for.
    discriminator_steps : int
        Per step of the generator.
    batch_size : int
        Rows per step.
    seed : int
        Names the random streams.
    """

    generator: VanillaGenerator
    discriminator: Mlp

    def __init__(
        self,
        table: SplitRows,
        generator: VanillaGenerator,
        discriminator: Mlp,
        optimizers: tuple[torch.optim.Optimizer, torch.optim.Optimizer],
        loss: AdversarialLoss,
        discriminator_steps: int,
        batch_size: int,
        seed: int,
    ) -> None:
        super().__init__(table, generator, discriminator, optimizers, loss, discriminator_steps, seed)
        self.batch_size = min(batch_size, len(table))
        self.batches = batches(len(table), batch_size, torch_stream(seed, "order", device=table.scalars.device))

    def _deal(self) -> tuple[Tensor, Tensor]:
        with torch.no_grad():
            fake = self.generator(self.batch_size, self.stream)
        return self.table.rows(next(self.batches)), fake

    def _generator_loss(self) -> Tensor:
        with torch.no_grad():  # only the relativistic loss looks at it
            real_score = self._score(self.table.rows(next(self.batches)))
        return self.loss.generator(real_score, self._score(self.generator(self.batch_size, self.stream)))

    def _unseen(self) -> tuple[Tensor, Tensor]:
        table = self.table
        real = to_rows(table.held_scalars, table.held_codes, table.layout)
        return real, to_rows(*self.generator.draw(LOOK_ROWS, self.watching), table.layout)
