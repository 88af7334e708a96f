"""Crops of a picture, counted as published results count them: 1, 2, 10 or 144 views whose answers are averaged.

A network of 224 x 224 was given crops from pictures whose shorter side is 256, or 256, 288, 320 and 352. For a network
of any other size these are 8, 9, 10 and 11 sevenths of its sides, so a crop shows 7/8, 7/9, 7/10 or 7/11 of a side.
Pictures are read from their files at that larger size: a file with more pixels than the network takes shows them, one
with fewer is enlarged.

Source: Krizhevsky, Sutskever, Hinton 2012, ImageNet Classification with Deep Convolutional Neural Networks, section
4.1 (10 crops); Szegedy et al. 2014, arXiv:1409.4842, section 7 (144 crops; a "square" has the network's proportions
here, and since the whole square is the same picture at all four sizes it is answered once and counts four times).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from jaxtyping import UInt8

from netwright.readers.pictures import Frame

_WHOLE = 7  # sevenths of the network's sides
_SIZES = (8, 9, 10, 11)


@dataclass(frozen=True)
class Crop:
    """A part of a picture of the network's size.

    Args:
        top: Where it lies between the upper end (0) and the lower end (1).
        left: Likewise from left to right.
        mirrored: Left and right exchanged.
    """

    top: float = 0.5
    left: float = 0.5
    mirrored: bool = False


@dataclass(frozen=True)
class Reading:
    """A picture brought to one size, and the crops cut out of it.

    Args:
        crops: The crops.
        sevenths: Size, as sevenths of the network's sides.
        place: Where a picture of other proportions is cut along its longer side, from 0 to 1.
        weight: How often each crop counts.
    """

    crops: tuple[Crop, ...]
    sevenths: int = _WHOLE
    place: float = 0.5
    weight: int = 1

    @property
    def enlarges(self) -> bool:
        """Whether its crops are cut from a larger picture than the network takes."""
        return self.sevenths > _WHOLE

    def frame(self, shape: tuple[int, ...]) -> Frame:
        """The form that pictures are brought to for a network that takes (height, width, channel).

        Example:
            >>> Reading((), 8).frame((224, 224, 3)).height, Reading((), 8).frame((32, 32, 3)).height
            (256, 37)
        """
        height, width = (round(side * self.sevenths / _WHOLE) for side in shape[:2])
        return Frame(height, width, shape[2], self.place)


def _with_mirrored(*crops: Crop) -> tuple[Crop, ...]:
    return (*crops, *(Crop(crop.top, crop.left, mirrored=True) for crop in crops))


_FIVE = _with_mirrored(Crop(), *(Crop(top, left) for top in (0.0, 1.0) for left in (0.0, 1.0)))
_ALL = tuple(
    reading
    for place in (0.5, 0.0, 1.0)
    for reading in (
        Reading(_with_mirrored(Crop()), place=place, weight=len(_SIZES)),
        *(Reading(_FIVE, size, place) for size in _SIZES),
    )
)
SCHEMES: dict[int, tuple[Reading, ...]] = {
    1: (Reading((Crop(),)),),
    2: (Reading(_with_mirrored(Crop())),),
    10: (Reading(_FIVE, _SIZES[0]),),
    144: _ALL,
}
TOLD = {
    1: "the picture as it was in training, its middle where it is longer than the network's input",
    2: "that and its mirror image",
    10: "four corners and the middle, 7/8 of each side, and their mirror images",
    144: "at four sizes three squares, of each four corners, the middle and all of it, and their mirror images",
}


def cut(
    pixels: UInt8[np.ndarray, "batch high wide channel"], crop: Crop, height: int, width: int
) -> UInt8[np.ndarray, "batch {height} {width} channel"]:
    """One crop of every picture.

    Args:
        pixels: Pictures, at least as large as the crop.
        crop: Which one.
        height: Of the crop.
        width: Of the crop.

    Example:
        >>> corner = cut(np.arange(9, dtype=np.uint8).reshape(1, 3, 3, 1), Crop(1.0, 0.0, mirrored=True), 2, 2)
        >>> corner[0, :, :, 0].tolist()
        [[4, 3], [7, 6]]
    """
    top = round((pixels.shape[1] - height) * crop.top)
    left = round((pixels.shape[2] - width) * crop.left)
    seen = pixels[:, top : top + height, left : left + width]
    return seen[:, :, ::-1] if crop.mirrored else seen
