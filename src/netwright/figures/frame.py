"""The frame of every page: one self-contained HTML file without scripts and without the network.

The content security policy allows exactly the style sheet that is in the page (by its hash) and pictures that are in
the page; whatever else a hostile class name might bring, the browser refuses it.
"""

from __future__ import annotations

import base64
import hashlib
from functools import cache
from importlib import resources

from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup

from netwright.figures.marks import clean, element, number, percent
from netwright.words import counted


def style_sheet(*names: str) -> str:
    """The style sheets of the package as one text; `frame.css` of this room always comes first.

    Args:
        names: Further sheets as "room/file.css", e.g. "report/report.css".
    """
    root = resources.files("netwright")
    return "\n".join((root / name).read_text("utf-8") for name in ("figures/frame.css", *names))


def frame(title: str, body: Markup, css: str) -> str:
    """A whole HTML page.

    Args:
        title: Name of the page, shown in the browser's tab; escaped.
        body: The content.
        css: The style sheet, from `style_sheet`.
    """
    style = "\n" + css.strip() + "\n"
    digest = base64.b64encode(hashlib.sha256(style.encode("utf-8")).digest()).decode("ascii")
    policy = f"default-src 'none'; img-src data:; style-src 'sha256-{digest}'; base-uri 'none'; form-action 'none'"
    head = [
        element("meta", {"charset": "utf-8"}),
        element("meta", {"http-equiv": "Content-Security-Policy", "content": policy}),
        element("meta", {"name": "viewport", "content": "width=device-width, initial-scale=1"}),
        element("meta", {"name": "color-scheme", "content": "light dark"}),
        element("meta", {"name": "referrer", "content": "no-referrer"}),
        element("title", {}, title),
        element("style", {}, Markup(style)),
    ]
    page = element("html", {"lang": "en"}, element("head", {}, *head), element("body", {}, body))
    return f"<!DOCTYPE html>\n{page}\n"


def _shown(value: object) -> object:
    return clean(value) if isinstance(value, str) and not isinstance(value, Markup) else value


@cache
def templates(package: str) -> Environment:
    """The jinja2 environment of a room: everything escaped, unknown names are errors, numbers as people write them.

    Args:
        package: Package whose folder holds the templates, e.g. "netwright.report".
    """
    environment = Environment(
        loader=PackageLoader(package, ""),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        finalize=_shown,
    )
    environment.filters["number"] = number
    environment.filters["percent"] = percent
    environment.filters["counted"] = counted
    return environment
