"""The models that `synthgan fit --model` knows."""

from __future__ import annotations

import enum
from pathlib import Path
from typing import TYPE_CHECKING, Any

import typer

if TYPE_CHECKING:
    from synthgan.synthesizers.base import TableSynthesizer

__all__ = ["ModelName", "new_model"]


class ModelName(enum.StrEnum):
    """Synthesizers by the name they have on the command line."""

    SYNTHGAN = "synthgan"
    CTGAN = "ctgan"
    TVAE = "tvae"
    VANILLA = "vanilla"


def new_model(name: ModelName, config: Path | None, **settings: Any) -> TableSynthesizer:
    """Return an unfitted synthesizer; where a setting is None it takes that of `config`, or its own default.

    Raises
    ------
    typer.BadParameter
        For a config of another model than `name`, or of parameters that it does not have.
    """
    from synthgan import CTGAN, TVAE, SynthGAN, VanillaGAN

    classes = {
        ModelName.SYNTHGAN: SynthGAN,
        ModelName.CTGAN: CTGAN,
        ModelName.TVAE: TVAE,
        ModelName.VANILLA: VanillaGAN,
    }
    given = {key: value for key, value in settings.items() if value is not None}
    if config is not None:
        name, chosen = _configured(name, config, {it.__name__: model for model, it in classes.items()})
        if unknown := sorted(set(chosen) - set(classes[name]().get_params())):
            raise typer.BadParameter(f"{classes[name].__name__} has no setting {unknown[0]!r}", param_hint="--config")
        given = chosen | given
    model: TableSynthesizer = classes[name](**given)
    return model


def _configured(name: ModelName, config: Path, names: dict[str, ModelName]) -> tuple[ModelName, dict[str, Any]]:
    from synthgan.tuning import read_config

    found, settings = read_config(config)
    if found not in names:
        raise typer.BadParameter(f"{config} is for {found!r}, which is none of {sorted(names)}", param_hint="--config")
    if name not in (ModelName.SYNTHGAN, names[found]):
        raise typer.BadParameter(f"{config} is for --model {names[found]}, not {name}", param_hint="--config")
    return names[found], settings
