"""Layers that read sequences step by step, and layers that make one vector of a sequence.

What comes in is `(batch, time, dim)` with the number of steps of each example, or None where all have as many; what
lies behind the end of an example never changes what the layers give for it, nor for its batch mates. A recurrent layer
can take up a state and leave one, and a convolution that sees what has been alone its last steps, so that a long
sequence may come in pieces. A layer says of itself whether it looks ahead (`Layer.foresees`).
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import ClassVar, Literal

import torch
from jaxtyping import Float, Int
from torch import Tensor, nn
from torch.nn import functional
from torch.nn.utils.rnn import pack_padded_sequence, pad_packed_sequence

from netwright.errors import SpecError
from netwright.field import STEPS
from netwright.models.initialisers import Draw
from netwright.models.layers import Layer, Shape, at_least
from netwright.models.steps import at_end, reversed_steps, without_rest
from netwright.registry import resolve

State = tuple[Tensor, ...]
Carried = dict[nn.Module, State]


def cut_states(carried: Carried | None, rows: int) -> None:
    """Leave the states of the first rows alone, in place: a batch of streams loses its last rows when they end.

    Args:
        carried: States by layer, each tensor `(batch, ...)`.
        rows: How many are needed.
    """
    for layer, state in (carried or {}).items():
        if len(state[0]) > rows:
            carried[layer] = tuple(part[:rows] for part in state)  # type: ignore[index]


class EmbedTokens(Layer):
    """Each token of a text as a few learned numbers, its row of a table; alike tokens come to lie near each other.

    Never written in a text: a text that goes in gets one in front of everything else. The table is multiplied by the
    root of `dim`: rows that spread like standardised inputs wake what reads them, and yet a rare word moves from where
    it began in the few steps that it is met. Where one answer is sought for a whole text, they begin near 0 instead, so
    that the words that tell it stand out (docs/log.md, Where words begin).

    Args:
        in_shape: `(time, token)`.
        dim: Numbers per token; 0 for a column per token, 1 in the place of the one that is there.
        quiet: Rows begin near 0.

    Source: the factor Vaswani et al. 2017, Attention Is All You Need, arXiv:1706.03762, section 3.4.
    """

    def __init__(self, in_shape: Shape, dim: int, *, quiet: bool = False) -> None:
        tokens = in_shape[1]
        super().__init__(in_shape, (STEPS, dim or tokens))
        self.tokens = tokens
        self.weight = nn.Parameter(torch.empty(tokens, dim)) if dim else None
        self.quiet, self.factor = quiet, 1.0 if quiet else math.sqrt(dim)

    def initialise(self, draw: Draw) -> None:
        """What comes out spreads by 1, or lies near 0."""
        if self.weight is not None:
            draw.uniform(self.weight, 0.1 if self.quiet else math.sqrt(3) / self.factor)

    def forward(self, x: Int[Tensor, "batch time"]) -> Float[Tensor, "batch time dim"]:
        """The numbers of each token."""
        if self.weight is None:  # in a third of the time of one_hot, which gives whole numbers
            zeros = torch.zeros((*x.shape, self.tokens), dtype=torch.get_default_dtype(), device=x.device)
            return zeros.scatter_(2, x[..., None], 1.0)
        return functional.embedding(x, self.weight) * self.factor


class Recurrent(Layer):
    """A layer that keeps a state from step to step; forwards and, if asked, a second one backwards through time."""

    takes = "sequence"
    recurs = True

    def __init__(self, in_shape: Shape, out: int, multiply_adds: int, *, both: bool) -> None:
        super().__init__(in_shape, (STEPS, out), multiply_adds=multiply_adds)
        self.timed, self.both, self.carries = True, both, True
        if both:
            self.foresees = ("reads from the end to the beginning as well", "Leave `both yes` out.")

    def refuse_both(self) -> None:
        """For a layer that is to go on where a piece ended.

        Raises:
            SpecError: It reads both ways.
        """
        if self.both:
            raise SpecError(
                "a layer that reads both ways cannot go on where a piece ended: it must see the end first.",
                "Leave `both yes` out to read as it comes.",
            )


class _Gated(Recurrent):
    """A recurrent layer whose cell is one of torch's."""

    made: ClassVar[type[nn.LSTM] | type[nn.GRU]]
    gates: ClassVar[int]

    def __init__(self, in_shape: Shape, units: int, *, both: bool = False) -> None:
        at_least(1, units=units)
        dim, ways = in_shape[1], 2 if both else 1
        products = ways * self.gates * units * (dim + units)
        super().__init__(in_shape, ways * units, products, both=both)
        self.ahead = self.made(dim, units, batch_first=True)
        self.back = self.made(dim, units, batch_first=True) if both else None

    def initialise(self, draw: Draw) -> None:
        """Input weights drawn gate by gate, weights from step to step orthogonal, biases 0."""
        for cell in (self.ahead, self.back):
            if cell is not None:
                for gate in cell.weight_ih_l0.chunk(self.gates):  # type: ignore[operator]
                    draw(gate)
                with torch.no_grad():
                    for gate in cell.weight_hh_l0.chunk(self.gates):  # type: ignore[operator]
                        nn.init.orthogonal_(gate, generator=draw.generator)
                    for bias in (cell.bias_ih_l0, cell.bias_hh_l0):
                        nn.init.zeros_(bias)  # type: ignore[arg-type]

    def forward(
        self,
        x: Float[Tensor, "batch time dim"],
        steps: Int[Tensor, " batch"] | None = None,
        carried: Carried | None = None,
    ) -> Float[Tensor, "batch time units"]:
        """What the units say after every step.

        Args:
            x: The sequences.
            steps: How many steps each has; None where all have as many as there are.
            carried: States to begin with, by layer, and afterwards those at the end; begins with 0 where there is none.
        """
        if carried is not None:
            return self._taken_up(x, steps, carried)
        ahead, _ = self.ahead(x)
        if self.back is None:
            return ahead
        turned, _ = self.back(reversed_steps(x, steps))
        return torch.cat([ahead, reversed_steps(turned, steps)], dim=2)

    def _taken_up(self, x: Tensor, steps: Tensor | None, carried: Carried) -> Tensor:
        self.refuse_both()
        state = carried.get(self)
        if x.shape[1] == 1 and steps is None:
            return self._one_step(x[:, 0], state, carried)[:, None]
        begun = None if state is None else tuple(part[None] for part in state)
        begun = begun[0] if begun is not None and len(begun) == 1 else begun
        if steps is None:
            ahead, end = self.ahead(x, begun)
        else:
            packed = pack_padded_sequence(x, steps.clamp(min=1).cpu(), batch_first=True, enforce_sorted=False)
            found, end = self.ahead(packed, begun)
            ahead, _ = pad_packed_sequence(found, batch_first=True, total_length=x.shape[1])
        carried[self] = tuple(part[0] for part in end) if isinstance(end, tuple) else (end[0],)
        return ahead

    def _one_step(self, x: Tensor, state: State | None, carried: Carried) -> Tensor:
        """The same for a single step, without what torch does around a sequence: five times as fast."""
        h, *rest = state or [x.new_zeros(len(x), self.ahead.hidden_size)] * (2 if self.gates == 4 else 1)
        cell = self.ahead
        weights = (cell.weight_ih_l0, cell.weight_hh_l0, cell.bias_ih_l0, cell.bias_hh_l0)
        if self.gates == 4:
            carried[self] = torch.lstm_cell(x, (h, *rest), *weights)  # type: ignore[arg-type]
        else:
            carried[self] = (torch.gru_cell(x, h, *weights),)  # type: ignore[arg-type]
        return carried[self][0]


class Lstm(_Gated):
    """Long short-term memory: a state that three gates let in, keep and let out.

    g = tanh(W_g x_t + U_g h_{t-1} + b_g); i, f, o = sigmoid of sums like it; c_t = f c_{t-1} + i g; h_t = o tanh(c_t).
    The way from c_{t-1} to c_t is a product with f alone, so that errors come back over many steps.

    Args:
        in_shape: `(time, dim)`.
        units: Numbers of the state, >= 1.
        both: A second layer reads from the end to the beginning; 2 x units come out.

    Source: Hochreiter & Schmidhuber 1997; the forget gate Gers, Schmidhuber, Cummins 2000, with a first bias of 1 as in
    Jozefowicz, Zaremba, Sutskever 2015.
    """

    example = "lstm 64"
    made = nn.LSTM
    gates = 4

    def initialise(self, draw: Draw) -> None:
        """As every recurrent layer; the forget gate begins open."""
        super().initialise(draw)
        for cell in (self.ahead, self.back):
            if cell is not None:
                with torch.no_grad():
                    cell.bias_ih_l0.chunk(4)[1].fill_(1.0)  # type: ignore[operator]


class Gru(_Gated):
    """Gated recurrent unit: two gates decide how much of the state stays and how much of it the new one sees.

    r, z = sigmoid(W x_t + U h_{t-1} + b); n = tanh(W_n x_t + b_n + r (U_n h_{t-1} + c_n)); h_t = (1 - z) n + z h_{t-1}.

    Args:
        in_shape: `(time, dim)`.
        units: Numbers of the state, >= 1.
        both: A second layer reads from the end to the beginning; 2 x units come out.

    Source: Cho et al. 2014, arXiv:1406.1078, section 2.3, with the reset gate behind the product.
    """

    example = "gru 64"
    made = nn.GRU
    gates = 3


class Rnn(Recurrent):
    """The vanilla recurrent layer: the same sum and function at every step.

    Form "after", as most print it: h_t = f(W x_t + U h_{t-1} + b), which comes out. Form "before": h_t = U f(h_{t-1}) +
    W x_t + b, and f(h_t) comes out. With relu U begins as the identity, so that a state stays what it is until the
    inputs move it.

    Args:
        in_shape: `(time, dim)`.
        units: Numbers of the state, >= 1.
        activation: The function f.
        form: Whether the function stands behind the sum or before it.
        both: A second layer reads from the end to the beginning; 2 x units come out.

    Source: Elman 1990; the second form Pascanu, Mikolov, Bengio 2013, arXiv:1211.5063, equation 2; the identity Le,
    Jaitly, Hinton 2015, arXiv:1504.00941.
    """

    example = "rnn 64"

    def __init__(
        self,
        in_shape: Shape,
        units: int,
        *,
        activation: Literal["tanh", "relu", "sigmoid"] = "tanh",
        form: Literal["after", "before"] = "after",
        both: bool = False,
    ) -> None:
        at_least(1, units=units)
        dim, ways = in_shape[1], 2 if both else 1
        super().__init__(in_shape, ways * units, ways * units * (dim + units), both=both)
        self.activation, self.form = activation, form
        self.function: Callable[[Tensor], Tensor] = resolve("activation", activation)
        self.weight = nn.Parameter(torch.empty(ways * units, dim))
        self.recurrent = nn.Parameter(torch.empty(ways * units, units))
        self.bias = nn.Parameter(torch.empty(ways * units))

    def initialise(self, draw: Draw) -> None:
        """Input weights drawn, recurrent ones orthogonal, or the identity before a relu."""
        units = self.recurrent.shape[1]
        with torch.no_grad():
            for way in range(len(self.recurrent) // units):
                rows = slice(way * units, (way + 1) * units)
                draw(self.weight[rows])
                if self.activation == "relu":
                    nn.init.eye_(self.recurrent[rows])
                else:
                    nn.init.orthogonal_(self.recurrent[rows], generator=draw.generator)
            nn.init.zeros_(self.bias)

    def forward(
        self,
        x: Float[Tensor, "batch time dim"],
        steps: Int[Tensor, " batch"] | None = None,
        carried: Carried | None = None,
    ) -> Float[Tensor, "batch time units"]:
        """What the units say after every step; see `Lstm`."""
        units = self.recurrent.shape[1]
        ahead, states = self._scanned(x, slice(0, units), (carried or {}).get(self))
        if carried is not None:
            self.refuse_both()
            carried[self] = (states[:, -1] if steps is None else at_end(states, steps),)
        if not self.both:
            return ahead
        turned, _ = self._scanned(reversed_steps(x, steps), slice(units, 2 * units), None)
        return torch.cat([ahead, reversed_steps(turned, steps)], dim=2)

    def _scanned(self, x: Tensor, rows: slice, state: State | None) -> tuple[Tensor, Tensor]:
        """What comes out at every step, and the state there."""
        sums = functional.linear(x, self.weight[rows], self.bias[rows])  # batch time units
        recurrent = self.recurrent[rows].t()
        h = state[0] if state else sums.new_zeros(len(x), recurrent.shape[0])
        states = []
        for step in sums.unbind(dim=1):
            h = (
                self.function(torch.addmm(step, h, recurrent))
                if self.form == "after"
                else torch.addmm(step, self.function(h), recurrent)
            )
            states.append(h)
        whole = torch.stack(states, dim=1)
        return (whole if self.form == "after" else self.function(whole)), whole


class Last(Layer):
    """What a sequence is at its last step: what a recurrent layer that reads forwards knows in the end.

    Args:
        in_shape: `(time, dim)`.
    """

    takes = "sequence"
    example = "last"

    def __init__(self, in_shape: Shape) -> None:
        super().__init__(in_shape, in_shape[1:])
        self.timed = True

    def forward(
        self, x: Float[Tensor, "batch time dim"], steps: Int[Tensor, " batch"] | None = None
    ) -> Float[Tensor, "batch dim"]:
        """The last step of each sequence.

        Args:
            x: The sequences.
            steps: How many steps each has; None where all have as many as there are.
        """
        return x[:, -1] if steps is None else at_end(x, steps)


class Conv1d(Layer):
    """Filters slid along the steps: each sees a few neighbouring steps; fewer steps come out with a stride.

    Args:
        in_shape: `(time, dim)`.
        filters: Numbers per step that come out, >= 1.
        size: Steps that a filter sees, >= 1.
        stride: Every so manieth place is kept, >= 1.
        causal: Whether a filter sees only what has been; otherwise as much of what comes.

    Source: Waibel et al. 1989, Phoneme recognition using time-delay neural networks. Ours sets what lies behind the end
    of a sequence to 0 first.
    """

    takes = "sequence"
    example = "conv1d 32x5"

    def __init__(self, in_shape: Shape, filters: int, size: int, *, stride: int = 1, causal: bool = False) -> None:
        at_least(1, filters=filters, size=size, stride=stride)
        dim = in_shape[1]
        super().__init__(in_shape, (STEPS, filters), multiply_adds=filters * size * dim // stride)
        self.timed = True
        self.step = stride
        self.before = size - 1 if causal else size // 2
        self.behind = size - 1 - self.before
        self.carries = True
        if self.behind:
            self.foresees = (
                f"sees {self.behind} of the steps to come",
                "Write `causal yes` to see what has been alone.",
            )
        self.weight = nn.Parameter(torch.empty(filters, dim, size))
        self.bias = nn.Parameter(torch.empty(filters))

    def lengths(self, steps: Int[Tensor, " batch"]) -> Int[Tensor, " batch"]:
        """How many steps are left of so many."""
        return (steps + self.step - 1) // self.step

    def forward(
        self,
        x: Float[Tensor, "batch time dim"],
        steps: Int[Tensor, " batch"] | None = None,
        carried: Carried | None = None,
    ) -> Float[Tensor, "batch less filters"]:
        """The sums at every place.

        Args:
            x: The sequences.
            steps: How many steps each has; None where all have as many as there are.
            carried: By layer the steps before these that its filters still see; afterwards those before the next ones.

        Raises:
            SpecError: It is to go on where a piece ended, and it sees what comes or leaves steps out.
        """
        x = without_rest(x, steps)
        if carried is None:
            x = functional.pad(x.transpose(1, 2), (self.before, self.behind))
        else:
            x = self._taken_up(x, steps, carried).transpose(1, 2)
        return functional.conv1d(x, self.weight, self.bias, self.step).transpose(1, 2)

    def _taken_up(self, x: Tensor, steps: Tensor | None, carried: Carried) -> Tensor:
        """The steps with those before them, of which as many as the filters see are kept for the next ones."""
        if self.behind or self.step > 1:
            raise SpecError(
                f"a convolution that {'sees what comes' if self.behind else 'leaves steps out'} cannot go on where a "
                "piece ended.",
                "Write `conv1d ... causal yes` without a stride.",
            )
        state = carried.get(self)
        whole = torch.cat([x.new_zeros(len(x), self.before, x.shape[2]) if state is None else state[0], x], dim=1)
        if steps is None:
            carried[self] = (whole[:, whole.shape[1] - self.before :],)
        else:
            places = (steps[:, None] + torch.arange(self.before, device=x.device))[:, :, None]
            carried[self] = (whole.gather(1, places.expand(-1, -1, x.shape[2])),)
        return whole
