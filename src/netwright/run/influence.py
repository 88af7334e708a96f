"""A look at a text classifier: which words of its held-out texts speak for its answers, and which do in general."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch

from netwright import files
from netwright.data.fields import kind_of
from netwright.errors import SpecError
from netwright.figures.marks import number, percent
from netwright.lens.influence import Influence, influences
from netwright.progress import Display, Silent
from netwright.readers.kinds.text import Text
from netwright.readers.padding import lengths
from netwright.report.influence import Common, Reviewed, influence_page
from netwright.run.prediction import count_reading
from netwright.run.sequences import Looked, OneSequence, listed_inputs, looked_at, one_sequence
from netwright.tasks.category import Category
from netwright.training import hardware
from netwright.words import counted

_TEXTS = 2000  # held-out texts at most
_WORK = 4_000_000  # tokens that are read for them: a text of n tokens is read n times
_STEPS = 400  # tokens of a text that are looked at
_EXAMPLES = 4  # right ones that are shown, and as many wrong ones
_OFTEN = 3  # how often a word must have been met for its mean to count
_CLASSES, _WORDS = 4, 12  # of which the words with the largest means are told, and how many


@dataclass(frozen=True)
class ReadText:
    """One text and what its words did.

    Args:
        id: Of the example.
        truth: Its class; "" where it is not known.
        answer: What was answered.
        probability: Of that.
        words: Its tokens.
        influence: Of each on the answer: log-odds with it less those without it.
        slope: What gradient times input foresees; [] where there is no embedding.
    """

    id: str
    truth: str
    answer: str
    probability: float
    words: list[str]
    influence: list[float]
    slope: list[float]


@dataclass(frozen=True)
class Words:
    """What words do to the answers of a text classifier.

    Args:
        output: Whose answers.
        part: The part that was looked at.
        texts: Those shown.
        looked_at: How many texts the means are over.
        common: By class the words with the largest mean influence on it.
        agreement: Correlation of leaving out with gradient times input over all tokens; None without the latter.
        page: Where the pictures lie.
        text: In words, line by line.
    """

    output: str
    part: str
    texts: list[ReadText]
    looked_at: int
    common: dict[str, list[Common]]
    agreement: float | None
    page: Path
    text: list[str]


def words(run: Path, *, text: str = "", example: str = "", show: Display | None = None) -> Words:
    """The words of held-out texts by their influence on the answer; the page is written into the run's folder.

    Args:
        run: The run folder.
        text: A text to look at first.
        example: Id of an example to look at first.
        show: Where progress is told.

    Raises:
        SpecError: A run that does not tell texts apart; no such example.
        DataError: The run's data is gone or changed.
    """
    show = show or Silent()
    looked = looked_at(run, show)
    output, task = _classifier(looked)
    asked = one_sequence(looked, text, example, _STEPS) if text or example else None
    part, places = looked.some(_TEXTS)
    inputs, truths = looked.coded(places)[looked.group][:, :_STEPS], looked.targets(output, places)
    counts = lengths(inputs).numpy()
    afford = max(int(np.searchsorted(np.cumsum(counts.astype(np.int64) ** 2), _WORK)), 1)
    texts = [inputs[at, : counts[at]] for at in range(min(len(places), afford))]
    with hardware.applied(looked.decided.hardware):
        network = looked.model.network.cpu()
        first = influences(network, looked.group, output, [asked.inputs[looked.group][0]])[0] if asked else None
        show.stage("leaving out words", len(texts))
        found = influences(network, looked.group, output, texts, show.advance)
    count_reading(run, part)
    read = [_read(looked, task, int(places[at]), int(truths[at]), each) for at, each in enumerate(found)]
    shown = _chosen(read)
    if asked and first:
        shown = [_asked(task, asked, first, output), *shown]
    common = _common(task, read, found)
    notes = _notes(part, looked, len(read), int((counts >= _STEPS).sum()))
    agreement = _agreement(found)
    if agreement is not None:
        notes.append(f"over all words, leaving out and gradient times input correlate with {agreement:.2f}")
    page = looked.folder.path / "words.html"
    reviewed = [
        Reviewed(each.id, each.truth, each.answer, each.probability, each.words, each.influence) for each in shown
    ]
    files.write_text(page, influence_page(output, reviewed, common, notes))
    said = _text(output, shown, common)
    return Words(
        output, part, shown, len(read), common, agreement, page, [*said, *notes, f"picture: {files.printable(page)}"]
    )


def _classifier(looked: Looked) -> tuple[str, Category]:
    """The first output that is one of several classes, of a network that reads one text and nothing else."""
    found = next(((name, task) for name, task in looked.model.tasks.items() if isinstance(task, Category)), None)
    if found is None or len(looked.model.inputs) > 1 or not isinstance(kind_of(looked.field), Text):
        raise SpecError(
            f"this look is for networks that read one text and answer with a class; this one reads "
            f"{listed_inputs(looked.model.inputs)} and gives {listed_inputs(looked.model.outputs)}.",
            "Name a run such as: netwright train reviews.csv --in text --out category",
        )
    return found


# ---- texts -----------------------------------------------------------------------------------------------------------


def _read(looked: Looked, task: Category, position: int, truth: int, found: Influence) -> ReadText:
    name = files.printable(str(looked.dataset.ids[position]))
    return _told(task, name, task.classes[truth], looked.tokens(position)[:_STEPS], found)


def _asked(task: Category, asked: OneSequence, found: Influence, output: str) -> ReadText:
    truth = task.classes[int(asked.targets[output][0])] if output in asked.targets else ""
    return _told(task, asked.name, truth, asked.heads, found)


def _told(task: Category, name: str, truth: str, tokens: list[str], found: Influence) -> ReadText:
    best = int(found.odds.argmax())
    return ReadText(
        id=name,
        truth=truth,
        answer=task.classes[best],
        probability=float(torch.sigmoid(found.odds[best])),
        words=tokens,
        influence=found.left_out[:, best].tolist(),
        slope=[] if found.slope is None else found.slope.tolist(),
    )


def _chosen(read: Sequence[ReadText]) -> list[ReadText]:
    """Right and wrong ones, of each kind those with the surest answers, classes in turn."""
    shown: list[ReadText] = []
    for right in (True, False):
        left = sorted(
            (each for each in read if (each.answer == each.truth) == right), key=lambda each: -each.probability
        )
        kept: list[ReadText] = []
        while left and len(kept) < _EXAMPLES:
            of = [each.answer for each in kept]
            chosen = min(range(len(left)), key=lambda at: (of.count(left[at].answer), at))
            kept.append(left.pop(chosen))
        shown += kept
    return shown


def _common(task: Category, read: Sequence[ReadText], found: Sequence[Influence]) -> dict[str, list[Common]]:
    """The words that speak most for each of the commonest classes, on average over the texts that hold them."""
    sums: dict[str, torch.Tensor] = defaultdict(lambda: torch.zeros(len(task.classes)))
    counts: dict[str, int] = defaultdict(int)
    for each, of in zip(read, found, strict=True):
        for token, row in zip(each.words, of.left_out, strict=True):
            sums[token.lower()] += row
            counts[token.lower()] += 1
    often = [token for token, count in counts.items() if count >= _OFTEN]
    commonest = sorted(
        range(len(task.classes)), key=lambda code: -sum(each.truth == task.classes[code] for each in read)
    )
    told = {}
    for code in commonest[:_CLASSES]:
        ranked = sorted(often, key=lambda token: (-float(sums[token][code]) / counts[token], token))
        told[task.classes[code]] = [
            Common(token, float(sums[token][code]) / counts[token], counts[token]) for token in ranked[:_WORDS]
        ]
    return told


def _agreement(found: Sequence[Influence]) -> float | None:
    """How what the slope foresees goes together with what leaving out does, over all tokens of all texts."""
    pairs = [(each.left_out[:, int(each.odds.argmax())], each.slope) for each in found if each.slope is not None]
    if not pairs or sum(len(one) for one, _ in pairs) < 2:
        return None
    one, other = torch.cat([one for one, _ in pairs]), torch.cat([other for _, other in pairs])
    value = float(torch.corrcoef(torch.stack([one, other]))[0, 1])
    return None if np.isnan(value) else value


# ---- in words --------------------------------------------------------------------------------------------------------


def _notes(part: str, looked: Looked, count: int, cut: int) -> list[str]:
    held, there = "training" if part == "train" else part, len(looked.dataset.parts[part])
    of = (
        f"all {counted(there, f'{held} text')}"
        if count == there
        else f"{count:,} of {counted(there, f'{held} text')}, evenly chosen"
    )
    told = [
        f"means are over {of}, and over words met {_OFTEN} times or more",
        "a word's influence is the log-odds of the answer with it less those without it; ln 2 = 0.69 doubles the odds",
        "words influence each other: of two that say the same, leaving out one alone may change nothing",
    ]
    if cut:
        told.append(f"{counted(cut, 'text')} of more than {_STEPS} tokens were read up to there")
    return told


def _text(output: str, shown: Sequence[ReadText], common: dict[str, list[Common]]) -> list[str]:
    lines = []
    for each in shown:
        sign = "" if not each.truth else ", right" if each.answer == each.truth else f", really {each.truth}"
        lines.append(f"{each.id}: {output} {each.answer} {percent(each.probability)}{sign}")
        order = sorted(range(len(each.words)), key=lambda at: -abs(each.influence[at]))[:6]
        lines.append("  " + ", ".join(f"{each.words[at]} {each.influence[at]:+.2f}" for at in order))
    for label, of in common.items():
        lines.append(f"for {label}: {', '.join(f'{one.word} {number(one.mean, 2)} ({one.count})' for one in of)}")
    return lines
