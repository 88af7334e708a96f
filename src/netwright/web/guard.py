"""Who may ask a server on one's own machine, and how much may be sent to it.

Every page that is open in a browser, and every other user of the machine, can reach such a server. So it answers only
under its own name (a foreign name that was bent to this address is refused), only those who know its token, and takes
acts only from its own page. See https://owasp.org/www-community/attacks/csrf and
https://fetch.spec.whatwg.org/#origin-header.
"""

from __future__ import annotations

import asyncio
import hmac
from http import HTTPStatus

from starlette.datastructures import MutableHeaders
from starlette.requests import ClientDisconnect, Request
from starlette.responses import PlainTextResponse
from starlette.types import ASGIApp, Message, Receive, Scope, Send

MOST_BYTES = 32 * 2**20  # of one request's body: a large photograph, ten minutes of speech
SECONDS = 30.0  # in which a body has to come
_POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' blob: data:; media-src blob:; "
    "connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
)
_READS = {"GET", "HEAD", "OPTIONS"}  # methods that change nothing


class TooMuchError(Exception):
    """A body is longer than allowed."""


class Guard:
    """An ASGI application behind a guard.

    Args:
        app: Answers what the guard lets through.
        token: What a request must know, as `?token=`, as a cookie, or as `Authorization: Bearer`.
        names: Names and ports under which the server is asked, e.g. "localhost:8000"; None for any.
        cookie: Name of the cookie; of servers on several ports each needs its own.
        most_bytes: Of a body.
        seconds: In which a body has to come.
    """

    def __init__(
        self,
        app: ASGIApp,
        token: str,
        names: frozenset[str] | None,
        *,
        cookie: str = "netwright",
        most_bytes: int = MOST_BYTES,
        seconds: float = SECONDS,
    ) -> None:
        self._app, self._token, self._names, self._cookie = app, token, names, cookie
        self._most_bytes, self._seconds = most_bytes, seconds

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """One request: refused with a sentence, or passed on."""
        if scope["type"] == "lifespan":
            await self._app(scope, receive, send)
            return
        if scope["type"] != "http":  # nothing here speaks through sockets
            await send({"type": "websocket.close", "code": 1008})
            return
        request, begun = Request(scope), False

        async def kept(message: Message) -> None:
            nonlocal begun
            if message["type"] == "http.response.start":
                begun = True
                self._sealed(message, request)
            await send(message)

        status, why = self._refusal(request)
        if not why:
            try:
                await self._app(scope, self._measured(receive), kept)
            except TooMuchError:
                status, why = HTTPStatus.REQUEST_ENTITY_TOO_LARGE, self._too_much()
            except TimeoutError:
                status, why = HTTPStatus.REQUEST_TIMEOUT, f"the whole was not there after {self._seconds:g} seconds"
            except ClientDisconnect:
                return
        if why and not begun:
            await PlainTextResponse(f"{why}\n", status, {"connection": "close"})(scope, receive, kept)

    def _refusal(self, request: Request) -> tuple[HTTPStatus, str]:
        """Why a request is refused; an empty text when it is not."""
        host = request.headers.get("host", "")
        if self._names is not None and host not in self._names:
            return HTTPStatus.BAD_REQUEST, f"this server answers at {' and '.join(sorted(self._names))} only"
        given = request.headers.get("authorization", "").removeprefix("Bearer ")
        known = [given, request.query_params.get("token", ""), *self._cookies(request)]
        if not any(hmac.compare_digest(each.encode(), self._token.encode()) for each in known):
            return HTTPStatus.FORBIDDEN, "open the whole address that netwright printed, with its token"
        if request.method not in _READS and not self._own(request, host):
            return HTTPStatus.FORBIDDEN, "this was asked by another page than netwright's"
        length = request.headers.get("content-length", "0")
        if not length.isdecimal() or int(length) > self._most_bytes:
            return HTTPStatus.REQUEST_ENTITY_TOO_LARGE, self._too_much()
        return HTTPStatus.OK, ""

    def _cookies(self, request: Request) -> list[str]:
        """Values of this server's cookie as they are: strangers could waste the time that reading quoted ones takes."""
        pairs = [pair for line in request.headers.getlist("cookie") for pair in line.split(";")]
        return [value for name, _, value in (pair.strip().partition("=") for pair in pairs) if name == self._cookie]

    def _own(self, request: Request, host: str) -> bool:
        """Whether an act comes from this server's page, or from a program that was given the token as a header."""
        site, origin = request.headers.get("sec-fetch-site"), request.headers.get("origin")
        if site is None and origin is None:
            return "authorization" in request.headers
        return site in {None, "same-origin", "none"} and origin in {None, f"{request.url.scheme}://{host}"}

    def _measured(self, receive: Receive) -> Receive:
        """The body, piece by piece, until it is too long or takes too long."""
        had, end = 0, asyncio.get_running_loop().time() + self._seconds

        async def measured() -> Message:
            nonlocal had
            async with asyncio.timeout_at(end):
                message = await receive()
            had += len(message.get("body", b""))
            if had > self._most_bytes:
                raise TooMuchError
            return message

        return measured

    def _too_much(self) -> str:
        return f"at most {self._most_bytes / 2**20:g} MB are read at once"

    def _sealed(self, message: Message, request: Request) -> None:
        """What every answer says to the browser."""
        headers = MutableHeaders(scope=message)
        headers["content-security-policy"] = _POLICY
        headers["x-content-type-options"] = "nosniff"
        headers["referrer-policy"] = "no-referrer"
        headers["cache-control"] = "no-store"
        if hmac.compare_digest(request.query_params.get("token", "").encode(), self._token.encode()):
            headers.append("set-cookie", f"{self._cookie}={self._token}; HttpOnly; SameSite=Strict; Path=/")
