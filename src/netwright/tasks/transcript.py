"""A text read off a sequence that is longer than it: speech, pen strokes; aligned by CTC, which needs no marks in time.

Answers are codes of tokens `(batch, time)`, padded. Of each example scores keep how many tokens would have to be
changed, put in or taken out, how many there are, and the same of words.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence

import numpy as np
import torch
from jaxtyping import Float, Int
from rapidfuzz.distance import Levenshtein
from torch import Tensor
from torch.nn import functional

from netwright.field import TOKENS, Field
from netwright.models.ctc import BLANK, best_path, prefix_search
from netwright.models.grams import Grams, counted
from netwright.readers import padding
from netwright.readers.kinds.text import spelled
from netwright.spec import OutputSpec
from netwright.tasks import tokens
from netwright.tasks.task import Baseline, Coded, Interval

_NO_WORD = "\0"  # in place of a token that is not known
BEAM = 16  # beginnings of a text that are kept while it is read off


class Transcript(tokens.Texts):
    """What is said or written in a sequence.

    Args:
        name: The output's name in the spec.
        field: Its vocabulary has the tokens; code 0 is the blank.
        spec: `align: ctc`, and no loss or unit but the task's own.

    Raises:
        SpecError: A loss, unit or weights of classes are asked for.
    """

    headline = "error"
    watch = ("error", "min")
    each_step = True

    def __init__(self, name: str, field: Field, spec: OutputSpec) -> None:
        super().__init__(name, field, spec)
        what = str(field.options.get("tokens", "tokens"))
        each = f"one of {len(field.vocabulary) - 1:,} {TOKENS.get(what, what)} or none at every step"
        why = "minus the log of the probability of the true text, written in any way over the steps"
        tokens.begin(self, spec, "what is aligned by ctc has the loss of ctc", each, "ctc", why)
        self._order = spec.grams or 0
        self._grams = Grams(field.grams, self.units) if field.grams else None

    def informed(self, targets: Iterable[Int[Tensor, "batch later"]]) -> Field:
        """The field with what follows what in the training texts, where that is asked; see `Task.informed`."""
        if not self._order:
            return self.field
        texts = ([code for code in text if code != BLANK] for batch in targets for text in self.texts(batch))
        return self.field.model_copy(update={"grams": counted(texts, self._order)})

    def terms(
        self, outputs: Float[Tensor, "batch time unit"], targets: Int[Tensor, "batch later"]
    ) -> Float[Tensor, " batch"]:
        """-log p of each text over its length; 0 for one that its steps are too few for, see `Task.terms`."""
        steps = _steps(outputs)
        known = torch.where(targets == BLANK, padding.NO_TOKEN, targets)  # a token that is not known cannot be read off
        lengths = padding.lengths(known)
        order = (known < 0).long().argsort(dim=1, stable=True)
        found = functional.ctc_loss(
            functional.log_softmax(outputs.nan_to_num(), dim=2).transpose(0, 1),
            known.gather(1, order).clamp(min=1),
            steps,
            lengths,
            blank=BLANK,
            reduction="none",
            zero_infinity=True,
        )
        return found / lengths.clamp(min=1)

    def chance(self, targets: Int[Tensor, "example time"]) -> float:
        """The loss of a net that says every token is as likely at every step, for one step to a token."""
        del targets
        return math.log(self.units)

    def answers(self, outputs: Float[Tensor, "batch time unit"]) -> Int[Tensor, "batch later"]:
        """The likeliest texts; see `Task.answers`."""
        shares, steps = torch.softmax(outputs.nan_to_num().double(), dim=2).numpy(force=True), _steps(outputs).tolist()
        texts = [prefix_search(row[:count], BEAM, grams=self._grams) for row, count in zip(shares, steps, strict=True)]
        return padding.padded([np.array(text, dtype=np.int64) for text in texts])

    def judged(
        self, outputs: Float[Tensor, "batch time unit"], targets: Int[Tensor, "batch later"], *, quick: bool = False
    ) -> Tensor:
        """Of each example edits, tokens, edits of words, words, and whether all is right; see `Task.judged`."""
        if quick:  # one way through the steps instead of all that say the same
            codes, steps = outputs.nan_to_num().argmax(dim=2).numpy(force=True), _steps(outputs).tolist()
            given = [best_path(row[:count]) for row, count in zip(codes, steps, strict=True)]
        else:
            given = self.texts(self.answers(outputs))
        rows = [self._compared(text, truth) for text, truth in zip(given, self.known(targets), strict=True)]
        return torch.tensor(rows, dtype=torch.float64)

    def _compared(self, given: Sequence[int], truth: Sequence[int]) -> list[int]:
        one, other = self._words(given), self._words(truth)
        return [
            Levenshtein.distance(given, truth),
            len(truth),
            Levenshtein.distance(one, other),
            len(other),
            int(given == truth),
        ]

    def _words(self, codes: Sequence[int]) -> list[str]:
        """A text's words; one with a token that is not known is none that could be written."""
        vocabulary = self.field.vocabulary
        written = spelled([_NO_WORD if code == tokens.NOWHERE else vocabulary[code] for code in codes], self.field)
        return "".join(written).split()

    def score(self, answers: Float[Tensor, "batch count"], targets: Tensor) -> dict[str, float]:
        """error: edits over true tokens; word_error likewise; exact: the share of texts that are wholly right."""
        del targets
        return tokens.scores(answers, _columns)

    def interval(
        self, answers: Float[Tensor, "batch count"], targets: Tensor, groups: np.ndarray | None = None
    ) -> dict[str, Interval]:
        """Intervals from drawing examples anew; see `Task.interval`."""
        del targets
        return tokens.intervals(answers, _columns, ("error", "word_error", "exact"), groups)

    def baselines(self, train: Coded, test: Coded, seed: int) -> list[Baseline]:
        """Always the commonest text, and nothing at all."""
        del seed
        commonest = self.commonest(train.targets)
        found = []
        for name, given, note in (
            ("commonest", commonest, f'always "{self.said(commonest)}"'),
            ("nothing", [], "always nothing"),
        ):
            rows = [self._compared(given, truth) for truth in self.known(test.targets)]
            answers = torch.tensor(rows, dtype=torch.float64)
            scores, interval = self.score(answers, test.targets), self.interval(answers, test.targets, test.groups)
            found.append(Baseline(name, scores, interval, 0.0, note))
        return found

    def columns(self, answers: Tensor) -> Mapping[str, Sequence[str | float | None]] | None:
        """Of judged examples edits and tokens; of others the texts."""
        if answers.is_floating_point():
            return {"_edits": answers[:, 0].tolist(), "_tokens": answers[:, 1].tolist()}
        return {"": self.decode(answers)}


def _steps(outputs: Float[Tensor, "batch time unit"]) -> Int[Tensor, " batch"]:
    """How many steps of each example are there."""
    return (~outputs[..., 0].isnan()).sum(dim=1)


def _columns(means: np.ndarray) -> dict[str, np.ndarray]:
    with np.errstate(divide="ignore", invalid="ignore"):
        error, word_error = (np.nan_to_num(means[:, at] / means[:, at + 1]) for at in (0, 2))
    return {"error": error, "word_error": word_error, "exact": means[:, 4]}
