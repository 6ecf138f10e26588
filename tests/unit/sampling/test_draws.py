"""Drawing under restrictions, against a reference that lists every cell and piece."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
import torch

from synthgan.conditioning.pieces import Restriction
from synthgan.encoding import TableEncoder
from synthgan.models import CodeAxis, Ensemble, GeneratorConfig
from synthgan.models.late import PassState
from synthgan.sampling.draws import DeviceRestriction, choose, draw_block
from synthgan.schema import infer_schema

N = 60_000


@pytest.fixture(scope="module")
def encoder() -> TableEncoder:
    rng = np.random.default_rng(0)
    n = 800
    frame = pd.DataFrame(
        {
            "real": np.where(rng.random(n) < 0.2, np.nan, rng.normal(size=n)),
            "whole": rng.integers(0, 300, n),
            "level": rng.permutation([f"l{k}" for k in (*range(400), *range(50))] + 7 * [f"l{k}" for k in range(50)]),
        }
    )
    return TableEncoder.fit(frame, infer_schema(frame), n_bins=8)


@pytest.fixture(scope="module", params=[1, 3], ids=["alone", "three"])
def generator(encoder: TableEncoder, request: pytest.FixtureRequest) -> Ensemble:
    config = GeneratorConfig(hidden_dim=12, n_layers=1, cell_dim=4, n_members=request.param)
    with torch.random.fork_rng():
        torch.manual_seed(0)
        generator = Ensemble(CodeAxis(encoder.layout), config)
        with torch.no_grad():
            for weight in generator.parameters():
                weight.add_(0.3 * torch.randn_like(weight))
    generator.fold()
    return generator.eval().requires_grad_(False)


def reference(
    generator: Ensemble, states: tuple[PassState, ...], block: int, pieces: dict[int, list[tuple[float, float]]]
) -> dict[tuple[int, int, int], float]:
    """Probability of each (code, cell, piece), from the definition in `Restriction`, one cell at a time."""
    cells = generator.axis.layout.blocks[block].cells
    low, high = generator.axis.bounds(block)
    out: dict[tuple[int, int, int], float] = {}
    members = list(zip(generator.members, states, strict=True))
    shares = sum(torch.softmax(member.block_logits(own, block)[0].double(), dim=0) for member, own in members)
    code_weight = {}
    for code in range(high - low):
        flats = [flat for flat in range(len(cells.code)) if cells.code[flat] == code]
        room = {flat: sum(max(b - a, 1e-9) for a, b in pieces.get(flat, [])) for flat in flats}
        code_weight[code] = float(shares[code]) * sum(cells.weight[flat] * room[flat] for flat in flats)
        if not code_weight[code]:
            continue
        likely = torch.ones(1, dtype=torch.float64)
        if block in generator.cell_blocks:
            asked = torch.tensor([low + code])
            scores = [member.cells.one(own.hidden[:1], block, asked)[0].double() for member, own in members]
            likely = torch.stack([torch.softmax(own, dim=0) for own in scores]).sum(dim=0)
        weight = {flat: float(likely[place]) * room[flat] for place, flat in enumerate(flats)}
        for place, flat in enumerate(flats):
            for index in range(len(pieces.get(flat, []))):
                out[code, place, index] = weight[flat] / sum(weight.values()) / len(pieces[flat])
    total = sum(code_weight.values())
    return {key: share * code_weight[key[0]] / total for key, share in out.items()}


def drawn(generator: Ensemble, block: int, pieces: dict[int, list[tuple[float, float]]]) -> None:
    cells = generator.axis.layout.blocks[block].cells
    flat = np.array([flat for flat, parts in pieces.items() for _ in parts])
    start, stop = (np.array([part[end] for parts in pieces.values() for part in parts]) for end in (0, 1))
    restriction = DeviceRestriction(Restriction.of(cells, flat, start, stop), torch.device("cpu"))
    states = generator.begin(generator.empty(N))
    uniform = torch.rand(N, 3, generator=torch.Generator().manual_seed(1))
    codes, positions = draw_block(generator, states, block, uniform, [(None, restriction)])
    local = (codes - generator.axis.bounds(block)[0]).numpy()
    found, inside = cells.flatten(local, positions.numpy())
    interval = generator.axis.layout.blocks[block].interval
    piece = np.full(N, -1)
    for row_flat, parts in pieces.items():
        for index, (a, b) in enumerate(parts):
            place_fits = (inside > a - 1e-5) & (inside < b + 1e-5) if interval[row_flat] else True
            piece[(found == row_flat) & place_fits] = index
    assert (piece >= 0).all(), "a draw outside every piece"
    wanted = reference(generator, states, block, pieces)
    assert sum(wanted.values()) == pytest.approx(1)
    keys, counts = np.unique(np.stack([local, found - cells.first[local], piece]), axis=1, return_counts=True)
    seen = dict(zip(map(tuple, keys.T.tolist()), counts / N, strict=True))
    assert set(seen) <= set(wanted)
    for key, share in wanted.items():
        # five standard errors: one of a thousand checks in a million runs
        assert abs(seen.get(key, 0) - share) <= 5 * np.sqrt(share * (1 - share) / N) + 1e-6, key


def test_pieces_of_intervals_with_missing(encoder: TableEncoder, generator: Ensemble) -> None:
    cells = encoder.layout.blocks[0].cells
    last = len(cells.code) - 1
    pieces = {0: [(0.2, 0.7)], 3: [(0.0, 0.1), (0.5, 1.0)], 20: [(0.0, 1.0)], 21: [(0.3, 0.3)], last: [(0.0, 1.0)]}
    drawn(generator, 0, pieces)


def test_all_of_a_number(encoder: TableEncoder, generator: Ensemble) -> None:
    drawn(generator, 1, {flat: [(0.0, 1.0)] for flat in range(len(encoder.layout.blocks[1].cells.code))})


def test_some_levels_own_and_shared(encoder: TableEncoder, generator: Ensemble) -> None:
    assert encoder.layout.blocks[2].cells.max_cells > 1
    drawn(generator, 2, {flat: [(0.0, 1.0)] for flat in (0, 5, 130, 131, 140, 199)})


def test_a_restriction_of_some_rows_leaves_the_others_alone(encoder: TableEncoder, generator: Ensemble) -> None:
    cells = encoder.layout.blocks[2].cells
    only = DeviceRestriction(Restriction.cells_only(cells, np.array([131])), torch.device("cpu"))
    states = generator.begin(generator.empty(1000))
    uniform = torch.rand(1000, 3, generator=torch.Generator().manual_seed(2))
    rows = torch.arange(1000) % 2 == 0
    free, _ = draw_block(generator, states, 2, uniform, [])
    codes, positions = draw_block(generator, states, 2, uniform, [(rows, only)])
    local = (codes - generator.axis.bounds(2)[0]).numpy()
    assert (cells.flatten(local, positions.numpy())[0][::2] == 131).all()
    assert torch.equal(codes[1::2], free[1::2])


def test_the_ends_of_the_uniform_draw_stay_inside(encoder: TableEncoder, generator: Ensemble) -> None:
    edge = torch.tensor([0.0, 1 - 2**-24])
    uniform = torch.cartesian_prod(edge, edge, edge)
    states = generator.begin(generator.empty(len(uniform)))
    for block, item in enumerate(encoder.layout.blocks):
        codes, positions = draw_block(generator, states, block, uniform, [])
        low, high = generator.axis.bounds(block)
        assert ((codes >= low) & (codes < high)).all()
        assert ((positions >= 0) & (positions < 1)).all()
        flat, _ = item.cells.flatten((codes - low).numpy(), positions.numpy())
        assert (item.cells.code[flat] == (codes - low).numpy()).all()


@pytest.mark.parametrize("n_codes", [1, 2, 7, 256])
def test_choices_are_those_of_the_normalised_probabilities(n_codes: int) -> None:
    stream = torch.Generator().manual_seed(3)
    logits = 3 * torch.randn(2000, n_codes, generator=stream)
    logits[:, 1::3] = -torch.inf
    uniform = torch.rand(2000, generator=stream)
    found = choose(torch.exp(logits), uniform)
    running = torch.softmax(logits.double(), dim=1).cumsum(dim=1)
    wanted = (running <= uniform.double()[:, None]).sum(dim=1)
    near = (running - uniform.double()[:, None]).abs().amin(dim=1) < 1e-6  # rounding may decide
    assert torch.equal(found[~near], wanted[~near])
    assert near.float().mean() < 0.01
    assert (logits.gather(1, found[:, None]) > -torch.inf).all()
    assert torch.equal(choose(torch.exp(logits[:1]), uniform), choose(torch.exp(logits[:1]).expand(2000, -1), uniform))


@pytest.mark.parametrize("scale", [1e-30, 1.0, 1e15])
def test_the_largest_uniform_draw_takes_the_last_entry_that_has_a_weight(scale: float) -> None:
    weights = scale * torch.rand(5000, 40, generator=torch.Generator().manual_seed(4))
    weights[:, 31:] = 0.0
    weights[:, 30].clamp_(min=0.1 * scale)
    found = choose(weights, torch.full((5000,), 1 - 2**-24))
    assert (found <= 30).all()
    assert (weights.gather(1, found[:, None]) > 0).all()
    assert (choose(weights, torch.zeros(5000)) == (weights > 0).int().argmax(dim=1)).all()
