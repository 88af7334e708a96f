"""Layers for pictures: filters slid over them, windows pooled, channels widened, columns read one after the other.

Each takes `(channel, height, width)` and says how large a patch one output place sees; see `layers` for what every
layer declares. Adding one is a class here and a line in the registry.
"""

from __future__ import annotations

from typing import Literal

import torch
from jaxtyping import Float, Int
from torch import Tensor, nn
from torch.nn import functional

from netwright.errors import SpecError
from netwright.field import STEPS
from netwright.models.initialisers import Draw
from netwright.models.layers import Layer, Shape, at_least
from netwright.models.steps import there, without_rest


class Conv(Layer):
    """Filters slid over a picture; each place of an output map is one filter's weighted sum of the patch there.

    Output size: floor((size + 2 pad - window) / stride) + 1.

    Args:
        in_shape: `(channel, height, width)`.
        filters: Number of filters, each gives one output channel.
        height: Rows of a filter.
        width: Columns of a filter; as many as rows when left out.
        pad: Rows and columns of zeros put around the picture.
        stride: Step from one place to the next.
        bias: Whether each filter adds a number; before a `batch_norm`, which takes it off again, none is needed.
    """

    takes = "image"
    example = "conv 16x5 pad 2"

    def __init__(
        self,
        in_shape: Shape,
        filters: int,
        height: int,
        width: int | None = None,
        *,
        pad: int = 0,
        stride: int = 1,
        bias: bool = True,
    ) -> None:
        width = height if width is None else width
        at_least(1, filters=filters, height=height, width=width, stride=stride)
        at_least(0, pad=pad)
        channels = in_shape[0]
        rows, columns = _slide(in_shape, (height, width), pad, stride)
        super().__init__(
            in_shape,
            (filters, rows, columns),
            multiply_adds=filters * rows * columns * channels * height * width,
            window=(height, width),
            stride=(stride, stride),
        )
        self.pad = pad
        self.weight = nn.Parameter(torch.empty(filters, channels, height, width))
        self.bias = nn.Parameter(torch.empty(filters)) if bias else None

    def forward(self, x: Float[Tensor, "batch channel height width"]) -> Float[Tensor, "batch filter rows columns"]:
        """The output maps of a batch."""
        return functional.conv2d(x, self.weight, self.bias, self.stride, self.pad)


class Depthwise(Layer):
    """A filter for each channel by itself, slid over the picture: shapes without mixing channels.

    With a `conv` of 1x1 behind it, which mixes them, it takes the place of a full convolution for about a ninth of the
    products.

    Args:
        in_shape: `(channel, height, width)`.
        size: Rows and columns of a filter.
        pad: Rows and columns of zeros put around the picture.
        stride: Step from one place to the next.
        bias: Whether each filter adds a number.

    Source: Howard et al. 2017, MobileNets, arXiv:1704.04861, section 3.1.
    """

    takes = "image"
    example = "depthwise 3 pad 1"

    def __init__(self, in_shape: Shape, size: int, *, pad: int = 0, stride: int = 1, bias: bool = True) -> None:
        at_least(1, size=size, stride=stride)
        at_least(0, pad=pad)
        channels = in_shape[0]
        rows, columns = _slide(in_shape, (size, size), pad, stride)
        super().__init__(
            in_shape,
            (channels, rows, columns),
            multiply_adds=channels * rows * columns * size * size,
            window=(size, size),
            stride=(stride, stride),
        )
        self.pad = pad
        self.weight = nn.Parameter(torch.empty(channels, 1, size, size))
        self.bias = nn.Parameter(torch.empty(channels)) if bias else None

    def forward(self, x: Float[Tensor, "batch channel height width"]) -> Float[Tensor, "batch channel rows columns"]:
        """The output maps of a batch."""
        return functional.conv2d(x, self.weight, self.bias, self.stride, self.pad, groups=len(self.weight))


class Whiten(Layer):
    """Small patches of the pictures with their correlations taken out: all directions alike, each in both signs.

    Its filters are the eigenvectors of the covariance of patches of training pictures, divided by the roots of their
    eigenvalues; they are found before the first step and stay. Only the biases are learned. What comes out tells the
    layers behind it as much about fine texture as about brightness, so that they need fewer steps.

    Args:
        in_shape: `(channel, height, width)`.
        size: Rows and columns of a patch.
        epsilon: Added to the eigenvalues, so that noise is not blown up, > 0.

    Source: Jordan 2024, 94% on CIFAR-10 in 3.29 Seconds on a Single GPU, arXiv:2404.00498, section 3.2; the idea of
    Page 2019, How to Train Your ResNet 8, https://myrtle.ai/learn/how-to-train-your-resnet-8-bag-of-tricks/
    """

    takes = "image"
    example = "whiten 2"
    meets = True
    weight: Tensor

    def __init__(self, in_shape: Shape, size: int = 2, *, epsilon: float = 5e-4) -> None:
        at_least(1, size=size)
        if not epsilon > 0:
            raise SpecError(f"epsilon is {epsilon:g}; it is above 0.", "Leave it out.")
        numbers = in_shape[0] * size * size
        rows, columns = _slide(in_shape, (size, size), 0, 1)
        super().__init__(
            in_shape,
            (2 * numbers, rows, columns),
            multiply_adds=2 * numbers * numbers * rows * columns,
            window=(size, size),
        )
        self.epsilon = epsilon
        self.register_buffer("weight", torch.empty(2 * numbers, in_shape[0], size, size))
        self.bias = nn.Parameter(torch.empty(2 * numbers))

    def initialise(self, draw: Draw) -> None:
        """Any directions, until it meets training pictures."""
        draw(self.weight)
        nn.init.zeros_(self.bias)

    @torch.no_grad()
    def meet(self, x: Float[Tensor, "example channel height width"]) -> None:
        """Finds the directions in which patches of these pictures differ."""
        patches = functional.unfold(x.double(), self.window).transpose(1, 2).flatten(0, 1)  # patch number
        values, vectors = torch.linalg.eigh(patches.T @ patches / len(patches))
        filters = (vectors / (values + self.epsilon).sqrt()).T.flip(0)  # the largest first
        self.weight.copy_(torch.cat([filters, -filters]).unflatten(1, self.weight.shape[1:]))

    def forward(self, x: Float[Tensor, "batch channel height width"]) -> Float[Tensor, "batch filter rows columns"]:
        """The whitened patches of a batch."""
        return functional.conv2d(x, self.weight, self.bias)


class Pad(Layer):
    """Zeros put around a picture, not as many before it as behind it, as TensorFlow does where a stride is 2.

    Args:
        in_shape: `(channel, height, width)`.
        before: Rows above, and columns to the left.
        after: Rows below, and columns to the right.
    """

    takes = "image"
    example = "pad 0 1"

    def __init__(self, in_shape: Shape, before: int, after: int) -> None:
        at_least(0, before=before, after=after)
        channels, height, width = in_shape
        super().__init__(in_shape, (channels, height + before + after, width + before + after))
        self.before, self.after = before, after

    def forward(self, x: Float[Tensor, "batch channel height width"]) -> Float[Tensor, "batch channel rows columns"]:
        """The larger pictures of a batch."""
        return functional.pad(x, (self.before, self.after, self.before, self.after))


class Pool(Layer):
    """The largest value in each window of each channel, or the average, or the sum; small shifts then matter less.

    Places that padding added never count: not as the largest, nor in an average.

    Args:
        in_shape: `(channel, height, width)`.
        size: Rows and columns of the window.
        how: Which value stands for the window.
        stride: Step from one window to the next; the window's size when left out, so that windows just touch.
        pad: Rows and columns put around the picture, at most half the size.
        ceil: Whether a last window may hang over the lower and right border; otherwise what is left there is not seen.
    """

    takes = "image"
    example = "pool 2"

    def __init__(
        self,
        in_shape: Shape,
        size: int,
        how: Literal["max", "avg", "sum"] = "max",
        *,
        stride: int | None = None,
        pad: int = 0,
        ceil: bool = False,
    ) -> None:
        stride = size if stride is None else stride
        at_least(1, size=size, stride=stride)
        at_least(0, pad=pad)
        if pad > size // 2:
            raise SpecError(
                f"pad {pad} is more than half the pool's size {size}, so whole windows would lie outside the picture.",
                f"Use pad {size // 2} or less.",
            )
        rows, columns = _slide(in_shape, (size, size), pad, stride)
        if ceil:  # one more where it begins inside of the picture and its left padding
            rows, columns = (
                count + (count * stride < length + pad and (count - 1) * stride + size < length + 2 * pad)
                for count, length in zip((rows, columns), in_shape[1:], strict=True)
            )
        super().__init__(in_shape, (in_shape[0], rows, columns), window=(size, size), stride=(stride, stride))
        self.how = how
        self.pad = pad
        self.ceil = ceil

    def forward(self, x: Float[Tensor, "batch channel height width"]) -> Float[Tensor, "batch channel rows columns"]:
        """The pooled maps of a batch."""
        if self.how == "max":
            return functional.max_pool2d(x, self.window, self.stride, self.pad, ceil_mode=self.ceil)
        if self.how == "sum":
            return functional.avg_pool2d(x, self.window, self.stride, self.pad, self.ceil, divisor_override=1)
        return functional.avg_pool2d(x, self.window, self.stride, self.pad, self.ceil, count_include_pad=False)


class GlobalPool(Layer):
    """One number for each channel: the average of its whole map, or of all steps (or the largest value, or the sum).

    Args:
        in_shape: `(channel, height, width)`, or `(time, dim)`.
        how: Which number stands for the map.

    Source: Lin, Chen, Yan 2014, Network in Network, arXiv:1312.4400, section 3.2.
    """

    takes = "places"
    example = "global_pool"

    def __init__(self, in_shape: Shape, how: Literal["avg", "max", "sum"] = "avg") -> None:
        if len(in_shape) == 2:
            super().__init__(in_shape, in_shape[1:])
        else:
            super().__init__(in_shape, in_shape[:1], window=(in_shape[1], in_shape[2]))
        self.timed = len(in_shape) == 2
        if self.timed:
            self.foresees = ("looks at all steps", "Leave it out for an answer at every step, or write last.")
        self.how = how

    def forward(
        self, x: Float[Tensor, "batch *places"], steps: Int[Tensor, " batch"] | None = None
    ) -> Float[Tensor, "batch channel"]:
        """The numbers of a batch.

        Args:
            x: `(batch, channel, height, width)`, or sequences `(batch, time, dim)`.
            steps: How many steps each sequence has; None where all have as many as there are.
        """
        if self.timed:
            return self._over_time(x, steps)
        if self.how == "max":
            return x.amax(dim=(2, 3))
        return x.mean(dim=(2, 3)) if self.how == "avg" else x.sum(dim=(2, 3))

    def _over_time(self, x: Tensor, steps: Tensor | None) -> Tensor:
        if self.how == "max":
            return (
                (x if steps is None else x.masked_fill(~there(x, steps), -torch.inf)).amax(dim=1).nan_to_num(neginf=0)
            )
        total = without_rest(x, steps).sum(dim=1)
        if self.how == "sum":
            return total
        return total / (x.shape[1] if steps is None else steps.clamp(min=1)[:, None])


class Widen(Layer):
    """The same picture with more channels, which are 0, and fewer places: a shortcut without weights ("option A").

    Args:
        in_shape: `(channel, height, width)`.
        channels: How many come out, at least as many as come in; the new ones lie on both sides.
        stride: Every so manieth row and column is kept.

    Source: He, Zhang, Ren, Sun 2015, Deep Residual Learning, arXiv:1512.03385, section 3.3.
    """

    takes = "image"
    example = "widen 8 stride 2"

    def __init__(self, in_shape: Shape, channels: int, *, stride: int = 1) -> None:
        at_least(in_shape[0], channels=channels)
        at_least(1, stride=stride)
        rows, columns = _slide(in_shape, (1, 1), 0, stride)
        super().__init__(in_shape, (channels, rows, columns), stride=(stride, stride))
        new = channels - in_shape[0]
        self.new = (new // 2, new - new // 2)

    def forward(self, x: Float[Tensor, "batch channel height width"]) -> Float[Tensor, "batch wider rows columns"]:
        """The wider pictures of a batch."""
        down, right = self.stride
        return functional.pad(x[:, :, ::down, ::right], (0, 0, 0, 0, *self.new))


class Columns(Layer):
    """A picture as the sequence of its columns, from left to right: a line of writing, say, for recurrent layers.

    Args:
        in_shape: `(channel, height, width)`.

    Source: Graves & Schmidhuber 2009, Offline Handwriting Recognition with Multidimensional Recurrent Neural Networks,
    which reads both ways through a picture; the one-way form as in Shi, Bai, Yao 2015, arXiv:1507.05717, section 2.1.
    """

    takes = "image"
    example = "columns"

    def __init__(self, in_shape: Shape) -> None:
        channels, height, width = in_shape
        super().__init__(in_shape, (STEPS, channels * height))
        self.steps_made = width

    def forward(self, x: Float[Tensor, "batch channel height width"]) -> Float[Tensor, "batch width dim"]:
        """The numbers of each column, channel after channel."""
        return x.permute(0, 3, 1, 2).flatten(2)


def _slide(shape: Shape, window: tuple[int, int], pad: int, stride: int) -> tuple[int, int]:
    """Rows and columns of places where a window fits."""
    _, height, width = shape
    if height + 2 * pad < window[0] or width + 2 * pad < window[1]:
        padded = f" ({height + 2 * pad}x{width + 2 * pad} with pad {pad})" if pad else ""
        raise SpecError(
            f"a window of {window[0]}x{window[1]} does not fit into the {height}x{width} picture{padded} before it.",
            "Use a smaller window, more pad, or fewer pool and stride steps before it.",
        )
    return (height + 2 * pad - window[0]) // stride + 1, (width + 2 * pad - window[1]) // stride + 1
