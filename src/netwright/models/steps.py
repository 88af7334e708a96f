"""Which steps of a batch of sequences are there, and what follows from it: what lies behind an end counts for nothing.

A batch is `(batch, time, dim)` with the number of steps of each example, or None where all have as many as there are.
"""

from __future__ import annotations

import torch
from jaxtyping import Float, Int, Shaped
from torch import Tensor

from netwright.readers import padding


def opened(x: Tensor) -> tuple[Tensor, Int[Tensor, " batch"] | None]:
    """A padded batch as a network takes it: with 0 for what is not there, and how many steps each example has.

    Args:
        x: Tokens `(batch, time)` or numbers `(batch, time, dim)`, padded as `readers/padding.py` says.
    """
    there = padding.there(x)
    if x.device.type == "cpu" and bool(there[:, -1].all()):
        return x, None
    return x.clamp(min=0) if x.ndim == 2 else x.nan_to_num(), there.sum(dim=1)


def there(x: Tensor, steps: Int[Tensor, " batch"]) -> Tensor:
    """`(batch, time, 1)`: which steps of a batch are there.

    Args:
        x: The sequences, `(batch, time, dim)`.
        steps: How many steps each has.
    """
    return (torch.arange(x.shape[1], device=x.device) < steps[:, None])[:, :, None]


def without_rest(x: Tensor, steps: Int[Tensor, " batch"] | None) -> Tensor:
    """The same with 0 behind the end of each sequence.

    Args:
        x: The sequences, `(batch, time, dim)`.
        steps: How many steps each has; None where all have as many as there are.
    """
    return x if steps is None else x.masked_fill(~there(x, steps), 0.0)


def at_end(x: Float[Tensor, "batch time dim"], steps: Int[Tensor, " batch"]) -> Float[Tensor, "batch dim"]:
    """Each sequence's last step.

    Args:
        x: The sequences.
        steps: How many steps each has; one of none counts as having one.
    """
    place = (steps - 1).clamp(min=0)[:, None, None].expand(-1, 1, x.shape[2])
    return x.gather(1, place)[:, 0]


def reversed_steps(x: Shaped[Tensor, "batch time dim"], steps: Int[Tensor, " batch"] | None) -> Tensor:
    """Each sequence from its end to its beginning; what lies behind its end stays there.

    Args:
        x: The sequences.
        steps: How many steps each has; None where all have as many as there are.
    """
    if steps is None:
        return x.flip(1)
    places = torch.arange(x.shape[1], device=x.device).expand(len(x), -1)
    turned = torch.where(places < steps[:, None], steps[:, None] - 1 - places, places)
    return x.gather(1, turned[:, :, None].expand_as(x))
