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
from netwright.readers.kinds.text import WORDS, letters, readable, spelled
from netwright.report import facts as report
from netwright.run import forms
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
    known = readable(vocabulary, field)
    prompt = known.index("\n") if "\n" in known else int(pieces[0, 0])

    def written(codes: Iterable[int]) -> Iterator[str]:
        return spelled((vocabulary[code] for code in codes), field)

    length = forms.enough(learned(dataset, forms.SOME) or "") or stages.LENGTH
    each = torch.tensor(letters(field), dtype=torch.float32)
    return Language(group, head, written, prompt, pieces, torch.as_tensor(follow), each, length)


def facts(folder: RunFolder, dataset: Dataset) -> list[report.StageFacts]:
    """The texts of a run: how surprised the network then was, whether its words are words, how much is copied.

    Args:
        folder: The run.
        dataset: Its data.
    """
    written = stages.read(folder.stages)
    if not written:
        return []
    text = learned(dataset) or ""
    field = next(field for field in dataset.outputs.values() if field.options.get("of"))
    words = {word.lower() for word in _WORD.findall(text)}
    itself = kept(text)
    return [
        report.StageFacts(
            step=each["step"],
            epoch=each["epoch"],
            bits=None if each["nats"] is None else each["nats"] / math.log(2),
            words=_share(each["text"], words),
            copied=forms.longest_copy(each["text"], text),
            by="word" if field.options["tokens"] in WORDS else "character",
            forms=beside(each["text"], itself),
            text=each["text"],
        )
        for each in written
    ]


def learned(dataset: Dataset, most: int | None = None) -> str | None:
    """The text of the training part that a language model goes on with; None where nothing is gone on with.

    Args:
        dataset: The data of a run.
        most: Bytes that are enough; all when left out.
    """
    group = next((str(of) for field in dataset.outputs.values() if (of := field.options.get("of"))), None)
    if group is None:
        return None
    found, size = [], 0
    for place in dataset.parts["train"]:
        found.append(np.asarray(dataset.arrays[group][place]).tobytes())
        size += len(found[-1])
        if most is not None and size >= most:
            break
    between = b" " if dataset.inputs[group].options["tokens"] in WORDS else b""
    return between.join(found).decode("utf-8", "replace")


def kept(text: str) -> dict[forms.Form, float | None]:
    """The forms that a learned text keeps, and its own share of each."""
    return {form: form.share(text[: forms.SOME]) for form in forms.of(text)}


def beside(text: str, itself: dict[forms.Form, float | None]) -> list[report.FormFacts]:
    """How far a text keeps the forms of the learned one.

    Args:
        text: What was written.
        itself: From `kept`.
    """
    return [report.FormFacts(name=form.name, share=form.share(text), itself=share) for form, share in itself.items()]


def _share(text: str, words: set[str]) -> float | None:
    """Which share of a text's words are known; its last one may be cut."""
    found = [word.lower() for word in _WORD.findall(text)][:-1]
    return sum(word in words for word in found) / len(found) if found else None
