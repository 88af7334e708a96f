"""Names to parts: the one list of everything a spec can name, readable without importing any of it.

A part is registered by one line in `catalogue.py`: room, name, `module:object` and one sentence. Its options are
read from its signature when it is first used, so a part's signature is its schema and is declared nowhere else.
Names in specs, data folders and model files resolve only here; a name is never a path and never imports anything
that is not listed. A user's own parts join through `register`, from Python or from a file given with `--use`.
"""

from __future__ import annotations

import difflib
import hashlib
import importlib
import importlib.util
import inspect
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal, TypeVar, get_args, get_origin, get_type_hints

from netwright.catalogue import BUILT_IN, DATA_BY_NAME, NAMED_IN
from netwright.errors import SpecError

T = TypeVar("T")


@dataclass(frozen=True)
class Part:
    """One thing a spec can name.

    Args:
        room: The kind of part, e.g. "layer" or "optimizer".
        name: What the user writes.
        target: `module:object`, imported on first use.
        summary: One sentence for lists and help.
        facts: What the spec must know without importing the part, e.g. `{"reads": "files"}`.
        source_sha256: Set for a user's own part: the hash of its source file or text.
    """

    room: str
    name: str
    target: str
    summary: str
    facts: dict[str, str] = field(default_factory=dict)
    source_sha256: str = ""


_OTHER_NAMES = {  # what other programs call a setting
    "learning_rate": "lr",
    "max_epochs": "epochs",
    "early_stopping": "patience",
    "hidden_units": "width",
    "random_state": "seed",
    "test_size": "parts",
}
_own: dict[tuple[str, str], tuple[Part, object]] = {}


def comes_by_name(path: str) -> bool:
    """Whether what stands in the place of a path is the name of data that comes with a program.

    Args:
        path: E.g. "sklearn:digits".

    Example:
        >>> comes_by_name("sklearn:digits"), comes_by_name("digits.csv")
        (True, False)
    """
    return path.startswith(DATA_BY_NAME)


def without_prefix(path: str) -> str:
    """The name alone, of data that comes by name; any other path as it is.

    Args:
        path: E.g. "sklearn:digits".

    Example:
        >>> without_prefix("sklearn:digits"), without_prefix("a/cats.csv")
        ('digits', 'a/cats.csv')
    """
    return path.partition(":")[2] if comes_by_name(path) else path


def nearest(name: str, names: Iterable[str]) -> str:
    """The phrase ` (did you mean "x"?)`, or nothing when no name is near.

    Example:
        >>> nearest("catt", ["cat", "dog"]), nearest("--lerning-rate", ["--lr", "--width"])
        (' (did you mean "cat"?)', ' (did you mean "--lr"?)')
    """
    found = close(name, names)
    return f' (did you mean "{found}"?)' if found else ""


def close(name: str, names: Iterable[str]) -> str:
    """The name that was probably meant, also where others call a setting differently; nothing when none is near."""
    folded = {known.casefold(): known for known in names}
    near = difflib.get_close_matches(name.casefold(), folded, n=1, cutoff=0.6)
    plain = name.casefold().lstrip("-").replace("-", "_")
    other = difflib.get_close_matches(plain, _OTHER_NAMES, n=1, cutoff=0.8)
    if near and not (other and _alike(plain, other[0]) > _alike(name.casefold(), near[0])):
        return folded[near[0]]
    meant = _OTHER_NAMES[other[0]] if other else ""
    return next((known for key, known in folded.items() if meant and key.lstrip("-") == meant), "")


def _alike(one: str, other: str) -> float:
    return difflib.SequenceMatcher(None, one, other).ratio()


def rooms() -> tuple[str, ...]:
    """Every room that has parts."""
    return tuple(dict.fromkeys([*BUILT_IN, *(room for room, _ in _own)]))


def parts(room: str) -> dict[str, Part]:
    """All parts of a room by name, built in first, nothing imported."""
    found = {}
    for name, entry in BUILT_IN.get(room, {}).items():
        target, summary, *facts = entry
        told = {"lectures": NAMED_IN[room][name]} if name in NAMED_IN.get(room, {}) else {}
        found[name] = Part(room, name, target, summary, {**(facts[0] if facts else {}), **told})
    found.update({name: part for (of, name), (part, _) in _own.items() if of == room})
    return found


def part(room: str, name: str) -> Part:
    """One part by name.

    Raises:
        SpecError: No such name; lists the known ones and the nearest.
    """
    known = parts(room)
    if name not in known:
        raise SpecError(
            f'unknown {room} "{name}"{nearest(name, known)}.',
            f"Known {room}s: {', '.join(known) or 'none'}. Own parts come with --use my_parts.py.",
        )
    return known[name]


def resolve(room: str, name: str) -> Any:  # noqa: ANN401  (parts are of many types; each room's caller knows its own)
    """The object a name stands for, imported now.

    Raises:
        SpecError: No such name in this room.
    """
    found = part(room, name)
    if (room, name) in _own:
        return _own[room, name][1]
    module, _, attribute = found.target.partition(":")
    return getattr(importlib.import_module(module), attribute)


def options(room: str, name: str, *, given: tuple[str, ...] = ()) -> dict[str, inspect.Parameter]:
    """The options a spec may set on a part: its signature without what the program supplies.

    Args:
        room: Room of the part.
        name: Name of the part.
        given: Parameters the program supplies itself, e.g. `("params",)` of an optimizer.
    """
    signature = inspect.signature(resolve(room, name))
    return {key: value for key, value in signature.parameters.items() if key not in (*given, "self")}


def check_options(room: str, name: str, values: dict[str, Any], *, given: tuple[str, ...] = ()) -> list[str]:
    """Problems with the options a spec sets on a part, in words; empty when all is well."""
    known = options(room, name, given=given)
    problems = [
        f'{room} "{name}" has no option "{key}"{nearest(key, known)}; it takes {", ".join(known) or "none"}'
        for key in values
        if key not in known
    ]
    target = resolve(room, name)
    hints = get_type_hints(target.__init__ if inspect.isclass(target) else target)
    for key, value in values.items():
        if key in known and (wanted := _wanted(hints.get(key), value)):
            problems.append(f'{room} "{name}" option "{key}" is {value!r}, expected {wanted}')
    return problems


def _wanted(hint: object, value: object) -> str:
    """What an option of this type must be, in words, when the value is not it; else nothing."""
    if get_origin(hint) is Literal:
        return "" if value in get_args(hint) else " or ".join(map(str, get_args(hint)))
    words = {int: "a whole number", float: "a number", str: "text", bool: "true or false"}
    if hint not in words:
        return ""
    if hint in (int, float):
        fits = isinstance(value, (int, float) if hint is float else int) and not isinstance(value, bool)
    else:
        fits = isinstance(value, hint)  # type: ignore[arg-type]
    return "" if fits else words[hint]  # type: ignore[index]


def register(room: str, name: str, summary: str = "own part") -> Callable[[T], T]:
    """Decorator: add a part of one's own under a name.

    Example:
        >>> @register("activation", "square_example")
        ... def square(x):
        ...     return x * x
        >>> resolve("activation", "square_example")(3)
        9

    Raises:
        SpecError: The name is taken by a built-in part.
    """

    def add(target: T) -> T:
        if name in BUILT_IN.get(room, {}):
            raise SpecError(
                f'{room} "{name}" is built in and cannot be replaced.', "Register the part under another name."
            )
        try:
            source = inspect.getsource(target)  # type: ignore[arg-type]
        except (OSError, TypeError):
            source = repr(target)
        digest = hashlib.sha256(source.encode()).hexdigest()
        where = f"{getattr(target, '__module__', '?')}:{getattr(target, '__qualname__', name)}"
        _own[room, name] = (Part(room, name, where, summary, {}, digest), target)
        return target

    return add


def use(path: Path) -> None:
    """Run a file of the user's own parts; only ever called for a file the user named with `--use`.

    Raises:
        SpecError: The file is missing or is not Python.
    """
    if not path.is_file() or path.suffix != ".py":
        raise SpecError(f"--use {path}: no such Python file.", "Give the path of a .py file that registers parts.")
    module = importlib.util.spec_from_file_location(f"netwright_own_{path.stem}", path)
    if module is None or module.loader is None:  # pragma: no cover - importlib gives one for every .py file
        raise SpecError(f"--use {path}: cannot be loaded.", "Check that it is plain Python.")
    module.loader.exec_module(importlib.util.module_from_spec(module))


def own_parts(named: Iterable[tuple[str, str]]) -> list[Part]:
    """Those of the named (room, name) pairs that are a user's own, for the record in run and model file."""
    return [_own[key][0] for key in named if key in _own]
