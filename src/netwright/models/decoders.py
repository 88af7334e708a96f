"""Decoders: what writes a text of any length from what an encoder made of an input.

Given the true text, a decoder says how likely each next token was (teacher forcing, or with scheduled sampling behind
guesses of its own here and there); without it, it writes one by beam search. Both are the same network: the state
begins with the encoding, each token is fed back, and attention looks at the steps of the encoding anew for every token.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass

import numpy as np
import torch
from jaxtyping import Float, Int
from torch import Tensor, nn
from torch.nn import functional

from netwright.field import END_CODE, STEPS
from netwright.models.initialisers import Draw
from netwright.models.layers import Layer, Shape, at_least
from netwright.models.steps import there, without_rest
from netwright.readers import padding
from netwright.spec import DecoderSpec

Choose = Callable[[np.ndarray], int]  # a token by the scores of all
State = tuple[Tensor, Tensor]  # what the LSTMs say and what they keep, each (batch, layer, dim)


@dataclass
class _Reading:
    """What a decoder looks at: the encoding of each example, its steps, and which of them are there."""

    memory: Tensor | None
    gone: Tensor | None
    state: State

    def rows(self, pick: Tensor) -> _Reading:
        """The same for some rows."""
        memory, gone = (None if x is None else x[pick] for x in (self.memory, self.gone))
        return _Reading(memory, gone, (self.state[0][pick], self.state[1][pick]))


class Decoder(Layer):
    """An LSTM that writes, token by token, from an encoding.

    Attention "luong": the new state asks the steps of the encoding, and what it finds is joined to it before the next
    token is chosen. "bahdanau": the old state asks, and what it finds goes in with the last token. "none": the encoding
    is the first state and nothing more, whatever the length of the input. Further LSTMs read the state of the one below
    and what it found, so that they know what was looked at before. Tied, what the next token is chosen from is
    compared with the embedded tokens themselves: fewer weights, and less time where `embed` is less than `dim`.

    Args:
        in_shape: `(time, dim)` of an encoded sequence, `(dim,)` of a vector, or `(channel, height, width)` of a picture
            whose places are looked at one by one.
        tokens: How many there are; 0 is what is not known, `END_CODE` the end, which also stands before the first.
        longest: Tokens of the longest text it writes, where the wish does not say.
        wish: What the user said about it.

    Source: Cho et al. 2014, arXiv:1406.1078; attention Bahdanau, Cho, Bengio 2015, arXiv:1409.0473, section 3.1, and
    Luong, Pham, Manning 2015, arXiv:1508.04025, section 3.1 (general); the length penalty Wu et al. 2016,
    arXiv:1609.08144, equation 14; tied weights Press & Wolf 2017, arXiv:1608.05859; tokens begin as in `EmbedTokens`.
    """

    def __init__(
        self,
        in_shape: Shape,
        tokens: int,
        longest: int,
        wish: DecoderSpec | None = None,
    ) -> None:
        wish = wish or DecoderSpec()
        dim, embed, attention, tied, layers = wish.dim, wish.embed, wish.attention, wish.tied, wish.layers
        at_least(1, longest=longest)
        wide = in_shape[0] if len(in_shape) != 2 else in_shape[1]
        found = dim + (0 if attention == "none" else wide)  # what a token is chosen from
        joined = embed if tied else dim if attention == "luong" else 0
        per_step = 4 * dim * (embed + dim + (layers - 1) * (found + dim)) + tokens * (joined or found) + found * joined
        per_step += wide * dim if attention != "none" else 0
        super().__init__(in_shape, (STEPS, tokens), multiply_adds=per_step)
        self.timed = len(in_shape) == 2
        if self.timed:
            self.foresees = ("writes from the whole input", "Give an answer at every step: outputs.NAME.per.")
        self.tokens, self.longest, self.attention, self.beam = tokens, wish.longest or longest, attention, wish.beam
        self.penalty = wish.length_penalty
        self.choose: Choose | None = None  # how a token is drawn, where texts are not searched
        self.own: Tensor | None = None  # where a training step feeds back a guess, `(batch, longest + 1)`
        self.alone = False  # whether true texts are scored behind guesses alone
        self.dropout = nn.Dropout(wish.dropout)
        self.embedding, self.factor = nn.Parameter(torch.empty(tokens, embed)), math.sqrt(embed)
        self.begin, self.layers = nn.Linear(wide, 2 * layers * dim), layers
        self.cell = nn.LSTM(embed + (wide if attention == "bahdanau" else 0), dim, batch_first=True)
        self.above = nn.ModuleList(nn.LSTM(found, dim, batch_first=True) for _ in range(layers - 1))
        self.ask = nn.Linear(dim, wide if attention == "luong" else dim, bias=False) if attention != "none" else None
        self.seen = nn.Linear(wide, dim) if attention == "bahdanau" else None
        self.weigh = nn.Linear(dim, 1, bias=False) if attention == "bahdanau" else None
        self.join = nn.Linear(found, joined) if joined else None
        self.out = None if tied else nn.Linear(joined or found, tokens)
        self.bias = nn.Parameter(torch.empty(tokens)) if tied else None

    def initialise(self, draw: Draw) -> None:
        """Matrices drawn, the recurrent one orthogonal gate by gate, the forget gate open, biases 0."""
        draw.uniform(self.embedding, math.sqrt(3) / self.factor)
        for name, weight in self.named_parameters():
            if name == "embedding":
                continue
            if weight.ndim < 2:
                nn.init.zeros_(weight)
            elif "weight_hh" in name:
                with torch.no_grad():
                    for gate in weight.chunk(4):
                        nn.init.orthogonal_(gate, generator=draw.generator)
            else:
                for gate in weight.chunk(4) if "weight_ih" in name else [weight]:
                    draw(gate)
        with torch.no_grad():
            for cell in (self.cell, *self.above):
                cell.bias_ih_l0.chunk(4)[1].fill_(1.0)  # type: ignore[operator]

    def forward(
        self,
        x: Float[Tensor, "batch *any"],
        steps: Int[Tensor, " batch"] | None = None,
        targets: Int[Tensor, "batch later"] | None = None,
    ) -> Tensor:
        """Scores of every next token of the true texts `(batch, later, token)`; without them texts `(batch, later)`.

        Args:
            x: The encodings.
            steps: How many steps each has; None where all have as many as there are.
            targets: Codes of the true texts with their ends, padded.
        """
        reading = self._read(x, steps)
        if targets is None:
            return self._drawn(reading, self.choose) if self.choose else self._searched(reading)
        if self.alone:
            return self._behind_guesses(reading, targets.shape[1])
        before = functional.pad(targets[:, :-1].clamp(min=0), (1, 0), value=END_CODE)
        if self.training and self.own is not None:
            with torch.no_grad():
                guesses = self._scores(before, reading)[0].argmax(dim=2)
            own = functional.pad(guesses[:, :-1], (1, 0), value=END_CODE)
            here = self.own[:, : before.shape[1]]
            here = functional.pad(here, (0, before.shape[1] - here.shape[1]))  # behind the longest that was fitted on
            before = torch.where(here, own, before)
        scores, _ = self._scores(before, reading)
        return scores

    def _behind_guesses(self, reading: _Reading, steps: int) -> Tensor:
        """Scores of every next token where the likeliest token so far was fed back each time."""
        token = torch.full((len(reading.state[0]), 1), END_CODE, device=reading.state[0].device)
        found = []
        for _ in range(steps):
            scores, state = self._scores(token, reading)
            found.append(scores)
            token, reading = scores.argmax(dim=2), _Reading(reading.memory, reading.gone, state)
        return torch.cat(found, dim=1)

    def _read(self, x: Tensor, steps: Tensor | None) -> _Reading:
        gone = None
        if x.ndim == 4:
            x = x.flatten(2).transpose(1, 2)  # batch place channel
        if x.ndim == 3:
            first = without_rest(x, steps).sum(dim=1) / (x.shape[1] if steps is None else steps.clamp(min=1)[:, None])
            gone = None if steps is None else ~there(x, steps)[..., 0]
        else:
            first, x = x, x[:, None]
        h, c = torch.tanh(self.begin(first)).unflatten(1, (2, self.layers, -1)).unbind(dim=1)
        return _Reading(x if self.attention != "none" else None, gone, (h.contiguous(), c.contiguous()))

    def _scores(self, tokens: Tensor, reading: _Reading) -> tuple[Tensor, State]:
        """Scores after each of some tokens, and the state at their end."""
        embedded = self.dropout(functional.embedding(tokens, self.embedding) * self.factor)
        if self.attention == "bahdanau":
            h, context, state = self._stepwise(embedded, reading)
        else:
            h, state = self.cell(embedded, _of(0, reading))
            context = []
            if self.ask is not None and reading.memory is not None:
                weights = self.ask(h) @ reading.memory.transpose(1, 2)  # batch later time
                context = [_weighed(weights, reading)]
        states = [state]
        for layer, cell in enumerate(self.above, 1):
            h, state = cell(self.dropout(torch.cat([h, *context], dim=2)), _of(layer, reading))
            states.append(state)
        last, kept = (torch.cat(each).transpose(0, 1) for each in zip(*states, strict=True))
        return self._chosen(torch.cat([h, *context], dim=2)), (last, kept)

    def _chosen(self, found: Tensor) -> Tensor:
        """Scores of every token from the state and what attention found."""
        found = self.dropout(found if self.join is None else torch.tanh(self.join(found)))
        return functional.linear(found, self.embedding, self.bias) if self.out is None else self.out(found)

    def _stepwise(self, embedded: Tensor, reading: _Reading) -> tuple[Tensor, list[Tensor], State]:
        if self.ask is None or self.seen is None or self.weigh is None or reading.memory is None:
            raise RuntimeError("a decoder without its attention")  # pragma: no cover - made together
        h, c = reading.state[0][:, 0], reading.state[1][:, 0].to(self.embedding.dtype)  # summed up in full precision
        states, found, keys = [], [], self.seen(reading.memory)
        into, onwards, *biases = self.cell.parameters()
        of_tokens, of_context = into.split([embedded.shape[2], into.shape[1] - embedded.shape[2]], dim=1)
        sums = functional.linear(embedded, of_tokens, biases[0] + biases[1])  # of all steps at once
        weight = torch.cat([of_context, onwards], dim=1).to(sums.dtype)
        for of_token in sums.unbind(dim=1):
            asked = self.weigh(torch.tanh(keys + self.ask(h)[:, None]))[..., 0]  # batch time
            context = _weighed(asked[:, None], reading)[:, 0]
            gates = of_token + functional.linear(torch.cat([context, h], dim=1), weight)
            i, f, g, o = gates.chunk(4, dim=1)
            c = torch.sigmoid(f) * c + torch.sigmoid(i) * torch.tanh(g)
            h = torch.sigmoid(o) * torch.tanh(c)
            states.append(h)
            found.append(context)
        return torch.stack(states, dim=1), [torch.stack(found, dim=1)], (h[None], c[None])

    def _drawn(self, reading: _Reading, choose: Choose) -> Int[Tensor, "batch later"]:
        """Texts of which one token after the other is drawn, padded."""
        texts = torch.full((len(reading.state[0]), 1), END_CODE, device=reading.state[0].device)
        for _ in range(self.longest + 1):
            scores, state = self._scores(texts[:, -1:], reading)
            scores = scores[:, -1].float()
            scores[~scores.isfinite().all(dim=1)] = _nothing_but_the_end(scores)
            scores[:, 0] = -torch.inf  # what is not known is never written
            drawn = [choose(row) for row in scores.numpy(force=True)]
            texts = torch.cat([texts, torch.tensor(drawn, device=texts.device)[:, None]], dim=1)
            reading = _Reading(reading.memory, reading.gone, state)
            if bool((texts[:, 1:] == END_CODE).any(dim=1).all()):
                break
        return _ended(texts[:, 1:])

    def _searched(self, reading: _Reading) -> Int[Tensor, "batch later"]:
        """Texts found by beam search, padded; the likeliest by its score over its length to the power of `penalty`."""
        count, width = len(reading.state[0]), self.beam
        reading = reading.rows(torch.arange(count, device=reading.state[0].device).repeat_interleave(width))
        device = reading.state[0].device
        texts = torch.full((count, width, 0), END_CODE, device=device)
        sums = torch.full((count, width), -torch.inf, device=device)
        sums[:, 0] = 0  # all beams begin alike: one of them counts
        token = torch.full((count * width, 1), END_CODE, device=device)
        over = torch.zeros(count, width, dtype=torch.bool, device=device)
        lengths = torch.zeros(count, width, device=device)
        for _ in range(self.longest + 1):
            scores, state = self._scores(token, reading)
            shares = torch.log_softmax(scores[:, -1], dim=1).view(count, width, -1)
            shares[..., 0] = -torch.inf  # what is not known is never written
            ended = torch.full_like(shares, -torch.inf)
            ended[..., END_CODE] = 0  # a text that is over stays as it is
            shares = torch.where(over[..., None], ended, shares)
            totals = sums[..., None] + shares
            longer = lengths[..., None] + (~over[..., None]).float()
            ranked = (totals / ((5 + longer) / 6) ** self.penalty).flatten(1).topk(width, dim=1).indices
            beam, chosen = ranked // self.tokens, ranked % self.tokens
            sums = totals.flatten(1).gather(1, ranked)
            lengths = longer.expand_as(totals).flatten(1).gather(1, ranked)
            texts = torch.cat(
                [texts.gather(1, beam[..., None].expand(-1, -1, texts.shape[2])), chosen[..., None]], dim=2
            )
            over = over.gather(1, beam) | (chosen == END_CODE)
            if (bool(over[:, 0].all()) and width == 1) or bool(over.all()):
                break
            pick = (torch.arange(count, device=device)[:, None] * width + beam).flatten()
            reading = _Reading(reading.memory, reading.gone, (state[0][pick], state[1][pick]))
            token = chosen.reshape(-1, 1)
        return _ended(texts[:, 0])


def _nothing_but_the_end(scores: Float[Tensor, "batch token"]) -> Float[Tensor, " token"]:
    """Scores of a network that has gone astray: it writes nothing more."""
    only = torch.full_like(scores[0], -torch.inf)
    only[END_CODE] = 0
    return only


def _ended(texts: Int[Tensor, "batch later"]) -> Int[Tensor, "batch later"]:
    """Texts with padding from their end on."""
    past = (texts == END_CODE).cumsum(dim=1) > 0
    return torch.where(past, padding.NO_TOKEN, texts)


@contextmanager
def _set(name: str, value: object, *networks: nn.Module) -> Iterator[None]:
    """Every decoder of some networks has another value of an attribute while the block runs."""
    decoders = [module for network in networks for module in network.modules() if isinstance(module, Decoder)]
    before = [getattr(decoder, name) for decoder in decoders]
    try:
        for decoder in decoders:
            setattr(decoder, name, value)
        yield
    finally:
        for decoder, old in zip(decoders, before, strict=True):
            setattr(decoder, name, old)


def choosing(network: nn.Module, choose: Choose) -> AbstractContextManager[None]:
    """Every decoder of a network draws its tokens while the block runs.

    Args:
        network: It is as it was afterwards.
        choose: Gives a token by the scores of all.
    """
    return _set("choose", choose, network)


def likeliest(network: nn.Module) -> AbstractContextManager[None]:
    """Every decoder of a network takes the likeliest token while the block runs, without a beam.

    Args:
        network: It is as it was afterwards.
    """
    return _set("beam", 1, network)


def on_its_own(network: nn.Module) -> AbstractContextManager[None]:
    """Every decoder of a network scores true texts behind its own guesses while the block runs.

    Args:
        network: It is as it was afterwards.
    """
    return _set("alone", True, network)


def fed_the_truth(*networks: nn.Module) -> AbstractContextManager[None]:
    """Every decoder of some networks is fed true tokens alone while the block runs.

    Args:
        networks: They are as they were afterwards.
    """
    return _set("own", None, *networks)


def _of(layer: int, reading: _Reading) -> State:
    """The state of one LSTM, as it takes it."""
    h, c = (part[:, layer].contiguous()[None] for part in reading.state)
    return h, c


def _weighed(weights: Tensor, reading: _Reading) -> Tensor:
    """What attention finds: the mean of the steps, weighed by the softmax of `(batch, later, time)` weights."""
    if reading.memory is None:
        raise RuntimeError("nothing to look at")  # pragma: no cover - only asked with a memory
    if reading.gone is not None:
        weights = weights.masked_fill(reading.gone[:, None], -torch.inf)
    return torch.softmax(weights, dim=2).nan_to_num() @ reading.memory
