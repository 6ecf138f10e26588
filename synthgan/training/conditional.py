"""CTGAN's game: conditions, training-by-sampling, groups of rows."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from synthgan.models.ctgan import CtganGenerator, PacDiscriminator
from synthgan.models.layers import Linear
from synthgan.models.textbook_losses import AdversarialLoss
from synthgan.models.vectors import CodeDraw, harden, one_hot, relax, to_rows
from synthgan.rng import torch_stream
from synthgan.training.adversarial import AdversarialGame, SplitRows
from synthgan.training.device import compute_dtype

__all__ = ["ConditionalGame"]

CALIBRATION_BATCHES = 50


class ConditionalGame(AdversarialGame):
    """CTGAN's: a category is asked for, and real rows that hold it are shown beside generated ones.

    Differs from the published code: no gradient flows into the network that is held constant, real and generated rows
    are judged in one pass under the same conditions, and matrices are multiplied in bfloat16 where the hardware does
    it natively.

    Parameters
    ----------
    table, optimizers, loss, discriminator_steps, seed
        As for `VanillaGame`.
    generator, discriminator : CtganGenerator, PacDiscriminator
        What is trained.
    n_rows : int
        Rows per step; a multiple of the discriminator's `pac`.
    """

    generator: CtganGenerator
    discriminator: PacDiscriminator

    def __init__(
        self,
        table: SplitRows,
        generator: CtganGenerator,
        discriminator: PacDiscriminator,
        optimizers: tuple[torch.optim.Optimizer, torch.optim.Optimizer],
        loss: AdversarialLoss,
        discriminator_steps: int,
        n_rows: int,
        seed: int,
    ) -> None:
        super().__init__(table, generator, discriminator, optimizers, loss, discriminator_steps, seed)
        self.n_rows = n_rows
        self.chooser = CodeDraw(table.codes, table.layout) if any(table.layout.category) else None
        if self.chooser is not None:
            generator.shares.copy_(self.chooser.by_count)
        self.order = torch_stream(seed, "order", device=table.scalars.device)
        dtype = compute_dtype(table.scalars.device)
        for module in (*generator.modules(), *discriminator.modules()):
            if isinstance(module, Linear):
                module.compute_dtype = dtype
        discriminator.dropout.generator = torch_stream(seed, "dropout", device=table.scalars.device)

    def _condition(self) -> tuple[Tensor | None, Tensor]:
        """Return the codes (n,) asked for, and the condition vectors (n, condition_dim)."""
        if self.chooser is None:
            return None, torch.zeros(self.n_rows, 0, device=self.table.scalars.device)
        code = self.chooser.codes(self.n_rows, self.order)
        return code, one_hot(code, self.chooser.width)

    def _raw(self, condition: Tensor) -> Tensor:
        noise = torch.randn(
            len(condition), self.generator.config.noise_dim, generator=self.stream, device=condition.device
        )
        raw: Tensor = self.generator(noise, condition)
        return raw

    def _fake(self, raw: Tensor) -> Tensor:
        return relax(raw, self.table.layout, self.stream, bounded=True)

    def _deal(self) -> tuple[Tensor, Tensor]:
        code, condition = self._condition()
        with torch.no_grad():
            fake = self._fake(self._raw(condition))
        if code is None or self.chooser is None:
            index = torch.randint(len(self.table), (self.n_rows,), generator=self.order, device=fake.device)
        else:
            index = self.chooser.rows(code, self.order)
        return torch.cat([self.table.rows(index), condition], dim=1), torch.cat([fake, condition], dim=1)

    def _generator_loss(self) -> Tensor:
        # Rows of its own: those that the discriminator has just been pushed away from would tell it about that push.
        code, condition = self._condition()
        raw = self._raw(condition)
        score = self._score(torch.cat([self._fake(raw), condition], dim=1))
        loss = self.loss.generator(score, score)
        if code is None or self.chooser is None:
            return loss
        # Beside the game, the generator has to keep to its condition.
        return loss + self.chooser.cross_entropy(raw, code).mean()

    def _unseen(self) -> tuple[Tensor, Tensor]:
        """Held-out rows, each with a condition that it holds, and rows generated under the same conditions."""
        table, pac = self.table, self.discriminator.pac
        n = -(-len(table.held_scalars) // pac) * pac
        index = torch.arange(n, device=table.scalars.device) % len(table.held_scalars)
        real = to_rows(table.held_scalars[index], table.held_codes[index], table.layout)
        if self.chooser is None:
            condition = torch.zeros(n, 0, device=real.device)
        else:
            condition = one_hot(self.chooser.code_of(table.held_codes[index], self.watching), self.chooser.width)
        noise = torch.randn(n, self.generator.config.noise_dim, generator=self.watching, device=real.device)
        raw = self.generator(noise, condition)
        fake = to_rows(*harden(relax(raw, table.layout, self.watching, bounded=True), table.layout), table.layout)
        return torch.cat([real, condition], dim=1), torch.cat([fake, condition], dim=1)

    @torch.no_grad()
    def finish(self) -> None:
        """Measure the normalisation layers' statistics anew, on noise and conditions as they are met in sampling."""
        for norm in self.generator.norms:
            if isinstance(norm, nn.BatchNorm1d):
                norm.reset_running_stats()
                norm.momentum = None  # a plain mean over the batches
        self.generator.train()
        for module in self.generator.modules():
            if isinstance(module, Linear):
                module.compute_dtype = torch.float32  # rows are drawn in full precision, on any machine the same
        for _ in range(CALIBRATION_BATCHES):
            self._raw(self.generator.conditions(self.n_rows, self.stream))
        self.generator.eval()
