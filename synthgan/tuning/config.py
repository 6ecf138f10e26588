"""Settings of a synthesizer in a TOML file, as ``synthgan fit --config`` takes them."""

from __future__ import annotations

import json
import os
import tomllib
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from synthgan.errors import InputError
from synthgan.io import atomic_write

__all__ = ["read_config", "to_toml", "write_config"]


def to_toml(model: str, settings: Mapping[str, Any], about: str = "") -> str:
    """Return settings as TOML; those that are None are left out, for that is what a missing one means.

    Parameters
    ----------
    model : str
        The synthesizer's class.
    settings : mapping of str to plain values
    about : str
        One line for the reader.

    Examples
    --------
    >>> print(to_toml("SynthGAN", {"generator_lr": 0.002, "hidden_dim": None}))
    model = "SynthGAN"
    <BLANKLINE>
    [settings]
    generator_lr = 0.002
    <BLANKLINE>
    """
    head = f"# {about}\n" if about else ""
    # For these plain values JSON and TOML are written alike.
    lines = [f"{name} = {json.dumps(value)}" for name, value in settings.items() if value is not None]
    return f"{head}model = {json.dumps(model)}\n\n[settings]\n" + "\n".join(lines) + "\n"


def write_config(path: str | os.PathLike[str], model: str, settings: Mapping[str, Any], about: str = "") -> None:
    """Write settings to a TOML file, whole or not at all."""
    with atomic_write(Path(path)) as file:
        file.write(to_toml(model, settings, about).encode())


def read_config(path: str | os.PathLike[str]) -> tuple[str, dict[str, Any]]:
    """Read what `write_config` wrote.

    Returns
    -------
    tuple of str and dict
        The synthesizer's class, and its settings.

    Raises
    ------
    InputError
        When the file cannot be read, or is not such a file.
    """
    try:
        data = tomllib.loads(Path(path).read_text(encoding="utf-8"))
    except OSError as error:
        raise InputError(f"cannot read the settings in {os.fspath(path)!r}: {error.strerror}") from None
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise InputError(f"{os.fspath(path)!r} is no TOML: {error}") from None
    model, settings = data.get("model", "SynthGAN"), data.get("settings", {})
    if extra := sorted(set(data) - {"model", "settings"}):
        raise InputError(f"{os.fspath(path)!r} holds {extra}; it may hold a model's name and a table [settings]")
    if not isinstance(model, str) or not isinstance(settings, dict):
        raise InputError(f"{os.fspath(path)!r} must hold a text 'model' and a table '[settings]'")
    return model, settings
