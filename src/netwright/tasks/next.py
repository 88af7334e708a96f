"""What comes next at every step of a text: a softmax over the tokens that are known, a language model.

Answers are probabilities of the token after the last one, `(batch, token)`. Scores come from all steps, of which each
example keeps four numbers: the sum of its losses, its steps, how many of them were right, and the characters that they
stand for. Surprise is told for a character where tokens say every one of them, so that pieces of words can be compared
with characters; words leave some out as unknown, and are told by their perplexity.
"""

from __future__ import annotations

import math
import time
from collections.abc import Mapping, Sequence

import numpy as np
import torch
from jaxtyping import Float, Int
from torch import Tensor

from netwright.field import UNKNOWN_CODE, Field
from netwright.readers import padding
from netwright.readers.kinds.text import WORDS, letters, readable, spelled
from netwright.spec import OutputSpec
from netwright.tasks import tokens
from netwright.tasks.grams import surprise
from netwright.tasks.task import Baseline, Coded, Interval, Ranked

GRAMS = 5  # tokens that the better baseline looks at, the one it guesses among them


class Next(tokens.EachToken):
    """The token after each one of a text.

    Args:
        name: The output's name in the spec.
        field: Its vocabulary has the tokens, in the order of their codes.
        spec: `of`: the text that goes in.

    Raises:
        SpecError: A loss, unit or weights of classes are asked for.
    """

    each_step = True
    calibrates = True

    def __init__(self, name: str, field: Field, spec: OutputSpec) -> None:
        super().__init__(name, field, spec)
        each = f"one of {len(field.vocabulary):,} tokens comes next"
        why = "how surprised the net is by what comes, in nats"
        what = "what comes next is one of all tokens, by cross-entropy"
        tokens.begin(self, spec, what, each, "cross_entropy", why)
        self._by_words = field.options.get("tokens") in WORDS
        self._known = readable(field.vocabulary, field)
        self._letters = torch.tensor(letters(field), dtype=torch.float64)
        self.headline = "perplexity" if self._by_words else "bits"

    def judged(
        self, outputs: Float[Tensor, "batch time unit"], targets: Int[Tensor, "batch time"], *, quick: bool = False
    ) -> Float[Tensor, "batch 4"]:
        """Of each example the sum of its losses, its steps, how many were right, characters; see `Task.judged`."""
        del quick
        each = tokens.each_loss(outputs, targets)
        right = ((outputs.argmax(dim=2) == targets) & (targets != UNKNOWN_CODE)).sum(dim=1)
        counts = torch.stack([each.double().sum(dim=1), padding.lengths(targets).double(), right.double()], dim=1)
        return self._with_characters(counts, targets)

    def answers(self, outputs: Float[Tensor, "batch time unit"]) -> Float[Tensor, "batch unit"]:
        """Probabilities of the token after the last; see `Task.answers`."""
        ends = (~outputs[..., 0].isnan()).sum(dim=1).clamp(min=1) - 1
        return torch.softmax(outputs[torch.arange(len(outputs), device=outputs.device), ends], dim=1)

    def score(self, answers: Float[Tensor, "batch 4"], targets: Tensor) -> dict[str, float]:
        """Bits and nats of a character on average, perplexity of a token, and the share that was guessed right."""
        del targets
        return tokens.scores(answers, self._scores)

    def interval(
        self, answers: Float[Tensor, "batch 4"], targets: Tensor, groups: np.ndarray | None = None
    ) -> dict[str, Interval]:
        """Intervals from drawing pieces of the text anew; see `Task.interval`."""
        del targets
        return tokens.intervals(answers, self._scores, tuple(self._scores(np.ones((1, 4)))), groups)

    def baselines(self, train: Coded, test: Coded, seed: int) -> list[Baseline]:
        """How often each token comes, and after the four before it."""
        del seed
        found = []
        for name, order, note in (
            ("unigram", 1, "how often each token comes"),
            ("five_gram", GRAMS, "which tokens came after the same four, three, two, one"),
        ):
            start = time.monotonic()
            counts = surprise(train.targets, test.targets, order, self.units)
            found.append(self.baseline(name, self._with_characters(counts, test.targets), test, start, note))
        return found

    def decode(self, answers: Tensor, top: int = 3) -> list[Ranked]:
        """The likeliest next tokens with their probabilities; see `Task.decode`."""
        best = answers.topk(min(top, answers.shape[1]), dim=1)
        return [
            [(self._known[code], value) for code, value in zip(codes, values, strict=True)]
            for codes, values in zip(best.indices.tolist(), best.values.tolist(), strict=True)
        ]

    def columns(self, answers: Tensor) -> Mapping[str, Sequence[str | float | None]] | None:
        """Of judged examples nats and steps; of others the likeliest next token and its probability."""
        if answers.dtype == torch.float64:  # what `judged` gave
            return {"_nats": (answers[:, 0] / answers[:, 1].clamp(min=1)).tolist(), "_steps": answers[:, 1].tolist()}
        share, code = answers.max(dim=1)
        return {"": [self._known[place] for place in code.tolist()], "_probability": share.tolist()}

    def words(self, answers: Tensor) -> list[str] | None:
        """The texts of targets; see `Task.words`."""
        if answers.is_floating_point():
            return None
        rows = [[self.field.vocabulary[code] for code in row if code >= 0] for row in answers.tolist()]
        return ["".join(spelled(tokens, self.field)) for tokens in rows]

    def _with_characters(
        self, counts: Float[Tensor, "batch 3"], targets: Int[Tensor, "batch time"]
    ) -> Float[Tensor, "batch 4"]:
        each = torch.where(targets >= 0, self._letters.to(targets.device)[targets.clamp(min=0)], 0.0)
        return torch.cat([counts, each.sum(dim=1, keepdim=True)], dim=1)

    def _scores(self, means: np.ndarray) -> dict[str, np.ndarray]:
        """Scores by name from means of summed losses, steps, right guesses and characters, one row for each."""
        each, nats = means[:, 0] / means[:, 1], means[:, 0] / means[:, 3]
        surprise = {"log_loss": each} if self._by_words else {"bits": nats / math.log(2), "nats": nats}
        return {**surprise, "perplexity": np.exp(each), "accuracy": means[:, 2] / means[:, 1]}
