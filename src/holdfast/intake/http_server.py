"""The HTTP server of a node: bounded in connections, and in the time that each may take to say something."""

import asyncio
from typing import Any, ClassVar

import h11
from uvicorn.protocols.http.h11_impl import H11Protocol

from holdfast.drivers.webserver import WebServer
from holdfast.intake.http import HttpLimits, crowded
from holdfast.intake.http_messages import AsgiApplication


def server(application: AsgiApplication, host: str, port: int, limits: HttpLimits) -> WebServer:
    """The server. Stopped, it answers the requests in hand first, for 10 seconds."""

    class Protocol(_BoundedProtocol):
        bounds = limits
        silent: ClassVar[dict[_BoundedProtocol, None]] = {}

    return WebServer(
        application,
        host,
        port,
        http=Protocol,
        timeout_keep_alive=limits.idle_seconds,
        timeout_graceful_shutdown=10,
        h11_max_incomplete_event_size=limits.head_bytes,
    )


class _BoundedProtocol(H11Protocol):
    """Closes a connection that says nothing, or does not finish a request's head, for twice `head_seconds`.

    uvicorn itself waits for the first request for ever, lets a head dribble in, and counts connections only once they
    ask for something. Here one too many takes the place of the oldest that never said a word; if there is none it is
    answered "not now", or closed if there are twice as many.
    """

    bounds = HttpLimits()
    silent: ClassVar[dict["_BoundedProtocol", None]] = {}

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        super().connection_made(transport)
        self._seen: Any = None
        self._timer = self.loop.call_later(self.bounds.head_seconds, self._look)
        if len(self.connections) > self.bounds.connections:
            if self.silent:
                next(iter(self.silent)).leave()
            elif len(self.connections) > self.bounds.most_connections:
                transport.abort()
            else:
                self.app = crowded
        self.silent[self] = None

    def leave(self) -> None:
        """Make room."""
        self.silent.pop(self, None)
        self.connections.discard(self)
        self.transport.abort()

    def data_received(self, data: bytes) -> None:
        self.silent.pop(self, None)
        super().data_received(data)

    def connection_lost(self, exc: Exception | None) -> None:
        self._timer.cancel()
        self.silent.pop(self, None)
        super().connection_lost(exc)

    def _look(self) -> None:
        """Nothing happened since the last look if the state is the same request's, or still that of none."""
        waiting = self.conn.their_state is h11.IDLE and (self.cycle is None or bool(self.conn.trailing_data[0]))
        state = (self.cycle,) if waiting else None
        if state is not None and state == self._seen:
            self.transport.close()
            return
        self._seen = state
        self._timer = self.loop.call_later(self.bounds.head_seconds, self._look)
