"""Which tokens of a text speak for an answer: what changes when one of them is left out.

The influence of a token on a class is the log-odds of the class with it, less the log-odds of the text without it: at
log 2 = 0.69 the token doubles the odds. Beside it stands what the slope at the text foresees: the derivative of the
log-odds by the numbers that stand for the token, times these numbers, summed.

Source: leaving out Zeiler & Fergus 2014, arXiv:1311.2901, section 4.2, of words Li, Monroe, Jurafsky 2016,
arXiv:1612.08220; gradient times input Shrikumar et al. 2017, arXiv:1605.01713.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

import torch
from jaxtyping import Float, Int
from torch import Tensor, nn
from torch.nn.functional import log_softmax

from netwright.lens.activations import looking
from netwright.models.network import Network
from netwright.models.recurrent import EmbedTokens
from netwright.readers.padding import NO_TOKEN, joined

_ROWS = 512  # texts computed at a time, those without a token among them


@dataclass(frozen=True)
class Influence:
    """One text.

    Args:
        odds: Log-odds of each class.
        left_out: What each token adds to the log-odds of each class, `(token, class)`.
        slope: What the slope foresees of the likeliest class, `(token,)`; None where the network has no embedding.
    """

    odds: Float[Tensor, " class"]
    left_out: Float[Tensor, "token class"]
    slope: Float[Tensor, " token"] | None


def influences(
    network: Network,
    group: str,
    head: str,
    texts: Sequence[Tensor],
    told: Callable[[int], None] = lambda done: None,
) -> list[Influence]:
    """What each token of some texts adds to the odds of each class.

    A text of one token is compared with a text of none, which a network reads as one unknown token.

    Args:
        network: With one text going in; its mode is left as it was.
        group: The input of tokens.
        head: An output that is one of several classes.
        texts: Codes of tokens `(token,)` each, at least one.
        told: Called with the number of texts done.
    """
    found: dict[int, Influence] = {}
    with looking(network) as device:
        for some in _together([len(text) for text in texts]):
            rows = joined([_without_each(texts[at]) for at in some])
            odds = torch.cat(
                [log_odds(network({group: part.to(device)})[head]).cpu() for part in rows.split(_ROWS)]
            ).split([len(texts[at]) + 1 for at in some])
            best = torch.tensor([int(each[0].argmax()) for each in odds])
            slopes = _slopes(network, group, head, joined([texts[at][None] for at in some]), best)
            for place, (at, each) in enumerate(zip(some, odds, strict=True)):
                slope = None if slopes is None else slopes[place, : len(texts[at])]
                found[at] = Influence(each[0], each[0] - each[1:], slope)
            told(len(found))
    return [found[at] for at in range(len(texts))]


def _together(lengths: Sequence[int]) -> Iterator[list[int]]:
    """Texts of like length, so many that all that is made of them is about `_ROWS` rows."""
    some: list[int] = []
    for at in sorted(range(len(lengths)), key=lambda at: lengths[at]):
        some.append(at)
        if sum(lengths[each] + 1 for each in some) >= _ROWS:
            yield some
            some = []
    if some:
        yield some


def _without_each(tokens: Int[Tensor, " token"]) -> Int[Tensor, "row token"]:
    """A text, and below it itself without its first token, without its second, and so on."""
    count = len(tokens)
    rows = torch.full((count + 1, count), NO_TOKEN, dtype=torch.int64)
    rows[0] = tokens
    for place in range(count):
        rows[place + 1, : count - 1] = torch.cat([tokens[:place], tokens[place + 1 :]])
    return rows


def log_odds(outputs: Float[Tensor, "batch unit"]) -> Float[Tensor, "batch class"]:
    """The log of p / (1 - p) of each class.

    Args:
        outputs: Scores whose softmax are the probabilities, or of two classes one score whose sigmoid is the second's.

    Example:
        >>> log_odds(torch.tensor([[0.0, 2.0]])), log_odds(torch.tensor([[2.0]]))
        (tensor([[-2.,  2.]]), tensor([[-2.,  2.]]))
    """
    if outputs.shape[1] == 1:
        return torch.cat([-outputs, outputs], dim=1)
    logs = log_softmax(outputs.double(), dim=1)
    others = [
        torch.logsumexp(torch.cat([logs[:, :at], logs[:, at + 1 :]], dim=1), dim=1) for at in range(logs.shape[1])
    ]
    return (logs - torch.stack(others, dim=1)).float()


def _slopes(network: Network, group: str, head: str, texts: Tensor, best: Tensor) -> Tensor | None:
    """The derivative of each text's likeliest class's log-odds by each token's numbers, times these."""
    embedding = next((module for module in network.modules() if isinstance(module, EmbedTokens)), None)
    if embedding is None:
        return None
    seen: list[Tensor] = []

    def keep(module: nn.Module, given: tuple[Tensor | None, ...], out: Tensor) -> Tensor:
        del module, given
        seen.append(out.detach().requires_grad_())
        return seen[0]

    handle = embedding.register_forward_hook(keep)
    try:
        with looking(network) as device, torch.enable_grad():
            odds = log_odds(network({group: texts.to(device)})[head])
            (slope,) = torch.autograd.grad(odds.cpu().gather(1, best[:, None]).sum(), seen[0])
    finally:
        handle.remove()
    return (slope * seen[0]).sum(dim=2).detach().cpu()
