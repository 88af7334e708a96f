"""The smallest pieces of every figure and page: safe text, numbers for people, SVG elements.

What this module guarantees: text that came from data (class names, file names, notes) can never become markup, never
reorders the text around it, and never makes a page unwritable as UTF-8. Everything returned is `Markup`, which jinja2
puts into a page as it is; every plain `str` is escaped on its way in.
"""

from __future__ import annotations

import math
import unicodedata
from collections.abc import Mapping

from markupsafe import Markup, escape

Real = int | float
"""A number of any kind; the tests check types at run time, where an int is no float."""
Attribute = str | Real | None


def clean(text: str) -> str:
    r"""The text with invisible, reordering and unwritable characters made visible; tabs and line ends become spaces.

    Example:
        >>> clean("cat\x00"), clean("a\u202eb"), clean("\udcff.png")
        ('cat\\x00', 'a\\u202eb', '\\udcff.png')
    """
    if text.isprintable():
        return text
    return "".join(character if character.isprintable() else _visible(character) for character in text)


def _visible(character: str) -> str:
    category = unicodedata.category(character)
    if character in "\u00a0\u200c\u200d":  # a space that does not break; joiners that emoji and Indic scripts need
        return character
    if character in "\t\n\r" or category == "Zs":
        return " "
    return character.encode("unicode_escape").decode("ascii")


def visible(text: str) -> str:
    r"""The text with its line ends and tabs, and everything else that a terminal would act on made visible.

    Example:
        >>> visible("a\tb\n\x1b[2J")
        'a\tb\n\\x1b[2J'
    """
    return "".join(character if character in "\n\t" else clean(character) for character in text)


def clip(text: str, width: int) -> str:
    """The text shortened to a number of characters, its end replaced by an ellipsis.

    Example:
        >>> clip("hummingbird", 6)
        'hummi…'
    """
    return text if len(text) <= width else text[: max(width - 1, 1)].rstrip() + "…"


def number(value: Real | None, digits: int = 3) -> str:
    """A number as a person writes it: thousands apart, a fixed count of significant digits, a real minus sign.

    Args:
        value: Any number; None and NaN give a dash.
        digits: Significant digits, >= 1.

    Example:
        >>> number(22466), number(0.01234), number(1.5e-7), number(-3.14159), number(None)
        ('22,466', '0.0123', '1.5e−7', '−3.14', '–')
    """
    if value is None or math.isnan(value):
        return "–"
    if math.isinf(value):
        return "∞" if value > 0 else "−∞"
    if value == int(value) and abs(value) < 1e15:
        return f"{int(value):,}".replace("-", "−")
    size = math.floor(math.log10(abs(value)))
    if size < -4 or size > 15:
        mantissa, _, exponent = f"{value:.{digits - 1}e}".partition("e")
        mantissa = mantissa.rstrip("0").rstrip(".") if "." in mantissa else mantissa
        return f"{mantissa}e{int(exponent)}".replace("-", "−")
    text = f"{value:,.{max(digits - 1 - size, 0)}f}"
    return (text.rstrip("0").rstrip(".") if "." in text else text).replace("-", "−")


def percent(share: Real | None, digits: int = 1) -> str:
    r"""A share of one as per cent, on one line with its sign.

    Example:
        >>> percent(0.97777), percent(None)
        ('97.8\xa0%', '–')
    """
    return "–" if share is None or math.isnan(share) else f"{100 * share:.{digits}f}\u00a0%"


def element(name: str, attributes: Mapping[str, Attribute], *children: str) -> Markup:
    """One SVG or HTML element; attributes that are None are left out, plain text children are escaped.

    Example:
        >>> print(element("text", {"x": 1.5, "class": None}, "a<b"))
        <text x="1.5">a&lt;b</text>
    """
    written = Markup("").join(
        Markup(' {}="{}"').format(key, _attribute(value)) for key, value in attributes.items() if value is not None
    )
    if not children:
        return Markup("<{}{}/>").format(Markup(name), written)
    inner = Markup("").join(child if isinstance(child, Markup) else escape(clean(child)) for child in children)
    return Markup("<{0}{1}>{2}</{0}>").format(Markup(name), written, inner)


def _attribute(value: str | Real) -> str:
    if isinstance(value, str):
        return value if isinstance(value, Markup) else clean(value)
    return f"{value:.2f}".rstrip("0").rstrip(".") if math.isfinite(value) else "0"


def text(
    x: Real, y: Real, content: str, style: str = "label", anchor: str = "start", full: str | None = None
) -> Markup:
    """One line of text in a figure.

    Args:
        x: Left edge, middle or right edge, by anchor.
        y: Baseline.
        content: The text; escaped.
        style: CSS class: label, tick, value, strong, quiet or a tone.
        anchor: "start", "middle" or "end".
        full: The whole text where the content was clipped; shown when pointed at.
    """
    tip = [element("title", {}, full)] if full is not None and full != content else []
    return element(
        "text",
        {"x": x, "y": y, "class": style, "text-anchor": None if anchor == "start" else anchor},
        *tip,
        content,
    )


def line(x1: Real, y1: Real, x2: Real, y2: Real, style: str, width: Real | None = None) -> Markup:
    """One straight line; the CSS class gives its colour."""
    return element("line", {"x1": x1, "y1": y1, "x2": x2, "y2": y2, "class": style, "stroke-width": width})


def group(*children: str, style: str | None = None, move: tuple[Real, Real] | None = None) -> Markup:
    """Several marks as one, moved by (x, y) if asked."""
    transform = f"translate({_attribute(move[0])} {_attribute(move[1])})" if move else None
    return element("g", {"class": style, "transform": transform}, *(children or (Markup(""),)))


def svg(width: Real, height: Real, says: str, *children: str, style: str = "") -> Markup:
    """A whole figure that scales with its column, up to its own size times 1.2.

    Args:
        width: Width in CSS pixels at full size.
        height: Height in CSS pixels at full size.
        says: What the figure shows, in words with its main numbers: read aloud by screen readers.
        children: The marks.
        style: Further CSS classes.
    """
    return element(
        "svg",
        {
            "viewBox": f"0 0 {_attribute(width)} {_attribute(height)}",
            "width": width,
            "height": height,
            "class": f"figure {style}".strip(),
            "role": "img",
            "aria-label": says,
        },
        *children,
    )
