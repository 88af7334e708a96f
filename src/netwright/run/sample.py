"""Text that a model writes: on from a beginning, token by token, or about what goes in."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import chain, islice
from pathlib import Path

import numpy as np

from netwright.data.fields import kind_of
from netwright.errors import CellError, DataError, SpecError
from netwright.field import Field
from netwright.files import printable
from netwright.model_file import Model
from netwright.models.decoders import Decoder, choosing
from netwright.models.decoding import Sampling, written
from netwright.readers.columns import read_regular
from netwright.readers.kinds.text import WORDS, Text, spelled
from netwright.run.outside import outside
from netwright.run.prediction import load_model
from netwright.words import listed

_UNKNOWN, _COMMONEST = 0, 1


@dataclass(frozen=True)
class Writing:
    """A text as it is written.

    Args:
        prompt: What stands before it, as the model reads it; nothing where it is about what goes in.
        pieces: Tokens as they come; of a language model without end.
        notes: What a person should know.
    """

    prompt: str
    pieces: Iterator[str]
    notes: tuple[str, ...]


def sample(
    run_or_model: Path, prompt: str | None = None, *, sampling: Sampling | None = None, seed: int = 0
) -> Writing:
    """What a model writes, its tokens drawn.

    Args:
        run_or_model: Folder of a run, or a `.netwright` file.
        prompt: The beginning, the end of a line if nothing is given; of a model that writes about what goes in, that:
            a text, or the path of a file.
        sampling: How tokens are drawn; as the network expects them when left out.
        seed: Of the draws.

    Raises:
        SpecError: The model writes nothing, or knows nothing of the prompt.
        DataError: What goes in cannot be read.
    """
    model = load_model(run_or_model)
    return written_by(model, prompt, sampling or Sampling(), seed)


def written_by(model: Model, prompt: str | None, sampling: Sampling, seed: int) -> Writing:
    """What a model writes; see `sample`."""
    if seed < 0:
        raise SpecError(f"the seed is {seed}, expected 0 or more.", "Leave it out for 0.")
    if any(isinstance(module, Decoder) for module in model.network.modules()):
        return _about(model, prompt or "", sampling, seed)
    name, group = _language(model)
    field = model.inputs[group]
    if not prompt or (field.options["tokens"] in WORDS and not prompt.strip(" \t")):
        prompt = None  # nothing is said that the model would read
    told, codes = _coded("\n" if prompt is None else prompt, field)
    if prompt is None and not codes.any():  # texts without lines: the commonest token
        told, codes = [field.vocabulary[_COMMONEST]], np.array([_COMMONEST])
    strange = sorted({token for token, code in zip(told, codes, strict=True) if code == _UNKNOWN})
    known = codes[codes != _UNKNOWN]
    if not len(known):
        raise SpecError(
            f"--prompt: the model knows nothing of it ({listed([repr(token) for token in strange])}).",
            f"It knows {listed([repr(token) for token in field.vocabulary[1:]], 20)}.",
        )
    notes = (
        (f"the model never saw {listed([repr(token) for token in strange], 8)}: left out of the prompt",)
        if strange
        else ()
    )
    tokens = written(model.network.eval(), group, name, known, sampling, seed, never=(_UNKNOWN,))
    pieces = spelled((field.vocabulary[code] for code in chain(known.tolist(), tokens)), field)
    return Writing("".join(islice(pieces, len(known))), pieces, notes)


def _about(model: Model, given: str, sampling: Sampling, seed: int) -> Writing:
    """What a decoder writes about what goes in."""
    if len(model.inputs) > 1:
        told = listed(list(model.inputs))
        raise SpecError(
            f"the model writes about {told} together.", "Use netwright predict, which writes the likeliest."
        )
    ((name, field),) = model.inputs.items()
    if not given.strip():
        raise SpecError(f"--prompt: the model writes about {name}, and nothing was given.", "Give a text, or a file.")
    found = model.read([{name: given if field.kind == "text" else _file(Path(given))}])
    chance = np.random.default_rng(seed)
    with choosing(model.network, lambda scores: sampling.drawn(scores, chance.random())):
        answers = model.answers(model.code(found))
    output = next(name for name, task in model.tasks.items() if task.writes)
    (text,) = model.tasks[output].decode(answers[output])
    return Writing("", iter((str(text),)), tuple(outside(model.inputs, found, ["it"], np.ones(1, dtype=bool))))


def _file(path: Path) -> bytes:
    try:
        return read_regular(path)
    except CellError as exc:
        raise DataError(f"{printable(path)} {exc.message}", "Give the path of a file.") from exc


def _language(model: Model) -> tuple[str, str]:
    """The output that asks what comes next, and the input it follows."""
    for name, field in model.outputs.items():
        if of := field.options.get("of"):
            return name, str(of)
    raise SpecError(
        "the model answers, it does not write: none of its outputs asks what comes next.",
        "Train a language model: netwright train chars --data text.txt",
    )


def _coded(prompt: str, field: Field) -> tuple[list[str], np.ndarray]:
    """The tokens of a prompt, and their codes."""
    kind = kind_of(field)
    if not isinstance(kind, Text):  # pragma: no cover - what is followed is a text
        raise SpecError(f"{field.name} is no text.")
    whole = field.model_copy(
        update={"options": {**field.options, "longest": len(prompt.encode("utf-8", "replace")) + 1}}
    )
    values = kind.one(prompt, whole)
    return kind.tokens(values, whole), kind.coder(whole)(values)
