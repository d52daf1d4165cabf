"""Talking to the keeper over its socket: one request, one reply, on a connection that is kept.

A connection the keeper closed while idle, or by restarting, is made again once for each call. So a call may be carried
out twice: every verb may be repeated (keys made and never used harm nobody). BusyError `keeper-unreachable` if the
keeper is not there or does not answer in time.
"""

import asyncio
import contextlib
import os
import socket
import threading
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from holdfast.formats.messages import MessageReader, encode, result_of
from holdfast.kernel.errors import BusyError, ConfigurationError

TIMEOUT_SECONDS = 30.0
CHUNK = 256 * 1024
SOCKET_PATH_LIMIT = 107
"""Bytes that fit `sun_path` (unix(7))."""


def _unreachable() -> BusyError:
    return BusyError("keeper-unreachable", "the keeper cannot be reached now")


def _request(verb: str, arguments: Mapping[str, Any]) -> bytes:
    return encode({"verb": verb, **arguments})


def fitting(path: Path) -> str:
    """The path, checked to fit. ConfigurationError `socket-path` otherwise."""
    if len(os.fsencode(path)) > SOCKET_PATH_LIMIT:
        raise ConfigurationError("socket-path", "the path of a socket is too long", limit=SOCKET_PATH_LIMIT)
    return str(path)


class KeeperClient:
    """For threads: calls wait for each other."""

    def __init__(self, socket_path: Path, *, timeout_seconds: float = TIMEOUT_SECONDS) -> None:
        self._path = fitting(socket_path)
        self._timeout = timeout_seconds
        self._lock = threading.Lock()
        self._connection: socket.socket | None = None

    def call(self, verb: str, **arguments: Any) -> dict[str, Any]:
        """The result of a verb; raises the keeper's own error, in its own family."""
        data = _request(verb, arguments)
        with self._lock:
            kept = self._connection is not None
            try:
                reply = self._whole(data)
            except TimeoutError:
                raise _unreachable() from None
            except OSError:
                if not kept:
                    raise _unreachable() from None
                try:
                    reply = self._whole(data)
                except OSError:  # TimeoutError is one
                    raise _unreachable() from None
        return result_of(reply)

    def _whole(self, data: bytes) -> Mapping[str, Any]:
        """One exchange; whatever ends it early ends the connection, so that a late reply is nobody else's."""
        try:
            return self._exchange(data)
        except BaseException:
            self._close()
            raise

    def _exchange(self, data: bytes) -> Mapping[str, Any]:
        if self._connection is None:
            connection = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
            connection.settimeout(self._timeout)
            self._connection = connection
            connection.connect(self._path)
        self._connection.sendall(data)
        messages = MessageReader()
        while True:
            reply = messages.next_message()
            if reply is not None:
                return reply
            received = self._connection.recv(CHUNK)
            if not received:
                raise ConnectionResetError
            messages.receive(received)

    def _close(self) -> None:
        if self._connection is not None:
            self._connection.close()
            self._connection = None

    def close(self) -> None:
        """Close the connection; the next call makes a new one."""
        with self._lock:
            self._close()


class AsyncKeeperClient:
    """For an event loop: calls wait for each other. A cancelled call drops the connection, never a later reply."""

    def __init__(self, socket_path: Path, *, timeout_seconds: float = TIMEOUT_SECONDS) -> None:
        self._path = fitting(socket_path)
        self._timeout = timeout_seconds
        self._lock = asyncio.Lock()
        self._connection: tuple[asyncio.StreamReader, asyncio.StreamWriter] | None = None

    async def call(self, verb: str, **arguments: Any) -> dict[str, Any]:
        """The result of a verb; raises the keeper's own error, in its own family."""
        data = _request(verb, arguments)
        async with self._lock:
            kept = self._connection is not None
            try:
                reply = await self._within(data)
            except TimeoutError:
                raise _unreachable() from None
            except OSError:
                if not kept:
                    raise _unreachable() from None
                try:
                    reply = await self._within(data)
                except OSError:  # TimeoutError is one
                    raise _unreachable() from None
        return result_of(reply)

    async def _within(self, data: bytes) -> Mapping[str, Any]:
        done = False
        try:
            async with asyncio.timeout(self._timeout):
                reply = await self._exchange(data)
            done = True
            return reply
        finally:
            if not done:
                self._close()

    async def _exchange(self, data: bytes) -> Mapping[str, Any]:
        if self._connection is None:
            self._connection = await asyncio.open_unix_connection(self._path)
        reader, writer = self._connection
        writer.write(data)
        await writer.drain()
        messages = MessageReader()
        while True:
            reply = messages.next_message()
            if reply is not None:
                return reply
            received = await reader.read(CHUNK)
            if not received:
                raise ConnectionResetError
            messages.receive(received)

    def _close(self) -> None:
        if self._connection is not None:
            self._connection[1].close()
            self._connection = None

    async def close(self) -> None:
        """Close the connection; the next call makes a new one."""
        async with self._lock:
            connection, self._connection = self._connection, None
            if connection is not None:
                connection[1].close()
                with contextlib.suppress(OSError):
                    await connection[1].wait_closed()
