"""What a picture looks like in numbers that a person thought out: directions of its edges, and its colours.

The shallow way of seeing, to stand beside a network that learns its own features: histograms of oriented gradients
and a histogram of colours, for a linear model. Nothing in here learns; a picture gives the same numbers anywhere.
"""

from __future__ import annotations

import math
import sys
from collections.abc import Iterator, Mapping

import numpy as np
import torch
from jaxtyping import Float, Int
from torch import Tensor
from torch.nn.functional import pad

from netwright.tasks.task import Coded

DIRECTIONS = 8
_CELLS = 8  # along a side, and fewer where a cell would have less than four pixels
_CELL_PX = 4
_CLIP = 0.2  # no direction of a block counts for more, as in the source
_FAINT = 0.01  # in spreads of the pixels: blocks flatter than this fade instead of being amplified
_LEVELS = 4  # of each colour
_EDGES = (-0.6745, 0.0, 0.6745)  # of the levels, in spreads around the mean: quarters of a normal distribution
_AT_ONCE = 512
MOST_LOOKED_AT = 160_000_000  # numbers in the pictures of a training part: 52,000 of 3 x 32 x 32, about 8 s


def pictures_among(part: Coded) -> list[str]:
    """The groups of inputs, (example, channel, height, width), that have edges and colours."""
    shapes = {name: tuple(group.shape[1:]) for name, group in part.inputs.items()}
    return [
        name
        for name, shape in shapes.items()
        if len(shape) == 3 and shape[0] in (1, 3) and min(shape[1:]) >= 2 * _CELL_PX
    ]


def most_looked_at(part: Coded, names: list[str]) -> int:
    """How many examples a baseline may look at: what costs some seconds, so that large pictures are fewer."""
    return max(_AT_ONCE, MOST_LOOKED_AT // sum(int(np.prod(part.inputs[name].shape[1:])) for name in names))


def described(part: Coded, names: list[str], most: int | None = None) -> Coded:
    """A part by the gradients and colours of its pictures.

    Args:
        part: The examples; where they were drawn from a larger part, all of that is described.
        names: Groups of pictures, see `pictures_among`.
        most: How many examples at most; all when left out.
    """
    rows, targets, left = [], [], sys.maxsize if most is None else most
    chunks = part.whole.chunks() if part.whole else iter([(part.inputs, part.targets)])
    for inputs, known in chunks:
        rows += [_features(few) for few in _few(inputs, names, left)]
        targets.append(known[:left])
        left -= len(targets[-1])
        if left <= 0:
            break
    return Coded({"by hand": torch.cat(rows)}, torch.cat(targets), part.groups, part.whole)


def _few(inputs: Mapping[str, Tensor], names: list[str], most: int) -> Iterator[list[Tensor]]:
    """A few pictures of each group at a time, of the first `most` examples."""
    count = min(most, len(inputs[names[0]]))
    for start in range(0, count, _AT_ONCE):
        end = min(start + _AT_ONCE, count)
        yield [inputs[name][start:end].cpu().contiguous() for name in names]


def _features(pictures: list[Tensor]) -> Tensor:
    return torch.cat([make(each) for each in pictures for make in (oriented_gradients, colours)], dim=1)


def oriented_gradients(pictures: Float[Tensor, "batch channel height width"]) -> Float[Tensor, "batch feature"]:
    """How strong the edges of each direction are, cell by cell, beside those of the cells around.

    A gradient's direction counts without its sign, from 0 (the brightness changes from left to right) by steps of
    180 / `DIRECTIONS` degrees; each pixel votes with its length for the two nearest. The histograms of 2 x 2 cells
    make a block of length 1; a cell has the mean of what it is in its blocks.

    Args:
        pictures: Any numbers; of several channels the one with the longest gradient counts.

    Returns:
        Direction by cell, the cells row by row: the feature of direction d in cell c is at d * cells + c.

    Source: Dalal & Triggs 2005, Histograms of Oriented Gradients for Human Detection, sections 4 and 6, with eight
    directions in place of nine, so that a quarter turn moves each onto another, without votes for the cells around;
    the mean over the blocks is that of Felzenszwalb et al. 2010, Object Detection with Discriminatively Trained Part
    Based Models, section 6.
    """
    cells = tuple(max(2, min(_CELLS, side // _CELL_PX)) for side in pictures.shape[2:])
    across, down, length = _longest(pictures)
    turn = torch.atan2(down, across) * (DIRECTIONS / torch.pi) % DIRECTIONS
    before = turn.floor()
    share = turn - before
    first = before.long() % DIRECTIONS
    own = _cell_of(pictures.shape[2:], cells) + torch.arange(len(length))[:, None, None] * DIRECTIONS * math.prod(cells)
    voted = torch.stack([first, (first + 1) % DIRECTIONS]) * math.prod(cells) + own
    weights = torch.stack([length * (1 - share), length * share])
    votes = torch.bincount(voted.flatten(), weights.flatten(), len(length) * DIRECTIONS * math.prod(cells))
    return _among_blocks(votes.float().reshape(-1, DIRECTIONS, *cells)).flatten(1)


def colours(pictures: Float[Tensor, "batch channel height width"]) -> Float[Tensor, "batch feature"]:
    """Share of the pixels of each colour, or grey: every channel in four levels.

    Args:
        pictures: Standardised, since the levels lie around a mean of 0.
    """
    levels = torch.zeros_like(pictures, dtype=torch.uint8)
    for edge in _EDGES:
        levels += pictures >= edge
    kinds = _LEVELS ** pictures.shape[1]
    codes = sum(level * _LEVELS**channel for channel, level in enumerate(levels.unbind(1)))
    places = torch.arange(len(pictures))[:, None] * kinds + codes.flatten(1)  # type: ignore[union-attr]
    counts = torch.bincount(places.flatten(), minlength=len(pictures) * kinds)
    return counts.reshape(len(pictures), kinds).float() / (len(places[0]) if len(places) else 1)


def _longest(pictures: Tensor) -> tuple[Tensor, Tensor, Tensor]:
    """How much brighter it gets at each pixel from left to right and downwards, and both in one length.

    Of several channels the one with the longest; compared pair by pair, ten times as fast as an argmax over three.
    """
    wider = pad(pictures, (1, 1, 1, 1), mode="replicate")
    across = (wider[:, :, 1:-1, 2:] - wider[:, :, 1:-1, :-2]) / 2
    down = (wider[:, :, 2:, 1:-1] - wider[:, :, :-2, 1:-1]) / 2
    squares = across.square() + down.square()
    best = squares[:, 0], across[:, 0], down[:, 0]
    for each in zip(squares.unbind(1)[1:], across.unbind(1)[1:], down.unbind(1)[1:], strict=True):
        longer = each[0] > best[0]
        best = tuple(torch.where(longer, new, old) for new, old in zip(each, best, strict=True))
    return best[1], best[2], best[0].sqrt()


def _cell_of(sides: tuple[int, ...], cells: tuple[int, ...]) -> Int[Tensor, "height width"]:
    """Which cell each pixel lies in; cells differ by a pixel where they do not divide a side."""
    down, right = (torch.arange(side) * count // side for side, count in zip(sides, cells, strict=True))
    return down[:, None] * cells[1] + right


def _among_blocks(cells: Float[Tensor, "batch direction high wide"]) -> Float[Tensor, "batch direction high wide"]:
    """Each cell's histogram relative to its blocks, the mean over the blocks it is in."""
    corners = [
        cells[:, :, top : top + cells.shape[2] - 1, left : left + cells.shape[3] - 1]
        for top in (0, 1)
        for left in (0, 1)
    ]
    block = torch.cat(corners, dim=1)
    block = (block / _length(block, _FAINT)).clamp(max=_CLIP)
    block = block / _length(block, _FAINT)
    total, count = torch.zeros_like(cells), cells.new_zeros(cells.shape[2:])
    for number, part in enumerate(block.split(cells.shape[1], dim=1)):
        top, left = divmod(number, 2)
        place = (slice(top, top + part.shape[2]), slice(left, left + part.shape[3]))
        total[:, :, place[0], place[1]] += part
        count[place] += 1
    return total / count


def _length(block: Tensor, least: float) -> Tensor:
    return (block.square().sum(dim=1, keepdim=True) + least**2).sqrt()
