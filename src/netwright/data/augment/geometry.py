"""Transforms that move what is in a picture: mirrored, shifted, cropped, turned, stretched, bent."""

from __future__ import annotations

import math

import torch
from torch import Tensor
from torch.nn.functional import affine_grid, grid_sample, interpolate

from netwright.data.augment import Draw, Transform, laid_like, within

_CELLS = 4  # of a bent picture, a side: the field of displacements is drawn for their corners and smooth between them


class Mirror(Transform):
    """Left becomes right in every other epoch of an example, so that pictures and mirror images are seen equally often.

    Chance draws which of the two comes first.

    Source: Jordan 2024, 94 % on CIFAR-10 in 3.29 seconds on a single GPU, arXiv:2404.00498, section 3.6.

    Example:
        >>> picture = torch.tensor([[[[1.0, 2.0, 3.0]]]])
        >>> [Mirror().image(picture, Draw(0, "mirror", epoch, torch.tensor([0]))).tolist()[0][0][0] for epoch in (0, 1)]
        [[3.0, 2.0, 1.0], [1.0, 2.0, 3.0]]
    """

    turns_sides = True

    def views(self) -> float:
        """A picture and its mirror image."""
        return 2.0

    def image(self, pixels: Tensor, draw: Draw) -> Tensor:
        """Some of the pictures mirrored."""
        return torch.where(self._mirrored(draw)[:, None, None, None], pixels.flip(-1), pixels)

    def points(self, places: Tensor, draw: Draw, size_px: tuple[int, int]) -> Tensor:
        """Places as far from the right border as they were from the left one; see `Transform.points`."""
        turned = torch.stack([size_px[1] - places[..., 0], places[..., 1]], dim=-1)
        return torch.where(self._mirrored(draw)[:, None, None], turned, places)

    def plane(self, draw: Draw) -> Tensor:
        """Tracks with the other sign of their first coordinate, in every other epoch."""
        sides = torch.where(self._mirrored(draw), -1.0, 1.0)
        return torch.diag_embed(torch.stack([sides, torch.ones_like(sides)], dim=1))

    def number(self, values: Tensor, draw: Draw) -> Tensor:
        """Numbers of mirrored pictures with the other sign."""
        return torch.where(self._mirrored(draw), -values, values)

    @staticmethod
    def _mirrored(draw: Draw) -> Tensor:
        return (draw.uniform(1, every_epoch=False)[:, 0] < 0.5) ^ bool(draw.epoch % 2)


class Shift(Transform):
    """Every picture moves a few pixels in any direction; what comes in at a border is what lay there, reflected.

    Args:
        px: At most so many pixels, at least 1.

    Source: Krizhevsky, Sutskever, Hinton 2012, ImageNet classification with deep convolutional neural networks,
    section 4.1: random patches of a larger picture.

    Example:
        >>> picture = torch.arange(4.0).expand(1, 1, 2, 4)
        >>> [Shift(1).image(picture, Draw(0, "shift", epoch, torch.tensor([0])))[0, 0, 0].tolist() for epoch in (0, 5)]
        [[0.0, 1.0, 2.0, 3.0], [1.0, 2.0, 3.0, 2.0]]

    Raises:
        ValueError: `px` is below 1.
    """

    def __init__(self, px: int = 2) -> None:
        if px < 1:
            raise ValueError(f"px is {px}, expected at least 1")
        self.px = px

    def fits(self, shape: tuple[int, ...]) -> str:
        """A picture must be larger than its shift."""
        height, width, _ = shape
        return f"px is {self.px}, but pictures are {height} x {width}" if self.px >= min(height, width) else ""

    def views(self) -> float:
        """One for every place."""
        return float((2 * self.px + 1) ** 2)

    def image(self, pixels: Tensor, draw: Draw) -> Tensor:
        """The pictures, each at another place."""
        down, right = self._steps(draw)
        return laid_like(moved(pixels, self.px - down, self.px - right), pixels)

    def points(self, places: Tensor, draw: Draw, size_px: tuple[int, int]) -> Tensor:
        """Places moved as their pictures are; see `Transform.points`."""
        down, right = self._steps(draw)
        return places + self.px - torch.stack([right, down], dim=1)[:, None]

    def _steps(self, draw: Draw) -> tuple[Tensor, Tensor]:
        """How far down and right each picture is looked at, from 0 to twice the pixels."""
        down, right = (draw.uniform(2) * (2 * self.px + 1)).long().unbind(1)
        return down, right


def moved(pixels: Tensor, down: Tensor, right: Tensor) -> Tensor:
    """Pictures moved by whole pixels, less than their sides; what comes in at a border is what lay there, reflected.

    Args:
        pixels: (batch, channel, height, width).
        down: int64 (batch,), how far each one moves down; negative is up.
        right: Likewise, negative is left.

    Example:
        >>> one = torch.tensor([1])
        >>> moved(torch.arange(4.0).expand(1, 1, 2, 4), 0 * one, one)[0, 0, 0].tolist()
        [1.0, 0.0, 1.0, 2.0]
    """
    count, channels, height, width = pixels.shape
    first = torch.arange(count, device=pixels.device)[:, None] * height
    places = (first + _reflected(down, height))[:, :, None] * width + _reflected(right, width)[:, None]
    last = pixels.permute(0, 2, 3, 1)  # so that whole pixels are copied, not single numbers
    return last.reshape(-1, channels).index_select(0, places.flatten()).reshape(last.shape).permute(0, 3, 1, 2)


def _reflected(by: Tensor, size: int) -> Tensor:
    """Where each row of a moved picture lay before, int64 (batch, size)."""
    before = (torch.arange(size, device=by.device) - by[:, None]).abs()
    return size - 1 - (size - 1 - before).abs()


class Affine(Transform):
    """What can be said by where the new picture's places lie in the old one: turned, larger, aside, all straight."""

    def matrix(self, draw: Draw, size_px: tuple[int, int]) -> Tensor:
        """Place in the old picture of a place in the new one, (batch, 2, 3): both in half sizes from the middle."""
        raise NotImplementedError

    def image(self, pixels: Tensor, draw: Draw) -> Tensor:
        """The pictures seen through their matrices; beyond a border lies its reflection."""
        height, width = pixels.shape[2:]
        matrix = self.matrix(draw, (height, width)).to(pixels.dtype)
        grid = affine_grid(matrix, list(pixels.shape), align_corners=False)
        seen = grid_sample(pixels, grid, mode="bilinear", padding_mode="reflection", align_corners=False)
        return laid_like(seen, pixels)

    def points(self, places: Tensor, draw: Draw, size_px: tuple[int, int]) -> Tensor:
        """Places through the inverse of the matrices; see `Transform.points`."""
        half = torch.tensor([size_px[1] / 2, size_px[0] / 2], device=places.device)
        matrix = self.matrix(draw, size_px)
        old = places / half - 1
        return ((old - matrix[:, None, :, 2]) @ torch.linalg.inv(matrix[:, :, :2]).mT + 1) * half


class Rotate(Affine):
    """Every picture is turned around its middle, either way.

    Args:
        degrees: At most so far, above 0, at most 180.

    Source: Simard, Steinkraus, Platt 2003, Best Practices for Convolutional Neural Networks, section 2.

    Example:
        >>> turned = Rotate(90.0).points(torch.tensor([[[4.0, 2.0]]]), Draw(0, "rotate", 0, torch.tensor([0])), (4, 4))
        >>> round(float((turned - 2).norm()), 4)
        2.0

    Raises:
        ValueError: `degrees` is out of range.
    """

    def __init__(self, degrees: float = 15.0) -> None:
        self.degrees = within("degrees", degrees, 180.0)

    def matrix(self, draw: Draw, size_px: tuple[int, int]) -> Tensor:
        """A rotation in pixels, which in half sizes is none where a picture is no square; see `Affine.matrix`."""
        angle = draw.around(math.radians(self.degrees), 1)[:, 0]
        cos, sin, none = angle.cos(), angle.sin(), torch.zeros_like(angle)
        longer = size_px[0] / size_px[1]
        rows = [torch.stack([cos, -sin * longer, none], 1), torch.stack([sin / longer, cos, none], 1)]
        return torch.stack(rows, dim=1)

    def plane(self, draw: Draw) -> Tensor:
        """Tracks turned around the middle of the data."""
        return self.matrix(draw, (1, 1))[:, :, :2]


class Stretch(Affine):
    """Every picture becomes longer or shorter and, for itself, wider or narrower.

    Args:
        share: At most by so much, e.g. 0.2 for a fifth; above 0, at most 1.

    Source: Simard, Steinkraus, Platt 2003, Best Practices for Convolutional Neural Networks, section 2.

    Example:
        >>> seen = Stretch(0.5).points(torch.tensor([[[4.0, 2.0]]]), Draw(0, "stretch", 0, torch.tensor([0])), (4, 4))
        >>> 2 + 2 / 1.5 <= float(seen[0, 0, 0]) <= 2 + 2 * 1.5, float(seen[0, 0, 1])
        (True, 2.0)

    Raises:
        ValueError: `share` is out of range.
    """

    def __init__(self, share: float = 0.2) -> None:
        self.share = within("share", share, 1.0)

    def matrix(self, draw: Draw, size_px: tuple[int, int]) -> Tensor:
        """Two scales, as likely above 1 as below; see `Affine.matrix`."""
        scale = torch.exp(draw.around(math.log(1 + self.share), 2))
        return torch.cat([torch.diag_embed(scale), torch.zeros_like(scale)[:, :, None]], dim=2)

    def plane(self, draw: Draw) -> Tensor:
        """Tracks longer or shorter along each axis."""
        return self.matrix(draw, (1, 1))[:, :, :2]


class Crop(Affine):
    """A part of every picture, drawn by chance and brought to full size.

    Args:
        share: At most so much of each side is cut off, above 0, at most 0.9.

    Source: Szegedy et al. 2015, Going Deeper with Convolutions, arXiv:1409.4842, section 6.

    Example:
        >>> place = Crop(0.5).points(torch.tensor([[[2.0, 2.0]]]), Draw(0, "crop", 0, torch.tensor([0])), (4, 4))
        >>> bool(((place >= 0) & (place <= 4)).all())
        True

    Raises:
        ValueError: `share` is out of range.
    """

    def __init__(self, share: float = 0.25) -> None:
        self.share = within("share", share, 0.9)

    def matrix(self, draw: Draw, size_px: tuple[int, int]) -> Tensor:
        """One scale below 1, and a middle that leaves the part inside; see `Affine.matrix`."""
        drawn = draw.uniform(3)
        scale = 1 - self.share * drawn[:, :1]
        middle = (2 * drawn[:, 1:] - 1) * (1 - scale)
        return torch.cat([torch.diag_embed(scale.expand(-1, 2)), middle[:, :, None]], dim=2)


class Distort(Transform):
    """Every picture is bent, as if printed on rubber: its places move a little, neighbours almost alike.

    Args:
        share: At most so far, as a share of a quarter of the picture; above 0, at most 1.

    Source: Simard, Steinkraus, Platt 2003, Best Practices for Convolutional Neural Networks, section 2, with a field
    drawn at a few places and smooth between them in the place of blurred noise.

    Example:
        >>> picture = torch.ones(1, 1, 6, 6)
        >>> torch.allclose(Distort().image(picture, Draw(0, "distort", 0, torch.tensor([0]))), picture)
        True

    Raises:
        ValueError: `share` is out of range.
    """

    def __init__(self, share: float = 0.3) -> None:
        self.share = within("share", share, 1.0)

    def image(self, pixels: Tensor, draw: Draw) -> Tensor:
        """The bent pictures; beyond a border lies its reflection."""
        height, width = pixels.shape[2:]
        moved = self._moved(draw, (height, width))
        none = torch.eye(2, 3, device=pixels.device).expand(len(pixels), -1, -1)
        straight = affine_grid(none, list(pixels.shape), align_corners=False)
        grid = (straight + moved.permute(0, 2, 3, 1)).to(pixels.dtype)
        seen = grid_sample(pixels, grid, mode="bilinear", padding_mode="reflection", align_corners=False)
        return laid_like(seen, pixels)

    def points(self, places: Tensor, draw: Draw, size_px: tuple[int, int]) -> Tensor:
        """Places moved against the field, as it is where they come to lie; see `Transform.points`."""
        half = torch.tensor([size_px[1] / 2, size_px[0] / 2], device=places.device)
        moved, old = self._moved(draw, size_px), places / half - 1
        new = old
        for _ in range(3):  # a place of the new picture is where its displacement leads to the old one
            there = grid_sample(moved, new[:, None], padding_mode="border", align_corners=False)[:, :, 0].mT
            new = old - there
        return (new + 1) * half

    def _moved(self, draw: Draw, size_px: tuple[int, int]) -> Tensor:
        """Displacement of each place, (batch, 2, height, width) in half sizes, right and down."""
        field = draw.around(self.share / _CELLS, 2 * (_CELLS + 1) ** 2).reshape(-1, 2, _CELLS + 1, _CELLS + 1)
        return interpolate(field, size_px, mode="bicubic", align_corners=True)
