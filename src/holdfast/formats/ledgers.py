"""The ledger ⇄ bytes: what outlives erased lines (formats, Ledger).

Two objects per journal file, named by the first and the last flush in it: `<first>-<last>.leaves` and
`<first>-<last>.headers`, 20 digits each, so that names sort as they follow.

`.leaves`, in the clear, nothing but salted hashes:

    magic "HFL1", then per flush: u64 flush ‖ i64 time_ns ‖ u32 batches ‖ batches × leaf hash 32

`.headers`, never published, zstd-compressed up to its last 32 bytes:

    magic "HFH1", then per flush: u64 flush ‖ u32 batches ‖ batches × (salt 16 ‖ u16 length ‖ header)

Little-endian; both end in the SHA-256 of all bytes before it. Both are written and read flush by flush.
"""

import hashlib
import re
import struct
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import BinaryIO

import pyarrow as pa

from holdfast.formats.batches import HASH, SALT, batch_leaf
from holdfast.formats.digests import Digesting
from holdfast.kernel.errors import VerificationError
from holdfast.kernel.instants import Instant

_LEAVES, _HEADERS = b"HFL1", b"HFH1"
_FLUSH = struct.Struct("<QqI")
_FLUSH_HEADERS = struct.Struct("<QI")
_ENTRY = struct.Struct(f"<{SALT}sH")
DIGEST = 32
_LIMIT = 1 << 20  # batches in one flush
_NAME = re.compile(r"([0-9]{20})-([0-9]{20})\.(leaves|headers)\Z")


@dataclass(frozen=True, slots=True)
class FlushLeaves:
    """The batch entries' leaf hashes of one flush, in order, 32 bytes each, end to end: its root is MTH over them."""

    flush: int
    time: Instant
    leaves: bytes

    def __len__(self) -> int:
        return len(self.leaves) // HASH

    def each(self) -> list[bytes]:
        """The leaf hashes one by one."""
        return [self.leaves[i : i + HASH] for i in range(0, len(self.leaves), HASH)]


@dataclass(frozen=True, slots=True)
class FlushHeaders:
    """The batch headers of one flush in order, each with the salt of its entry: H(0x00 ‖ salt ‖ header) is its leaf."""

    flush: int
    entries: Sequence[tuple[bytes, bytes]]
    """(salt, header)"""

    def leaves(self) -> list[bytes]:
        """The leaf hashes of these entries."""
        return [batch_leaf(salt, header) for salt, header in self.entries]


def leaves_name(first: int, last: int) -> str:
    """The name of a ledger object of leaf hashes, below the node's ledger folder."""
    return f"{first:020d}-{last:020d}.leaves"


def headers_name(first: int, last: int) -> str:
    """The name of a ledger object of headers, below the node's ledger folder."""
    return f"{first:020d}-{last:020d}.headers"


def flushes_of(name: str) -> tuple[int, int] | None:
    """The first and last flush number in a ledger object's name, or None if it is no such name."""
    found = _NAME.match(name)
    return (int(found[1]), int(found[2])) if found and int(found[1]) <= int(found[2]) else None


def write_leaves(sink: BinaryIO, flushes: Iterable[FlushLeaves]) -> None:
    """Write a `.leaves` object, flush by flush."""
    digesting = Digesting(sink)
    digesting.write(_LEAVES)
    for flush in flushes:
        digesting.write(_FLUSH.pack(flush.flush, flush.time, len(flush)) + flush.leaves)
    sink.write(digesting.digest())


def write_headers(sink: BinaryIO, flushes: Iterable[FlushHeaders]) -> None:
    """Write a `.headers` object, flush by flush."""
    digesting = Digesting(sink)
    with pa.CompressedOutputStream(pa.PythonFile(digesting, mode="w"), "zstd") as packed:
        packed.write(_HEADERS)
        for flush in flushes:
            packed.write(_FLUSH_HEADERS.pack(flush.flush, len(flush.entries)))
            for salt, header in flush.entries:
                packed.write(_ENTRY.pack(salt, len(header)) + header)
    sink.write(digesting.digest())


def read_leaves(source: BinaryIO, name: str) -> Iterator[FlushLeaves]:
    """The flushes of a `.leaves` object, checked before the first is given. VerificationError if it is damaged."""
    end = _checked(source, name)
    source.seek(0)
    if _exactly(source, 4, name) != _LEAVES:
        raise _damaged(name)
    while source.tell() < end:
        flush, time, count = _FLUSH.unpack(_exactly(source, _FLUSH.size, name))
        if count > _LIMIT:
            raise _damaged(name)
        yield FlushLeaves(flush, Instant(time), _exactly(source, count * HASH, name))
    if source.tell() != end:
        raise _damaged(name)


def read_headers(source: BinaryIO, name: str) -> Iterator[FlushHeaders]:
    """The flushes of a `.headers` object (held in memory compressed). VerificationError if it is damaged."""
    end = _checked(source, name)
    source.seek(0)
    try:
        packed = pa.CompressedInputStream(pa.BufferReader(source.read(end)), "zstd")
        if packed.read(4) != _HEADERS:
            raise _damaged(name)
        while start := packed.read(1):
            flush, count = _FLUSH_HEADERS.unpack(start + _exactly(packed, _FLUSH_HEADERS.size - 1, name))
            if count > _LIMIT:
                raise _damaged(name)
            yield FlushHeaders(flush, [_entry(packed, name) for _ in range(count)])
    except (OSError, pa.ArrowException):
        raise _damaged(name) from None


def _entry(source: pa.NativeFile, name: str) -> tuple[bytes, bytes]:
    salt, length = _ENTRY.unpack(_exactly(source, _ENTRY.size, name))
    return salt, _exactly(source, length, name)


def _checked(source: BinaryIO, name: str) -> int:
    """Where the content ends and its digest begins, if the digest holds."""
    end = source.seek(0, 2) - DIGEST
    source.seek(0)
    digest = hashlib.sha256()
    left = max(end, 0)
    while left and (chunk := source.read(min(left, 1 << 20))):
        digest.update(chunk)
        left -= len(chunk)
    if end < 4 or left or source.read(DIGEST) != digest.digest():
        raise _damaged(name)
    return end


def _exactly(source: BinaryIO | pa.NativeFile, count: int, name: str) -> bytes:
    data: bytes = source.read(count)
    if len(data) != count:
        raise _damaged(name)
    return data


def _damaged(name: str) -> VerificationError:
    return VerificationError("ledger-damaged", "a ledger object is not what was written", object=name)
