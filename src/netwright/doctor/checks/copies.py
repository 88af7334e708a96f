"""Examples that are the same, or nearly."""

# pyarrow.compute makes its functions when it is imported, so a type checker cannot see them.
# pyright: reportAttributeAccessIssue=false
from __future__ import annotations

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
        texts = [files.printable(name) for name, field in dataset.outputs.items() if field.kind == "text"]
        torn = _torn(dataset, groups) if texts else []
        if texts and not torn:  # several captions of one photograph, say
            return [Finding("copies", "good", f"{told}; each of them in one part, with {listed(texts)} of its own")]
        cure = "Keep one of each, unless they really were met separately."
        if texts:
            told += f"; {counted(len(torn), 'group')} in several parts"
            cure = "Keep what has several texts in one part: data.split.by=group, data.split.column the input's own."
        return [Finding("copies", "note", told, cure), *_contradictions(dataset, groups)]

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


def _torn(dataset: Dataset, groups: dict[str, list[int]]) -> list[str]:
    """The groups whose examples stand in different parts."""
    part = np.full(len(dataset), -1)
    for number, positions in enumerate(dataset.parts.values()):
        part[positions] = number
    return [key for key, at in groups.items() if len(np.unique(part[at])) > 1]


def _named(dataset: Dataset, groups: dict[str, list[int]]) -> str:
    shown = [" = ".join(str(dataset.ids[at]) for at in group[:3]) for group in list(groups.values())[:3]]
    return files.printable("; ".join(shown)) + (", ..." if len(groups) > 3 else "")
