"""scikit-learn's own checks of an estimator."""

from __future__ import annotations

from collections.abc import Callable

from sklearn.utils.estimator_checks import parametrize_with_checks

from synthgan import CTGAN, TVAE, SynthGAN, VanillaGAN
from synthgan.synthesizers.base import TableSynthesizer

SMALL = {"generator_dims": (8,), "discriminator_dims": (8,)}
MODELS = [
    SynthGAN(epochs=1, hidden_dim=16, batch_size=64),
    VanillaGAN(epochs=1, **SMALL),
    CTGAN(epochs=1, **SMALL),
    TVAE(epochs=1, encoder_dims=(8,), decoder_dims=(8,)),
]


@parametrize_with_checks(MODELS)
def test_scikit_learns_estimator_checks(estimator: TableSynthesizer, check: Callable[[TableSynthesizer], None]) -> None:
    check(estimator)
