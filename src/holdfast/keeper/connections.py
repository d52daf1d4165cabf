"""Connections to the keeper's sockets: bytes in, messages judged one at a time, replies out.

Bounded on every side: message size, connections per role, the time a message may take to arrive, a reply to be taken,
and a connection to say nothing.
"""

import asyncio
import contextlib
import socket
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from typing import Any

from holdfast.formats.messages import MessageReader, encode, failed
from holdfast.keeper.answering import Answering
from holdfast.kernel.errors import HoldfastError, MalformedError

CONNECTIONS_PER_ROLE = 256
IDLE_SECONDS = 900.0
MESSAGE_SECONDS = 30.0
CHUNK = 256 * 1024


class Connections:
    """The open connections of all roles."""

    def __init__(self, answering: Answering, thread: ThreadPoolExecutor) -> None:
        self._answering = answering
        self._thread = thread
        self._open: dict[asyncio.Task[None], str] = {}
        self._servers: list[asyncio.Server] = []

    async def listen(self, sockets: Mapping[str, socket.socket]) -> None:
        """Serve each role's listening socket."""
        for role, listener in sockets.items():
            self._servers.append(await asyncio.start_unix_server(self._accepting(role), sock=listener))

    async def close(self) -> None:
        """Stop listening and end every connection; a request being answered gets its reply if it is quick."""
        for server in self._servers:
            server.close()
        for task in list(self._open):
            task.cancel()
        await asyncio.gather(*self._open, return_exceptions=True)

    def _accepting(self, role: str) -> Any:
        async def accept(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            task = asyncio.current_task()
            if task is None or list(self._open.values()).count(role) >= CONNECTIONS_PER_ROLE:
                writer.close()
                return
            self._open[task] = role
            try:
                await self._serve(role, reader, writer)
            except (OSError, TimeoutError, asyncio.CancelledError):
                pass  # the other side is gone or silent, or we are stopping
            finally:
                del self._open[task]
                writer.close()
                with contextlib.suppress(OSError):
                    await writer.wait_closed()

        return accept

    async def _serve(self, role: str, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        messages = MessageReader()
        loop = asyncio.get_running_loop()
        while True:
            try:
                request = await _next(messages, reader)
            except MalformedError as error:
                await _send(writer, failed(error))
                return
            if request is None:
                return
            reply = await loop.run_in_executor(self._thread, self._answering.answer, role, request)
            await _send(writer, reply)


async def _next(messages: MessageReader, reader: asyncio.StreamReader) -> Mapping[str, Any] | None:
    """The next request; None when the other side ends the connection."""
    started: float | None = None
    loop = asyncio.get_running_loop()
    while True:
        message = messages.next_message()
        if message is not None:
            return message
        if messages.between_messages:
            timeout = IDLE_SECONDS
        else:
            started = started if started is not None else loop.time()
            timeout = max(0.0, started + MESSAGE_SECONDS - loop.time())
        data = await asyncio.wait_for(reader.read(CHUNK), timeout)
        if not data:
            return None
        messages.receive(data)


async def _send(writer: asyncio.StreamWriter, reply: Mapping[str, Any]) -> None:
    try:
        data = encode(reply)
    except HoldfastError as error:
        data = encode(failed(error))
    writer.write(data)
    await asyncio.wait_for(writer.drain(), MESSAGE_SECONDS)
