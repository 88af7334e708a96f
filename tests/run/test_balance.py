"""What texts open and close: counted, and mended."""

from __future__ import annotations

import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from netwright.run.balance import braces, brackets, closed, environments, is_latex

OF_C = [*"()[]{}\"'/*:\n\\a ", "//", "/*", "*/", '"x', "\n\n"]
OF_LATEX = [*"{}|%[(*en\n\\ ", "$", "$$", r"\(", r"\)", r"\[", r"\]", r"\text{", r"\verb", r"\verb}", r"\alpha", "\n\n"]
OF_LATEX += [r"\ifnum", r"\fi", r"\begin", r"\end", r"\be", "n{a}", "&", r"\emph", r"\\"]
OF_LATEX += [rf"\{side}{{{name}}}" for side in ("begin", "end") for name in ("a", "align", "array", "verbatim")]

WORDS = st.sampled_from(["so ", "x", r"\{", r"\$", r"\\[2pt]", "on [0,1)", r"\verb|$|", "% } $\n", "\\item a\n\n"])
FORMULAS = st.sampled_from(["x", r"\left[0,1\right)", r"\text{ if $y$}", r"\text{ if \(y\)}", r"\}", "_{i}"])


def _around(inner: st.SearchStrategy[str], *pairs: tuple[str, str]) -> st.SearchStrategy[str]:
    return st.tuples(st.sampled_from(pairs), st.lists(inner, max_size=3)).map(
        lambda found: found[0][0] + "".join(found[1]) + found[0][1]
    )


IN_FORMULAS = st.recursive(
    FORMULAS, lambda inner: _around(inner, ("{", "}"), (r"\begin{array}", r"\end{array}")), max_leaves=4
)
SOUND = st.recursive(
    WORDS
    | _around(
        IN_FORMULAS, ("$x", "$"), ("$$", "$$"), (r"\(", r"\)"), (r"\[", r"\]"), (r"\begin{align}", r"\end{align}")
    ),
    lambda inner: _around(inner, ("{", "}"), (r"\begin{a}", r"\end{a}"), (r"\footnote{", "}")),
)


def _pieces(of: list[str]) -> st.SearchStrategy[str]:
    return st.lists(st.sampled_from(of), max_size=14).map("".join)


@pytest.mark.parametrize(
    ("count", "text", "found"),
    [
        (brackets, "f(a[0], (b", (1, 1)),  # the end may be cut
        (brackets, "(" * 9, (0, 5)),
        (brackets, "{ f(x; }", (1, 2)),  # one slip, one mistake
        (brackets, "f(x)); { }", (2, 3)),
        (brackets, """f("(", ')', /* ] */ a); // }""", (1, 1)),
        (environments, r"\begin{a}\begin{b}\end{b}", (1, 1)),
        (environments, r"\begin{a}" * 100, (0, 96)),
        (environments, r"\begin{verbatim} \end{a} \end{verbatim} % \end{b}", (1, 1)),
        (braces, r"\{ {a} \} [0,1) (", (1, 1)),
        (braces, "{a} % }", (1, 1)),
    ],
)
def test_what_is_never_closed_counts_but_at_a_cut(
    count: Callable[[str], tuple[int, int]], text: str, found: tuple[int, int]
) -> None:
    assert count(text) == found


@pytest.mark.parametrize(
    ("text", "mended"),
    [
        (r"a } \end{b} c", "a     c"),
        ("a\n}\nb", "a\nb"),
        (r"\begin{a} {\bf x \end{a}", r"\begin{a} {\bf x }\end{a}"),
        ("Let $x_{1 be.\n\nThen", "Let $x_{1 be.}$\n\nThen"),  # a formula ends with its paragraph
        (r"\[ x $ y \]", r"\[ x   y \]"),
        (r"\(a \[b\] c\)", r"\(a  b"),
        (r"\begin{align} x \\", "\\begin{align} x \\\\\n\\end{align}"),
        ("{a % b", "{a % b\n}"),
        ("{a \\", "{a }"),
        (r"\begin{verbatim} { $", "\\begin{verbatim} { $\n\\end{verbatim}\n"),
        (r"\begin{the", r" {the}"),
        (r"\begin{verbatim*} {" + "\n\n}", r"\begin{verbatim*} {" + "\n\n}\n" + r"\end{verbatim*}" + "\n"),
        (r"\verb|x y}", " |x y"),
        (r"{\verb|}| x}", r"{\verb|}| x}"),
        (r"\emph{\verb|}%| x}", r"\emph{\verb|| x}"),  # an argument is read before `\verb` can hide anything
        ("\\emph{a\\begin{verbatim} } \\end{verbatim} x}", "\\emph{a}\\begin{verbatim} } \\end{verbatim} x "),
        (r"\ifnum 1>0 {a \fi} \fi", r"\ifnum 1>0 {a }\fi   "),
        (r"\newcommand{\a}{\verb|{| x", r"\newcommand{\a}{\verb|| x}"),
        (r"\iff \ifx a\else b", r"\iff \ifx a\else b\fi"),
        ("\\emph{so\n\nit} is", "\\emph{so}\n\nit  is"),  # one paragraph at most
        ("{so\n\nit} is", "{so\n\nit} is"),
        (r"a \\ [0,1) b", r"a \\{} [0,1) b"),  # an option that never ends
        (r"a \\[2pt] b", r"a \\[2pt] b"),
        (r"\item [0,1)" + "\n\n]", r"\item{} [0,1)" + "\n\n]"),
        (r"\item [(a)] b", r"\item [(a)] b"),
        (r"$\left[0,1\right)$", r"$\left[0,1\right)$"),
        (r"\begin{a} {x & y \\ z & u \end{a}", r"\begin{a} {x }& y \\ z & u \end{a}"),  # a cell ends what it opens
        (r"\begin{a} \emph{x & y} & $u & v \end{a}", r"\begin{a} \emph{x \& y} & $u $& v \end{a}"),
        (r"\begin{a} {x & \begin{b} y} \end{b} \end{a}", "\\begin{a} {x \\& \\begin{b} y\n\\end{b}}"),
        (r"{\emph} \footnote & x", r"{\emph{}} \footnote {}\& x"),  # a command that needs words
        ("\\textwidth} \\emph\n\nx", "\\textwidth  \\emph{}\n\nx"),
    ],
)
def test_latex_is_closed(text: str, mended: str) -> None:
    assert closed(text, latex=True).startswith(mended)


@pytest.mark.parametrize(
    ("text", "mended"),
    [
        ("{ f(x; }", "{ f(x; )}"),
        ("f(x)); {", "f(x) ; {}"),
        ('{ f("a', '{ f("a")}'),
        ("{ // a", "{ // a\n}"),
        ("{ /* a", "{ /* a */}"),
        ("(http://x) {", "(http://x) {}"),
    ],
)
def test_c_is_closed(text: str, mended: str) -> None:
    assert closed(text, latex=False) == mended


@given(_pieces(OF_LATEX))
def test_any_text_becomes_balanced_latex_and_stays(text: str) -> None:
    mended = closed(text, latex=True)
    for count in (braces, environments):
        right, places = count(mended)
        assert right == places
        assert count(f"{mended}\n{mended}") == (2 * right, 2 * places)  # nothing is open
    assert closed(mended, latex=True) == mended


@given(_pieces(OF_C))
def test_any_text_becomes_balanced_c_and_stays(text: str) -> None:
    mended = closed(text, latex=False)
    right, places = brackets(mended)
    assert right == places
    assert closed(mended, latex=False) == mended


@given(st.lists(SOUND, max_size=4).map("".join))
def test_sound_latex_is_left_as_it_is(text: str) -> None:
    assert closed(text, latex=True) == text


@given(
    st.recursive(
        st.sampled_from(["a", '"("', "')'", "/* ] */", "\n"]),
        lambda inner: _around(inner, ("(", ")"), ("[", "]"), ("{", "}")),
    )
)
def test_sound_c_is_left_as_it_is(text: str) -> None:
    assert closed(text, latex=False) == text


def test_an_option_that_never_ends_costs_no_time() -> None:
    text = r"\item [" + r"\alpha \beta " * 500
    assert closed(text, latex=True).startswith(r"\item{} [\alpha")


def test_latex_is_told_by_its_commands() -> None:
    assert is_latex(r"So \emph{it}.")
    assert is_latex(r"\begin{a}")
    assert not is_latex('printf("\\n{");')


SAMPLED = r"""\section{On rings} } Let $R$ be a ring, {\bf not zero.
\begin{proof} \end{lemma} Let $x_{1 \in R.

\begin{itemize} \item So $$ \begin{array}{c} a \\ [0,1) \end{array} $ \(b
"""


def test_a_closed_text_compiles(tmp_path: Path) -> None:
    if not (program := shutil.which("pdflatex")):
        pytest.skip("no pdflatex is on the PATH")
    whole = "\\documentclass{article}\\newenvironment{proof}{}{}\\begin{document}\n%s\n\\end{document}\n"
    (tmp_path / "a.tex").write_text(whole % closed(SAMPLED, latex=True), encoding="utf-8")
    command = [program, "-interaction=nonstopmode", "-halt-on-error", "a.tex"]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout
