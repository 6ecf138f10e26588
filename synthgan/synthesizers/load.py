"""A model file, whichever synthesizer wrote it."""

from __future__ import annotations

import os

from synthgan.synthesizers.base import TableSynthesizer

__all__ = ["load"]


def load(path: str | os.PathLike[str], *, device: str = "auto") -> TableSynthesizer:
    """Read a model file; the file says which synthesizer it holds.

    Parameters
    ----------
    path : path
        Written by ``save``.
    device : str, default="auto"
        Where to sample: ``"auto"``, ``"cpu"``, ``"cuda"`` or ``"cuda:N"``.

    Returns
    -------
    SynthGAN, CTGAN, TVAE or VanillaGAN

    Raises
    ------
    ArchiveError
        For a file that is missing, damaged, foreign or of a newer format.

    Examples
    --------
    >>> import pandas as pd, tempfile, pathlib
    >>> from synthgan import SynthGAN
    >>> path = pathlib.Path(tempfile.mkdtemp()) / "m.synthgan"
    >>> SynthGAN(epochs=1, random_state=0).fit(pd.DataFrame({"x": range(10)})).save(path)
    >>> type(load(path)).__name__
    'SynthGAN'
    """
    return TableSynthesizer.load(path, device=device)
