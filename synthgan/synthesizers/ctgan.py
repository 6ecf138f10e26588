"""CTGAN, from its paper."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from functools import partial
from typing import Any, cast

import numpy as np
import pandas as pd
import torch
from torch import Tensor, nn

from synthgan.conditioning.values import exact_values, is_missing
from synthgan.encoding.modes import FitModes, fit_mixture
from synthgan.encoding.vectors import VectorEncoder, VectorLayout
from synthgan.models.ctgan import CtganConfig, CtganGenerator, PacDiscriminator
from synthgan.models.textbook_losses import LOSSES
from synthgan.schema import ColumnName
from synthgan.synthesizers.vectors import AdversarialSynthesizer, check_widths
from synthgan.training.adversarial import SplitRows
from synthgan.training.conditional import ConditionalGame
from synthgan.training.config import check_number
from synthgan.training.rounds import Game

__all__ = ["CTGAN"]

BETAS = (0.5, 0.9)
WEIGHT_DECAY = 1e-6


@dataclasses.dataclass(kw_only=True, eq=False, repr=False)
class CTGAN(AdversarialSynthesizer):
    """The conditional tabular GAN of Xu et al., written anew from the paper; a baseline to measure `SynthGAN` with.

    Numbers are normalised by the modes of a mixture, a category is asked for at each step (rare ones more often than
    they occur), rows are judged ten at a time, and the loss is Wasserstein's with a gradient penalty.

    Differs from the paper, or from the code published with it:

    - Conditions are drawn for sampling by the categories' share of the table, so that shares come out as they are.
    - Rows are drawn in evaluation mode, after the normalisation layers' statistics have been measured anew: a row does
      not depend on those drawn with it, and sampling does not change the model.
    - Any batch size works; it is rounded up to whole groups of `pac` rows.
    - Missing cells are a mode of a number and a category of their own; numbers are rounded to the column's grid, inside
      its bounds; dates are a day and a time of day.
    - Mixtures are fitted on at most 3,000 rows.
    - 5 % of the rows are held out, to watch fidelity, balance and variety.
    - Model files hold no code, and no rows.

    Parameters
    ----------
    epochs : int, default=300
        Passes over the training rows.
    batch_size : int, default=500
        Rows per step.
    noise_dim : int, default=128
        Length of the noise vector.
    generator_dims, discriminator_dims : sequence of int, default=(256, 256)
        Widths of the hidden layers.
    generator_lr, discriminator_lr : float, default=2e-4
        Learning rates of Adam.
    discriminator_steps : int, default=1
        Discriminator steps per generator step.
    pac : int, default=10
        Rows that the discriminator judges together.
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
    Xu, Skoularidou, Cuesta-Infante, Veeramachaneni 2019: Modeling Tabular Data using Conditional GAN (arXiv
    1907.00503).

    Examples
    --------
    >>> import pandas as pd
    >>> frame = pd.DataFrame({"size": ["S", "M", "L"] * 20, "price": [1.5, 2.5, 4.0] * 20})
    >>> model = CTGAN(epochs=1, random_state=0).fit(frame, target="size")
    >>> model.sample(class_counts={"M": 2, "S": 1}, random_state=0)["size"].tolist()
    ['M', 'M', 'S']
    """

    pac: int = 10

    def _check_parameters(self) -> None:
        super()._check_parameters()
        check_number("pac", self.pac, 1, np.inf, whole=True)

    def _modes(self) -> FitModes:
        return partial(fit_mixture, min_rows=self.protect_rare)

    def _game(self, table: SplitRows, seed: int) -> tuple[nn.Module, Game]:
        device = table.scalars.device
        config = CtganConfig(self.noise_dim, check_widths("generator_dims", self.generator_dims))
        generator = CtganGenerator(table.layout, config).to(device)
        widths = check_widths("discriminator_dims", self.discriminator_dims)
        n_in = table.layout.width + generator.condition_dim
        discriminator = PacDiscriminator(n_in, widths, self.pac).to(device)
        optimizers = (
            torch.optim.Adam(generator.parameters(), self.generator_lr, BETAS, weight_decay=WEIGHT_DECAY, fused=True),
            torch.optim.Adam(discriminator.parameters(), self.discriminator_lr, BETAS, fused=True),
        )
        n_rows = -(-min(self.batch_size, len(table)) // self.pac) * self.pac
        loss, steps = LOSSES["wgan-gp"], self.discriminator_steps
        return generator, ConditionalGame(table, generator, discriminator, optimizers, loss, steps, n_rows, seed)

    @classmethod
    def _blank(cls, layout: VectorLayout, config: Mapping[str, Any]) -> nn.Module:
        return CtganGenerator(layout, CtganConfig(**config))

    def _draw(self, network: nn.Module, n: int, stream: torch.Generator, code: int | None) -> tuple[Tensor, Tensor]:
        return cast(CtganGenerator, network).draw(n, stream, code)

    def _asked(self, encoder: VectorEncoder, wanted: Mapping[ColumnName, Any]) -> int | None:
        """Return the first category that the conditions name, on the axis of conditions."""
        layout = encoder.vectors
        for name, value in wanted.items():
            segment = encoder.segment_of(name)
            if segment is None or isinstance(value, (tuple, list, set, frozenset)):
                continue
            held = None
            if not is_missing(value):
                held = exact_values(encoder.schema[name], encoder.encoders[name], pd.Series([value], dtype=object))[0]
            before = sum(layout.sizes[k] for k in range(segment) if layout.category[k])
            return before + encoder.level_index(name, held)
        return None
