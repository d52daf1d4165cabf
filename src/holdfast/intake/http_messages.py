"""One HTTP request and its answer over ASGI, without a framework: strict queries, bounded bodies, errors by family."""

import asyncio
import re
from collections.abc import Awaitable, Callable, Iterable, Mapping, MutableMapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import parse_qsl

from holdfast.formats import canonical
from holdfast.kernel.errors import (
    BusyError,
    ConflictError,
    HoldfastError,
    MalformedError,
    RefusedError,
    family_of,
)

Scope = MutableMapping[str, Any]
Message = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]
AsgiApplication = Callable[[Scope, Receive, Send], Awaitable[None]]

_LENGTH = re.compile(rb"(?:0|[1-9][0-9]{0,14})\Z")
_STATUS: Mapping[type[HoldfastError], int] = {
    MalformedError: 400,
    RefusedError: 403,
    ConflictError: 409,
    BusyError: 503,
}


class Gone(Exception):
    """The client went away before its request was whole."""


@dataclass(frozen=True, slots=True)
class Answer:
    """A response: status, JSON value or plain text, and whether the connection ends with it."""

    status: int
    body: canonical.Json | bytes
    headers: tuple[tuple[bytes, bytes], ...] = ()
    close: bool = False

    async def write(self, send: Send) -> None:
        """Send it."""
        plain = isinstance(self.body, bytes)
        data = self.body if isinstance(self.body, bytes) else canonical.dump(self.body) + b"\n"
        headers = [
            (b"content-type", b"text/plain; charset=utf-8" if plain else b"application/json"),
            (b"content-length", b"%d" % len(data)),
            (b"cache-control", b"no-store"),
            *self.headers,
        ]
        if self.close:
            headers.append((b"connection", b"close"))
        await send({"type": "http.response.start", "status": self.status, "headers": headers})
        await send({"type": "http.response.body", "body": data})


def answer_of(error: HoldfastError, members: Mapping[str, canonical.Json] | None = None) -> Answer:
    """The answer an error family gets (house style, the family table); 500 also closes the connection."""
    status = next((status for family, status in _STATUS.items() if isinstance(error, family)), 500)
    value: dict[str, canonical.Json] = {
        "error": {
            "family": family_of(error),
            "code": error.code,
            "message": error.message,
            "fields": dict(error.fields),
        }
    }
    headers = ((b"retry-after", b"1"),) if status == 503 else ()
    return Answer(status, {**value, **(members or {})}, headers, close=status == 500)


class Request:
    """A request being read."""

    def __init__(self, scope: Scope, receive: Receive) -> None:
        self.method: str = scope["method"]
        self.path: str = scope["path"]
        self._query: bytes = scope["query_string"]
        self._headers: Iterable[tuple[bytes, bytes]] = scope["headers"]
        self._receive = receive
        self._whole = False

    def header(self, name: bytes) -> bytes | None:
        """A header's value. MalformedError if it is there twice."""
        values = [value for key, value in self._headers if key == name]
        if len(values) > 1:
            raise MalformedError("header-twice", "a header is there twice", header=name.decode())
        return values[0] if values else None

    def query(self, required: frozenset[str], optional: frozenset[str]) -> Mapping[str, str]:
        """The query's parameters. MalformedError for one missing, unknown, empty or there twice."""
        try:
            pairs = (
                parse_qsl(self._query.decode("ascii"), strict_parsing=True, errors="strict", max_num_fields=16)
                if self._query
                else []
            )
        except ValueError:
            raise MalformedError("query", "the query does not read") from None
        values = dict(pairs)
        if len(values) != len(pairs) or not required <= values.keys() <= required | optional:
            wanted = " ".join(sorted(required))
            allowed = " ".join(sorted(optional))
            raise MalformedError("query", "the query's parameters are not right", required=wanted, optional=allowed)
        return values

    def length(self) -> int | None:
        """The body's length in bytes as declared, or None if it is not."""
        declared = self.header(b"content-length")
        if declared is None:
            return None
        if not _LENGTH.match(declared):
            raise MalformedError("content-length", "the Content-Length does not read")
        return int(declared)

    async def body(self, length: int, seconds: float) -> bytes:
        """The whole body. TimeoutError if it takes longer than that; Gone if the client goes; MalformedError if the
        length was not true."""
        parts: list[bytes] = []
        async with asyncio.timeout(seconds):
            async for part in self._parts():
                parts.append(part)
        data = b"".join(parts)
        if len(data) != length:
            raise MalformedError("content-length", "the Content-Length is not the body's")
        return data

    async def discard(self, seconds: float) -> None:
        """Read what is left of the body and drop it: a client may read its answer only once it has sent all."""
        async with asyncio.timeout(seconds):
            async for _part in self._parts():
                pass

    async def _parts(self) -> Any:
        while not self._whole:
            message = await self._receive()
            if message["type"] == "http.disconnect":
                raise Gone
            self._whole = not message.get("more_body", False)
            yield message.get("body", b"")
