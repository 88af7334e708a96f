r"""What texts open and close: how much of it is right, and what is missing put in.

C's brackets count outside of its strings and comments, LaTeX's braces and environments outside of its comments and of
what stands there letter by letter (`\verb`, `verbatim`). A text that was mended is balanced by these counts, and
mending it again changes nothing.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable
from typing import Literal, NamedTuple

_PASSES = 9
_FAR = 10_000  # characters in which an environment ends
_DEEP = 4  # at 99 of 100 places of Linux's C no more brackets are open
_CLOSERS = {"(": ")", "[": "]", "{": "}", r"\(": r"\)", r"\[": r"\]"}
_ENDS = frozenset(_CLOSERS.values())
_C = re.compile(
    r"""(?P<comment>/\*.*?(?:\*/|\Z)|(?<!:)//[^\n]*)
    |(?P<string>"(?:\\[^\n]|[^"\\\n])*(?:"|\Z))|'(?:\\[^\n]|[^'\\\n])'
    |(?P<bracket>[()\[\]{}])""",
    re.VERBOSE | re.DOTALL,
)
_LATEX = re.compile(
    r"""(?P<comment>%[^\n]*)
    |(?P<raw>\\begin\{(?P<name>(?:verbatim|Verbatim|lstlisting|minted|comment)\*?)\}.*?(?P<shut>\\end\{(?P=name)\}|\Z))
    |(?P<verb>\\verb\*?(?P<mark>[^\w\s*{}()\[\]$\\%])[^\n]*?(?P=mark))
    |\\(?P<side>begin|end)[ \t]*\n?[ \t]*\{(?P<environment>[^{}\\$%\s]+)\}
    |(?P<lost>\\(?:begin|end|verb|(?:end)?verbatim)(?![A-Za-z])\*?)
    |(?P<if>\\(?:if(?:x|num|dim|odd|cat|case|true|false|[vhm]mode|inner|void|[hv]box|eof|defined|csname)?|fi)(?![A-Za-z@]))
    |(?P<words>\\(?:text(?!color|style)[a-z]*|mbox|hbox|fbox|intertext|footnote|tag\*?)\{)
    |(?P<bracket>\\[()\[\]]|[{}])
    |\\(?:[A-Za-z]+\*?|\\\*?|[^\n])?
    |(?P<dollar>\$\$?)
    |(?P<column>&)
    |(?P<blank>\n[ \t]*(?=\n))""",
    re.VERBOSE | re.DOTALL,
)
_FORMULA = re.compile(r"(equation|displaymath|math|align|flalign|alignat|xalignat|gather|multline|eqnarray)\*?$")
_IN_FORMULA = re.compile(r"(array|subarray|split|aligned|alignedat|gathered|\w*matrix\*?|\w*cases\*?)$")
_OPENED = re.compile(r"[ \t]*\n?[ \t]*\[")
_TAKES = re.compile(
    r"\\(?!(?:left|right|middle|[bB]igg?[lrm]?)[ \t]*\Z)(?:begin\{[^{}]*\}|[A-Za-z]+\*?|\\\*?)[ \t]*\Z"
)  # options
_OPTION = re.compile(
    r"""\s*\[(?:[^\[\]{}\\\n]|\n(?![ \t]*\n)|\\(?!(?:begin|end|item)(?![A-Za-z]))(?:[A-Za-z]+|[^\n])|\{[^{}]*\})*+\]"""
)
_SHORT = re.compile(  # commands that LaTeX gives no argument of several paragraphs
    r"\\(?:text[a-z]+|emph|math[a-z]+|(?:sub){0,2}section|(?:sub)?paragraph|part|chapter|title|caption|index|label|"
    r"(?:page|eq)?ref|cite|bibitem|[hmf]box|frac|sqrt)\*?[ \t]*\Z"
)
_NAMED = re.compile(r"\\[A-Za-z]+\*?[ \t]*\Z")
_WANTS = re.compile(
    r"\\(?:text(?!width|height)[a-z]+|emph|math[a-z]+|(?:foot|margin)note|index|label|[hmf]box)\*?[ \t]*\Z"
)
_ENDS_IT = re.compile(r"[}&$]|\\(?:[\\&)\]]|end(?![A-Za-z]))")  # what no argument begins with
_SPACE = re.compile(r"\s*\[[ \t]*[-+]?[\d.]*[ \t]*(?:[a-z]{2}|\\[A-Za-z]+)[^\]\n]*\]")  # between two rows
_WHOLE = re.compile(r'"(?:\\[^\n]|[^"\\\n])*"')  # string
_COMMAND = re.compile(r"\\(begin|end|[A-Za-z]{2,})\*?[ \t]*\{")
_FI = r"\fi"
_NEVER_HIDDEN = re.compile(r"[{}%]")  # in an argument, not even by `\verb`
_CUT = re.compile(r"(?<!\\)((?:\\\\)*)\\\Z")  # a last backslash, which would hide what is put behind it
_LINE_BEGUN = re.compile(r"\n[ \t]*\Z")
_LINE_ENDS = re.compile(r"[ \t]*\n")


def brackets(text: str) -> tuple[int, int]:
    """Closing brackets that have an opening one; all of them and the opening ones that are never closed.

    Of those still open at the end up to four do not count: there the text may be cut.

    Example:
        >>> brackets("a(b[c)d]), {e"), brackets("a(b[c]d) {e"), brackets("(" * 100)
        ((1, 4), (2, 2), (0, 96))
    """
    found = (token["bracket"] for token in _C.finditer(text))
    return _nested((bracket in _CLOSERS, _CLOSERS.get(bracket, bracket)) for bracket in found if bracket)


def braces(text: str) -> tuple[int, int]:
    r"""The same of LaTeX's braces, where `\{` is none, and parentheses may stand alone.

    Example:
        >>> braces(r"\{ \emph{on $[0,1)$} }")
        (1, 2)
    """
    found = ("{" if token["words"] else token["bracket"] for token in _LATEX.finditer(text))
    return _nested((brace == "{", "}") for brace in found if brace in {"{", "}"})


def environments(text: str) -> tuple[int, int]:
    r"""The same of LaTeX's `\begin{...}` and `\end{...}`, by name.

    Example:
        >>> environments(r"\begin{proof} \begin{align} \end{align} \end{lemma}")
        (1, 2)
    """
    marks: list[tuple[bool, str]] = []
    for token in _LATEX.finditer(text):
        if token["environment"]:
            marks.append((token["side"] == "begin", token["environment"]))
        elif token["raw"]:
            marks += [(True, token["name"])] + [(False, token["name"])] * bool(token["shut"])
    return _nested(marks)


def _nested(marks: Iterable[tuple[bool, str]]) -> tuple[int, int]:
    """Ends that have a beginning; all of them and the beginnings without an end.

    An end belongs to the nearest beginning of its name, and what was begun between them is never ended.

    Args:
        marks: Whether something begins or ends, and what.
    """
    begun: list[str] = []
    known: Counter[str] = Counter()
    right = places = 0
    for begins, name in marks:
        if begins:
            begun.append(name)
            known[name] += 1
            continue
        places += 1
        if not known[name]:
            continue
        right += 1
        while (last := begun.pop()) != name:
            known[last] -= 1
            places += 1
        known[name] -= 1
    return right, places + max(0, len(begun) - _DEEP)


def is_latex(text: str) -> bool:
    r"""Whether a text has a command of LaTeX with its braces.

    Example:
        >>> is_latex(r"\section{On rings}"), is_latex(r'printf("\n");')
        (True, False)
    """
    return _COMMAND.search(text) is not None


def closed(text: str, latex: bool) -> str:
    r"""A text without what closes nothing, and with everything closed that it opens.

    What closes something further out closes what stands open within it. In LaTeX a formula also ends with its
    paragraph, as does the argument of a command that may have but one (`\emph{...}`), and within a formula none begins
    but in words (`\text{...}`). An `&` that divides no row of an environment is written `\&`, and what is
    open in a cell and never closed in its environment ends with the cell. A command that needs words and has none gets
    empty ones.

    Args:
        text: As it was written, perhaps cut at its end.
        latex: Braces, environments and formulas of LaTeX, not brackets of C.

    Example:
        >>> closed("int f(int x) { return (x[0); }]", latex=False)
        'int f(int x) { return (x[0]); } '
        >>> closed(r"\begin{proof} Let $x \in \{1", latex=True)
        '\\begin{proof} Let $x \\in \\{1$\n\\end{proof}'
    """
    for _ in range(_PASSES):  # what goes may have stood between others that belong together
        text, before = _once(_CUT.sub(r"\1", text), latex), text
        if text == before:
            break
    return text


def _once(text: str, latex: bool) -> str:
    mended = _mended_latex(text) if latex else _mended_c(text)
    mended.close(0)
    mended.settle()
    return "".join(mended.parts)


class _Open(NamedTuple):
    """Something that is open: what closes it, and whether it holds a formula, words or what is around it."""

    closer: str
    holds: Literal["formula", "words", "same"] = "same"
    short: bool = False  # ends with its paragraph
    argument: bool = False  # of a command, read before it is set


class _Mended:
    """A text that is written again, mended.

    Args:
        text: As it is.
        comment: What begins a comment that ends with its line.
    """

    def __init__(self, text: str, comment: str) -> None:
        self.parts: list[str] = []
        self.open: list[_Open] = []
        self.ended: _Open | None = None  # what was closed last
        self._text, self._comment = text, comment

    def put(self, said: str) -> None:
        """What stays; blanks go to the part before, so that the last one shows whether a line has begun."""
        if self.parts and not said.strip(" \t"):
            self.parts[-1] += said
        elif said:
            if _ENDS_IT.match(said):
                self.settle()
            self.parts.append(said)

    def settle(self) -> None:
        """A command of LaTeX that needs words and has got none gets empty ones."""
        if self._comment == "%" and self.parts and _WANTS.match(self.parts[-1]):
            self.parts[-1] += "{}"

    def begin(self, said: str, opened: _Open) -> None:
        """What opens something."""
        self.put(said)
        self.open.append(opened)

    def end(self, said: str, closer: str, behind: int) -> None:
        """What closes something, or nothing.

        Args:
            said: As it stands there.
            closer: What it is.
            behind: Where it ends.
        """
        place = next((at for at in reversed(range(len(self.open))) if self.open[at].closer == closer), None)
        if place is None:
            self.drop(behind)
            return
        self.close(place + 1)
        self.ended = self.open.pop()
        self.put(said)

    def drop(self, behind: int) -> None:
        """What goes leaves a blank, so that nothing else is made of its neighbours, or no line where it stood alone.

        Args:
            behind: Where it ends.
        """
        begun = _LINE_BEGUN.search(self.parts[-1]) if self.parts else None
        if begun and _LINE_ENDS.match(self._text, behind):
            self.parts[-1:] = [self.parts[-1][: begun.start()]] * bool(begun.start())
        else:
            self.put(" ")

    def close(self, place: int) -> None:
        """Closes what was opened from the given place of the stack on."""
        while len(self.open) > place:
            self.ended = self.open.pop()
            closer = self.ended.closer
            last = self.parts[-1]
            own = closer.startswith(r"\end") and not last.rstrip(" \t").endswith("\n")
            if own or last.startswith(self._comment):
                self.put("\n")
            elif last == "\\" or (closer == "$" and last.endswith("$")):
                self.put(" ")  # it would be hidden, or begin another formula
            self.put(closer)

    def argument(self) -> int | None:
        """The place of the outermost argument that is open."""
        return next((at for at, each in enumerate(self.open) if each.argument), None)

    def formula(self) -> _Open | None:
        """The formula that one is in; None among words."""
        nearest = next((each for each in reversed(self.open) if each.holds != "same"), None)
        return nearest if nearest and nearest.holds == "formula" else None


def _mended_c(text: str) -> _Mended:
    mended, at = _Mended(text, "//"), 0
    for token in _C.finditer(text):
        mended.put(text[at : token.start()])
        at, said = token.end(), token[0]
        if said in _CLOSERS:
            mended.begin(said, _Open(_CLOSERS[said]))
        elif token["bracket"]:
            mended.end(said, said, at)
        else:
            mended.put(said + _rest(token))
    mended.put(text[at:])
    return mended


def _rest(token: re.Match[str]) -> str:
    """What is missing of a comment or string of C that is cut."""
    said = token[0]
    if said.startswith("/*"):
        return "" if said.endswith("*/") and len(said) > 3 else " */"
    return '"' if token["string"] and not _WHOLE.fullmatch(said) else ""


def _mended_latex(text: str) -> _Mended:
    mended, at = _Mended(text, "%"), 0
    while token := _LATEX.search(text, at):
        _plain(mended, text, at, token.start())
        at, said = token.end(), token[0]
        if token["dollar"]:
            at = _dollar(mended, said, at)
        elif token["column"]:
            mended.put("&" if _in_cell(mended, text, at) else r"\&")
        elif token["environment"]:
            _environment(mended, token)
        elif token["words"] or token["bracket"]:
            _bracket(mended, token)
        elif token["if"]:
            _condition(mended, said, at)
        elif token["raw"]:
            _letter_by_letter(mended, token)
        elif token["lost"]:
            mended.drop(at)
        else:
            if token["blank"]:
                _end_paragraph(mended)
            hidden = token["verb"] and mended.argument() is not None
            mended.put(_NEVER_HIDDEN.sub("", said) if hidden else said)
    _plain(mended, text, at, len(text))
    return mended


def _plain(mended: _Mended, text: str, at: int, behind: int) -> None:
    """What stands between two tokens; a bracket behind a command must not begin an option that never ends."""
    if mended.parts and _OPENED.match(text, at, behind) and _TAKES.match(mended.parts[-1]):
        option = _SPACE if mended.parts[-1].startswith("\\\\") else _OPTION
        if not option.match(text, at):
            mended.put("{}")
    mended.put(text[at:behind])


def _in_cell(mended: _Mended, text: str, at: int) -> bool:
    """Whether an `&` divides a row; what is open in the cell before and never closed in the environment ends there."""
    begun = next((at for at in reversed(range(len(mended.open))) if mended.open[at].closer.startswith(r"\end")), None)
    if begun is None:
        return False
    inner = mended.open[begun + 1 :]
    depth = sum(each.closer == "}" for each in inner)
    if depth and _closed_later(text, at, depth):
        return False
    mended.close(begun + 1)
    return True


def _closed_later(text: str, at: int, depth: int) -> bool:
    """Whether so many braces are closed before the environment ends that is begun."""
    around = 1
    for token in _LATEX.finditer(text, at, at + _FAR):
        if token["environment"]:
            around += 1 if token["side"] == "begin" else -1
        depth += bool(token["words"] or token["bracket"] == "{") - (token["bracket"] == "}")
        if not depth or not around:
            break
    return depth <= 0


def _bracket(mended: _Mended, token: re.Match[str]) -> None:
    """A brace, or what begins or ends a formula."""
    said = token[0]
    if token["words"] or said == "{":
        command = said[:-1] or (mended.parts[-1] if mended.parts else "")
        short, argument = (pattern.match(command) is not None for pattern in (_SHORT, _NAMED))
        argument |= command == "}" and mended.ended is not None and mended.ended.argument  # of several
        mended.begin(said, _Open("}", "words" if token["words"] else "same", short, argument))
    elif said in _ENDS:
        mended.end(said, said, token.end())
    elif mended.formula():
        mended.drop(token.end())
    else:
        mended.begin(said, _Open(_CLOSERS[said], "formula", short=True))


def _environment(mended: _Mended, token: re.Match[str]) -> None:
    name = token["environment"]
    closer = rf"\end{{{name}}}"
    if token["side"] == "end":
        mended.end(token[0], closer, token.end())
        return
    inner = "same" if _IN_FORMULA.match(name) else "words"
    mended.begin(token[0], _Open(closer, "formula" if _FORMULA.match(name) else inner))


def _condition(mended: _Mended, said: str, behind: int) -> None:
    """One of TeX's conditions, whose text may be passed over to its end, or that end."""
    if said == _FI:
        mended.end(said, _FI, behind)
    else:
        mended.begin(said, _Open(_FI))


def _letter_by_letter(mended: _Mended, token: re.Match[str]) -> None:
    """An environment that is read letter by letter, which no argument may hold."""
    outermost = mended.argument()
    if outermost is not None:
        mended.close(outermost)
    if token["shut"]:
        mended.put(token[0])
    else:
        mended.begin(token[0], _Open(f"\\end{{{token['name']}}}\n"))  # some read the rest of its line, too


def _dollar(mended: _Mended, said: str, behind: int) -> int:
    """`$` or `$$`; gives where it ends, since within `$` the first of two does."""
    around = mended.formula()
    if around is None:
        mended.begin(said, _Open(said, "formula", short=True))
    elif around.closer == "$":
        behind -= len(said) - 1
        mended.end("$", "$", behind)
    elif around.closer == said:
        mended.end(said, said, behind)
    else:
        mended.drop(behind)
    return behind


def _end_paragraph(mended: _Mended) -> None:
    """A paragraph ends, and with it what cannot go on in the next."""
    mended.settle()
    outermost = next((at for at, each in enumerate(mended.open) if each.short), None)
    if outermost is not None:
        mended.close(outermost)
