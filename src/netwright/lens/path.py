"""Ways through weight space seen from above: several trainings from one start, on the plane that holds most of them.

The plane goes through the point where the first way ends, along the two directions in which all ways together spread
most; the loss is measured on it, all weights moved at once. A way is not in the plane: what is drawn is its shadow.

Source: Li et al. 2018, Visualizing the Loss Landscape of Neural Nets, arXiv:1712.09913, section 7 (principal
directions of the trajectory).
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
import torch
from jaxtyping import Float
from torch import Tensor

GRID, MARGIN = 33, 0.15


@dataclass(frozen=True)
class PathView:
    """Some ways on the plane of their two main directions.

    Args:
        shadows: Of each way, (step, 2): where it is on the plane.
        turns: Of each way the mean cosine between one step and the next, in all weights: 1 is straight on, 0 at right
            angles, -1 back.
        share: Share of the spread of all ways that lies in the plane.
        first: Places along the first direction.
        second: Places along the second direction.
        surface: Loss for every pair of them.
    """

    shadows: tuple[Float[np.ndarray, "_ 2"], ...]
    turns: tuple[float, ...]
    share: float
    first: Float[np.ndarray, " column"]
    second: Float[np.ndarray, " row"]
    surface: Float[np.ndarray, "row column"]


def path_view(ways: Sequence[Float[Tensor, "_ weight"]], loss: Callable[[Tensor], float]) -> PathView:
    """The plane of some ways and the loss on it.

    Args:
        ways: Each with all weights as one row for every step; they begin at the same place.
        loss: Of all weights as one row.
    """
    centre = ways[0][-1].double()
    every = torch.cat([way.double() for way in ways]) - centre
    _, sizes, directions = torch.linalg.svd(every, full_matrices=False)
    plane = directions[:2]
    shadows = tuple(((way.double() - centre) @ plane.T).numpy() for way in ways)
    seen = np.concatenate(shadows)
    low, high = seen.min(axis=0), seen.max(axis=0)
    room = MARGIN * np.maximum(high - low, 1e-9)
    first, second = (np.linspace(low[k] - room[k], high[k] + room[k], GRID) for k in range(2))
    surface = np.array(
        [[loss((centre + x * plane[0] + y * plane[1]).to(ways[0].dtype)) for x in first] for y in second]
    )
    share = float(sizes[:2].square().sum() / sizes.square().sum().clamp_min(1e-30))
    return PathView(shadows, tuple(_turns(way.double()) for way in ways), share, first, second, surface)


def _turns(way: Float[Tensor, "step weight"]) -> float:
    steps = way.diff(dim=0)
    steps = steps[steps.norm(dim=1) > 0]
    if len(steps) < 2:
        return 1.0
    return float(torch.nn.functional.cosine_similarity(steps[1:], steps[:-1], dim=1).mean())
