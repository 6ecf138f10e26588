"""A last look at a trained generator, to see whether its rows are as varied as the table's."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from synthgan.conditioning.space import ConditionSpace
from synthgan.encoding import EncodedTable, TableEncoder, TableLayout
from synthgan.encoding.vectors import VectorLayout
from synthgan.models import Ensemble
from synthgan.rng import numpy_stream
from synthgan.sampling import Sampler
from synthgan.training.looks import Gallery

__all__ = ["last_look"]

LOOK_ROWS = 500


def last_look(generator: Ensemble, encoder: TableEncoder, table: EncodedTable, seed: int) -> dict[str, float]:
    """Draw some rows and compare them with some of the table's.

    Parameters
    ----------
    generator : Ensemble
        Trained and folded.
    encoder : TableEncoder
        What its codes mean.
    table : EncodedTable
        The fitted rows.
    seed : int
        Names the random streams.

    Returns
    -------
    dict of str to float
        Fidelity, coverage and diversity, as `Gallery.compare` says.
    """
    picked = numpy_stream(seed, "last look").permutation(len(table))[: 2 * LOOK_ROWS]
    real = _vectors(EncodedTable(table.codes[picked], table.positions[picked], table.known[picked]), encoder.layout)
    half = max(len(real) // 2, 1)
    ordered = [block.ordered for block in encoder.layout.blocks]
    sizes = tuple(block.n_codes for block in encoder.layout.blocks if not block.ordered)
    gallery = Gallery(real[:half], real, VectorLayout(sum(ordered), sizes, (True,) * len(sizes)))
    drawn = next(Sampler(generator, encoder).chunks(2 * LOOK_ROWS, ConditionSpace(encoder).none(), seed))[1]
    return gallery.compare(_vectors(drawn, encoder.layout))


def _vectors(table: EncodedTable, layout: TableLayout) -> npt.NDArray[np.float32]:
    """Blocks of numbers as their place among all cells, in [0, 1]; the others as one-hots."""
    numbers, levels = [], []
    for index, block in enumerate(layout.blocks):
        code = table.codes[:, index].astype(np.int64)
        if block.ordered:
            place = table.positions[:, layout.positioned.index(index)] if index in layout.positioned else 0.5
            numbers.append((code + place) / block.n_codes)
        else:
            levels.append(np.eye(block.n_codes, dtype=np.float32)[code])
    parts = [np.stack(numbers, axis=1)] if numbers else []
    return np.concatenate([*parts, *levels], axis=1).astype(np.float32)
