"""Which columns go in, which come out, and what each of them is: the spec's wishes, completed by stated defaults."""

from __future__ import annotations

import functools
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import pyarrow as pa

from netwright import registry
from netwright.data import ahead, windows
from netwright.data.grouped import SIGNAL
from netwright.errors import SpecError
from netwright.field import Field, Reason
from netwright.readers import infer
from netwright.readers.columns import Arrays, Blobs, Cells, Column, Found, Several, Steps
from netwright.readers.infer import FILES, FREE_TEXT, NOTHING_THERE
from netwright.readers.kinds.kind import Kind
from netwright.readers.kinds.number import style_of
from netwright.readers.kinds.stepwise import steps_of
from netwright.readers.kinds.text import WORDS
from netwright.readers.marks import MARKS, NAMES, OTHER, marked, open_cell, readings
from netwright.readers.numerals import read_numbers
from netwright.spec import InputSpec, OutputSpec, Spec
from netwright.spec_data import LONGEST_WINDOW
from netwright.words import listed


@dataclass
class Plan:
    """The fields of a data set before anything is fitted, and why they are what they are.

    Args:
        inputs: By name, in the order the network sees them.
        outputs: By name.
        reasons: One per decision.
        notes: What else a person should know.
    """

    inputs: dict[str, Field] = field(default_factory=dict)
    outputs: dict[str, Field] = field(default_factory=dict)
    reasons: list[Reason] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)

    @property
    def fields(self) -> dict[str, Field]:
        """Inputs and outputs together."""
        return {**self.inputs, **self.outputs}


_PER_STEP = {"category": "labels", "number": "signal", "vector": "signal"}  # how a kind is read where it has `per`


@functools.cache
def kind_of_name(name: str) -> Kind:
    """The one instance of a kind."""
    return registry.resolve("kind", name)()


def kind_of(facts: Field) -> Kind:
    """The kind that reads and codes a field."""
    return kind_of_name(facts.kind)


def choose(spec: Spec, found: Found, vocabulary: dict[str, tuple[str, ...]], given: dict[str, Field]) -> Plan:
    """Decide every input and output.

    Args:
        spec: The user's wishes.
        found: What the readers found.
        vocabulary: Classes that come first, in this order, by output; classes new in the data are appended.
        given: Fields to be used exactly as they are, instead of planning them anew.

    Raises:
        SpecError: No output is named and none is obvious; a named column does not exist.
    """
    plan = Plan(notes=list(found.notes))
    spec = ahead.named(spec) if ahead.asked(spec) else spec
    outputs = spec.outputs or _default_outputs(found, plan)
    sources = {name for item, out in outputs.items() for name in _sources(item, out)}
    unwanted = _unwanted(spec, found) | {name for name in (spec.data.group, spec.data.order) if name}
    inputs = spec.inputs or _default_inputs(found, sources | unwanted | _divides(spec, found, plan), plan)
    if not {*inputs, *outputs} <= set(given):
        found, reasons = marked(found, MARKS.get(spec.data.decimal or "", ""))
        plan.reasons += reasons
    asked = windows.followed(spec)
    alone = {name: wish for name, wish in outputs.items() if name not in asked and wish.per is None}
    for name, wish in alone.items():
        plan.outputs[name] = _known(given.get(name) or _alone(name, wish, found, plan), vocabulary, plan)
    named = bool(spec.inputs) or found.layout == "labelled_lines"
    for name, wish in inputs.items():
        wish = _read_on(wish) if name in asked.values() else wish
        facts = given.get(name) or _planned(name, wish, found, plan, f"inputs.{name}", asked=named)
        if facts is not None:
            plan.inputs[name] = facts
        elif spec.inputs:
            raise _no_kind(name, plan)
    for name, of in asked.items():
        plan.outputs[name] = given.get(name) or _following(name, of, plan)
    for name in [name for name in outputs if name not in {*alone, *asked}]:
        plan.outputs[name] = _known(given.get(name) or _per_step(name, outputs[name], found, plan), vocabulary, plan)
    plan.notes += [note for facts in plan.fields.values() if facts.name not in given for note in _doubts(facts, found)]
    if not plan.inputs:
        raise SpecError(
            f"{found.origin}: no column is left to go in (columns: {', '.join(found.columns)}).",
            "Name the inputs with --in.",
        )
    return plan


def _known(facts: Field, vocabulary: dict[str, tuple[str, ...]], plan: Plan) -> Field:
    return _extended(facts, vocabulary[facts.name], plan) if facts.name in vocabulary else facts


def _alone(name: str, wish: OutputSpec, found: Found, plan: Plan) -> Field:
    """An output that is planned from its column alone.

    Raises:
        SpecError: No kind fits it.
    """
    facts = _planned(name, wish, found, plan, f"outputs.{name}")
    if facts is None:
        raise _no_kind(name, plan)
    return facts


def _read_on(wish: InputSpec) -> InputSpec:
    """A text of which what comes next is asked is read by characters if nothing else is said; no piece of it is cut."""
    if wish.longest is not None and wish.longest != LONGEST_WINDOW:
        raise SpecError(
            "inputs: longest is not for a text of which what comes next is asked: it is read whole.",
            "Leave it out; data.window says how much is learned from at once.",
        )
    update = {"kind": wish.kind or "text", "tokens": wish.tokens or "characters", "longest": LONGEST_WINDOW}
    return wish.model_copy(update=update)


def _following(name: str, of: str, plan: Plan) -> Field:
    """What comes after each token of a text: tokens of the same vocabulary."""
    facts = plan.inputs[of]
    if facts.kind != "text":
        raise SpecError(f"outputs.{name}.of is {of}, which is a {facts.kind} and no text.", "Name a text.")
    if facts.options["tokens"] in WORDS:  # the end of a line is one too, or nothing would be written in lines
        facts = plan.inputs[of] = facts.model_copy(update={"options": {**facts.options, "lines": True}})
    plan.reasons.append(Reason(path=f"outputs.{name}", value="next", why=f"the token after each one of {of}"))
    return facts.model_copy(update={"name": name, "source": name, "options": {**facts.options, "of": of}})


def _per_step(name: str, wish: OutputSpec, found: Found, plan: Plan) -> Field:
    """What is answered at every step of an input: a class or numbers, as many as the input has steps.

    Raises:
        SpecError: The input is no sequence, or the column holds nothing for its steps.
    """
    path, per = f"outputs.{name}", str(wish.per)
    if per not in plan.inputs or not plan.inputs[per].ragged:
        what = f"a {plan.inputs[per].kind}" if per in plan.inputs else "no input"
        sequences = [each for each, facts in plan.inputs.items() if facts.ragged]
        raise SpecError(
            f"{path}.per is {per}, which is {what}: there are no steps to answer at.",
            f"Name a sequence: {', '.join(sequences)}." if sequences else "Give data.group, which makes sequences.",
        )
    if plan.inputs[per].options.get("tokens") == "bpe":  # steps are counted before pieces are known
        raise SpecError(
            f"inputs.{per}.tokens is bpe, and {name} is answered at every step of it.", "Say characters or words."
        )
    sources = _sources(name, wish)
    column = found.column(sources[0] if len(sources) == 1 else sources)
    kind, steps = wish.kind, steps_of(column)
    if kind is None:
        kind, why = infer(steps.cells, "output") if steps is not None else ("number", "several numbers at every step")
        plan.reasons.append(Reason(path=f"{path}.kind", value=kind or "left out", why=f"{why}, at every step of {per}"))
    if kind not in _PER_STEP:
        raise SpecError(
            f'{path}.kind: "{kind}" cannot be answered at every step of {per}; {" and ".join(_PER_STEP)} can.',
            f"Say {path}.kind, or leave per out for one answer to each {per}.",
        )
    facts, reasons = kind_of_name(_PER_STEP[kind]).plan(name, column, wish, found)
    plan.reasons += reasons
    longest = plan.inputs[per].options.get("longest", facts.options["longest"])
    if plan.inputs[per].kind == "ink":  # points at which the pen stood still have an answer, too
        every = plan.inputs[per].model_copy(update={"options": {**plan.inputs[per].options, "every": True}})
        plan.inputs[per] = every
    return facts.model_copy(update={"options": {**facts.options, "per": per, "longest": longest}})


def _unwanted(spec: Spec, found: Found) -> set[str]:
    """The columns that `data.without` names.

    Raises:
        SpecError: The inputs are named as well, or there is no such column.
    """
    names = spec.data.without
    if names and spec.inputs:
        raise SpecError("data.without and inputs both say what goes in.", "Give one of the two.")
    for name in names:
        if name not in found.columns:
            raise SpecError(
                f'data.without: there is no column "{name}"{registry.nearest(name, found.columns)}.',
                f"The columns are: {', '.join(list(found.columns)[:40])}.",
            )
    return set(names)


def _divides(spec: Spec, found: Found, plan: Plan) -> set[str]:
    """The column that only says which part an example belongs to; dates that order the examples tell more than that."""
    split = spec.data.split
    if not split.column or split.column not in found.columns:
        return set()
    if split.by == "time" and infer(found.column(split.column), "input")[0] == "date":
        return set()
    what = {"time": "the order of time", "group": "the groups"}.get(str(split.by), "the parts")
    why = f"it says {what} of the split; name it with --in to let it go in all the same"
    plan.reasons.append(Reason(path=f"inputs.{split.column}", value="left out", why=why))
    return {split.column}


def column_of(found: Found, facts: Field) -> Column:
    """The column, or columns, that a field is read from."""
    return found.column(facts.source)


def _default_outputs(found: Found, plan: Plan) -> dict[str, OutputSpec]:
    pictures = any(isinstance(column, (Blobs, Arrays)) for column in found.columns.values())
    if "category" in found.columns and (pictures or found.layout == "labelled_lines"):
        what = "pictures sorted into" if pictures else "lines with"
        plan.reasons.append(Reason(path="outputs", value="category", why=f"{what} classes: the class comes out"))
        return {"category": OutputSpec.model_validate({})}
    raise SpecError(
        f"{found.origin}: nothing says what comes out.",
        f"Name a column with --out; there are: {', '.join(list(found.columns)[:40])}.",
    )


def _default_inputs(found: Found, taken: set[str], plan: Plan) -> dict[str, InputSpec]:
    if any(isinstance(column, Steps) for column in found.columns.values()):
        return _default_series(found, taken, plan)
    names = [name for name in found.columns if name not in taken]
    why = "every column that is neither output nor split goes in"
    plan.reasons.append(Reason(path="inputs", value=listed(names, 8), why=why))
    return {name: InputSpec.model_validate({}) for name in names}


def _default_series(found: Found, taken: set[str], plan: Plan) -> dict[str, InputSpec]:
    """All number columns of grouped rows as one signal; what is the same throughout a sequence stays out."""
    steps = {name: column for name, column in found.columns.items() if isinstance(column, Steps) and name not in taken}
    names = [name for name, column in steps.items() if infer(column, "input")[0] == SIGNAL]
    if not names:
        raise SpecError(f"{found.origin}: no column of numbers is left to go in.", "Name the inputs with --in.")
    why = "every column of numbers that differ from step to step and are neither output nor order goes in"
    plan.reasons.append(Reason(path=f"inputs.{SIGNAL}.from", value=listed(names, 8), why=why))
    return {SIGNAL: InputSpec.model_validate({"kind": SIGNAL, "from": names})}


def _planned(
    name: str, wish: InputSpec | OutputSpec, found: Found, plan: Plan, path: str, *, asked: bool = False
) -> Field | None:
    """One field, its kind inferred when it was left out; None for a column that no kind fits, with the reason.

    A column of different texts is left out unless it was asked for: it may be an identifier.
    """
    sources = _sources(name, wish)
    column = found.column(sources[0] if len(sources) == 1 else sources)
    if wish.kind is None:
        kind, why = infer(column, "output" if isinstance(wish, OutputSpec) else "input")
        if isinstance(column, Blobs) and sources == ("ink",):  # also JSON and CSV, which any text may be
            kind, why = "ink", FILES["ink"]
        if kind == "number" and isinstance(wish, InputSpec) and _numbers_rows(name, column):
            kind, why = "", "numbers the rows: an identifier"
        if kind in {"image", "audio", "ink"} and isinstance(wish, InputSpec) and _names_what_is_elsewhere(name, column):
            kind, why = "", "names files that do not lie here: an identifier"
        if asked and not kind and why.endswith(FREE_TEXT):
            kind, why = "text", why.removesuffix(f": {FREE_TEXT}")
        plan.reasons.append(Reason(path=f"{path}.kind", value=kind or "left out", why=why))
        if not kind:
            return None
        wish = wish.model_copy(update={"kind": kind})
    if isinstance(wish, InputSpec):
        _refuse_unread(wish, path)
    facts, reasons = kind_of_name(str(wish.kind)).plan(name, column, wish, found)
    plan.reasons += reasons
    return facts


def _refuse_unread(wish: InputSpec, path: str) -> None:
    """A setting that the kind does not read would be ignored in silence."""
    given = wish.model_dump(exclude_none=True, exclude={"kind", "source"})
    for setting in given:
        readers = [name for name in registry.parts("kind") if setting in kind_of_name(name).settings]
        if wish.kind not in readers:
            have = f"{listed(readers)} {'has' if len(readers) == 1 else 'have'}"
            raise SpecError(
                f"{path}.{setting}: an input of kind {wish.kind} has no {setting}; {have}.",
                "Leave it out, or give another kind.",
            )


def _numbers_rows(name: str, column: Column) -> bool:
    """Whether a column called id or the like has another whole number in every row."""
    if not _called_id(name) or not isinstance(column, Cells):
        return False
    values = read_numbers(column.values, decimal=column.decimal, comma=column.comma).values
    return len(np.unique(values)) == len(values) and bool((values == np.rint(values)).all())


def _names_what_is_elsewhere(name: str, column: Column) -> bool:
    """Whether a column called id or the like tells which file a row was made from, and no such file lies here."""
    if not _called_id(name) or not isinstance(column, Cells) or not pa.types.is_string(column.values.type):
        return False
    root = column.root or Path()
    return not any(text and (root / text).exists() for text in column.values.slice(0, 20).to_pylist())


def _called_id(name: str) -> bool:
    return name.casefold().split("_")[-1] in {"id", "index", "nr", "no", "unnamed: 0", ""}


def _doubts(facts: Field, found: Found) -> list[str]:
    """Which number columns were read in one of two possible ways, and how to have the other."""
    if facts.kind not in {"number", "vector"}:
        return []
    column = column_of(found, facts)
    parts = zip(column.names, column.columns, strict=True) if isinstance(column, Several) else [(facts.name, column)]
    told = []
    for place, (name, part) in enumerate(parts):
        if isinstance(part, Cells) and (cell := open_cell(part)):
            mark = style_of(facts, place).decimal
            other = f"data.decimal: {NAMES[OTHER[mark]]} reads it the other way"
            told.append(f"{name}: {readings(cell)}. Nothing decides; read with a decimal {NAMES[mark]}, {other}")
    return told


def _sources(name: str, wish: InputSpec | OutputSpec) -> tuple[str, ...]:
    if wish.source is None:
        return (name,)
    return (wish.source,) if isinstance(wish.source, str) else tuple(wish.source)


def _extended(facts: Field, known: tuple[str, ...], plan: Plan) -> Field:
    if facts.kind == "text":  # its tokens are the model's, or are learned anew
        return facts
    new = tuple(name for name in facts.vocabulary if name not in set(known))
    if len(new) == len(facts.vocabulary) and facts.kind != "identity":
        why = f"none of the {len(known):,} classes of the model to start from occurs here, so that its output is new"
        plan.reasons.append(Reason(path=f"outputs.{facts.name}.vocabulary", value=str(len(new)), why=why))
        return facts
    if new:
        why = f"{len(new)} classes are new and stand after the {len(known)} known ones: {listed(new)}"
        plan.reasons.append(Reason(path=f"outputs.{facts.name}.vocabulary", value=str(len(known) + len(new)), why=why))
    every = (*known, *new)
    return facts.model_copy(update={"vocabulary": every, "shape": (len(every),) if facts.kind == "tags" else ()})


def _no_kind(name: str, plan: Plan) -> SpecError:
    why = plan.reasons[-1].why
    if why in NOTHING_THERE:
        return SpecError(f"{name}: {why}.", "Name another column.")
    if why.endswith(FREE_TEXT):
        return SpecError(
            f"{name}: {why}.", f"Say {name}:text to have it written, {name}:category for classes, or name another."
        )
    kind = why.partition("s")[0] if why.startswith(("numbers", "dates")) else "category"
    return SpecError(f"{why}.", f"Say what {name} is, e.g. {name}:{kind}, or name another column.")
