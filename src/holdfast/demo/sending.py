"""A host's syslog daemon: one TCP connection to one node, opened again when it breaks.

Plain syslog remembers nothing: what is said while the node is away is lost, and counted.
"""

import asyncio
import contextlib
from collections.abc import Sequence
from datetime import UTC, datetime

from holdfast.demo.hosts import Host
from holdfast.demo.samples import Sample
from holdfast.demo.spelling import framed, spelled

PIECE = 500
CONNECT_SECONDS = 5.0


class SyslogSender:
    """Sends a host's lines. `sent` and `lost` count them; `away` while the node could not be reached last."""

    def __init__(self, host: Host, place: tuple[str, int]) -> None:
        self._host, self._place = host, place
        self._streams: tuple[asyncio.StreamReader, asyncio.StreamWriter] | None = None
        self.sent = self.lost = 0
        self.away = False

    async def send(self, lines: Sequence[Sample]) -> None:
        """Send them in order, as fast as they are taken."""
        for at in range(0, len(lines), PIECE):
            piece = lines[at : at + PIECE]
            now = datetime.now(UTC)
            host = self._host
            data = b"".join(framed(spelled(one, host.name, host.dialect, now), counted=host.counted) for one in piece)
            try:
                writer = await self._connected()
                writer.write(data)
                await writer.drain()
                self.sent += len(piece)
                self.away = False
            except (OSError, TimeoutError):
                self.lost += len(piece)
                self.away = True
                self._drop()

    async def close(self) -> None:
        """End the connection in order."""
        if self._streams is not None:
            _, writer = self._streams
            self._streams = None
            writer.close()
            with contextlib.suppress(OSError, TimeoutError):
                await asyncio.wait_for(writer.wait_closed(), CONNECT_SECONDS)

    async def _connected(self) -> asyncio.StreamWriter:
        # A node never says anything; that it went away shows as the end of that.
        if self._streams is not None and self._streams[0].at_eof():
            self._drop()
        if self._streams is None:
            self._streams = await asyncio.wait_for(asyncio.open_connection(*self._place), CONNECT_SECONDS)
        return self._streams[1]

    def _drop(self) -> None:
        if self._streams is not None:
            self._streams[1].transport.abort()
            self._streams = None
