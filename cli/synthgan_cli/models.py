"""The models that `synthgan fit --model` knows."""

from __future__ import annotations

import enum
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from synthgan.synthesizers.base import TableSynthesizer

__all__ = ["ModelName", "new_model"]


class ModelName(enum.StrEnum):
    """Synthesizers by the name they have on the command line."""

    SYNTHGAN = "synthgan"
    CTGAN = "ctgan"
    TVAE = "tvae"
    VANILLA = "vanilla"


def new_model(name: ModelName, epochs: int | None, **settings: Any) -> TableSynthesizer:
    """Return an unfitted synthesizer; without `epochs` it takes its own default."""
    from synthgan import CTGAN, TVAE, SynthGAN, VanillaGAN

    classes = {
        ModelName.SYNTHGAN: SynthGAN,
        ModelName.CTGAN: CTGAN,
        ModelName.TVAE: TVAE,
        ModelName.VANILLA: VanillaGAN,
    }
    model: TableSynthesizer = classes[name](**settings)
    return model if epochs is None else model.set_params(epochs=epochs)
