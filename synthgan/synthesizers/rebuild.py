"""An ensemble from what a model file holds."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from typing import Any

import torch
from torch import Tensor

from synthgan.encoding import TableEncoder
from synthgan.errors import ArchiveError
from synthgan.models import CodeAxis, Ensemble, GeneratorConfig
from synthgan.models.critic import MAX_KINDS
from synthgan.models.generator import MAX_MEMBERS
from synthgan.models.trees import MAX_DEPTH
from synthgan.synthesizers.fitted import check_weights
from synthgan.synthesizers.targeted import takes_trees
from synthgan.training.device import compute_dtype

__all__ = ["rebuilt_ensemble"]


def rebuilt_ensemble(
    config: Mapping[str, Any], encoder: TableEncoder, weights: Mapping[str, Tensor], device: torch.device
) -> Ensemble:
    """Rebuild trained generators and their critic, ready to sample.

    Parameters
    ----------
    config : dict
        Sizes, as a `GeneratorConfig` has them.
    encoder : TableEncoder
        Of the fitted table.
    weights : dict of Tensor
        By name; those of files from before ensembles are of one generator.
    device : torch.device
        Where to sample.

    Raises
    ------
    ArchiveError
        Where sizes are out of range, or the weights are not of these sizes.
    """
    sizes = GeneratorConfig(**config)
    if max(sizes.critic_depth, sizes.target_depth) > MAX_DEPTH:
        depths = f"critic_depth and target_depth cannot be {sizes.critic_depth!r} and {sizes.target_depth!r}"
        raise ArchiveError(f"{depths}; they are {MAX_DEPTH} at most")
    if type(sizes.critic_groups) is not int or not 1 <= sizes.critic_groups <= MAX_KINDS >> sizes.critic_depth:
        raise ArchiveError(
            f"critic_groups cannot be {sizes.critic_groups!r} where critic_depth is {sizes.critic_depth}"
        )
    if type(sizes.target) is not int or not 0 <= sizes.target < max(len(encoder.layout), 1):
        raise ArchiveError(f"target cannot be {sizes.target!r}; the table has {len(encoder.layout)} blocks")
    if sizes.target_trees and not takes_trees(encoder.layout.blocks[sizes.target]):
        raise ArchiveError("the target in the model file is no column that could have trees")
    if weights and not any(name.startswith("members.") for name in weights):
        # Files of the time before ensembles hold one generator.
        weights = {name if name.startswith("critic.") else f"members.0.{name}": weights[name] for name in weights}
    if "critic.leaf" in weights:
        # Files of the time before samples were balanced know no shares, and later ones none of the target.
        unknown = {"share": torch.zeros_like(weights["critic.leaf"]), "overlap": torch.ones(())}
        unknown["group"] = torch.zeros(encoder.layout.n_codes, dtype=torch.uint8)
        weights = {f"critic.{name}": tensor for name, tensor in unknown.items()} | dict(weights)
    if "target.base" in weights:
        # Files of the time before networks had a say in categories have only what trees say.
        weights = {"target.tilt": torch.tensor([0.0, 1.0])} | dict(weights)
    if type(sizes.n_members) is not int or not 1 <= sizes.n_members <= MAX_MEMBERS:
        raise ArchiveError(f"n_members cannot be {sizes.n_members!r}; it is from 1 to {MAX_MEMBERS}")
    with torch.device("meta"):  # shapes first: no weight is allocated until they are known to match
        one = Ensemble(CodeAxis(encoder.layout), dataclasses.replace(sizes, n_members=1)).state_dict()
    check_weights(weights, _of_members(one, sizes.n_members))
    with torch.random.fork_rng(devices=[]):
        generator = Ensemble(CodeAxis(encoder.layout), sizes)
    generator.load_state_dict(dict(weights))
    for name, trees in (("critic", generator.critic), ("target's trees", generator.target)):
        if trees is not None and not trees.fits(generator.axis):
            raise ArchiveError(f"the {name} in the model file ask about columns that the table does not have")
    if generator.critic is not None and not generator.critic.counts_rows():
        raise ArchiveError("the critic in the model file has shares of rows that cannot be")
    for member in generator.members:
        member.folded = True
    generator.set_compute_dtype(compute_dtype(device))
    return generator.to(device).eval()


def _of_members(one: Mapping[str, Tensor], n_members: int) -> dict[str, Tensor]:
    """The weights of an ensemble of one, as those of several members."""
    first = "members.0."
    shared = {name: weight for name, weight in one.items() if not name.startswith(first)}
    own = {name.removeprefix(first): weight for name, weight in one.items() if name.startswith(first)}
    return shared | {f"members.{k}.{name}": weight for k in range(n_members) for name, weight in own.items()}
