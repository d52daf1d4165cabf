"""Journal frames ⇄ bytes (formats, Journal): one frame per flush, made durable by one fsync.

    magic "HFF1" ‖ u32 entries ‖ u64 flush ‖ i64 time_ns ‖ u64 length of the whole frame        32 bytes, little-endian
    directory: entries × 128 bytes (DIRECTORY)
    ciphertexts, end to end, in directory order
    SHA-256 of all of it                                                                        32 bytes

The directory is in the clear: key ids, counts, lengths and salted hashes, so that a reader finds its own batches, the
flush root is computed and sizes are known without any key. What a batch says is AES-256-GCM encrypted under the journal
key named beside it; installation, node, flush and the directory entry are its additional data. A frame whose length or
SHA-256 does not hold at the end of the last file was never acknowledged: a torn tail.
"""

import hashlib
import struct
from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt
from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from holdfast.formats.batches import SALT, SECRET
from holdfast.kernel.errors import MalformedError, VerificationError
from holdfast.kernel.instants import Instant
from holdfast.kernel.names import KeyId

MAGIC = b"HFF1"
HEADER = struct.Struct("<4sIQqQ")
DIGEST = 32
NONCE = 12
DIRECTORY = np.dtype(
    [
        ("key", "V16"),
        ("leaf", "V32"),
        ("nonce", "V12"),
        ("flags", "<u4"),
        ("first", "<u8"),
        ("count", "<u8"),
        ("length", "<u8"),
        ("text_bytes", "<u8"),
        ("clear_bytes", "<u8"),
        ("arrival", "<i8"),
        ("offset", "<u8"),
        ("reserved", "V8"),
    ]
)
"""One batch of a frame. `offset` and `length` are those of the ciphertext, `offset` from the frame's start; `arrival`
is the earliest of its lines; `leaf` is H(0x00 ‖ salt ‖ header)."""

STATE = 1
"""Flag: the entry is not a batch but the node's state (the first frame of a file)."""
POSITIONS = 2
"""Flag: the batch carries sender positions."""
LIMIT = 1 << 30

_LENGTHS = np.dtype("<u4")
_BODY = struct.Struct("<IIQ")

Directory = npt.NDArray[np.void]


@dataclass(frozen=True, slots=True)
class FrameHead:
    """A frame's header and directory, read without a key. `offset` and `length` place it in its file."""

    flush: int
    time: Instant
    offset: int
    length: int
    directory: Directory

    def leaves(self) -> list[bytes]:
        """The batch entries' leaf hashes in order: the flush root is MTH over them."""
        return [bytes(leaf) for leaf in self.directory["leaf"][(self.directory["flags"] & STATE) == 0]]


@dataclass(frozen=True, slots=True)
class Sealable:
    """One entry to be put into a frame: key, directory values and the plaintext to encrypt."""

    key: KeyId
    cipher: AESGCM
    leaf: bytes
    nonce: bytes
    flags: int
    first: int
    count: int
    text_bytes: int
    clear_bytes: int
    arrival: Instant
    plaintext: bytes = field(repr=False)


@dataclass(frozen=True, slots=True)
class BatchBody:
    """What the ciphertext of a batch holds: header and salt of the batch entry, the batch secret, sender positions
    (canonical JSON or empty), the records end to end and their lengths in bytes."""

    header: bytes
    salt: bytes
    secret: bytes = field(repr=False)
    positions: bytes = field(repr=False)
    lengths: npt.NDArray[np.int64] = field(repr=False)
    records: bytes | memoryview = field(repr=False)

    def encode(self) -> bytes:
        """The plaintext."""
        return b"".join(
            (
                _BODY.pack(len(self.header), len(self.positions), len(self.lengths)),
                self.salt,
                self.secret,
                self.header,
                self.positions,
                self.lengths.astype(_LENGTHS).tobytes(),
                self.records,
            )
        )


def parse_body(data: bytes) -> BatchBody:
    """The body of a plaintext. MalformedError if its lengths do not add up."""
    try:
        header_length, positions_length, count = _BODY.unpack_from(data)
        at = _BODY.size
        salt, at = data[at : at + SALT], at + SALT
        secret, at = data[at : at + SECRET], at + SECRET
        header, at = data[at : at + header_length], at + header_length
        positions, at = data[at : at + positions_length], at + positions_length
        lengths = np.frombuffer(data, _LENGTHS, count, at).astype(np.int64)
    except (struct.error, ValueError):
        raise MalformedError("frame-body", "a batch in the journal does not read") from None
    records = data[at + count * 4 :]
    if int(lengths.sum()) != len(records):
        raise MalformedError("frame-body", "a batch in the journal does not read")
    return BatchBody(header, salt, secret, positions, lengths, records)


def _additional_data(context: bytes, flush: int, entry: bytes) -> bytes:
    return b"%s|%d|%s" % (context, flush, entry)


def encode_frame(context: bytes, flush: int, time: Instant, entries: Sequence[Sealable]) -> list[bytes]:
    """The frame's bytes, in parts to be written one after the other.

    `context` is `<installation>/<node>`, bound into every ciphertext. Nonces must be fresh.
    """
    directory = np.zeros(len(entries), DIRECTORY)
    offset = HEADER.size + DIRECTORY.itemsize * len(entries)
    for i, entry in enumerate(entries):
        length = len(entry.plaintext) + 16
        directory[i] = (
            bytes.fromhex(entry.key),
            entry.leaf,
            entry.nonce,
            entry.flags,
            entry.first,
            entry.count,
            length,
            entry.text_bytes,
            entry.clear_bytes,
            entry.arrival,
            offset,
            b"",
        )
        offset += length
    rows = directory.tobytes()
    size = DIRECTORY.itemsize
    parts = [HEADER.pack(MAGIC, len(entries), flush, time, offset + DIGEST), rows]
    parts.extend(
        entry.cipher.encrypt(
            entry.nonce, entry.plaintext, _additional_data(context, flush, rows[i * size : i * size + size])
        )
        for i, entry in enumerate(entries)
    )
    digest = hashlib.sha256()
    for part in parts:
        digest.update(part)
    parts.append(digest.digest())
    return parts


def parse_head(prefix: bytes, offset: int) -> tuple[int, int]:
    """(entries, length) of the frame whose first 32 bytes these are. MalformedError if it is no frame."""
    if len(prefix) == HEADER.size:
        magic, entries, _flush, _time, length = HEADER.unpack(prefix)
        if magic == MAGIC and HEADER.size + entries * DIRECTORY.itemsize + DIGEST <= length <= LIMIT:
            return entries, length
    raise MalformedError("frame-header", "no journal frame begins here", offset=offset)


def parse_directory(data: bytes, offset: int) -> FrameHead:
    """Header and directory of a frame, from its first `32 + 128 × entries` bytes (more may follow)."""
    entries, length = parse_head(data[: HEADER.size], offset)
    if len(data) < HEADER.size + entries * DIRECTORY.itemsize:
        raise MalformedError("frame-directory", "a journal frame's directory is cut short", offset=offset)
    _magic, _entries, flush, time, _length = HEADER.unpack(data[: HEADER.size])
    directory = np.frombuffer(data, DIRECTORY, entries, HEADER.size)
    ends = HEADER.size + entries * DIRECTORY.itemsize + np.cumsum(directory["length"])
    if entries and (
        int(ends[-1]) + DIGEST != length or not np.array_equal(directory["offset"], ends - directory["length"])
    ):
        raise MalformedError("frame-directory", "a journal frame's directory does not add up", offset=offset)
    return FrameHead(flush, Instant(time), offset, length, directory)


def decrypt_entry(context: bytes, head: FrameHead, index: int, ciphertext: bytes, cipher: AESGCM) -> BatchBody:
    """The body of one entry. VerificationError if the ciphertext or its directory entry is not what was written."""
    row = head.directory[index]
    try:
        plaintext = cipher.decrypt(
            bytes(row["nonce"]), ciphertext, _additional_data(context, head.flush, row.tobytes())
        )
    except InvalidTag:
        raise VerificationError(
            "frame-damaged", "a batch in the journal is not what was written", flush=head.flush, entry=index
        ) from None
    return parse_body(plaintext)
