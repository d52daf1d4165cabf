"""Where a node stands with each sender's file, so that a chunk sent twice is taken once (formats, Journal).

A source is one generation of one file of one sender, into one stream. Of each the node remembers the last chunk it made
durable: where it began, how long it was, the digest of its bytes, and the promise it was answered with. The verdict
on a chunk follows from that alone:

* nothing known of the source, or the chunk begins where the last one ended: accept;
* it is the last chunk again, byte for byte: duplicate, answered with the same promise;
* anything else, a gap or other bytes in the same place: conflict, and the sender goes on where the node stands.

Positions travel in the journal: what a flush moves lies in its batches, the whole in each file's state frame. When a
flush is written its roots are not yet known, so a moved position has no promise until it is merged with the header.
"""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import NamedTuple

from holdfast.formats import canonical
from holdfast.formats.batches import BatchHeader
from holdfast.formats.promises import Promise, promise_of, promise_value
from holdfast.formats.spelling import decimal
from holdfast.kernel.errors import MalformedError
from holdfast.kernel.instants import Instant
from holdfast.kernel.names import EnvironmentName, Stream, environment_name

SOURCES = 20_000
"""Sources a node remembers; past that, the one longest without a chunk is forgotten (and accepted where it goes on)."""
_DIGEST = 32


class Source(NamedTuple):
    """One generation of one file of one sender. `file` is opaque: 32 hexadecimal digits made by the sender."""

    environment: EnvironmentName
    stream: Stream
    sender: str
    file: str


@dataclass(frozen=True, slots=True)
class Position:
    """The last chunk of a source that was made durable. Offsets in bytes of the file's generation; `digest` SHA-256."""

    offset: int
    length: int
    digest: bytes
    time: Instant
    promise: Promise | None = None

    @property
    def end(self) -> int:
        """Where the next chunk begins."""
        return self.offset + self.length


@dataclass(frozen=True, slots=True)
class Accept:
    """The chunk is new and in its place."""


@dataclass(frozen=True, slots=True)
class Duplicate:
    """The chunk was taken before; answer with the same promise."""

    position: Position


@dataclass(frozen=True, slots=True)
class Conflict:
    """The chunk is not the next one. The source goes on at `position.end`."""

    position: Position


Verdict = Accept | Duplicate | Conflict


class Positions:
    """The positions of many sources, the one that moved last at the end."""

    def __init__(self, limit: int = SOURCES) -> None:
        self._limit = limit
        self._by_source: dict[Source, Position] = {}

    def __len__(self) -> int:
        return len(self._by_source)

    def __iter__(self) -> Iterator[tuple[Source, Position]]:
        return iter(self._by_source.items())

    def get(self, source: Source) -> Position | None:
        """Where a source stands, or None if nothing is known of it."""
        return self._by_source.get(source)

    def judge(self, source: Source, offset: int, length: int, digest: bytes) -> Verdict:
        """What to do with a chunk. Changes nothing: the position moves only once the chunk is durable."""
        last = self._by_source.get(source)
        if last is None or offset == last.end:
            return Accept()
        if (offset, length, digest) == (last.offset, last.length, last.digest):
            return Duplicate(last)
        return Conflict(last)

    def move(self, source: Source, position: Position) -> None:
        """The source stands there now."""
        self._by_source.pop(source, None)
        self._by_source[source] = position
        if len(self._by_source) > self._limit:
            del self._by_source[next(iter(self._by_source))]

    def merge(self, moved: "Positions", header: BatchHeader) -> None:
        """Fold in what one batch moved; its header says what those chunks were promised."""
        for source, position in moved:
            promise = Promise(
                header.environment,
                header.stream,
                header.node,
                header.first,
                header.count,
                header.root,
                position.time,
            )
            self.move(source, replace(position, promise=promise))

    def encode(self) -> bytes:
        """Canonical JSON, in order of movement, so that replay forgets the same sources."""
        return canonical.dump({"v": 1, "positions": [_value(*item) for item in self]})

    @classmethod
    def decode(cls, data: bytes, limit: int = SOURCES) -> "Positions":
        """The positions of those bytes; none for empty bytes. MalformedError otherwise."""
        positions = cls(limit)
        if not data:
            return positions
        try:
            rows = canonical.load_object(data)["positions"]
            if not isinstance(rows, list):
                raise TypeError
            for row in rows:
                positions.move(*_item(row))
        except (KeyError, TypeError, ValueError, MalformedError):
            raise MalformedError("positions", "sender positions in the journal do not read") from None
        return positions


def _value(source: Source, position: Position) -> canonical.Json:
    return {
        "environment": source.environment,
        "stream": source.stream.value,
        "sender": source.sender,
        "file": source.file,
        "offset": str(position.offset),
        "length": str(position.length),
        "digest": position.digest.hex(),
        "time": str(position.time),
        "promise": promise_value(position.promise) if position.promise else None,
    }


def _item(row: object) -> tuple[Source, Position]:
    if not isinstance(row, dict):
        raise TypeError
    source = Source(environment_name(row["environment"]), Stream(row["stream"]), str(row["sender"]), str(row["file"]))
    digest = bytes.fromhex(row["digest"])
    if len(digest) != _DIGEST:
        raise ValueError
    promise = row["promise"]
    return source, Position(
        decimal(row["offset"]),
        decimal(row["length"]),
        digest,
        Instant(decimal(row["time"])),
        None if promise is None else promise_of(promise),
    )
