"""Augmentation: training pictures seen in other ways that leave their meaning as it is.

A transform is a class with a method for each kind it moves; what it draws for an example is a pure function of (seed,
epoch, example), so that neither batch mates nor a resume change it. Pictures are transformed a batch at a time, where
the batch lies, and only on the way into a training step.

Source: Goodfellow, Bengio, Courville, Deep Learning, section 7.4.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import ClassVar

import torch
from torch import Tensor

from netwright import registry
from netwright.seeds import derive
from netwright.spec import InputSpec

# SplitMix64 (Steele, Lea, Flood 2014), in int64 that wraps around
_STEP, _MIX = 0x9E3779B97F4A7C15 - 2**64, ((30, 0xBF58476D1CE4E5B9 - 2**64), (27, 0x94D049BB133111EB - 2**64))
_BITS = 24  # that a float32 holds


@dataclass(frozen=True)
class Draw:
    """The numbers that chance gives a transform for some examples.

    Args:
        seed: Of the run.
        purpose: Of the draw; two inputs with the same transform are moved alike.
        epoch: Number of the epoch.
        index: int64 positions of the examples in the data set, (batch,).
    """

    seed: int
    purpose: str
    epoch: int
    index: Tensor

    def uniform(self, count: int, *, every_epoch: bool = True) -> Tensor:
        """Numbers from 0 up to 1, float32 (batch, count).

        Args:
            count: How many for each example.
            every_epoch: Others in every epoch; otherwise an example keeps its own.

        Example:
            >>> draw = Draw(0, "mirror", 3, torch.tensor([5, 9]))
            >>> torch.equal(draw.uniform(2)[1:], Draw(0, "mirror", 3, torch.tensor([9])).uniform(2))
            True
        """
        key = derive(self.seed, self.purpose, self.epoch if every_epoch else 0)
        place = self.index[:, None] * count + torch.arange(1, count + 1, device=self.index.device)
        mixed = place * _STEP + key
        for shift, factor in _MIX:
            mixed = (mixed ^ _right(mixed, shift)) * factor
        return _right(mixed ^ _right(mixed, 31), 64 - _BITS).float() / 2**_BITS

    def around(self, reach: float, count: int) -> Tensor:
        """Numbers from minus `reach` up to `reach`, float32 (batch, count)."""
        return reach * (2 * self.uniform(count) - 1)

    def normal(self, count: int) -> Tensor:
        """Numbers of a Gaussian of mean 0 and spread 1, float32 (batch, count)."""
        half = -(-count // 2)
        length, angle = self.uniform(2 * half).split(half, dim=1)
        length, angle = (-2 * (1 - length).log()).sqrt(), 2 * math.pi * angle
        return torch.cat([length * angle.cos(), length * angle.sin()], dim=1)[:, :count]


def _right(value: Tensor, bits: int) -> Tensor:
    """A shift that fills with zeros."""
    return (value >> bits) & ((1 << (64 - bits)) - 1)


class Transform:
    """One way to see an example differently; each method here leaves what it is given as it is."""

    turns_sides: ClassVar[bool] = False  # left becomes right: what a signed answer means is turned too

    def changes(self, kind: str) -> bool:
        """Whether it changes inputs of a kind."""
        timed = {"track": ("plane", "shaken"), "ink": ("plane",), "audio": ("steps",), "signal": ("steps",)}
        methods = timed.get(kind, ("image",))
        return any(getattr(type(self), method) is not getattr(Transform, method) for method in methods)

    def fits(self, shape: tuple[int, ...]) -> str:
        """Why pictures of this shape (height, width, channel) cannot be transformed; "" when they can."""
        return "" if self.changes("image") else "it is for sounds and signals"

    def views(self) -> float:
        """How many different pictures it makes of one."""
        return math.inf

    def image(self, pixels: Tensor, draw: Draw) -> Tensor:
        """Pictures (batch, channel, height, width), as a network is given them."""
        return pixels

    def points(self, places: Tensor, draw: Draw, size_px: tuple[int, int]) -> Tensor:
        """Where places in the pictures are afterwards, (batch, point, 2): x and y in pixels from the upper left corner.

        Args:
            places: Of the pictures as they are.
            draw: The same as for the pictures.
            size_px: Height and width of the pictures.
        """
        return places

    def boxes(self, boxes: Tensor, draw: Draw, size_px: tuple[int, int]) -> Tensor:
        """The upright boxes that hold the corners of moved boxes, (batch, box, 4): left, top, right, bottom in pixels.

        What leaves the picture is cut off.

        Args:
            boxes: In the pictures as they are.
            draw: The same as for the pictures.
            size_px: Height and width of the pictures.

        Example:
            >>> from netwright.data.augment.geometry import Mirror
            >>> Mirror().boxes(torch.tensor([[[1.0, 2.0, 3.0, 5.0]]]), Draw(0, "mirror", 0, torch.tensor([0])), (8, 10))
            tensor([[[7., 2., 9., 5.]]])
        """
        left, top, right, bottom = boxes.unbind(-1)
        corners = [torch.stack([x, y], dim=-1) for x in (left, right) for y in (top, bottom)]
        moved = self.points(torch.cat(corners, dim=1), draw, size_px).unflatten(1, (len(corners), -1))
        low, high = moved.amin(dim=1), moved.amax(dim=1)
        far = torch.tensor([size_px[1], size_px[0]], dtype=boxes.dtype, device=boxes.device)
        return torch.cat([low, high], dim=-1).clamp(min=0).minimum(far.repeat(2))

    def plane(self, draw: Draw) -> Tensor | None:
        """What becomes of directions in the plane of tracks and pen ink, (batch, 2, 2); None where nothing moves."""
        return None

    def shaken(self, draw: Draw, steps: int) -> Tensor | None:
        """By how much the points of a track that are seen are moved, (batch, steps, 2) in usual steps; None by nothing.

        Args:
            draw: As for pictures.
            steps: How many points there are.
        """
        return None

    def steps(self, values: Tensor, draw: Draw) -> Tensor:
        """Sounds and signals (batch, time, number), NaN behind the end of each; as a network is given them."""
        return values

    def number(self, values: Tensor, draw: Draw) -> Tensor:
        """Signed numbers (batch,) that are turned with the picture."""
        return values


def within(name: str, value: float, most: float) -> float:
    """An option above 0 and at most `most`.

    Raises:
        ValueError: It is not.
    """
    if not 0 < value <= most:
        raise ValueError(f"{name} is {value:g}, expected a number above 0, at most {most:g}")
    return value


def laid_like(pixels: Tensor, others: Tensor) -> Tensor:
    """The pictures in the memory layout of others."""
    last = others.is_contiguous(memory_format=torch.channels_last) and not others.is_contiguous()
    return pixels.contiguous(memory_format=torch.channels_last if last else torch.contiguous_format)


def made(wish: InputSpec) -> list[tuple[str, Transform]]:
    """The transforms of an input, with their names.

    Raises:
        ValueError: One of their options is out of range.
    """
    return [(each.name, registry.resolve("transform", each.name)(**each.options)) for each in wish.augment or ()]
