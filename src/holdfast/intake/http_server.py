"""The HTTP server a node runs inside its own event loop: uvicorn, quiet, bounded, without signal handlers."""

import asyncio
from contextlib import AbstractContextManager, nullcontext
from typing import Any, ClassVar

import h11
import uvicorn
from uvicorn.protocols.http.h11_impl import H11Protocol

from holdfast.intake.http import HttpLimits, crowded
from holdfast.intake.http_messages import AsgiApplication


class _Server(uvicorn.Server):
    def capture_signals(self) -> AbstractContextManager[None]:  # type: ignore[override]
        return nullcontext()  # the node has its own


def server(application: AsgiApplication, host: str, port: int, limits: HttpLimits) -> uvicorn.Server:
    """A server to `await serve()`; set `should_exit` to stop it: requests in hand are answered first, for 10 seconds.

    With port 0 the system chooses: after `started`, `servers[0].sockets[0].getsockname()` says which.
    """

    class Protocol(_BoundedProtocol):
        bounds = limits
        silent: ClassVar[dict[_BoundedProtocol, None]] = {}

    return _Server(
        uvicorn.Config(
            application,
            host=host,
            port=port,
            http=Protocol,
            ws="none",
            lifespan="off",
            loop="none",
            log_config=None,
            access_log=False,
            proxy_headers=False,
            server_header=False,
            timeout_keep_alive=limits.idle_seconds,
            timeout_graceful_shutdown=10,
            h11_max_incomplete_event_size=limits.head_bytes,
        )
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
