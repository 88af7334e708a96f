"""Transforms that change values and leave places: colour, contrast, noise, holes.

Pictures arrive standardised, each channel with mean 0 and spread 1 over the training part; so do the strengths here
count in spreads.
"""

from __future__ import annotations

import torch
from torch import Tensor

from netwright.data.augment import Draw, Transform, within


class Colour(Transform):
    """Every picture gets a cast: each channel becomes lighter or darker for itself.

    Args:
        strength: At most by so many spreads of the channel, above 0, at most 2.

    Source: Krizhevsky, Sutskever, Hinton 2012, ImageNet classification with deep convolutional neural networks,
    section 4.1, with each channel drawn for itself.

    Example:
        >>> Colour(0.5).image(torch.zeros(1, 3, 1, 1), Draw(0, "colour", 0, torch.tensor([0]))).abs().max() <= 0.5
        tensor(True)

    Raises:
        ValueError: `strength` is out of range.
    """

    def __init__(self, strength: float = 0.3) -> None:
        self.strength = within("strength", strength, 2.0)

    def image(self, pixels: Tensor, draw: Draw) -> Tensor:
        """The pictures with a cast."""
        return pixels + draw.around(self.strength, pixels.shape[1])[:, :, None, None]


class Light(Transform):
    """Every picture becomes lighter or darker as a whole, and stronger or weaker in contrast.

    Args:
        strength: At most by so many spreads, and the contrast by such a share; above 0, at most 0.9.

    Source: Howard 2013, Some Improvements on Deep Convolutional Neural Network Based Image Classification,
    arXiv:1312.5402, section 2.2.

    Example:
        >>> Light(0.5).image(torch.zeros(1, 3, 1, 1), Draw(0, "light", 0, torch.tensor([0]))).unique().numel()
        1

    Raises:
        ValueError: `strength` is out of range.
    """

    def __init__(self, strength: float = 0.3) -> None:
        self.strength = within("strength", strength, 0.9)

    def image(self, pixels: Tensor, draw: Draw) -> Tensor:
        """The pictures in another light."""
        lighter, stronger = draw.around(self.strength, 2)[:, :, None, None, None].unbind(1)
        middle = pixels.mean(dim=(1, 2, 3), keepdim=True)
        return (pixels - middle) * (1 + stronger) + middle + lighter


class Grain(Transform):
    """Every value of every picture gets an error of its own; of half of the tracks every point that is seen.

    Args:
        spread: Of the Gaussian errors, in spreads of the channel; above 0, at most 2. Of a track's points in usual
            steps, and at most so much: each track has another spread, so that the net learns to tell it.

    Source: Sietsma & Dow 1991, Creating artificial neural networks that generalize.

    Example:
        >>> seen = Grain(0.1).image(torch.zeros(1, 1, 50, 50), Draw(0, "grain", 0, torch.tensor([0])))
        >>> round(float(seen.std()), 2)
        0.1

    Raises:
        ValueError: `spread` is out of range.
    """

    def __init__(self, spread: float = 0.1) -> None:
        self.spread = within("spread", spread, 2.0)

    def image(self, pixels: Tensor, draw: Draw) -> Tensor:
        """The grainy pictures."""
        return pixels + self.spread * draw.normal(pixels[0].numel()).reshape(pixels.shape)

    def shaken(self, draw: Draw, steps: int) -> Tensor:
        """Errors of half of the tracks; the other half stays smooth, as many recordings are."""
        much = self.spread * (2 * draw.uniform(1) - 1).clamp(min=0)
        return (much * draw.normal(2 * steps)).unflatten(1, (steps, 2))


class Erase(Transform):
    """A rectangle of every picture is covered with the training part's mean colour.

    Args:
        share: Largest share of the picture's area that is covered, above 0, at most 0.8.

    Source: DeVries & Taylor 2017, Cutout, arXiv:1708.04552; Zhong et al. 2020, Random Erasing, arXiv:1708.04896.

    Example:
        >>> seen = Erase(0.25).image(torch.ones(1, 1, 8, 8), Draw(0, "erase", 0, torch.tensor([0])))
        >>> 0 < int((seen == 0).sum()) <= 20
        True

    Raises:
        ValueError: `share` is out of range.
    """

    def __init__(self, share: float = 0.25) -> None:
        self.share = within("share", share, 0.8)

    def image(self, pixels: Tensor, draw: Draw) -> Tensor:
        """The pictures with a hole each."""
        height, width = pixels.shape[2:]
        drawn = draw.uniform(4)
        area = self.share * (0.2 + 0.8 * drawn[:, 0])
        tall = (area * torch.exp(drawn[:, 1] * 2 - 1)).sqrt().clamp(max=1.0)
        wide = (area / tall).clamp(max=1.0)
        down, across = (
            _hole(count, torch.full_like(draw.index, count), (share * count).floor().clamp(min=1), place)
            for count, share, place in ((height, tall, drawn[:, 2]), (width, wide, drawn[:, 3]))
        )
        return torch.where((down[:, :, None] & across[:, None])[:, None], torch.zeros_like(pixels), pixels)


class Mask(Transform):
    """Stretches of time and bands of every sound or signal are covered with the training part's mean.

    Args:
        steps: Longest stretch in steps, at least 1; of a sound a step is 10 ms. Never more than a fifth of an example.
        bands: Most neighbouring bands that are covered together, at least 0; never more than half of them.
        times: How many stretches, and how often bands, are covered; at least 1.

    Source: Park et al. 2019, SpecAugment: A Simple Data Augmentation Method for Automatic Speech Recognition,
    arXiv:1904.08779, without the warp of time, which brought least.

    Example:
        >>> seen = Mask(steps=20, bands=0, times=1).steps(torch.ones(1, 50, 3), Draw(0, "mask", 0, torch.tensor([0])))
        >>> 0 < int((seen[0, :, 0] == 0).sum()) <= 10
        True

    Raises:
        ValueError: An option is out of range.
    """

    def __init__(self, steps: int = 20, bands: int = 8, times: int = 2) -> None:
        for name, value, least in (("steps", steps, 1), ("bands", bands, 0), ("times", times, 1)):
            if value < least:
                raise ValueError(f"{name} is {value}, expected at least {least}")
        self.longest, self.bands, self.times = steps, bands, times

    def steps(self, values: Tensor, draw: Draw) -> Tensor:
        """The sequences with holes; what lies behind an end stays no number."""
        steps, bands = values.shape[1:]
        count = (~values[..., 0].isnan()).sum(dim=1)
        drawn = draw.uniform(4 * self.times).unflatten(1, (self.times, 4))
        most = torch.stack([(count / 5).clamp(max=self.longest), torch.full_like(count, min(self.bands, bands // 2))])
        holes = torch.zeros_like(values, dtype=torch.bool)
        for time, length, pitch, width in drawn.permute(1, 2, 0):
            holes |= _hole(steps, count, most[0] * length, time)[:, :, None]
            holes |= _hole(bands, torch.full_like(count, bands), most[1] * width, pitch)[:, None]
        return torch.where(holes & ~values.isnan(), 0.0, values)


def _hole(places: int, count: Tensor, length: Tensor, start: Tensor) -> Tensor:
    """Which of `places` are covered, (batch, places): so many, rounded up, of the first `count`, from a share on."""
    length = torch.minimum(length.ceil(), count)
    first = (start * (count - length + 1)).floor()[:, None]
    at = torch.arange(places, device=count.device)[None]
    return (at >= first) & (at < first + length[:, None])
