"""Reading journal files, closed or still growing, beside the node that writes them.

Heads (header and directory) are read by seeking over the ciphertexts, so that a reader finds its own batches, sizes and
roots without a key and without reading what is not its own. A file in which a frame does not read is one of two things:

* torn: nothing intact follows. The last write was cut off and never acknowledged; a growing file simply ends there,
  and recovery cuts it off.
* damaged: an intact frame follows, so these bytes were once durable. VerificationError, naming file and offset.

A closed file ends with its last frame; anything after it is damage.
"""

import contextlib
import hashlib
import os
from collections.abc import Iterator
from typing import BinaryIO

from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from holdfast.formats.frames import (
    DIGEST,
    DIRECTORY,
    HEADER,
    LIMIT,
    MAGIC,
    BatchBody,
    FrameHead,
    decrypt_entry,
    parse_directory,
    parse_head,
)
from holdfast.kernel.errors import MalformedError, VerificationError

_CHUNK = 1 << 20


def journal_name(number: int) -> str:
    """The file's name in the node's journal folder."""
    return f"{number:08d}.journal"


class JournalFile:
    """One journal file, open for reading; the caller closes it. Offsets are bytes from its start."""

    def __init__(self, source: BinaryIO, number: int) -> None:
        self.number = number
        self._source = source

    def heads(self, start: int = 0, *, check: bool = False, torn_tail: bool = False) -> Iterator[FrameHead]:
        """The frames from an offset on, the state frame among them. `check` holds each against its SHA-256 (else only
        `body` tells whether it is what was written); `torn_tail` ends quietly before a last frame that is not whole."""
        size = self._source.seek(0, os.SEEK_END)
        offset = start
        while offset < size:
            try:
                head = self._head(offset, size)
                if check and not self._holds(offset, head.length):
                    raise MalformedError("frame-digest", "a journal frame's SHA-256 does not hold")
            except MalformedError:
                if torn_tail and not self._intact_after(offset + 1, size):
                    return
                raise self._damaged(offset) from None
            yield head
            offset += head.length

    def body(self, context: bytes, head: FrameHead, index: int, cipher: AESGCM) -> BatchBody:
        """What an entry of a frame holds. VerificationError if it is not what was written."""
        row = head.directory[index]
        try:
            ciphertext = self._read(head.offset + int(row["offset"]), int(row["length"]))
            return decrypt_entry(context, head, index, ciphertext, cipher)
        except (MalformedError, VerificationError):
            raise self._damaged(head.offset) from None

    def holds(self, head: FrameHead) -> bool:
        """Whether the frame's SHA-256 holds."""
        return self._holds(head.offset, head.length)

    def _head(self, offset: int, size: int) -> FrameHead:
        """MalformedError if there is no frame, or not all of it."""
        prefix = self._read(offset, min(HEADER.size, size - offset))
        entries, length = parse_head(prefix, offset)
        if offset + length > size:
            raise MalformedError("frame-cut", "a journal frame is not all there", offset=offset)
        return parse_directory(prefix + self._read(offset + HEADER.size, entries * DIRECTORY.itemsize), offset)

    def _holds(self, offset: int, length: int) -> bool:
        digest = hashlib.sha256()
        end = offset + length - DIGEST
        for place in range(offset, end, _CHUNK):
            digest.update(self._read(place, min(_CHUNK, end - place)))
        return self._read(end, DIGEST) == digest.digest()

    def _intact_after(self, offset: int, size: int) -> bool:
        """Whether any intact frame begins at or after an offset (and before one could not have been torn)."""
        end = min(size, offset + LIMIT)
        for place in range(offset, end, _CHUNK):
            window = self._read(place, min(_CHUNK + len(MAGIC) - 1, size - place))
            at = window.find(MAGIC)
            while at >= 0:
                with contextlib.suppress(MalformedError):
                    if self._holds(place + at, self._head(place + at, size).length):
                        return True
                at = window.find(MAGIC, at + 1)
        return False

    def _read(self, offset: int, count: int) -> bytes:
        self._source.seek(offset)
        parts = []
        while count:
            part = self._source.read(count)
            if not part:
                raise MalformedError("frame-cut", "a journal frame is not all there", offset=offset)
            parts.append(part)
            count -= len(part)
        return parts[0] if len(parts) == 1 else b"".join(parts)

    def _damaged(self, offset: int) -> VerificationError:
        return VerificationError(
            "journal-damaged", "a journal file is not what was written", object=journal_name(self.number), offset=offset
        )
