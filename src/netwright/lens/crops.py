"""How often networks are wrong when they see several crops of each picture, alone and as an ensemble.

Answers of all crops and of all networks are averaged as probabilities. Pictures lie in one size already, so a crop is a
part of it brought to full size, bilinearly.

Source: Krizhevsky, Sutskever, Hinton 2012, ImageNet classification with deep convolutional neural networks, section
4.1: four corners and the middle, mirrored or not (10); Szegedy et al. 2015, arXiv:1409.4842, section 7: four scales
with these and the whole, mirrored or not (48; the paper's 144 also cut a long picture into three squares).
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass

import torch
from jaxtyping import Float, Int
from torch import Tensor
from torch.nn.functional import affine_grid, grid_sample

from netwright.data.batches import Batch
from netwright.errors import SpecError
from netwright.lens.activations import looking
from netwright.model_file import Model

TOP = 5  # classes among which the true one must be, for the second error
_SHARE = 224 / 256  # of a side that is seen in a crop of 10
_SCALES = tuple(224 / side for side in (256, 288, 320, 352))


@dataclass(frozen=True)
class Crop:
    """A part of a picture: its share of each side, where its middle lies in half sizes, and whether it is mirrored."""

    share: float
    right: float
    down: float
    mirrored: bool


def crops(count: int) -> list[Crop]:
    """So many crops: 1 is the picture itself, 2 adds its mirror image; 10 and 48 are those of the papers.

    Raises:
        SpecError: Another number.

    Example:
        >>> len(crops(10)), crops(1)
        (10, [Crop(share=1.0, right=0.0, down=0.0, mirrored=False)])
    """
    whole = [(1.0, 0.0, 0.0)]
    parts = {
        1: whole,
        2: whole,
        10: _five(_SHARE),
        48: [place for share in _SCALES for place in [*_five(share), *whole]],
    }
    if count not in parts:
        raise SpecError(f"--crops is {count}.", "Give 1, 2, 10 or 48.")
    sides = (False,) if count == 1 else (False, True)
    return [Crop(*place, mirrored) for place in parts[count] for mirrored in sides]


def seen(
    pixels: Float[Tensor, "batch channel height width"], crop: Crop
) -> Float[Tensor, "batch channel height width"]:
    """A crop of every picture, brought to full size."""
    if crop == Crop(1.0, 0.0, 0.0, mirrored=False):
        return pixels
    across = -crop.share if crop.mirrored else crop.share
    matrix = torch.tensor([[across, 0.0, crop.right], [0.0, crop.share, crop.down]], device=pixels.device)
    grid = affine_grid(matrix.expand(len(pixels), 2, 3), list(pixels.shape), align_corners=False)
    return grid_sample(pixels, grid.to(pixels.dtype), padding_mode="reflection", align_corners=False)


def crop_answers(
    model: Model,
    output: str,
    batches: Iterable[Batch],
    counts: Iterable[int],
    told: Callable[[int], None] = lambda done: None,
) -> dict[int, Tensor]:
    """Probabilities (example, class) averaged over so many crops, by their number.

    Args:
        model: With at least one picture going in.
        output: One of several classes.
        batches: The examples.
        counts: Numbers of crops.
        told: Called with the number of examples done.

    Raises:
        SpecError: No picture goes in, or such a number of crops is not known.
    """
    if not any(field.kind == "image" for field in model.inputs.values()):
        raise SpecError("no picture goes into this network, so none can be cropped.", "Name a run on pictures.")
    wanted = {count: crops(count) for count in counts}
    task = model.tasks[output]
    found: dict[int, list[Tensor]] = {count: [] for count in wanted}
    done = 0
    with looking(model.network) as device:
        for batch in batches:
            inputs = {group: values.to(device) for group, values in batch.inputs.items()}
            known: dict[Crop, Tensor] = {}
            for count, views in wanted.items():
                for view in views:
                    if view not in known:
                        known[view] = task.answers(model.network(_cropped(inputs, view))[output]).cpu()
                found[count].append(torch.stack([known[view] for view in views]).mean(dim=0))
            done += len(batch.index)
            told(done)
    return {count: torch.cat(parts) for count, parts in found.items()}


def wrong(answers: Float[Tensor, "example class"], truth: Int[Tensor, " example"], top: int) -> float:
    """Share of the examples whose class is not among the likeliest ones.

    Example:
        >>> wrong(torch.tensor([[0.2, 0.5, 0.3], [0.2, 0.5, 0.3]]), torch.tensor([2, 0]), 2)
        0.5
    """
    likeliest = answers.topk(top, dim=1).indices
    return float((likeliest != truth[:, None]).all(dim=1).double().mean())


def _five(share: float) -> list[tuple[float, float, float]]:
    """The four corners and the middle."""
    reach = 1 - share
    return [(share, x * reach, y * reach) for x, y in ((-1, -1), (1, -1), (-1, 1), (1, 1), (0, 0))]


def _cropped(inputs: Mapping[str, Tensor], view: Crop) -> dict[str, Tensor]:
    return {group: seen(values, view) if values.ndim == 4 else values for group, values in inputs.items()}
