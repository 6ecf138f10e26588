"""TVAE, from the paper of CTGAN."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping, Sequence
from functools import partial
from typing import Any

import numpy as np
import torch
from torch import nn

from synthgan.encoding.modes import FitModes, fit_mixture
from synthgan.encoding.vectors import VectorLayout
from synthgan.models.vae import Decoder, DecoderConfig, Encoder
from synthgan.synthesizers.vectors import VectorSynthesizer, check_widths
from synthgan.training.adversarial import SplitRows
from synthgan.training.config import check_number
from synthgan.training.rounds import Game
from synthgan.training.vae import AutoencoderGame

__all__ = ["TVAE"]

WEIGHT_DECAY = 1e-5


@dataclasses.dataclass(kw_only=True, eq=False, repr=False)
class TVAE(VectorSynthesizer):
    """The tabular variational autoencoder of Xu et al., written anew from the paper: the alternative to a GAN.

    An encoder turns a row into a distribution of latent vectors, a decoder turns latent vectors into distributions of
    rows, and both maximise the evidence lower bound of the rows' likelihood.

    Differs from the paper, or from the code published with it:

    - Codes are drawn from the decoder's distribution; the published code takes the likeliest, and loses rare ones.
    - The two sides of the bound have the weights they have in the bound (`kl_weight` changes that); the published code
      counts the reconstruction twice.
    - Encoding, dtypes, bounds, held-out rows and files are as for `CTGAN`.

    Parameters
    ----------
    epochs : int, default=300
        Passes over the training rows.
    batch_size : int, default=500
        Rows per step. Any positive number; a smaller table is one batch.
    latent_dim : int, default=128
        Length of the latent vector.
    encoder_dims, decoder_dims : sequence of int, default=(128, 128)
        Widths of the hidden layers.
    lr : float, default=1e-3
        Learning rate of Adam.
    kl_weight : float, default=1.0
        Weight of the divergence beside the reconstruction.
    max_seconds, device, random_state, verbose
        As for `SynthGAN`.

    Attributes
    ----------
    alarms_ : list of Alarm
        The troubles that training ran into, with advice; empty in a loaded model (`history_` still tells of them).
    schema_, target_, history_, seed_, interrupted_, n_features_in_, feature_names_in_
        As for `SynthGAN`.

    References
    ----------
    Xu, Skoularidou, Cuesta-Infante, Veeramachaneni 2019, section 4.5 (arXiv 1907.00503).

    Examples
    --------
    >>> import pandas as pd
    >>> frame = pd.DataFrame({"size": ["S", "M", "L"] * 20, "price": [1.5, 2.5, 4.0] * 20})
    >>> len(TVAE(epochs=1, random_state=0).fit(frame).sample(5, random_state=0))
    5
    """

    latent_dim: int = 128
    encoder_dims: Sequence[int] = (128, 128)
    decoder_dims: Sequence[int] = (128, 128)
    lr: float = 1e-3
    kl_weight: float = 1.0

    def _check_parameters(self) -> None:
        super()._check_parameters()
        check_number("latent_dim", self.latent_dim, 1, np.inf, whole=True)
        check_widths("encoder_dims", self.encoder_dims)
        check_widths("decoder_dims", self.decoder_dims)
        check_number("lr", self.lr, 0, 1)
        check_number("kl_weight", self.kl_weight, 0, np.inf)

    def _modes(self) -> FitModes:
        return partial(fit_mixture, min_rows=self.protect_rare)

    def _game(self, table: SplitRows, seed: int) -> tuple[nn.Module, Game]:
        device = table.scalars.device
        encoder = Encoder(table.layout, self.latent_dim, check_widths("encoder_dims", self.encoder_dims)).to(device)
        config = DecoderConfig(self.latent_dim, check_widths("decoder_dims", self.decoder_dims))
        decoder = Decoder(table.layout, config).to(device)
        weights = [*encoder.parameters(), *decoder.parameters()]
        optimizer = torch.optim.Adam(weights, self.lr, weight_decay=WEIGHT_DECAY, fused=True)
        return decoder, AutoencoderGame(table, encoder, decoder, optimizer, self.kl_weight, self.batch_size, seed)

    @classmethod
    def _blank(cls, layout: VectorLayout, config: Mapping[str, Any]) -> nn.Module:
        return Decoder(layout, DecoderConfig(**config))
