"""One sequence step by step, as a page: a column for each step."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from netwright.figures.cells import Block, Cell, cell_blocks
from netwright.figures.marks import number, percent
from netwright.report.sections import Section, Tinted, sections_page, tinted

_FEW = 12  # steps up to which numbers are written into the cells
_LIKELIEST = 3
_TOLD_UNITS = 8  # of which it is told what moves them
_LETTER = 7.5  # width of a letter in a cell


@dataclass(frozen=True)
class Rows:
    """Numbers over the steps.

    Args:
        name: What they are.
        labels: Of the rows.
        values: `[row][step]`.
    """

    name: str
    labels: Sequence[str]
    values: Sequence[Sequence[float]]


@dataclass(frozen=True)
class Answer:
    """What is said at one step.

    Args:
        ranked: Tokens or classes with their probabilities, likeliest first; a number in words with 1.
    """

    ranked: list[tuple[str, float]]


@dataclass(frozen=True)
class Openers:
    """What moves one gate of one unit, over the data's own text.

    Args:
        unit: Its number.
        gate: Name of the gate, or "state" where there are none.
        opens: Tokens with the highest means, and these.
        closes: Tokens with the lowest means, and these.
    """

    unit: int
    gate: str
    opens: list[tuple[str, float]]
    closes: list[tuple[str, float]]


@dataclass(frozen=True)
class StepsFacts:
    """What is known about one sequence.

    Args:
        example: Its name.
        run: Name of the run.
        heads: What is read at each step.
        before: What goes in; None where it is too much to be drawn.
        states: What comes out of each recurrent layer.
        kept: What else the chosen layer hands on.
        gates: Of the chosen layer.
        layer: Its name.
        single: Single units whose values colour the text.
        answers: By output, of each step.
        scores: By output, the raw scores of each class.
        classes: By output, names of these.
        truths: By output: what really comes at each step, or the one truth about the whole.
        openers: What moves each gate.
        notes: What else to know, a sentence each.
    """

    example: str
    run: str
    heads: Sequence[str]
    before: Rows | None
    states: Sequence[Rows]
    kept: Sequence[Rows]
    gates: Sequence[Rows]
    layer: str
    single: Sequence[Rows]
    answers: Mapping[str, Sequence[Answer]]
    scores: Mapping[str, Rows]
    classes: Mapping[str, Sequence[str]]
    truths: Mapping[str, Sequence[str]]
    openers: Sequence[Openers]
    notes: Sequence[str]


def steps_page(facts: StepsFacts) -> str:
    """The sequence as one self-contained HTML page.

    Args:
        facts: What to show.
    """
    sections = [_unrolled(facts)]
    if facts.gates:
        sections.append(_gates(facts))
    sections.append(_coloured(facts))
    if facts.openers:
        sections.append(_openers(facts))
    return sections_page("step by step", f"{facts.example}, step by step", _results(facts), sections)


def _results(facts: StepsFacts) -> list[str]:
    found = []
    for name, answers in facts.answers.items():
        truths = facts.truths[name]
        whole = len(truths) == len(facts.heads) and len(truths) > 1
        if whole or not truths:
            between = "" if all(len(head) == 1 for head in facts.heads) else " "
            told = between.join(answer.ranked[0][0] for answer in answers if answer.ranked)
            found.append(f"{name}: after each step the likeliest was {told}")
        elif answers[-1].ranked:
            label, share = answers[-1].ranked[0]
            found.append(
                f"{name}: in the end {label}{f' with {percent(share)}' if share < 1 else ''}, really {truths[0]}"
            )
    return found


def _unrolled(facts: StepsFacts) -> Section:
    blocks = [_valued(facts.before, facts.heads)] if facts.before else []
    blocks += [_valued(rows, facts.heads) for rows in facts.states]
    for name, answers in facts.answers.items():
        if name in facts.scores:
            rows = facts.scores[name]
            named = Rows(f"{name}: scores", facts.classes[name], rows.values)
            blocks.append(_valued(named, facts.heads))
        blocks.append(_said(name, answers, facts.truths[name], facts.heads))
    says = f"{len(facts.heads)} steps of {facts.example}: {'; '.join(_results(facts))}."
    return Section(
        "The same network at every step",
        "A column is a step: what goes in on top, below it the state that is handed to the right, at the bottom what "
        "is answered. Each block has colours of its own, blue above 0 and orange below, deepest at its largest number. "
        "Point at a cell for its number.",
        [("", cell_blocks(says, facts.heads, blocks, _wide(facts), "reads"))],
        notes=facts.notes,
    )


def _gates(facts: StepsFacts) -> Section:
    moved = {(str(each.unit), f"{facts.layer}: {each.gate} gate"): each for each in facts.openers}
    blocks = []
    for rows in facts.gates:
        block = _valued(rows, facts.heads, share=True)
        tips = [_moved(label, moved.get((label, rows.name))) for label in rows.labels]
        blocks.append(replace(block, tips=tips))
    blocks += [_valued(rows, facts.heads) for rows in facts.kept]
    says = f"Gates of {facts.layer} over {len(facts.heads)} steps."
    return Section(
        f"Gates of {facts.layer}",
        "A gate is a number that something is multiplied with: white is 0 and lets nothing through, deep blue is 1 and "
        "lets everything through. Point at a cell for its step, character and number, at a unit's number for the "
        "characters that open and close it most.",
        [("", cell_blocks(says, facts.heads, blocks, _wide(facts), "reads"))],
    )


def _coloured(facts: StepsFacts) -> Section:
    between = "" if all(len(head) == 1 for head in facts.heads) else " "
    figures = []
    for rows in facts.single:
        largest = max((abs(value) for value in rows.values[0]), default=1.0) or 1.0
        gate = "gate" in rows.name
        pieces = [
            Tinted(head, value if gate else value / largest, _tip(rows.name, facts.heads, step, value))
            for step, (head, value) in enumerate(zip(facts.heads, rows.values[0], strict=True))
        ]
        figures.append((rows.name, tinted(pieces, between)))
    what = "each gate's unit" if facts.gates else "the unit"
    return Section(
        "Single units over the text",
        f"What {what} says while it reads; the ones that move most here where none was asked for (--unit 3). Point at "
        "a character for its number.",
        figures,
    )


def _openers(facts: StepsFacts) -> Section:
    gates = bool(facts.gates)
    return Section(
        "What opens and closes them" if gates else "What moves them",
        f"Means over the data's own text, by what is read at that step: the {'gates' if gates else 'states'} of the "
        "units that tell tokens apart most.",
        columns=["unit", "gate" if gates else "what", "highest after", "lowest after"],
        rows=[
            [f"{facts.layer}[{each.unit}]", each.gate, _named(each.opens), _named(each.closes)]
            for each in facts.openers[: _TOLD_UNITS * max(len(facts.gates), 1)]
        ],
        worded=True,
    )


def _moved(unit: str, found: Openers | None) -> str:
    if found is None:
        return unit
    return f"unit {unit}: open after {_named(found.opens)}; closed after {_named(found.closes)}"


def _named(tokens: Sequence[tuple[str, float]]) -> str:
    return ",  ".join(f"{token} {number(value, 2)}" for token, value in tokens)


def _wide(facts: StepsFacts) -> float:
    """Room for a column: for numbers where there are few, else for what is read."""
    longest = max((len(head) for head in facts.heads), default=1)
    written = [label for answers in facts.answers.values() for answer in answers for label, _ in answer.ranked[:1]]
    longest = max([longest, *(min(len(label), 8) for label in written)])
    return 58.0 if len(facts.heads) <= _FEW else min(max(_LETTER * longest + 4, 16.0), 72.0)


def _tip(name: str, heads: Sequence[str], step: int, value: float) -> str:
    return f"{name}: step {step + 1}, {heads[step]}: {number(value)}"


def _valued(rows: Rows, heads: Sequence[str], *, share: bool = False) -> Block:
    """Numbers as cells; written into them where there are few steps."""
    few = len(heads) <= _FEW
    largest = 1.0 if share else max((abs(value) for row in rows.values for value in row), default=1.0) or 1.0
    cells = [
        [
            Cell(value / largest, _tip(f"{rows.name} [{label}]", heads, step, value), number(value, 2) if few else "")
            for step, value in enumerate(row)
        ]
        for label, row in zip(rows.labels, rows.values, strict=True)
    ]
    return Block(rows.name, rows.labels, cells, 20 if few else 10 if len(rows.labels) > _FEW else 14)


def _said(name: str, answers: Sequence[Answer], truths: Sequence[str], heads: Sequence[str]) -> Block:
    """The likeliest answers below each other, deeper where they are surer, and what really came."""
    count = min(_LIKELIEST, max((len(answer.ranked) for answer in answers), default=0))
    labels = ["likeliest", "then", "then"][:count]
    rows: list[list[Cell | None]] = [
        [_answer(answer, rank, heads[step], step) for step, answer in enumerate(answers)] for rank in range(count)
    ]
    if len(truths) == len(heads) and len(truths) > 1:
        labels.append("really")
        rows.append([Cell(0.0, f"step {step + 1}: really {truth}", truth) for step, truth in enumerate(truths)])
    return Block(f"{name}: answer after each step", labels, rows, 20)


def _answer(answer: Answer, rank: int, head: str, step: int) -> Cell | None:
    if rank >= len(answer.ranked):
        return None
    label, share = answer.ranked[rank]
    return Cell(share, f"step {step + 1}, {head}: {label} {percent(share)}", label)
