"""Classes: how many examples each has, and names that mean the same."""

from __future__ import annotations

from typing import ClassVar

import numpy as np

from netwright import files
from netwright.doctor import plant
from netwright.doctor.border import Border
from netwright.doctor.check import DataCheck
from netwright.doctor.finding import Finding
from netwright.field import Field
from netwright.readers.columns import twins
from netwright.words import counted, listed

RARE = 20  # examples; below, a class's score is a matter of luck
FEWEST_OF_IDENTITY = 2  # examples, of which each finds the other
LOPSIDED = 20  # times; beyond, accuracy says little
_SLIP_SHARE = 0.05  # of the frequent class; a slip of the keyboard is rarer than that
_SHORTEST = 5  # letters; among shorter names one letter is the difference between real words
_MOST_CLASSES = 1_000  # compared with each other


class Imbalance(DataCheck):
    """One class is more than twenty times as frequent as another."""

    fault: ClassVar[str] = "551 oaks beside 25 elms and 24 firs"

    def look(self, border: Border) -> list[Finding]:
        """Counts of each output's classes; see `DataCheck.look`."""
        findings = []
        for name, field, counts in _counted(border):
            most, least = int(counts.argmax()), int(counts.argmin())
            told = f"{counted(len(counts), 'class', 'classes')} with {counts[least]:,} to {counts[most]:,} examples"
            if counts[most] <= LOPSIDED * max(int(counts[least]), 1):
                findings.append(Finding("classes", "good", f"{name}: {told}"))
                continue
            many = counted(int(counts[most]), "example")
            told = f"{name}: {_label(field, most)} has {many}, {_label(field, least)} {counts[least]:,}"
            if field.kind == "category":
                share = 100 * counts[most] / counts.sum()
                told += f"; always answering {_label(field, most)} is right in {share:.0f} %"
            findings.append(Finding("imbalance", "note", told, "Read the score of each class, not only the accuracy."))
        return findings

    def planted(self) -> Border:
        """Few examples of two classes; see `DataCheck.planted`."""
        columns = plant.sound()
        columns["tree"] = np.array(["elm"] * 25 + ["oak"] * 551 + ["fir"] * 24)
        return plant.border(columns)


class RareClasses(DataCheck):
    """Classes with fewer than twenty examples, identities with fewer than two."""

    fault: ClassVar[str] = "a class with 6 examples"

    def look(self, border: Border) -> list[Finding]:
        """The rare classes, rarest first; see `DataCheck.look`."""
        findings = []
        for name, field, counts in _counted(border):
            alone = field.kind == "identity"
            least = FEWEST_OF_IDENTITY if alone else RARE
            rare = [f"{_label(field, int(i))} ({counts[i]})" for i in np.argsort(counts) if counts[i] < least]
            if rare:
                count = counted(len(rare), "class", "classes")
                told = f"{count} of {name} with fewer than {least} examples: {listed(rare)}"
                cure = "Collect more of them, or merge them into others; their scores are a matter of luck."
                if alone:
                    cure = "Collect more of them: nobody learns what two pictures have in common from one of them."
                findings.append(Finding("rare classes", "note", told, cure))
        return findings

    def planted(self) -> Border:
        """A fourth class of six; see `DataCheck.planted`."""
        columns = plant.sound()
        columns["tree"] = np.where(np.arange(600) % 100 == 7, "yew", columns["tree"])
        return plant.border(columns)


class TwinClasses(DataCheck):
    """Names that differ only in case or spaces, or by one letter where one of the two is rare.

    Single letters ("a" and "A") and numbers ("1" and "2") are different classes.
    """

    fault: ClassVar[str] = 'some labels written "Oak" instead of "oak"'

    def look(self, border: Border) -> list[Finding]:
        """Twins among the classes of each output and input; see `DataCheck.look`."""
        findings = []
        for role, fields in (("out", border.dataset.outputs), ("in", border.dataset.inputs)):
            for name, field in fields.items():
                findings += _twins_of(border, name, field, role)
        return findings

    def planted(self) -> Border:
        """A third of one class with a capital; see `DataCheck.planted`."""
        columns = plant.sound()
        capital = (columns["tree"] == "oak") & (np.arange(600) % 3 == 0)
        columns["tree"] = np.where(capital, "Oak", columns["tree"])
        return plant.border(columns)


def slips(counts: dict[str, int]) -> list[tuple[str, str]]:
    """Pairs (rare name, frequent name) that are one slip of the keyboard apart.

    Example:
        >>> slips({"sparrow": 400, "sparow": 2, "1": 3, "2": 500, "lion": 400, "loon": 3})
        [('sparow', 'sparrow')]
    """
    long = [name for name in counts if len(name) >= _SHORTEST][:_MOST_CLASSES]
    rare = [name for name in long if counts[name] < RARE]
    return [
        (name, other)
        for name in rare
        for other in long
        if counts[name] <= _SLIP_SHARE * counts[other] and _one_slip(name.casefold(), other.casefold())
    ]


def _one_slip(one: str, other: str) -> bool:
    """One letter more, less, different, or two neighbours swapped; digits never count as letters."""
    if abs(len(one) - len(other)) > 1 or one == other:
        return False
    start = next((i for i, (a, b) in enumerate(zip(one, other, strict=False)) if a != b), min(len(one), len(other)))
    a, b = one[start:], other[start:]
    if any(letter.isdigit() for letter in a[:1] + b[:1]):
        return False
    return a[1:] == b[1:] or a[1:] == b or a == b[1:] or (a[:2] == b[:2][::-1] and a[2:] == b[2:])


def _twins_of(border: Border, name: str, field: Field, role: str) -> list[Finding]:
    if field.ragged or not 1 < len(field.vocabulary) <= _MOST_CLASSES:
        return []
    told = twins([label for label in field.vocabulary if len(label) > 1])  # "a" and "A" are two letters
    counts = border.counts(field)
    told += [
        f'"{rare}" ({counted(int(counts[field.vocabulary.index(rare)]), "example")}) is one letter from "{frequent}"'
        for rare, frequent in slips(dict(zip(field.vocabulary, counts.tolist(), strict=False)))
    ]
    if not told:
        return []
    effect = "the net learns to tell them apart" if role == "out" else "the net sees them as different"
    message = files.printable(f"{name}: {listed(told, between='; ')}: {effect}")
    return [Finding("twin classes", "note", message, "If they mean the same, write them the same way in the data.")]


def _counted(border: Border) -> list[tuple[str, Field, np.ndarray]]:
    found = []
    for name, field in border.outputs.items():
        if field.vocabulary:
            found.append((name, field, border.counts(field)))
    return found


def _label(field: Field, code: int) -> str:
    return files.printable(field.vocabulary[code]) or '""'
