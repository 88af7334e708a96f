"""A real browser that a test steers through a pipe, in the words of the Chrome DevTools protocol.

Source: https://chromedevtools.github.io/devtools-protocol/
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from netwright.doctor.installation import find_browser

_FLAGS = ["--headless", "--no-sandbox", "--disable-gpu", "--no-first-run", "--remote-debugging-pipe"]

_AT_3_AND_4 = """
import os, sys
for place, pipe in zip((3, 4), [os.dup(os.dup(int(pipe))) for pipe in sys.argv[1:3]]):
    os.dup2(pipe, place)
os.execv(sys.argv[3], sys.argv[3:])
"""


class Browser:
    """One open page.

    Args:
        into: Where commands are written.
        out: Where answers are read.
    """

    def __init__(self, into: int, out: int) -> None:
        self._into, self._out, self._number, self._rest = into, out, 0, b""
        self._session = ""
        target = self.do("Target.createTarget", url="about:blank")["targetId"]
        self._session = self.do("Target.attachToTarget", targetId=target, flatten=True)["sessionId"]

    def do(self, method: str, **options: object) -> dict:
        """One command, and what it gives."""
        self._number += 1
        said = {"id": self._number, "method": method, "params": options}
        if self._session:
            said["sessionId"] = self._session
        os.write(self._into, json.dumps(said).encode() + b"\0")
        while True:
            heard = self._next()
            if heard.get("id") == self._number:
                assert "error" not in heard, heard
                return heard["result"]

    def _next(self) -> dict:
        while b"\0" not in self._rest:
            piece = os.read(self._out, 2**20)
            assert piece, "the browser has ended"
            self._rest += piece
        message, _, self._rest = self._rest.partition(b"\0")
        return json.loads(message)

    def run(self, script: str) -> object:
        """The value of an expression on the page."""
        return self.do("Runtime.evaluate", expression=script, returnByValue=True, awaitPromise=True)["result"].get(
            "value"
        )

    def until(self, script: str, seconds: float = 20.0) -> object:
        """The value of an expression as soon as it is true."""
        end = time.monotonic() + seconds
        while not (found := self.run(script)):
            assert time.monotonic() < end, f"{script} is {found!r}; page: {self.run('document.body.innerText')}"
            time.sleep(0.05)
        return found

    def open(self, address: str) -> None:
        """Goes to a page."""
        self.do("Page.navigate", url=address)
        self.until("document.readyState === 'complete'")

    def mouse(self, event: str, x: float, y: float) -> None:
        """`mousePressed`, `mouseMoved` or `mouseReleased` at a place of the window, in pixels."""
        self.do("Input.dispatchMouseEvent", type=event, x=x, y=y, button="left", buttons=1, clickCount=1)


@pytest.fixture
def browser(tmp_path: Path) -> Iterator[Browser]:
    """A browser with a fresh profile."""
    (theirs_in, ours_out), (ours_in, theirs_out) = os.pipe(), os.pipe()
    words = [str(find_browser()), *_FLAGS, f"--user-data-dir={tmp_path / 'profile'}"]
    started = [sys.executable, "-c", _AT_3_AND_4, str(theirs_in), str(theirs_out), *words]
    with subprocess.Popen(started, pass_fds=(theirs_in, theirs_out), stderr=subprocess.DEVNULL) as process:
        os.close(theirs_in)
        os.close(theirs_out)
        try:
            yield Browser(ours_out, ours_in)
        finally:
            process.kill()
            os.close(ours_out)
            os.close(ours_in)
