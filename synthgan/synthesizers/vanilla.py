"""The GAN of the textbooks."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from typing import Any

import torch
from torch import nn

from synthgan.encoding.modes import FitModes, fit_range, fit_standard
from synthgan.encoding.vectors import VectorLayout
from synthgan.models.mlp import ACTIVATIONS, Mlp
from synthgan.models.textbook_losses import LOSSES
from synthgan.models.vanilla import VanillaConfig, VanillaGenerator
from synthgan.synthesizers.vectors import AdversarialSynthesizer, check_choice, check_widths
from synthgan.training.adversarial import SplitRows, VanillaGame
from synthgan.training.rounds import Game

__all__ = ["VanillaGAN"]

OUTPUTS = ("linear", "tanh")
OPTIMIZERS = ("adam", "sgd")


@dataclasses.dataclass(kw_only=True, eq=False, repr=False)
class VanillaGAN(AdversarialSynthesizer):
    """Generator and discriminator as in the first chapter: two plain networks, alternating steps, no tricks.

    It exists to be looked at: every loss, optimiser and trouble of the textbooks can be run here, and `alarms_` says in
    plain words what went wrong. For synthetic tables use `SynthGAN`.

    Parameters
    ----------
    epochs : int, default=300
        Passes over the training rows.
    batch_size : int, default=64
        Rows per step. Any positive number; a smaller table is one batch.
    noise_dim : int, default=100
        Length of the noise vector.
    generator_dims, discriminator_dims : sequence of int, default=(256, 256)
        Widths of the hidden layers.
    activation : {"leaky-relu", "relu"}, default="leaky-relu"
        Between the layers of both networks.
    output : {"linear", "tanh"}, default="linear"
        Of the generator's numbers, which are standardised for a linear output and brought into [-1, 1] for a tanh.
        Categories come out of a Gumbel-softmax either way.
    loss : {"non-saturating", "minimax", "wgan-gp", "hinge", "relativistic"}, default="non-saturating"
        What the two play for.
    optimizer : {"adam", "sgd"}, default="adam"
        Of both networks: Adam with betas .5 and .999, or plain gradient descent.
    generator_lr, discriminator_lr : float, default=1e-3
        Learning rates.
    discriminator_steps : int, default=1
        Discriminator steps per generator step.
    max_seconds : float or None, default=None
        Seconds of training at most.
    device : str, default="auto"
        ``"auto"``, ``"cpu"``, ``"cuda"`` or ``"cuda:N"``.
    random_state : int, numpy Generator, RandomState or None, default=None
        Seed of the training; the global random state is neither read nor changed.
    verbose : int, default=0
        1 logs progress at level INFO to the logger ``"synthgan"``.

    Attributes
    ----------
    alarms_ : list of Alarm
        The troubles that training ran into, with advice; empty in a loaded model (`history_` still tells of them).
    schema_, target_, history_, seed_, interrupted_, n_features_in_, feature_names_in_
        As for `SynthGAN`.

    References
    ----------
    Goodfellow et al. 2014 (arXiv 1406.2661).

    Examples
    --------
    >>> import pandas as pd
    >>> frame = pd.DataFrame({"x": [0.1, 0.4, 0.2, 0.9] * 20, "side": ["left", "right"] * 40})
    >>> model = VanillaGAN(epochs=2, random_state=0).fit(frame)
    >>> model.sample(3, random_state=0).dtypes.astype(str).tolist() == frame.dtypes.astype(str).tolist()
    True
    """

    batch_size: int = 64
    noise_dim: int = 100
    activation: str = "leaky-relu"
    output: str = "linear"
    loss: str = "non-saturating"
    optimizer: str = "adam"
    generator_lr: float = 1e-3
    discriminator_lr: float = 1e-3

    max_lr = 100.0  # so that anybody can see a training explode

    def _check_parameters(self) -> None:
        super()._check_parameters()
        check_choice("activation", self.activation, ACTIVATIONS)
        check_choice("output", self.output, OUTPUTS)
        check_choice("loss", self.loss, tuple(LOSSES))
        check_choice("optimizer", self.optimizer, OPTIMIZERS)

    def _modes(self) -> FitModes:
        return fit_range if self.output == "tanh" else fit_standard

    def _game(self, table: SplitRows, seed: int) -> tuple[nn.Module, Game]:
        config = VanillaConfig(
            self.noise_dim, check_widths("generator_dims", self.generator_dims), self.activation, self.output == "tanh"
        )
        device = table.scalars.device
        generator = VanillaGenerator(table.layout, config).to(device)
        widths = check_widths("discriminator_dims", self.discriminator_dims)
        discriminator = Mlp(table.layout.width, widths, 1, self.activation).to(device)
        optimizers = (
            self._optimizer(generator, self.generator_lr),
            self._optimizer(discriminator, self.discriminator_lr),
        )
        game = VanillaGame(
            table,
            generator,
            discriminator,
            optimizers,
            LOSSES[self.loss],
            self.discriminator_steps,
            self.batch_size,
            seed,
        )
        return generator, game

    def _optimizer(self, module: nn.Module, rate: float) -> torch.optim.Optimizer:
        if self.optimizer == "sgd":
            return torch.optim.SGD(module.parameters(), lr=rate)
        return torch.optim.Adam(module.parameters(), lr=rate, betas=(0.5, 0.999), fused=True)

    @classmethod
    def _blank(cls, layout: VectorLayout, config: Mapping[str, Any]) -> nn.Module:
        return VanillaGenerator(layout, VanillaConfig(**config))
