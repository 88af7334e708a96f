"""YAML as people expect it: the core types of YAML 1.2, duplicate keys refused, the line of every value kept.

Plain PyYAML reads `1e-3` as text, `no` as false, `12:30` as 750 and silently keeps the last of two equal keys.
Tags and aliases are refused: a spec is plain data, and neither runs code nor grows when read.
"""

from __future__ import annotations

import re

import yaml

from netwright.errors import SpecError

_NULL = {"", "~", "null", "Null", "NULL"}
_BOOL = {"true": True, "True": True, "TRUE": True, "false": False, "False": False, "FALSE": False}
_INT = re.compile(r"[-+]?[0-9]{1,4000}")  # Python reads no longer ones; those become floats
_FLOAT = re.compile(r"[-+]?(\.[0-9]+|[0-9]+(\.[0-9]*)?)([eE][-+]?[0-9]+)?")
_ODD_FLOAT = re.compile(r"[-+]?\.(inf|Inf|INF)|\.(nan|NaN|NAN)")
_DEEPEST = 50  # levels; a spec has six, and deeper ones could exhaust the stack
_BASED = re.compile(r"0o[0-7]+|0x[0-9a-fA-F]+")


def scalar(text: str) -> str | int | float | bool | None:
    """The value of an unquoted word.

    Source: YAML 1.2.2, section 10.3.2 (core schema tag resolution).

    Example:
        >>> scalar("1e-3"), scalar("no"), scalar("12:30"), scalar("007"), scalar("~")
        (0.001, 'no', '12:30', 7, None)
    """
    if text in _NULL:
        return None
    if text in _BOOL:
        return _BOOL[text]
    if _INT.fullmatch(text) or _BASED.fullmatch(text):
        return int(text, 10 if _INT.fullmatch(text) else 0)
    if _FLOAT.fullmatch(text):
        return float(text)
    return float(text.replace(".", "")) if _ODD_FLOAT.fullmatch(text) else text


def load(text: str, origin: str) -> tuple[object, dict[str, int]]:
    """Plain values and the line (from 1) of every dotted path.

    Args:
        text: YAML of one document.
        origin: What messages call it.

    Raises:
        SpecError: Not YAML, a key twice, a tag or an alias.
    """
    try:
        _plain_data(text, origin)
        node = yaml.compose(text, Loader=yaml.SafeLoader)
    except yaml.YAMLError as exc:
        mark = getattr(exc, "problem_mark", None)
        line = f" line {mark.line + 1}" if mark else ""
        problem = getattr(exc, "problem", None) or "not readable as YAML"
        raise SpecError(f"{origin}{line}: {problem}.", "Check indentation, colons and brackets there.") from exc
    lines: dict[str, int] = {}
    return (None if node is None else _value(node, "", origin, lines)), lines


def _plain_data(text: str, origin: str) -> None:
    """Refuses what is more than plain data, before anything is built from it."""
    depth = 0
    for event in yaml.parse(text, Loader=yaml.SafeLoader):
        line = event.start_mark.line + 1
        if isinstance(event, yaml.AliasEvent):
            raise SpecError(f"{origin} line {line}: aliases (*name) are not allowed.", "Write the values out.")
        if getattr(event, "tag", None):
            raise SpecError(f"{origin} line {line}: tag {event.tag} is not allowed.", "Write a plain value.")
        depth += isinstance(event, yaml.CollectionStartEvent) - isinstance(event, yaml.CollectionEndEvent)
        if depth > _DEEPEST:
            raise SpecError(f"{origin} line {line}: more than {_DEEPEST} levels of nesting.", "A spec has six.")


def _value(node: yaml.Node, path: str, origin: str, lines: dict[str, int]) -> object:
    lines.setdefault(path, node.start_mark.line + 1)
    if isinstance(node, yaml.ScalarNode):
        return scalar(node.value) if node.style is None else node.value
    if isinstance(node, yaml.SequenceNode):
        return [_value(child, f"{path}.{i}".lstrip("."), origin, lines) for i, child in enumerate(node.value)]
    values: dict[str, object] = {}
    for key_node, child in node.value:
        line = key_node.start_mark.line + 1
        if not isinstance(key_node, yaml.ScalarNode):
            raise SpecError(f"{origin} line {line}: a list or mapping cannot be a name.", "Write a plain word.")
        key = key_node.value
        if key in values:
            raise SpecError(f'{origin} line {line}: "{key}" stands twice.', "Keep one of the two.")
        below = f"{path}.{key}".lstrip(".")
        lines[below] = line
        values[key] = _value(child, below, origin, lines)
    return values


class _Writer(yaml.SafeDumper):
    """Quotes every text that `scalar` would read as something else."""


def _text(writer: yaml.SafeDumper, text: str) -> yaml.ScalarNode:
    ambiguous = not isinstance(scalar(text), str) or "\x85" in text  # that line end is lost unless escaped
    return writer.represent_scalar("tag:yaml.org,2002:str", text, style='"' if ambiguous else None)


_Writer.add_representer(str, _text)


def dump(values: object) -> str:
    """YAML text that `load` reads back to equal values."""
    return yaml.dump(values, Dumper=_Writer, sort_keys=False, allow_unicode=True, width=100, default_flow_style=None)
