"""Sequences of different lengths in one tensor: what lies behind the end of each is marked and counts for nothing.

A token that is not there is -1, a step of numbers that is not there is NaN; so a padded batch needs no second tensor
that could be forgotten. Padding stands at the end of a sequence only.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import torch
from jaxtyping import Int
from torch import Tensor

NO_TOKEN = -1


def padded(rows: Sequence[np.ndarray], dim: int = 0) -> Tensor:
    """Sequences side by side, `(batch, time)` int64 of tokens or `(batch, time, dim)` float32 of numbers.

    Args:
        rows: One array per sequence, `(time,)` of codes or `(time, dim)` of numbers.
        dim: Numbers per step; 0 for tokens.

    Example:
        >>> padded([np.array([5, 6]), np.array([7])])
        tensor([[ 5,  6],
                [ 7, -1]])
    """
    longest = max((len(row) for row in rows), default=0) or min(1, len(rows))  # sequences of no step have one, marked
    if dim:
        whole = np.full((len(rows), longest, dim), np.nan, dtype=np.float32)
    else:
        whole = np.full((len(rows), longest), NO_TOKEN, dtype=np.int64)
    for place, row in enumerate(rows):
        whole[place, : len(row)] = row
    return torch.from_numpy(whole)


def there(x: Tensor) -> Tensor:
    """`(batch, time)`: which steps of a padded tensor are there.

    Args:
        x: Tokens `(batch, time)` or numbers `(batch, time, dim)`.
    """
    return x >= 0 if x.ndim == 2 else ~x[..., 0].isnan()


def lengths(x: Tensor) -> Int[Tensor, " batch"]:
    """How many steps each sequence of a padded tensor has.

    Args:
        x: Tokens `(batch, time)` or numbers `(batch, time, dim)`.

    Example:
        >>> lengths(torch.tensor([[5, 6], [7, -1]]))
        tensor([2, 1])
    """
    return there(x).sum(dim=1)


def joined(tensors: Sequence[Tensor]) -> Tensor:
    """Batches of sequences one after the other, all padded to the longest.

    Args:
        tensors: Padded tensors of one kind; those of equal length are joined as they are.
    """
    if len({tensor.shape[1:] for tensor in tensors}) <= 1:
        return torch.cat(list(tensors))
    longest = max(tensor.shape[1] for tensor in tensors)
    pad = NO_TOKEN if tensors[0].ndim == 2 else torch.nan
    grown = [tensor.new_full((len(tensor), longest, *tensor.shape[2:]), pad) for tensor in tensors]
    for whole, tensor in zip(grown, tensors, strict=True):
        whole[:, : tensor.shape[1]] = tensor
    return torch.cat(grown)


def trimmed(x: Tensor) -> Tensor:
    """The same without steps at the end that no sequence has; at least one step stays.

    Args:
        x: A padded tensor.
    """
    longest = int(lengths(x).max()) if len(x) else 0
    return x[:, : max(longest, 1)]


def moments(x: Tensor) -> Tensor:
    """`(batch, 2 dim + 1)`: mean and spread of each number over the steps that are there, and the log of their count.

    Args:
        x: Padded numbers `(batch, time, dim)`.
    """
    kept = there(x)[..., None]
    count = kept.sum(dim=1).clamp(min=1)
    values = torch.where(kept, x, 0.0)
    mean = values.sum(dim=1) / count
    apart = torch.where(kept, (values - mean[:, None]).square(), 0.0).sum(dim=1) / count
    return torch.cat([mean, apart.sqrt(), count.log()], dim=1)


class Flat:
    """Sequences held end to end, from which batches are gathered: what is held has no padding.

    Args:
        parts: Padded tensors, whose sequences are taken one after the other.

    Example:
        >>> Flat([torch.tensor([[5, 6], [7, -1]])]).rows(torch.tensor([1]))
        tensor([[7]])
    """

    def __init__(self, parts: Sequence[Tensor]) -> None:
        masks = [there(part) for part in parts]
        self.values = torch.cat([part[mask] for part, mask in zip(parts, masks, strict=True)])
        self.lengths = torch.cat([mask.sum(dim=1) for mask in masks])
        self.starts = self.lengths.cumsum(0) - self.lengths
        self._pad = NO_TOKEN if self.values.ndim == 1 else torch.nan

    def __len__(self) -> int:
        return len(self.lengths)

    def to(self, device: torch.device) -> Flat:
        """Moved to another device.

        Args:
            device: Where the batches are to be.
        """
        self.values, self.lengths, self.starts = (x.to(device) for x in (self.values, self.lengths, self.starts))
        return self

    def rows(self, pick: Int[Tensor, " batch"], begins: Int[Tensor, " batch"] | None = None, past: int = 0) -> Tensor:
        """Some sequences, padded.

        Args:
            pick: Which ones.
            begins: From which step on; from the first when left out.
            past: Steps of each at most, where they begin somewhere.
        """
        lengths, starts = self.lengths.index_select(0, pick), self.starts.index_select(0, pick)
        if begins is not None:
            lengths, starts = (lengths - begins).clamp(max=past), starts + begins
        shortest, longest = (int(each) for each in lengths.aminmax()) if len(pick) else (0, 0)
        steps = torch.arange(max(longest, 1), device=pick.device)
        index = starts[:, None] + steps
        if shortest < len(steps):
            index.clamp_(max=max(len(self.values) - 1, 0))
        if not len(self.values):
            return self.values.new_full((*index.shape, *self.values.shape[1:]), self._pad)
        found = self.values.index_select(0, index.flatten()).unflatten(0, index.shape)
        if shortest == len(steps):
            return found
        found[steps >= lengths[:, None]] = self._pad
        return found
