"""What a registered part computes: its formula, options, example and source, read from the part itself, and its curve.

Nothing is written twice: the words are the part's own documentation, the options its signature, the numbers of the
example and of the curve are computed when they are asked for.
"""

from __future__ import annotations

import ast
import doctest
import inspect
import re
from dataclasses import dataclass

import torch
from markupsafe import Markup

from netwright import registry
from netwright.catalogue import LECTURES
from netwright.errors import SpecError
from netwright.figures.frame import frame, style_sheet, templates
from netwright.figures.lines import Axes, Line, line_chart
from netwright.figures.marks import number

ROOMS = (
    "layer",
    "activation",
    "initialiser",
    "loss",
    "optimizer",
    "schedule",
    "strategy",
    "transform",
    "net",
    "task",
    "kind",
)
_SETTINGS = {"mixup": "mix", "cutmix": "mix", "clip": "clipping", "average": "averaging"}  # and what they switch on
_GIVEN = {  # what the program itself gives a part, so that it is no option
    "optimizer": ("params",),
    "schedule": ("step", "total", "watch", "better"),
    "activation": ("x",),
    "initialiser": ("weight", "inputs", "outputs", "generator"),
    "layer": ("in_shape",),
    "loss": ("outputs", "targets"),
    "net": ("shape",),
}
_SECTION = re.compile(r"^(Args|Example|Source|Raises|Attributes):\s*(.*)$")


@dataclass(frozen=True)
class Explained:
    """A part, explained.

    Args:
        room: Where it stands.
        name: What a spec calls it.
        about: What it computes, paragraph by paragraph.
        options: Name, default and meaning of each.
        example: Lines of Python with what they print, run just now.
        source: Where it comes from.
        lectures: Which lectures name it.
    """

    room: str
    name: str
    about: list[str]
    options: list[tuple[str, str, str]]
    example: list[str]
    source: str
    lectures: list[str]

    @property
    def text(self) -> list[str]:
        """All of it in words, line by line."""
        lines = [f"{self.name} ({self.room})", "", *self.about]
        if self.options:
            lines += ["", "options:", *(f"  {name} = {value}: {meaning}" for name, value, meaning in self.options)]
        if self.example:
            lines += ["", "example:", *(f"  {line}" for line in self.example)]
        lines += ["", f"source: {self.source}"] if self.source else []
        return [*lines, *(f"lecture {line}" for line in self.lectures)]


def find(words: list[str]) -> registry.Part:
    """The part that words name: `tanh`, or `schedule step` where several rooms have one of that name.

    Raises:
        SpecError: No part, or several.
    """
    words = [*words[:-1], _SETTINGS.get(words[-1], words[-1])]
    rooms = [room for room in ROOMS if len(words) == 1 or room == words[0]]
    if len(words) > 1 and not rooms:
        raise SpecError(
            f'"{words[0]}" is no kind of part{registry.nearest(words[0], ROOMS)}.', f"There are: {', '.join(ROOMS)}."
        )
    found = [parts[words[-1]] for room in rooms if words[-1] in (parts := registry.parts(room))]
    found = list({part.target: part for part in reversed(found)}.values())  # one part may stand in two rooms
    if len(found) > 1:
        told = " or ".join(f"`netwright explain {part.room} {part.name}`" for part in found)
        raise SpecError(f"{words[-1]} is the name of several parts.", f"Say which: {told}.")
    if not found:
        known = [name for room in rooms for name in registry.parts(room)]
        raise SpecError(
            f'there is no part "{words[-1]}"{registry.nearest(words[-1], known)}.', "See all: netwright explain"
        )
    return found[0]


def explain(part: registry.Part) -> Explained:
    """A part's own words, its options, and its example run now."""
    target = registry.resolve(part.room, part.name)
    sections = _sections(inspect.getdoc(target) or part.summary)
    meanings = _meanings(sections.get("Args", []))
    options = []
    if inspect.isfunction(target) or part.room in {"layer", "strategy", "schedule", "transform"}:
        for name, parameter in registry.options(part.room, part.name, given=_GIVEN.get(part.room, ())).items():
            default = "needed" if parameter.default is inspect.Parameter.empty else str(parameter.default)
            options.append((name, default, meanings.get(name, "")))
    names = part.facts.get("lectures", "")
    return Explained(
        room=part.room,
        name=part.name,
        about=_paragraphs(sections["about"]),
        options=options,
        example=_run(sections.get("Example", []), target),
        source=" ".join(line.strip() for line in sections.get("Source") or _module_source(target)),
        lectures=[f"{which}: {LECTURES[which]}" for which in names],
    )


def _sections(text: str) -> dict[str, list[str]]:
    """A docstring's lines by section; what stands before the first is `about`."""
    found: dict[str, list[str]] = {"about": []}
    here = "about"
    for line in text.splitlines():
        if begins := _SECTION.match(line):
            here = begins[1]
            found[here] = [begins[2]] if begins[2] else []
        else:
            found[here].append(line)
    return found


def _module_source(target: object) -> list[str]:
    """The source that a part's module names, where the part itself names none and has the module for itself."""
    module = inspect.getmodule(target)
    alone = inspect.isclass(target) and module is not None and module.__name__.count(".") > 2
    return _sections(inspect.getdoc(module) or "").get("Source", []) if alone else []


def _paragraphs(lines: list[str]) -> list[str]:
    joined = "\n".join(lines).strip()
    return [" ".join(part.split()) for part in joined.split("\n\n") if part.strip()]


def _meanings(lines: list[str]) -> dict[str, str]:
    found, here = {}, ""
    for line in lines:
        if begins := re.match(r"\s{4}(\w+): (.*)", line):
            here = begins[1]
            found[here] = begins[2]
        elif here:
            found[here] += f" {line.strip()}"
    return {name: words.strip() for name, words in found.items()}


def _run(lines: list[str], target: object) -> list[str]:
    """The example with what it prints now."""
    module = inspect.getmodule(target)
    scope: dict[str, object] = dict(vars(module)) if module else {}
    told: list[str] = []
    for example in doctest.DocTestParser().get_examples("\n".join(lines)):
        source = example.source.rstrip("\n").splitlines()
        told += [f">>> {source[0]}", *(f"... {line}" for line in source[1:])]
        (statement,) = ast.parse(example.source).body
        if isinstance(statement, ast.Expr):
            value = eval(compile(ast.Expression(statement.value), "example", "eval"), scope)
            told += [] if value is None else [repr(value)]
        else:
            exec(compile(example.source, "example", "exec"), scope)
    return told


# ---- the page --------------------------------------------------------------------------------------------------------


def page(explained: Explained) -> str:
    """The same as one self-contained HTML page, with the part's curve where it has one."""
    body = (
        templates("netwright.report")
        .get_template("explain.html.jinja")
        .render(part=explained, figures=curves(explained))
    )
    return frame(f"{explained.name} ({explained.room})", Markup(body), style_sheet("report/report.css"))


def curves(explained: Explained) -> list[Markup]:
    """Value and derivative of an activation, the loss over one output, the factor of a schedule over a run."""
    target = registry.resolve(explained.room, explained.name)
    facts = registry.part(explained.room, explained.name).facts
    if explained.room == "activation":
        return [_activation(explained.name, target)]
    if explained.room == "schedule" and "strategy" not in facts:
        steps = list(range(1001))
        line = Line(explained.name, [step / 10 for step in steps], [target(step, 1000) for step in steps])
        says = f"Factor on the learning rate over a run: {number(line.y[0])} to {number(line.y[-1])}."
        return [line_chart(says, [line], Axes("per cent of the run", "Factor on the learning rate", zero=True))]
    if explained.room == "loss" and facts.get("compares"):
        return [_loss(explained.name, target, facts["compares"])]
    return []


def _activation(name: str, function: object) -> Markup:
    x = torch.linspace(-4, 4, 401, requires_grad=True)
    y = function(x)  # type: ignore[operator]
    (slope,) = torch.autograd.grad(y.sum(), x)
    x, y = x.detach(), y.detach()
    lines = [
        Line("value", x.tolist(), y.tolist(), 1),
        Line("derivative", x.tolist(), slope.tolist(), 2),
    ]
    ends = f"{number(float(y[0]))} to {number(float(y[-1]))}"
    says = f"{name} from -4 to 4: value {ends}, derivative at 0 {number(float(slope[200]))}."
    return line_chart(says, lines, Axes("x", f"{name} and its derivative"))


def _loss(name: str, function: object, compares: str) -> Markup:
    """Over the output that counts, the others held at 0."""
    x = torch.linspace(-4, 4, 401)
    if compares == "values":
        y, axis = function(x[:, None], torch.zeros(401, 1)), "output less target"  # type: ignore[operator]
    elif compares == "yes_no":
        y, axis = function(x[:, None], torch.ones(401, dtype=torch.int64)), "score, the answer being yes"  # type: ignore[operator]
    elif compares == "points":
        places = torch.stack([x, torch.zeros(401)], dim=1)[:, None]
        y, axis = function(places, torch.zeros(401, 1, 2)), "place of a point that should be at 0"  # type: ignore[operator]
    elif compares == "triplets":
        both = torch.stack([torch.ones(401, 1), x[:, None]], dim=1)
        y, axis = function(torch.zeros(401, 1), both), "place of the negative; anchor at 0, positive at 1"  # type: ignore[operator]
    else:
        scores = torch.stack([x, torch.zeros(401), torch.zeros(401)], dim=1)
        y, axis = function(scores, torch.zeros(401, dtype=torch.int64)), "score of the true class, two others at 0"  # type: ignore[operator]
    says = f"{name} from -4 to 4: {number(float(y[0]))} to {number(float(y[-1]))}."
    return line_chart(says, [Line(name, x.tolist(), y.tolist())], Axes(axis, "Loss of one example", zero=True))
