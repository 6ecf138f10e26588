"""Where to compute, and in what number format."""

from __future__ import annotations

import torch

from synthgan.errors import ConfigError

__all__ = ["compute_dtype", "resolve_device"]


def resolve_device(name: str) -> torch.device:
    """Return the device of that name; ``"auto"`` is a CUDA device where there is one, else the CPU.

    Raises
    ------
    ConfigError
        For an unknown name, or a CUDA device that is not there.

    Examples
    --------
    >>> resolve_device("cpu")
    device(type='cpu')
    """
    if name == "auto":
        return torch.device("cuda" if torch.cuda.is_available() else "cpu")
    try:
        device = torch.device(name)
    except (RuntimeError, TypeError):
        raise ConfigError(f"device must be 'auto', 'cpu', 'cuda' or 'cuda:N'; got {name!r}") from None
    if device.type not in ("cpu", "cuda"):
        raise ConfigError(f"device must be 'auto', 'cpu', 'cuda' or 'cuda:N'; got {name!r}")
    if device.type == "cuda" and not (torch.cuda.is_available() and (device.index or 0) < torch.cuda.device_count()):
        raise ConfigError(
            f"device {name!r} is not there ({torch.cuda.device_count()} CUDA devices); use 'auto' or 'cpu'"
        )
    return device


def compute_dtype(device: torch.device) -> torch.dtype:
    """Return bfloat16 where the hardware multiplies it natively, else float32.

    Processors with AVX512-BF16 or AMX multiply bfloat16 at two or more times the rate of float32; others emulate it.
    """
    if device.type == "cuda":
        return torch.bfloat16 if torch.cuda.is_bf16_supported() else torch.float32
    probes = (getattr(torch.cpu, name, None) for name in ("_is_avx512_bf16_supported", "_is_amx_tile_supported"))
    return torch.bfloat16 if any(probe is not None and probe() for probe in probes) else torch.float32
