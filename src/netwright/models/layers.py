"""Layers: modules that know the shape they take, the shape they give, and what they cost.

A layer is built from the shape of one example (without the batch axis: `(channel, height, width)` for pictures,
`(dim,)` for vectors) and its options. Its signature is its schema: `conv 16x5 pad 2` fills `filters`, `height` and
`pad` below. The first words of the text fill the plain parameters in order; those after `*` are written with name.
Adding a layer is a class here and a line in the registry.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from functools import partial
from typing import ClassVar, Literal

import torch
from jaxtyping import Float, Int
from torch import Tensor, nn
from torch.nn import functional

from netwright.errors import SpecError
from netwright.field import STEPS
from netwright.models.initialisers import Draw
from netwright.registry import resolve

Shape = tuple[int, ...]
_CHANCES = 2**16  # values of the 16 bits that decide whether dropout keeps a number


class Layer(nn.Module):
    """What every layer declares.

    Args:
        in_shape: Shape of one example that goes in.
        out_shape: Shape of one example that comes out.
        multiply_adds: Products summed for one example, forward.
        window: Height and width of the input patch that one output place sees.
        stride: How far apart in the input two neighbouring output places look.
    """

    # A "vector" layer has pictures flattened before it and treats each step of a sequence alike; "places" are pictures
    # and sequences.
    takes: ClassVar[Literal["vector", "image", "sequence", "places", "any"]] = "any"
    stepwise: ClassVar[bool] = True  # whether it may treat each step of a sequence alike
    steps_made: int = 0  # how many steps it has, where it makes a sequence of what is none
    meets: ClassVar[bool] = False  # whether it looks at training examples before the first step
    recurs: ClassVar[bool] = False  # whether it keeps a state that each step changes
    example: ClassVar[str]  # shown when the text is wrong, and built by the contract tests

    def __init__(
        self,
        in_shape: Shape,
        out_shape: Shape,
        *,
        multiply_adds: int = 0,
        window: tuple[int, int] = (1, 1),
        stride: tuple[int, int] = (1, 1),
    ) -> None:
        super().__init__()
        self.in_shape = in_shape
        self.out_shape = out_shape
        self.multiply_adds = multiply_adds
        self.window = window
        self.stride = stride
        self.timed = False  # whether it is given the number of steps of each example
        self.carries = False  # whether it can go on where a piece of a sequence ended; see `models/recurrent.Carried`
        self.foresees = ("", "")  # why what it gives at a step depends on later ones, and what to write instead

    def lengths(self, steps: Int[Tensor, " batch"]) -> Int[Tensor, " batch"]:
        """How many steps come out of so many; here as many.

        Args:
            steps: Of each example.
        """
        return steps

    def initialise(self, draw: Draw) -> None:
        """Sets the first weights: matrices drawn, biases zero; a layer with other parameters says it differently.

        Args:
            draw: Fills one weight in place; see `initialisers.Draw`.
        """
        for parameter in self.parameters(recurse=False):
            if parameter.ndim > 1:
                draw(parameter)
            else:
                nn.init.zeros_(parameter)

    def meet(self, x: Float[Tensor, "example *any"]) -> None:
        """Takes what it needs from training examples before the first step; here nothing.

        Args:
            x: What comes into the layer for some thousand of them.
        """


class Dense(Layer):
    """Every unit sums all inputs, each with its own weight, and adds a bias: a_j = Σ_i w_ji x_i + w_j0.

    Args:
        in_shape: `(dim,)`.
        units: Number of sums, >= 1.
    """

    takes = "vector"
    example = "dense 64"

    def __init__(self, in_shape: Shape, units: int) -> None:
        at_least(1, units=units)
        (dim,) = in_shape
        super().__init__(in_shape, (units,), multiply_adds=dim * units)
        self.weight = nn.Parameter(torch.empty(units, dim))
        self.bias = nn.Parameter(torch.empty(units))

    def forward(self, x: Float[Tensor, "*batch dim"]) -> Float[Tensor, "*batch units"]:
        """The sums of a batch."""
        return functional.linear(x, self.weight, self.bias)


class Embed(Layer):
    """A class as a few learned numbers, its row of a table; alike classes come to lie near each other.

    Never written in a text: a category of many classes gets one in front of everything else.

    Args:
        in_shape: `(class,)`, 1 in the place of the class.
        dim: Numbers per class.

    Source: Guo & Berkhahn 2016, Entity Embeddings of Categorical Variables, arXiv:1604.06737.
    """

    takes = "vector"

    def __init__(self, in_shape: Shape, dim: int) -> None:
        super().__init__(in_shape, (dim,), multiply_adds=in_shape[0] * dim)
        self.weight = nn.Parameter(torch.empty(dim, in_shape[0]))

    def initialise(self, draw: Draw) -> None:
        """As spread as standardised inputs, whatever the number of classes: only one of them is there at a time."""
        draw.uniform(self.weight, math.sqrt(3))

    def forward(self, x: Float[Tensor, "batch class"]) -> Float[Tensor, "batch dim"]:
        """The numbers of each example's class."""
        return functional.linear(x, self.weight)


class BatchNorm(Layer):
    """Each channel (or number) of a batch is brought to mean 0 and spread 1, then to a learned mean and spread.

    While training, mean and variance are those of the batch, and a running mean of them is kept; afterwards the running
    ones serve, so that no answer depends on its batch mates. They also serve a batch with one value per channel, which
    has no spread.

    Args:
        in_shape: `(dim,)` or `(channel, height, width)`.
        momentum: Share of a batch in the running mean, above 0, at most 1.
        epsilon: Added to the variance, above 0.

    Source: Ioffe & Szegedy 2015, Batch Normalization, arXiv:1502.03167, algorithms 1 and 2.
    """

    example = "batch_norm"
    stepwise = False
    mean: Tensor
    variance: Tensor

    def __init__(self, in_shape: Shape, *, momentum: float = 0.1, epsilon: float = 1e-5) -> None:
        if not 0 < momentum <= 1 or not epsilon > 0:
            raise SpecError(f"momentum is {momentum:g}, epsilon {epsilon:g}; both are above 0.", "Leave them out.")
        super().__init__(in_shape, in_shape, multiply_adds=math.prod(in_shape))
        self.momentum, self.epsilon = momentum, epsilon
        self.scale = nn.Parameter(torch.empty(in_shape[0]))
        self.bias = nn.Parameter(torch.empty(in_shape[0]))
        self.register_buffer("mean", torch.empty(in_shape[0]))
        self.register_buffer("variance", torch.empty(in_shape[0]))

    def initialise(self, draw: Draw) -> None:
        """Nothing is drawn: it begins by giving mean 0 and spread 1."""
        for values, value in ((self.scale, 1.0), (self.bias, 0.0), (self.mean, 0.0), (self.variance, 1.0)):
            nn.init.constant_(values, value)

    def forward(self, x: Float[Tensor, "batch channel *places"]) -> Float[Tensor, "batch channel *places"]:
        """The batch, each channel brought to the learned mean and spread."""
        learning = self.training and x.numel() > x.shape[1]
        return functional.batch_norm(
            x, self.mean, self.variance, self.scale, self.bias, learning, self.momentum, self.epsilon
        )


class LayerNorm(Layer):
    """The numbers of each example, or of each step, brought to mean 0 and spread 1, then to a learned mean and spread.

    Nothing depends on batch mates, in training as afterwards, and a running text can be normalised as it comes.

    Args:
        in_shape: `(dim,)`.

    Source: Ba, Kiros, Hinton 2016, Layer Normalization, arXiv:1607.06450, section 3.
    """

    takes = "vector"
    example = "layer_norm"

    def __init__(self, in_shape: Shape) -> None:
        super().__init__(in_shape, in_shape, multiply_adds=math.prod(in_shape))
        self.scale = nn.Parameter(torch.empty(in_shape[0]))
        self.bias = nn.Parameter(torch.empty(in_shape[0]))

    def initialise(self, draw: Draw) -> None:
        """Nothing is drawn: it begins by giving mean 0 and spread 1."""
        nn.init.ones_(self.scale)
        nn.init.zeros_(self.bias)

    def forward(self, x: Float[Tensor, "*batch dim"]) -> Float[Tensor, "*batch dim"]:
        """The numbers, brought to the learned mean and spread."""
        return functional.layer_norm(x, x.shape[-1:], self.scale, self.bias)


class Flatten(Layer):
    """All numbers of an example in one row, channel by channel, row by row.

    Args:
        in_shape: Any shape.
    """

    example = "flatten"
    stepwise = False

    def __init__(self, in_shape: Shape) -> None:
        super().__init__(in_shape, (math.prod(in_shape),))

    def forward(self, x: Float[Tensor, " batch *any"]) -> Float[Tensor, "batch dim"]:
        """The rows of a batch."""
        return x.flatten(1)


class Maxout(Layer):
    """The largest of several weighted sums of all inputs, so that a unit learns its own bent line.

    h_j = max over k of (w_jk . x + b_jk); with two sums a unit can be a relu, a leaky relu or |x|.

    Args:
        in_shape: `(dim,)`.
        units: Numbers that come out, >= 1.
        group: Sums of which each unit takes the largest, >= 2; weights and biases are multiplied by it.

    Source: Goodfellow et al. 2013, Maxout Networks, arXiv:1302.4389, section 2.
    """

    takes = "vector"
    example = "maxout 64"

    def __init__(self, in_shape: Shape, units: int, group: int = 2) -> None:
        at_least(1, units=units)
        at_least(2, group=group)
        (dim,) = in_shape
        super().__init__(in_shape, (units,), multiply_adds=dim * units * group)
        self.group = group
        self.weight = nn.Parameter(torch.empty(units * group, dim))
        self.bias = nn.Parameter(torch.empty(units * group))

    def forward(self, x: Float[Tensor, "*batch dim"]) -> Float[Tensor, "*batch units"]:
        """The largest sum of each group."""
        return functional.linear(x, self.weight, self.bias).unflatten(-1, (-1, self.group)).amax(dim=-1)


class Rbf(Layer):
    """Units that answer to places: g_j(x) = exp(-|x - w_j|^2 / s_j^2) is 1 at the centre w_j and falls off around it.

    Centres and widths are learned; they begin spread like standardised inputs, each unit as wide as the inputs are
    usually apart from it.

    Args:
        in_shape: `(dim,)`.
        units: Number of centres, >= 1.

    Source: Broomhead & Lowe 1988, Radial basis functions, multi-variable functional interpolation and adaptive
    networks; Goodfellow, Bengio, Courville, Deep Learning, section 6.3.3.
    """

    takes = "vector"
    example = "rbf 32"

    def __init__(self, in_shape: Shape, units: int) -> None:
        at_least(1, units=units)
        (dim,) = in_shape
        super().__init__(in_shape, (units,), multiply_adds=2 * dim * units)
        self.centres = nn.Parameter(torch.empty(units, dim))
        self.log_width = nn.Parameter(torch.empty(units))

    def initialise(self, draw: Draw) -> None:
        """Centres with spread 1 in each direction; squared widths of 2 dim, the mean squared distance to an input."""
        draw.uniform(self.centres, math.sqrt(3))
        nn.init.constant_(self.log_width, 0.5 * math.log(2 * self.in_shape[0]))

    def forward(self, x: Float[Tensor, "*batch dim"]) -> Float[Tensor, "*batch units"]:
        """How near each example is to each centre, in (0, 1]."""
        apart = (x[..., None, :] - self.centres).square().sum(dim=-1)  # batch unit
        return torch.exp(-apart * torch.exp(-2 * self.log_width))


class Dropout(Layer):
    """While training, each number is 0 by chance and the others grow to make up for it; afterwards, the identity.

    On the CPU each random draw of 64 bits decides four numbers, which makes the layer two and a half times as fast as
    torch's; the chance is the nearest multiple of 1/65536.

    Args:
        in_shape: Any shape.
        share: Chance of each number to be 0, in [0, 1).

    Source: Srivastava et al. 2014, Dropout, JMLR 15, section 4; scaled in training instead of afterwards.
    """

    example = "dropout 0.5"

    def __init__(self, in_shape: Shape, share: float) -> None:
        if not 0 <= share < 1:
            raise SpecError(f"share is {share:g}, expected 0 or more and less than 1.", "Write dropout 0.5, say.")
        super().__init__(in_shape, in_shape)
        self.share = share

    def forward(self, x: Float[Tensor, " batch *any"]) -> Float[Tensor, " batch *any"]:
        """The batch with holes while training, the batch itself otherwise."""
        if not self.training or not self.share:
            return x
        if x.device.type != "cpu":
            return functional.dropout(x, self.share)
        return x * self._kept(x)

    def _kept(self, x: Tensor) -> Tensor:
        """0 or what makes up for the zeros, shaped as `x`."""
        count, below = x.numel(), min(round(self.share * _CHANCES), _CHANCES - 1)
        drawn = torch.empty(-(-count // 4), dtype=torch.int64).random_(-(2**63), None).view(torch.int16)
        kept = drawn[:count].view(x.shape) >= below - _CHANCES // 2
        return kept.to(x.dtype).mul_(_CHANCES / (_CHANCES - below))


class Activation(Layer):
    """A registered activation function as a layer; keeps the shape.

    Args:
        in_shape: Any shape.
        name: Name in the registry's room "activation".
        options: Its options by name.
    """

    def __init__(self, in_shape: Shape, name: str, options: Mapping[str, int | float | bool | str]) -> None:
        super().__init__(in_shape, in_shape)
        self.name = name
        self.function = partial(resolve("activation", name), **options)

    def forward(self, x: Float[Tensor, " batch *any"]) -> Float[Tensor, " batch *any"]:
        """The function of every number of a batch."""
        return self.function(x)


class Add(nn.Module):
    """Sum of branches of one shape: `{A | B} add`.

    Args:
        in_shapes: Shapes of the branches.
    """

    def __init__(self, in_shapes: tuple[Shape, ...]) -> None:
        super().__init__()
        if len(set(in_shapes)) > 1:
            raise SpecError(
                f"add needs branches of one shape, these give {_shapes(in_shapes)}.",
                "Give the branches' last layers the same size, or use concat.",
            )
        self.out_shape = in_shapes[0]

    def forward(self, first: Float[Tensor, " batch *any"], *others: Float[Tensor, " batch *any"]) -> Tensor:
        """The sum of the branches of a batch."""
        total = first
        for other in others:
            total = total + other
        return total


class Concat(nn.Module):
    """Branches side by side, vectors end to end and pictures by channel: `{A | B} concat`.

    Args:
        in_shapes: Shapes of the branches.
    """

    def __init__(self, in_shapes: tuple[Shape, ...]) -> None:
        super().__init__()
        if in_shapes[0][0] == STEPS and {len(shape) for shape in in_shapes} == {2}:
            self.out_shape: Shape = (STEPS, sum(shape[1] for shape in in_shapes))
            return
        if len({(len(shape), *shape[1:]) for shape in in_shapes}) > 1:
            raise SpecError(
                f"concat needs vectors, or pictures of one height and width; these branches give {_shapes(in_shapes)}.",
                "Put flatten at the end of the branches that give pictures, or bring them to one size with pad.",
            )
        self.out_shape = (sum(shape[0] for shape in in_shapes), *in_shapes[0][1:])

    def forward(self, *branches: Float[Tensor, "batch _ ..."]) -> Tensor:
        """The branches of a batch side by side."""
        return torch.cat(branches, dim=2 if self.out_shape[0] == STEPS else 1)


MERGES: dict[str, type[Add | Concat]] = {"add": Add, "concat": Concat}


def at_least(least: int, **values: int) -> None:
    """Options of a layer that may not be smaller than a number.

    Raises:
        SpecError: One is; names all that are.
    """
    low = [f"{name} is {value}" for name, value in values.items() if value < least]
    if low:
        raise SpecError(f"{', '.join(low)}; the least is {least}.", f"Write {least} or more.")


def _shapes(shapes: tuple[Shape, ...]) -> str:
    return " and ".join("x".join(map(str, shape)) for shape in shapes)
