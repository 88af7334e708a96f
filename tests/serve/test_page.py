"""A model's page in a real browser: what is written with the mouse, typed or dropped gets its answer."""

from __future__ import annotations

import json
import math
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from itertools import pairwise
from pathlib import Path
from typing import Protocol

import numpy as np
import pytest

from netwright import run, spec

pytestmark = pytest.mark.browser


class Page(Protocol):
    """What tests do with a browser; see conftest.py."""

    def open(self, address: str) -> None: ...
    def run(self, script: str) -> object: ...
    def until(self, script: str, seconds: float = 20.0) -> object: ...
    def mouse(self, event: str, x: float, y: float) -> None: ...


def stroke(slope: float, draw: np.random.Generator) -> str:
    """A nearly straight line of ink."""
    along = np.linspace(0, 10, int(draw.integers(6, 12)))
    points = np.column_stack([along, slope * along + draw.normal(0, 0.2, len(along))])
    return json.dumps(points.round(2).tolist())


@pytest.fixture(scope="module")
def pens(tmp_path_factory: pytest.TempPathFactory, session_cache: Path) -> Path:
    """A run that tells lines that rise from lines that fall; its data has y upwards, and a hostile class."""
    place, draw = tmp_path_factory.mktemp("pens"), np.random.default_rng(0)
    rows = [
        f'"{stroke(s * draw.uniform(0.5, 2), draw)}",{n}'
        for s, n in ((1, "rises"), (-1, "<b>falls</b>"))
        for _ in range(40)
    ]
    (place / "lines.csv").write_text("\n".join(["ink,way", *rows]) + "\n", encoding="utf-8")
    text = "{data: {path: %s}, inputs: {ink: {kind: ink}}, outputs: [way], training: {stop: {epochs: 20}}}"
    return run.train(spec.load(text % (place / "lines.csv")), out=place / "run").run


@pytest.fixture(scope="module")
def address(pens: Path) -> Iterator[str]:
    with served(pens) as found:
        yield found


@contextmanager
def served(model: Path) -> Iterator[str]:
    """Where `netwright serve` answers, until it is ended with Ctrl-C."""
    words = [sys.executable, "-m", "netwright", "serve", str(model), "--port", "0", "--json", "--quiet"]
    environment = os.environ | {"PYTHONUNBUFFERED": "1"}
    with subprocess.Popen(words, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env=environment) as process:
        assert process.stdout is not None
        assert process.stderr is not None
        said = "".join(process.stdout.readline() for _ in range(3))
        try:
            yield json.loads(said)["address"]
        finally:
            process.send_signal(signal.SIGINT)
            assert process.wait(20) == 130
        assert "Traceback" not in process.stderr.read()


@pytest.fixture
def page(address: str, browser: Page) -> Page:
    browser.open(address)
    browser.until("document.querySelector('canvas')?.width > 300")
    return browser


def write(page: Page, *points: tuple[float, float]) -> None:
    """One stroke with the mouse, in shares of the pad."""
    box = json.loads(str(page.run("JSON.stringify(document.querySelector('canvas').getBoundingClientRect())")))
    places = [(box["x"] + x * box["width"], box["y"] + y * box["height"]) for x, y in points]
    page.mouse("mousePressed", *places[0])
    for x, y in places:
        page.mouse("mouseMoved", x, y)
    page.mouse("mouseReleased", *places[-1])


def test_a_language_model_goes_on_with_what_is_typed(tmp_path: Path, browser: Page) -> None:
    (tmp_path / "a.txt").write_text("to be,\nor not\n" * 99)
    wanted = spec.load("{inputs: {text: {}}, outputs: {next: {of: text}}, model: {layers: 'lstm 4'}}")
    wanted = spec.override(wanted, {"data.path": f'"{tmp_path / "a.txt"}"', "training.stop.epochs": "1"})
    with served(run.train(wanted, out=tmp_path / "run").run) as found:
        browser.open(found)
        browser.until("document.querySelectorAll('textarea').length")
        browser.run(
            "const at = document.querySelector('textarea'); at.value = 'to b'; at.dispatchEvent(new Event('input'))"
        )
        written = str(browser.until("document.querySelector('#answer:not(.busy) .written')?.textContent"))
    assert written.startswith("to b")
    assert len(written) == 404
    assert "\n" in written


LIKELIEST = "document.querySelector('#answer:not(.busy) .words')?.textContent"


def test_what_is_written_with_the_mouse_is_read(page: Page) -> None:
    write(page, *((0.3 + 0.02 * k, 0.8 - 0.03 * k) for k in range(20)))
    assert page.until(LIKELIEST) == "rises"
    page.run("[...document.querySelectorAll('.tools button')][0].click()")
    write(page, *((0.3 + 0.02 * k, 0.2 + 0.03 * k) for k in range(20)))
    assert page.until(LIKELIEST) == "<b>falls</b>"  # as text, not as markup
    assert page.run("document.querySelectorAll('#answer b').length") == 0
    page.run("document.querySelector('.tools input').click()")  # as data with y downwards
    assert page.until(f"{LIKELIEST} === 'rises'")


def test_examples_that_the_model_keeps_are_offered_and_answered(page: Page) -> None:
    assert page.run("document.querySelectorAll('#offered canvas').length") == 6
    page.run("document.querySelector('#offered button').click()")
    assert page.until(LIKELIEST) in {"rises", "<b>falls</b>"}
    shares = page.run("[...document.querySelectorAll('.shares meter')].map(each => each.value)")
    assert isinstance(shares, list)
    assert sum(shares) == pytest.approx(1, abs=1e-4)


def test_the_token_leaves_the_address_and_the_page_asks_nobody_else(page: Page, address: str) -> None:
    assert page.run("location.search") == ""
    assert page.run("document.cookie") == ""  # no script sees it
    asked = page.run("performance.getEntriesByType('resource').map(each => each.name)")
    assert isinstance(asked, list)
    assert {name.split("/")[2] for name in asked} == {address.split("/")[2]}


def test_a_mouse_of_many_points_is_thinned_to_what_was_learned(page: Page) -> None:
    page.run("""
      window.sent = [];
      const before = window.fetch;
      window.fetch = (url, options) => {
        if (options?.body) window.sent.push(options.body);
        return before(url, options);
      };
    """)
    write(page, *((0.3 + 0.002 * k, 0.8 - 0.003 * k) for k in range(200)))
    page.until("window.sent.length")
    (points,) = json.loads(json.loads(str(page.run("window.sent.at(-1)")))["ink"])
    assert 5 <= len(points) <= 15
    apart = [math.dist(one, other) for one, other in pairwise(points)]
    assert max(apart) < 1.05 * min(apart)
