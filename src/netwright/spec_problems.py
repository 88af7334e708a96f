"""What is wrong with a spec, in words: each setting by its path, with its line, its value and the nearest one known."""

from __future__ import annotations

import re

from pydantic import BaseModel, ValidationError

from netwright.registry import close, nearest

_OPTIONS = {"optimizer": ("name", "lr", "momentum"), "schedule": ("name", "warmup")}  # of parts: these have no fields
_BRANCH = re.compile(r"(constrained-)?(str|int|float|bool)|(literal|list|tuple|dict|function)[-\[].*")


def problems(found: ValidationError, root: type[BaseModel], lines: dict[str, int], said: dict[str, str]) -> list[str]:
    """One line for each setting that is wrong, in the order of the file.

    Args:
        found: What pydantic says.
        root: The model of the whole spec.
        lines: Lines of settings by their path, where the spec was read from a file.
        said: What the user wrote for some of the paths, e.g. --epochs.
    """
    told: dict[tuple[int, str, str], list[str]] = {}
    for error in found.errors():
        location, given = [str(part) for part in error["loc"]], f", not {error['input']!r}"
        if len(location) > 1 and _BRANCH.fullmatch(location[-1]):  # one of several forms that a value may have
            location.pop()
        message = error["msg"].removeprefix("Value error, ").replace("a valid tuple", "a list")
        if error["type"] == "extra_forbidden":
            siblings = _settings(location[:-1], root)
            near = nearest(location[-1], siblings) or _elsewhere(location[-1], root)
            message = f"unknown setting{near}; known here: {', '.join(siblings)}"
        if error["type"] in {"extra_forbidden", "value_error"}:
            given = ""
        path = ".".join(location)
        told.setdefault((_line(location, lines), said.get(path, path), given), []).append(message)
    return [_told(*where, messages) for where, messages in sorted(told.items())]


def _line(location: list[str], lines: dict[str, int]) -> int:
    """The line of a setting, or of what holds it; 0 when it was not read from a file."""
    known = (".".join(location[:n]) for n in range(len(location), 0, -1))
    return next((lines[place] for place in known if place in lines), 0)


def _told(line: int, path: str, given: str, messages: list[str]) -> str:
    place = f"{f'line {line}: ' if line else ''}{path}{': ' if path else ''}"
    return f"{place}{' or '.join(dict.fromkeys(messages))}{given}".rstrip(".") + "."


def _held(model: type[BaseModel], name: str) -> type[BaseModel] | None:
    """The model of a setting's own settings, or of each of those it names (inputs, outputs); None for plain values."""
    annotation = model.model_fields[name].annotation
    inner = [t for t in (annotation, *getattr(annotation, "__args__", ())) if isinstance(t, type)]
    return next((t for t in inner if issubclass(t, BaseModel)), None)


def _settings(path: list[str], root: type[BaseModel]) -> list[str]:
    """The settings known at a place of the spec, as the user writes them."""
    model = root
    for name in path:
        if name in model.model_fields:
            model = _held(model, name) or model
    return [field.alias or name for name, field in model.model_fields.items()]


def _elsewhere(name: str, root: type[BaseModel]) -> str:
    """The phrase ` (did you mean "training.optimizer.lr"?)` for a setting that lies somewhere else; see `nearest`."""
    ends: dict[str, str] = {}
    for path in _paths(root):
        ends.setdefault(path.rpartition(".")[2], path)
    near = close(name, ends)
    return f' (did you mean "{ends[near]}"?)' if near else ""


def _paths(model: type[BaseModel]) -> list[str]:
    """Every setting below a place of the spec by its path, those nearest to the root first."""
    here, below = [], []
    for field_name, field in model.model_fields.items():
        name, held = field.alias or field_name, _held(model, field_name)
        here.append(name)
        if held is not None and "options" in held.model_fields:
            below += [f"{name}.{option}" for option in _OPTIONS.get(name, ("name",))]
        elif held is not None:
            place = f"{name}.{'NAME' + '.' if field_name in {'inputs', 'outputs'} else ''}"
            below += [place + path for path in _paths(held)]
    return sorted([*here, *below], key=lambda path: path.count("."))
