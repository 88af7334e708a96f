"""Words by their influence on the answer, as a page."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from netwright.figures.marks import number, percent
from netwright.report.sections import Section, Tinted, sections_page, tinted


@dataclass(frozen=True)
class Reviewed:
    """One text.

    Args:
        id: Of the example.
        truth: Its class; "" where it is not known.
        answer: What was answered.
        probability: Of that.
        words: Its tokens.
        influence: Of each on the answer.
    """

    id: str
    truth: str
    answer: str
    probability: float
    words: Sequence[str]
    influence: Sequence[float]


@dataclass(frozen=True)
class Common:
    """One word over many texts.

    Args:
        word: The word.
        mean: Its mean influence on the log-odds of a class.
        count: How often it was met.
    """

    word: str
    mean: float
    count: int


def influence_page(
    output: str, texts: Sequence[Reviewed], common: Mapping[str, Sequence[Common]], notes: Sequence[str]
) -> str:
    """Texts and words as one self-contained HTML page.

    Args:
        output: Whose answers.
        texts: Those to show.
        common: By class the words that speak most for it.
        notes: How it was measured.
    """
    largest = max((abs(value) for each in texts for value in each.influence), default=1.0) or 1.0
    figures = [
        (
            f"{each.id}: {each.answer} {percent(each.probability)}{_sign(each)}",
            tinted(
                [
                    _word(word, value, largest, each.answer)
                    for word, value in zip(each.words, each.influence, strict=True)
                ],
                " ",
            ),
        )
        for each in texts
    ]
    rows = [
        [label, ", ".join(f"{one.word} {number(one.mean, 2)} ({one.count}\u00d7)" for one in of)]
        for label, of in common.items()
    ]
    sections = [
        Section(
            "Texts",
            "Blue words speak for the answer, orange ones against it, the deeper the more: by how much the log-odds of "
            "the answer fall when the word is left out. Point at a word for its number.",
            figures,
        ),
        Section(
            "Words",
            "Which words speak most for each class: the mean of what each adds to its log-odds, and how often it came.",
            columns=["class", "words"],
            rows=rows,
            notes=notes,
            worded=True,
        ),
    ]
    return sections_page("influence of words", f"What speaks for each {output}", [], sections)


def _sign(each: Reviewed) -> str:
    if not each.truth:
        return ""
    return " ✓" if each.answer == each.truth else f" ✗, really {each.truth}"


def _word(word: str, value: float, largest: float, answer: str) -> Tinted:
    return Tinted(word, value / largest, f"{value:+.2f} for {answer}")
