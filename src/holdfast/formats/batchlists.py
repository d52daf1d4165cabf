"""The batches of a segment ⇄ bytes: what its metadata holds so that every root is recomputed from its lines.

    magic "HFB1" ‖ u32 batches ‖ u64 first line, then column by column over all batches, little-endian:
    u64 count ‖ u64 text_bytes ‖ u64 clear_bytes ‖ root 32 ‖ salt 16 ‖ secret 32 ‖ u8 previous

`previous` 1: the header's `previous` is the leaf hash of the batch before it here; 0: it is empty; 2: it is the next 32
bytes of what follows the columns. Numbering has no gap. All of it zstd-compressed with its length before it (u32), in
base64, for Parquet's values are text. Environment, stream and node stand in metadata of their own.
"""

import base64
import binascii
import struct
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from holdfast.formats.batches import HASH, SALT, SECRET, BatchHeader, batch_leaf
from holdfast.kernel.errors import MalformedError
from holdfast.kernel.names import EnvironmentName, NodeName, Stream

LIMIT = 1 << 28
_HEAD = struct.Struct("<4sIQ")
_MAGIC = b"HFB1"
_EMPTY, _LINKED, _GIVEN = 0, 1, 2
_LENGTH = struct.Struct("<I")

Counts = npt.NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class SealedBatch:
    """A batch as a segment keeps it. Lengths are of its rendered text in bytes, line ends included."""

    header: BatchHeader
    salt: bytes
    secret: bytes = field(repr=False)
    text_bytes: int
    clear_bytes: int

    def leaf(self) -> bytes:
        """H(0x00 ‖ salt ‖ header): the leaf hash of the batch entry."""
        return batch_leaf(self.salt, self.header.encode())


@dataclass(frozen=True, slots=True)
class BatchList(Sequence[SealedBatch]):
    """The batches of a segment, in order. `firsts` are line numbers; `text_ends` and `clear_ends` are lengths from the
    segment's first line to the end of each batch."""

    environment: EnvironmentName
    stream: Stream
    node: NodeName
    firsts: Counts
    counts: Counts
    text_ends: Counts
    clear_ends: Counts
    roots: bytes
    salts: bytes
    secrets: bytes = field(repr=False)
    previous: Sequence[bytes]

    def __len__(self) -> int:
        return len(self.counts)

    def __getitem__(self, index):  # type: ignore[no-untyped-def]  # int or slice, as Sequence has it
        if isinstance(index, slice):
            return [self[i] for i in range(*index.indices(len(self)))]
        i = range(len(self))[index]
        before = (int(self.text_ends[i - 1]), int(self.clear_ends[i - 1])) if i else (0, 0)
        return SealedBatch(
            BatchHeader(
                self.environment,
                self.stream,
                self.node,
                int(self.firsts[i]),
                int(self.counts[i]),
                self.roots[i * HASH : i * HASH + HASH],
                self.previous[i],
            ),
            self.salts[i * SALT : i * SALT + SALT],
            self.secrets[i * SECRET : i * SECRET + SECRET],
            int(self.text_ends[i]) - before[0],
            int(self.clear_ends[i]) - before[1],
        )

    def __iter__(self) -> Iterator[SealedBatch]:
        for i in range(len(self)):
            yield self[i]

    def holding(self, line: int) -> int:
        """The index of the batch that a line is in. MalformedError if the segment does not hold it."""
        i = int(np.searchsorted(self.firsts, line, "right")) - 1
        if i < 0 or line >= int(self.firsts[i] + self.counts[i]):
            raise MalformedError("line-number", "the segment does not hold this line", line=line)
        return i


def pack(batches: Sequence[SealedBatch]) -> str:
    """The metadata value of the batches of one stream. MalformedError if their numbering has a gap."""
    kinds, given, leaf = bytearray(), bytearray(), b""
    following = batches[0].header.first if batches else 0
    for batch in batches:
        header = batch.header
        if header.first != following:
            raise MalformedError("batch-gap", "the batches of a segment do not follow each other", line=following)
        following += header.count
        if header.previous == b"":
            kinds.append(_EMPTY)
        elif header.previous == leaf:
            kinds.append(_LINKED)
        else:
            kinds.append(_GIVEN)
            given += header.previous
        leaf = batch.leaf()
    numbers = np.array(
        [[batch.header.count for batch in batches], [b.text_bytes for b in batches], [b.clear_bytes for b in batches]],
        "<u8",
    )
    data = b"".join(
        (
            _HEAD.pack(_MAGIC, len(batches), batches[0].header.first if batches else 0),
            numbers.tobytes(),
            b"".join(batch.header.root for batch in batches),
            b"".join(batch.salt for batch in batches),
            b"".join(batch.secret for batch in batches),
            kinds,
            given,
        )
    )
    packed = pa.Codec("zstd", compression_level=3).compress(data, asbytes=True)
    return base64.b64encode(_LENGTH.pack(len(data)) + packed).decode()


def unpack(value: bytes, environment: EnvironmentName, stream: Stream, node: NodeName) -> BatchList:
    """The batches of a metadata value. MalformedError for anything `pack` does not write."""
    try:
        packed = base64.b64decode(value, validate=True)
        (length,) = _LENGTH.unpack_from(packed)
        if length > LIMIT:
            raise ValueError
        data = pa.Codec("zstd").decompress(packed[4:], decompressed_size=length, asbytes=True)
        magic, count, first = _HEAD.unpack_from(data)
        if magic != _MAGIC or len(data) != length or len(data) < _HEAD.size + count * (24 + HASH + SALT + SECRET + 1):
            raise ValueError
    except (ValueError, binascii.Error, struct.error, OSError, pa.ArrowException):
        raise _malformed() from None
    numbers = np.frombuffer(data, "<u8", 3 * count, _HEAD.size).astype(np.int64).reshape(3, count)
    at = _HEAD.size + 24 * count
    roots, at = data[at : at + HASH * count], at + HASH * count
    salts, at = data[at : at + SALT * count], at + SALT * count
    secrets, at = data[at : at + SECRET * count], at + SECRET * count
    kinds, given = data[at : at + count], data[at + count :]
    firsts = first + np.concatenate((np.zeros(1, np.int64), np.cumsum(numbers[0])))[:count]
    if (numbers < 0).any() or (numbers[0] < 1).any() or len(given) != HASH * kinds.count(_GIVEN):
        raise _malformed()
    previous: list[bytes] = []
    batches = BatchList(
        environment,
        stream,
        node,
        firsts,
        numbers[0],
        np.cumsum(numbers[1]),
        np.cumsum(numbers[2]),
        roots,
        salts,
        secrets,
        previous,
    )
    for i, kind in enumerate(kinds):
        if kind > _GIVEN or (kind == _LINKED and i == 0):
            raise _malformed()
        if kind == _GIVEN:
            previous.append(given[:HASH])
            given = given[HASH:]
        else:
            previous.append(batches[i - 1].leaf() if kind == _LINKED else b"")
    return batches


def _malformed() -> MalformedError:
    return MalformedError("batch-list", "a segment's list of batches does not read")
