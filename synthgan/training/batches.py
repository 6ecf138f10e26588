"""Rows on the training device, and which of them come next."""

from __future__ import annotations

import copy
from collections.abc import Mapping
from typing import Any

import numpy as np
import torch
from torch import Tensor

from synthgan.encoding import EncodedTable
from synthgan.models import CodeAxis
from synthgan.models.features import Rows

__all__ = ["Batches", "DeviceTable"]


class DeviceTable:
    """An encoded table on the training device, as compact as it was encoded.

    Parameters
    ----------
    table : EncodedTable
        Rows to hold.
    axis : CodeAxis
        The layout, on the device to use.
    """

    def __init__(self, table: EncodedTable, axis: CodeAxis) -> None:
        device = axis.offsets.device
        self.axis = axis
        self.codes = torch.from_numpy(table.codes).to(device)
        self.positions = torch.from_numpy(table.positions).to(device)

    def __len__(self) -> int:
        return len(self.codes)

    def rows(self, index: Tensor) -> Rows:
        """Gather rows by index (n,)."""
        codes = self.codes[index].long() + self.axis.offsets
        positions = torch.full(codes.shape, 0.5, device=codes.device)
        positions[:, self.axis.positioned] = self.positions[index]
        return Rows(codes, positions)

    def joined(self, other: DeviceTable) -> DeviceTable:
        """These rows, and those of another table after them."""
        out = copy.copy(self)
        out.codes = torch.cat([self.codes, other.codes])
        out.positions = torch.cat([self.positions, other.positions])
        return out

    def table(self) -> EncodedTable:
        """Return the table, every cell known."""
        codes = self.codes.cpu().numpy()
        return EncodedTable(codes, self.positions.cpu().numpy(), np.ones(codes.shape, np.bool_))

    def counts(self) -> Tensor:
        """Rows that hold each code: float32, shape (T,)."""
        total = torch.zeros(len(self.axis.block_of), device=self.codes.device)
        for block in range(self.codes.shape[1]):
            low, high = self.axis.bounds(block)
            total[low:high] = torch.bincount(self.codes[:, block].int(), minlength=high - low).float()
        return total


class Batches:
    """Row indices, batch after batch without end, each row at most once per epoch.

    Parameters
    ----------
    n_rows, batch_size : int
        Rows there are, and rows of a batch (all of them where there are fewer); what is left of an epoch is dropped.
    stream : torch.Generator
        Draws the order of each epoch.
    """

    def __init__(self, n_rows: int, batch_size: int, stream: torch.Generator) -> None:
        self.n_rows, self.size, self.stream = n_rows, min(batch_size, n_rows), stream
        self.order = torch.empty(0, dtype=torch.int64, device=stream.device)
        self.place = 0

    def __next__(self) -> Tensor:
        if self.place + self.size > len(self.order):
            self.order = torch.randperm(self.n_rows, generator=self.stream, device=self.stream.device)
            self.place = 0
        batch = self.order[self.place : self.place + self.size]
        self.place += self.size
        return batch

    def state_dict(self) -> dict[str, Any]:
        """Return the order of this epoch, and how far it has been used."""
        return {"order": self.order, "place": self.place}

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        """Go on from where `state_dict` was taken; ValueError for what is no order of these rows."""
        order, place = state["order"], int(state["place"])
        inside = not len(order) or (int(order.min()) >= 0 and int(order.max()) < self.n_rows)
        if (
            order.dtype != torch.int64
            or len(order) not in (0, self.n_rows)
            or not inside
            or not 0 <= place <= len(order)
        ):
            raise ValueError("no order of the training rows")
        self.order, self.place = order.to(self.stream.device), place
