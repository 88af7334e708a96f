"""What a language model wrote on the way, judged beside the text that it learned from."""

from __future__ import annotations

import math
import re
from collections.abc import Iterable, Iterator

import numpy as np
import torch

from netwright.data.batches import follows
from netwright.data.dataset import Dataset
from netwright.data.fields import kind_of
from netwright.model_file import Model
from netwright.readers.kinds.text import spelled
from netwright.report import facts as report
from netwright.run.folder import RunFolder
from netwright.training import stages
from netwright.training.stages import Language

_PIECES = 64  # of held-out text
_WORD = re.compile(r"[^\W\d_]+")


def language(dataset: Dataset, model: Model) -> Language | None:
    """What is needed to let the network of a run write; None where it does not.

    Args:
        dataset: Its data.
        model: Its model.
    """
    if not follows(dataset.outputs):
        return None
    head, field = next((name, field) for name, field in dataset.outputs.items() if field.options.get("of"))
    group = str(field.options["of"])
    part = next(part for part in ("validation", "test", "train") if len(dataset.parts[part]))
    places = dataset.parts[part]
    some = places[np.unique(np.linspace(0, len(places) - 1, _PIECES).astype(np.int64))]
    pieces, follow = (
        kind_of(of).code(dataset.arrays[name][some], of) for name, of in ((group, dataset.inputs[group]), (head, field))
    )
    vocabulary = model.inputs[group].vocabulary
    prompt = vocabulary.index("\n") if "\n" in vocabulary else int(pieces[0, 0])

    def written(codes: Iterable[int]) -> Iterator[str]:
        return spelled((vocabulary[code] for code in codes), field)

    return Language(group, head, written, prompt, pieces, torch.as_tensor(follow))


def facts(folder: RunFolder, dataset: Dataset) -> list[report.StageFacts]:
    """The texts of a run: how surprised the network then was, whether its words are words, how much is copied.

    Args:
        folder: The run.
        dataset: Its data.
    """
    written = stages.read(folder.stages)
    if not written:
        return []
    field = next(field for field in dataset.outputs.values() if field.options.get("of"))
    rows = dataset.arrays[str(field.options["of"])][dataset.parts["train"]]
    learned = b"".join(np.asarray(row).tobytes() for row in rows).decode("utf-8", "replace")
    words = {word.lower() for word in _WORD.findall(learned)}
    return [
        report.StageFacts(
            step=each["step"],
            epoch=each["epoch"],
            bits=None if each["nats"] is None else each["nats"] / math.log(2),
            words=_share(each["text"], words),
            copied=longest_copy(each["text"], learned),
            text=each["text"],
        )
        for each in written
    ]


def longest_copy(text: str, source: str) -> int:
    """How many characters in a row a text has from another one.

    Args:
        text: The text.
        source: Where it may be copied from.

    Example:
        >>> longest_copy("to be or not", "whether to be is nobler")
        6
    """
    longest = 0
    for start in range(len(text)):
        while start + longest < len(text) and text[start : start + longest + 1] in source:
            longest += 1
    return longest


def _share(text: str, words: set[str]) -> float | None:
    """Which share of a text's words are known; its last one may be cut."""
    found = [word.lower() for word in _WORD.findall(text)][:-1]
    return sum(word in words for word in found) / len(found) if found else None
