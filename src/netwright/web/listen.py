"""A server on this machine: a free port, an address with a token, and an end with Ctrl-C."""

from __future__ import annotations

import asyncio
import secrets
import socket
from collections.abc import Callable
from dataclasses import dataclass

import uvicorn
from starlette.types import ASGIApp
from uvicorn.protocols.http.h11_impl import H11Protocol

from netwright.errors import ResourceError
from netwright.web.guard import SECONDS, Guard

TRIED = 20  # ports after the wanted one
_USUAL = 80
_OWN = {"127.0.0.1", "localhost", "::1"}


@dataclass(frozen=True)
class Place:
    """Where a server is asked.

    Args:
        host: Address of this machine; of its own network card only what others shall reach as well.
        port: The wanted port; the next free one is taken, and 0 asks the system for any.
    """

    host: str = "127.0.0.1"
    port: int = 8000

    @property
    def open_to_others(self) -> bool:
        """Whether other machines can reach it."""
        return self.host not in _OWN


def listen(app: ASGIApp, place: Place, ready: Callable[[str], None], note: Callable[[str], None]) -> None:
    """Answers until Ctrl-C.

    Args:
        app: What answers; it is put behind a `Guard`.
        place: Where.
        ready: Is told the address with its token, once it can be asked.
        note: Is told what is to be known about it.

    Raises:
        ResourceError: None of the ports is free, or the address is not this machine's.
    """
    with _bound(place) as door:
        port = door.getsockname()[1]
        if place.port not in {0, port}:
            note(f"port {place.port} is taken: {port} is used")
        names = None
        if place.open_to_others:
            note(f"other machines can reach {place.host}: whoever has the address below can use the model")
        else:
            ends = [f":{port}", ""] if port == _USUAL else [f":{port}"]  # browsers leave the usual port out
            names = frozenset(name + end for name in ("127.0.0.1", "localhost", "[::1]") for end in ends)
        token = secrets.token_urlsafe(16)
        guarded = Guard(app, token, names, cookie=f"netwright_{port}")
        config = uvicorn.Config(
            guarded, http=_Prompt, log_level="error", access_log=False, lifespan="off", limit_concurrency=64
        )
        shown = f"[{place.host}]" if ":" in place.host else place.host
        ready(f"http://{shown}:{port}/?token={token}")
        uvicorn.Server(config).run(sockets=[door])


class _Prompt(H11Protocol):
    """A connection on which no request comes is closed, so that silent ones do not keep others out."""

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        """Begins to wait for the first request."""
        super().connection_made(transport)
        self.loop.call_later(SECONDS, self._given_up)

    def _given_up(self) -> None:
        if self.cycle is None:
            self.transport.close()


def _bound(place: Place) -> socket.socket:
    """A socket at the first free port."""
    family = socket.AF_INET6 if ":" in place.host else socket.AF_INET
    last, why = place.port + TRIED if place.port else 0, ""
    for port in range(place.port, min(last, 65_535) + 1):
        door = socket.socket(family, socket.SOCK_STREAM)
        door.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            door.bind((place.host, port))
            door.listen()
        except OSError as exc:
            door.close()
            why = exc.strerror
        else:
            return door
    raise ResourceError(
        f"nothing can listen at {place.host}, ports {place.port} to {last}: {why}.", "Name another with --port."
    )
