"""Syslog over TCP (RFC 6587): many connections, one shared receive buffer, nothing kept of a silent one.

Plain syslog has no acknowledgement: what TCP took is durable only once its flush is. The order of a connection's
frames is kept, so what is kept after a crash is a gap-free prefix of what was sent. When too much waits to be
written, reading stops everywhere and TCP slows the senders down. When the unfinished frames of all connections together
are too much, the connection that brought the last of it gets its frame cut there: what is at hand is taken as a line.
"""

import asyncio
import logging
import socket
from typing import cast

from holdfast.formats.lines import Lines
from holdfast.formats.syslog.framing import Framer
from holdfast.intake.pipeline import Pipeline
from holdfast.intake.preparing import SyslogBlock
from holdfast.kernel.errors import ConfigurationError

log = logging.getLogger("holdfast.intake")

BUFFER = 1 << 20
UNFINISHED = 64 << 20


class SyslogListener:
    """All syslog connections of one node."""

    def __init__(self, pipeline: Pipeline, max_frame: int, max_connections: int) -> None:
        self._pipeline = pipeline
        self._max_frame = max_frame
        self._max_connections = max_connections
        self._connections: set[_Connection] = set()
        self._silent: dict[_Connection, None] = {}  # those that never said anything, oldest first
        self._paused = False
        self.buffer = bytearray(BUFFER)
        self.refused = 0
        self.unfinished = 0
        pipeline.on_pressure = self._pressure

    async def start(self, address: str, port: int) -> asyncio.Server:
        """Listen. Several nodes never share an address."""
        loop = asyncio.get_running_loop()
        try:
            return await loop.create_server(
                lambda: _Connection(self, self._pipeline, self._max_frame), address, port, backlog=4096
            )
        except OSError as error:
            cause = error.strerror or type(error).__name__
            place = f"{address} {port}"
            raise ConfigurationError("address-taken", "a listener cannot be had", place=place, cause=cause) from None

    def opened(self, connection: "_Connection") -> bool:
        """Whether one more is taken. It takes the place of the oldest that never said a word, if there is no other."""
        if len(self._connections) >= self._max_connections:
            self.refused += 1
            if self.refused & (self.refused - 1) == 0:
                log.warning("too many syslog connections", extra={"fields": {"refused": self.refused}})
            if not self._silent:
                return False
            oldest = next(iter(self._silent))
            self.closed(oldest)
            oldest.transport.abort()
        self._connections.add(connection)
        self._silent[connection] = None
        if self._paused:
            connection.transport.pause_reading()
        return True

    def spoke(self, connection: "_Connection") -> None:
        """It is silent no more."""
        self._silent.pop(connection, None)

    def closed(self, connection: "_Connection") -> None:
        """One less."""
        self._connections.discard(connection)
        self._silent.pop(connection, None)

    def abort(self) -> None:
        """Close every connection; what was received stays received."""
        for connection in list(self._connections):
            connection.transport.close()

    def _pressure(self, full: bool) -> None:
        self._paused = full
        for connection in self._connections:
            transport = connection.transport
            if not transport.is_closing():
                (transport.pause_reading if full else transport.resume_reading)()


class _Connection(asyncio.BufferedProtocol):
    """One sender. The buffer is shared: it is filled and emptied within one turn of the event loop."""

    transport: asyncio.Transport

    def __init__(self, listener: SyslogListener, pipeline: Pipeline, max_frame: int) -> None:
        self._spoke = False
        self._listener = listener
        self._pipeline = pipeline
        self._framer = Framer(max_frame)

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.transport = cast(asyncio.Transport, transport)
        connection = transport.get_extra_info("socket")
        if connection is not None:
            connection.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)
        if not self._listener.opened(self):
            self.transport.abort()

    def get_buffer(self, sizehint: int) -> bytearray:
        return self._listener.buffer

    def buffer_updated(self, nbytes: int) -> None:
        if not self._spoke:
            self._spoke = True
            self._listener.spoke(self)
        listener, framer = self._listener, self._framer
        before = framer.waiting
        framer.receive(bytes(memoryview(listener.buffer)[:nbytes]))
        self._put(framer.take())
        listener.unfinished += framer.waiting - before
        if listener.unfinished > UNFINISHED:
            self._cut()

    def connection_lost(self, exc: Exception | None) -> None:
        self._listener.closed(self)
        self._cut()

    def _cut(self) -> None:
        """Take what there is of an unfinished frame as it stands."""
        self._listener.unfinished -= self._framer.waiting
        self._put(self._framer.close())

    def _put(self, lines: Lines | None) -> None:
        if lines is not None and len(lines):
            self._pipeline.put(SyslogBlock(lines, self._pipeline.arrival()))
