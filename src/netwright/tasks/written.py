"""A text of any length, written by a decoder: a translation, a caption.

Answers are codes of tokens `(batch, time)`, padded as `readers/padding.py` says. Of each example scores keep a few
counts: how long it is, and which words in a row are those of the true text.
"""

from __future__ import annotations

import time
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

import numpy as np
import torch
from jaxtyping import Float, Int
from torch import Tensor

from netwright.field import END_CODE, UNKNOWN_CODE, Field, Reason
from netwright.readers import padding
from netwright.readers.kinds.text import spelled, units
from netwright.spec import OutputSpec
from netwright.tasks import alignment, tokens
from netwright.tasks.bleu import bleu, matches
from netwright.tasks.task import Baseline, Coded, Interval

_STRANGE = "\N{REPLACEMENT CHARACTER}"  # in place of a token that is not known


class Written(tokens.EachToken, tokens.Texts):
    """A text that is written.

    Args:
        name: The output's name in the spec.
        field: Its vocabulary has the tokens, in the order of their codes.
        spec: No loss or unit but the task's own.

    Raises:
        SpecError: A loss, unit or weights of classes are asked for.
    """

    headline = "bleu"
    watch = ("bleu", "max")
    writes = True
    end = END_CODE

    def __init__(self, name: str, field: Field, spec: OutputSpec) -> None:
        super().__init__(name, field, spec)
        each = f"each token is one of {len(field.vocabulary):,}"
        why = "how surprised the net is by each token of the true text, in nats, when it is given those before it"
        tokens.begin(self, spec, "a text is written token by token, by cross-entropy", each, "cross_entropy", why)
        if field.options.get("tokens") == "characters":
            counted = "up to four characters in a row are counted; not to be compared with BLEU of words"
            self.reasons.append(Reason(path=f"outputs.{name}.bleu", value="of characters", why=counted))

    def answers(self, outputs: Int[Tensor, "batch time"]) -> Int[Tensor, "batch time"]:
        """The texts that the decoder wrote; see `Task.answers`."""
        return outputs

    def judged(
        self, outputs: Int[Tensor, "batch time"], targets: Int[Tensor, "batch later"], *, quick: bool = False
    ) -> Tensor:
        """Of each example the counts that BLEU sums up, and whether all is right; see `Task.judged`."""
        del quick  # the decoder has written already
        return self._beside(map(self._counted, self.texts(outputs)), targets)

    def _beside(self, given: Iterable[list[Any]], targets: Int[Tensor, "batch later"]) -> Tensor:
        """What `judged` gives of texts as `_counted` has them."""
        pairs = zip(given, map(self._counted, self.known(targets)), strict=True)
        return torch.tensor(
            [[*matches(text, truth), float(text == truth)] for text, truth in pairs], dtype=torch.float64
        )

    def _counted(self, codes: list[int]) -> list[str] | list[int]:
        """What BLEU counts of a text: its words where they come in pieces, else its tokens."""
        return self.said(codes).split() if self.field.options.get("tokens") == "bpe" else codes

    def score(self, answers: Float[Tensor, "batch count"], targets: Tensor) -> dict[str, float]:
        """bleu, the length of what is written beside the true one's, and the share of texts that are wholly right."""
        del targets
        return tokens.scores(answers, _columns)

    def interval(
        self, answers: Float[Tensor, "batch count"], targets: Tensor, groups: np.ndarray | None = None
    ) -> dict[str, Interval]:
        """Intervals from drawing examples anew; see `Task.interval`."""
        del targets
        return tokens.intervals(answers, _columns, ("bleu", "length", "exact"), groups)

    def baselines(self, train: Coded, test: Coded, seed: int) -> list[Baseline]:
        """Always the commonest text; where texts go in, these copied, and replaced word by word."""
        del seed
        start = time.monotonic()
        commonest = self.commonest(train.targets)
        same = padding.padded([np.array(commonest, dtype=np.int64)]).expand(len(test.targets), -1)
        note = f'always "{self.said(commonest)}"'
        found = [self.baseline("commonest", self.judged(same, test.targets), test, start, note)]
        for name, given in train.tokens.items():
            asked, start = test.tokens[name], time.monotonic()
            copied = self._beside(self._copied(asked, train.fields[name]), test.targets)
            found.append(self.baseline("copy", copied, test, start, "the input as it is"))
            start = time.monotonic()
            known = len(train.fields[name].vocabulary)
            likeliest = alignment.dictionary(given, _ended(train.targets), known, self.units)
            replaced = torch.where(asked >= 0, likeliest[asked.clamp(min=0)], padding.NO_TOKEN)
            note = "each word replaced by the one that goes with it most often in the training part"
            found.append(self.baseline("dictionary", self.judged(replaced, test.targets), test, start, note))
        return found

    def _copied(self, given: Int[Tensor, "example time"], field: Field) -> Iterator[list[Any]]:
        """Texts that go in, as `_counted` would have them, whatever tokens they are read as."""
        kind, low = str(self.field.options.get("tokens")), bool(self.field.options.get("lower"))
        codes = {token: code for code, token in enumerate(self.field.vocabulary)}
        for row in given.tolist():
            said = [_STRANGE if code == UNKNOWN_CODE else field.vocabulary[code] for code in row if code >= 0]
            text = "".join(spelled(said, field)).strip()
            text = text.lower() if low else text
            yield text.split() if kind == "bpe" else [codes.get(token, UNKNOWN_CODE) for token in units(text, kind)]

    def columns(self, answers: Tensor) -> Mapping[str, Sequence[str | float | None]] | None:
        """Of judged examples the counts; of others the texts."""
        if answers.is_floating_point():
            return {"_exact": answers[:, -1].tolist()}
        return {"": self.decode(answers)}


def _ended(targets: Int[Tensor, "batch time"]) -> Int[Tensor, "batch time"]:
    """Texts without their ends."""
    return torch.where(targets == END_CODE, padding.NO_TOKEN, targets)


def _columns(means: np.ndarray) -> dict[str, np.ndarray]:
    with np.errstate(divide="ignore", invalid="ignore"):
        length = np.nan_to_num(means[:, 0] / means[:, 1])
    return {"bleu": bleu(means[:, :-1]), "length": length, "exact": means[:, -1]}
