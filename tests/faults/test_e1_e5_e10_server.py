"""E1 to E5, E10: a server on one's own machine answers its own page only, and never more than it can hold."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable

import pytest
from starlette.requests import Request
from starlette.responses import PlainTextResponse
from starlette.routing import Route, Router
from starlette.types import Message

from netwright.web import Guard, Place, listen

TOKEN, NAME = "secret", "127.0.0.1:8000"
KNOWN = {"cookie": f"netwright={TOKEN}"}
OWN = KNOWN | {"origin": f"http://{NAME}", "sec-fetch-site": "same-origin"}


class Counting:
    """An application that counts what reaches it."""

    def __init__(self) -> None:
        self.acts = 0
        self.app = Router([Route("/", self.act, methods=["GET", "POST"])])

    async def act(self, request: Request) -> PlainTextResponse:
        body = await request.body()
        self.acts += 1
        return PlainTextResponse(f"{len(body)} bytes")


def asked(
    guard: Guard,
    method: str,
    headers: dict[str, str],
    pieces: Iterable[bytes] = (b"",),
    query: str = "",
    kind: str = "",
) -> tuple[int, dict[str, str], str]:
    """Status, headers and text of an answer."""
    given, said = list(pieces), list[Message]()
    scope = {
        "type": kind or "http", "method": method, "path": "/", "query_string": query.encode(), "scheme": "http",
        "headers": [(key.encode(), value.encode()) for key, value in ({"host": NAME} | headers).items()],
    }  # fmt: skip

    async def receive() -> Message:
        if not given:
            await asyncio.sleep(60)
        return {"type": "http.request", "body": given.pop(0), "more_body": bool(given)}

    async def send(message: Message) -> None:
        said.append(message)

    asyncio.run(guard(scope, receive, send))
    if kind:
        return said[0]["code"], {}, said[0]["type"]
    found = {key.decode(): value.decode() for key, value in said[0]["headers"]}
    return said[0]["status"], found, b"".join(each.get("body", b"") for each in said[1:]).decode()


@pytest.fixture
def behind() -> Counting:
    return Counting()


@pytest.fixture
def guard(behind: Counting) -> Guard:
    return Guard(behind.app, TOKEN, frozenset([NAME]), most_bytes=1000, seconds=0.2)


@pytest.mark.parametrize("host", ["evil.example", "evil.example:8000", "127.0.0.1:8001", "127.0.0.1", ""])
def test_e1_a_name_that_was_bent_to_this_address_is_refused(guard: Guard, behind: Counting, host: str) -> None:
    status, _, text = asked(guard, "GET", KNOWN | {"host": host})
    assert (status, behind.acts) == (400, 0)
    assert NAME in text


@pytest.mark.parametrize(
    "headers",
    [
        {"origin": "http://evil.example"},
        {"origin": "null"},
        {"sec-fetch-site": "cross-site", "origin": f"http://{NAME}"},
        {"sec-fetch-site": "same-site"},
        {"origin": f"http://{NAME}.evil.example"},
        {},
    ],
)
def test_e2_an_act_that_another_page_asks_for_is_not_done(
    guard: Guard, behind: Counting, headers: dict[str, str]
) -> None:
    status, _, text = asked(guard, "POST", KNOWN | headers)
    assert (status, behind.acts) == (403, 0)
    assert "another page" in text


def test_e2_the_page_itself_and_a_program_with_the_token_are_answered(guard: Guard, behind: Counting) -> None:
    assert asked(guard, "POST", OWN, [b"abc"])[2] == "3 bytes"
    assert asked(guard, "POST", {"authorization": f"Bearer {TOKEN}"}, [b"abc", b"de"])[2] == "5 bytes"
    assert behind.acts == 2


def test_e3_sockets_are_refused_at_the_handshake(guard: Guard) -> None:
    assert asked(guard, "GET", OWN, kind="websocket") == (1008, {}, "websocket.close")


@pytest.mark.parametrize("headers", [{}, {"cookie": "netwright=other"}, {"authorization": "Bearer secre"}])
def test_e4_who_does_not_know_the_token_gets_nothing(guard: Guard, behind: Counting, headers: dict[str, str]) -> None:
    for query in ("", "token=", "token=secre", "token=%ff"):
        status, found, text = asked(guard, "GET", headers, query=query)
        assert (status, behind.acts) == (403, 0)
        assert "set-cookie" not in found
        assert TOKEN not in text


def test_e4_the_address_with_its_token_sets_a_cookie_that_no_other_site_and_no_script_can_use(guard: Guard) -> None:
    status, found, _ = asked(guard, "GET", {}, query=f"token={TOKEN}")
    assert status == 200
    assert found["set-cookie"] == f"netwright={TOKEN}; HttpOnly; SameSite=Strict; Path=/"
    assert "default-src 'none'" in found["content-security-policy"]
    assert "frame-ancestors 'none'" in found["content-security-policy"]
    assert found["cache-control"] == "no-store"


def test_e5_a_long_body_is_refused_whether_it_tells_its_length_or_not(guard: Guard, behind: Counting) -> None:
    assert asked(guard, "POST", OWN | {"content-length": "1001"})[0] == 413
    assert asked(guard, "POST", OWN | {"content-length": "many"})[0] == 413
    assert asked(guard, "POST", OWN, [b"x" * 300] * 4)[0] == 413
    assert behind.acts == 0
    assert asked(guard, "POST", OWN, [b"x" * 250] * 4)[2] == "1000 bytes"


def test_e5_a_body_that_never_comes_is_not_waited_for(guard: Guard, behind: Counting) -> None:
    status, _, text = asked(guard, "POST", OWN, ())
    assert (status, behind.acts) == (408, 0)
    assert "after 0.2 seconds" in text


def test_e10_beyond_this_machine_only_when_asked_for_and_with_a_word(
    behind: Counting, monkeypatch: pytest.MonkeyPatch
) -> None:
    told: list[str] = []
    monkeypatch.setattr("uvicorn.Server.run", lambda self, sockets: told.append(str(sockets[0].getsockname()[0])))
    listen(behind.app, Place(port=0), told.append, told.append)
    assert told[0].startswith("http://127.0.0.1:")
    assert told[1:] == ["127.0.0.1"]
    told.clear()
    listen(behind.app, Place("0.0.0.0", 0), told.append, told.append)
    assert "other machines can reach" in told[0]
    assert "?token=" in told[1]


def test_e7_a_port_that_is_taken_is_told_and_another_used(behind: Counting, monkeypatch: pytest.MonkeyPatch) -> None:
    told: list[str] = []

    def again(self: object, sockets: list) -> None:
        port = sockets[0].getsockname()[1]
        monkeypatch.setattr("uvicorn.Server.run", lambda self, sockets: None)
        listen(behind.app, Place(port=port), told.append, told.append)
        told.append(str(port))

    monkeypatch.setattr("uvicorn.Server.run", again)
    listen(behind.app, Place(port=0), lambda _: None, told.append)
    note, address, port = told
    assert note.startswith(f"port {port} is taken: ")
    assert f":{port}/" not in address
