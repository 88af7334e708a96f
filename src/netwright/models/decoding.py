"""What a language model writes: tokens drawn one after the other, each from what the network expects next."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import torch
from jaxtyping import Float, Int

from netwright.errors import SpecError
from netwright.models.network import Network
from netwright.models.recurrent import Carried


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
            raise SpecError(f"{'; '.join(wrong)}.", "Leave it out for what the network expects.")

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
        shares = np.exp((scores - scores.max()) / self.temperature, dtype=np.float64)
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
    carried: Carried = {}
    tokens = torch.from_numpy(np.asarray(prompt, dtype=np.int64))[None]
    while True:
        with torch.inference_mode():
            scores = network({group: tokens}, carried)[head][0, -1].numpy(force=True).copy()
        if not np.isfinite(scores).all():
            return
        scores[list(never)] = -np.inf
        token = sampling.drawn(scores, chance.random())
        tokens = torch.tensor([[token]])
        yield token
