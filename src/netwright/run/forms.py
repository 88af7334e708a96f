"""Forms that a text keeps beyond its words: brackets, environments, speakers, scenes, C; how much of it is copied.

A form counts where the text that was learned from keeps it, and what is written is told beside that text's own share.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from itertools import pairwise

import numpy as np

from netwright.run.balance import braces, brackets, environments

SOME = 200_000  # characters of the learned text that are looked at
_PLACES = 20  # of a form in a text that is judged
_LEAST, _MOST = 2_000, 12_000  # characters of such a text
_SPEAKER = re.compile(r"[A-Z][\w' .-]{0,38}:\s*$")
_HEADING = re.compile(r"[A-Z0-9][A-Z0-9' .,/()-]{1,59}$")
_SCENE = re.compile(
    r"^[ \t]*(?:\d+[A-Z]?[. \t]+)?(?:INT|EXT|EST)\b\.?(?:[ \t]*/[ \t]*(?:INT|EXT)\b\.?)?[ \t]+[^\W_][^a-z\n]*$"
    r"|^[ \t]*(?:\d+[A-Z]?[. \t]+)?(?:I/E|E/I)\.?[ \t]+[^\W_][^a-z\n]*$",
    re.MULTILINE,
)
_NEARLY_SCENE = re.compile(r"(\d+[A-Z]?[. \t]+)?(INT|EXT|EST|I/E|E/I)[./]", re.IGNORECASE)
_CUE = re.compile(r"[^\W_][\w' .#&/-]{0,37}(\([^()]*\)\s*)*$")
_ASIDE = re.compile(r"\([^()]*\)?$")
_BEGIN = re.compile(r"\\begin\s*\{")
_COMMENT = re.compile(r"/\*.*?(\*/|$)|//[^\n]*", re.DOTALL)
_STRING = re.compile(r'"(\\.|[^"\\\n])*"' + r"|'(\\.|[^'\\\n])*'")
_DIRECTIVE = re.compile(r"^[ \t]*#(\\\n|[^\n])*", re.MULTILINE)
_MARK = re.compile(r"\b__\w+\b(\s*\(\([^()]*\)\))?")  # `__init`, `__attribute__((packed))`: what a compiler reads
_DECLARED = re.compile(r"(?<![.\w>])([A-Za-z_]\w*)\s+(?:\*\s*)*(?:const\s+)?[A-Za-z_]\w*\s*(?=[=;,)(\[])")
_CAST = re.compile(r"[(]\s*(?:const\s+)?([A-Za-z_]\w*)\s*(?:\*\s*)+[)]")
_CONVERTED = re.compile(r"(?:[=+*/,(!&|?:<>-]|return)\s*[(]\s*([A-Za-z_]\w*)\s*[)]\s*(?=[\w&~(])")
_C_WORDS = re.compile(
    r"(auto|break|case|char|const|continue|default|do|double|else|enum|extern|float|for|goto|if|inline|int|long|register|"
    r"restrict|return|short|signed|sizeof|static|struct|switch|typedef|union|unsigned|void|volatile|while)$"
)


_MARKED = 20_000  # characters in which what marks a form stands once
_CHUNK = 1_000_000  # characters of a source that are compared at once


@dataclass(frozen=True)
class Form:
    """A form that texts may have.

    Args:
        name: As the terminal and the report say it.
        right: How many places of a text are right, of how many.
        often: Least of these places a character in a text of this form.
        kept: Least share of them that is right in it.
        mark: What a text of this form has now and then, too.
        over: Name of a form that is not told beside it.
    """

    name: str
    right: Callable[[str], tuple[int, int]]
    often: float
    kept: float
    mark: re.Pattern[str] | None = None
    over: str = ""

    def share(self, text: str) -> float | None:
        """The share of its places that are right; None where it has none."""
        right, places = self.right(text)
        return right / places if places else None

    def holds(self, text: str) -> bool:
        """Whether a text is of this form."""
        if self.mark and len(self.mark.findall(text)) * _MARKED < len(text):
            return False
        right, places = self.right(text)
        return places >= self.often * len(text) > 0 and right >= self.kept * places > 0


def of(learned: str) -> list[Form]:
    r"""The forms that a text keeps.

    Example:
        >>> [form.name for form in of("f(x) { return a[x]; } " * 99)]
        ['brackets closed', 'C that parses']
        >>> [form.name for form in of(r"\begin{proof} On $[0,1)$. \emph{Clear.} \end{proof} " * 99)]
        ['braces closed', 'environments ended']
    """
    some = learned[:SOME]
    kept = [form for form in FORMS if form.holds(some)]
    hidden = {form.over for form in kept}
    return [form for form in kept if form.name not in hidden]


def enough(learned: str) -> int:
    """Characters of a text in which the forms of the learned one can be judged; 0 where it keeps none.

    Args:
        learned: The text that was learned from.

    Example:
        >>> enough("f(x) { return a[x]; } " * 99), enough("f(x) { %s }" % ("go(a[x]); " * 99) * 9), enough("ab " * 99)
        (2000, 12000, 0)
    """
    some = learned[:SOME]
    apart = [len(some) / form.right(some)[1] for form in of(some)]
    return min(max(_LEAST, round(_PLACES * max(apart))), _MOST) if apart else 0


def longest_copy(text: str, source: str) -> int:
    """How many characters in a row a text has from another one.

    Args:
        text: The text.
        source: Where it may be copied from.

    Example:
        >>> longest_copy("to be or not", "whether to be is nobler")
        6
    """
    longest, own = 0, _Windows(text)
    for start in range(0, len(source), _CHUNK):
        other = _Windows(source[start : start + _CHUNK + len(text)])
        low, high = longest, longest + 1
        while own.meet(other, high):
            low, high = high, 2 * high
        while high - low > 1:
            middle = (low + high) // 2
            low, high = (middle, high) if own.meet(other, middle) else (low, middle)
        longest = low
    return longest


class _Windows:
    """Numbers that stand for every stretch of a text of some length; equal stretches have equal ones.

    Those of a length are made of two overlapping ones of the next smaller power of two.
    """

    def __init__(self, text: str) -> None:
        self.powers = [np.frombuffer(text.encode("utf-32-le", "surrogatepass"), np.uint32).astype(np.uint64)]

    def of(self, length: int) -> np.ndarray:
        """One number for each place where such a stretch begins."""
        level = length.bit_length() - 1
        while len(self.powers) <= level:
            self.powers.append(_joined(self.powers[-1], 1 << (len(self.powers) - 1)))
        return self.powers[level] if length == 1 << level else _joined(self.powers[level], length - (1 << level))

    def meet(self, other: _Windows, length: int) -> bool:
        """Whether both have a stretch of this length in common."""
        if length > min(len(self.powers[0]), len(other.powers[0])):
            return False
        own, theirs = self.of(length), other.of(length)
        known = np.zeros(2**16, bool)  # leaves few to be compared in full
        known[own >> np.uint64(48)] = True
        return bool(np.isin(theirs[known[theirs >> np.uint64(48)]], own).any())


def _joined(windows: np.ndarray, apart: int) -> np.ndarray:
    """Numbers for stretches longer by so much, from those at their beginning and at their end."""
    found = windows[: len(windows) - apart] * np.uint64(0x9E3779B97F4A7C15) + windows[apart:]
    found ^= found >> np.uint64(29)
    return found * np.uint64(0xBF58476D1CE4E5B9)


def speakers(text: str) -> tuple[int, int]:
    r"""Paragraphs that begin with a line `NAME:` and say something, and all of them; the last may be cut.

    Example:
        >>> speakers("KING:\nCome.\n\nGo.\n\nFirst Citizen:\nWe go.\n\nKI")
        (2, 3)
    """
    return _begun(text, _SPEAKER)


def headings(text: str) -> tuple[int, int]:
    """Paragraphs of a play that begin with a line in capitals, who speaks, and go on; the last may be cut."""
    return _begun(text, _HEADING)


def _begun(text: str, wanted: re.Pattern[str]) -> tuple[int, int]:
    parts = _paragraphs(text)
    right = sum(bool(wanted.match(lines[0])) and len(lines) > 1 for lines in parts)
    return right, len(parts)


def script(text: str) -> tuple[int, int]:
    r"""Scene headings of a screenplay that are well formed and characters who say something, and all of them.

    Action and transitions (`CUT TO:`) are neither; the last paragraph may be cut.

    Example:
        >>> script("INT. BAR - DAY\n\nIt rains.\n\nANN (V.O.)\n(low)\nCome.\n\nBEN\n\nExt. sea\n\nCUT TO:\n\nEX")
        (2, 4)
    """
    found = [right for lines in _paragraphs(text) if (right := _in_script(lines)) is not None]
    return sum(found), len(found)


def _in_script(lines: list[str]) -> bool | None:
    """Whether a paragraph is a scene heading or a cue as it should be; None of one that is neither."""
    if _NEARLY_SCENE.match(lines[0]) or _SCENE.match(lines[0]):
        return _SCENE.match(lines[0]) is not None
    name = lines[0].partition("(")[0]
    if (
        not _CUE.match(lines[0])
        or name.upper() != name
        or name.lower() == name
        or (len(lines) == 1 and name[-1] == ".")
    ):
        return None
    return any(not _ASIDE.match(line) for line in lines[1:])


def _paragraphs(text: str) -> list[list[str]]:
    """The lines of each but the last."""
    parts = [part for part in re.split(r"\n[ \t]*\n", text) if part.strip()][:-1]
    return [[line.strip() for line in part.strip("\n").split("\n")] for part in parts]


def c_units(text: str) -> tuple[int, int]:
    """Functions, structures and tables of C that parse, and all of them; one that is cut at the end is none.

    Comments, directives and marks for the compiler are left out before, and a name in the place of a type is taken for
    one, since it may be declared elsewhere.

    Example:
        >>> c_units("static int f(u8 x) { return x + 1; } int g(void) { return (; }  int h(void) {")
        (1, 2)
    """
    plain = _STRING.sub(lambda found: '""' if found[0][0] == '"' else "'0'", _COMMENT.sub(" ", text))
    units = _units(_MARK.sub(" ", _DIRECTIVE.sub("", plain)))
    return sum(_parses(unit) for unit in units), len(units)


def _units(text: str) -> list[str]:
    """What stands between the ends of declarations at the outermost level, where it has braces.

    A closing brace at the beginning of a line ends one even where a brace before it was forgotten.
    """
    depth, ends = 0, [0]
    for place, character in enumerate(text):
        depth += (character == "{") - (character == "}")
        depth = 0 if character == "}" and text[place - 1 : place] == "\n" else max(depth, 0)
        after = text[place + 1 :].lstrip()[:1] if character == "}" and not depth else ""
        if not depth and (character == ";" or (character == "}" and after not in {";", ",", "="})):
            ends.append(place + 1)
    return [text[start:end] for start, end in pairwise(ends) if "{" in text[start:end]]


def _parses(unit: str) -> bool:
    from pycparser import CParser

    types = {
        name for wanted in (_DECLARED, _CAST, _CONVERTED) for name in wanted.findall(unit) if not _C_WORDS.match(name)
    }
    declared = "".join(f"typedef int {name};" for name in sorted(types))
    try:
        CParser().parse(declared + unit)
    except Exception:  # noqa: BLE001  (text that is hardly C meets faults of the parser too: it may raise anything)
        return False
    return True


FORMS = (
    Form("brackets closed", brackets, 1 / 400, 0.9),
    Form("braces closed", braces, 1 / 400, 0.9, _BEGIN, over="brackets closed"),
    Form("environments ended", environments, 1 / 20_000, 0.9),
    Form("speakers named", speakers, 1 / 2_000, 0.5),
    Form("paragraphs headed", headings, 1 / 2_000, 0.5),
    Form("script kept", script, 1 / 2_000, 0.7, _SCENE, over="paragraphs headed"),
    Form("C that parses", c_units, 1 / 4_000, 0.3),
)
