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
_INT = re.compile(r"[-+]?[0-9]+")
_FLOAT = re.compile(r"[-+]?(\.[0-9]+|[0-9]+(\.[0-9]*)?)([eE][-+]?[0-9]+)?")
_ODD_FLOAT = re.compile(r"[-+]?\.(inf|Inf|INF)|\.(nan|NaN|NAN)")
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
    if _INT.fullmatch(text):
        return int(text)
    if _BASED.fullmatch(text):
        return int(text, 0)
    if _FLOAT.fullmatch(text):
        return float(text)
    if _ODD_FLOAT.fullmatch(text):
        return float(text.replace(".", ""))
    return text


def load(text: str, origin: str) -> tuple[object, dict[str, int]]:
    """Plain values and the line (from 1) of every dotted path.

    Args:
        text: YAML of one document.
        origin: What messages call it.

    Raises:
        SpecError: Not YAML, a key twice, a tag or an alias.
    """
    try:
        node = yaml.compose(text, Loader=yaml.SafeLoader)
    except yaml.YAMLError as exc:
        mark = getattr(exc, "problem_mark", None)
        line = f" line {mark.line + 1}" if mark else ""
        problem = getattr(exc, "problem", None) or "not readable as YAML"
        raise SpecError(f"{origin}{line}: {problem}.", "Check indentation, colons and brackets there.") from exc
    lines: dict[str, int] = {}
    return (None if node is None else _value(node, "", origin, lines, set())), lines


def _value(node: yaml.Node, path: str, origin: str, lines: dict[str, int], seen: set[int]) -> object:
    line = node.start_mark.line + 1
    lines.setdefault(path, line)
    if id(node) in seen:
        raise SpecError(f"{origin} line {line}: aliases (*name) are not allowed.", "Write the values out.")
    seen.add(id(node))
    if not node.tag.startswith("tag:yaml.org,2002:") or "python" in node.tag:
        raise SpecError(f"{origin} line {line}: tag {node.tag} is not allowed.", "Write a plain value.")
    if isinstance(node, yaml.ScalarNode):
        return scalar(node.value) if node.style is None else node.value
    if isinstance(node, yaml.SequenceNode):
        return [_value(child, f"{path}.{i}".lstrip("."), origin, lines, seen) for i, child in enumerate(node.value)]
    values: dict[str, object] = {}
    for key_node, child in node.value:
        key = str(_value(key_node, "", origin, {}, seen)) if key_node.style is not None else key_node.value
        if key in values:
            raise SpecError(
                f'{origin} line {key_node.start_mark.line + 1}: "{key}" stands twice.', "Keep one of the two."
            )
        below = f"{path}.{key}".lstrip(".")
        lines[below] = key_node.start_mark.line + 1
        values[key] = _value(child, below, origin, lines, seen)
    return values


class _Writer(yaml.SafeDumper):
    """Quotes every text that `scalar` would read as something else."""


def _text(writer: yaml.SafeDumper, text: str) -> yaml.ScalarNode:
    ambiguous = not isinstance(scalar(text), str)
    return writer.represent_scalar("tag:yaml.org,2002:str", text, style='"' if ambiguous else None)


_Writer.add_representer(str, _text)


def dump(values: object) -> str:
    """YAML text that `load` reads back to equal values."""
    return yaml.dump(values, Dumper=_Writer, sort_keys=False, allow_unicode=True, width=100, default_flow_style=None)
