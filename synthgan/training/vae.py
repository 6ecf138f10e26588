"""The variational autoencoder: reconstruction against divergence."""

from __future__ import annotations

from collections.abc import Iterator

import torch
from torch import Tensor

from synthgan.models.textbook_losses import gaussian_kl
from synthgan.models.vae import Decoder, Encoder
from synthgan.models.vectors import to_rows
from synthgan.rng import torch_stream
from synthgan.training.adversarial import LOOK_ROWS, SplitRows, batches, gallery
from synthgan.training.rounds import gradient_share

__all__ = ["AutoencoderGame"]


class AutoencoderGame:
    r"""Maximises the evidence lower bound.

    .. math:: E_{q(z|x)} \log p(x | z) - \beta \, \mathrm{KL}\left(q(z|x) \,\Vert\, N(0, I)\right)

    with latent vectors :math:`z = \mu(x) + \sigma(x) \, \epsilon`, so that gradients reach the encoder
    (reparameterisation).

    Parameters
    ----------
    table : SplitRows
        The rows.
    encoder, decoder : Encoder, Decoder
        What is trained.
    optimizer : Optimizer
        Of both.
    kl_weight : float
        The factor beta; 1 is the bound.
    batch_size : int
        Rows per step.
    seed : int
        Names the random streams.

    References
    ----------
    Kingma, Welling 2013 (arXiv 1312.6114); Xu et al. 2019, section 4.5 (arXiv 1907.00503).
    """

    phase = "autoencoder"

    def __init__(
        self,
        table: SplitRows,
        encoder: Encoder,
        decoder: Decoder,
        optimizer: torch.optim.Optimizer,
        kl_weight: float,
        batch_size: int,
        seed: int,
    ) -> None:
        self.table, self.encoder, self.decoder = table, encoder, decoder
        self.optimizer, self.kl_weight = optimizer, kl_weight
        device = table.scalars.device
        self.stream = torch_stream(seed, "noise", device=device)
        self.watching = torch_stream(seed, "looks", device=device)
        self.batches: Iterator[Tensor] = batches(len(table), batch_size, torch_stream(seed, "order", device=device))
        self.gallery = gallery(table)

    def step(self) -> dict[str, Tensor]:
        """Take one step of both networks."""
        index = next(self.batches)
        rows = self.table.rows(index)
        mean, log_variance = self.encoder(rows)
        noise = torch.randn(mean.shape, generator=self.stream, device=mean.device)
        latent = mean + noise * torch.exp(0.5 * log_variance)
        reconstruction = self.decoder.loss(latent, rows, self.table.codes[index]).mean()
        divergence = gaussian_kl(mean, log_variance).mean()
        self.optimizer.zero_grad(set_to_none=True)
        (reconstruction + self.kl_weight * divergence).backward()  # type: ignore[no-untyped-call]
        self.optimizer.step()
        return {"reconstruction": reconstruction.detach(), "divergence": divergence.detach()}

    def gradients(self) -> dict[str, float]:
        """Return the norm of the decoder's gradient, as a share of that of its weights."""
        return {"likelihood_gradient": gradient_share(self.decoder)}

    @torch.no_grad()
    def look(self) -> dict[str, float]:
        """Compare generated rows with rows held out."""
        rows = to_rows(*self.decoder.draw(LOOK_ROWS, self.watching), self.table.layout)
        return self.gallery.compare(rows.cpu().numpy())

    def finish(self) -> None:
        """Put the decoder into eval mode."""
        self.decoder.eval()
