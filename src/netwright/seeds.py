"""Generators from (seed, purpose, epoch, index), so that nothing random depends on what ran before.

Two purposes never share a stream, and no state has to be saved: whoever knows the four values has the generator.
"""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    import torch


def derive(seed: int, purpose: str, epoch: int = 0, index: int = 0) -> int:
    """A 63-bit seed for one purpose.

    Args:
        seed: The run's seed, any integer.
        purpose: What the stream is for, e.g. "shuffle" or "initialise".
        epoch: Epoch the stream belongs to.
        index: Further distinction within the epoch, e.g. an example's number.

    Example:
        >>> derive(0, "shuffle") == derive(0, "shuffle"), derive(0, "shuffle") == derive(0, "split")
        (True, False)
    """
    digest = hashlib.sha256(f"{seed}/{purpose}/{epoch}/{index}".encode()).digest()
    return int.from_bytes(digest[:8], "little") >> 1


def numpy_generator(seed: int, purpose: str, epoch: int = 0, index: int = 0) -> np.random.Generator:
    """A numpy generator of its own for one purpose; see `derive`."""
    return np.random.Generator(np.random.PCG64(derive(seed, purpose, epoch, index)))


def torch_generator(seed: int, purpose: str, epoch: int = 0, index: int = 0) -> torch.Generator:
    """A torch CPU generator of its own for one purpose; see `derive`."""
    import torch

    return torch.Generator().manual_seed(derive(seed, purpose, epoch, index))
