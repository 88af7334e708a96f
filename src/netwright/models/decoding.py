"""What a language model writes: tokens drawn one after the other, each from what the network expects next."""

from __future__ import annotations

import math
import warnings
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from itertools import islice

import numpy as np
import torch
from jaxtyping import Float, Int
from torch import Tensor, nn

from netwright.errors import SpecError
from netwright.models.chain import chain
from netwright.models.network import Network
from netwright.models.recurrent import Carried, Recurrent

_PLAIN = 100  # tokens after which it is worth a twentieth of a second to write a step's operations down


@dataclass(frozen=True)
class Sampling:
    """How a token is drawn.

    Args:
        temperature: Below 1 likely tokens come more often than the network expects, above 1 rare ones; 0 always takes
            the likeliest.
        top_k: Only so many of the likeliest tokens are drawn from; 0 for all.
        top_p: Only the likeliest tokens that have this probability together are drawn from.

    Raises:
        SpecError: A setting is out of range.

    Source: top-p Holtzman et al. 2020, The Curious Case of Neural Text Degeneration, arXiv:1904.09751, section 3.1.
    """

    temperature: float = 1.0
    top_k: int = 0
    top_p: float = 1.0

    def __post_init__(self) -> None:
        wrong = [
            told
            for told, good in (
                (f"temperature is {self.temperature:g}, expected 0 or more", 0 <= self.temperature < math.inf),
                (f"top_k is {self.top_k}, expected 0 or more", self.top_k >= 0),
                (f"top_p is {self.top_p:g}, expected above 0 and at most 1", 0 < self.top_p <= 1),
            )
            if not good
        ]
        if wrong:
            raise SpecError(f"{'; '.join(wrong)}.", "Leave it out to draw them as likely as the network says.")

    def drawn(self, scores: Float[np.ndarray, " token"], chance: float) -> int:
        """One token.

        Args:
            scores: What the network gives for each.
            chance: Drawn evenly from [0, 1).

        Example:
            >>> Sampling(temperature=0.0).drawn(np.array([0.1, 2.0, -1.0]), 0.9)
            1
            >>> Sampling(top_k=2).drawn(np.array([0.0, 0.0, -9.0]), 0.9)
            1
        """
        if self.temperature == 0:
            return int(scores.argmax())
        far = scores.astype(np.float64) - scores.max()
        with np.errstate(over="ignore"):  # as far as can be
            shares = np.exp(far / self.temperature)
        if self.top_k or self.top_p < 1:
            order = np.argsort(-shares, kind="stable")
            kept = np.cumsum(shares[order]) - shares[order] < self.top_p * shares.sum()
            kept[self.top_k or len(kept) :] = False
            shares[order[~kept]] = 0
        sums = np.cumsum(shares)
        return int(np.searchsorted(sums, chance * sums[-1], side="right"))


def written(
    network: Network,
    group: str,
    head: str,
    prompt: Int[np.ndarray, " step"],
    sampling: Sampling,
    seed: int,
    never: tuple[int, ...] = (),
) -> Iterator[int]:
    """Tokens that follow a prompt; the state goes on from token to token, nothing is read twice.

    They have no end, but where a training has gone astray: a network whose scores are no finite numbers writes nothing.

    Args:
        network: With a head that answers at every step.
        group: The input of tokens.
        head: The output of what comes next.
        prompt: What stands before, at least one token.
        sampling: How tokens are drawn.
        seed: Of the draws.
        never: Tokens that are never drawn.
    """
    chance = np.random.default_rng(seed)
    ahead = _Ahead(network, group, head)
    scores = ahead.plainly(torch.from_numpy(np.asarray(prompt, dtype=np.int64))[None])
    while np.isfinite(scores).all():
        scores[list(never)] = -np.inf
        token = sampling.drawn(scores, chance.random())
        yield token
        scores = ahead.step(token)


class _Ahead:
    """A network that reads token by token.

    After some tokens its operations are written down once: a chain of common layers in numpy, any other by torch's
    tracer, without Python between them. That is several times as fast and gives the same scores up to the last
    digits; a network that does not is asked as before.

    Args:
        network: With a head that answers at every step.
        group: The input of tokens.
        head: The output of what comes next.
    """

    def __init__(self, network: Network, group: str, head: str) -> None:
        self._network, self._group, self._head = network, group, head
        self._carried: Carried = {}
        self._left = _PLAIN
        self._chain: Callable[[int], np.ndarray] | None = None
        self._written: torch.jit.ScriptModule | None = None
        self._state: list[Tensor] = []
        self._token = torch.zeros(1, 1, dtype=torch.int64)

    def step(self, token: int) -> Float[np.ndarray, " token"]:
        """What is expected after one more token."""
        self._left -= 1
        if self._left == 0:
            self._write()
        if self._chain is not None:
            return self._chain(token)
        if self._written is None:
            return self.plainly(torch.tensor([[token]]))
        self._token.fill_(token)
        with torch.inference_mode():
            scores, *self._state = self._written(self._token, *self._state)
        return scores.numpy()

    def plainly(self, tokens: Int[Tensor, "1 step"]) -> Float[np.ndarray, " token"]:
        """What is expected after some tokens.

        Args:
            tokens: Their codes.
        """
        with torch.inference_mode():
            return self._network({self._group: tokens}, self._carried)[self._head][0, -1].numpy(force=True).copy()

    def _write(self) -> None:
        """Writes the operations of one step down, if they are those of every step."""
        if not all(isinstance(layer, Recurrent) for layer in self._carried):
            return  # what a convolution carries grows until it has seen enough
        sizes = {layer: len(state) for layer, state in self._carried.items()}
        state = [part.clone() for parts in self._carried.values() for part in parts]
        if self._as_chain():
            return
        once = _Once(self._network, self._group, self._head, sizes).eval()
        with torch.no_grad(), warnings.catch_warnings():
            warnings.simplefilter("ignore")  # of the tracer: what it asks of one token without padding is always so
            try:
                traced = torch.jit.trace(once, (self._token, *state), check_trace=False)
                written = torch.jit.optimize_for_inference(torch.jit.freeze(traced))
            except Exception:  # noqa: BLE001  (a layer of one's own may do anything)
                return
            pairs = zip(written(self._token, *state), once(self._token, *state), strict=True)
            if all(torch.allclose(one, other, rtol=1e-4, atol=1e-5) for one, other in pairs):
                self._written, self._state = written, state

    def _as_chain(self) -> bool:
        """Whether the network is a chain that gives the same in numpy, which then serves."""
        tried = chain(self._network, self._head, self._carried)
        if tried is None:
            return False
        carried = dict(self._carried)
        for token in range(2):
            with torch.inference_mode():
                plain = self._network({self._group: torch.tensor([[token]])}, carried)[self._head][0, -1].numpy()
            if not np.allclose(tried(token), plain, rtol=1e-4, atol=1e-5):
                return False
        self._chain = chain(self._network, self._head, self._carried)
        return True


class _Once(nn.Module):
    """One step, its states handed in and out one behind the other.

    Args:
        network: Asked.
        group: The input of tokens.
        head: The output of what comes next.
        sizes: How many states each layer has.
    """

    def __init__(self, network: Network, group: str, head: str, sizes: dict[nn.Module, int]) -> None:
        super().__init__()
        self.network, self._group, self._head, self._sizes = network, group, head, sizes

    def forward(self, token: Tensor, *state: Tensor) -> tuple[Tensor, ...]:
        """Scores, then the states at the end."""
        parts = iter(state)
        carried: Carried = {layer: tuple(islice(parts, count)) for layer, count in self._sizes.items()}
        scores = self.network({self._group: token}, carried)[self._head][0, -1]
        return scores, *(part for layer in self._sizes for part in carried[layer])
