"""Layers written as text, and what is wrong with a text: where, the nearest word, and the cure.

    chain   = [ piece { "," piece } ]
    piece   = step | block | repeat
    step    = name { number | word }                     conv 16x5 pad 2
    block   = "{" path { "|" path } "}" merge            {dense 32, relu | same} add
    merge   = "add" | "concat" | "auxiliary" [ number ]
    path    = chain | "same"
    repeat  = "x" number ( "{" chain "}" | block )       x3 {dense 64, relu}

The names and their options are those of the registry's rooms "layer" and "activation": a layer's signature is its
schema. `16x5` is short for `16 5`. Behind a block called `auxiliary` all goes on from what came into the block; its end
answers too while the network learns, and the number is the share of that loss, 0.3 if none is written. All mistakes of
the words are reported at once; a mistake of the brackets ends it.
"""

from __future__ import annotations

import difflib
import inspect
import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal, NoReturn, get_args, get_origin, get_type_hints

from netwright import registry
from netwright.errors import SpecError

Value = int | float | bool | str
ROOMS = ("layer", "activation")
LARGEST = 10_000_000  # of any whole number in a text; beyond it a slip of the keyboard is likelier than a layer
DEEPEST = 20  # blocks inside blocks
_TOKEN = re.compile(r"[,{}|]|[^\s,{}|]+")
_SEVERAL = re.compile(r"\d+(x\d+)+")
_NUMBER = re.compile(r"[-+]?(\d+\.?\d*|\.\d+)(e[-+]?\d+)?", re.IGNORECASE)
_REPEAT = re.compile(r"x(\d+)")
_PUNCTUATION = frozenset(",{}|")
_MERGES = ("add", "concat", "auxiliary")
_ENDINGS = frozenset({"last", "global_pool"})  # what makes one vector of all steps
_SHARE = 0.3  # of auxiliary losses: Szegedy et al. 2015, Going Deeper with Convolutions, arXiv:1409.4842, section 5


@dataclass(frozen=True)
class Step:
    """One layer or activation.

    Args:
        room: "layer" or "activation".
        part: Its name there.
        options: What the text sets, by name.
        text: As written, in single spaces.
        column: Where it starts in the text, from 0.
        end: Where it ends.
    """

    room: str
    part: str
    options: tuple[tuple[str, Value], ...]
    text: str
    column: int
    end: int


@dataclass(frozen=True)
class Branches:
    """Paths that all start from the same value and are merged; an empty path is `same`.

    Args:
        paths: One or more.
        merge: How they meet again; "auxiliary" for one that ends in outputs of its own.
        column: Where the block starts in the text, from 0.
        share: Of an auxiliary one's losses in what is minimised.
    """

    paths: tuple[tuple[Step | Branches | Repeat, ...], ...]
    merge: str
    column: int
    share: float = 0.0


@dataclass(frozen=True)
class Repeat:
    """The same pieces several times over, each time with weights of its own."""

    times: int
    body: tuple[Step | Branches | Repeat, ...]
    column: int


Piece = Step | Branches | Repeat


@dataclass(frozen=True)
class _Token:
    text: str
    column: int


@dataclass(frozen=True)
class _Option:
    """One option of a part, from its signature."""

    name: str
    kind: type[int] | type[float] | type[bool] | type[str]
    choices: tuple[str, ...]
    needed: bool
    by_name: bool  # must be written with its name


@dataclass(frozen=True)
class _Problem:
    column: int
    message: str
    cure: str


def parse(text: str, where: str = "model.layers") -> tuple[Piece, ...]:
    """The pieces a text names; nothing is built yet.

    Args:
        text: Layers, comma-separated; empty for none.
        where: What messages call the text.

    Raises:
        SpecError: Every unknown name and wrong option with a caret below its column.

    Example:
        >>> [step.options for step in parse("conv 16x5 pad 2, relu, pool 2")]
        [(('filters', 16), ('height', 5), ('pad', 2)), (), (('size', 2),)]
    """
    parser = _Parser(text)
    try:
        pieces = parser.chain(0)
        parser.finished()
    except _Broken as exc:
        parser.problems.append(exc.problem)
        pieces = ()
    if parser.problems:
        raise _report(text, where, parser.problems)
    return pieces


def steps(pieces: tuple[Piece, ...]) -> Iterator[Step]:
    """Every step written in the text once, in order, those inside blocks too."""
    for piece in pieces:
        match piece:
            case Step():
                yield piece
            case Repeat():
                yield from steps(piece.body)
            case Branches():
                for path in piece.paths:
                    yield from steps(path)


def count(pieces: tuple[Piece, ...]) -> int:
    """How many nodes the pieces become, repeats counted and merges too.

    Example:
        >>> count(parse("dense 8, x3 {relu, dense 8 | same} add"))
        10
    """
    total = 0
    for piece in pieces:
        match piece:
            case Step():
                total += 1
            case Repeat():
                total += piece.times * count(piece.body)
            case Branches():
                total += 1 + sum(count(path) for path in piece.paths)
    return total


def with_dropout(text: str, share: float) -> str:
    """The text with a dropout behind the activation of every layer that sums whole vectors, and behind recurrent ones.

    Behind a recurrent layer it comes after the activation, the last step or the largest value that is taken of it.

    Args:
        text: Layers; one that has dropout already is given back as it is, as is one without such layers.
        share: Chance of each number to be set to 0.

    Example:
        >>> with_dropout("conv 8x3, relu, dense 64, relu, dense 9", 0.5)
        'conv 8x3, relu, dense 64, relu, dropout 0.5, dense 9'
        >>> with_dropout("x2 {lstm 64}, gru 32, last", 0.5)
        'x2 {lstm 64, dropout 0.5}, gru 32, last, dropout 0.5'
    """
    pieces = parse(text)
    found = list(steps(pieces))
    if any(step.part == "dropout" for step in found):
        return text
    dense, ends = False, list(_recurrent_ends(pieces))
    for step in found:
        if step.room == "activation" and dense:
            ends.append(step.end)
        elif step.room == "layer":
            dense = registry.resolve("layer", step.part).takes == "vector"
    for end in sorted(ends, reverse=True):
        text = f"{text[:end]}, dropout {share:g}{text[end:]}"
    return text


def _recurrent_ends(pieces: tuple[Piece, ...]) -> Iterator[int]:
    """Where each recurrent layer ends, with what is made of it number by number or step by step right behind it."""
    for place, piece in enumerate(pieces):
        match piece:
            case Repeat():
                yield from _recurrent_ends(piece.body)
            case Branches():
                for path in piece.paths:
                    yield from _recurrent_ends(path)
            case Step() if piece.room == "layer" and registry.resolve("layer", piece.part).recurs:
                end = piece.end
                for behind in pieces[place + 1 :]:
                    if not isinstance(behind, Step) or not (behind.room == "activation" or behind.part in _ENDINGS):
                        break
                    end = behind.end
                yield end


def marked(text: str, column: int) -> str:
    """Two lines: the text and a caret below one column; long texts are cut around it.

    Example:
        >>> print(marked("conv 16x5, rule", 11))
          conv 16x5, rule
                     ^
    """
    start = max(0, column - 60)
    shown = " ".join(text[start : column + 40].splitlines()) if "\n" in text else text[start : column + 40]
    before, after = "..." if start else "", "..." if column + 40 < len(text) else ""
    return f"  {before}{shown}{after}\n  {' ' * (len(before) + column - start)}^"


def _report(text: str, where: str, problems: list[_Problem]) -> SpecError:
    problems = sorted(problems, key=lambda problem: problem.column)
    several = len(problems) > 1
    shown = [
        f"{where} column {problem.column + 1}: {problem.message}{f' {problem.cure}' if several else ''}\n"
        f"{marked(text, problem.column)}"
        for problem in problems
    ]
    return SpecError("\n".join(shown), "Correct these." if several else problems[0].cure)


class _Broken(Exception):  # noqa: N818  (never leaves this module)
    """The brackets or commas are wrong, so that nothing after this place can be trusted."""

    def __init__(self, column: int, message: str, cure: str) -> None:
        super().__init__(message)
        self.problem = _Problem(column, message, cure)


class _Parser:
    """Recursive descent over the tokens; wrong words are collected, wrong brackets raise `_Broken`."""

    def __init__(self, text: str) -> None:
        self.text = text
        self.tokens = [_Token(found.group(), found.start()) for found in _TOKEN.finditer(text)]
        self.place = 0
        self.problems: list[_Problem] = []

    def peek(self) -> str:
        return self.tokens[self.place].text if self.place < len(self.tokens) else ""

    def column(self) -> int:
        return self.tokens[self.place].column if self.place < len(self.tokens) else len(self.text)

    def take(self) -> _Token:
        self.place += 1
        return self.tokens[self.place - 1]

    def finished(self) -> None:
        if self.peek():
            raise _Broken(
                self.column(), f'"{self.peek()}" without an opening {{.', "Remove it, or open the block with {."
            )

    def chain(self, depth: int) -> tuple[Piece, ...]:
        """Pieces up to the end, a bar or a closing bracket."""
        pieces: list[Piece] = []
        if self.peek() in {"", "}", "|"}:
            return ()
        while True:
            piece = self.piece(depth)
            if piece is not None:
                pieces.append(piece)
            if self.peek() in {"", "}", "|"}:
                return tuple(pieces)
            if self.peek() != ",":
                raise _Broken(
                    self.column(), f'a comma is missing before "{self.peek()}".', "Put commas between layers."
                )
            self.take()

    def piece(self, depth: int) -> Piece | None:
        """One step, block or repeat; None when its words are wrong."""
        column, word = self.column(), self.peek()
        if word in {"", ",", "}", "|"}:
            raise _Broken(column, "a layer is missing here.", "Remove the extra comma, or write a layer.")
        if word == "{":
            return self.block(depth)
        repeated = _REPEAT.fullmatch(word)
        if not repeated:
            return self.step()
        self.take()
        if self.peek() != "{":
            raise _Broken(self.column(), f'"{word}" must be followed by a block.', f"Write {word} {{dense 64, relu}}.")
        times = int(repeated.group(1))
        if not 1 <= times <= 1000:
            self.problems.append(
                _Problem(column, f"{times} repeats; 1 to 1000 are possible.", "Write the number of layers you want.")
            )
            times = 1
        paths = self.paths(depth)
        if self.peek() in _MERGES:
            return Repeat(times, (self.merged(paths, column),), column)
        if len(paths) != 1:
            self.unmerged()
        if not paths[0]:
            self.problems.append(_Problem(column, "nothing to repeat.", "Write layers between the braces."))
        return Repeat(times, paths[0], column)

    def block(self, depth: int) -> Branches:
        column = self.column()
        paths = self.paths(depth)
        if self.peek() not in _MERGES:
            self.unmerged()
        return self.merged(paths, column)

    def merged(self, paths: tuple[tuple[Piece, ...], ...], column: int) -> Branches:
        """A block from its paths on: how they meet, and of an auxiliary one what it counts."""
        merge = self.take()
        if merge.text != "auxiliary":
            return Branches(paths, merge.text, column)
        if len(paths) > 1:
            cure = "Write one block for each, one behind the other."
            self.problems.append(_Problem(column, f"{len(paths)} ways into auxiliary outputs; one is possible.", cure))
        share = _SHARE
        if self.peek() and self.peek() not in _PUNCTUATION:
            number = self.take()
            share = float(number.text) if _NUMBER.fullmatch(number.text) else 0.0
            if not 0 < share <= 1:
                cure = f"A correct one: auxiliary {_SHARE:g}."
                said = f'"auxiliary" takes a share above 0, at most 1, not "{number.text}".'
                self.problems.append(_Problem(number.column, said, cure))
        return Branches(paths, merge.text, column, share)

    def unmerged(self) -> NoReturn:
        found = f', not "{self.peek()}"' if self.peek() else ""
        raise _Broken(
            self.column(),
            f"the block's branches must be merged: add or concat is expected here{found}.",
            "Write add (sum, same shapes) or concat (side by side) after the closing brace, or auxiliary where it only "
            "helps training.",
        )

    def paths(self, depth: int) -> tuple[tuple[Piece, ...], ...]:
        """The paths between two braces."""
        opened = self.take().column
        if depth == DEEPEST:
            raise _Broken(opened, f"more than {DEEPEST} blocks inside each other.", "Use xN {...} to repeat layers.")
        found = [self.path(depth + 1)]
        while self.peek() == "|":
            self.take()
            found.append(self.path(depth + 1))
        if self.peek() != "}":
            raise _Broken(opened, "this { is never closed.", "Add the missing }.")
        self.take()
        return tuple(found)

    def path(self, depth: int) -> tuple[Piece, ...]:
        column = self.column()
        if self.peek() == "same" and self.after() != ",":
            self.take()
            return ()
        found = self.chain(depth)
        if self.column() == column:
            message = "this branch is empty."
            self.problems.append(_Problem(column, message, "Write same for a branch that passes its input on."))
        return found

    def after(self) -> str:
        return self.tokens[self.place + 1].text if self.place + 1 < len(self.tokens) else ""

    def step(self) -> Step | None:
        first = self.take()
        words: list[_Token] = []
        while self.peek() and self.peek() not in _PUNCTUATION:
            words.append(self.take())
        last = words[-1] if words else first
        written = " ".join([first.text, *(word.text for word in words)])
        room = next((room for room in ROOMS if first.text in registry.parts(room)), None)
        if room is None:
            self.problems.append(_unknown(first))
            return None
        reader = _Words(room, first, words)
        values = reader.read()
        self.problems += reader.problems
        return Step(room, first.text, tuple(values.items()), written, first.column, last.column + len(last.text))


def _unknown(word: _Token) -> _Problem:
    known = [name for room in ROOMS for name in registry.parts(room)]
    if word.text == "same":
        return _Problem(
            word.column, '"same" stands alone in a branch.', "Write {... | same} add; elsewhere nothing is needed."
        )
    if word.text in {"softmax", "logits"}:
        cure = "The last layer and its softmax follow from the output and are never written; remove it."
        return _Problem(word.column, f'"{word.text}" is no hidden layer.', cure)
    glued = re.match(r"([a-z_]+?)[(:=]?(\d.*?)\)?$", word.text)
    hint = registry.nearest(word.text, known)
    if glued and glued.group(1) in known:
        hint = f' (did you mean "{glued.group(1)} {glued.group(2)}"?)'
    return _Problem(
        word.column, f'unknown layer "{word.text}"{hint}.', f"Known: {', '.join(known)}, {{...}}, xN {{...}}."
    )


def _schema(room: str, name: str) -> dict[str, _Option]:
    """The options of a part, read from its signature; its first parameter is the program's."""
    target = registry.resolve(room, name)
    hints = get_type_hints(target.__init__ if inspect.isclass(target) else target)
    first, *others = (key for key in inspect.signature(target).parameters)
    parameters = registry.options(room, name, given=(first,))
    return {key: _option(parameters[key], hints.get(key, str)) for key in others}


def _option(parameter: inspect.Parameter, hint: object) -> _Option:
    inner = [kind for kind in get_args(hint) if kind is not type(None)] if get_origin(hint) is not Literal else []
    hint = inner[0] if inner else hint
    choices = tuple(str(choice) for choice in get_args(hint)) if get_origin(hint) is Literal else ()
    kind = next((kind for kind in (bool, int, float) if hint is kind), str)
    return _Option(
        parameter.name,
        kind,
        choices,
        needed=parameter.default is inspect.Parameter.empty,
        by_name=parameter.kind is inspect.Parameter.KEYWORD_ONLY,
    )


class _Words:
    """The words after a step's name, sorted into its options."""

    def __init__(self, room: str, step: _Token, words: list[_Token]) -> None:
        self.step = step
        self.words = words
        self.schema = _schema(room, step.text)
        self.example = getattr(registry.resolve(room, step.text), "example", step.text)
        self.values: dict[str, Value] = {}
        self.problems: list[_Problem] = []

    def problem(self, column: int, message: str, cure: str = "") -> None:
        cure = cure or f"A correct one: {self.example}."
        self.problems.append(_Problem(column, message, cure))

    def read(self) -> dict[str, Value]:
        """The options by name; what is wrong with them goes to `problems`."""
        rest = list(reversed(self.words))
        while rest:
            word = rest.pop()
            if word.text in self.schema:
                if rest:
                    self.named(word, rest.pop())
                else:
                    self.problem(word.column, f'"{word.text}" needs a value.')
            elif _SEVERAL.fullmatch(word.text):
                place = word.column
                for number in word.text.split("x"):
                    self.number(_Token(number, place))
                    place += len(number) + 1
            elif _NUMBER.fullmatch(word.text):
                self.number(word)
            else:
                self.word(word)
        missing = [option.name for option in self.schema.values() if option.needed and option.name not in self.values]
        if missing and not self.problems:
            self.problem(self.step.column, f'"{self.step.text}" needs {" and ".join(missing)}.')
        return {name: self.values[name] for name in self.schema if name in self.values}

    def named(self, name: _Token, value: _Token) -> None:
        option = self.schema[name.text]
        if option.name in self.values:
            self.problem(name.column, f'"{name.text}" is given twice.', "Give it once.")
        converted = self.converted(option, value)
        if converted is not None:
            self.values[option.name] = converted

    def number(self, word: _Token) -> None:
        """A number without a name goes to the first numeric option that has none yet."""
        for option in self.schema.values():
            if option.kind in (int, float) and not option.by_name and option.name not in self.values:
                converted = self.converted(option, word)
                if converted is not None:
                    self.values[option.name] = converted
                return
        named = [option.name for option in self.schema.values() if option.kind in (int, float) and option.by_name]
        more = f" Numbers with a name: {', '.join(named)}." if named else ""
        self.problem(word.column, f'"{self.step.text}" takes no further number {word.text}.{more}')

    def word(self, word: _Token) -> None:
        """A bare word is one of the choices of an option, or what the first option that takes any word is."""
        for option in self.schema.values():
            if word.text in option.choices and not option.by_name and option.name not in self.values:
                self.values[option.name] = word.text
                return
        known = [*self.schema, *(choice for option in self.schema.values() for choice in option.choices)]
        names = [name for room in ROOMS for name in registry.parts(room)]
        if word.text in {*names, "same", "x"} or _REPEAT.fullmatch(word.text):
            self.problem(word.column, f'a comma is missing before "{word.text}".', "Put commas between layers.")
            return
        for option in self.schema.values():
            if option.kind is str and not option.choices and not option.by_name and option.name not in self.values:
                self.values[option.name] = word.text
                return
        if self.glued(word):
            return
        takes = f"it takes {', '.join(known)}" if known else "it takes no options"
        self.problem(
            word.column, f'"{self.step.text}" has no option "{word.text}"{registry.nearest(word.text, known)}; {takes}.'
        )

    def glued(self, word: _Token) -> bool:
        """Notices `pad=2` and `pad2`."""
        name, value = re.match(r"([a-z_]*)[=:]?(.*)", word.text, re.DOTALL).groups()  # type: ignore[union-attr]
        close = difflib.get_close_matches(name, list(self.schema), n=1, cutoff=0.8)
        if not (close and _NUMBER.fullmatch(value)):
            return False
        self.problem(word.column, f'unknown word "{word.text}" (did you mean "{close[0]} {value}"?).')
        return True

    def converted(self, option: _Option, word: _Token) -> Value | None:
        """The word as the option's type; None, with a problem noted, when it is not."""
        text = word.text
        if option.choices:
            if text in option.choices:
                return text
            hint = registry.nearest(text, option.choices)
            self.problem(word.column, f'"{option.name}" is one of {", ".join(option.choices)}, not "{text}"{hint}.')
        elif option.kind is int:
            if re.fullmatch(r"-?\d+", text) and abs(int(text[:20])) <= LARGEST:
                return int(text)
            self.problem(word.column, f'"{option.name}" is a whole number up to {LARGEST:,}, not "{text}".')
        elif option.kind is float:
            if _NUMBER.fullmatch(text):
                return float(text)
            self.problem(word.column, f'"{option.name}" is a number, not "{text}".')
        elif option.kind is bool:
            if text in {"yes", "no", "true", "false"}:
                return text in {"yes", "true"}
            self.problem(word.column, f'"{option.name}" is yes or no, not "{text}".')
        else:
            return text
        return None
