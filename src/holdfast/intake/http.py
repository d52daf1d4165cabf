"""Log lines over HTTP, answered with a signed promise (docs/send.md has the protocol).

Promises: 200 means the lines are durable in this node's journal, once. A chunk sent again, because its answer was lost,
gets the same promise and is not taken again. Anything but 200 means that asking again is safe.

Order: declared length → query → token → body → the source's turn → take (guard, journal, fsync) → signature → answer.
One chunk of a source is in hand at a time, so that a retry that overtakes its first try finds the first one's outcome.
A client that goes away does not undo what it sent. A crash before the answer leaves the chunk taken or not; the sender
asks where the node stands (`/v1/positions`) and goes on there.
"""

import asyncio
import hashlib
import logging
import re
import time
import traceback
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from typing import Protocol

from holdfast.formats.canonical import Json
from holdfast.formats.lines import Lines, split
from holdfast.formats.longlines import cut
from holdfast.formats.positions import Position, Source
from holdfast.formats.promises import Promise, PromiseSigner
from holdfast.formats.spelling import decimal
from holdfast.intake.http_messages import Answer, AsgiApplication, Gone, Receive, Request, Scope, Send, answer_of
from holdfast.intake.http_tokens import RememberedTokens, Tokens
from holdfast.kernel.errors import BusyError, ConflictError, HoldfastError, MalformedError, OutcomeUnknownError
from holdfast.kernel.names import EnvironmentName, Stream, environment_name

_log = logging.getLogger("holdfast.intake.http")

_SENDER = re.compile(r"[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}\Z", re.ASCII)
_FILE_ID = re.compile(r"[0-9a-f]{32}\Z", re.ASCII)
_UNAUTHORISED = Answer(
    401,
    {"error": {"family": "refused", "code": "token", "message": "a valid intake token is needed", "fields": {}}},
    ((b"www-authenticate", b"Bearer"),),
)


@dataclass(frozen=True, slots=True)
class HttpLimits:
    """What one node's HTTP intake takes at most. Bytes and seconds."""

    body: int = 4 << 20
    line: int = 64 << 10
    """A longer line is cut into several (never inside a UTF-8 character)."""
    held: int = 64 << 20
    """Bodies in hand at once, together; a request past that is told to come later."""
    body_seconds: float = 30.0
    head_seconds: float = 10.0
    head_bytes: int = 16 << 10
    idle_seconds: int = 75
    connections: int = 1000

    @property
    def most_connections(self) -> int:
        """Those above `connections` are answered "not now"; those above this are closed unheard."""
        return 2 * self.connections


@dataclass(frozen=True, slots=True)
class HttpChunk:
    """Whole lines of one file as a sender sent them.

    `file` is its base name, `file_id` its identity (positions.Source); `offset` and `length` are in bytes of the file;
    `digest` is the SHA-256 of the body.
    """

    environment: EnvironmentName
    stream: Stream
    sender: str
    file: str
    file_id: str
    offset: int
    lines: Lines
    digest: bytes
    length: int

    @property
    def source(self) -> Source:
        """What positions are kept by."""
        return Source(self.environment, self.stream, self.sender, self.file_id)


@dataclass(frozen=True, slots=True)
class Receipt(Promise):
    """What became of a chunk: the promise to sign (first, count, root are the batch's); whether it was taken before."""

    duplicate: bool = False


class Taker(Protocol):
    """The node's pipeline, as HTTP intake sees it."""

    async def take(self, chunk: HttpChunk) -> Receipt:
        """Resolves only once the chunk is durable, or was before.

        BusyError on overload, a full disk or no keeper; RefusedError if the environment is not on this node's hosting;
        ConflictError if the chunk is not its source's next (`position` then says which is).
        """

    def position(self, source: Source) -> Position | None:
        """Where a source stands, as far as it is durable."""

    def ready(self) -> bool:
        """Whether lines are taken at all."""


def app(taker: Taker, tokens: Tokens, signer: PromiseSigner, limits: HttpLimits | None = None) -> AsgiApplication:
    """The ASGI application."""
    intake = _Intake(taker, RememberedTokens(tokens, time.monotonic), signer, limits or HttpLimits())

    async def application(scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            return
        request = Request(scope, receive)
        try:
            answer = await intake.answer(request)
        except Gone:
            return
        await answer.write(send)

    return application


async def crowded(scope: Scope, _receive: Receive, send: Send) -> None:
    """The application of a connection above the limit: not now."""
    if scope["type"] == "http":
        error = BusyError("not-now", "too many connections; come again later")
        await replace(answer_of(error), close=True).write(send)


class _Intake:
    def __init__(self, taker: Taker, tokens: RememberedTokens, signer: PromiseSigner, limits: HttpLimits) -> None:
        self._taker = taker
        self._tokens = tokens
        self._signer = signer
        self._limits = limits
        self._held = 0
        self._turns: dict[Source, tuple[asyncio.Lock, int]] = {}

    async def answer(self, request: Request) -> Answer:
        """The answer to a request, whatever happens; the one place that catches everything."""
        try:
            answer = await self._route(request)
        except HoldfastError as error:
            answer = answer_of(error)
        except TimeoutError:
            return Answer(408, b"the request took too long\n", close=True)
        except Gone:
            raise
        except Exception as error:
            # The message may quote a line, so only where it happened is said.
            places = "".join(traceback.format_tb(error.__traceback__))
            _log.error("unexpected %s in HTTP intake\n%s", type(error).__name__, places)
            return answer_of(OutcomeUnknownError("unexpected", "something unexpected happened; ask again"))
        if not answer.close:
            try:
                await request.discard(self._limits.body_seconds)
            except TimeoutError:
                return Answer(408, b"the request took too long\n", close=True)
        return answer

    async def _route(self, request: Request) -> Answer:
        match request.method, request.path:
            case "GET", "/health":
                ready = self._taker.ready()
                return Answer(200 if ready else 503, {"ready": ready})
            case "POST", "/v1/lines":
                return await self._lines(request)
            case "GET", "/v1/positions":
                return await self._position(request)
            case _, "/health" | "/v1/lines" | "/v1/positions":
                return Answer(405, b"this is not done here\n", close=True)
            case _:
                return Answer(404, b"nothing is here\n", close=True)

    async def _source(self, request: Request, query: dict[str, str]) -> Source | None:
        authorization = request.header(b"authorization") or b""
        holder = await self._tokens.holder(authorization.decode("latin-1"))
        if holder is None:
            return None
        named = environment_name(query["environment"]) if "environment" in query else None
        stream = _stream(query["stream"])
        if not _SENDER.match(query["sender"]) or not _FILE_ID.match(query["id"]):
            raise MalformedError("source", "sender is a UUID in lower case, id 32 hexadecimal digits")
        return Source(holder.place(named, stream), stream, query["sender"], query["id"])

    async def _position(self, request: Request) -> Answer:
        query = request.query(frozenset({"stream", "sender", "id"}), frozenset({"environment"}))
        source = await self._source(request, dict(query))
        if source is None:
            return _UNAUTHORISED
        async with self._turn(source):
            return Answer(200, self._where(source))

    async def _lines(self, request: Request) -> Answer:
        length = request.length()
        if length is None:
            return Answer(411, b"say the length of the body (Content-Length)\n", close=True)
        if length > self._limits.body:
            return Answer(413, b"a body holds at most %d bytes; send less at once\n" % self._limits.body, close=True)
        query = request.query(
            frozenset({"stream", "file", "id", "offset", "sender"}), frozenset({"environment", "final"})
        )
        source = await self._source(request, dict(query))
        if source is None:
            return _UNAUTHORISED
        offset, name = decimal(query["offset"]), _file_name(query["file"])
        if query.get("final", "1") != "1":
            raise MalformedError("final", "final is 1 or left out")
        if self._held + length > self._limits.held:
            raise BusyError("not-now", "too much is being taken in; come again later")
        self._held += length
        try:
            body = await request.body(length, self._limits.body_seconds)
            if not body or not (body.endswith(b"\n") or "final" in query):
                raise MalformedError("lines", "the body holds whole lines, each ended by LF, at least one")
            lines = cut(split(body), self._limits.line)
            digest = hashlib.sha256(body).digest()
            return await self._take(HttpChunk(*source[:3], name, source.file, offset, lines, digest, length))
        finally:
            self._held -= length

    async def _take(self, chunk: HttpChunk) -> Answer:
        async with self._turn(chunk.source):
            try:
                receipt = await self._taker.take(chunk)
            except ConflictError as error:
                return answer_of(error, {"position": self._where(chunk.source)})
        return Answer(200, {**self._signer.sign(receipt).value(), "duplicate": receipt.duplicate})

    def _where(self, source: Source) -> dict[str, Json]:
        position = self._taker.position(source)
        if position is None or position.promise is None:
            return {"expected": None}
        return {
            "expected": str(position.end),
            "offset": str(position.offset),
            "digest": position.digest.hex(),
            "promise": self._signer.sign(position.promise).value(),
        }

    @asynccontextmanager
    async def _turn(self, source: Source) -> AsyncIterator[None]:
        lock, waiting = self._turns.get(source, (asyncio.Lock(), 0))
        self._turns[source] = lock, waiting + 1
        try:
            async with lock:
                yield
        finally:
            lock, waiting = self._turns.pop(source)
            if waiting > 1:
                self._turns[source] = lock, waiting - 1


def _stream(text: str) -> Stream:
    try:
        return Stream(text)
    except ValueError:
        raise MalformedError("stream", "a stream is app, system, web-access or ssh-access") from None


def _file_name(text: str) -> str:
    """A base name: it is shown beside every line, so nothing that a terminal or a path would act on."""
    if len(text.encode()) <= 255 and text.isprintable() and "/" not in text and text not in ("", ".", ".."):
        return text
    raise MalformedError("file", "file is a base name of printable characters, at most 255 bytes")
