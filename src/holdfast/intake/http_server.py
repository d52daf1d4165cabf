"""The HTTP server a node runs inside its own event loop: uvicorn, quiet, bounded, without signal handlers."""

import asyncio
from contextlib import AbstractContextManager, nullcontext
from typing import Any

import h11
import uvicorn
from uvicorn.protocols.http.h11_impl import H11Protocol

from holdfast.intake.http import HttpLimits
from holdfast.intake.http_messages import AsgiApplication


class _Server(uvicorn.Server):
    def capture_signals(self) -> AbstractContextManager[None]:  # type: ignore[override]
        return nullcontext()  # the node has its own


def server(application: AsgiApplication, host: str, port: int, limits: HttpLimits) -> uvicorn.Server:
    """A server to `await serve()`; set `should_exit` to stop it: requests in hand are answered first, for 10 seconds.

    With port 0 the system chooses: after `started`, `servers[0].sockets[0].getsockname()` says which.
    """

    class Protocol(_BoundedProtocol):
        head_seconds = limits.head_seconds

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
            limit_concurrency=limits.connections,
            timeout_keep_alive=limits.idle_seconds,
            timeout_graceful_shutdown=10,
            h11_max_incomplete_event_size=limits.head_bytes,
        )
    )


class _BoundedProtocol(H11Protocol):
    """Closes a connection that says nothing, or does not finish a request's head, for twice `head_seconds`.

    uvicorn itself waits for the first request for ever and lets a head dribble in.
    """

    head_seconds = 10.0

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        super().connection_made(transport)
        self._seen: Any = None
        self._timer = self.loop.call_later(self.head_seconds, self._look)

    def connection_lost(self, exc: Exception | None) -> None:
        self._timer.cancel()
        super().connection_lost(exc)

    def _look(self) -> None:
        """Nothing happened since the last look if the state is the same request's, or still that of none."""
        waiting = self.conn.their_state is h11.IDLE and (self.cycle is None or bool(self.conn.trailing_data[0]))
        state = (self.cycle,) if waiting else None
        if state is not None and state == self._seen:
            self.transport.close()
            return
        self._seen = state
        self._timer = self.loop.call_later(self.head_seconds, self._look)
