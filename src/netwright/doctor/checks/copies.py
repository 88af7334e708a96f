"""Examples that are the same, or nearly."""

# pyarrow.compute makes its functions when it is imported, so a type checker cannot see them.
# pyright: reportAttributeAccessIssue=false
from __future__ import annotations

from dataclasses import replace
from typing import ClassVar

import numpy as np
import pyarrow.compute as pc

from netwright import files
from netwright.data.dataset import Dataset
from netwright.doctor import plant
from netwright.doctor.border import Border
from netwright.doctor.check import DataCheck
from netwright.doctor.finding import Finding
from netwright.words import counted, listed

_MOST_EXAMPLES = 1_000_000  # whose contents are compared
_MOST_COPIES = 100_000  # repeated rows looked at; discrete tables repeat by nature


class Copies(DataCheck):
    """Examples with the same inputs: how many there are, and those to which different answers are given."""

    fault: ClassVar[str] = "five examples repeated, each with another class"

    def look(self, border: Border) -> list[Finding]:
        """Copies, then contradictions by output; see `DataCheck.look`."""
        dataset = border.dataset
        content = dataset.ledger.table["content"].slice(0, min(len(dataset), _MOST_EXAMPLES)).combine_chunks()
        counts = pc.value_counts(content)
        repeated = counts.field("values").filter(pc.greater(counts.field("counts"), 1))
        if not len(repeated):
            return [Finding("copies", "good", "no two examples have the same inputs")]
        rows = np.flatnonzero(pc.is_in(content, value_set=repeated).to_numpy(zero_copy_only=False))
        groups: dict[str, list[int]] = {}
        for row, key in zip(rows[:_MOST_COPIES].tolist(), content.take(rows[:_MOST_COPIES]).to_pylist(), strict=True):
            groups.setdefault(str(key), []).append(row)
        where = f"in {counted(len(repeated), 'group')}"
        told = f"{len(rows):,} examples {where} have the same inputs: {_named(dataset, groups)}"
        found = Finding("copies", "note", told, "Keep one of each, unless they really were met separately.")
        if texts := [
            name for name, field in dataset.outputs.items() if field.kind == "text" and field.options.get("ends")
        ]:
            found = _of_texts(dataset, groups, texts, found)
        return [found, *_contradictions(dataset, groups)]

    def planted(self) -> Border:
        """Five rows again with another class; see `DataCheck.planted`."""
        columns = plant.sound()
        again = {name: np.concatenate([values, values[:5]]) for name, values in columns.items()}
        again["tree"][-5:] = [{"elm": "fir", "fir": "oak", "oak": "elm"}[tree] for tree in columns["tree"][:5]]
        return plant.border(again)


class NearTwins(DataCheck):
    """Pictures that look alike and stand in different parts of the split."""

    fault: ClassVar[str] = "pictures repeated with a little noise"

    def look(self, border: Border) -> list[Finding]:
        """Pairs across parts; nothing for data without pictures; see `DataCheck.look`."""
        found = border.dataset.twins
        if not found:
            return []
        pairs = "; ".join(f"{first} ~ {second}" for first, second, _ in found[:3])
        told = (
            f"{counted(len(found), 'pair')} of pictures alike across parts: {files.printable(pairs)}"
            f"{'; ...' if len(found) > 3 else ''}; a score on such pictures says little about new ones"
        )
        cure = "Keep pictures of one scene in one part: split by group, with data.split.column the scene."
        return [Finding("near-twins", "note", told, cure)]

    def planted(self) -> Border:
        """Every picture twice, the second time a little noisy; see `DataCheck.planted`."""
        columns = plant.pictures()
        noise = np.random.default_rng(0).integers(-2, 3, columns["photo"].shape)
        again = (columns["photo"].astype(int) + noise).clip(0, 255).astype(np.uint8)
        twice = {"photo": np.concatenate([columns["photo"], again]), "light": np.tile(columns["light"], 2)}
        return plant.border(twice, "light")


def _contradictions(dataset: Dataset, groups: dict[str, list[int]]) -> list[Finding]:
    findings = []
    for name, field in dataset.outputs.items():
        if not field.vocabulary or field.ragged:
            continue
        codes = np.asarray(dataset.arrays[name][:])
        torn = {key: at for key, at in groups.items() if len(np.unique(codes[np.array(at)], axis=0)) > 1}
        if torn:
            told = (
                f"examples with the same inputs but different {name}, in {counted(len(torn), 'group')}: "
                f"{_named(dataset, torn)}; no net can be right about all of them"
            )
            findings.append(
                Finding("contradictions", "bad", told, "Correct the wrong ones, or add what sets them apart.")
            )
    return findings


def _of_texts(dataset: Dataset, groups: dict[str, list[int]], texts: list[str], found: Finding) -> Finding:
    """What is said where texts are written, of which one input may have several, as a photograph has captions."""
    if any(_repeats(dataset, at, texts) for at in groups.values()):
        return found
    part = np.full(len(dataset), -1)  # of those that are not taken
    for number, positions in enumerate(dataset.parts.values()):
        part[positions] = number
    torn = sum(len({*part[at].tolist()} - {-1}) > 1 for at in groups.values())
    if torn:
        told = f"{found.message}; {counted(torn, 'group')} in several parts"
        cure = "Keep what has several texts in one part: data.split.by=group, data.split.column the input's own."
        return replace(found, message=told, cure=cure)
    told = f"{found.message}; each has another {listed(texts)}, and stands in one part with the others"
    return Finding("copies", "good", files.printable(told))


def _repeats(dataset: Dataset, group: list[int], texts: list[str]) -> bool:
    """Whether some of a group have the same texts too."""
    said = {tuple(bytes(np.asarray(dataset.arrays[name][np.array([at])][0])) for name in texts) for at in group}
    return len(said) < len(group)


def _named(dataset: Dataset, groups: dict[str, list[int]]) -> str:
    shown = [" = ".join(str(dataset.ids[at]) for at in group[:3]) for group in list(groups.values())[:3]]
    return files.printable("; ".join(shown)) + (", ..." if len(groups) > 3 else "")
