"""Work of the device that is recorded once and then replayed: one launch instead of hundreds."""

from __future__ import annotations

from collections.abc import Callable, Collection

import torch
from torch import Tensor

__all__ = ["Recorded", "can_record"]

WARM_UPS = 3
"""Runs before the recording, in which libraries make themselves ready."""


def can_record(device: torch.device) -> bool:
    """Whether work on that device can be recorded, random streams and all."""
    return device.type == "cuda" and hasattr(torch.cuda.CUDAGraph, "register_generator_state")


class Recorded:
    """A function of one tensor as a CUDA graph.

    A training step of a small network takes the device less time than the interpreter needs to ask for it. A graph asks
    once. What the function reads (weights, tables) and where it leaves gradients is looked up when it is recorded, so
    weights may change in place, but nothing may take their gradients away in between.

    Parameters
    ----------
    work : callable
        Takes a tensor and returns one; does not wait for the device.
    example : Tensor
        What it is called with; later ones are of the same shape.
    streams : collection of torch.Generator
        Random streams of the device that it draws from; they go on with each replay as they would have without.
    """

    def __init__(self, work: Callable[[Tensor], Tensor], example: Tensor, streams: Collection[torch.Generator]) -> None:
        self.device, self.input = example.device, example.clone()
        with torch.cuda.device(self.device):  # what is recorded is what the current device does
            self._record(work, streams)

    def _record(self, work: Callable[[Tensor], Tensor], streams: Collection[torch.Generator]) -> None:
        kept = [stream.get_state() for stream in streams]
        here, aside = torch.cuda.current_stream(), torch.cuda.Stream()  # type: ignore[no-untyped-call]
        aside.wait_stream(here)
        with torch.cuda.stream(aside):
            for _ in range(WARM_UPS):
                work(self.input)
        here.wait_stream(aside)
        for stream, state in zip(streams, kept, strict=True):
            stream.set_state(state)
        self.graph = torch.cuda.CUDAGraph()
        for stream in streams:
            self.graph.register_generator_state(stream)
        with torch.cuda.graph(self.graph, stream=aside):
            self.output = work(self.input)

    def __call__(self, given: Tensor) -> Tensor:
        """Run the work on another tensor."""
        with torch.cuda.device(self.device):
            self.input.copy_(given)
            self.graph.replay()
            return self.output.clone()
